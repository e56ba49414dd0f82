use super::key_store::{digest, find, key_store};
use super::support::{Call, NOW, ODD, kind, later, together, won};
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, ManagedKeyStore, StoreError, StoreErrorKind};
use std::sync::Arc;

/// Checks a [`ManagedKeyStore`], as the [`KeyStore`](crate::store::KeyStore) that it is too.
/// `fresh` makes an empty one, as often as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn managed_key_store<S: ManagedKeyStore>(fresh: impl AsyncFn() -> S) {
    key_store(async |records| {
        let store = fresh().await;
        for record in records {
            store.insert_key(record).await.unwrap();
        }
        store
    })
    .await;
    kept([
        &fresh().await,
        &fresh().await,
        &fresh().await,
        &fresh().await,
        &fresh().await,
    ])
    .await;
    let mut erased: Vec<Arc<dyn ManagedKeyStore>> = Vec::new();
    for _ in 0..5 {
        erased.push(Arc::new(fresh().await));
    }
    kept([&erased[0], &erased[1], &erased[2], &erased[3], &erased[4]]).await;
}

async fn kept<S: ManagedKeyStore>([a, b, c, d, e]: [&S; 5]) {
    // The checks of one store go on from what those before them have left in it.
    an_inserted_key_is_found_as_it_was(a).await;
    a_taken_id_or_digest_writes_nothing(b).await;
    keys_are_listed_for_their_owner_alone_oldest_first(c).await;
    keys_are_listed_in_pages(c).await;
    keys_are_found_and_listed_whosever_they_are(c).await;
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
    a_record_is_replaced_only_while_it_is_as_it_was_read(e).await;
    a_replacement_and_its_successor_are_written_together_or_not_at_all(e).await;
    one_of_many_concurrent_replacements_wins(e).await;
    changes_of_one_key_that_meet_are_all_made(e).await;
    a_use_that_was_noted_meanwhile_is_not_lost(e).await;
    a_purge_removes_what_ended_before_in_bounded_batches(a).await;
}

fn key(id: &str, owner: &Subject, byte: u8, created: u64) -> KeyRecord {
    let hint = "egret_abcd…";
    KeyRecord::new(
        id,
        owner.clone(),
        "a name",
        hint,
        digest(byte),
        later(created),
    )
}

async fn all<S: ManagedKeyStore>(store: &S, owner: &Subject) -> Vec<Arc<KeyRecord>> {
    store.list_keys(owner, None, 1_000).await.unwrap()
}

async fn an_inserted_key_is_found_as_it_was(store: &impl ManagedKeyStore) {
    let owner = Subject::new("tenant", "42");
    let record = key("full", &owner, 1, 5)
        .scope("a:read")
        .scope("b")
        .role("staff")
        .rate("100/hour burst 20".parse().unwrap())
        .expires(later(99));
    let record = record.with_metadata(&[("app", 7)]).unwrap();
    store.insert_key(record.clone()).await.unwrap();
    assert_eq!(find(store, &digest(1)).await, Some(record));
}

async fn a_taken_id_or_digest_writes_nothing(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    store.insert_key(key("one", &owner, 1, 0)).await.unwrap();
    assert_eq!(
        kind(store.insert_key(key("one", &owner, 2, 0)).await),
        StoreErrorKind::Exists
    );
    assert_eq!(
        kind(store.insert_key(key("two", &owner, 1, 0)).await),
        StoreErrorKind::Exists
    );
    assert_eq!(
        find(store, &digest(2)).await,
        None,
        "the clash of ids left something"
    );
    assert_eq!(all(store, &owner).await.len(), 1, "a clash left something");
    store
        .insert_key(key("two", &owner, 2, 0))
        .await
        .expect("the fields of what was not written are free");
}

async fn keys_are_listed_for_their_owner_alone_oldest_first(store: &impl ManagedKeyStore) {
    let (one, other) = (Subject::user("1"), Subject::new("tenant", "1"));
    for (id, owner, byte, created) in [
        ("c", &one, 1, 20),
        ("b", &one, 2, 10),
        ("a", &one, 3, 20),
        ("x", &other, 4, 0),
    ] {
        store
            .insert_key(key(id, owner, byte, created))
            .await
            .unwrap();
    }
    let listed = all(store, &one).await;
    let ids: Vec<&str> = listed.iter().map(|record| &*record.id).collect();
    assert_eq!(ids, ["b", "a", "c"], "by time of creation, then by id");
    assert!(all(store, &Subject::user("nobody")).await.is_empty());
}

