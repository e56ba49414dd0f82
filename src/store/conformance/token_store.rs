use super::support::{Call, NOW, ODD, kind, later, together, won};
use crate::principal::Subject;
use crate::store::{FamilyRecord, Known, Rotated, Rotation, StoreErrorKind, TokenIds, TokenStore};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Checks a [`TokenStore`]. `fresh` makes an empty one, as often as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn token_store<S: TokenStore>(fresh: impl AsyncFn() -> S) {
    kept(&fresh().await).await;
    let shared: Arc<dyn TokenStore> = Arc::new(fresh().await);
    kept(&shared).await;
}

async fn kept(store: &(impl TokenStore + ?Sized)) {
    a_family_is_found_as_it_was(store).await;
    a_taken_family_id_writes_nothing(store).await;
    a_revoked_token_is_denied_until_its_end_and_no_other_is(store).await;
    the_current_token_rotates_and_its_predecessor_gets_the_same_successor_within_the_grace(store)
        .await;
    reuse_revokes_the_family_and_its_access_tokens(store).await;
    one_of_many_concurrent_rotations_wins_and_the_others_get_its_successor(store).await;
    an_unknown_family_rotates_nothing(store).await;
    a_revoked_family_is_denied_and_rotates_no_more(store).await;
    a_revocation_that_comes_twice_or_for_nothing_is_no_error(store).await;
    after_a_revocation_no_concurrent_rotation_leaves_the_family_alive(store).await;
    a_family_is_replaced_only_while_it_is_as_it_was_read(store).await;
    one_of_many_concurrent_replacements_wins(store).await;
    families_are_listed_in_pages_oldest_first(store).await;
    the_families_of_a_subject_end_together_and_nobody_elses_do(store).await;
    odd_texts_are_kept_as_they_are(store).await;
    a_purge_removes_what_is_over_in_bounded_batches(store).await;
}

pub(super) fn family(id: &str, subject: &str) -> FamilyRecord {
    FamilyRecord::new(
        id,
        Subject::user(subject),
        r#"{"scope":"a b"}"#,
        NOW,
        later(1_000),
        "1",
        later(100),
    )
}

fn rotation<'a>(family: &'a str, presented: &'a str, successor: &'a str) -> Rotation<'a> {
    Rotation::new(family, presented, successor, later(200))
        .grace(Duration::from_secs(10))
        .access_until(later(90))
}

/// What the store answers, by both of its ways, which must agree.
pub(super) async fn is_denied(
    store: &(impl TokenStore + ?Sized),
    token: &str,
    family: Option<&str>,
    now: SystemTime,
) -> bool {
    let ids = TokenIds::new(token, family);
    let denied = store.is_revoked(ids, now).await.unwrap();
    match store.peek_revoked(ids, now) {
        Known::Ask => {}
        known => assert_eq!(known, Known::from(denied), "peek and ask disagree"),
    }
    denied
}

pub(super) async fn found(store: &(impl TokenStore + ?Sized), id: &str) -> Option<FamilyRecord> {
    store
        .find_family(id)
        .await
        .unwrap()
        .map(|family| FamilyRecord::clone(&family))
}

async fn a_family_is_found_as_it_was(store: &(impl TokenStore + ?Sized)) {
    store.insert_family(family("a", "1")).await.unwrap();
    assert_eq!(found(store, "a").await, Some(family("a", "1")));
    assert_eq!(found(store, "A").await, None);
    let tenant = FamilyRecord::new(
        "t",
        Subject::new("tenant", "1"),
        "{}",
        NOW,
        later(9),
        "x",
        later(9),
    );
    store
        .insert_family(tenant.clone().previous("w", later(3)))
        .await
        .unwrap();
    assert_eq!(
        found(store, "t").await,
        Some(tenant.previous("w", later(3)))
    );
}

async fn a_taken_family_id_writes_nothing(store: &(impl TokenStore + ?Sized)) {
    assert_eq!(
        kind(store.insert_family(family("a", "2")).await),
        StoreErrorKind::Exists
    );
    assert_eq!(found(store, "a").await, Some(family("a", "1")));
}

