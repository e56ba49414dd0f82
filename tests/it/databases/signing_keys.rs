//! Keys of our own that rotate: made, published, used and removed by a schedule, on which the nodes
//! of a service agree through their store.

use super::support::*;
use crate::support::*;
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tower::ServiceExt;
use tower_auth::clock::Clock;
use tower_auth::endpoint::{Endpoints, IssuerMetadata, Jwks};
use tower_auth::event::Action;
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::{JwtAlgorithm, JwtKey, KeyRotation, SigningKey};
use tower_auth::store::{Memory, SigningKeyRecord, SigningKeyStore, Sqlite, Store, Stores};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::{AuthLayer, ConfigProblem, Grant, Jwt, Realm, Rejection, TokenIssuer, Tokens};

const OURS: &str = "https://api.example.com";
/// For tests only.
const SEAL: &str = "w8Lq2Zn5Xc7Vb9Mm1Kk3Jj4Hh6Gg0Ff!";
/// For tests only.
const OTHER_SEAL: &str = "q1We3Rt5Yz7Ui9Op2As4Df6Gh8Jk0Lx!";
const START: u64 = 1_700_000_000;
const DAY: Duration = Duration::from_secs(24 * 3_600);
const MINUTE: Duration = Duration::from_secs(60);

/// Keys that sign for 30 days and are published a day before.
fn rotation() -> KeyRotation {
    KeyRotation::new(JwtAlgorithm::Es256).sealed_with(SEAL)
}

/// Tokens of which the longest-lived live for 20 days.
fn tokens(rotation: KeyRotation) -> Tokens {
    Tokens::rotating(rotation)
        .issuer(OURS)
        .refresh_lifetime(10 * DAY)
        .private_lifetime(20 * DAY)
}

/// One node of a service.
struct Node {
    tokens: TokenIssuer,
    auth: AuthLayer,
    clock: ManualClock,
}

impl Node {
    fn of(stores: impl Into<Stores>, clock: &ManualClock) -> Self {
        Self::with(stores, clock, tokens(rotation()))
    }

    fn with(stores: impl Into<Stores>, clock: &ManualClock, tokens: Tokens) -> Self {
        let realm = Realm::new(stores).clock(clock.clone());
        // Generous, because the machine of a test may be busy.
        let realm = realm.store_deadline(Duration::from_secs(9));
        Self::in_realm(realm, clock, tokens)
    }

    fn in_realm(realm: Realm, clock: &ManualClock, tokens: Tokens) -> Self {
        let tokens = realm.tokens(tokens);
        let auth = AuthLayer::builder().accept(&tokens).build().unwrap();
        Self {
            tokens,
            auth,
            clock: clock.clone(),
        }
    }

    async fn try_issue(&self) -> Result<String, Rejection> {
        let grant = Grant::new(tower_auth::Subject::user("7"));
        let pair = self.tokens.issue(grant).await?;
        Ok(pair.access().expose().clone())
    }

    async fn issue(&self) -> String {
        self.try_issue().await.unwrap()
    }

    /// The longest-lived token that there may be.
    async fn issue_private(&self) -> String {
        let grant = Grant::new(tower_auth::Subject::user("7"));
        let expires = self.clock.now() + 20 * DAY;
        let new = self.tokens.issue_private(grant, "ci", expires).await;
        new.unwrap().token.expose().clone()
    }

    async fn answers(&self, token: &str) -> u16 {
        send(&self.auth, bearer(token)).await.status.as_u16()
    }

    /// The ids in the JWKS.
    async fn published(&self) -> Vec<String> {
        let set = self.tokens.jwks().await.unwrap();
        let set: Value = serde_json::from_slice(&set).unwrap();
        let ids = set["keys"].as_array().unwrap().iter().map(|key| {
            assert!(key.get("d").is_none(), "a private key is published");
            key["kid"].as_str().unwrap().to_owned()
        });
        ids.collect()
    }
}

fn kid(token: &str) -> String {
    let head = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap());
    let head: Value = serde_json::from_slice(&head.unwrap()).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

async fn stored(store: &impl SigningKeyStore) -> Vec<SigningKeyRecord> {
    let keys = store.list_signing_keys(OURS).await.unwrap();
    keys.iter()
        .map(|key| SigningKeyRecord::clone(key))
        .collect()
}

