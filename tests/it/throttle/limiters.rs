//! Limiters of an application's own, and what becomes of requests when one does not answer.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tower::{ServiceBuilder, ServiceExt};
use tower_auth::ConfigProblem;
use tower_auth::clock::Clock;
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::throttle::{
    AttemptLimits, Charge, Limiter, LimiterAnswer, LimiterError, MemoryLimiter, Receipt,
    Settlement, Standing, Throttle,
};

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    AtOnce,
    Later,
    Fails,
    FailsLater,
    Panics,
    PanicsLater,
    AboutOthers,
}

/// Counts in memory, in that manner, and keeps what it was asked.
#[derive(Clone, Debug)]
struct Scripted {
    memory: Arc<MemoryLimiter>,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<Mutex<Vec<Charge>>>,
    corrections: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(manner: Manner) -> Self {
        Self {
            memory: Arc::default(),
            manner: Arc::new(Mutex::new(manner)),
            asked: Arc::default(),
            corrections: Arc::default(),
        }
    }

    fn turns(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

impl Limiter for Scripted {
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        self.asked.lock().unwrap().extend_from_slice(charges);
        let manner = *self.manner.lock().unwrap();
        let fails = || Err(LimiterError::new("scripted"));
        match manner {
            Manner::AtOnce => self.memory.count(charges, clock),
            Manner::Later => {
                let LimiterAnswer::Ready(answer) = self.memory.count(charges, clock) else {
                    panic!("memory answers at once");
                };
                LimiterAnswer::Pending(Box::pin(async move {
                    tokio::task::yield_now().await;
                    answer
                }))
            }
            Manner::Fails => fails().into(),
            Manner::FailsLater => LimiterAnswer::Pending(Box::pin(std::future::ready(fails()))),
            Manner::Panics => panic!("scripted"),
            Manner::PanicsLater => LimiterAnswer::Pending(Box::pin(async { panic!("scripted") })),
            Manner::AboutOthers => Ok(Vec::new()).into(),
        }
    }

    fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        self.corrections.fetch_add(1, Ordering::SeqCst);
        self.memory.take(charge, clock)
    }

    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()> {
        self.corrections.fetch_add(1, Ordering::SeqCst);
        self.memory.give_back(charge, receipt, clock)
    }

    fn node_count(&self) -> u32 {
        4
    }

    fn problems(&self) -> Vec<ConfigProblem> {
        match *self.manner.lock().unwrap() {
            Manner::AboutOthers => vec![ConfigProblem::Zero("scripted")],
            _ => Vec::new(),
        }
    }
}

