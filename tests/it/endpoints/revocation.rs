//! What is ended is refused by the next request, whatever it is and whoever ended it.

use super::cases::{By, Held};
use super::world::*;
use crate::support::Reply;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use tower_auth::event::Action;
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, PrivateTokenStore, UserChange};
use tower_auth::{Secret, Subject};

/// Which of anna's credentials still open something: access, refresh, private token, key, Basic.
async fn open(world: &World, held: &Held) -> [bool; 5] {
    [
        world.opens(access(&held.pair)).await,
        world.refreshes(refresh(&held.pair)).await,
        world.opens(held.private.token.expose()).await,
        world.opens(held.key.key.expose()).await,
        world.basic_opens(ANNA, PASSWORD).await,
    ]
}

/// The same for verify, which knows of tokens alone.
async fn verified(world: &World, held: &Held) -> [bool; 3] {
    let mut verified = [false; 3];
    let tokens = [
        access(&held.pair),
        refresh(&held.pair),
        held.private.token.expose(),
    ];
    for (slot, token) in verified.iter_mut().zip(tokens) {
        *slot = world
            .post("/verify/", "", json!({ "token": token }))
            .await
            .status
            == 200;
    }
    verified
}

/// A service in which every credential of anna's and of ben's was used once, so that whatever
/// remembers them does.
async fn world() -> (World, Held) {
    let world = World::new().await;
    let held = Held::by_anna(&world).await;
    for open in [
        world.opens(access(&held.pair)).await,
        world.basic_opens(ANNA, PASSWORD).await,
    ] {
        assert!(open);
    }
    assert!(
        world.opens(held.private.token.expose()).await && world.opens(held.key.key.expose()).await
    );
    assert_eq!(verified(&world, &held).await, [true; 3]);
    (world, held)
}

/// Gives anna this password.
fn replace_password(memory: &Memory, password: &str) {
    let id = Subject::user("7");
    let anna = at_once(memory.find_user_by_id(&id)).unwrap().unwrap();
    let hash = Secret::new(hash_password(password).unwrap());
    at_once(memory.replace_password(&id, anna.password_hash.as_ref(), hash)).unwrap();
}

async fn by_access(world: &World, held: &Held, path: &str) -> Reply {
    world
        .send(asking("POST", path, &held.credential(By::Access), None))
        .await
}

#[tokio::test]
async fn a_sign_out_with_the_access_token_alone_ends_it_and_its_refresh_token() {
    let (world, held) = world().await;
    let other = world.sign_in("7").await;
    world.events.take();
    assert_eq!(by_access(&world, &held, "/logout/").await.status, 204);
    assert_eq!(world.events.take(), [Action::SignedOut]);
    assert_eq!(verified(&world, &held).await, [false, false, true]);
    assert_eq!(open(&world, &held).await, [false, false, true, true, true]);
    assert_eq!(by_access(&world, &held, "/logout/").await.status, 401);
    assert!(
        world.opens(access(&other)).await,
        "the other session goes on"
    );
    assert!(world.refreshes(refresh(&other)).await);
}

#[tokio::test]
async fn a_sign_out_with_the_refresh_token_alone_is_401_and_ends_nothing() {
    let (world, held) = world().await;
    world.events.take();
    let body = json!({ "refresh": refresh(&held.pair) });
    let reply = world.post("/logout/", "", body).await;
    let nothing = world.send(asking("POST", "/logout/", "", None)).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.body, nothing.body, "as without a credential");
    assert_eq!(world.events.take(), [Action::Refused; 2]);
    assert_eq!(verified(&world, &held).await, [true; 3]);
    assert_eq!(open(&world, &held).await, [true; 5]);
}