/// All that an error says.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// Each kind of store, as four nodes see one and the same.
async fn each_store(dir: &Dir) -> Vec<(&'static str, [Store; 4])> {
    let memory = Store::from(Memory::new());
    let file = dir.file();
    let open = async || Store::from(Sqlite::open_with(&file, options()).await.unwrap());
    let sqlite = [open().await, open().await, open().await, open().await];
    let url = schema().await;
    let connect = async || Store::from(node(&url, options()).await);
    let postgres = [
        connect().await,
        connect().await,
        connect().await,
        connect().await,
    ];
    for store in [&sqlite[0], &postgres[0]] {
        store.migrate().await.unwrap();
    }
    let memory = [(); 4].map(|()| memory.clone());
    vec![
        ("memory", memory),
        ("SQLite", sqlite),
        ("PostgreSQL", postgres),
    ]
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_verifies_until_its_last_token_has_expired() {
    let dir = Dir::new();
    for (name, [store, other, ..]) in each_store(&dir).await {
        let clock = ManualClock::new(START);
        let start = clock.now();
        let (one, two) = (Node::of(store.clone(), &clock), Node::of(other, &clock));
        let first = kid(&one.issue().await);
        assert_eq!(kid(&two.issue().await), first, "{name}");
        assert_eq!(two.published().await, [&*first], "{name}");

        clock.advance(28 * DAY + 22 * 60 * MINUTE);
        assert_eq!(one.published().await, [&*first], "{name}: too early");
        clock.advance(60 * MINUTE + 2 * MINUTE);
        let published = two.published().await;
        assert_eq!(published.len(), 2, "{name}");
        assert_eq!(one.published().await, published, "{name}");
        let second = published[1].clone();
        let record = &stored(&store).await[1];
        assert_eq!(record.signs_from, start + 30 * DAY, "{name}");
        assert!(record.signs_from >= record.created + DAY, "{name}");

        clock.set(START + 30 * DAY.as_secs() - 1);
        for node in [&one, &two] {
            assert_eq!(kid(&node.issue().await), first, "{name}: too early");
        }
        let last = two.issue_private().await;
        assert_eq!(kid(&last), first, "{name}");
        clock.set(START + 30 * DAY.as_secs());
        for node in [&one, &two] {
            assert_eq!(kid(&node.issue().await), second, "{name}: too late");
        }

        clock.set(START + 50 * DAY.as_secs() - 2);
        for node in [&one, &two] {
            assert_eq!(node.answers(&last).await, 200, "{name}");
            let published = node.published().await;
            assert!(published.contains(&first), "{name}: {published:?}");
        }
        // A minute by which clocks may differ, and one in which the former set may be served.
        clock.advance(3 * MINUTE);
        for node in [&one, &two] {
            assert_eq!(node.answers(&last).await, 401, "{name}");
            assert_eq!(node.published().await, [&*second], "{name}");
        }
        let left = stored(&store).await;
        assert_eq!(left.len(), 1, "{name}: it was not removed");
        assert_eq!(*left[0].id, *second, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_nodes_that_start_at_once_agree_on_one_key() {
    let dir = Dir::new();
    for (name, stores) in each_store(&dir).await {
        let clock = ManualClock::new(START);
        let told = Arc::new(AtomicUsize::new(0));
        let nodes = stores.clone().map(|store| {
            let told = Arc::clone(&told);
            let realm = Realm::new(store)
                .clock(clock.clone())
                .store_deadline(Duration::from_secs(9))
                .on_event(move |event| {
                    let is_made = event.action() == Action::SigningKeyCreated;
                    told.fetch_add(usize::from(is_made), Ordering::SeqCst);
                });
            Arc::new(Node::in_realm(realm, &clock, tokens(rotation())))
        });
        let tasks = nodes.clone().map(|node| {
            // All of them, and several requests each.
            [(); 4].map(|()| {
                let node = Arc::clone(&node);
                tokio::spawn(async move { node.issue().await })
            })
        });
        let mut all = Vec::new();
        for task in tasks.into_iter().flatten() {
            all.push(task.await.unwrap());
        }
        let ids: BTreeSet<String> = all.iter().map(|token| kid(token)).collect();
        assert_eq!(ids.len(), 1, "{name}");
        assert_eq!(stored(&stores[0]).await.len(), 1, "{name}");
        let told = told.load(Ordering::SeqCst);
        assert_eq!(told, 1, "{name}: told by who lost");
        for node in &nodes {
            for token in &all {
                assert_eq!(node.answers(token).await, 200, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_signed_by_a_node_that_is_ahead_is_accepted_by_the_first_request() {
    let dir = Dir::new();
    for (name, [store, other, ..]) in each_store(&dir).await {
        let (ahead, behind) = (ManualClock::new(START), ManualClock::new(START));
        let (ahead_of, node) = (Node::of(store, &ahead), Node::of(other, &behind));
        node.issue().await;
        // A node that sleeps through the whole time in which the next key is published.
        ahead.advance(29 * DAY);
        ahead_of.issue().await;
        ahead.advance(DAY);
        let token = ahead_of.issue().await;
        assert_eq!(node.answers(&token).await, 200, "{name}");
        assert!(node.tokens.verify(&token).await.is_ok(), "{name}");
    }
}

/// Half a minute apart, for a hundred days, looking at odd times.
#[tokio::test]
async fn tokens_of_either_node_are_good_at_both_though_their_clocks_differ() {
    let dir = Dir::new();
    for (name, [store, other, ..]) in each_store(&dir).await {
        let (early, late) = (ManualClock::new(START + 30), ManualClock::new(START));
        let nodes = [Node::of(store.clone(), &early), Node::of(other, &late)];
        let mut kids = BTreeSet::new();
        let mut last: Vec<(SystemTime, String)> = Vec::new();
        let hours = [7, 1, 20, 3, 50, 9, 24, 13];
        for at in (0..240).map(|n| hours[n % hours.len()]).take(110) {
            for node in &nodes {
                let token = node.issue().await;
                kids.insert(kid(&token));
                for other in &nodes {
                    assert_eq!(other.answers(&token).await, 200, "{name}");
                }
                let private = node.issue_private().await;
                last.push((node.clock.now() + 20 * DAY, private));
            }
            for clock in [&early, &late] {
                clock.advance(Duration::from_secs(at * 3_600 + 11));
            }
            last.retain(|(expires, _)| *expires > early.now());
            for (_, token) in &last {
                assert_eq!(nodes[1].answers(token).await, 200, "{name}");
            }
        }
        assert!(kids.len() >= 3, "{name}: {kids:?}");
        assert!(stored(&store).await.len() <= 4, "{name}: none is removed");
    }
}

#[tokio::test]
async fn a_node_that_was_down_for_longer_than_the_schedule_publishes_before_it_signs_anew() {
    let store = Memory::new();
    let clock = ManualClock::new(START);
    let first = kid(&Node::of(store.clone(), &clock).issue().await);
    // Past its time, and before its last token could expire.
    clock.advance(45 * DAY);
    let node = Node::of(store.clone(), &clock);
    let token = node.issue_private().await;
    assert_eq!(
        kid(&token),
        first,
        "it goes on until its successor is known"
    );
    let published = node.published().await;
    assert_eq!(published.len(), 2);
    clock.advance(DAY);
    assert_eq!(kid(&node.issue().await), published[1]);
    clock.advance(19 * DAY - MINUTE);
    assert_eq!(
        node.answers(&token).await,
        200,
        "it was forgotten too early"
    );
    // Nobody has a good token any more: then nothing has to be waited for.
    clock.advance(400 * DAY);
    let node = Node::of(store.clone(), &clock);
    let new = kid(&node.issue().await);
    assert!(!published.contains(&new));
    let left: Vec<u32> = stored(&store).await.iter().map(|key| key.serial).collect();
    assert_eq!(left, [3], "serials go on");
}

/// A store of signing keys that fails at one call, while it is told to.
fn failing(memory: &Memory, call: &'static str, fault: Intercept) -> (Stores, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(false));
    let is_failing = Arc::clone(&fails);
    let keys = Intercepted::new(memory.clone(), move |name| {
        if name == call && is_failing.load(Ordering::SeqCst) {
            fault
        } else {
            Intercept::Pass
        }
    });
    (Stores::from(memory.clone()).signing_keys(keys), fails)
}

#[tokio::test]
async fn while_the_store_fails_at_any_call_the_held_key_signs_until_its_time_is_over() {
    for call in [
        "list_signing_keys",
        "insert_signing_key",
        "replace_signing_key",
        "forget_signing_keys",
    ] {
        for fault in [Intercept::Fail, Intercept::Hang, Intercept::Panic] {
            let (memory, clock) = (Memory::new(), ManualClock::new(START));
            let (stores, fails) = failing(&memory, call, fault);
            let realm = Realm::new(stores).clock(clock.clone());
            let realm = realm.store_deadline(Duration::from_millis(20));
            let node = Node::in_realm(realm, &clock, tokens(rotation()));
            let first = kid(&node.issue().await);
            fails.store(true, Ordering::SeqCst);
            let what = format!("{call}: {fault:?}");
            clock.advance(30 * DAY - MINUTE);
            let token = node.issue().await;
            assert_eq!(kid(&token), first, "{what}");
            assert_eq!(node.answers(&token).await, 200, "{what}");
            clock.advance(MINUTE);
            let is_needed = matches!(call, "list_signing_keys" | "insert_signing_key");
            if is_needed {
                let refused = node.try_issue().await.unwrap_err();
                assert_eq!(refused.status().as_u16(), 503, "{what}");
                assert!(refused.retry_after().is_some(), "{what}");
                assert_eq!(node.answers(&token).await, 200, "{what}: it verifies");
            }
            fails.store(false, Ordering::SeqCst);
            clock.advance(10 * MINUTE);
            node.issue().await;
            clock.advance(2 * DAY);
            assert_ne!(kid(&node.issue().await), first, "{what}: it goes on");
        }
    }
}

#[tokio::test]
async fn a_first_start_without_a_store_is_503_and_recovers() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let (stores, fails) = failing(&memory, "insert_signing_key", Intercept::Fail);
    fails.store(true, Ordering::SeqCst);
    let node = Node::of(stores, &clock);
    assert_eq!(node.try_issue().await.unwrap_err().status().as_u16(), 503);
    assert!(node.tokens.jwks().await.is_err());
    fails.store(false, Ordering::SeqCst);
    clock.advance(MINUTE);
    let token = node.issue().await;
    assert_eq!(node.answers(&token).await, 200);
}

/// The answer to each call that writes is lost, and the node with it.
#[tokio::test]
async fn what_a_node_began_before_it_was_killed_another_node_takes_over() {
    for call in [
        "insert_signing_key",
        "replace_signing_key",
        "forget_signing_keys",
    ] {
        for fault in [Intercept::Fail, Intercept::FailAfter] {
            let (memory, clock) = (Memory::new(), ManualClock::new(START));
            let first = kid(&Node::of(memory.clone(), &clock).issue().await);
            // The next one is to be made, and this one kept for longer; later it is removed.
            let days = if call == "forget_signing_keys" {
                52
            } else {
                33
            };
            if days > 50 {
                clock.advance(29 * DAY);
                Node::of(memory.clone(), &clock).issue().await;
                clock.advance(23 * DAY);
            } else {
                clock.advance(33 * DAY);
            }
            let (stores, fails) = failing(&memory, call, fault);
            fails.store(true, Ordering::SeqCst);
            let killed = Node::of(stores, &clock);
            let _ = killed.try_issue().await;
            drop(killed);
            let what = format!("{call}: {fault:?}");
            let heir = Node::of(memory.clone(), &clock);
            let token = heir.issue().await;
            assert_eq!(heir.answers(&token).await, 200, "{what}");
            let left = stored(&memory).await;
            if days > 50 {
                assert!(left.iter().all(|key| *key.id != *first), "{what}");
                continue;
            }
            assert_eq!(left.len(), 2, "{what}");
            assert_eq!(kid(&token), first, "{what}");
            let kept = left[1].signs_from + 20 * DAY + MINUTE;
            assert_eq!(left[0].forgotten_at, kept, "{what}");
        }
    }
}

#[tokio::test]
async fn a_key_that_does_not_open_is_an_error_that_names_it_and_never_a_new_key() {
    let dir = Dir::new();
    for (name, [store, other, ..]) in each_store(&dir).await {
        let clock = ManualClock::new(START);
        let token = Node::of(store.clone(), &clock).issue().await;
        let before = stored(&store).await;
        let sealed_otherwise = KeyRotation::new(JwtAlgorithm::Es256).sealed_with(OTHER_SEAL);
        let node = Node::with(other, &clock, tokens(sealed_otherwise));
        let refused = node.try_issue().await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 503, "{name}");
        let said = chain(&refused);
        assert!(said.contains(&kid(&token)), "{name}: {said}");
        assert_eq!(node.answers(&token).await, 503, "{name}");
        clock.advance(40 * DAY);
        assert!(node.try_issue().await.is_err(), "{name}");
        assert_eq!(
            stored(&store).await,
            before,
            "{name}: something was written"
        );
    }
}

#[tokio::test]
async fn whoever_can_write_the_store_can_change_nothing_of_a_key() {
    let clock = ManualClock::new(START);
    let other = Memory::new();
    Node::of(other.clone(), &clock).issue().await;
    let foreign = stored(&other).await.remove(0);
    type Change = fn(&mut SigningKeyRecord, &SigningKeyRecord);
    let changes: [(&str, Change); 8] = [
        ("algorithm", |key, _| key.algorithm = "ES384".into()),
        ("created", |key, _| key.created += MINUTE),
        ("signs_from", |key, _| key.signs_from -= DAY),
        ("signs_until", |key, _| key.signs_until += 400 * DAY),
        ("forgotten_at", |key, _| key.forgotten_at += 400 * DAY),
        ("sealed", |key, _| key.sealed[20] ^= 1),
        ("another's key", |key, foreign| {
            key.sealed.clone_from(&foreign.sealed);
        }),
        ("nothing sealed", |key, _| key.sealed = Box::default()),
    ];
    for (name, change) in changes {
        let memory = Memory::new();
        let token = Node::of(memory.clone(), &clock).issue().await;
        let former = stored(&memory).await.remove(0);
        let mut next = former.clone();
        change(&mut next, &foreign);
        assert_ne!(next, former, "{name}");
        memory.replace_signing_key(&former, next).await.unwrap();
        let node = Node::of(memory.clone(), &clock);
        let refused = node.try_issue().await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 503, "{name}");
        assert!(chain(&refused).contains(&*former.id), "{name}");
        assert_eq!(node.answers(&token).await, 503, "{name}");
    }
    // Nor its place, nor whose it is.
    for (name, issuer, serial) in [("serial", OURS, 2), ("issuer", "https://other.example", 1)] {
        let memory = Memory::new();
        Node::of(memory.clone(), &clock).issue().await;
        let mut moved = stored(&memory).await.remove(0);
        let far = moved.forgotten_at;
        memory.forget_signing_keys(OURS, far).await.unwrap();
        moved.issuer = issuer.into();
        moved.serial = serial;
        memory.insert_signing_key(moved).await.unwrap();
        let node = Node::with(memory, &clock, tokens(rotation()).issuer(issuer));
        let refused = node.try_issue().await.unwrap_err();
        assert_eq!(refused.status().as_u16(), 503, "{name}");
    }
}

#[tokio::test]
async fn the_sealing_secret_is_replaced_step_by_step_and_no_key_is_lost() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let sealed = |secret| KeyRotation::new(JwtAlgorithm::EdDsa).sealed_with(secret);
    let with = |rotation| Node::with(memory.clone(), &clock, tokens(rotation));
    let token = with(sealed(SEAL)).issue().await;
    // All nodes open with both, and some seal with the new one already.
    let prepared = with(sealed(SEAL).also_opened_with(OTHER_SEAL));
    let changed = with(sealed(OTHER_SEAL).also_opened_with(SEAL));
    for node in [&prepared, &changed, &prepared, &changed] {
        assert_eq!(kid(&node.issue().await), kid(&token));
        clock.advance(DAY);
    }
    changed.issue().await;
    // The former one is needed no more, and opens nothing.
    let done = with(sealed(OTHER_SEAL));
    assert_eq!(kid(&done.issue().await), kid(&token));
    assert!(with(sealed(SEAL)).try_issue().await.is_err());
    assert_eq!(stored(&memory).await.len(), 1);
}

#[tokio::test]
async fn lifetimes_that_grow_keep_the_key_for_longer_before_it_signs_for_them() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    Node::of(memory.clone(), &clock).issue().await;
    let longer = tokens(rotation()).private_lifetime(200 * DAY);
    let node = Node::with(memory.clone(), &clock, longer);
    let grant = Grant::new(tower_auth::Subject::user("7"));
    let expires = clock.now() + 200 * DAY;
    let new = node.tokens.issue_private(grant, "ci", expires).await;
    let token = new.unwrap().token.expose().clone();
    // Nodes with the former lifetimes beside it do not forget it either.
    let former = Node::of(memory.clone(), &clock);
    for _ in 0..199 {
        clock.advance(DAY);
        former.issue().await;
    }
    assert_eq!(former.answers(&token).await, 200);
    assert_eq!(node.answers(&token).await, 200);
}

#[tokio::test]
async fn each_key_that_is_made_or_removed_is_told_once() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let told: Arc<Mutex<Vec<(&str, String)>>> = Arc::default();
    let nodes = [(); 2].map(|()| {
        let told = Arc::clone(&told);
        let realm = Realm::new(memory.clone())
            .clock(clock.clone())
            .on_event(move |event| {
                let name = event.action().name();
                if name.starts_with("signing key") {
                    let id = event.id().unwrap().to_owned();
                    told.lock().unwrap().push((name, id));
                }
            });
        Node::in_realm(realm, &clock, tokens(rotation()))
    });
    let mut kids: Vec<String> = Vec::new();
    for _ in 0..52 {
        for node in &nodes {
            let kid = kid(&node.issue().await);
            if !kids.contains(&kid) {
                kids.push(kid);
            }
        }
        clock.advance(DAY);
    }
    let [first, second] = &*kids else {
        panic!("{kids:?}")
    };
    let expected = [
        ("signing key created", first.clone()),
        ("signing key created", second.clone()),
        ("signing key removed", first.clone()),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test]
async fn an_issuer_moves_from_its_own_key_to_rotation_without_signing_anybody_out() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let before = Tokens::new(SigningKey::hs256(SECRET)).issuer(OURS);
    let before = Node::with(memory.clone(), &clock, before);
    let token = before.issue().await;
    let after = tokens(rotation()).retired_key(JwtKey::hs256(SECRET));
    let after = Node::with(memory.clone(), &clock, after);
    assert_eq!(after.answers(&token).await, 200);
    let new = after.issue().await;
    assert_eq!(after.answers(&new).await, 200);
    assert_eq!(after.published().await, [kid(&new)], "no secret is shown");
    let alone = Node::of(memory, &clock);
    assert_eq!(alone.answers(&token).await, 401);
}

/// What others see of a node.
fn endpoints_of(node: &Node) -> Endpoints {
    let endpoints = node
        .auth
        .endpoints()
        .mount("/.well-known/jwks.json", Jwks::of(&node.tokens))
        .mount(
            "/.well-known/openid-configuration",
            IssuerMetadata::of(&node.tokens),
        )
        .mount(
            "/.well-known/oauth-authorization-server",
            IssuerMetadata::of(&node.tokens).jwks_uri("https://keys.example.com/jwks"),
        );
    endpoints.build().unwrap()
}

/// A request of a path at the endpoints of a node, with further fields.
async fn got(node: &Node, method: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut request = request(method, fields);
    *request.uri_mut() = path.parse().unwrap();
    reply(endpoints_of(node).oneshot(request).await.unwrap()).await
}

/// Asks a node, whatever host is asked for.
struct AtNode(Endpoints);

#[async_trait]
impl Fetch for AtNode {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _longest: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let request = request.map(Full::new);
        let answer = reply(self.0.clone().oneshot(request).await.unwrap()).await;
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

#[tokio::test]
async fn another_service_verifies_our_tokens_by_the_issuers_name_through_all_rotations() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let node = Node::with(memory, &clock, tokens(rotation()).audience("reports"));
    let theirs = Jwt::oidc(OURS)
        .audience("reports")
        .fetcher(AtNode(endpoints_of(&node)));
    let realm = Realm::new(Stores::new()).clock(clock.clone());
    let service = AuthLayer::builder().realm(&realm).accept(theirs).build();
    let service = service.unwrap();
    let mut kids = BTreeSet::new();
    for _ in 0..70 {
        let token = node.issue().await;
        kids.insert(kid(&token));
        let answer = send(&service, bearer(&token)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        clock.advance(DAY);
    }
    assert_eq!(kids.len(), 3);
    let other = Node::with(
        Memory::new(),
        &clock,
        tokens(rotation()).audience("reports"),
    );
    let answer = send(&service, bearer(&other.issue().await)).await;
    assert_eq!(
        answer.status.as_u16(),
        401,
        "of the same name, with other keys"
    );
}

#[tokio::test]
async fn the_keys_are_published_with_the_next_one_and_may_be_kept_for_less_than_it_waits() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let hour = Duration::from_secs(3_600);
    const JWKS: &str = "/.well-known/jwks.json";
    for (before, max_age) in [(DAY, 3_600), (hour, 1_800), (10 * MINUTE, 300)] {
        let rotation = rotation().published_before(before);
        let node = Node::with(Memory::new(), &clock, tokens(rotation));
        let answer = got(&node, "GET", JWKS, &[]).await;
        let expected = format!("public, max-age={max_age}");
        assert_eq!(answer.headers["cache-control"], &*expected);
    }
    let node = Node::of(memory, &clock);
    let first = got(&node, "GET", JWKS, &[]).await;
    assert_eq!(first.json()["keys"].as_array().unwrap().len(), 1);
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    for method in ["GET", "HEAD"] {
        let again = got(&node, method, JWKS, &[("if-none-match", &tag)]).await;
        assert_eq!(again.status.as_u16(), 304, "{method}");
        assert!(again.body.is_empty(), "{method}");
        for absent in ["content-type", "content-length"] {
            assert!(!again.headers.contains_key(absent), "{method}: {absent}");
        }
        for name in ["etag", "cache-control"] {
            assert_eq!(again.headers[name], first.headers[name], "{method}: {name}");
        }
    }
    clock.advance(29 * DAY);
    let next = got(&node, "GET", JWKS, &[("if-none-match", &tag)]).await;
    assert_eq!(next.status.as_u16(), 200, "they are others");
    let keys = next.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let members: BTreeSet<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(|name| &**name)
            .collect();
        let public = ["alg", "crv", "kid", "kty", "use", "x", "y"];
        assert_eq!(members, BTreeSet::from(public));
    }
    // Keys of the operator's own may be kept for 5 minutes.
    let fixed = Tokens::new(SigningKey::hs256(SECRET)).issuer(OURS);
    let node = Node::with(Memory::new(), &clock, fixed);
    let answer = got(&node, "GET", JWKS, &[]).await;
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
}

#[tokio::test]
async fn the_metadata_of_an_issuer_say_who_it_is_and_where_its_keys_are() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let node = Node::of(memory.clone(), &clock);
    for (path, keys) in [
        (
            "/.well-known/openid-configuration",
            "https://api.example.com/.well-known/jwks.json",
        ),
        (
            "/.well-known/oauth-authorization-server",
            "https://keys.example.com/jwks",
        ),
    ] {
        let answer = got(&node, "GET", path, &[]).await;
        let expected = serde_json::json!({
            "issuer": OURS,
            "jwks_uri": keys,
            "response_types_supported": [],
            "grant_types_supported": [],
        });
        assert_eq!(answer.json(), expected, "{path}");
        let tag = answer.headers["etag"].to_str().unwrap();
        let again = got(&node, "GET", path, &[("if-none-match", tag)]).await;
        assert_eq!(again.status.as_u16(), 304, "{path}");
    }
    for (issuer, keys) in [
        ("our service", "https://api.example.com/jwks"),
        (
            "https://api.example.com/?tenant=1",
            "https://api.example.com/jwks",
        ),
        (OURS, "/jwks"),
    ] {
        let tokens = tokens(rotation()).issuer(issuer);
        let node = Node::with(memory.clone(), &clock, tokens);
        let metadata = IssuerMetadata::of(&node.tokens).jwks_uri(keys);
        let built = node.auth.endpoints().mount("/metadata", metadata).build();
        let error = built.unwrap_err();
        assert_eq!(error.problems(), [ConfigProblem::IssuerUrl], "{issuer}");
    }
}

#[tokio::test]
async fn every_algorithm_that_can_be_made_signs_and_verifies() {
    use JwtAlgorithm as A;
    for algorithm in [A::Es256, A::Es384, A::EdDsa, A::Rs256, A::Ps256] {
        let (memory, clock) = (Memory::new(), ManualClock::new(START));
        let rotation = KeyRotation::new(algorithm).sealed_with(SEAL);
        if cfg!(not(feature = "aws-lc-rs")) && algorithm.name().ends_with("S256") {
            continue;
        }
        let node = Node::with(memory.clone(), &clock, tokens(rotation.clone()));
        let token = node.issue().await;
        // Of another node, which has opened it.
        let other = Node::with(memory, &clock, tokens(rotation));
        assert_eq!(other.answers(&token).await, 200, "{algorithm:?}");
    }
}

#[tokio::test]
async fn nothing_that_is_printed_or_stored_of_a_rotation_can_be_used() {
    let (memory, clock) = (Memory::new(), ManualClock::new(START));
    let rotation = rotation().also_opened_with(OTHER_SEAL);
    let tokens = tokens(rotation.clone());
    let printed = format!("{rotation:?} {rotation:#?} {tokens:?} {tokens:#?}");
    let node = Node::with(memory.clone(), &clock, tokens);
    node.issue().await;
    let record = stored(&memory).await.remove(0);
    let printed = format!("{printed} {:?} {record:?} {record:#?}", node.tokens);
    for secret in [SEAL, OTHER_SEAL] {
        assert!(!printed.contains(&secret[..8]), "{printed}");
    }
    let sealed = format!("{:?}", record.sealed);
    let inner = sealed.trim_matches(['[', ']']);
    assert!(!printed.contains(&inner[..40]), "{printed}");
    // It is no key, neither as it is nor without what may stand before and after it.
    let SigningKeyRecord { sealed, .. } = record;
    for from in 0..sealed.len() {
        let key = SigningKey::pkcs8_der(JwtAlgorithm::Es256, &sealed[from..]);
        let tokens = Tokens::new(key).issuer(OURS);
        assert_eq!(problems(Memory::new(), tokens).len(), 1, "{from}");
    }
}

fn problems(stores: impl Into<Stores>, tokens: Tokens) -> Vec<ConfigProblem> {
    let tokens = Realm::new(stores).tokens(tokens);
    let built = AuthLayer::builder().accept(&tokens).build();
    built.unwrap_err().problems().to_vec()
}

#[tokio::test]
async fn every_mistake_in_a_rotation_is_told_by_build() {
    use JwtAlgorithm as A;
    let memory = Memory::new;
    let hour = 60 * MINUTE;
    for (name, rotation, expected) in [
        (
            "no secret",
            KeyRotation::new(A::Es256),
            ConfigProblem::SealingSecret,
        ),
        (
            "a short secret",
            KeyRotation::new(A::Es256).sealed_with("short"),
            ConfigProblem::SealingSecret,
        ),
        (
            "a former secret that can be guessed",
            rotation().also_opened_with([0; 64]),
            ConfigProblem::SealingSecret,
        ),
        (
            "published too late",
            rotation().published_before(9 * MINUTE),
            ConfigProblem::RotationTimes,
        ),
        (
            "published before its predecessor signs",
            rotation().every(hour).published_before(2 * hour),
            ConfigProblem::RotationTimes,
        ),
    ] {
        let found = problems(memory(), tokens(rotation));
        assert_eq!(found, [expected], "{name}");
    }
    for algorithm in [A::Hs256, A::Hs384, A::Hs512] {
        let shared = KeyRotation::new(algorithm).sealed_with(SEAL);
        let found = problems(memory(), tokens(shared));
        let [ConfigProblem::Key { reason, .. }] = &*found else {
            panic!("{found:?}")
        };
        assert_eq!(*reason, "the algorithm has no key pairs");
    }
    let next = tokens(rotation()).next_key(SigningKey::hs256(SECRET));
    assert_eq!(problems(memory(), next), [ConfigProblem::NextKeyOfRotation]);
    let no_store = Stores::new().private_tokens(Memory::new());
    assert_eq!(
        problems(no_store, tokens(rotation())),
        [ConfigProblem::NoStore("signing keys")]
    );
    // All at once, and what is wrong with the rest as well.
    let all = Tokens::rotating(KeyRotation::new(A::Hs256).every(MINUTE));
    let found = problems(Stores::new(), all);
    assert_eq!(found.len(), 6, "{found:?}");
}