async fn a_revoked_key_stays_and_keeps_its_first_time(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    store.revoke_key(&owner, "b", later(50)).await.unwrap();
    store.revoke_key(&owner, "b", later(60)).await.unwrap();
    let record = find(store, &digest(2))
        .await
        .expect("a revoked key is still found");
    assert_eq!(record.revoked, Some(later(50)));
    let listed = all(store, &owner).await;
    let is_listed = listed.iter().any(|record| *record.id == *"b");
    assert!(is_listed, "and listed");
    let other = find(store, &digest(1)).await.unwrap();
    assert_eq!(other.revoked, None, "no other key is touched");
}

async fn nobody_revokes_anothers_key(store: &impl ManagedKeyStore) {
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
    assert_eq!(find(store, &digest(1)).await.unwrap().revoked, None);
}

async fn odd_texts_are_kept_as_they_are(store: &impl ManagedKeyStore) {
    let owner = Subject::new(ODD, ODD);
    let record = KeyRecord::new(ODD, owner.clone(), ODD, ODD, digest(77), NOW);
    store.insert_key(record.clone()).await.unwrap();
    assert_eq!(find(store, &digest(77)).await, Some(record));
    store.revoke_key(&owner, ODD, later(1)).await.unwrap();
}

async fn one_of_many_concurrent_inserts_of_a_digest_wins(store: &impl ManagedKeyStore) {
    let owner = Subject::user("racer");
    let ids: Vec<String> = (0..8).map(|n| format!("race {n}")).collect();
    let inserts = ids
        .iter()
        .map(|id| store.insert_key(key(id, &owner, 88, 0)))
        .collect();
    assert_eq!(won(&together(inserts).await), 1);
    assert_eq!(all(store, &owner).await.len(), 1);
}

async fn owned(store: &impl ManagedKeyStore, owner: &Subject, id: &str) -> Option<KeyRecord> {
    let found = store.find_owned_key(owner, id).await.unwrap();
    found.map(|record| KeyRecord::clone(&record))
}

async fn a_key_is_found_by_id_for_its_owner_alone(store: &impl ManagedKeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::new("tenant", "1"));
    let record = key("one", &owner, 1, 5)
        .scope("a")
        .rate("5/min".parse().unwrap())
        .expires(later(1_000));
    store.insert_key(record.clone()).await.unwrap();
    assert_eq!(owned(store, &owner, "one").await, Some(record));
    assert_eq!(owned(store, &stranger, "one").await, None);
    assert_eq!(owned(store, &owner, "no such").await, None);
}

async fn a_key_is_renamed_by_its_owner_alone(store: &impl ManagedKeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::user("2"));
    store.rename_key(&owner, "one", "another").await.unwrap();
    assert_eq!(
        kind(store.rename_key(&stranger, "one", "stolen").await),
        StoreErrorKind::Missing
    );
    assert_eq!(
        kind(store.rename_key(&owner, "no such", "x").await),
        StoreErrorKind::Missing
    );
    assert_eq!(&*find(store, &digest(1)).await.unwrap().name, "another");
}

async fn a_rotated_key_works_until_the_overlap_ends_and_its_successor_after_it(
    store: &impl ManagedKeyStore,
) {
    let owner = Subject::user("1");
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
    let first = find(store, &digest(1)).await.unwrap();
    let second = find(store, &digest(2)).await.unwrap();
    assert_eq!(first.expires, Some(later(60)));
    assert_eq!(first.successor.as_deref(), Some("two"));
    assert_eq!((&*second.id, &second.owner), ("two", &owner));
    assert_eq!((second.lineage(), &second.successor), ("one", &None));
    assert_eq!(second.scopes, first.scopes);
    assert_eq!(second.rate, Some("5/min".parse().unwrap()));
    assert_eq!(second.expires, Some(later(1_000)));
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
        find(store, &digest(2)).await.unwrap().expires,
        Some(later(1_000))
    );
    assert_eq!(find(store, &digest(3)).await.unwrap().lineage(), "one");
}

fn successor(id: &str, of: &KeyRecord, byte: u8) -> KeyRecord {
    of.successor_of(id, "hint", digest(byte), later(10))
}