#[tokio::test]
async fn a_sign_out_ends_what_was_rotated_since_too() {
    let (world, held) = world().await;
    let second = world.tokens().refresh(refresh(&held.pair)).await.unwrap();
    assert_eq!(by_access(&world, &held, "/logout/").await.status, 204);
    for token in [access(&held.pair), access(&second)] {
        assert!(!world.opens(token).await);
    }
    for token in [refresh(&held.pair), refresh(&second)] {
        assert!(!world.refreshes(token).await);
    }
    // Not before the last access token is expired is it forgotten, and the refresh token then
    // neither.
    world.pass(15 * 60 + 61);
    assert_eq!(verified(&world, &held).await, [false, false, true]);
    let second = world
        .post("/verify/", "", json!({ "token": refresh(&second) }))
        .await;
    assert_eq!(second.status, 401);
}

#[tokio::test]
async fn a_sign_out_by_a_session_that_the_store_does_not_know_ends_it() {
    for path in ["/logout/", "/logout-everywhere/"] {
        let (world, held) = world().await;
        // Another start of the service, over a store that knows no session.
        let after = World::new().await;
        assert!(after.opens(access(&held.pair)).await, "{path}");
        assert_eq!(by_access(&after, &held, path).await.status, 204, "{path}");
        assert!(!after.opens(access(&held.pair)).await, "{path}");
        assert!(!after.refreshes(refresh(&held.pair)).await, "{path}");
        assert!(world.opens(access(&held.pair)).await, "{path}: elsewhere");
    }
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_all_tokens_and_no_key() {
    let (world, held) = world().await;
    let (other, bens) = (world.sign_in("7").await, world.sign_in("8").await);
    assert_eq!(
        by_access(&world, &held, "/logout-everywhere/").await.status,
        204
    );
    assert_eq!(verified(&world, &held).await, [false; 3]);
    assert_eq!(open(&world, &held).await, [false, false, false, true, true]);
    assert!(!world.opens(access(&other)).await && !world.refreshes(refresh(&other)).await);
    assert!(world.opens(access(&bens)).await && world.refreshes(refresh(&bens)).await);
    let next = world.sign_in("7").await;
    assert!(
        world.opens(access(&next)).await && world.refreshes(refresh(&next)).await,
        "in the same second"
    );
}

#[tokio::test]
async fn a_new_password_ends_all_tokens_and_the_former_password() {
    let (world, held) = world().await;
    let new = "tests only: Klammer-Heftung";
    let body = json!({ "current_password": PASSWORD, "new_password": new });
    assert_eq!(
        world
            .post("/password/", &held.credential(By::Access), body)
            .await
            .status,
        204
    );
    assert_eq!(verified(&world, &held).await, [false; 3]);
    assert_eq!(
        open(&world, &held).await,
        [false, false, false, true, false]
    );
    assert!(world.basic_opens(ANNA, new).await);
    let sign_in = async |password: &str| {
        world
            .post(
                "/token/",
                "",
                json!({ "email": ANNA, "password": password }),
            )
            .await
            .status
            .as_u16()
    };
    assert_eq!((sign_in(PASSWORD).await, sign_in(new).await), (401, 200));
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_present_one_alone() {
    let (world, held) = world().await;
    let ask = async |current: &str, new: &str| {
        let body = json!({ "current_password": current, "new_password": new });
        world
            .post("/password/", &held.credential(By::Access), body)
            .await
    };
    let wrong = ask("wrong", "tests only: Klammer-Heftung").await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["errors"][0]["pointer"], "#/current_password");
    for weak in ["short", "anna@example.com", "password1"] {
        let refused = ask(PASSWORD, weak).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "#/new_password",
            "{weak}"
        );
    }
    assert_eq!(open(&world, &held).await, [true; 5], "nothing has changed");
}

