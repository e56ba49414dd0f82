//! Wrong credentials are counted before they cost anything.

use super::*;
use base64::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower_auth::Tokens;
use tower_auth::endpoint::SignInEndpoint;
use tower_auth::store::{UserRecord, UserStore};
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::throttle::{AttemptLimits, Throttle};
use tower_auth::{Basic, ConfigProblem, hash_password};

/// A store that always has to be asked, and counts how often it is.
#[derive(Clone)]
struct Asked {
    store: Intercepted<Memory>,
    times: Arc<AtomicUsize>,
}

impl Asked {
    fn new(answer: Intercept) -> Self {
        let times = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&times);
        let hook = move |call: &'static str| match call {
            "find_user" | "find_key" => {
                counter.fetch_add(1, Ordering::SeqCst);
                answer
            }
            call if call.starts_with("peek") => Intercept::Fail,
            _ => Intercept::Pass,
        };
        Self {
            store: Intercepted::new(Memory::new(), hook),
            times,
        }
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }
}

async fn with_anna(answer: Intercept) -> Asked {
    let users = Asked::new(answer);
    let anna = UserRecord::new(Subject::user("9"), "anna").name("anna@example.com");
    let anna = anna.password_hash(hash_password("correct horse").unwrap());
    users.store.insert_user(anna, UNIX_EPOCH).await.unwrap();
    users
}

fn limits() -> AttemptLimits {
    AttemptLimits::new()
        .per_account_and_address("2/15min")
        .per_account("6/15min")
        .per_address("4/15min")
}

async fn attempt(auth: &AuthLayer, name: &str, password: &str, peer: &str) -> Reply {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    send(
        auth,
        with_peer(get(&[("authorization", &format!("Basic {encoded}"))]), peer),
    )
    .await
}

#[tokio::test]
async fn guessing_stops_before_the_store_is_asked_and_a_password_is_hashed() {
    let (users, clock) = (with_anna(Intercept::Pass).await, ManualClock::new(1_000));
    let builder = AuthLayer::builder()
        .basic(Basic::new(users.store.clone()))
        .attempts(limits())
        .clock(clock.clone());
    let auth = builder
        .throttle(Throttle::per_principal("1/day"))
        .build()
        .unwrap();
    for name in ["anna", "ANNA"] {
        assert_eq!(attempt(&auth, name, "guess", "192.0.2.1").await.status, 401);
    }
    let asked = users.times();
    for password in ["guess", "correct horse"] {
        let refused = attempt(&auth, "anna", password, "192.0.2.1").await;
        assert_eq!(
            (
                refused.status.as_u16(),
                refused.headers["retry-after"].to_str().unwrap()
            ),
            (429, "900")
        );
    }
    assert_eq!(users.times(), asked, "the store was asked");
    assert_eq!(
        attempt(&auth, "anna", "correct horse", "192.0.2.2")
            .await
            .status,
        200,
        "the owner, from elsewhere"
    );
    assert_eq!(
        attempt(&auth, "anna", "correct horse", "192.0.2.2")
            .await
            .status,
        429,
        "whose quota was not touched"
    );
    clock.advance(Duration::from_secs(900));
    assert_eq!(
        attempt(&auth, "anna", "guess", "192.0.2.1").await.status,
        401
    );
}