async fn a_key_that_is_superseded_revoked_or_expired_is_not_rotated(store: &impl ManagedKeyStore) {
    let (owner, stranger) = (Subject::user("1"), Subject::user("2"));
    store
        .insert_key(key("over", &owner, 4, 0).expires(later(5)))
        .await
        .unwrap();
    store
        .insert_key(key("revoked", &owner, 5, 0))
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

async fn a_rotation_that_clashes_writes_nothing(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    for clash in [key("two", &owner, 6, 10), key("new", &owner, 2, 10)] {
        let rotated = store
            .rotate_key(&owner, "three", clash, later(60), later(10))
            .await;
        assert_eq!(kind(rotated), StoreErrorKind::Exists);
    }
    let third = find(store, &digest(3)).await.unwrap();
    assert_eq!((third.successor, third.expires), (None, Some(later(1_000))));
}

async fn one_of_many_concurrent_rotations_wins(store: &impl ManagedKeyStore) {
    let owner = Subject::user("racer");
    store
        .insert_key(key("raced", &owner, 100, 0))
        .await
        .unwrap();
    let successors: Vec<KeyRecord> = (0..8_u8)
        .map(|n| key(&format!("race {n}"), &owner, 101 + n, 0))
        .collect();
    let rotations = successors
        .iter()
        .map(|successor| store.rotate_key(&owner, "raced", successor.clone(), later(60), NOW))
        .collect();
    assert_eq!(won(&together(rotations).await), 1);
    assert_eq!(all(store, &owner).await.len(), 2);
}

async fn a_replaced_digest_finds_the_key_and_the_former_one_does_not(store: &impl ManagedKeyStore) {
    let owner = Subject::user("imported");
    let (from, to) = (KeyDigest::new("sha512", [120; 32]), digest(121));
    let record = KeyRecord::new("imported", owner.clone(), "n", "h", from.clone(), NOW);
    store.insert_key(record.clone()).await.unwrap();
    store.replace_key_digest(&from, to.clone()).await.unwrap();
    assert_eq!(find(store, &from).await, None);
    let mut moved = record;
    moved.digest = to.clone();
    assert_eq!(find(store, &to).await, Some(moved.clone()));
    assert_eq!(owned(store, &owner, "imported").await, Some(moved));
}

async fn a_replacement_that_clashes_writes_nothing(store: &impl ManagedKeyStore) {
    let replaced = store.replace_key_digest(&digest(121), digest(1)).await;
    assert_eq!(kind(replaced), StoreErrorKind::Exists);
    let replaced = store.replace_key_digest(&digest(222), digest(223)).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert_eq!(
        find(store, &digest(121)).await.unwrap().id.as_ref(),
        "imported"
    );
    assert_eq!(find(store, &digest(1)).await.unwrap().id.as_ref(), "one");
}

async fn uses_are_noted_and_never_go_back(store: &impl ManagedKeyStore) {
    // Keys that nobody has touched yet. A note waits for nobody, and a transaction that was refused
    // may hold the rows of the others for a moment longer.
    let owner = Subject::user("noted");
    for (id, byte) in [("noted", 130), ("noted too", 131)] {
        store.insert_key(key(id, &owner, byte, 0)).await.unwrap();
    }
    let found = find(store, &digest(130)).await.unwrap();
    assert_eq!(found.last_used.get(), None);
    let uses = [
        (digest(130), later(120)),
        (digest(131), later(90)),
        // A note comes late, and its key may be gone by then, which is no error.
        (digest(250), later(120)),
    ];
    store.note_key_uses(&uses).await.unwrap();
    let found = find(store, &digest(130)).await.unwrap();
    assert_eq!(found.last_used.get(), Some(later(120)));
    let owned = owned(store, &owner, "noted too").await.unwrap();
    assert_eq!(owned.last_used.get(), Some(later(90)));
    let earlier = [(digest(130), later(60))];
    store.note_key_uses(&earlier).await.unwrap();
    let found = find(store, &digest(130)).await.unwrap();
    assert_eq!(found.last_used.get(), Some(later(120)));
    store.note_key_uses(&[]).await.unwrap();
}

async fn numbers_are_given_once(store: &impl ManagedKeyStore) {
    let Ok(first) = store.next_key_number().await else {
        return;
    }; // a store need not count
    assert!(first >= 1);
    let numbers = together((0..8).map(|_| store.next_key_number()).collect()).await;
    let mut numbers: Vec<u64> = numbers.into_iter().map(Result::unwrap).collect();
    numbers.push(first);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 9);
}