async fn a_revoked_token_is_denied_until_its_end_and_no_other_is(
    store: &(impl TokenStore + ?Sized),
) {
    assert!(!is_denied(store, "jti", Some("a"), NOW).await);
    store.revoke_token("jti", later(50), NOW).await.unwrap();
    assert!(is_denied(store, "jti", Some("a"), NOW).await);
    assert!(is_denied(store, "jti", None, later(49)).await);
    assert!(
        !is_denied(store, "jti", None, later(50)).await,
        "the token is expired by then"
    );
    assert!(!is_denied(store, "jt", Some("a"), NOW).await);
    assert!(
        !is_denied(store, "other", Some("jti"), NOW).await,
        "a token's id denies no family"
    );
    // Somebody may revoke a token once more by a shorter lifetime, which must not make it good
    // again.
    store.revoke_token("jti", later(20), NOW).await.unwrap();
    assert!(
        is_denied(store, "jti", None, later(49)).await,
        "a revocation is not shortened"
    );
}

async fn the_current_token_rotates_and_its_predecessor_gets_the_same_successor_within_the_grace(
    store: &(impl TokenStore + ?Sized),
) {
    let Rotated::New(second) = rotate(store, "1", "2", 10).await else {
        panic!("the current token did not rotate")
    };
    assert_eq!(
        (&*second.current, predecessor(&second)),
        ("2", Some(("1", later(10))))
    );
    assert_eq!(
        found(store, "a").await.as_ref(),
        Some(&*second),
        "what was answered is what was written"
    );
    let Rotated::Again(again) = rotate(store, "1", "9", 19).await else {
        panic!("no grace")
    };
    assert_eq!(&*again.current, "2");
    let Rotated::New(third) = rotate(store, "2", "3", 19).await else {
        panic!("the successor did not rotate")
    };
    assert_eq!(
        (&*third.current, &*third.grants),
        ("3", r#"{"scope":"a b"}"#)
    );
    assert!(!is_denied(store, "any", Some("a"), later(19)).await);
}

async fn rotate(
    store: &(impl TokenStore + ?Sized),
    presented: &str,
    successor: &str,
    now: u64,
) -> Rotated {
    let rotation = rotation("a", presented, successor);
    store.rotate_family(rotation, later(now)).await.unwrap()
}

async fn reuse_revokes_the_family_and_its_access_tokens(store: &(impl TokenStore + ?Sized)) {
    let reuse = rotate(store, "1", "9", 19).await;
    assert!(
        matches!(reuse, Rotated::Reuse(ended) if *ended.id == *"a"),
        "its successor was used"
    );
    assert!(is_denied(store, "any", Some("a"), later(20)).await);
    assert!(
        !is_denied(store, "any", Some("a"), later(90)).await,
        "its access tokens are expired by then"
    );
    assert_eq!(found(store, "a").await.unwrap().revoked, Some(later(19)));
    let current = rotate(store, "3", "4", 20).await;
    assert_eq!(current, Rotated::Ended, "the thief's token is dead as well");
}

async fn one_of_many_concurrent_rotations_wins_and_the_others_get_its_successor(
    store: &(impl TokenStore + ?Sized),
) {
    store.insert_family(family("raced", "1")).await.unwrap();
    let successors: Vec<String> = (0..16).map(|n| format!("s{n}")).collect();
    let rotations = successors
        .iter()
        .map(|successor| store.rotate_family(rotation("raced", "1", successor), later(10)))
        .collect();
    let (mut new, mut current) = (0, std::collections::BTreeSet::new());
    for rotated in together(rotations).await {
        match rotated.unwrap() {
            Rotated::New(family) => {
                new += 1;
                current.insert(family.current.to_string());
            }
            Rotated::Again(family) => drop(current.insert(family.current.to_string())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        (new, current.len()),
        (1, 1),
        "one successor, however many asked"
    );
}

async fn an_unknown_family_rotates_nothing(store: &(impl TokenStore + ?Sized)) {
    assert_eq!(
        store
            .rotate_family(rotation("no such", "1", "2"), NOW)
            .await
            .unwrap(),
        Rotated::Unknown
    );
    assert_eq!(found(store, "no such").await, None);
}

async fn a_revoked_family_is_denied_and_rotates_no_more(store: &(impl TokenStore + ?Sized)) {
    store.insert_family(family("b", "1")).await.unwrap();
    store.revoke_family("b", later(90), later(5)).await.unwrap();
    assert!(is_denied(store, "any", Some("b"), later(5)).await);
    assert_eq!(
        store
            .rotate_family(rotation("b", "1", "2"), later(5))
            .await
            .unwrap(),
        Rotated::Ended
    );
    let ended = found(store, "b").await.unwrap();
    assert!(!ended.is_current("1", later(5)) && ended.revoked == Some(later(5)));
}

async fn a_revocation_that_comes_twice_or_for_nothing_is_no_error(
    store: &(impl TokenStore + ?Sized),
) {
    store.revoke_family("b", later(95), later(6)).await.unwrap();
    store
        .revoke_family("no such", later(95), later(6))
        .await
        .unwrap();
    assert_eq!(
        found(store, "b").await.unwrap().revoked,
        Some(later(5)),
        "the first time stays"
    );
    store
        .revoke_families(&Subject::user("nobody"), later(95), later(6))
        .await
        .unwrap();
}

async fn after_a_revocation_no_concurrent_rotation_leaves_the_family_alive(
    store: &(impl TokenStore + ?Sized),
) {
    enum Done {
        Rotated,
        Revoked,
    }
    for n in 0..8 {
        let id = format!("contested {n}");
        store.insert_family(family(&id, "1")).await.unwrap();
        let rotate = async {
            store
                .rotate_family(rotation(&id, "1", "2"), later(10))
                .await
                .unwrap();
            Done::Rotated
        };
        let revoke = async {
            store
                .revoke_family(&id, later(90), later(10))
                .await
                .unwrap();
            Done::Revoked
        };
        // Whichever is polled first reads first. A rotation that has read the family must not write
        // it back as alive after the revocation.
        let calls: Vec<Call<'_, Done>> = if n % 2 == 0 {
            vec![Box::pin(rotate), Box::pin(revoke)]
        } else {
            vec![Box::pin(revoke), Box::pin(rotate)]
        };
        let done = together(calls).await;
        assert!(done.iter().any(|done| matches!(done, Done::Revoked)));
        for token in ["1", "2"] {
            let rotated = store
                .rotate_family(rotation(&id, token, "3"), later(11))
                .await
                .unwrap();
            assert_eq!(rotated, Rotated::Ended);
        }
        assert!(is_denied(store, "any", Some(&id), later(11)).await);
    }
}

async fn odd_texts_are_kept_as_they_are(store: &(impl TokenStore + ?Sized)) {
    let record = FamilyRecord::new(
        ODD,
        Subject::new(ODD, ODD),
        ODD,
        NOW,
        later(9),
        ODD,
        later(9),
    );
    store.insert_family(record.clone()).await.unwrap();
    assert_eq!(found(store, ODD).await, Some(record));
    store.revoke_token(ODD, later(9), NOW).await.unwrap();
    assert!(is_denied(store, ODD, None, NOW).await);
}

async fn a_purge_removes_what_is_over_in_bounded_batches(store: &(impl TokenStore + ?Sized)) {
    let kept = family("kept", "late");
    store.insert_family(kept).await.unwrap();
    let revoked = store.revoke_token("kept", later(5_000), NOW).await;
    revoked.unwrap();
    let mut purged = Vec::new();
    loop {
        let count = store.purge_tokens(later(600), 3).await.unwrap();
        assert!(count <= 3);
        if count == 0 {
            break;
        }
        purged.push(count);
    }
    // A store need not forget, but then it forgets nothing.
    let is_over = found(store, "t").await.is_none();
    assert_eq!(is_over, purged.iter().sum::<usize>() >= 4, "{purged:?}");
    assert!(found(store, "kept").await.is_some());
    let denied = is_denied(store, "kept", None, later(700)).await;
    assert!(denied, "what is not over is not forgotten");
}

fn predecessor(family: &FamilyRecord) -> Option<(&str, SystemTime)> {
    let (id, rotated) = family.previous.as_ref()?;
    Some((id, *rotated))
}

async fn a_family_is_replaced_only_while_it_is_as_it_was_read(store: &(impl TokenStore + ?Sized)) {
    store.insert_family(family("r", "1")).await.unwrap();
    let before = found(store, "r").await.unwrap();
    let mut next = before.clone();
    next.current = "2".into();
    let replaced = store.replace_family(&before, next.clone(), None).await;
    replaced.unwrap();
    assert_eq!(found(store, "r").await, Some(next.clone()));
    assert!(!is_denied(store, "any", Some("r"), later(5)).await);
    let ended = before.clone().revoked(later(5));
    let replaced = store.replace_family(&before, ended, Some(later(90))).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert_eq!(found(store, "r").await.as_ref(), Some(&next), "written");
    assert!(!is_denied(store, "any", Some("r"), later(5)).await);
    let ended = next.clone().revoked(later(5));
    let replaced = store
        .replace_family(&next, ended.clone(), Some(later(90)))
        .await;
    replaced.unwrap();
    assert_eq!(found(store, "r").await, Some(ended));
    assert!(is_denied(store, "any", Some("r"), later(89)).await);
    assert!(!is_denied(store, "any", Some("r"), later(90)).await);
    let unknown = family("no such", "1");
    let replaced = store.replace_family(&unknown, unknown.clone(), None).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert_eq!(found(store, "no such").await, None);
}

async fn one_of_many_concurrent_replacements_wins(store: &(impl TokenStore + ?Sized)) {
    store.insert_family(family("rr", "1")).await.unwrap();
    let before = found(store, "rr").await.unwrap();
    let replacements = (0..8)
        .map(|n| {
            let mut next = before.clone();
            next.current = format!("r{n}").into();
            store.replace_family(&before, next, None)
        })
        .collect();
    assert_eq!(won(&together(replacements).await), 1);
}

async fn families_are_listed_in_pages_oldest_first(store: &(impl TokenStore + ?Sized)) {
    let subject = Subject::user("lister");
    for (id, created) in [("lc", 20), ("lb", 10), ("la", 20), ("ld", 30)] {
        let mut record = family(id, "lister");
        record.created = later(created);
        store.insert_family(record).await.unwrap();
    }
    store.insert_family(family("lx", "other")).await.unwrap();
    store
        .revoke_family("lc", later(90), later(31))
        .await
        .unwrap();
    let mut ids = Vec::new();
    let mut after: Option<Arc<FamilyRecord>> = None;
    loop {
        let listed = store.list_families(&subject, after.as_deref(), 3).await;
        let page = listed.unwrap();
        assert!(page.len() <= 3, "more than was asked for");
        ids.extend(page.iter().map(|family| family.id.to_string()));
        match page.into_iter().last() {
            Some(last) => after = Some(last),
            None => break,
        }
    }
    assert_eq!(ids, ["lb", "la", "lc", "ld"], "by time, then by id");
    let nobody = Subject::user("nobody");
    let listed = store.list_families(&nobody, None, 10).await.unwrap();
    assert!(listed.is_empty());
}

async fn the_families_of_a_subject_end_together_and_nobody_elses_do(
    store: &(impl TokenStore + ?Sized),
) {
    // More than a page of them, whatever a page is.
    for n in 0..250 {
        let record = family(&format!("m{n}"), "many");
        store.insert_family(record).await.unwrap();
    }
    store.insert_family(family("one", "few")).await.unwrap();
    let many = Subject::user("many");
    let ended = store.revoke_families(&many, later(90), later(10)).await;
    ended.unwrap();
    for n in 0..250 {
        let id = format!("m{n}");
        let ended = found(store, &id).await.unwrap();
        assert_eq!(ended.revoked, Some(later(10)), "{id}");
        assert!(is_denied(store, "any", Some(&id), later(10)).await, "{id}");
    }
    assert_eq!(found(store, "one").await.unwrap().revoked, None);
    assert!(!is_denied(store, "any", Some("one"), later(10)).await);
    store.insert_family(family("new", "many")).await.unwrap();
    let denied = is_denied(store, "any", Some("new"), later(10)).await;
    assert!(!denied, "a later sign-in is not affected");
    assert!(
        found(store, "new")
            .await
            .unwrap()
            .is_current("1", later(10))
    );
}
