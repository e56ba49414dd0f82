//! Costs that are known afterwards: each part is given back under the receipt that it was entered
//! under.

use super::server::Server;
use super::*;
use std::sync::{Arc, Mutex};
use tower::{ServiceBuilder, ServiceExt};
use tower_auth::throttle::{RedisLimiter, Settlement, Throttle};

const FORMS: [&str; 4] = [
    "100/hour",
    "50/hour",
    "100/hour burst 100",
    "100/day calendar",
];

/// A layer whose requests cost what a field says, and the settlements of those that passed.
struct Settled {
    auth: AuthLayer,
    key: String,
    settlements: Arc<Mutex<Vec<Settlement>>>,
}

impl Settled {
    async fn new(realm: &Realm, rate: &str) -> Self {
        let cost = |call: &tower_auth::throttle::Call<'_>| {
            call.headers()["x-cost"].to_str().unwrap().parse().unwrap()
        };
        let auth = over(realm)
            .throttle(Throttle::per_principal(rate).cost(cost).settled())
            .build()
            .unwrap();
        let request = KeyRequest::new(Subject::user(rate), "test");
        let new = keys_of(realm).issue(request).await.unwrap();
        Self {
            auth,
            key: new.key.expose().clone(),
            settlements: Arc::default(),
        }
    }

    /// Sends a request of that cost and tells how many are left after it.
    async fn left_after(&self, cost: u32) -> u32 {
        let settlements = Arc::clone(&self.settlements);
        let handler = tower::service_fn(move |request: Request<Full<Bytes>>| {
            let settlement = request.extensions().get::<Settlement>().unwrap();
            settlements.lock().unwrap().push(settlement.clone());
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
                Full::<Bytes>::default(),
            )))
        });
        let service = ServiceBuilder::new()
            .layer(self.auth.clone())
            .service(handler);
        let mut request = bearer(&self.key);
        request.headers_mut().insert("x-cost", cost.into());
        let answer = reply(service.oneshot(request).await.unwrap()).await;
        let told = answer.headers["ratelimit"].to_str().unwrap();
        let left = told.split("r=").nth(1).unwrap().split(';').next().unwrap();
        left.parse().unwrap()
    }

    /// The settlement of a new request of that cost.
    async fn enter(&self, cost: u32) -> Settlement {
        self.left_after(cost).await;
        self.settlements.lock().unwrap().pop().unwrap()
    }

    /// What is entered in the background is there at last.
    async fn comes_to(&self, left: u32, what: &str) {
        let mut seen = 0;
        for _ in 0..10_000 {
            seen = self.left_after(0).await;
            if seen == left {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{what}: {seen} are left, not {left}");
    }
}

/// `settle(40)` and then `settle(1)` leaves 1; as does any other way there.
#[tokio::test]
async fn what_is_settled_last_is_what_a_request_has_cost() {
    let server = Server::start();
    let redis = RedisLimiter::new(&server.url()).deadline(Duration::from_secs(10));
    for rate in FORMS {
        let most: u32 = rate.split('/').next().unwrap().parse().unwrap();
        let world = World::new();
        for (which, realm) in [
            ("memory", world.realm()),
            ("redis", world.realm().limiter(redis.clone())),
        ] {
            for (entered, settled) in [
                (1, vec![40, 1]),
                (1, vec![40, 20, 1]),
                (0, vec![40, 0]),
                (4, vec![2, 3, 1]),
                (4, vec![0, 30, 2, 30, 1]),
                (1, vec![most + 40, 1]),
                (1, vec![1, 1]),
                (9, vec![]),
            ] {
                let what = format!("{rate} of {which}, {entered} and then {settled:?}");
                let caller = Settled::new(&realm, rate).await;
                let before = caller.left_after(0).await;
                let settlement = caller.enter(entered).await;
                for cost in &settled {
                    settlement.settle(*cost);
                    caller.comes_to(before.saturating_sub(*cost), &what).await;
                }
                // All of it, so that the next begins anew.
                settlement.settle(0);
                caller.comes_to(most, &what).await;
            }
        }
    }
}

/// What one request gives back is its own, in whatever order requests are settled.
#[tokio::test]
async fn requests_that_are_settled_between_one_another_give_back_their_own() {
    for rate in FORMS {
        let world = World::new();
        let caller = Settled::new(&world.realm(), rate).await;
        let most = caller.left_after(0).await;
        let first = caller.enter(10).await;
        world.advance(30.0);
        let second = caller.enter(10).await;
        first.settle(20);
        second.settle(25);
        world.advance(30.0);
        first.settle(1);
        second.settle(2);
        let left = caller.left_after(0).await;
        assert!(left >= most - 3, "{rate}: {left} of {most}");
        first.settle(0);
        second.settle(0);
        let left = caller.left_after(0).await;
        // Of a bucket, what has flowed in since the request came is no longer there to be given
        // back.
        let flowed = if rate.contains("burst") {
            60 / 36 + 1
        } else {
            0
        };
        assert!(left >= most - flowed, "{rate}: {left} of {most}");
    }
}

#[tokio::test]
async fn what_a_handler_settles_is_settled_with_all_the_rules_around_it() {
    let world = World::new();
    let key = world.key(Subject::user("7")).await;
    let a_day = || Throttle::per_principal("1000/day").settled();
    let a_minute = || Throttle::per_principal("100/min").settled();
    let layer = world.builder().throttle(a_day()).build().unwrap();
    let rows = [
        ("a route", layer.throttle("search", [a_minute()]).unwrap()),
        (
            "a layer of another realm",
            world.builder().throttle(a_minute()).build().unwrap(),
        ),
    ];
    for (name, gate) in rows {
        let handler = tower::service_fn(|request: Request<Full<Bytes>>| {
            let settlement = request.extensions().get::<Settlement>().unwrap();
            settlement.settle(40);
            settlement.settle(5);
            std::future::ready(Ok::<_, std::convert::Infallible>(http::Response::new(
                Full::<Bytes>::default(),
            )))
        });
        let service = ServiceBuilder::new()
            .layer(layer.clone())
            .layer(gate)
            .service(handler);
        let left = async || {
            let answer = reply(service.clone().oneshot(bearer(&key)).await.unwrap()).await;
            let lines = answer.headers.get_all("ratelimit").iter();
            let left = lines.map(|line| {
                let told = line.to_str().unwrap().split("r=").nth(1).unwrap();
                told.split(';').next().unwrap().parse::<u32>().unwrap()
            });
            left.collect::<Vec<u32>>()
        };
        let [inner, outer] = left().await[..] else {
            panic!("{name}: a line of each");
        };
        assert_eq!(left().await, [inner - 5, outer - 5], "{name}");
    }
}
