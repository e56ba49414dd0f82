//! API keys: made, rotated with an overlap, expired, and their use noted once a minute.

use crate::endpoints::world::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tower_auth::api_key::KeyIds;
use tower_auth::api_key::NewKey;
use tower_auth::event::Action;
use tower_auth::store::ManagedKeyStore;
use tower_auth::{KeyRequest, Principal, RejectionKind, Subject};

fn anna() -> Subject {
    Subject::user("7")
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn create(world: &World, change: impl FnOnce(KeyRequest) -> KeyRequest) -> NewKey {
    let creator = Principal::from(world.user("7").await);
    let request = KeyRequest::new(anna(), "ci");
    let keys = world.keys().on_behalf_of(&creator);
    keys.issue(change(request)).await.unwrap()
}

async fn rotate(world: &World, key: &NewKey, seconds: u64) -> Result<NewKey, RejectionKind> {
    let overlap = Duration::from_secs(seconds);
    let (owner, keys) = (anna(), world.keys());
    let rotated = keys.rotate(&owner, &key.record.id, overlap).await;
    rotated.map_err(|no| no.kind())
}

async fn opens(world: &World, key: &NewKey) -> bool {
    world.opens(key.key.expose()).await
}

#[tokio::test]
async fn a_rotated_key_works_until_the_overlap_is_over_and_its_successor_is_like_it() {
    let world = World::new().await;
    let old = create(&world, |key| {
        let key = key
            .scope("reports:read")
            .role("staff")
            .rate("9/min")
            .expires(seconds(NOW + 1_000));
        key.metadata(&json!({ "team": 3 })).unwrap()
    })
    .await;
    world.events.take();
    let new = rotate(&world, &old, 60).await.unwrap();
    assert_eq!(world.events.take(), [Action::KeyRotated]);
    assert!(opens(&world, &old).await && opens(&world, &new).await);
    let (was, is) = (&old.record, &new.record);
    assert_eq!(
        (&is.name, &is.owner, &is.scopes, &is.roles),
        (&was.name, &was.owner, &was.scopes, &was.roles)
    );
    assert_eq!(
        (is.rate, is.metadata::<Value>()),
        (Some("9/min".parse().unwrap()), Some(json!({ "team": 3 })))
    );
    assert_eq!((is.lineage(), is.expires), (&*was.id, was.expires));
    assert_ne!(
        (&is.id, &is.hint, new.key.expose()),
        (&was.id, &was.hint, old.key.expose())
    );
    let stored = world.keys().find(&anna(), &was.id).await.unwrap();
    assert_eq!(stored.successor.as_deref(), Some(&*is.id));
    world.pass(59);
    assert!(opens(&world, &old).await);
    world.pass(1);
    assert!(!opens(&world, &old).await && opens(&world, &new).await);
    let third = rotate(&world, &new, 0).await.unwrap();
    assert_eq!(
        third.record.lineage(),
        &*was.id,
        "one lineage, however often"
    );
    assert!(!opens(&world, &new).await && opens(&world, &third).await);
    world.pass(940);
    assert!(
        !opens(&world, &third).await,
        "the original expiry is everybody's"
    );
}

#[tokio::test]
async fn an_overlap_without_end_leaves_a_rotated_key_as_it_was() {
    let world = World::new().await;
    let old = create(&world, |key| key).await;
    let new = rotate(&world, &old, u64::MAX).await.unwrap();
    for years in [0, 1, 9, 40] {
        world.pass(years * 365 * 86_400);
        assert!(opens(&world, &old).await, "{years} years later");
        assert!(opens(&world, &new).await, "{years} years later");
    }
}

#[tokio::test]
async fn an_overlap_never_outlives_the_expiry_of_a_key() {
    let world = World::new().await;
    let old = create(&world, |key| key.expires(seconds(NOW + 100))).await;
    rotate(&world, &old, 1_000_000).await.unwrap();
    world.pass(99);
    assert!(opens(&world, &old).await);
    world.pass(1);
    assert!(!opens(&world, &old).await);
    // Through the endpoint an overlap is bounded: a key without expiry gets one.
    let pair = world.sign_in("7").await;
    let old = create(&world, |key| key).await;
    let path = format!("/api-keys/{}/rotate/", old.record.id);
    let most = 30 * 86_400_u64;
    for (overlap, status) in [(u64::MAX, 400), (most + 1, 400), (most, 201)] {
        let body = json!({ "overlap": overlap });
        let rotated = world.post(&path, &bearing(access(&pair)), body).await;
        assert_eq!(rotated.status, status, "{overlap}");
    }
    world.pass(most - 1);
    assert!(opens(&world, &old).await);
    world.pass(1);
    assert!(!opens(&world, &old).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_rotations_at_once_one_wins() {
    let world = World::new().await;
    let old = create(&world, |key| key).await;
    let mut all = JoinSet::new();
    for _ in 0..200 {
        let (keys, id) = (world.keys().clone(), old.record.id.clone());
        all.spawn(async move { keys.rotate(&anna(), &id, Duration::ZERO).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = all.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 199));
    assert!(
        lost.into_iter()
            .all(|lost| lost.unwrap_err().kind() == RejectionKind::NotFound)
    );
    assert!(opens(&world, &won.into_iter().next().unwrap().unwrap()).await);
    assert_eq!(
        world.keys().list(&anna()).await.unwrap().len(),
        2,
        "no loser is left behind"
    );
}

#[tokio::test]
async fn what_is_revoked_expired_or_rotated_is_not_rotated() {
    let world = World::new().await;
    let [revoked, rotated] = [
        create(&world, |key| key).await,
        create(&world, |key| key).await,
    ];
    let expired = create(&world, |key| key.expires(seconds(NOW + 10))).await;
    world
        .keys()
        .revoke(&anna(), &revoked.record.id)
        .await
        .unwrap();
    rotate(&world, &rotated, 60).await.unwrap();
    world.pass(10);
    for key in [&revoked, &expired, &rotated] {
        assert_eq!(
            rotate(&world, key, 60).await.unwrap_err(),
            RejectionKind::NotFound
        );
    }
    let of_ben = world
        .keys()
        .rotate(&Subject::user("8"), &rotated.record.id, Duration::ZERO)
        .await;
    assert_eq!(of_ben.unwrap_err().kind(), RejectionKind::NotFound);
    assert!(opens(&world, &rotated).await, "its overlap goes on");
}

#[tokio::test]
async fn a_key_grants_what_it_was_given_and_never_more_than_its_creator_has() {
    let world = World::new().await;
    let creator = Principal::from(world.user("7").await);
    let keys = world.keys().on_behalf_of(&creator);
    let ask = async |request: KeyRequest| keys.issue(request).await;
    let request = || KeyRequest::new(anna(), "ci");
    for (request, field) in [
        (request().scope("admin"), "scopes"),
        (
            request().scope("reports:read").scope("reports:delete"),
            "scopes",
        ),
        (request().role("admin"), "roles"),
        (request().expires(world.now()), "expires_at"),
        (KeyRequest::new(anna(), " "), "name"),
        (KeyRequest::new(anna(), "a\0b"), "name"),
        (KeyRequest::new(anna(), "x".repeat(201)), "name"),
    ] {
        let refusal = ask(request).await.unwrap_err();
        assert_eq!(
            (refusal.status().as_u16(), refusal.fields()[0].field()),
            (400, field)
        );
    }
    assert!(world.keys().list(&anna()).await.unwrap().is_empty());
    assert_eq!(
        ask(KeyRequest::new(anna(), "ß".repeat(200)))
            .await
            .unwrap()
            .record
            .name
            .chars()
            .count(),
        200
    );
}

#[tokio::test]
async fn the_last_use_of_a_key_and_of_a_private_token_is_written_once_a_minute_at_most() {
    let world = World::new().await;
    let (key, private) = (
        create(&world, |key| key).await,
        world.private_token("7").await,
    );
    let annas = bearing(access(&world.sign_in("7").await));
    let used = async || {
        for _ in 0..20 {
            assert!(opens(&world, &key).await && world.opens(private.token.expose()).await);
        }
        settle().await;
        let calls = counted(world.script.take());
        (
            calls.get("note_key_uses").copied(),
            calls.get("note_token_uses").copied(),
        )
    };
    let shown = async |path: &str| world.get(path, &annas).await.json()[0]["last_used"].clone();
    assert_eq!(
        (shown("/api-keys/").await, shown("/private-tokens/").await),
        (Value::Null, Value::Null)
    );
    world.script.take();
    assert_eq!(used().await, (Some(1), Some(1)));
    let first = json!("2027-01-15T08:00:00Z");
    assert_eq!(
        (shown("/api-keys/").await, shown("/private-tokens/").await),
        (first.clone(), first.clone())
    );
    world.pass(59);
    assert_eq!(used().await, (None, None));
    assert_eq!(shown("/api-keys/").await, first);
    world.pass(1);
    assert_eq!(used().await, (Some(1), Some(1)));
    let second = json!("2027-01-15T08:01:00Z");
    assert_eq!(
        (shown("/api-keys/").await, shown("/private-tokens/").await),
        (second.clone(), second)
    );
}

#[tokio::test]
async fn ids_are_random_uuids_or_count() {
    for (ids, is_one) in [
        (KeyIds::Random, (|id| id.len() == 22) as fn(&str) -> bool),
        (KeyIds::Uuid, |id| {
            id.len() == 36 && id.as_bytes()[14] == b'4'
        }),
        (KeyIds::Serial, |id| {
            id.parse::<u64>().is_ok_and(|id| (1..=3).contains(&id))
        }),
    ] {
        let plan = match ids {
            KeyIds::Uuid => Plan {
                keys: |keys| keys.ids(KeyIds::Uuid),
                ..Plan::default()
            },
            KeyIds::Serial => Plan {
                keys: |keys| keys.ids(KeyIds::Serial),
                ..Plan::default()
            },
            _ => Plan::default(),
        };
        let world = World::of(plan).await;
        let old = create(&world, |key| key).await;
        let made = [
            rotate(&world, &old, 60).await.unwrap(),
            create(&world, |key| key).await,
            old,
        ];
        let different: BTreeSet<_> = made.iter().map(|key| &*key.record.id).collect();
        assert!(
            different.len() == 3 && different.iter().all(|id| is_one(id)),
            "{different:?}"
        );
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_digest_alone_and_stored_with_what_was_asked() {
    let world = World::new().await;
    let key = create(&world, |key| key.scope("reports:read")).await;
    let stored = world.memory.list_keys(&anna(), None, 1_000).await.unwrap();
    assert_eq!(*stored[0], key.record);
    assert_eq!(stored[0].digest, world.keys().digest(key.key.expose()));
    let raw = key.key.expose();
    let last = raw.len() - 1;
    for wrong in [
        &raw[..last],
        &format!("{raw}0"),
        &raw.to_uppercase(),
        &raw[6..],
        &stored[0].hint,
        &stored[0].id,
    ] {
        let wrong: String = wrong.chars().filter(char::is_ascii).collect();
        assert!(!world.opens(&wrong).await, "{wrong}");
    }
}