fn node(world: &World, limiter: &Scripted, rules: &[Throttle]) -> AuthLayer {
    let builder = over(&world.realm().limiter(limiter.clone()));
    rules
        .iter()
        .fold(builder, |builder, rule| builder.throttle(rule.clone()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_limiter_of_ones_own_decides_at_once_or_later() {
    for manner in [Manner::AtOnce, Manner::Later] {
        let (world, limiter) = (World::new(), Scripted::new(manner));
        let rules = [
            Throttle::per_principal("9/day"),
            Throttle::per_key("3/min").observe(),
            Throttle::per_principal("5/hour").name("hourly"),
        ];
        let nodes = [
            node(&world, &limiter, &rules),
            node(&world, &limiter, &rules),
        ];
        let key = world.key(Subject::user("7")).await;
        let told = send(&nodes[0], bearer(&key)).await;
        assert_eq!(
            told.headers["ratelimit"],
            r#""principal";r=8;t=86400, "hourly";r=4;t=3600"#
        );
        assert_eq!(
            admitted(&nodes[1], &key, 9).await,
            4,
            "{manner:?}: together"
        );
        let refused = send(&nodes[0], bearer(&key)).await;
        assert_eq!(refused.headers["retry-after"], "3600");
        world.advance(3600.0);
        assert_eq!(
            admitted(&nodes[0], &key, 9).await,
            4,
            "refusals took nothing of the day's nine"
        );
        let asked = limiter.asked.lock().unwrap();
        let first: Vec<(String, u32, bool)> = asked[..3]
            .iter()
            .map(|charge| (charge.rule().to_string(), charge.cost(), charge.refuses()))
            .collect();
        assert_eq!(
            first,
            [
                (String::from("principal"), 1, true),
                (String::from("key"), 1, false),
                (String::from("hourly"), 1, true)
            ]
        );
        assert_eq!(asked[0].caller(), asked[2].caller(), "one caller");
        assert_ne!(asked[0].caller(), asked[1].caller());
    }
}

#[tokio::test]
async fn the_limiter_of_a_realm_is_asked_for_the_rules_of_its_layers_and_of_their_routes() {
    let (world, limiter) = (World::new(), Scripted::new(Manner::AtOnce));
    let realm = world.realm().limiter(limiter.clone());
    let key = world.key(Subject::user("7")).await;
    let mut statuses = Vec::new();
    // Two layers over one realm, as when an application builds its layer anew.
    for _ in 0..2 {
        let auth = over(&realm)
            .throttle(Throttle::per_principal("9/day"))
            .build()
            .unwrap();
        let route = auth
            .throttle("search", [Throttle::per_key("3/min")])
            .unwrap();
        let service = ServiceBuilder::new()
            .layer(auth)
            .layer(route)
            .service(Whoami);
        for _ in 0..2 {
            let answer = service.clone().oneshot(bearer(&key)).await.unwrap();
            statuses.push(answer.status().as_u16());
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    let asked = limiter.asked.lock().unwrap();
    let rules: Vec<String> = asked
        .iter()
        .map(|charge| charge.rule().to_string())
        .collect();
    assert_eq!(rules, ["principal", "search:key"].repeat(4));
}

/// Guessing stops at this node, however many others there are and whether they can be asked or not.
#[tokio::test]
async fn attempts_are_counted_in_this_process_whatever_the_limiter_does() {
    for manner in [Manner::AtOnce, Manner::Fails, Manner::Panics] {
        let limiter = Scripted::new(manner);
        // Only what has to be asked about is an attempt.
        let asked_always = Intercepted::new(Memory::new(), |call| match call {
            "peek_key" => Intercept::Fail,
            _ => Intercept::Pass,
        });
        let realm = Realm::new(asked_always)
            .limiter(limiter.clone())
            .attempts(AttemptLimits::new().per_address("4/15min"));
        let auth = over(&realm)
            .throttle(Throttle::per_principal("9/day"))
            .build()
            .unwrap();
        let elsewhere = World::new();
        let mut statuses = Vec::new();
        for _ in 0..6 {
            let unknown = elsewhere.key(Subject::user("7")).await;
            let refused = send(&auth, with_peer(bearer(&unknown), "192.0.2.1")).await;
            statuses.push(refused.status.as_u16());
        }
        assert_eq!(statuses, [401, 401, 401, 401, 429, 429], "{manner:?}");
        assert!(limiter.asked.lock().unwrap().is_empty(), "{manner:?}");
    }
}

/// Whoever the limiter is and however it fails, the rules say what becomes of the request.
#[tokio::test]
async fn what_does_not_answer_is_an_outage_in_which_each_rule_does_what_it_says() {
    for manner in [
        Manner::Fails,
        Manner::FailsLater,
        Manner::Panics,
        Manner::PanicsLater,
        Manner::AboutOthers,
    ] {
        let (world, limiter) = (World::new(), Scripted::new(Manner::AtOnce));
        let rule = || Throttle::per_principal("40/day");
        let share = node(&world, &limiter, &[rule()]);
        let refuse = node(&world, &limiter, &[rule().refuse_in_outage()]);
        let observe = node(&world, &limiter, &[rule().refuse_in_outage().observe()]);
        let admit = node(&world, &limiter, &[rule().dangerous().admit_in_outage()]);
        let mixed = [
            rule().dangerous().admit_in_outage(),
            Throttle::per_key("8/hour"),
        ];
        let mixed = node(&world, &limiter, &mixed);
        let key = world.key(Subject::user("7")).await;
        limiter.turns(manner);
        assert_eq!(
            admitted(&share, &key, 50).await,
            10,
            "{manner:?}: a quarter"
        );
        assert_eq!(admitted(&admit, &key, 50).await, 50, "{manner:?}");
        assert_eq!(admitted(&observe, &key, 50).await, 50, "{manner:?}");
        assert_eq!(admitted(&mixed, &key, 50).await, 2, "{manner:?}");
        let refused = send(&refuse, bearer(&key)).await;
        assert_eq!(
            (
                refused.status.as_u16(),
                refused.headers.contains_key("retry-after")
            ),
            (503, true),
            "{manner:?}"
        );
        limiter.turns(Manner::AtOnce);
        assert_eq!(
            admitted(&refuse, &key, 50).await,
            40,
            "{manner:?}: it is back"
        );
    }
}

#[tokio::test]
async fn costs_are_corrected_by_the_limiter_that_counted_them() {
    let (world, limiter) = (World::new(), Scripted::new(Manner::Later));
    let rule = Throttle::per_principal("10/hour").cost(|_| 4).settled();
    let auth = node(&world, &limiter, &[rule]);
    let key = world.key(Subject::user("7")).await;
    let costs = Arc::new(Mutex::new(vec![1, 10]));
    let handler = tower::service_fn(move |request: Request<Full<Bytes>>| {
        let cost = costs.lock().unwrap().pop().unwrap();
        request
            .extensions()
            .get::<Settlement>()
            .unwrap()
            .settle(cost);
        std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
            Full::<Bytes>::default(),
        )))
    });
    let service = tower_layer::Layer::layer(&auth, handler);
    let status = async || {
        let answer = service.clone().oneshot(bearer(&key)).await;
        answer.unwrap().status().as_u16()
    };
    assert_eq!(status().await, 200);
    while limiter.corrections.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status().await, 429, "it cost 10 in the end");
    world.advance(3600.0);
    assert_eq!(status().await, 200);
    while limiter.corrections.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let left = send(&auth, bearer(&key)).await;
    assert_eq!(left.headers["ratelimit"], r#""principal";r=5;t=3600"#);
}

#[test]
fn its_mistakes_are_reported_by_build() {
    let limiter = Scripted::new(Manner::AboutOthers);
    let realm = World::new().realm().limiter(limiter);
    let error = over(&realm).build().unwrap_err();
    assert_eq!(error.problems(), [ConfigProblem::Zero("scripted")]);
}
