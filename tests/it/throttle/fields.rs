//! What callers are told, checked with a parser of structured fields that is not ours.

use super::server::Server;
use super::*;
use sfv::{BareItem, List, ListEntry, Parser};
use std::sync::Arc;
use tower_auth::Scope;
use tower_auth::clock::Clock;
use tower_auth::format::Drf;
use tower_auth::throttle::{
    Charge, Limiter, LimiterAnswer, QuotaFields, Rate, Receipt, RedisLimiter, Settlement, Standing,
    Throttle,
};

/// The items of a list of strings with integer parameters: `("name", [("r", 50), ("t", 30)])`.
fn items(reply: &Reply, name: &str) -> Vec<(String, Vec<(String, i64)>)> {
    let lines: Vec<&[u8]> = reply
        .headers
        .get_all(name)
        .iter()
        .map(|line| line.as_bytes())
        .collect();
    let list: List = Parser::new(&lines.join(&b", "[..])).parse().unwrap();
    let item = |entry: ListEntry| {
        let ListEntry::Item(item) = entry else {
            panic!("an inner list")
        };
        let BareItem::String(name) = item.bare_item else {
            panic!("no string")
        };
        let number = |value: BareItem| i64::from(value.as_integer().unwrap());
        let parameters = item
            .params
            .into_iter()
            .map(|(key, value)| (key.to_string(), number(value)));
        (name.to_string(), parameters.collect())
    };
    list.into_iter().map(item).collect()
}

fn item(name: &str, parameters: &[(&str, i64)]) -> (String, Vec<(String, i64)>) {
    let parameters = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), *value));
    (name.to_owned(), parameters.collect())
}

#[tokio::test]
async fn every_answer_tells_policy_and_standing_as_structured_fields() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2000/day"))
        .throttle(Throttle::per_principal("2/min"))
        .throttle(Throttle::per_key("100/hour burst 20").name("smooth a.b-c_d"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let policy = [
        item("principal", &[("q", 2000), ("w", 86_400)]),
        item("principal-2", &[("q", 2), ("w", 60)]),
        item("smooth a.b-c_d", &[("q", 100), ("w", 3600)]),
    ];
    let first = send(&auth, bearer(&key)).await;
    assert_eq!(items(&first, "ratelimit-policy"), policy);
    let standing = [
        item("principal", &[("r", 1999), ("t", 86_400)]),
        item("principal-2", &[("r", 1), ("t", 60)]),
        item("smooth a.b-c_d", &[("r", 19), ("t", 36)]),
    ];
    assert_eq!(items(&first, "ratelimit"), standing);
    send(&auth, bearer(&key)).await;
    world.advance(10.0);
    let refused = send(&auth, bearer(&key)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(items(&refused, "ratelimit-policy"), policy);
    assert_eq!(
        items(&refused, "ratelimit")[1],
        item("principal-2", &[("r", 0), ("t", 50)])
    );
    assert_eq!(
        refused.headers["retry-after"], "50",
        "it references the same moment"
    );
}

/// Of each form, with a burst that is larger than the rate, for costs of several, in a debt, and
/// whoever the limiter is.
#[tokio::test]
async fn nobody_is_told_to_wait_for_longer_than_the_period() {
    let server = Server::start();
    let redis = || RedisLimiter::new(&server.url()).deadline(Duration::from_secs(10));
    for rate in [
        "5/day",
        "2000/day",
        "7/min burst 7",
        "1/s burst 10",
        "90/min burst 200",
        "300/week calendar",
    ] {
        let period = rate.parse::<Rate>().unwrap().period().as_secs() as i64;
        let world = World::new();
        for (which, realm) in [
            ("memory", world.realm()),
            ("redis", world.realm().limiter(redis())),
            ("leases", world.realm().limiter(redis().leases(3))),
            ("own", world.realm().limiter(Slow)),
        ] {
            let auth = over(&realm)
                .throttle(
                    Throttle::per_principal(rate)
                        .cost(|call| cost(call.headers()))
                        .settled(),
                )
                .build()
                .unwrap();
            let key = world.key(Subject::user(which)).await;
            let handler = tower::service_fn(|request: Request<Full<Bytes>>| {
                let settlement = request.extensions().get::<Settlement>().unwrap();
                settlement.settle(cost(request.headers()) * 3);
                std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
                    Full::<Bytes>::default(),
                )))
            });
            let service = tower_layer::Layer::layer(&auth, handler);
            let mut refused = 0;
            for cost in [1, 3, 5, 5, 1, 9, 200, 2000, 1, 5000, 1] {
                world.advance(0.3);
                let mut request = bearer(&key);
                request.headers_mut().insert("x-cost", cost.into());
                let answer = tower::ServiceExt::oneshot(service.clone(), request).await;
                let answer = reply(answer.unwrap()).await;
                for (_, parameters) in items(&answer, "ratelimit") {
                    let told = parameters[1].1;
                    assert!(told <= period, "{rate} of {which}: t={told}");
                }
                if answer.status == 429 {
                    refused += 1;
                    let told = answer.headers["retry-after"].to_str().unwrap();
                    let told: i64 = told.parse().unwrap();
                    assert!(told <= period, "{rate} of {which}: {told} s");
                }
            }
            assert!(refused > 0, "{rate} of {which}");
        }
    }
}

