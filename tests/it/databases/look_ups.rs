//! The guard of keys protects the database, and keeps no good key out.

use super::support::*;
use crate::minimal::Minimal;
use crate::support::*;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::store::{Memory, Store, Stores, TokenStore};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::throttle::Peer;
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer, KeyRequest, Realm, Subject};
use tower_layer::Layer;

/// What an address may be wrong in a quarter of an hour, and what may be under way at once.
const LIMIT: u64 = 200;
const UNDER_WAY: u64 = 64;

/// A store that has to be asked, and how often it was.
struct Backend {
    name: &'static str,
    stores: Stores,
    /// The same, where keys are found and nothing is written: no note of a use among its
    /// statements.
    found: Stores,
    asked: Box<dyn Fn() -> u64>,
}

/// Counts the look-ups of a store whose memory cannot tell, which end as `end` says.
fn counted<S>(
    name: &'static str,
    store: S,
    stores: fn(Intercepted<S>) -> Stores,
    end: Intercept,
) -> Backend
where
    Intercepted<S>: tower_auth::store::KeyStore + Clone,
{
    let times = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&times);
    let hook = move |call: &'static str| match call {
        "find_key" => {
            counter.fetch_add(1, Ordering::SeqCst);
            end
        }
        "peek_key" => Intercept::Fail,
        _ => Intercept::Pass,
    };
    let store = Intercepted::new(store, hook);
    Backend {
        name,
        stores: stores(store.clone()),
        found: Stores::new().keys(store),
        asked: Box::new(move || times.load(Ordering::SeqCst)),
    }
}

/// A database whose memory of what was found is worth nothing, so that it is asked each time.
async fn of_databases(dir: &Dir, cache_life: Duration) -> [Backend; 2] {
    // What was heard is believed for longer than the test takes.
    let options = options()
        .lag(Duration::from_secs(3_600))
        .cache_life(cache_life);
    let postgres = node(&schema().await, options.clone()).await;
    postgres.migrate().await.unwrap();
    let sqlite = sqlite_with(dir, options).await;
    until("heard", async || {
        let (one, other) = (Store::from(postgres.clone()), Store::from(sqlite.clone()));
        one.find_family("f").await.unwrap();
        other.find_family("f").await.unwrap();
        postgres.lag().is_some() && sqlite.lag().is_some()
    })
    .await;
    let counted = (postgres.clone(), sqlite.clone());
    [
        Backend {
            name: "PostgreSQL",
            stores: Stores::from(Store::from(postgres.clone())),
            found: Stores::new().keys(postgres),
            asked: Box::new(move || counted.0.statements()),
        },
        Backend {
            name: "SQLite",
            stores: Stores::from(Store::from(sqlite.clone())),
            found: Stores::new().keys(sqlite),
            asked: Box::new(move || counted.1.statements()),
        },
    ]
}

/// A store with no step for changes of several roles.
fn by_role(store: Intercepted<Arc<Minimal>>) -> Stores {
    Stores::new()
        .managed_keys(store.clone())
        .managed_users(store.clone())
        .private_tokens(store)
}

async fn backends(dir: &Dir) -> Vec<Backend> {
    let mut all = vec![
        counted("memory", Memory::new(), Stores::from, Intercept::Pass),
        counted(
            "minimal",
            Arc::new(Minimal::default()),
            by_role,
            Intercept::Pass,
        ),
    ];
    all.extend(of_databases(dir, Duration::ZERO).await);
    all
}

/// A layer over one of them, and a clock that is moved by hand.
struct World {
    name: &'static str,
    clock: ManualClock,
    keys: KeyIssuer,
    auth: AuthLayer,
    asked: Box<dyn Fn() -> u64>,
}

impl World {
    fn over(backend: Backend) -> Self {
        let clock = ManualClock::new(1_705_190_400);
        let realm = |stores| {
            Realm::new(stores)
                .clock(clock.clone())
                .store_deadline(Duration::from_secs(60))
        };
        let keys = realm(backend.stores).api_keys(ApiKeys::prefix("egret"));
        let verified = realm(backend.found).api_keys(ApiKeys::prefix("egret"));
        let auth = AuthLayer::builder().accept(&verified).build().unwrap();
        Self {
            name: backend.name,
            clock,
            keys,
            auth,
            asked: backend.asked,
        }
    }

    async fn made(&self, owner: &str) -> (String, String) {
        let request = KeyRequest::new(Subject::user(owner), "test");
        let new = self.keys.issue(request).await.unwrap();
        (new.key.expose().clone(), new.record.id.to_string())
    }

    async fn key(&self) -> String {
        self.made("7").await.0
    }