#[tokio::test]
async fn a_second_name_of_an_account_gives_no_second_budget() {
    let users = with_anna(Intercept::Pass).await;
    let auth = AuthLayer::builder()
        .basic(Basic::new(users.store))
        .attempts(limits())
        .clock(ManualClock::new(1_000))
        .build();
    let (auth, mut statuses) = (auth.unwrap(), Vec::new());
    for n in 0..8 {
        let name = if n % 2 == 0 {
            "anna"
        } else {
            "anna@example.com"
        };
        statuses.push(
            attempt(&auth, name, "guess", &format!("192.0.2.{n}"))
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn names_that_nobody_has_are_refused_and_counted_alike() {
    let users = with_anna(Intercept::Pass).await;
    let auth = AuthLayer::builder()
        .basic(Basic::new(users.store))
        .attempts(limits())
        .clock(ManualClock::new(1_000))
        .build();
    let auth = auth.unwrap();
    for _ in 0..3 {
        let (known, unknown) = (
            attempt(&auth, "anna", "x", "192.0.2.1").await,
            attempt(&auth, "nobody", "x", "192.0.2.1").await,
        );
        assert_eq!(known, unknown);
    }
}

#[tokio::test]
async fn unknown_keys_from_one_address_stop_before_the_store_is_asked() {
    let store = Asked::new(Intercept::Pass);
    let keys = ApiKeys::new(store.store.clone()).prefix("egret");
    let auth = AuthLayer::builder()
        .api_keys(keys.clone())
        .attempts(limits())
        .clock(ManualClock::new(1_000))
        .build();
    let auth = auth.unwrap();
    let guess = || {
        keys.mint(Subject::user("7"), "", UNIX_EPOCH)
            .unwrap()
            .key
            .expose()
            .clone()
    };
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(
            send(&auth, with_peer(bearer(&guess()), "192.0.2.1"))
                .await
                .status
                .as_u16(),
        );
    }
    assert_eq!(
        (statuses.as_slice(), store.times()),
        ([401, 401, 401, 401, 429, 429].as_slice(), 4)
    );
    let new = keys.mint(Subject::user("7"), "", UNIX_EPOCH).unwrap();
    store
        .store
        .insert_key(new.record, UNIX_EPOCH)
        .await
        .unwrap();
    for _ in 0..9 {
        let good = send(&auth, with_peer(bearer(new.key.expose()), "192.0.2.2")).await;
        assert_eq!(good.status, 200, "what is right is not counted");
    }
}

#[tokio::test]
async fn the_services_own_failures_are_nobodys_attempts() {
    let users = with_anna(Intercept::Fail).await;
    let auth = AuthLayer::builder()
        .basic(Basic::new(users.store))
        .attempts(limits())
        .clock(ManualClock::new(1_000))
        .build();
    let auth = auth.unwrap();
    for _ in 0..9 {
        assert_eq!(
            attempt(&auth, "anna", "correct horse", "192.0.2.1")
                .await
                .status,
            503
        );
    }
}

/// One limit over every door to the same secret.
#[tokio::test]
async fn the_sign_in_endpoint_and_basic_count_together() {
    let store = Memory::new();
    let anna = UserRecord::new(Subject::user("9"), "anna")
        .password_hash(hash_password("correct horse").unwrap());
    store.insert_user(anna, UNIX_EPOCH).await.unwrap();
    let auth = AuthLayer::builder()
        .users(store.clone())
        .basic(Basic::new(store.clone()))
        .tokens(Tokens::hs256(SECRET).store(store).issuer(ISSUER))
        .attempts(limits())
        .clock(ManualClock::new(1_000))
        .build()
        .unwrap();
    let endpoints = auth.endpoints().sign_in("/token/", SignInEndpoint::new());
    let endpoints = endpoints.change_password("/password/").build().unwrap();
    let post = async |path: &str, token: &str, body: serde_json::Value, peer: &str| {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = with_peer(request.body(Full::from(body.to_string())).unwrap(), peer);
        reply(
            tower::ServiceExt::oneshot(endpoints.clone(), request)
                .await
                .unwrap(),
        )
        .await
    };
    let signed_in = async |name: &str, password: &str, peer: &str| {
        post(
            "/token/",
            "",
            serde_json::json!({ "email": name, "password": password }),
            peer,
        )
        .await
    };
    let sign_in =
        async |name, password, peer| signed_in(name, password, peer).await.status.as_u16();
    assert_eq!(sign_in("anna", "guess", "192.0.2.1").await, 401);
    assert_eq!(
        attempt(&auth, "anna", "guess", "192.0.2.1").await.status,
        401
    );
    assert_eq!(sign_in("anna", "correct horse", "192.0.2.1").await, 429);
    assert_eq!(
        attempt(&auth, "anna", "correct horse", "192.0.2.1")
            .await
            .status,
        429
    );
    assert_eq!(sign_in("anna", "correct horse", "192.0.2.2").await, 200);
    for _ in 0..5 {
        sign_in("anna", "guess", "192.0.2.3").await;
    }
    assert_eq!(
        sign_in("anna", "correct horse", "192.0.2.2").await,
        200,
        "a known place"
    );

    // Whoever found a token open guesses the password that would keep the account.
    let tokens = signed_in("anna", "correct horse", "192.0.2.2").await.json();
    let change = async |current: &str, peer: &str| {
        let body =
            serde_json::json!({ "current_password": current, "new_password": "Klammer-Heftung" });
        let answer = post("/password/", tokens["access"].as_str().unwrap(), body, peer).await;
        answer.status.as_u16()
    };
    assert_eq!(
        [
            change("guess", "192.0.2.9").await,
            change("guess", "192.0.2.9").await
        ],
        [400, 429]
    );
    assert_eq!(
        attempt(&auth, "anna", "correct horse", "192.0.2.9")
            .await
            .status,
        429
    );
    assert_eq!(
        change("correct horse", "192.0.2.2").await,
        204,
        "the owner, from a known place"
    );
}

#[test]
fn mistakes_in_limits_are_reported_by_build() {
    let limits = AttemptLimits::new()
        .per_account("5/month")
        .per_address("0/s");
    let error = AuthLayer::builder()
        .jwt(jwt())
        .attempts(limits)
        .build()
        .unwrap_err();
    assert!(
        matches!(
            error.problems(),
            [ConfigProblem::Rate(_), ConfigProblem::Rate(_)]
        ),
        "{error}"
    );
}