async fn a_purge_removes_what_ended_before_in_bounded_batches(store: &impl ManagedKeyStore) {
    let owner = Subject::user("purged");
    for n in 0..5_u8 {
        let record = key(&format!("over {n}"), &owner, 150 + n, 0).expires(later(u64::from(n)));
        store.insert_key(record).await.unwrap();
    }
    store
        .insert_key(key("for ever", &owner, 160, 0))
        .await
        .unwrap();
    let before = later(4);
    let purged = store.purge_keys(before, 3).await.unwrap();
    if purged == 0 {
        // A store need not forget.
        assert_eq!(all(store, &owner).await.len(), 6);
        return;
    }
    assert_eq!(purged, 3);
    assert_eq!(
        store.purge_keys(before, 3).await.unwrap(),
        1,
        "what ended at that time or later stays"
    );
    assert_eq!(store.purge_keys(before, 3).await.unwrap(), 0);
    let left = all(store, &owner).await;
    assert_eq!(left.len(), 2);
    assert!(find(store, &digest(150)).await.is_none() && find(store, &digest(154)).await.is_some());
}

async fn keys_are_listed_in_pages(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    let mut ids = Vec::new();
    let mut after: Option<Arc<KeyRecord>> = None;
    loop {
        let page = store.list_keys(&owner, after.as_deref(), 2).await.unwrap();
        assert!(page.len() <= 2, "more than was asked for");
        ids.extend(page.iter().map(|record| record.id.to_string()));
        match page.into_iter().last() {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    assert_eq!(ids, ["b", "a", "c"]);
    // After a key that is gone, where it was.
    let gone = key("bb", &owner, 250, 10);
    let page = store.list_keys(&owner, Some(&gone), 10).await.unwrap();
    let ids: Vec<&str> = page.iter().map(|record| &*record.id).collect();
    assert_eq!(ids, ["a", "c"]);
}

async fn keys_are_found_and_listed_whosever_they_are(store: &impl ManagedKeyStore) {
    let tenant = Subject::new("tenant", "42");
    let theirs = key("aa", &tenant, 249, 0);
    store.insert_key(theirs.clone()).await.unwrap();
    let Ok(found) = store.find_key_by_id("aa").await else {
        return;
    }; // a store need not know of all
    assert_eq!(found.as_deref(), Some(&theirs));
    assert!(store.find_key_by_id("no such").await.unwrap().is_none());
    let every = store.list_all_keys(None, 1_000).await.unwrap();
    let ids: Vec<&str> = every.iter().map(|record| &*record.id).collect();
    assert!(ids.is_sorted() && ids.contains(&"aa") && ids.contains(&"b"));
    let mut in_pages: Vec<Arc<KeyRecord>> = Vec::new();
    loop {
        let after = in_pages.last().map(|last| &*last.id);
        let page = store.list_all_keys(after, 2).await.unwrap();
        assert!(page.len() <= 2, "more than was asked for");
        if page.is_empty() {
            break;
        }
        in_pages.extend(page);
    }
    assert_eq!(in_pages, every);
}

async fn read(store: &impl ManagedKeyStore, owner: &Subject, id: &str) -> Arc<KeyRecord> {
    let found = store.find_owned_key(owner, id).await.unwrap();
    found.expect("the key is there")
}

async fn a_record_is_replaced_only_while_it_is_as_it_was_read(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    let inserted = key("one", &owner, 1, 0).scope("a");
    store.insert_key(inserted).await.unwrap();
    let before = read(store, &owner, "one").await;
    let next = KeyRecord::clone(&before).scope("b");
    let replaced = store.replace_key(&before, next.clone(), None).await;
    replaced.unwrap();
    assert_eq!(*read(store, &owner, "one").await, next);
    assert_eq!(find(store, &digest(1)).await, Some(next.clone()));
    let again = KeyRecord::clone(&before).scope("c");
    let replaced = store.replace_key(&before, again, None).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    let after = read(store, &owner, "one").await;
    assert_eq!(*after, next, "something was written");
    let unknown = key("no such", &owner, 90, 0);
    let replaced = store.replace_key(&unknown, unknown.clone(), None).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert_eq!(find(store, &digest(90)).await, None);
    let mut stolen = next.clone();
    stolen.owner = Subject::user("2");
    let replaced = store.replace_key(&stolen, stolen.clone(), None).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing, "an owner counts");
}

async fn a_replacement_and_its_successor_are_written_together_or_not_at_all(
    store: &impl ManagedKeyStore,
) {
    let owner = Subject::user("1");
    store.insert_key(key("two", &owner, 2, 0)).await.unwrap();
    let before = read(store, &owner, "one").await;
    let mut next = KeyRecord::clone(&before);
    next.name = "replaced".into();
    // A successor whose id or digest is taken, by another key or by the one that it succeeds.
    for taken in [
        key("two", &owner, 3, 0),
        key("three", &owner, 2, 0),
        key("one", &owner, 3, 0),
        key("three", &owner, 1, 0),
    ] {
        let replaced = store.replace_key(&before, next.clone(), Some(taken)).await;
        assert_eq!(kind(replaced), StoreErrorKind::Exists);
        assert_eq!(read(store, &owner, "one").await, before);
        assert_eq!(find(store, &digest(3)).await, None);
    }
    // The digest of another key.
    let mut moved = next.clone();
    moved.digest = digest(2);
    let replaced = store.replace_key(&before, moved, None).await;
    assert_eq!(kind(replaced), StoreErrorKind::Exists);
    // No successor without the replacement.
    let stale = KeyRecord::clone(&before).scope("stale");
    let successor = key("three", &owner, 3, 0);
    let replaced = store.replace_key(&stale, next.clone(), Some(successor.clone()));
    assert_eq!(kind(replaced.await), StoreErrorKind::Missing);
    assert_eq!(find(store, &digest(3)).await, None);
    let replaced = store.replace_key(&before, next.clone(), Some(successor.clone()));
    replaced.await.unwrap();
    assert_eq!(*read(store, &owner, "one").await, next);
    assert_eq!(find(store, &digest(3)).await, Some(successor));
}

async fn one_of_many_concurrent_replacements_wins(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    let before = read(store, &owner, "one").await;
    let replacements = (0..8)
        .map(|n| {
            let next = KeyRecord::clone(&before).scope(&*format!("race:{n}"));
            store.replace_key(&before, next, None)
        })
        .collect();
    assert_eq!(won(&together(replacements).await), 1);
    let after = read(store, &owner, "one").await;
    let scopes = after.scopes.iter();
    assert_eq!(scopes.filter(|scope| scope.starts_with("race:")).count(), 1);
}

async fn changes_of_one_key_that_meet_are_all_made(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    let first = digest(1);
    let uses = [(first.clone(), later(60))];
    let calls: Vec<Call<'_, Result<(), StoreError>>> = vec![
        store.rename_key(&owner, "one", "met"),
        store.note_key_uses(&uses),
        store.replace_key_digest(&first, digest(11)),
        store.revoke_key(&owner, "one", later(9)),
    ];
    let results = together(calls).await;
    assert_eq!(won(&results), 4, "{results:?}");
    let after = read(store, &owner, "one").await;
    assert_eq!((&*after.name, after.revoked), ("met", Some(later(9))));
    assert_eq!(after.digest, digest(11));
    assert_eq!(find(store, &first).await, None);
    // Noted where it was found by the former digest; not an error where it was found no more.
    let used = after.last_used.get();
    assert!(used.is_none() || used == Some(later(60)));
}

async fn a_use_that_was_noted_meanwhile_is_not_lost(store: &impl ManagedKeyStore) {
    let owner = Subject::user("1");
    let before = KeyRecord::clone(&*read(store, &owner, "two").await);
    store
        .note_key_uses(&[(digest(2), later(120))])
        .await
        .unwrap();
    let mut next = before.clone();
    next.name = "after a use".into();
    let replaced = store.replace_key(&before, next, None).await;
    // Whether a use makes the record another one is up to the store. In either case the use must be
    // there afterwards.
    match replaced.map_err(|error| error.kind()) {
        Ok(()) => assert_eq!(&*read(store, &owner, "two").await.name, "after a use"),
        Err(kind) => assert_eq!(kind, StoreErrorKind::Missing),
    }
    let after = read(store, &owner, "two").await;
    assert_eq!(after.last_used.get(), Some(later(120)));
}