    async fn status(&self, key: &str, peer: &str) -> u16 {
        send(&self.auth, from(key, peer)).await.status.as_u16()
    }
}

fn from(key: &str, peer: &str) -> Request<Full<Bytes>> {
    let mut request = bearer(key);
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    request
}

/// Well-formed keys that nobody has.
async fn unknown(count: usize) -> Vec<String> {
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(key_of(&elsewhere, "7").await);
    }
    keys
}

/// All at once, and their statuses in the order in which they were sent.
async fn at_once(auth: &AuthLayer, requests: Vec<Request<Full<Bytes>>>) -> Vec<u16> {
    let tasks: Vec<_> = requests
        .into_iter()
        .map(|request| {
            let service = auth.layer(Whoami);
            tokio::spawn(async move { service.oneshot(request).await.unwrap().status().as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses
}

/// Behind one NAT, in one /64, and behind a proxy that the server does not know: to the server it
/// is one address.
const NEIGHBOURS: [(&str, &str); 2] = [
    ("192.0.2.1", "192.0.2.1"),
    ("2001:db8::bad", "2001:db8::900d"),
];

#[tokio::test]
async fn wrong_keys_of_a_neighbour_keep_no_good_key_out_and_cost_a_bounded_number_of_look_ups() {
    let dir = Dir::new();
    for (bad, good) in NEIGHBOURS {
        for backend in backends(&dir).await {
            let world = World::over(backend);
            let mut keys = Vec::new();
            for _ in 0..20 {
                keys.push(world.key().await);
            }
            for key in &keys {
                assert_eq!(world.status(key, good).await, 200, "{}", world.name);
            }
            let mut requests: Vec<_> = unknown(3_000)
                .await
                .iter()
                .map(|key| from(key, bad))
                .collect();
            for (n, key) in keys.iter().enumerate() {
                requests.insert(n * 150, from(key, good));
            }
            let before = (world.asked)();
            let statuses = at_once(&world.auth, requests).await;
            let asked = (world.asked)() - before;
            let passed = statuses.iter().filter(|status| **status == 200).count();
            assert_eq!(passed, keys.len(), "good keys, {}", world.name);
            assert!(
                asked <= LIMIT + UNDER_WAY + keys.len() as u64,
                "{asked} look-ups of {}",
                world.name
            );
            // A quarter of an hour long, whatever else comes from there.
            for key in &keys {
                world.clock.advance(Duration::from_secs(45));
                assert_eq!(world.status(key, good).await, 200, "later, {}", world.name);
            }
        }
    }
}

#[tokio::test]
async fn as_many_good_keys_as_there_are_begin_at_once_behind_one_address() {
    let dir = Dir::new();
    for backend in backends(&dir).await {
        let world = World::over(backend);
        let mut requests = Vec::new();
        for _ in 0..1_000 {
            requests.push(from(&world.key().await, "192.0.2.1"));
        }
        let statuses = at_once(&world.auth, requests).await;
        let refused = statuses.iter().filter(|status| **status != 200).count();
        assert_eq!(refused, 0, "{}", world.name);
    }
}

#[tokio::test]
async fn one_removed_key_that_is_presented_every_second_keeps_no_neighbour_out() {
    let dir = Dir::new();
    for backend in backends(&dir).await {
        let world = World::over(backend);
        let (removed, id) = world.made("7").await;
        world.keys.revoke(&Subject::user("7"), &id).await.unwrap();
        let before = (world.asked)();
        for _ in 0..1_800 {
            world.clock.advance(Duration::from_secs(1));
            assert_eq!(
                world.status(&removed, "192.0.2.1").await,
                401,
                "{}",
                world.name
            );
        }
        let asked = (world.asked)() - before;
        assert!((1..=60).contains(&asked), "{asked}, {}", world.name);
        // Not even those that this process has never seen.
        for _ in 0..50 {
            let neighbour = world.key().await;
            assert_eq!(
                world.status(&neighbour, "192.0.2.1").await,
                200,
                "{}",
                world.name
            );
        }
    }
}

#[tokio::test]
async fn who_hangs_up_is_charged_for_what_was_asked() {
    let world = World::over(counted(
        "memory",
        Memory::new(),
        Stores::from,
        Intercept::Hang,
    ));
    for _ in 0..20 {
        let mut under_way = Vec::new();
        for key in unknown(150).await {
            let service = world.auth.layer(Whoami);
            let mut task = tokio_test::task::spawn(service.oneshot(from(&key, "192.0.2.1")));
            if task.poll().is_pending() {
                under_way.push(task);
            }
        }
        drop(under_way);
    }
    let asked = (world.asked)();
    assert!((LIMIT..=LIMIT + UNDER_WAY).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_key_that_was_imported_is_good_though_it_was_just_refused() {
    let backend = counted("memory", Memory::new(), Stores::from, Intercept::Pass);
    let clock = ManualClock::new(1_705_190_400);
    let realm = Realm::new(backend.stores).clock(clock.clone());
    let keys = realm.api_keys(ApiKeys::prefix("egret"));
    let auth = AuthLayer::builder().accept(&keys).build().unwrap();
    let key = unknown(1).await.remove(0);
    for _ in 0..9 {
        let refused = send(&auth, from(&key, "192.0.2.1")).await;
        assert_eq!(refused.status, 401);
        clock.advance(Duration::from_secs(20));
    }
    let secret = tower_auth::Secret::new(key.clone());
    let request = KeyRequest::new(Subject::user("7"), "test");
    keys.import(&secret, request).await.unwrap();
    assert_eq!(send(&auth, from(&key, "192.0.2.1")).await.status, 200);
}

/// A key that nobody has, one that is revoked and one that has expired.
async fn dead(world: &World) -> [(&'static str, String); 3] {
    let (revoked, id) = world.made("7").await;
    assert_eq!(world.status(&revoked, "192.0.2.9").await, 200);
    world.keys.revoke(&Subject::user("7"), &id).await.unwrap();
    let end = tower_auth::clock::Clock::now(&world.clock) + Duration::from_secs(60);
    let request = KeyRequest::new(Subject::user("7"), "test").expires(end);
    let new = world.keys.issue(request).await.unwrap();
    let expired = new.key.expose().clone();
    assert_eq!(world.status(&expired, "192.0.2.9").await, 200);
    world.clock.advance(Duration::from_secs(60));
    [
        ("unknown", unknown(1).await.remove(0)),
        ("revoked", revoked),
        ("expired", expired),
    ]
}

#[tokio::test]
async fn unknown_revoked_and_expired_keys_cost_the_same_look_ups_and_are_refused_alike() {
    let dir = Dir::new();
    let mut all = backends(&dir).await;
    // With a memory of what was found, too.
    all.extend(of_databases(&dir, Duration::from_secs(60)).await);
    for backend in all {
        let world = World::over(backend);
        let mut costs = Vec::new();
        for (kind, key) in dead(&world).await {
            let before = (world.asked)();
            let mut seen = Vec::new();
            for _ in 0..30 {
                let reply = send(&world.auth, from(&key, "192.0.2.1")).await;
                seen.push((reply, (world.asked)() - before));
                second(&world.clock).await;
            }
            assert!(seen.iter().all(|(reply, _)| reply.status == 401), "{kind}");
            costs.push(seen);
        }
        let looked_up = costs.iter().map(|seen| {
            let times: Vec<u64> = seen.iter().map(|(_, times)| *times).collect();
            times
        });
        let looked_up: Vec<_> = looked_up.collect();
        assert_eq!(looked_up[0], looked_up[1], "revoked, {}", world.name);
        assert_eq!(looked_up[0], looked_up[2], "expired, {}", world.name);
        assert!(
            costs[0] == costs[1] && costs[0] == costs[2],
            "{}",
            world.name
        );
        assert!(looked_up[0][29] > 1, "not asked again, {}", world.name);
    }
}

#[tokio::test]
async fn unknown_revoked_and_expired_keys_are_answered_alike_over_the_limit() {
    let dir = Dir::new();
    let mut all = backends(&dir).await;
    all.extend(of_databases(&dir, Duration::from_secs(60)).await);
    for backend in all {
        let world = World::over(backend);
        let dead = dead(&world).await;
        // Two that memory has just heard of, and two that it has not.
        for (_, key) in &dead {
            assert_eq!(world.status(key, "192.0.2.1").await, 401, "{}", world.name);
        }
        for key in unknown(200).await {
            world.status(&key, "192.0.2.1").await;
        }
        let before = (world.asked)();
        let mut replies = Vec::new();
        for (_, key) in &dead {
            replies.push(send(&world.auth, from(key, "192.0.2.1")).await);
        }
        assert_eq!(replies[0].status, 429, "{}", world.name);
        assert_eq!(
            replies[0], replies[1],
            "unknown and revoked, {}",
            world.name
        );
        assert_eq!(
            replies[0], replies[2],
            "unknown and expired, {}",
            world.name
        );
        assert_eq!((world.asked)(), before, "{}", world.name);
    }
}

/// A second on the clock of the realm and on that of stores.
async fn second(clock: &ManualClock) {
    clock.advance(Duration::from_secs(1));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
}
