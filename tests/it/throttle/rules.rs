//! Who is counted, how, and what a route adds.

use super::*;
use http::Response;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tower::ServiceBuilder;
use tower::ServiceExt;
use tower_auth::clock::Clock;
use tower_auth::event::Action;
use tower_auth::throttle::{Addresses, Call, Settlement, Throttle};
use tower_auth::{ConfigProblem, Grant, Principal, Scope, Tokens};

#[tokio::test]
async fn a_caller_over_the_limit_is_refused_with_429_until_as_told() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("3/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    assert_eq!(statuses(&auth, &key, 4).await, [200, 200, 200, 429]);
    world.advance(20.5);
    let refused = send(&auth, bearer(&key)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (429, "throttled")
    );
    assert_eq!(
        refused.headers["retry-after"], "40",
        "39.5 seconds, rounded up"
    );
    world.advance(39.4);
    assert_eq!(
        statuses(&auth, &key, 1).await,
        [429],
        "never earlier than told"
    );
    world.advance(0.1);
    assert_eq!(statuses(&auth, &key, 4).await, [200, 200, 200, 429]);
}

#[tokio::test]
async fn a_layer_that_is_built_anew_over_the_same_realm_goes_on_counting() {
    let world = World::new();
    let realm = world.realm();
    let layer = |realm: &Realm| {
        let rule = Throttle::per_principal("3/min");
        over(realm).throttle(rule).build().unwrap()
    };
    let key = world.key(Subject::user("7")).await;
    assert_eq!(admitted(&layer(&realm), &key, 2).await, 2);
    assert_eq!(admitted(&layer(&realm), &key, 5).await, 1);
    let other = world.realm();
    assert_eq!(admitted(&layer(&other), &key, 5).await, 3, "another realm");
}

#[tokio::test]
async fn owners_are_counted_together_and_apart_from_one_another() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min"))
        .build()
        .unwrap();
    let (one, two) = (
        world.key(Subject::user("7")).await,
        world.key(Subject::user("7")).await,
    );
    let tenant = world.key(Subject::new("tenant", "7")).await;
    assert_eq!(
        admitted(&auth, &one, 1).await + admitted(&auth, &two, 5).await,
        2
    );
    assert_eq!(
        admitted(&auth, &tenant, 5).await,
        2,
        "a kind is part of a subject"
    );
    assert_eq!(
        admitted(&auth, &token_for("7"), 5).await,
        2,
        "another issuer's subject is another"
    );
}