fn cost(headers: &http::HeaderMap) -> u32 {
    headers["x-cost"].to_str().unwrap().parse().unwrap()
}

/// A limiter that lets every caller wait for a year.
#[derive(Debug)]
struct Slow;

impl Limiter for Slow {
    fn count(&self, charges: &[Charge], _: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
        let standing = |charge: &Charge| match charge.cost() {
            1 => Standing::passes(0, YEAR, Receipt::default()),
            _ => Standing::waits(YEAR, 0, YEAR),
        };
        Ok(charges.iter().map(standing).collect()).into()
    }

    fn take(&self, _: &Charge, _: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        Ok(Receipt::default()).into()
    }

    fn give_back(&self, _: &Charge, _: Receipt, _: &Arc<dyn Clock>) -> LimiterAnswer<()> {
        Ok(()).into()
    }
}

#[tokio::test]
async fn retry_after_is_at_least_a_second() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("1000/s burst 1"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    assert_eq!(statuses(&auth, &key, 2).await, [200, 429]);
    assert_eq!(
        send(&auth, bearer(&key)).await.headers["retry-after"],
        "1",
        "a millisecond, rounded up"
    );
}

#[tokio::test]
async fn the_fields_of_other_systems_are_written_by_choice() {
    let world = World::new();
    let key = world.key(Subject::user("7")).await;
    for (shown, standard, legacy) in [
        (QuotaFields::Standard, true, false),
        (QuotaFields::Legacy, false, true),
        (QuotaFields::Both, true, true),
        (QuotaFields::Hidden, false, false),
    ] {
        let auth = world
            .builder()
            .throttle(Throttle::per_principal("9/min"))
            .throttle(Throttle::per_key("5/min"))
            .quota_fields(shown)
            .build()
            .unwrap();
        let reply = send(&auth, bearer(&key)).await;
        assert_eq!(
            reply.headers.contains_key("ratelimit"),
            standard,
            "{shown:?}"
        );
        assert_eq!(
            reply.headers.contains_key("ratelimit-policy"),
            standard,
            "{shown:?}"
        );
        let told = ["limit", "remaining", "reset"]
            .map(|name| reply.headers.get(format!("x-ratelimit-{name}")));
        assert_eq!(
            told.map(|value| value.map(|value| value.to_str().unwrap())),
            if legacy {
                [Some("5"), Some("4"), Some("60")]
            } else {
                [None; 3]
            }
        );
        assert_eq!(admitted(&auth, &key, 9).await, 4);
        assert!(
            send(&auth, bearer(&key))
                .await
                .headers
                .contains_key("retry-after"),
            "{shown:?}"
        );
    }
}

#[tokio::test]
async fn a_grpc_caller_gets_resource_exhausted_and_the_fields() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("1/min"))
        .build()
        .unwrap();
    let key = format!("Bearer {}", world.key(Subject::user("7")).await);
    let call = || {
        request(
            "POST",
            &[
                ("content-type", "application/grpc"),
                ("authorization", &key),
            ],
        )
    };
    send(&auth, call()).await;
    let refused = send(&auth, call()).await;
    assert_eq!((refused.status.as_u16(), refused.body.len()), (200, 0));
    assert_eq!(refused.headers["grpc-status"], "8");
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(
        items(&refused, "ratelimit"),
        [item("principal", &[("r", 0), ("t", 60)])]
    );
}

#[tokio::test]
async fn refusals_of_throttles_have_the_layers_format_and_head_has_no_body() {
    let world = World::new();
    let auth = world
        .builder()
        .format(Drf)
        .throttle(Throttle::per_principal("1/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    send(&auth, bearer(&key)).await;
    let refused = send(&auth, bearer(&key)).await;
    assert_eq!(
        refused.json()["detail"],
        "Request was throttled. Expected available in 60 seconds."
    );
    assert!(!refused.headers.contains_key("www-authenticate"));
    let head = send(&auth, request("HEAD", &[("x-api-key", &key)])).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (429, 0));
    assert!(head.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn a_handlers_refusal_tells_the_standing_too() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("9/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let handler = tower::service_fn(|request: Request<Full<Bytes>>| async move {
        let caller = tower_auth::Principal::from_extensions(request.extensions()).unwrap();
        let mut response = http::Response::new(Full::<Bytes>::default());
        response
            .extensions_mut()
            .insert(caller.require(Scope::new("x")).unwrap_err());
        Ok::<_, std::convert::Infallible>(response)
    });
    let response =
        tower::ServiceExt::oneshot(tower_layer::Layer::layer(&auth, handler), bearer(&key))
            .await
            .unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers().contains_key("ratelimit")
        ),
        (403, true)
    );
}
