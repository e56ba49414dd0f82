//! Whatever call a store fails, however: 503, nothing is let through, nobody is taken for a thief,
//! and the next request is served.

use super::cases::{By, Case, Held, cases};
use super::world::*;
use crate::support::Reply;
use std::collections::BTreeSet;
use tower_auth::event::Action;
use tower_auth::store::PrivateTokenStore;
use tower_auth::test_util::Intercept;

const FAULTS: [Intercept; 4] = [
    Intercept::Fail,
    Intercept::FailAfter,
    Intercept::Hang,
    Intercept::Panic,
];

/// Uses are noted in the background: no request waits for that.
fn is_waited_for(call: &str) -> bool {
    !call.starts_with("peek") && !call.starts_with("note_")
}

async fn world() -> (World, Held) {
    let world = World::new().await;
    let held = Held::by_anna(&world).await;
    world.script.forget();
    world.script.take();
    world.events.take();
    (world, held)
}

/// The case of that name, made by that caller.
fn find(held: &Held, name: &str, by: By) -> Case {
    let case = cases(held)
        .into_iter()
        .find(|case| case.name == name)
        .unwrap();
    Case { by, ..case }
}

/// Every route by everybody who may.
async fn all() -> Vec<(&'static str, By)> {
    let (_, held) = world().await;
    let all = cases(&held).into_iter();
    all.flat_map(|case| {
        [&[case.by], case.also]
            .concat()
            .into_iter()
            .map(move |by| (case.name, by))
    })
    .collect()
}

/// The calls that a good request makes.
async fn calls(name: &str, by: By) -> BTreeSet<&'static str> {
    let (world, held) = world().await;
    let case = find(&held, name, by);
    let reply = case.ask(&world, &held).await;
    assert_eq!(
        reply.status.as_u16(),
        case.status,
        "{name} by {by:?}: {reply:?}"
    );
    world
        .script
        .take()
        .into_iter()
        .filter(|call| is_waited_for(call))
        .collect()
}

fn assert_unavailable(reply: &Reply, row: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (503, "unavailable"),
        "{row}"
    );
    assert_eq!(reply.headers["retry-after"], "1", "{row}");
    assert_eq!(reply.headers["cache-control"], "no-store", "{row}");
    assert!(
        reply.challenges().is_empty(),
        "{row}: nothing is wrong with the credential"
    );
}

#[tokio::test(start_paused = true)]
async fn every_store_call_that_fails_hangs_or_panics_is_503_and_costs_nobody_anything() {
    let mut rows = 0;
    for (name, by) in all().await {
        for call in calls(name, by).await {
            for fault in FAULTS {
                rows += 1;
                let row = format!("{name} by {by:?}, {fault:?} at {call}");
                let (world, held) = world().await;
                let case = find(&held, name, by);
                world.script.break_at(call, fault);
                assert_unavailable(&case.ask(&world, &held).await, &row);
                let heard = world.events.take();
                assert!(!heard.contains(&Action::ReuseDetected), "{row}: {heard:?}");
                assert_eq!(heard.last(), Some(&Action::Refused), "{row}: {heard:?}");

                world.script.mend();
                let lost = (fault == Intercept::FailAfter)
                    .then(|| case.again.iter().find(|(at, _)| *at == call))
                    .flatten();
                let ends_itself = lost.is_some() && name == "revoke a key" && by == By::Key;
                // A key that rotates itself asks again, and gets its successor after all.
                let rotates_itself = name == "rotate a key" && by == By::Key;
                let expected = match lost {
                    Some(_) if ends_itself => 401,
                    Some((_, status)) if !rotates_itself => *status,
                    _ => case.status,
                };
                let again = case.ask(&world, &held).await;
                assert_eq!(
                    again.status.as_u16(),
                    expected,
                    "{row}, then again: {again:?}"
                );
                assert!(
                    !world.events.take().contains(&Action::ReuseDetected),
                    "{row}"
                );
            }
        }
    }
    assert!(rows > 400, "only {rows} rows");
}