#[tokio::test]
async fn a_token_that_we_issued_counts_with_the_keys_of_its_user() {
    let world = World::new();
    let realm = world.realm();
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer("https://api.example.com"));
    let auth = over(&realm)
        .accept(&tokens)
        .throttle(Throttle::per_principal("3/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let pair = tokens.issue(Grant::new(Subject::user("7"))).await.unwrap();
    assert_eq!(admitted(&auth, &key, 2).await, 2);
    assert_eq!(admitted(&auth, pair.access().expose(), 5).await, 1);
    assert_eq!(admitted(&auth, &key, 1).await, 0);
}

#[tokio::test]
async fn keys_users_tenants_and_functions_count_what_they_say() {
    let world = World::new();
    let of_tenant = async |owner: Subject| {
        let request = KeyRequest::new(owner, "test");
        let metadata = serde_json::json!({ "tenant": 5 });
        world.key_with(request.metadata(&metadata).unwrap()).await
    };
    let one = of_tenant(Subject::user("7")).await;
    let two = world.key(Subject::user("7")).await;
    let other = of_tenant(Subject::new("agent", "8")).await;
    let token = token_with(serde_json::json!({ "sub": "7", "tenant": "5" }));
    let by = |throttle| world.builder().throttle(throttle).build().unwrap();

    let auth = by(Throttle::per_key("2/min"));
    assert_eq!(
        (
            admitted(&auth, &one, 5).await,
            admitted(&auth, &two, 5).await
        ),
        (2, 2)
    );
    assert_eq!(admitted(&auth, &token, 5).await, 5, "a token is no key");

    let auth = by(Throttle::per_user("2/min"));
    assert_eq!(
        admitted(&auth, &one, 5).await + admitted(&auth, &token, 5).await,
        2,
        "whoever issued it"
    );
    assert_eq!(admitted(&auth, &other, 5).await, 5, "an agent is no user");

    let auth = by(Throttle::per_tenant("tenant", "3/min"));
    assert_eq!(
        admitted(&auth, &one, 2).await
            + admitted(&auth, &other, 5).await
            + admitted(&auth, &token, 5).await,
        3
    );
    assert_eq!(admitted(&auth, &two, 5).await, 5, "a key without a tenant");

    let auth = by(Throttle::per("2/min", |call| {
        let kind = call.principal()?.subject().kind();
        (kind != "agent").then(|| kind.as_bytes().into())
    }));
    assert_eq!(
        admitted(&auth, &one, 1).await + admitted(&auth, &token, 5).await,
        2
    );
    assert_eq!(
        admitted(&auth, &other, 5).await,
        5,
        "the function says nothing of it"
    );
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_share_a_limit() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_key("3/min"))
        .build()
        .unwrap();
    let (keys, owner) = (world.keys(), Subject::user("7"));
    let first = keys.issue(KeyRequest::new(owner.clone(), "test")).await;
    let first = first.unwrap();
    let overlap = Duration::from_secs(60);
    let second = keys
        .rotate(&owner, &first.record.id, overlap)
        .await
        .unwrap();
    let third = keys.rotate(&owner, &second.record.id, overlap).await;
    let third = third.unwrap();
    let mut passed = 0;
    for new in [first, second, third] {
        passed += admitted(&auth, new.key.expose(), 2).await;
    }
    assert_eq!(passed, 3);
}

#[tokio::test]
async fn quotas_come_from_the_record_by_choice() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min").record_quota())
        .build()
        .unwrap();
    let plain = world.key(Subject::user("1")).await;
    let request = KeyRequest::new(Subject::user("2"), "test");
    let more = world.key_with(request.rate("4/min")).await;
    assert_eq!(admitted(&auth, &plain, 9).await, 2);
    assert_eq!(admitted(&auth, &more, 9).await, 4);
}

/// Whoever has two keys of two rates may use each as often as it says, and no more.
#[tokio::test]
async fn a_rate_of_a_record_and_the_rules_own_forgive_each_other_nothing() {
    for (own, rule) in [
        ("50/day", "2/s"),
        ("5/day burst 5", "2/s"),
        ("50/day calendar", "9/hour calendar"),
        ("90/day", "70/hour"),
    ] {
        let world = World::new();
        let auth = world
            .builder()
            .throttle(Throttle::per_principal(rule).record_quota())
            .build()
            .unwrap();
        let owner = || KeyRequest::new(Subject::user("1"), "test");
        let plain = world.key_with(owner()).await;
        let planned = world.key_with(owner().rate(own)).await;
        let mut passed = 0;
        for _ in 0..1_200 {
            passed += admitted(&auth, &planned, 1).await;
            admitted(&auth, &plain, 1).await;
            world.advance(1.0);
        }
        let most: usize = own.split('/').next().unwrap().parse().unwrap();
        assert_eq!(passed, most, "{own} beside {rule}");
    }
}

