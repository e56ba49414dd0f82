use super::support::{NOW, ODD, kind, later, together, won};
use crate::store::{SigningKeyRecord, SigningKeyStore, StoreErrorKind};
use std::sync::Arc;

/// Checks a [`SigningKeyStore`]. `fresh` makes an empty one, as often as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn signing_key_store<S: SigningKeyStore>(fresh: impl AsyncFn() -> S) {
    kept(&fresh().await).await;
    let shared: Arc<dyn SigningKeyStore> = Arc::new(fresh().await);
    kept(&shared).await;
}

async fn kept(store: &impl SigningKeyStore) {
    a_signing_key_is_found_as_it_was(store).await;
    signing_keys_are_listed_for_their_issuer_alone_by_serial(store).await;
    a_serial_and_an_id_are_given_once_an_issuer(store).await;
    of_many_who_add_the_next_key_at_once_one_does(store).await;
    a_signing_key_is_replaced_only_while_it_is_as_it_was_read(store).await;
    of_many_who_replace_a_signing_key_at_once_one_does(store).await;
    signing_keys_are_forgotten_at_their_time_and_no_others_are(store).await;
}

fn key(issuer: &str, serial: u32) -> SigningKeyRecord {
    SigningKeyRecord::new(
        issuer,
        serial,
        format!("kid {serial}"),
        "ES256",
        *b"sealed",
        NOW,
    )
    .signs(later(10), later(20))
    .forgotten_at(later(30))
}

async fn insert(store: &impl SigningKeyStore, key: SigningKeyRecord) {
    store.insert_signing_key(key).await.unwrap();
}

async fn listed(store: &impl SigningKeyStore, issuer: &str) -> Vec<SigningKeyRecord> {
    let records = store.list_signing_keys(issuer).await.unwrap();
    let clones = records.iter().map(|record| SigningKeyRecord::clone(record));
    clones.collect()
}

async fn serials(store: &impl SigningKeyStore, issuer: &str) -> Vec<u32> {
    let keys = listed(store, issuer).await;
    keys.iter().map(|key| key.serial).collect()
}

async fn a_signing_key_is_found_as_it_was(store: &impl SigningKeyStore) {
    // Every byte there is, as a text would not have it.
    let sealed: Vec<u8> = (0..=255).collect();
    let odd = SigningKeyRecord::new(ODD, u32::MAX, ODD, ODD, sealed, later(1))
        .signs(later(2), later(3))
        .forgotten_at(later(4));
    insert(store, odd.clone()).await;
    assert_eq!(listed(store, ODD).await, [odd]);
}

async fn signing_keys_are_listed_for_their_issuer_alone_by_serial(store: &impl SigningKeyStore) {
    for serial in [10, 9, 2, 1] {
        insert(store, key("listed", serial)).await;
    }
    insert(store, key("Listed", 3)).await;
    assert_eq!(serials(store, "listed").await, [1, 2, 9, 10]);
    assert_eq!(serials(store, "Listed").await, [3], "another issuer");
    assert!(serials(store, "nobody").await.is_empty());
}

async fn a_serial_and_an_id_are_given_once_an_issuer(store: &impl SigningKeyStore) {
    insert(store, key("once", 1)).await;
    let mut same_serial = key("once", 1);
    same_serial.id = "another".into();
    let mut same_id = key("once", 2);
    same_id.id = "kid 1".into();
    for (name, taken) in [("serial", same_serial), ("id", same_id)] {
        let inserted = store.insert_signing_key(taken).await;
        assert_eq!(kind(inserted), StoreErrorKind::Exists, "{name}");
    }
    assert_eq!(listed(store, "once").await, [key("once", 1)], "written");
    insert(store, key("once of another", 1)).await;
}

async fn of_many_who_add_the_next_key_at_once_one_does(store: &impl SigningKeyStore) {
    let inserts = (0..8)
        .map(|n| {
            let mut next = key("race", 1);
            next.id = format!("of node {n}").into();
            store.insert_signing_key(next)
        })
        .collect();
    assert_eq!(won(&together(inserts).await), 1);
    assert_eq!(listed(store, "race").await.len(), 1);
}

async fn a_signing_key_is_replaced_only_while_it_is_as_it_was_read(store: &impl SigningKeyStore) {
    let (former, other) = (key("replaced", 1), key("replaced", 2));
    insert(store, former.clone()).await;
    insert(store, other.clone()).await;
    let mut next = former
        .clone()
        .signs(later(11), later(21))
        .forgotten_at(later(99));
    next.sealed = (*b"sealed anew").into();
    let replaced = store.replace_signing_key(&former, next.clone()).await;
    replaced.unwrap();
    assert_eq!(listed(store, "replaced").await, [next.clone(), other]);
    // Each field counts.
    let mut sealed = next.clone();
    sealed.sealed = (*b"sealed").into();
    let mut created = next.clone();
    created.created = later(5);
    let mut algorithm = next.clone();
    algorithm.algorithm = "ES384".into();
    let signs_from = next.clone().signs(later(12), later(21));
    let signs_until = next.clone().signs(later(11), later(22));
    for (name, changed) in [
        ("sealed", sealed),
        ("created", created),
        ("algorithm", algorithm),
        ("signs_from", signs_from),
        ("signs_until", signs_until),
        ("forgotten_at", next.clone().forgotten_at(later(98))),
        ("another issuer", key("unknown", 1)),
    ] {
        let replaced = store.replace_signing_key(&changed, former.clone()).await;
        assert_eq!(kind(replaced), StoreErrorKind::Missing, "{name}");
    }
    let kept = &listed(store, "replaced").await[0];
    assert_eq!(*kept, next, "something was written");
}

async fn of_many_who_replace_a_signing_key_at_once_one_does(store: &impl SigningKeyStore) {
    let former = key("replaced at once", 1);
    insert(store, former.clone()).await;
    let replacements = (0..8)
        .map(|n| store.replace_signing_key(&former, former.clone().forgotten_at(later(100 + n))))
        .collect();
    assert_eq!(won(&together(replacements).await), 1);
}

async fn signing_keys_are_forgotten_at_their_time_and_no_others_are(store: &impl SigningKeyStore) {
    for serial in 1..=4 {
        let ends = later(1_000 + u64::from(serial));
        let ended = key("forgotten", serial).forgotten_at(ends);
        insert(store, ended.clone()).await;
        insert(
            store,
            SigningKeyRecord {
                issuer: "kept".into(),
                ..ended
            },
        )
        .await;
    }
    assert_eq!(forget(store, 1_000).await, 0);
    assert_eq!(forget(store, 1_002).await, 2, "those whose time it is, too");
    assert_eq!(forget(store, 1_002).await, 0);
    assert_eq!(serials(store, "forgotten").await, [3, 4]);
    assert_eq!(serials(store, "kept").await, [1, 2, 3, 4]);
    // The serial is free again; who counts goes on from the last one.
    insert(store, key("forgotten", 1)).await;
}

async fn forget(store: &impl SigningKeyStore, now: u64) -> usize {
    let forgotten = store.forget_signing_keys("forgotten", later(now)).await;
    forgotten.unwrap()
}
