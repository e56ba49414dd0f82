use super::{NOW, kind, later, together};
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, KeyStore, Peek, StoreErrorKind};
use std::sync::Arc;

/// Checks a [`KeyStore`]. `fresh` makes an empty one, as often as it is called.
pub async fn key_store<S: KeyStore>(fresh: impl AsyncFn() -> S) {
    keys_direct([
        &fresh().await,
        &fresh().await,
        &fresh().await,
        &fresh().await,
    ])
    .await;
    let erased = |store: S| -> Arc<dyn KeyStore> { Arc::new(store) };
    let [a, b, c, d] = [fresh().await, fresh().await, fresh().await, fresh().await].map(erased);
    keys_direct([&a, &b, &c, &d]).await;
}

async fn keys_direct<S: KeyStore>([a, b, c, d]: [&S; 4]) {
    an_inserted_key_is_found_as_it_was(a).await;
    an_unknown_key_is_absent(a).await;
    a_digest_is_found_only_under_its_algorithm(a).await;
    a_taken_id_or_digest_writes_nothing(b).await;
    keys_are_listed_for_their_owner_alone_oldest_first(c).await;
    a_revoked_key_stays_and_keeps_its_first_time(c).await;
    nobody_revokes_anothers_key(c).await;
    odd_texts_are_kept_as_they_are(c).await;
    one_of_many_concurrent_inserts_of_a_digest_wins(c).await;
    a_key_is_found_by_id_for_its_owner_alone(d).await;
    a_key_is_renamed_by_its_owner_alone(d).await;
    a_rotated_key_works_until_the_overlap_ends_and_its_successor_after_it(d).await;
    a_key_that_is_superseded_revoked_or_expired_is_not_rotated(d).await;
    a_rotation_that_clashes_writes_nothing(d).await;
    one_of_many_concurrent_rotations_wins(d).await;
    a_replaced_digest_finds_the_key_and_the_former_one_does_not(d).await;
    a_replacement_that_clashes_writes_nothing(d).await;
    uses_are_noted_and_never_go_back(d).await;
    numbers_are_given_once(d).await;
    a_purge_removes_what_ended_before_in_bounded_batches(a).await;
}

fn digest(byte: u8) -> KeyDigest {
    KeyDigest::new("sha256", [byte; 32])
}

fn key(id: &str, owner: &Subject, byte: u8, created: u64) -> KeyRecord {
    KeyRecord::new(
        id,
        owner.clone(),
        "a name",
        "egret_abcd…",
        digest(byte),
        later(created),
    )
}