/// Never more than N in any window, and N in each that comes: whatever costs 0 in between.
#[tokio::test]
async fn requests_of_cost_0_never_keep_paid_ones_alive() {
    for (rate, most) in [
        ("5/min", 5),
        ("90/min", 90),
        ("5/min burst 5", 5),
        ("5/min calendar", 5),
    ] {
        let world = World::new();
        let free = |call: &Call<'_>| u32::from(call.method() != http::Method::HEAD);
        let auth = world
            .builder()
            .throttle(Throttle::per_principal(rate).cost(free))
            .throttle(Throttle::per_key("100000/min"))
            .build()
            .unwrap();
        let key = world.key(Subject::user("7")).await;
        let poll = [("x-api-key", key.as_str())];
        for minute in 0..10 {
            assert_eq!(
                admitted(&auth, &key, most + 5).await,
                most,
                "{rate}, {minute}"
            );
            for _ in 0..600 {
                let polled = send(&auth, request("HEAD", &poll)).await;
                assert_eq!(polled.status, 200, "{rate}");
                world.advance(0.1);
            }
        }
        // Nothing is said to be used where nothing was paid for.
        let other = world.key(Subject::user("8")).await;
        let polled = send(&auth, request("HEAD", &[("x-api-key", &other)])).await;
        let told = polled.headers["ratelimit"].to_str().unwrap();
        assert!(
            told.starts_with(&format!("\"principal\";r={most};t=0,")),
            "{told}"
        );
    }
}

#[tokio::test]
async fn several_limits_are_all_or_nothing() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("4/hour"))
        .throttle(Throttle::per_principal("2/min").name("peak"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    assert_eq!(admitted(&auth, &key, 50).await, 2);
    world.advance(60.0);
    assert_eq!(
        admitted(&auth, &key, 50).await,
        2,
        "what the minute refused, the hour has not counted"
    );
    world.advance(60.0);
    let refused = send(&auth, bearer(&key)).await;
    assert_eq!(
        refused.headers["retry-after"], "3480",
        "the longest of the waits"
    );
}

#[tokio::test]
async fn quotas_come_from_whatever_a_function_knows_of_the_caller() {
    let world = World::new();
    let by_role =
        |caller: &tower_auth::Principal| caller.has_role("gold").then(|| "4/min".parse().unwrap());
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min").quota(by_role))
        .build()
        .unwrap();
    let plain = world.key(Subject::user("1")).await;
    let request = KeyRequest::new(Subject::user("2"), "test");
    let gold = world.key_with(request.role("gold")).await;
    assert_eq!(
        (
            admitted(&auth, &plain, 9).await,
            admitted(&auth, &gold, 9).await
        ),
        (2, 4)
    );
    let told = send(&auth, bearer(&gold)).await;
    assert_eq!(told.headers["ratelimit-policy"], r#""principal";q=4;w=60"#);
}

#[tokio::test]
async fn costs_are_charged_before_and_settled_after() {
    let world = World::new();
    let rule = || {
        Throttle::per_principal("10/min")
            .cost(|call| if call.uri().query().is_some() { 4 } else { 1 })
    };
    let auth = world.builder().throttle(rule().settled()).build().unwrap();
    let key = world.key(Subject::user("7")).await;
    let settle_at = Arc::new(AtomicUsize::new(0));
    let settled = Arc::clone(&settle_at);
    let handler = move |request: Request<Full<Bytes>>| {
        let cost = settled.load(Ordering::SeqCst) as u32;
        let settlement = request.extensions().get::<Settlement>().unwrap();
        settlement.settle(99);
        settlement.settle(cost);
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
            Full::<Bytes>::default(),
        )))
    };
    let service = ServiceBuilder::new()
        .layer(auth.clone())
        .service(tower::service_fn(handler));
    let call = async |cost: usize| {
        settle_at.store(cost, Ordering::SeqCst);
        let mut request = bearer(&key);
        *request.uri_mut() = "/?costly".parse().unwrap();
        reply(service.clone().oneshot(request).await.unwrap()).await
    };
    let left = |reply: &Reply| {
        reply
            .headers
            .get("ratelimit")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert!(
        left(&call(1).await).contains("r=6"),
        "10 less the 4 that it may cost"
    );
    assert!(left(&call(0).await).contains("r=5"), "3 of the 4 came back");
    assert!(left(&call(30).await).contains("r=5"), "all of the second");
    let refused = call(0).await;
    assert_eq!(
        (refused.status.as_u16(), left(&refused).contains("r=0")),
        (429, true),
        "30 were charged in the end"
    );
    world.advance(60.0);
    assert_eq!(call(0).await.status, 200);
}

