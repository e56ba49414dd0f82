//! Wrong credentials are counted before they cost anything.

use super::*;
use base64::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower_auth::credential::Credential;
use tower_auth::endpoint::{ChangePassword, SignIn};
use tower_auth::password::hash_password;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::store::{ManagedUserStore, Stores, UserRecord};
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::throttle::{AttemptLimits, Throttle};
use tower_auth::{ConfigProblem, PasswordPolicy, Principal, Rejection, RejectionKind, Tokens};

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
    users.store.insert_user(anna).await.unwrap();
    users
}

fn limits() -> AttemptLimits {
    AttemptLimits::new()
        .per_account_and_address("2/15min")
        .per_account("6/15min")
        .per_address("4/15min")
}

/// A realm over these stores, with these limits and a clock that stands still.
fn limited(stores: impl Into<Stores>) -> Realm {
    Realm::new(stores)
        .attempts(limits())
        .clock(ManualClock::new(1_000))
}

/// A layer that takes the names and passwords of these users.
fn basic(users: Asked) -> AuthLayer {
    let users = limited(users.store).users(PasswordPolicy::new());
    AuthLayer::builder().accept(users.basic()).build().unwrap()
}

/// A layer with a scheme of the application's own.
fn asking(polled: &Arc<AtomicUsize>) -> AuthLayer {
    AuthLayer::builder()
        .realm(&limited(Stores::new()))
        .accept(Asks(Arc::clone(polled)))
        .build()
        .unwrap()
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
async fn guessing_stops_before_a_password_is_hashed() {
    let clock = ManualClock::new(1_000);
    let stores = with_anna(Intercept::Pass).await.store;
    let realm = limited(stores).clock(clock.clone());
    let users = realm.users(PasswordPolicy::new());
    let auth = AuthLayer::builder()
        .accept(users.basic())
        .throttle(Throttle::per_principal("1/day"))
        .build()
        .unwrap();
    for name in ["anna", "anna@example.com"] {
        assert_eq!(attempt(&auth, name, "guess", "192.0.2.1").await.status, 401);
    }
    let hashed = users.argon2_runs();
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
    assert_eq!(users.argon2_runs(), hashed, "a password was hashed");
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
    let auth = basic(with_anna(Intercept::Pass).await);
    let mut statuses = Vec::new();
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
    let auth = basic(with_anna(Intercept::Pass).await);
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
    let realm = limited(store.store.clone());
    let auth = over(&realm).build().unwrap();
    let elsewhere = World::new();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let unknown = elsewhere.key(Subject::user("7")).await;
        let refused = send(&auth, with_peer(bearer(&unknown), "192.0.2.1")).await;
        statuses.push(refused.status.as_u16());
    }
    assert_eq!(
        (statuses.as_slice(), store.times()),
        ([401, 401, 401, 401, 429, 429].as_slice(), 4)
    );
    let request = KeyRequest::new(Subject::user("7"), "test");
    let new = keys_of(&realm).issue(request).await.unwrap();
    for _ in 0..9 {
        let good = send(&auth, with_peer(bearer(new.key.expose()), "192.0.2.2")).await;
        assert_eq!(good.status, 200, "what is right is not counted");
    }
}

/// A scheme of the application's own that always has to ask: `right`, `wrong`, `broken`, or nobody
/// ever answers.
struct Asks(Arc<AtomicUsize>);

impl Scheme for Asks {
    fn name(&self) -> &'static str {
        "Asks"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let Credential::Other(presented) = attempt.credential() else {
            return Answer::NotPresented;
        };
        let (presented, polled) = (presented.expose().to_owned(), Arc::clone(&self.0));
        Answer::Pending(Box::pin(async move {
            polled.fetch_add(1, Ordering::SeqCst);
            match presented.as_str() {
                "right" => Ok(Principal::builder(Subject::user("9")).build()),
                "wrong" => Err(Rejection::new(RejectionKind::InvalidToken, "asked")),
                "broken" => Err(Rejection::unavailable("asked", "nobody is there")),
                "panics" => panic!("asked"),
                _ => std::future::pending().await,
            }
        }))
    }
}

fn asks(presented: &str, peer: &str) -> Request<Full<Bytes>> {
    with_peer(
        get(&[("authorization", &format!("Asks {presented}"))]),
        peer,
    )
}

#[tokio::test]
async fn every_scheme_that_asks_is_counted_before_it_does() {
    let polled = Arc::new(AtomicUsize::new(0));
    let auth = asking(&polled);
    for _ in 0..9 {
        assert_eq!(send(&auth, asks("right", "192.0.2.1")).await.status, 200);
        assert_eq!(send(&auth, asks("broken", "192.0.2.1")).await.status, 503);
        assert_eq!(send(&auth, asks("panics", "192.0.2.1")).await.status, 500);
    }
    for _ in 0..4 {
        assert_eq!(send(&auth, asks("wrong", "192.0.2.1")).await.status, 401);
    }
    let before = polled.load(Ordering::SeqCst);
    for presented in ["wrong", "unseen"] {
        let refused = send(&auth, asks(presented, "192.0.2.1")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.headers["retry-after"]),
            (429, &http::HeaderValue::from_static("900"))
        );
    }
    assert_eq!(polled.load(Ordering::SeqCst), before, "it was asked");
    let good_lately = send(&auth, asks("right", "192.0.2.1")).await;
    assert_eq!(good_lately.status, 200, "a neighbour keeps nobody out");
    assert_eq!(send(&auth, asks("right", "192.0.2.2")).await.status, 200);
}

#[tokio::test]
async fn at_once_no_more_are_asked_about_than_may_be_wrong_and_who_hangs_up_has_tried() {
    let polled = Arc::new(AtomicUsize::new(0));
    let auth = asking(&polled);
    let service = tower_layer::Layer::layer(&auth, Whoami);
    let mut under_way = Vec::new();
    let mut refused = 0;
    for _ in 0..3_000 {
        let request = asks("never", "192.0.2.1");
        let mut task =
            tokio_test::task::spawn(tower::ServiceExt::oneshot(service.clone(), request));
        match task.poll() {
            std::task::Poll::Ready(response) => {
                assert_eq!(response.unwrap().status(), 429);
                refused += 1;
            }
            std::task::Poll::Pending => under_way.push(task),
        }
    }
    assert_eq!((under_way.len(), refused), (4, 2_996));
    assert_eq!(polled.load(Ordering::SeqCst), 4);
    drop(under_way);
    assert_eq!(send(&auth, asks("right", "192.0.2.1")).await.status, 429);
    assert_eq!(send(&auth, asks("right", "192.0.2.2")).await.status, 200);
}

#[tokio::test]
async fn the_services_own_failures_are_nobodys_attempts() {
    let auth = basic(with_anna(Intercept::Fail).await);
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
    store.insert_user(anna).await.unwrap();
    let realm = limited(store);
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let auth = AuthLayer::builder()
        .accept(users.basic())
        .accept(&tokens)
        .build()
        .unwrap();
    let endpoints = auth
        .endpoints()
        .mount("/token/", SignIn::of(&tokens))
        .mount("/password/", ChangePassword::of(&users, &tokens))
        .build()
        .unwrap();
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
    let realm = Realm::new(Stores::new()).attempts(limits);
    let error = AuthLayer::builder()
        .realm(&realm)
        .accept(jwt())
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
