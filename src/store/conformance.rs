//! Checks that a store keeps its promises: for the stores of this crate and for those of applications.
//!
//! Each promise runs on a store of its own that the test makes, directly and through `Arc<dyn …>`:
//!
//! ```
//! use tower_auth::store::{Memory, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! conformance::key_store(async || Memory::new()).await;
//! conformance::user_store(async || Memory::new()).await;
//! # });
//! ```
//!
//! # Panics
//!
//! Every function here panics when a promise is broken, and says which.

#![expect(clippy::unwrap_used, reason = "a broken promise panics: that is what it is for")]

use super::{KeyDigest, KeyRecord, KeyStore, Peek, StoreError, StoreErrorKind, UserRecord, UserStore};
use crate::principal::Subject;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Checks a [`KeyStore`]. `fresh` makes an empty one, as often as it is called.
pub async fn key_store<S: KeyStore>(fresh: impl AsyncFn() -> S) {
    keys_direct(&fresh().await, &fresh().await, &fresh().await).await;
    let erased = |store: S| -> Arc<dyn KeyStore> { Arc::new(store) };
    keys_direct(&erased(fresh().await), &erased(fresh().await), &erased(fresh().await)).await;
}

async fn keys_direct<S: KeyStore>(a: &S, b: &S, c: &S) {
    an_inserted_key_is_found_as_it_was(a).await;
    an_unknown_key_is_absent(a).await;
    a_digest_is_found_only_under_its_algorithm(a).await;
    a_taken_id_or_digest_writes_nothing(b).await;
    keys_are_listed_for_their_owner_alone_oldest_first(c).await;
    a_revoked_key_stays_and_keeps_its_first_time(c).await;
    nobody_revokes_anothers_key(c).await;
    odd_texts_are_kept_as_they_are(c).await;
    one_of_many_concurrent_inserts_of_a_digest_wins(c).await;
}

/// Checks a [`UserStore`]. `fresh` makes an empty one, as often as it is called.
pub async fn user_store<S: UserStore>(fresh: impl AsyncFn() -> S) {
    users_direct(&fresh().await).await;
    let shared: Arc<dyn UserStore> = Arc::new(fresh().await);
    users_direct(&shared).await;
}

async fn users_direct(store: &impl UserStore) {
    an_inserted_user_is_found_by_each_name(store).await;
    names_are_compared_exactly(store).await;
    a_taken_id_or_name_writes_nothing(store).await;
    a_disabled_user_is_found(store).await;
}

const NOW: SystemTime = UNIX_EPOCH;

