//! What cannot be told apart: unknown user, wrong password, disabled account; a key that is
//! unknown, revoked or expired.

use super::world::*;
use crate::support::Reply;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tower_auth::event::Action;
use tower_auth::store::{ManagedUserStore, UserRecord};
use tower_auth::{KeyRequest, Subject};

/// Of one request: the answer, the hashes and the calls of the store, each with its number.
type Seen = (Reply, u64, BTreeMap<&'static str, usize>, Vec<Action>);

async fn seen(world: &World, request: http::Request<http_body_util::Full<bytes::Bytes>>) -> Seen {
    let before = world.users().argon2_runs();
    world.script.take();
    world.events.take();
    let reply = world.send(request).await;
    let runs = world.users().argon2_runs() - before;
    (
        reply,
        runs,
        counted(world.script.take()),
        world.events.take(),
    )
}

async fn world() -> World {
    let world = World::new().await;
    let disabled = UserRecord::new(Subject::user("9"), "carl@example.com");
    let hash = world.user("7").await.password_hash.clone().unwrap();
    for user in [
        disabled.password_hash(hash.expose()).disabled(),
        UserRecord::new(Subject::user("10"), "dora@example.com"),
        UserRecord::new(Subject::user("11"), "emil@example.com").password_hash("$argon2id$broken"),
    ] {
        world.memory.insert_user(user).await.unwrap();
    }
    world
}

const WHO: [(&str, &str, &str); 5] = [
    ("wrong password", ANNA, "wrong"),
    ("unknown user", "nobody@example.com", PASSWORD),
    ("disabled user", "carl@example.com", PASSWORD),
    ("no password", "dora@example.com", PASSWORD),
    ("a hash that cannot be used", "emil@example.com", PASSWORD),
];

/// How somebody types a name.
type Spelled = fn(&str) -> String;

/// As names are kept, which are looked for once, and in capitals, which are looked for as they were
/// typed too.
const SPELLINGS: [(Spelled, usize); 2] = [(str::to_lowercase, 1), (str::to_uppercase, 2)];

#[tokio::test]
async fn whoever_may_not_sign_in_is_refused_alike_after_the_same_work() {
    for forgetful in [false, true] {
        let world = world().await;
        if forgetful {
            world.script.forget();
        }
        let ask = |name: &str, password: &str| {
            asking(
                "POST",
                "/token/",
                "",
                Some(&json!({ "email": name, "password": password })),
            )
        };
        let expected = seen(&world, ask(WHO[0].1, WHO[0].2)).await;
        assert_eq!(
            (expected.0.status.as_u16(), expected.0.code().as_str()),
            (401, "invalid_credentials")
        );
        assert_eq!((expected.1, &expected.3), (1, &vec![Action::Refused]));
        assert_eq!(expected.0.challenges().len(), 3);
        assert_eq!(expected.0.headers["cache-control"], "no-store");
        for (spelled, look_ups) in SPELLINGS {
            let mut expected = expected.clone();
            // One for each spelling, and none that depends on it.
            expected.2 = [("find_user", look_ups)].into();
            for (case, name, password) in WHO {
                let name = spelled(name);
                assert_eq!(
                    seen(&world, ask(&name, password)).await,
                    expected,
                    "{case}: {name}"
                );
            }
        }
        // What is too long to be anybody's is refused in the same words, before any work.
        for (name, password) in [(&*"n".repeat(300), PASSWORD), (ANNA, &*"p".repeat(2000))] {
            assert_eq!(seen(&world, ask(name, password)).await.0, expected.0);
        }
    }
}

#[tokio::test]
async fn whoever_may_not_sign_in_with_basic_is_refused_alike_after_the_same_work() {
    for forgetful in [false, true] {
        let world = world().await;
        if forgetful {
            world.script.forget();
        }
        let ask =
            |name: &str, password: &str| asking("GET", "/users/", &basic(name, password), None);
        for (spelled, _) in SPELLINGS {
            let expected = seen(&world, ask(&spelled(WHO[0].1), WHO[0].2)).await;
            assert_eq!((expected.0.status.as_u16(), expected.1), (401, 1));
            for (case, name, password) in WHO {
                let name = spelled(name);
                assert_eq!(
                    seen(&world, ask(&name, password)).await,
                    expected,
                    "{case}: {name}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_well_formed_key_that_is_unknown_revoked_expired_or_a_disabled_users_is_refused_alike() {
    for forgetful in [false, true] {
        let world = World::new().await;
        let anna = Subject::user("7");
        let request = || KeyRequest::new(anna.clone(), "ci");
        let expires = world.now() + Duration::from_secs(10);
        let create = async |request| world.keys().issue(request).await.unwrap();
        let (good, revoked) = (create(request()).await, create(request()).await);
        let expired = create(request().expires(expires)).await;
        let superseded = create(request()).await;
        // Another service's, whose keys look alike.
        let elsewhere = World::new().await;
        let unknown = elsewhere.keys().issue(request()).await.unwrap();
        let revoke = world.keys().revoke(&anna, &revoked.record.id);
        revoke.await.unwrap();
        let rotate = world
            .keys()
            .rotate(&anna, &superseded.record.id, Duration::ZERO);
        rotate.await.unwrap();
        world.pass(10);
        if forgetful {
            world.script.forget();
        }
        let ask = |key: &str| asking("GET", "/api-keys/", &bearing(key), None);
        let expected = seen(&world, ask(unknown.key.expose())).await;
        assert_eq!(
            (expected.0.status.as_u16(), expected.0.code().as_str()),
            (401, "api_key_invalid")
        );
        let looks: &[_] = if forgetful {
            &[("find_key", 1), ("forget_key", 1), ("peek_key", 1)]
        } else {
            &[("peek_key", 1)]
        };
        assert_eq!(expected.2, looks.iter().copied().collect());
        for (case, key) in [
            ("revoked", revoked),
            ("expired", expired),
            ("superseded", superseded),
        ] {
            assert_eq!(
                seen(&world, ask(key.key.expose())).await,
                expected,
                "{case}"
            );
        }
        assert_eq!(seen(&world, ask(good.key.expose())).await.0.status, 200);
        world.users().disable(&anna).await.unwrap();
        let disabled = seen(&world, ask(good.key.expose())).await.0;
        assert_eq!(disabled, expected.0, "a disabled user's");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_no_good_is_refused_alike_whatever_the_reason() {
    let world = World::new().await;
    let (rotated, ended) = (world.sign_in("7").await, world.sign_in("7").await);
    let of_disabled = world.sign_in("8").await;
    let successor = world.tokens().refresh(refresh(&rotated)).await.unwrap();
    drop(world.tokens().refresh(refresh(&successor)).await.unwrap());
    let old = world.sign_in("7").await;
    world.users().disable(&Subject::user("8")).await.unwrap();
    let caller = bearing(access(&ended));
    assert_eq!(
        world
            .send(asking("POST", "/logout/", &caller, None))
            .await
            .status,
        204
    );
    let ask = async |token: &str| {
        world
            .post("/refresh/", "", json!({ "refresh": token }))
            .await
    };
    let forged = ask(&tampered(refresh(&old))).await;
    assert_eq!(
        (forged.status.as_u16(), forged.code().as_str()),
        (401, "token_invalid")
    );
    assert_eq!(forged.headers["cache-control"], "no-store");
    for token in [
        refresh(&rotated),
        refresh(&ended),
        refresh(&of_disabled),
        access(&old),
        "garbage",
        "a.b.c",
        "\u{1f40e}",
        &format!("{}\n", refresh(&old)),
        &format!(" {}", refresh(&old)),
    ] {
        assert_eq!(ask(token).await, forged, "{token}");
    }
    world.pass(31 * 86_400);
    assert_eq!(ask(refresh(&old)).await, forged, "expired");
}
