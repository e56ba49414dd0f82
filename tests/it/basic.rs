//! Basic: alike for unknown users, disabled users and wrong passwords, and remembered for a minute.

use crate::support::*;
use async_trait::async_trait;
use base64::Engine;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tower_auth::store::{Peek, StoreError, UserRecord, UserStore};
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, Basic, Principal, Subject, hash_password};

/// One user, whom a test changes.
#[derive(Clone)]
struct One(Arc<Mutex<UserRecord>>);

impl One {
    fn new(user: UserRecord) -> Self {
        Self(Arc::new(Mutex::new(user)))
    }

    fn set(&self, user: UserRecord) {
        *self.0.lock().unwrap() = user;
    }
}

#[async_trait]
impl UserStore for One {
    fn peek_user(&self, name: &str, _: SystemTime) -> Peek<UserRecord> {
        let user = self.0.lock().unwrap();
        if user.names().any(|other| other == name) {
            Peek::Found(Arc::new(user.clone()))
        } else {
            Peek::Absent
        }
    }

    async fn find_user(&self, _: &str, _: SystemTime) -> Result<Option<Arc<UserRecord>>, StoreError> {
        panic!("peek has answered")
    }

    async fn insert_user(&self, _: UserRecord, _: SystemTime) -> Result<(), StoreError> {
        panic!("no test inserts")
    }
}

fn anna(password: &str) -> UserRecord {
    UserRecord::new(Subject::user("9"), "anna").password_hash(hash_password(password).unwrap())
}

fn basic(name: &str, password: &str) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    get(&[("authorization", &format!("Basic {encoded}"))])
}

fn guarded(store: &One) -> (AuthLayer, ManualClock) {
    let clock = ManualClock::new(1_000);
    (AuthLayer::builder().basic(Basic::new(store.clone())).clock(clock.clone()).build().unwrap(), clock)
}

/// Whether a request is answered at its first poll: argon2 runs on another thread and is not.
fn at_once(auth: &AuthLayer, name: &str, password: &str) -> Option<u16> {
    use tower::Service;
    use tower_layer::Layer;
    let mut future = tokio_test::task::spawn(auth.layer(Whoami).call(basic(name, password)));
    match future.poll() {
        std::task::Poll::Ready(response) => Some(response.unwrap().status().as_u16()),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_verified_password_is_remembered_for_a_minute_and_costs_argon2_once() {
    let store = One::new(anna("correct horse"));
    let (auth, clock) = guarded(&store);
    assert_eq!(at_once(&auth, "anna", "correct horse"), None, "the first time it is hashed");
    assert_eq!(send(&auth, basic("anna", "correct horse")).await.text(), "Basic 9");
    assert_eq!(at_once(&auth, "anna", "correct horse"), Some(200));
    assert_eq!(at_once(&auth, "anna", "correct hors"), None, "another password is not");
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(at_once(&auth, "anna", "correct horse"), Some(200));
    clock.advance(Duration::from_millis(1));
    assert_eq!(at_once(&auth, "anna", "correct horse"), None, "the minute is over");
}

#[tokio::test]
async fn a_changed_password_or_a_disabled_account_is_refused_by_the_next_request() {
    let store = One::new(anna("correct horse"));
    let (auth, _) = guarded(&store);
    assert_eq!(send(&auth, basic("anna", "correct horse")).await.status, 200);
    store.set(anna("another"));
    assert_eq!(send(&auth, basic("anna", "correct horse")).await.status, 401);
    assert_eq!(send(&auth, basic("anna", "another")).await.status, 200);
    let disabled = store.0.lock().unwrap().clone().disabled();
    store.set(disabled);
    assert_eq!(send(&auth, basic("anna", "another")).await.status, 401);
}

#[tokio::test]
async fn an_unknown_user_a_disabled_one_one_without_a_password_and_a_wrong_password_are_alike() {
    let store = One::new(anna("correct horse"));
    let (auth, _) = guarded(&store);
    let passwordless = || UserRecord::new(Subject::user("9"), "anna");
    let cases = [
        ("wrong password", anna("correct horse"), "anna", "wrong"),
        ("unknown", anna("correct horse"), "nobody", "correct horse"),
        ("disabled", anna("correct horse").disabled(), "anna", "correct horse"),
        ("without a password", passwordless(), "anna", "correct horse"),
        ("a hash of another kind", passwordless().password_hash("$2b$12$notargon"), "anna", "correct horse"),
    ];
    let mut replies = Vec::new();
    for (name, user, who, password) in cases {
        store.set(user);
        // Each waits for a hash: none is answered by a look at the store alone.
        assert_eq!(at_once(&auth, who, password), None, "{name}");
        replies.push((name, send(&auth, basic(who, password)).await));
    }
    let (_, wrong) = &replies[0];
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (401, "invalid_credentials"));
    for (name, reply) in &replies {
        assert_eq!(reply, wrong, "{name}");
    }
}

#[tokio::test]
async fn the_user_brings_scopes_roles_and_the_applications_own_value() {
    let store = One::new(anna("correct horse").scope("a").role("staff").with_app(7_u8));
    let (auth, _) = guarded(&store);
    let service = tower_layer::Layer::layer(
        &auth,
        tower::service_fn(|request: http::Request<http_body_util::Full<bytes::Bytes>>| async move {
            let caller = Principal::from_extensions(request.extensions()).unwrap();
            assert!(caller.has_scope("a") && caller.has_role("staff") && caller.user() == Some(&7_u8));
            Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::from("seen")))
        }),
    );
    let response = tower::ServiceExt::oneshot(service, basic("anna", "correct horse")).await.unwrap();
    assert_eq!(reply(response).await.text(), "seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_wrong_passwords_is_bounded_and_told_to_come_back() {
    let store = One::new(anna("correct horse"));
    let (auth, _) = guarded(&store);
    // Half of the cores hash, 16 requests wait for each: more than that is refused before it costs anything.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let admitted = (cores / 2).max(1) * 17;
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..admitted * 3 {
        let auth = auth.clone();
        floods.spawn(async move { send(&auth, basic("anna", "wrong")).await });
    }
    let replies = floods.join_all().await;
    let throttled: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!throttled.is_empty(), "three times as many as fit");
    assert!(throttled.iter().all(|reply| reply.headers["retry-after"] == "1"));
    assert!(replies.iter().all(|reply| [401, 429].contains(&reply.status.as_u16())));
    assert!(replies.len() - throttled.len() >= admitted, "those that fit were answered");
    assert_eq!(
        send(&auth, basic("anna", "correct horse")).await.status,
        200,
        "and afterwards the owner gets in"
    );
}