fn later(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn digest(byte: u8) -> KeyDigest {
    KeyDigest::new("sha256", [byte; 32])
}

fn key(id: &str, owner: &Subject, byte: u8, created: u64) -> KeyRecord {
    KeyRecord::new(id, owner.clone(), "a name", "egret_abcd…", digest(byte), later(created))
}

fn kind(result: Result<(), StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

/// What the store answers, by both of its ways, which must agree.
async fn find(store: &impl KeyStore, digest: &KeyDigest) -> Option<KeyRecord> {
    let found = store.find_key(digest, NOW).await.unwrap().map(|record| KeyRecord::clone(&record));
    match store.peek_key(digest, NOW) {
        Peek::Found(record) => assert_eq!(Some(&*record), found.as_ref(), "peek and find disagree"),
        Peek::Absent => assert_eq!(None, found, "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn an_inserted_key_is_found_as_it_was(store: &impl KeyStore) {
    let owner = Subject::new("tenant", "42");
    let record = key("full", &owner, 1, 5).scope("a:read").scope("b").role("staff").expires(later(99));
    let record = record.with_metadata(&[("app", 7)]).unwrap();
    store.insert_key(record.clone(), NOW).await.unwrap();
    assert_eq!(find(store, &digest(1)).await, Some(record));
}

async fn an_unknown_key_is_absent(store: &impl KeyStore) {
    assert_eq!(find(store, &digest(200)).await, None);
    let mut near = [1; 32];
    near[31] = 2;
    assert_eq!(find(store, &KeyDigest::new("sha256", near)).await, None, "a digest is compared whole");
}

async fn a_digest_is_found_only_under_its_algorithm(store: &impl KeyStore) {
    assert_eq!(find(store, &KeyDigest::new("hmac-sha256:p", [1; 32])).await, None);
}

async fn a_taken_id_or_digest_writes_nothing(store: &impl KeyStore) {
    let owner = Subject::user("1");
    store.insert_key(key("one", &owner, 1, 0), NOW).await.unwrap();
    assert_eq!(kind(store.insert_key(key("one", &owner, 2, 0), NOW).await), StoreErrorKind::Exists);
    assert_eq!(kind(store.insert_key(key("two", &owner, 1, 0), NOW).await), StoreErrorKind::Exists);
    assert_eq!(find(store, &digest(2)).await, None, "the clash of ids left something");
    assert_eq!(store.list_keys(&owner, NOW).await.unwrap().len(), 1, "a clash left something");
    store
        .insert_key(key("two", &owner, 2, 0), NOW)
        .await
        .expect("the fields of what was not written are free");
}

async fn keys_are_listed_for_their_owner_alone_oldest_first(store: &impl KeyStore) {
    let (one, other) = (Subject::user("1"), Subject::new("tenant", "1"));
    for (id, owner, byte, created) in
        [("c", &one, 1, 20), ("b", &one, 2, 10), ("a", &one, 3, 20), ("x", &other, 4, 0)]
    {
        store.insert_key(key(id, owner, byte, created), NOW).await.unwrap();
    }
    let listed = store.list_keys(&one, NOW).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|record| record.id()).collect();
    assert_eq!(ids, ["b", "a", "c"], "by time of creation, then by id");
    assert!(store.list_keys(&Subject::user("nobody"), NOW).await.unwrap().is_empty());
}

async fn a_revoked_key_stays_and_keeps_its_first_time(store: &impl KeyStore) {
    let owner = Subject::user("1");
    store.revoke_key(&owner, "b", later(50)).await.unwrap();
    store.revoke_key(&owner, "b", later(60)).await.unwrap();
    let record = find(store, &digest(2)).await.expect("a revoked key is still found");
    assert_eq!(record.revoked_at(), Some(later(50)));
    assert!(
        store.list_keys(&owner, NOW).await.unwrap().iter().any(|record| record.id() == "b"),
        "and listed"
    );
    assert_eq!(find(store, &digest(1)).await.unwrap().revoked_at(), None, "no other key is touched");
}

async fn nobody_revokes_anothers_key(store: &impl KeyStore) {
    let (stranger, owner) = (Subject::user("2"), Subject::user("1"));
    assert_eq!(kind(store.revoke_key(&stranger, "c", NOW).await), StoreErrorKind::Missing);
    assert_eq!(kind(store.revoke_key(&owner, "no such", NOW).await), StoreErrorKind::Missing);
    assert_eq!(
        kind(store.revoke_key(&owner, "x", NOW).await),
        StoreErrorKind::Missing,
        "a kind is part of a subject"
    );
    assert_eq!(find(store, &digest(1)).await.unwrap().revoked_at(), None);
}

async fn odd_texts_are_kept_as_they_are(store: &impl KeyStore) {
    let odd = "'; DROP TABLE keys; -- \u{1f511}\u{202e}\"\\%_";
    let owner = Subject::new(odd, odd);
    let record = KeyRecord::new(odd, owner.clone(), odd, odd, digest(77), NOW);
    store.insert_key(record.clone(), NOW).await.unwrap();
    assert_eq!(find(store, &digest(77)).await, Some(record));
    store.revoke_key(&owner, odd, later(1)).await.unwrap();
}

async fn one_of_many_concurrent_inserts_of_a_digest_wins(store: &impl KeyStore) {
    let owner = Subject::user("racer");
    let ids: Vec<String> = (0..8).map(|n| format!("race {n}")).collect();
    let mut inserts: Vec<_> = ids.iter().map(|id| store.insert_key(key(id, &owner, 88, 0), NOW)).collect();
    let mut won = 0;
    // Polled in turn, so that a store that suspends between its check and its write meets itself.
    std::future::poll_fn(|cx| {
        inserts.retain_mut(|insert| match insert.as_mut().poll(cx) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(result) => {
                won += usize::from(result.is_ok());
                false
            }
        });
        if inserts.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    assert_eq!(won, 1);
    assert_eq!(store.list_keys(&owner, NOW).await.unwrap().len(), 1);
}

async fn find_user(store: &impl UserStore, name: &str) -> Option<Arc<UserRecord>> {
    let found = store.find_user(name, NOW).await.unwrap();
    match store.peek_user(name, NOW) {
        Peek::Found(user) => {
            assert_eq!(Some(user.id()), found.as_ref().map(|user| user.id()), "peek and find disagree")
        }
        Peek::Absent => assert!(found.is_none(), "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn an_inserted_user_is_found_by_each_name(store: &impl UserStore) {
    let user =
        UserRecord::new(Subject::user("1"), "anna").name("anna@example.com").password_hash("$argon2id$…");
    store.insert_user(user.scope("a").role("staff"), NOW).await.unwrap();
    for name in ["anna", "anna@example.com"] {
        let found = find_user(store, name).await.unwrap();
        assert_eq!(found.id(), &Subject::user("1"));
        assert_eq!(found.stored_hash().unwrap().expose(), "$argon2id$…");
        assert!(found.is_active() && found.scopes().contains("a") && found.roles().contains("staff"));
    }
}

async fn names_are_compared_exactly(store: &impl UserStore) {
    for name in ["Anna", "anna ", " anna", "ann", "anna\0", "anna%", ""] {
        assert!(find_user(store, name).await.is_none(), "{name:?}");
    }
}

async fn a_taken_id_or_name_writes_nothing(store: &impl UserStore) {
    let same_id = UserRecord::new(Subject::user("1"), "ben");
    assert_eq!(kind(store.insert_user(same_id, NOW).await), StoreErrorKind::Exists);
    let same_name = UserRecord::new(Subject::user("2"), "ben").name("anna");
    assert_eq!(kind(store.insert_user(same_name, NOW).await), StoreErrorKind::Exists);
    assert!(find_user(store, "ben").await.is_none(), "a clash left something");
    store.insert_user(UserRecord::new(Subject::user("2"), "ben"), NOW).await.expect("id and name are free");
}

async fn a_disabled_user_is_found(store: &impl UserStore) {
    store.insert_user(UserRecord::new(Subject::user("3"), "carl").disabled(), NOW).await.unwrap();
    assert!(!find_user(store, "carl").await.unwrap().is_active());
}