#[tokio::test]
async fn a_password_that_cannot_be_checked_is_not_changed() {
    let world = World::new().await;
    // As many sign-ins as fit wait for a hash: nothing more can be checked. Each is of another
    // name, so that no account has had too many.
    let waiting = Arc::new(Mutex::new(Vec::new()));
    for number in 0.. {
        let users = world.users().clone();
        let check = async move {
            let wrong = Secret::new(String::from("wrong"));
            users
                .authenticate(&format!("nobody {number}"), &wrong)
                .await
        };
        let mut check = tokio_test::task::spawn(check);
        match check.poll() {
            Poll::Pending => waiting.lock().unwrap().push(check),
            Poll::Ready(full) => {
                assert_eq!(full.unwrap_err().status(), 429);
                break;
            }
        }
    }
    // Should the change look at the user once more and go on, it finds room for a hash.
    let room = Arc::clone(&waiting);
    world
        .script
        .meanwhile("find_user_by_id", 2, move || room.lock().unwrap().clear());
    let new = Secret::new(String::from("tests only: Klammer-Heftung"));
    let wrong = Secret::new(String::from("wrong"));
    let changed = world
        .users()
        .change_password(&Subject::user("7"), &wrong, new)
        .await;
    assert_eq!(changed.unwrap_err().status(), 429);
    waiting.lock().unwrap().clear();
    assert!(world.basic_opens(ANNA, PASSWORD).await);
}

#[tokio::test]
async fn a_disabled_user_is_refused_whatever_the_credential_until_enabled_again() {
    let (world, held) = world().await;
    world.users().disable(&Subject::user("7")).await.unwrap();
    assert_eq!(verified(&world, &held).await, [false; 3]);
    assert_eq!(open(&world, &held).await, [false; 5]);
    let sign_in = json!({ "email": ANNA, "password": PASSWORD });
    assert_eq!(world.post("/token/", "", sign_in.clone()).await.status, 401);
    world.users().enable(&Subject::user("7")).await.unwrap();
    assert_eq!(
        open(&world, &held).await,
        [true; 5],
        "a refused refresh has cost the token nothing"
    );
    assert_eq!(world.post("/token/", "", sign_in).await.status, 200);
}

#[tokio::test]
async fn a_removed_user_is_refused_whatever_the_credential_and_the_name_is_free_again() {
    let (world, held) = world().await;
    world.users().remove(&Subject::user("7")).await.unwrap();
    assert_eq!(verified(&world, &held).await, [false; 3]);
    assert_eq!(open(&world, &held).await, [false; 5]);
    let body = json!({ "email": ANNA, "password": "tests only: Klammer-Heftung" });
    let again = world.post("/users/", "", body).await;
    assert_eq!(again.status, 201);
    assert_ne!(
        again.json()["id"],
        "7",
        "nobody inherits what the former one had"
    );
    assert_eq!(open(&world, &held).await, [false; 5]);
}

#[tokio::test]
async fn a_revoked_private_token_or_key_is_refused_and_no_other() {
    let (world, held) = world().await;
    let (other_token, other_key) = (world.private_token("7").await, world.key("7").await);
    for path in [
        format!("/private-tokens/{}/", held.private.record.id),
        format!("/api-keys/{}/", held.key.record.id),
    ] {
        let request = asking("DELETE", &path, &held.credential(By::Access), None);
        assert_eq!(world.send(request).await.status, 204);
    }
    assert_eq!(open(&world, &held).await, [true, true, false, false, true]);
    assert!(
        world.opens(other_token.token.expose()).await && world.opens(other_key.key.expose()).await
    );
}

#[tokio::test]
async fn one_token_alone_is_revoked_by_its_text() {
    let (world, held) = world().await;
    let second = world.tokens().refresh(refresh(&held.pair)).await.unwrap();
    for token in [access(&held.pair), held.private.token.expose()] {
        world.tokens().revoke(token).await.unwrap();
    }
    assert!(
        !world.opens(access(&held.pair)).await && !world.opens(held.private.token.expose()).await
    );
    assert!(world.opens(access(&second)).await && world.refreshes(refresh(&second)).await);
    // What is no good is no error.
    for token in ["garbage", &tampered(access(&second))] {
        world.tokens().revoke(token).await.unwrap();
    }
    assert!(world.opens(access(&second)).await);
    // A refresh token stands for its family, also where another one has followed it.
    world.tokens().revoke(refresh(&second)).await.unwrap();
    assert!(!world.opens(access(&second)).await);
}

