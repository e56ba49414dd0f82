use super::support::{NOW, ODD, later, together};
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, KeyStore, Peek};
use std::sync::Arc;

/// Checks a [`KeyStore`]. `with` makes one that has the keys it is given and no others, as often as
/// it is called.
///
/// The keys have what verifying takes: an owner, a digest of algorithm `sha256`, and times. What
/// else a store says of them (names, scopes) is its own affair, and a store without expiry or
/// revocation leaves such keys out.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn key_store<S: KeyStore>(with: impl AsyncFn(Vec<KeyRecord>) -> S) {
    found_as_they_are(&with(seeds()).await).await;
    let erased: Arc<dyn KeyStore> = Arc::new(with(seeds()).await);
    found_as_they_are(&erased).await;
    nothing_is_found_in_an_empty_store(&with(Vec::new()).await).await;
}

async fn found_as_they_are(store: &impl KeyStore) {
    a_key_is_found_with_its_owner(store).await;
    an_unknown_key_is_absent(store).await;
    a_digest_is_found_only_under_its_algorithm(store).await;
    a_key_that_ended_is_never_active(store).await;
    many_who_ask_at_once_get_the_same(store).await;
}

fn seeds() -> Vec<KeyRecord> {
    vec![
        seed("1", Subject::user("7"), 1),
        seed("2", Subject::user(ODD), 2),
        seed("3", Subject::user("7"), 3).expires(later(5)),
        seed("4", Subject::user("7"), 4).revoked(later(1)),
    ]
}

fn seed(id: &str, owner: Subject, byte: u8) -> KeyRecord {
    KeyRecord::new(id, owner, "a name", "egret_abcd…", digest(byte), NOW)
}

pub(super) fn digest(byte: u8) -> KeyDigest {
    KeyDigest::new("sha256", [byte; 32])
}

/// What the store answers, by both of its ways, which must agree.
pub(super) async fn find(
    store: &(impl KeyStore + ?Sized),
    digest: &KeyDigest,
) -> Option<KeyRecord> {
    let found = store.find_key(digest).await.unwrap();
    let found = found.map(|record| KeyRecord::clone(&record));
    match store.peek_key(digest) {
        Peek::Found(record) => assert_eq!(Some(&*record), found.as_ref(), "peek and find disagree"),
        Peek::Absent => assert_eq!(None, found, "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn a_key_is_found_with_its_owner(store: &impl KeyStore) {
    for (byte, owner) in [(1, "7"), (2, ODD)] {
        let found = find(store, &digest(byte)).await.expect("the key is there");
        assert_eq!(found.owner, Subject::user(owner));
        assert_eq!(found.digest, digest(byte));
        assert!(found.is_active(later(1_000)), "it does not expire");
    }
}

async fn an_unknown_key_is_absent(store: &impl KeyStore) {
    assert_eq!(find(store, &digest(200)).await, None);
    // A store that looks for a part of the digest would let in a key that was never made.
    for at in [0, 31] {
        let mut near = [1; 32];
        near[at] = 2;
        let near = KeyDigest::new("sha256", near);
        let found = find(store, &near).await;
        assert_eq!(found, None, "a digest is compared whole");
    }
}

async fn a_digest_is_found_only_under_its_algorithm(store: &impl KeyStore) {
    let other = KeyDigest::new("hmac-sha256:p", [1; 32]);
    assert_eq!(find(store, &other).await, None);
}

async fn a_key_that_ended_is_never_active(store: &impl KeyStore) {
    if let Some(expired) = find(store, &digest(3)).await {
        assert!(!expired.is_active(later(5)), "it expires at that time");
    }
    if let Some(revoked) = find(store, &digest(4)).await {
        assert!(!revoked.is_active(later(1)), "it is revoked");
    }
}

async fn many_who_ask_at_once_get_the_same(store: &impl KeyStore) {
    let one = digest(1);
    let calls = (0..8).map(|_| store.find_key(&one)).collect();
    for found in together(calls).await {
        assert_eq!(
            found.unwrap().expect("it is there").owner,
            Subject::user("7")
        );
    }
}

async fn nothing_is_found_in_an_empty_store(store: &impl KeyStore) {
    assert_eq!(find(store, &digest(1)).await, None);
}