#[tokio::test(start_paused = true)]
async fn a_look_up_in_memory_that_panics_is_503_too() {
    let mut rows = 0;
    for (name, by) in all().await {
        let world = World::new().await;
        let held = Held::by_anna(&world).await;
        world.script.take();
        let case = find(&held, name, by);
        case.ask(&world, &held).await;
        let peeks: BTreeSet<_> = world
            .script
            .take()
            .into_iter()
            .filter(|call| call.starts_with("peek"))
            .collect();
        for peek in peeks {
            rows += 1;
            let world = World::new().await;
            let held = Held::by_anna(&world).await;
            let case = find(&held, name, by);
            world.script.break_at(peek, Intercept::Panic);
            assert_unavailable(
                &case.ask(&world, &held).await,
                &format!("{name} by {by:?}, {peek}"),
            );
            world.script.mend();
            assert_eq!(
                case.ask(&world, &held).await.status.as_u16(),
                case.status,
                "{name} by {by:?}, {peek}"
            );
        }
    }
    assert!(rows > 40, "only {rows} rows");
}

#[tokio::test(start_paused = true)]
async fn a_use_that_cannot_be_noted_refuses_nobody_and_is_noted_later() {
    for fault in FAULTS {
        let world = World::new().await;
        let held = Held::by_anna(&world).await;
        world.script.break_at("note_key_uses", fault);
        assert!(world.opens(held.key.key.expose()).await, "{fault:?}");
        settle().await;
        world.script.mend();
        // A write that hangs is given up.
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
        world.pass(60);
        settle().await;
        world.script.take();
        assert!(world.opens(held.key.key.expose()).await, "{fault:?}");
        settle().await;
        assert_eq!(
            counted(world.script.take()).get("note_key_uses"),
            Some(&1),
            "{fault:?}"
        );
    }
}

/// Lets what runs in the background run.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_event_hook_that_panics_is_500_and_the_next_request_is_served() {
    let mut rows = 0;
    for (name, by) in all().await {
        let (world, held) = world().await;
        let case = find(&held, name, by);
        case.ask(&world, &held).await;
        if world.events.take().is_empty() {
            continue; // nothing to tell of
        }
        rows += 1;
        let world = World::new().await;
        let held = Held::by_anna(&world).await;
        let case = find(&held, name, by);
        world.events.panic(true);
        let reply = case.ask(&world, &held).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (500, "internal_error"),
            "{name}"
        );
        for secret in held.secrets() {
            assert!(!reply.text().contains(&secret), "{name}");
        }
        world.events.panic(false);
        let next = world
            .post(
                "/token/",
                "",
                serde_json::json!({ "email": ANNA, "password": PASSWORD }),
            )
            .await;
        let changed = name == "change password";
        assert_eq!(
            next.status.as_u16(),
            if changed { 401 } else { 200 },
            "{name}"
        );
    }
    assert!(rows >= 14, "only {rows} rows");
}

#[tokio::test]
async fn a_refusal_that_the_hook_panics_at_is_500() {
    let world = World::new().await;
    world.events.panic(true);
    let wrong = serde_json::json!({ "email": ANNA, "password": "wrong" });
    assert_eq!(world.post("/token/", "", wrong).await.status, 500);
    assert_eq!(world.get("/users/", "").await.status, 500);
    world.events.panic(false);
    assert_eq!(world.get("/users/", "").await.status, 401);
}

/// Otherwise somebody would have two, one of which nobody knows, or none.
#[tokio::test]
async fn of_a_private_token_and_its_successor_one_is_good_whatever_fails() {
    for (fault, is_former) in [(Intercept::Fail, true), (Intercept::FailAfter, false)] {
        let (world, held) = world().await;
        world.script.break_at("commit", fault);
        let case = find(&held, "rotate a private token", By::Access);
        assert_unavailable(&case.ask(&world, &held).await, "rotated");
        let former = &held.private.record;
        let tokens = world
            .memory
            .list_private_tokens(&former.owner, None, 100)
            .await;
        let mut live = tokens.unwrap();
        live.retain(|token| token.revoked.is_none());
        assert_eq!(live.len(), 1, "{fault:?}");
        assert_eq!(live[0].id == former.id, is_former, "{fault:?}");
    }
}