/// What the store answers, by both of its ways, which must agree.
async fn find(store: &impl KeyStore, digest: &KeyDigest) -> Option<KeyRecord> {
    let found = store
        .find_key(digest, NOW)
        .await
        .unwrap()
        .map(|record| KeyRecord::clone(&record));
    match store.peek_key(digest, NOW) {
        Peek::Found(record) => assert_eq!(Some(&*record), found.as_ref(), "peek and find disagree"),
        Peek::Absent => assert_eq!(None, found, "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn an_inserted_key_is_found_as_it_was(store: &impl KeyStore) {
    let owner = Subject::new("tenant", "42");
    let record = key("full", &owner, 1, 5)
        .scope("a:read")
        .scope("b")
        .role("staff")
        .expires(later(99));
    let record = record.with_metadata(&[("app", 7)]).unwrap();
    store.insert_key(record.clone(), NOW).await.unwrap();
    assert_eq!(find(store, &digest(1)).await, Some(record));
}

async fn an_unknown_key_is_absent(store: &impl KeyStore) {
    assert_eq!(find(store, &digest(200)).await, None);
    let mut near = [1; 32];
    near[31] = 2;
    assert_eq!(
        find(store, &KeyDigest::new("sha256", near)).await,
        None,
        "a digest is compared whole"
    );
}

async fn a_digest_is_found_only_under_its_algorithm(store: &impl KeyStore) {
    assert_eq!(
        find(store, &KeyDigest::new("hmac-sha256:p", [1; 32])).await,
        None
    );
}

async fn a_taken_id_or_digest_writes_nothing(store: &impl KeyStore) {
    let owner = Subject::user("1");
    store
        .insert_key(key("one", &owner, 1, 0), NOW)
        .await
        .unwrap();
    assert_eq!(
        kind(store.insert_key(key("one", &owner, 2, 0), NOW).await),
        StoreErrorKind::Exists
    );
    assert_eq!(
        kind(store.insert_key(key("two", &owner, 1, 0), NOW).await),
        StoreErrorKind::Exists
    );
    assert_eq!(
        find(store, &digest(2)).await,
        None,
        "the clash of ids left something"
    );
    assert_eq!(
        store.list_keys(&owner, NOW).await.unwrap().len(),
        1,
        "a clash left something"
    );
    store
        .insert_key(key("two", &owner, 2, 0), NOW)
        .await
        .expect("the fields of what was not written are free");
}

async fn keys_are_listed_for_their_owner_alone_oldest_first(store: &impl KeyStore) {
    let (one, other) = (Subject::user("1"), Subject::new("tenant", "1"));
    for (id, owner, byte, created) in [
        ("c", &one, 1, 20),
        ("b", &one, 2, 10),
        ("a", &one, 3, 20),
        ("x", &other, 4, 0),
    ] {
        store
            .insert_key(key(id, owner, byte, created), NOW)
            .await
            .unwrap();
    }
    let listed = store.list_keys(&one, NOW).await.unwrap();
    let ids: Vec<&str> = listed.iter().map(|record| record.id()).collect();
    assert_eq!(ids, ["b", "a", "c"], "by time of creation, then by id");
    assert!(
        store
            .list_keys(&Subject::user("nobody"), NOW)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_revoked_key_stays_and_keeps_its_first_time(store: &impl KeyStore) {
    let owner = Subject::user("1");
    store.revoke_key(&owner, "b", later(50)).await.unwrap();
    store.revoke_key(&owner, "b", later(60)).await.unwrap();
    let record = find(store, &digest(2))
        .await
        .expect("a revoked key is still found");
    assert_eq!(record.revoked_at(), Some(later(50)));
    assert!(
        store
            .list_keys(&owner, NOW)
            .await
            .unwrap()
            .iter()
            .any(|record| record.id() == "b"),
        "and listed"
    );
    assert_eq!(
        find(store, &digest(1)).await.unwrap().revoked_at(),
        None,
        "no other key is touched"
    );
}

async fn nobody_revokes_anothers_key(store: &impl KeyStore) {
    let (stranger, owner) = (Subject::user("2"), Subject::user("1"));
    assert_eq!(
        kind(store.revoke_key(&stranger, "c", NOW).await),
        StoreErrorKind::Missing
    );
    assert_eq!(
        kind(store.revoke_key(&owner, "no such", NOW).await),
        StoreErrorKind::Missing
    );
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
    let inserts = ids
        .iter()
        .map(|id| store.insert_key(key(id, &owner, 88, 0), NOW))
        .collect();
    let won = together(inserts)
        .await
        .iter()
        .filter(|result| result.is_ok())
        .count();
    assert_eq!(won, 1);
    assert_eq!(store.list_keys(&owner, NOW).await.unwrap().len(), 1);
}

async fn owned(store: &impl KeyStore, owner: &Subject, id: &str) -> Option<KeyRecord> {
    let found = store.find_owned_key(owner, id, NOW).await.unwrap();
    found.map(|record| KeyRecord::clone(&record))
}

async fn a_key_is_found_by_id_for_its_owner_alone(store: &impl KeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::new("tenant", "1"));
    let record = key("one", &owner, 1, 5)
        .scope("a")
        .rate("5/min")
        .expires(later(1_000));
    store.insert_key(record.clone(), NOW).await.unwrap();
    assert_eq!(owned(store, &owner, "one").await, Some(record));
    assert_eq!(owned(store, &stranger, "one").await, None);
    assert_eq!(owned(store, &owner, "no such").await, None);
}

async fn a_key_is_renamed_by_its_owner_alone(store: &impl KeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::user("2"));
    store
        .rename_key(&owner, "one", "another", NOW)
        .await
        .unwrap();
    assert_eq!(
        kind(store.rename_key(&stranger, "one", "stolen", NOW).await),
        StoreErrorKind::Missing
    );
    assert_eq!(
        kind(store.rename_key(&owner, "no such", "x", NOW).await),
        StoreErrorKind::Missing
    );
    assert_eq!(find(store, &digest(1)).await.unwrap().name(), "another");
}

async fn a_rotated_key_works_until_the_overlap_ends_and_its_successor_after_it(
    store: &impl KeyStore,
) {
    let owner = Subject::user("1");
    let successor =
        |id: &str, of: &KeyRecord, byte| of.successor_of(id, "hint", digest(byte), later(10));
    let first = owned(store, &owner, "one").await.unwrap();
    store
        .rotate_key(
            &owner,
            "one",
            successor("two", &first, 2),
            later(60),
            later(10),
        )
        .await
        .unwrap();
    let (first, second) = (
        find(store, &digest(1)).await.unwrap(),
        find(store, &digest(2)).await.unwrap(),
    );
    assert_eq!(
        (first.expires_at(), first.successor()),
        (Some(later(60)), Some("two"))
    );
    assert_eq!(
        (
            second.id(),
            second.owner(),
            second.lineage(),
            second.successor()
        ),
        ("two", &owner, "one", None)
    );
    assert_eq!(
        (second.scopes(), second.own_rate()),
        (first.scopes(), Some("5/min"))
    );
    assert_eq!(second.expires_at(), Some(later(1_000)));
    // The overlap never outlasts the key.
    store
        .rotate_key(
            &owner,
            "two",
            successor("three", &second, 3),
            later(5_000),
            later(10),
        )
        .await
        .unwrap();
    assert_eq!(
        find(store, &digest(2)).await.unwrap().expires_at(),
        Some(later(1_000))
    );
    assert_eq!(find(store, &digest(3)).await.unwrap().lineage(), "one");
}

async fn a_key_that_is_superseded_revoked_or_expired_is_not_rotated(store: &impl KeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::user("2"));
    store
        .insert_key(key("over", &owner, 4, 0).expires(later(5)), NOW)
        .await
        .unwrap();
    store
        .insert_key(key("revoked", &owner, 5, 0), NOW)
        .await
        .unwrap();
    store.revoke_key(&owner, "revoked", later(1)).await.unwrap();
    for (owner, id) in [
        (&owner, "one"),
        (&owner, "over"),
        (&owner, "revoked"),
        (&owner, "no such"),
        (&stranger, "three"),
    ] {
        let rotated = store
            .rotate_key(owner, id, key("new", owner, 6, 10), later(60), later(10))
            .await;
        assert_eq!(kind(rotated), StoreErrorKind::Missing, "{id}");
        assert_eq!(
            find(store, &digest(6)).await,
            None,
            "{id}: a successor was written"
        );
    }
}

async fn a_rotation_that_clashes_writes_nothing(store: &impl KeyStore) {
    let owner = Subject::user("1");
    for clash in [key("two", &owner, 6, 10), key("new", &owner, 2, 10)] {
        let rotated = store
            .rotate_key(&owner, "three", clash, later(60), later(10))
            .await;
        assert_eq!(kind(rotated), StoreErrorKind::Exists);
    }
    let third = find(store, &digest(3)).await.unwrap();
    assert_eq!(
        (third.successor(), third.expires_at()),
        (None, Some(later(1_000)))
    );
}

async fn one_of_many_concurrent_rotations_wins(store: &impl KeyStore) {
    let owner = Subject::user("racer");
    store
        .insert_key(key("raced", &owner, 100, 0), NOW)
        .await
        .unwrap();
    let successors: Vec<KeyRecord> = (0..8_u8)
        .map(|n| key(&format!("race {n}"), &owner, 101 + n, 0))
        .collect();
    let rotations = successors
        .iter()
        .map(|successor| store.rotate_key(&owner, "raced", successor.clone(), later(60), NOW))
        .collect();
    let won = together(rotations)
        .await
        .iter()
        .filter(|result| result.is_ok())
        .count();
    assert_eq!(won, 1);
    assert_eq!(store.list_keys(&owner, NOW).await.unwrap().len(), 2);
}

async fn a_replaced_digest_finds_the_key_and_the_former_one_does_not(store: &impl KeyStore) {
    let owner = Subject::user("imported");
    let (from, to) = (KeyDigest::new("sha512", [120; 32]), digest(121));
    let record = KeyRecord::new("imported", owner.clone(), "n", "h", from.clone(), NOW);
    store.insert_key(record.clone(), NOW).await.unwrap();
    store
        .replace_key_digest(&from, to.clone(), NOW)
        .await
        .unwrap();
    assert_eq!(find(store, &from).await, None);
    assert_eq!(
        find(store, &to).await,
        Some(record.clone().found_by(to.clone()))
    );
    assert_eq!(
        owned(store, &owner, "imported").await,
        Some(record.found_by(to))
    );
}

async fn a_replacement_that_clashes_writes_nothing(store: &impl KeyStore) {
    let replaced = async |from, to| {
        store
            .replace_key_digest(&digest(from), digest(to), NOW)
            .await
    };
    assert_eq!(kind(replaced(121, 1).await), StoreErrorKind::Exists);
    assert_eq!(kind(replaced(222, 223).await), StoreErrorKind::Missing);
    assert_eq!(find(store, &digest(121)).await.unwrap().id(), "imported");
    assert_eq!(find(store, &digest(1)).await.unwrap().id(), "one");
}

async fn uses_are_noted_and_never_go_back(store: &impl KeyStore) {
    assert_eq!(find(store, &digest(1)).await.unwrap().last_used(), None);
    let uses = [
        (digest(1), later(120)),
        (digest(3), later(90)),
        (digest(250), later(120)),
    ];
    store.note_key_uses(&uses, NOW).await.unwrap();
    store
        .note_key_uses(&[(digest(1), later(60))], NOW)
        .await
        .unwrap();
    assert_eq!(
        find(store, &digest(1)).await.unwrap().last_used(),
        Some(later(120))
    );
    assert_eq!(
        owned(store, &Subject::user("1"), "three")
            .await
            .unwrap()
            .last_used(),
        Some(later(90))
    );
    store.note_key_uses(&[], NOW).await.unwrap();
}

async fn numbers_are_given_once(store: &impl KeyStore) {
    let Ok(first) = store.next_key_number(NOW).await else {
        return;
    }; // a store need not count
    assert!(first >= 1);
    let numbers = together((0..8).map(|_| store.next_key_number(NOW)).collect()).await;
    let mut numbers: Vec<u64> = numbers.into_iter().map(Result::unwrap).collect();
    numbers.push(first);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 9);
}

async fn a_purge_removes_what_ended_before_in_bounded_batches(store: &impl KeyStore) {
    let owner = Subject::user("purged");
    for n in 0..5_u8 {
        let record = key(&format!("over {n}"), &owner, 150 + n, 0).expires(later(u64::from(n)));
        store.insert_key(record, NOW).await.unwrap();
    }
    store
        .insert_key(key("for ever", &owner, 160, 0), NOW)
        .await
        .unwrap();
    let purge = |before, most| store.purge_keys(later(before), most, later(50));
    assert_eq!(purge(4, 3).await.unwrap(), 3);
    assert_eq!(
        purge(4, 3).await.unwrap(),
        1,
        "what ended at that time or later stays"
    );
    assert_eq!(purge(4, 3).await.unwrap(), 0);
    let left = store.list_keys(&owner, NOW).await.unwrap();
    assert_eq!(left.len(), 2);
    assert!(find(store, &digest(150)).await.is_none() && find(store, &digest(154)).await.is_some());
}
