//! What a sign-in tells by the time it takes, and what it takes from others.
//!
//! ```text
//! cargo bench --bench sign_in
//! ```
//!
//! | row | question | bound |
//! |---|---|---|
//! | unknown user / wrong password | does the time tell that there is a user? | 0.95 to 1.05 |
//! | a refusal that returns early | would this bench have seen it? | outside |
//! | unknown key / revoked, expired key | does the time tell that it was good once? | 0.8 to 1.25 |
//! | key under 64 sign-ins | how long does a key wait while passwords are hashed? | 10 ms |
//!
//! The first three are ratios of medians, 200 tries each, interleaved; of keys, instructions would
//! be the finer measure. The last is the 99th percentile of requests with a key.
//!
//! It exits with 1 where a bound is missed. Nanoseconds compare within one run only.

#![expect(clippy::unwrap_used, reason = "a bench that cannot unwrap has failed")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tower::{Service, ServiceExt, service_fn};
use tower_auth::endpoint::{Endpoints, SignIn};
use tower_auth::store::{ManagedKeyStore, Memory};
use tower_auth::{
    ApiKeys, AuthLayer, KeyIssuer, KeyRequest, NewUser, PasswordPolicy, Realm, Secret, Subject,
    Tokens,
};
use tower_layer::Layer;

const TRIES: usize = 200;
const PASSWORD: &str = "correct-horse-battery";

struct World {
    auth: AuthLayer,
    endpoints: Endpoints,
    /// Good, unknown, revoked, expired.
    keys: [String; 4],
}

async fn world() -> World {
    let store = Memory::new();
    let realm = Realm::new(store.clone());
    let users = realm.users(PasswordPolicy::new());
    let anna = NewUser::new("anna@example.com", Secret::new(PASSWORD.into()));
    users.register(anna).await.unwrap();

    let keys = realm.api_keys(ApiKeys::prefix("bench"));
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("bench"));
    let owner = Subject::user("7");
    let issue = async |keys: &KeyIssuer| {
        let request = KeyRequest::new(owner.clone(), "bench");
        keys.issue(request).await.unwrap()
    };
    let (good, unknown) = (issue(&keys).await, issue(&elsewhere).await);
    let (revoked, expired) = (issue(&keys).await, issue(&keys).await);
    keys.revoke(&owner, &revoked.record.id).await.unwrap();
    // Nobody is issued a key that has expired.
    let past = expired.record.clone().expires(expired.record.created);
    let replaced = store.replace_key(&expired.record, past, None);
    replaced.await.unwrap();

    let tokens =
        Tokens::hs256("u4Zq7Kw2xRm90123456789abcdefghij").issuer("https://api.example.com");
    let tokens = realm.tokens(tokens);
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(&keys)
        .build()
        .unwrap();
    let endpoints = auth
        .endpoints()
        .mount("/token/", SignIn::of(&tokens))
        .build()
        .unwrap();
    World {
        auth,
        endpoints,
        keys: [good, unknown, revoked, expired].map(|new| new.key.expose().clone()),
    }
}

async fn sign_in(endpoints: &Endpoints, name: &str, password: &str) -> u16 {
    let body = serde_json::json!({ "email": name, "password": password }).to_string();
    let request = Request::post("/token/").header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    endpoints
        .clone()
        .oneshot(request)
        .await
        .unwrap()
        .status()
        .as_u16()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// The ratio of the medians of two ways, tried in turn.
async fn ratio(mut a: impl AsyncFnMut(), mut b: impl AsyncFnMut(), tries: usize) -> f64 {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..tries {
        let start = Instant::now();
        a().await;
        first.push(start.elapsed());
        let start = Instant::now();
        b().await;
        second.push(start.elapsed());
    }
    median(first) / median(second)
}

async fn key_request(auth: &AuthLayer, key: &str) -> u16 {
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let request = Request::get("/")
        .header("x-api-key", key)
        .body(Full::default())
        .unwrap();
    let mut service = auth.layer(inner);
    service.call(request).await.unwrap().status().as_u16()
}

/// The 99th percentile of requests with a key, each a task of its own, while 64 clients sign in.
async fn key_under_sign_ins(world: &World) -> Duration {
    let mut clients = JoinSet::new();
    for _ in 0..64 {
        let endpoints = world.endpoints.clone();
        clients.spawn(async move { sign_in(&endpoints, "anna@example.com", PASSWORD).await });
    }
    let mut times = Vec::new();
    while !clients.is_empty() {
        let (auth, key) = (world.auth.clone(), world.keys[0].clone());
        let start = Instant::now();
        let status = tokio::spawn(async move { key_request(&auth, &key).await })
            .await
            .unwrap();
        times.push(start.elapsed());
        assert_eq!(status, 200);
        tokio::time::sleep(Duration::from_micros(200)).await;
        while let Some(done) = clients.try_join_next() {
            assert_eq!(done.unwrap(), 200, "all 64 sign in");
        }
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

fn row(name: &str, value: &str, holds: bool) -> bool {
    println!(
        "{name:<48} {value:>12}   {}",
        if holds { "holds" } else { "MISSED" }
    );
    holds
}

async fn measure() -> bool {
    let world = world().await;
    let endpoints = &world.endpoints;
    let unknown = async || assert_eq!(sign_in(endpoints, "nobody@example.com", "wrong").await, 401);
    let wrong = async || assert_eq!(sign_in(endpoints, "anna@example.com", "wrong").await, 401);
    // Of a name that nobody can have no store and no hash is asked.
    let nobody = format!("{}@example.com", "n".repeat(300));
    let early = async || assert_eq!(sign_in(endpoints, &nobody, "wrong").await, 401);
    let alike = |ratio: f64| (0.95..=1.05).contains(&ratio);
    let told = ratio(unknown, wrong, TRIES).await;
    let mut all = row(
        "unknown user / wrong password",
        &format!("{told:.3}"),
        alike(told),
    );
    let planted = ratio(early, wrong, TRIES / 10).await;
    all &= row(
        "an early return / wrong password",
        &format!("{planted:.3}"),
        !alike(planted),
    );
    for (name, at) in [("revoked", 2), ("expired", 3)] {
        let (auth, keys) = (&world.auth, &world.keys);
        let refused = async |at: usize| {
            for _ in 0..100 {
                assert_eq!(key_request(auth, &keys[at]).await, 401);
            }
        };
        let told = ratio(async || refused(1).await, async || refused(at).await, TRIES).await;
        let holds = (0.8..=1.25).contains(&told);
        all &= row(
            &format!("unknown key / {name} key"),
            &format!("{told:.3}"),
            holds,
        );
    }
    let p99 = key_under_sign_ins(&world).await;
    all & row(
        "key under 64 sign-ins, 99th percentile",
        &format!("{p99:.2?}"),
        p99 <= Duration::from_millis(10),
    )
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if runtime.block_on(measure()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