#[tokio::test]
async fn a_cost_above_the_limit_never_passes_and_takes_nothing() {
    let world = World::new();
    let cost = |call: &Call<'_>| {
        if call.method() == http::Method::PUT {
            11
        } else {
            1
        }
    };
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("10/min").cost(cost))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let field = format!("Bearer {key}");
    for _ in 0..3 {
        let refused = send(&auth, request("PUT", &[("authorization", &field)])).await;
        assert_eq!(
            (
                refused.status.as_u16(),
                refused.headers["retry-after"].to_str().unwrap()
            ),
            (429, "60")
        );
    }
    assert_eq!(admitted(&auth, &key, 20).await, 10);
}

#[tokio::test]
async fn a_rule_that_observes_refuses_nothing_and_promises_nothing() {
    let world = World::new();
    let counted = Arc::new(Mutex::new(Vec::new()));
    let count = Arc::clone(&counted);
    let realm = world.realm().on_event(move |event| {
        if event.action() == Action::ThrottleWouldRefuse {
            let told = (event.id().unwrap().to_owned(), event.at());
            count.lock().unwrap().push(told);
        }
    });
    let auth = over(&realm)
        .throttle(Throttle::per_principal("1/min").observe().name("rehearsed"))
        .throttle(Throttle::per_principal("5/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let log = crate::watch::Log::default();
    let capture = log.capture();
    assert_eq!(admitted(&auth, &key, 9).await, 5);
    drop(capture);
    let text = String::from_utf8(log.take()).unwrap();
    assert_eq!(text.matches("throttle would refuse").count(), 8, "{text}");
    assert!(text.contains("rehearsed"));
    assert_eq!(
        *counted.lock().unwrap(),
        vec![("rehearsed".to_owned(), world.clock.now()); 8]
    );
    let refused = send(&auth, bearer(&key)).await;
    assert_eq!(
        refused.headers["ratelimit-policy"],
        r#""principal";q=5;w=60"#
    );
}

#[tokio::test]
async fn a_function_that_panics_is_500_and_the_next_request_is_served() {
    let world = World::new();
    let key = world.key(Subject::user("7")).await;
    fn panic_if_planted(call: &Call<'_>) {
        assert!(!call.headers().contains_key("x-planted"), "planted");
    }
    let by_key = Throttle::per("9/min", |call| {
        panic_if_planted(call);
        None
    });
    let by_cost = Throttle::per_key("9/min").cost(|call| {
        panic_if_planted(call);
        1
    });
    let by_quota = Throttle::per_key("9/min").quota(|caller| match caller.subject().id() {
        "7" => None,
        _ => panic!("planted"),
    });
    let stranger = world.key(Subject::user("8")).await;
    for (rule, caller) in [(by_key, &key), (by_cost, &key), (by_quota, &stranger)] {
        let auth = world.builder().throttle(rule).build().unwrap();
        let field = format!("Bearer {caller}");
        let fields = [("authorization", field.as_str()), ("x-planted", "1")];
        assert_eq!(send(&auth, get(&fields)).await.status, 500);
        assert_eq!(send(&auth, bearer(&key)).await.status, 200);
    }
}

#[tokio::test]
async fn routes_are_counted_on_their_own_whatever_their_path_is_spelled_like() {
    use axum::Router;
    use axum::routing::get as on_get;
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("9/min"))
        .build()
        .unwrap();
    let search = auth
        .throttle("search", [Throttle::per_principal("2/min")])
        .unwrap();
    let app = Router::new()
        .route("/search", on_get(async || "found"))
        .route("/find/{what}", on_get(async || "found"))
        .layer(search)
        .route("/other", on_get(async || "other"))
        .layer(auth);
    let key = world.key(Subject::user("7")).await;
    let call = async |path: &str| {
        let request = Request::get(path)
            .header("x-api-key", &key)
            .body(axum::body::Body::empty())
            .unwrap();
        reply(app.clone().oneshot(request).await.unwrap()).await
    };
    for (path, status) in [
        ("/search", 200),
        ("/find/%73earch", 200),
        ("/search?a", 429),
        ("/find/Search", 429),
        ("/other", 200),
        ("/other", 200),
    ] {
        assert_eq!(call(path).await.status, status, "{path}");
    }
    let told = call("/find/x").await;
    let lines: Vec<_> = told
        .headers
        .get_all("ratelimit-policy")
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    assert_eq!(
        lines,
        [r#""search:principal";q=2;w=60"#, r#""principal";q=9;w=60"#]
    );
}

#[tokio::test]
async fn a_route_outside_of_any_layer_is_500() {
    let world = World::new();
    let auth = world.builder().build().unwrap();
    let alone = auth
        .throttle("alone", [Throttle::per_principal("2/min")])
        .unwrap();
    let response = tower_layer::Layer::layer(&alone, Whoami)
        .oneshot(get(&[]))
        .await
        .unwrap();
    assert_eq!(response.status(), 500);
}

/// What a handler says of who calls.
async fn who(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = match Principal::from_extensions(request.extensions()) {
        Ok(caller) => caller.subject().to_string(),
        Err(refusal) => format!("{:?}", refusal.kind()),
    };
    Ok(Response::new(Full::from(text)))
}

#[tokio::test]
async fn a_throttle_of_public_routes_counts_whoever_calls_wherever_it_stands() {
    let world = World::new();
    let key = world.key(Subject::user("7")).await;
    let auth = world.builder().build().unwrap();
    let rules = [
        ("address", Throttle::per_address("2/min")),
        (
            "function",
            Throttle::per("2/min", |call| {
                let anybody = Some(b"anybody".into());
                // Whom a layer around it has verified is known to it.
                match call.principal() {
                    Some(caller) if caller.subject().id() != "7" => None,
                    _ => anybody,
                }
            }),
        ),
    ];
    type Stand = fn(&AuthLayer, AuthLayer) -> [AuthLayer; 2];
    let stands: [(&str, Stand, &str); 3] = [
        ("alone", |auth, gate| [gate, auth.errors()], "MissingLayer"),
        ("before", |auth, gate| [gate, auth.clone()], "7"),
        ("inside", |auth, gate| [auth.clone(), gate], "7"),
    ];
    for (by, rule) in &rules {
        for (place, stand, answer) in stands {
            let gate = auth.throttle_public(&format!("{by}-{place}"), [rule.clone()]);
            let [outer, inner] = stand(&auth, gate.unwrap());
            let service = ServiceBuilder::new()
                .layer(outer)
                .layer(inner)
                .service_fn(who);
            for status in [200, 200, 429] {
                let request = with_peer(bearer(&key), "192.0.2.1");
                let reply = reply(service.clone().oneshot(request).await.unwrap()).await;
                assert_eq!(reply.status, status, "{by} {place}");
                if status == 200 {
                    assert_eq!(reply.text(), answer, "{by} {place}");
                }
                let policy = reply.headers["ratelimit-policy"].to_str().unwrap();
                assert_eq!(policy, format!("\"{by}-{place}:{by}\";q=2;w=60"));
            }
        }
    }
}

#[tokio::test]
async fn a_rule_about_callers_means_nothing_on_public_routes_and_is_a_mistake() {
    let world = World::new();
    let auth = world.builder().build().unwrap();
    let rules = [
        ("principal", Throttle::per_principal("2/min")),
        ("key", Throttle::per_key("2/min")),
        ("user", Throttle::per_user("2/min")),
        ("tenant", Throttle::per_tenant("tenant", "2/min")),
        ("address", Throttle::per_address("2/min").record_quota()),
        ("function", Throttle::per("2/min", |_| None).quota(|_| None)),
        ("named", Throttle::per_key("2/min").name("named")),
    ];
    for (name, rule) in rules {
        let error = auth.throttle_public("public", [rule]).unwrap_err();
        assert_eq!(
            error.problems(),
            [ConfigProblem::PublicThrottle(name.to_owned())]
        );
    }
    let address = || Throttle::per_address("2/min");
    assert!(auth.throttle_public("public", [address()]).is_ok());
    assert!(auth.throttle_public("", [address()]).is_err());
    assert!(auth.throttle_public("public", []).is_err());
}

#[tokio::test]
async fn every_mistake_is_reported_by_build() {
    let world = World::new();
    let addresses = Addresses::new().trust("10.0.0.0/99");
    let error = over(&world.realm().addresses(addresses))
        .throttle(Throttle::per_principal("10/month"))
        .throttle(Throttle::per_key("5/s").name("a\"b"))
        .throttle(Throttle::per_key("5/s").name("same"))
        .throttle(Throttle::per_user("5/s").name("same"))
        .throttle(Throttle::per_user("5/s").most_keys(0))
        .throttle(Throttle::per_key("5/s").name("search:key"))
        .build()
        .unwrap_err();
    let problems = error.problems();
    assert_eq!(problems.len(), 6, "{error}");
    assert!(matches!(problems[0], ConfigProblem::Network(_)), "{error}");
    assert!(matches!(problems[1], ConfigProblem::Rate(_)) && error.to_string().contains("5/15min"));
    assert_eq!(problems[2], ConfigProblem::ThrottleName);
    assert_eq!(problems[3], ConfigProblem::DuplicateThrottle("same".into()));
    assert_eq!(problems[4], ConfigProblem::Zero("most_keys"));
    // Clients and limiters could take it for the rule `key` of the routes `search`.
    assert_eq!(problems[5], ConfigProblem::ThrottleName);
    let auth = world.builder().build().unwrap();
    for (scope, rate) in [("", "5/s"), ("a,b", "5/s"), ("a:b", "5/s"), ("a", "5")] {
        assert!(
            auth.throttle(scope, [Throttle::per_key(rate)]).is_err(),
            "{scope} {rate}"
        );
    }
    assert!(auth.throttle("none", []).is_err());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_counted_and_told() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    let service = ServiceBuilder::new()
        .layer(auth.clone())
        .layer(auth.require(Scope::new("x")))
        .service(Whoami);
    for (status, left) in [(403, "r=1"), (403, "r=0"), (429, "r=0")] {
        let reply = reply(service.clone().oneshot(bearer(&key)).await.unwrap()).await;
        assert_eq!(reply.status, status);
        assert!(reply.headers["ratelimit"].to_str().unwrap().contains(left));
    }
}

/// Clock jumps in both directions, counters and times at their ends.
#[tokio::test]
async fn a_clock_that_jumps_neither_forgives_nor_locks_out() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min"))
        .throttle(Throttle::per_principal("3/day calendar"))
        .build()
        .unwrap();
    let key = world.key(Subject::user("7")).await;
    assert_eq!(admitted(&auth, &key, 5).await, 2);
    for jump in [4_294_967_296, 0, u64::MAX / 1_000_000, 1_705_190_400] {
        world.clock.set(jump);
        assert_eq!(
            admitted(&auth, &key, 5).await,
            0,
            "no time has passed by stepping to {jump}"
        );
    }
    world.advance(60.0);
    assert!(admitted(&auth, &key, 5).await >= 1);
    world.advance(2.0 * 86_400.0);
    assert_eq!(admitted(&auth, &key, 5).await, 2);
}

#[tokio::test]
async fn credentials_that_are_refused_are_not_counted() {
    let world = World::new();
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("2/min"))
        .build()
        .unwrap();
    for _ in 0..5 {
        let refused = send(&auth, bearer("egret_garbage")).await;
        assert_eq!(refused.status, 401);
        assert!(!refused.headers.contains_key("ratelimit"));
    }
}