#[tokio::test]
async fn what_is_denied_is_denied_for_as_long_as_the_longest_living_token() {
    let (world, held) = world().await;
    // A token that is minted when its family ends, by a request or a machine whose clock is a
    // little ahead.
    world.clock.set(NOW + 30);
    let second = world.tokens().refresh(refresh(&held.pair)).await.unwrap();
    world.clock.set(NOW);
    assert_eq!(by_access(&world, &held, "/logout/").await.status, 204);
    for _ in 0..(16 * 60) {
        assert!(!world.opens(access(&second)).await);
        world.pass(1);
    }
}

#[tokio::test]
async fn a_clock_that_steps_back_costs_nobody_a_session() {
    let (world, held) = world().await;
    world.clock.set(NOW - 20);
    assert_eq!(open(&world, &held).await, [true; 5]);
    let second = world.tokens().refresh(refresh(&held.pair)).await.unwrap();
    assert!(world.refreshes(refresh(&second)).await);
    assert!(!world.events.take().contains(&Action::ReuseDetected));
}

#[tokio::test]
async fn a_sign_in_that_overlaps_a_change_of_the_password_does_not_outlive_it() {
    let world = World::new().await;
    let (memory, now) = (world.memory.clone(), world.now());
    // The password was checked, the family is not there yet: now it is changed and everything
    // ended.
    world.script.meanwhile("insert_family", 1, move || {
        replace_password(&memory, "tests only: Klammer-Heftung");
        at_once(memory.revoke_subject(&Subject::user("7"), now, now)).unwrap();
    });
    let sign_in = async |password: &str| {
        world
            .post(
                "/token/",
                "",
                json!({ "email": ANNA, "password": password }),
            )
            .await
            .status
            .as_u16()
    };
    assert_eq!(sign_in(PASSWORD).await, 401);
    assert_eq!(sign_in("tests only: Klammer-Heftung").await, 200);
}

#[tokio::test]
async fn a_sign_in_that_overlaps_another_which_hashes_the_same_password_anew_succeeds() {
    let world = World::new().await;
    let memory = world.memory.clone();
    world.script.meanwhile("insert_family", 1, move || {
        replace_password(&memory, PASSWORD);
    });
    let body = json!({ "email": ANNA, "password": PASSWORD });
    assert_eq!(world.post("/token/", "", body).await.status, 200);
}

#[tokio::test]
async fn a_refresh_that_overlaps_an_end_gives_nothing_that_works() {
    let world = World::new().await;
    for at in ["find_user_by_id", "rotate_family"] {
        let pair = world.sign_in("7").await;
        let (memory, now) = (world.memory.clone(), world.now());
        world.script.meanwhile(at, 1, move || {
            at_once(memory.revoke_subject(&Subject::user("7"), now, now)).unwrap();
        });
        assert!(!world.refreshes(refresh(&pair)).await, "ended before {at}");
    }
    let pair = world.sign_in("7").await;
    let memory = world.memory.clone();
    world.script.meanwhile("rotate_family", 1, move || {
        let mut change = UserChange::default();
        change.active = Some(false);
        at_once(memory.change_user(&Subject::user("7"), change)).unwrap();
    });
    let given = world
        .post("/refresh/", "", json!({ "refresh": refresh(&pair) }))
        .await;
    assert_eq!(given.status, 200, "the account was looked at before");
    assert!(!world.opens(given.json()["access"].as_str().unwrap()).await);
    assert!(
        !world
            .refreshes(given.json()["refresh"].as_str().unwrap())
            .await
    );
}
