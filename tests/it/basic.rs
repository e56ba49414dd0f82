//! Basic: alike for unknown users, disabled users and wrong passwords, and remembered for a minute.

use crate::support::*;
use std::time::Duration;
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, UserChange, UserRecord, UserStore};
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, PasswordPolicy, Principal, Realm, Secret, Subject, Users};

fn anna(password: &str) -> UserRecord {
    UserRecord::new(Subject::user("9"), "anna").password_hash(hash_password(password).unwrap())
}

/// A layer over a store of this one user.
async fn guarded(user: UserRecord) -> (AuthLayer, ManualClock, Memory) {
    let (users, clock, store) = users_of(user).await;
    let auth = AuthLayer::builder().accept(users.basic()).build().unwrap();
    (auth, clock, store)
}

async fn users_of(user: UserRecord) -> (Users, ManualClock, Memory) {
    let (clock, store) = (ManualClock::new(1_000), Memory::new());
    store.insert_user(user).await.unwrap();
    let realm = Realm::new(store.clone()).clock(clock.clone());
    (realm.users(PasswordPolicy::new()), clock, store)
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
    let (auth, clock, _) = guarded(anna("correct horse")).await;
    assert_eq!(
        at_once(&auth, "anna", "correct horse"),
        None,
        "the first time it is hashed"
    );
    assert_eq!(
        send(&auth, basic("anna", "correct horse")).await.text(),
        "Basic 9"
    );
    assert_eq!(at_once(&auth, "anna", "correct horse"), Some(200));
    assert_eq!(
        at_once(&auth, "anna", "correct hors"),
        None,
        "another password is not"
    );
    clock.advance(Duration::from_millis(59_999));
    assert_eq!(at_once(&auth, "anna", "correct horse"), Some(200));
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        at_once(&auth, "anna", "correct horse"),
        None,
        "the minute is over"
    );
}

#[tokio::test]
async fn a_changed_password_or_a_disabled_account_is_refused_by_the_next_request() {
    let (auth, _, store) = guarded(anna("correct horse")).await;
    assert_eq!(
        send(&auth, basic("anna", "correct horse")).await.status,
        200
    );
    let user = store.find_user("anna").await.unwrap().unwrap();
    let another = Secret::new(hash_password("another").unwrap());
    store
        .replace_password(&user.id, user.password_hash.as_ref(), another)
        .await
        .unwrap();
    assert_eq!(
        send(&auth, basic("anna", "correct horse")).await.status,
        401
    );
    assert_eq!(send(&auth, basic("anna", "another")).await.status, 200);
    let mut change = UserChange::default();
    change.active = Some(false);
    store.change_user(&user.id, change).await.unwrap();
    assert_eq!(send(&auth, basic("anna", "another")).await.status, 401);
}

#[tokio::test]
async fn an_unknown_user_a_disabled_one_one_without_a_password_and_a_wrong_password_are_alike() {
    let passwordless = || UserRecord::new(Subject::user("9"), "anna");
    let cases = [
        ("wrong password", anna("correct horse"), "anna", "wrong"),
        ("unknown", anna("correct horse"), "nobody", "correct horse"),
        (
            "disabled",
            anna("correct horse").disabled(),
            "anna",
            "correct horse",
        ),
        (
            "without a password",
            passwordless(),
            "anna",
            "correct horse",
        ),
        (
            "a hash of another kind",
            passwordless().password_hash("$2b$12$notargon"),
            "anna",
            "correct horse",
        ),
    ];
    let mut replies = Vec::new();
    for (name, user, who, password) in cases {
        let (auth, ..) = guarded(user).await;
        // Each waits for a hash: none is answered by a look at the store alone.
        assert_eq!(at_once(&auth, who, password), None, "{name}");
        replies.push((name, send(&auth, basic(who, password)).await));
    }
    let (_, wrong) = &replies[0];
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (401, "invalid_credentials")
    );
    for (name, reply) in &replies {
        assert_eq!(reply, wrong, "{name}");
    }
}

#[tokio::test]
async fn whoever_is_refused_costs_argon2_equally_often() {
    let stores = [
        ("wrong password", "anna", anna("correct horse")),
        ("unknown user", "nobody", anna("correct horse")),
        ("disabled user", "anna", anna("wrong").disabled()),
        (
            "no password",
            "anna",
            UserRecord::new(Subject::user("9"), "anna"),
        ),
        (
            "malformed hash",
            "anna",
            UserRecord::new(Subject::user("9"), "anna").password_hash("$argon2id$"),
        ),
    ];
    for (case, name, user) in stores {
        let (users, ..) = users_of(user).await;
        let auth = AuthLayer::builder().accept(users.basic()).build().unwrap();
        for runs in 1..=3 {
            assert_eq!(
                send(&auth, basic(name, "wrong")).await.status,
                401,
                "{case}"
            );
            assert_eq!(users.argon2_runs(), runs, "{case}");
        }
    }
}

#[tokio::test]
async fn the_user_brings_scopes_roles_and_the_applications_own_value() {
    let (auth, ..) = guarded(
        anna("correct horse")
            .scope("a")
            .role("staff")
            .with_app(7_u8),
    )
    .await;
    let service = tower_layer::Layer::layer(
        &auth,
        tower::service_fn(
            |request: http::Request<http_body_util::Full<bytes::Bytes>>| async move {
                let caller = Principal::from_extensions(request.extensions()).unwrap();
                assert!(
                    caller.has_scope("a")
                        && caller.has_role("staff")
                        && caller.user() == Some(&7_u8)
                );
                Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::from(
                    "seen",
                )))
            },
        ),
    );
    let response = tower::ServiceExt::oneshot(service, basic("anna", "correct horse"))
        .await
        .unwrap();
    assert_eq!(reply(response).await.text(), "seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_wrong_passwords_is_bounded_and_told_to_come_back() {
    let (auth, ..) = guarded(anna("correct horse")).await;
    // Half of the cores hash, 64 requests wait for each: more than that is refused before it costs
    // anything.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let admitted = (cores / 2).max(1) * 65;
    let mut floods = tokio::task::JoinSet::new();
    for _ in 0..admitted * 3 {
        let auth = auth.clone();
        floods.spawn(async move { send(&auth, basic("anna", "wrong")).await });
    }
    let replies = floods.join_all().await;
    let throttled: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!(!throttled.is_empty(), "three times as many as fit");
    assert!(
        throttled
            .iter()
            .all(|reply| reply.headers["retry-after"] == "1")
    );
    assert!(
        replies
            .iter()
            .all(|reply| [401, 429].contains(&reply.status.as_u16()))
    );
    assert!(
        replies.len() - throttled.len() >= admitted,
        "those that fit were answered"
    );
    assert_eq!(
        send(&auth, basic("anna", "correct horse")).await.status,
        200,
        "and afterwards the owner gets in"
    );
}
