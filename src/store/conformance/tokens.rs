use super::{NOW, kind, later, together};
use crate::principal::Subject;
use crate::store::{
    FamilyRecord, Known, Rotated, Rotation, StoreErrorKind, TokenIds, TokenRecord, TokenStore,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Checks a [`TokenStore`]. `fresh` makes an empty one, as often as it is called.
pub async fn token_store<S: TokenStore>(fresh: impl AsyncFn() -> S) {
    tokens_direct(&fresh().await).await;
    let shared: Arc<dyn TokenStore> = Arc::new(fresh().await);
    tokens_direct(&shared).await;
}

async fn tokens_direct(store: &impl TokenStore) {
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
    private_tokens_are_listed_for_their_owner_alone_oldest_first(store).await;
    a_private_token_is_revoked_by_its_owner_alone_and_denied_at_once(store).await;
    uses_of_private_tokens_are_noted_and_never_go_back(store).await;
    a_subject_is_signed_out_everywhere_and_nobody_else_is(store).await;
    odd_texts_are_kept_as_they_are(store).await;
    a_purge_removes_what_is_over_in_bounded_batches(store).await;
}

fn family(id: &str, subject: &str) -> FamilyRecord {
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
async fn is_denied(
    store: &impl TokenStore,
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

async fn found(store: &impl TokenStore, id: &str) -> Option<FamilyRecord> {
    store
        .find_family(id, NOW)
        .await
        .unwrap()
        .map(|family| FamilyRecord::clone(&family))
}

async fn a_family_is_found_as_it_was(store: &impl TokenStore) {
    store.insert_family(family("a", "1"), NOW).await.unwrap();
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
        .insert_family(tenant.clone().previous("w", later(3)), NOW)
        .await
        .unwrap();
    assert_eq!(
        found(store, "t").await,
        Some(tenant.previous("w", later(3)))
    );
}

async fn a_taken_family_id_writes_nothing(store: &impl TokenStore) {
    assert_eq!(
        kind(store.insert_family(family("a", "2"), NOW).await),
        StoreErrorKind::Exists
    );
    assert_eq!(found(store, "a").await, Some(family("a", "1")));
}

async fn a_revoked_token_is_denied_until_its_end_and_no_other_is(store: &impl TokenStore) {
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
    store.revoke_token("jti", later(20), NOW).await.unwrap();
    assert!(
        is_denied(store, "jti", None, later(49)).await,
        "a revocation is not shortened"
    );
}

async fn the_current_token_rotates_and_its_predecessor_gets_the_same_successor_within_the_grace(
    store: &impl TokenStore,
) {
    let rotate = async |presented, successor, now| {
        store
            .rotate_family(rotation("a", presented, successor), later(now))
            .await
            .unwrap()
    };
    let Rotated::New(second) = rotate("1", "2", 10).await else {
        panic!("the current token did not rotate")
    };
    assert_eq!(
        (second.current(), second.predecessor()),
        ("2", Some(("1", later(10))))
    );
    assert_eq!(
        found(store, "a").await.as_ref(),
        Some(&*second),
        "what was answered is what was written"
    );
    let Rotated::Again(again) = rotate("1", "9", 19).await else {
        panic!("no grace")
    };
    assert_eq!(again.current(), "2");
    let Rotated::New(third) = rotate("2", "3", 19).await else {
        panic!("the successor did not rotate")
    };
    assert_eq!(
        (third.current(), third.grants()),
        ("3", r#"{"scope":"a b"}"#)
    );
    assert!(!is_denied(store, "any", Some("a"), later(19)).await);
}

async fn reuse_revokes_the_family_and_its_access_tokens(store: &impl TokenStore) {
    let reuse = store
        .rotate_family(rotation("a", "1", "9"), later(19))
        .await
        .unwrap();
    assert!(
        matches!(reuse, Rotated::Reuse(ended) if ended.id() == "a"),
        "its successor was used"
    );
    assert!(is_denied(store, "any", Some("a"), later(20)).await);
    assert!(
        !is_denied(store, "any", Some("a"), later(90)).await,
        "its access tokens are expired by then"
    );
    assert_eq!(
        found(store, "a").await.unwrap().revoked_at(),
        Some(later(19))
    );
    let current = store
        .rotate_family(rotation("a", "3", "4"), later(20))
        .await
        .unwrap();
    assert_eq!(current, Rotated::Ended, "the thief's token is dead as well");
}

async fn one_of_many_concurrent_rotations_wins_and_the_others_get_its_successor(
    store: &impl TokenStore,
) {
    store
        .insert_family(family("raced", "1"), NOW)
        .await
        .unwrap();
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
                current.insert(family.current().to_owned());
            }
            Rotated::Again(family) => drop(current.insert(family.current().to_owned())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        (new, current.len()),
        (1, 1),
        "one successor, however many asked"
    );
}

async fn an_unknown_family_rotates_nothing(store: &impl TokenStore) {
    assert_eq!(
        store
            .rotate_family(rotation("no such", "1", "2"), NOW)
            .await
            .unwrap(),
        Rotated::Unknown
    );
    assert_eq!(found(store, "no such").await, None);
}

async fn a_revoked_family_is_denied_and_rotates_no_more(store: &impl TokenStore) {
    store.insert_family(family("b", "1"), NOW).await.unwrap();
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
    assert!(!ended.is_current("1", later(5)) && ended.revoked_at() == Some(later(5)));
}

async fn a_revocation_that_comes_twice_or_for_nothing_is_no_error(store: &impl TokenStore) {
    store.revoke_family("b", later(95), later(6)).await.unwrap();
    store
        .revoke_family("no such", later(95), later(6))
        .await
        .unwrap();
    assert_eq!(
        found(store, "b").await.unwrap().revoked_at(),
        Some(later(5)),
        "the first time stays"
    );
    store
        .revoke_subject(&Subject::user("nobody"), later(95), later(6))
        .await
        .unwrap();
}

async fn after_a_revocation_no_concurrent_rotation_leaves_the_family_alive(
    store: &impl TokenStore,
) {
    enum Done {
        Rotated,
        Revoked,
    }
    for n in 0..8 {
        let id = format!("contested {n}");
        store.insert_family(family(&id, "1"), NOW).await.unwrap();
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
        let calls: Vec<std::pin::Pin<Box<dyn Future<Output = Done> + Send + '_>>> = if n % 2 == 0 {
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

fn private(id: &str, owner: &str, created: u64) -> TokenRecord {
    TokenRecord::new(
        id,
        Subject::user(owner),
        "a name",
        later(created),
        later(500),
    )
}

async fn listed(store: &impl TokenStore, owner: &str) -> Vec<TokenRecord> {
    let records = store
        .list_private_tokens(&Subject::user(owner), NOW)
        .await
        .unwrap();
    records
        .iter()
        .map(|record| TokenRecord::clone(record))
        .collect()
}

async fn private_tokens_are_listed_for_their_owner_alone_oldest_first(store: &impl TokenStore) {
    for token in [
        private("pc", "1", 20),
        private("pb", "1", 10),
        private("pa", "1", 20),
        private("px", "2", 0),
    ] {
        store.insert_private_token(token, NOW).await.unwrap();
    }
    assert_eq!(
        kind(store.insert_private_token(private("pa", "2", 0), NOW).await),
        StoreErrorKind::Exists
    );
    assert_eq!(
        listed(store, "1").await,
        [
            private("pb", "1", 10),
            private("pa", "1", 20),
            private("pc", "1", 20)
        ]
    );
    assert!(listed(store, "nobody").await.is_empty());
}

async fn a_private_token_is_revoked_by_its_owner_alone_and_denied_at_once(store: &impl TokenStore) {
    let revoke = async |owner, id, now| {
        store
            .revoke_private_token(&Subject::user(owner), id, later(now))
            .await
    };
    assert_eq!(kind(revoke("2", "pb", 30).await), StoreErrorKind::Missing);
    assert_eq!(
        kind(revoke("1", "no such", 30).await),
        StoreErrorKind::Missing
    );
    assert!(!is_denied(store, "pb", None, later(30)).await);
    revoke("1", "pb", 30).await.unwrap();
    revoke("1", "pb", 40).await.unwrap();
    assert!(is_denied(store, "pb", None, later(30)).await);
    assert!(
        is_denied(store, "pb", None, later(499)).await,
        "until it is expired"
    );
    assert_eq!(listed(store, "1").await[0].revoked_at(), Some(later(30)));
    assert!(!is_denied(store, "pa", None, later(30)).await);
}

async fn uses_of_private_tokens_are_noted_and_never_go_back(store: &impl TokenStore) {
    let note = async |uses: &[(&str, u64)]| {
        let uses: Vec<_> = uses
            .iter()
            .map(|(id, at)| ((*id).to_owned(), later(*at)))
            .collect();
        store.note_token_uses(&uses, NOW).await.unwrap();
    };
    note(&[("pa", 120), ("no such", 120)]).await;
    note(&[("pa", 60)]).await;
    note(&[]).await;
    let tokens = listed(store, "1").await;
    assert_eq!(
        (tokens[1].last_used(), tokens[2].last_used()),
        (Some(later(120)), None)
    );
}

async fn a_subject_is_signed_out_everywhere_and_nobody_else_is(store: &impl TokenStore) {
    for (id, subject) in [("s1", "sue"), ("s2", "sue"), ("s3", "tom")] {
        store.insert_family(family(id, subject), NOW).await.unwrap();
        store
            .insert_private_token(private(&format!("p{id}"), subject, 0), NOW)
            .await
            .unwrap();
    }
    store
        .revoke_subject(&Subject::user("sue"), later(90), later(10))
        .await
        .unwrap();
    for (id, ended) in [("s1", true), ("s2", true), ("s3", false)] {
        assert_eq!(
            is_denied(store, "any", Some(id), later(10)).await,
            ended,
            "{id}"
        );
        assert_eq!(
            is_denied(store, &format!("p{id}"), None, later(400)).await,
            ended,
            "{id}"
        );
        assert_eq!(
            found(store, id).await.unwrap().revoked_at().is_some(),
            ended,
            "{id}"
        );
    }
    store
        .insert_family(family("s4", "sue"), later(10))
        .await
        .unwrap();
    assert!(
        !is_denied(store, "any", Some("s4"), later(10)).await,
        "a later sign-in is not affected"
    );
    assert!(found(store, "s4").await.unwrap().is_current("1", later(10)));
}

async fn odd_texts_are_kept_as_they_are(store: &impl TokenStore) {
    let odd = "'; DROP TABLE families; -- \u{1f511}\u{202e}\"\\%_";
    let record = FamilyRecord::new(
        odd,
        Subject::new(odd, odd),
        odd,
        NOW,
        later(9),
        odd,
        later(9),
    );
    store.insert_family(record.clone(), NOW).await.unwrap();
    assert_eq!(found(store, odd).await, Some(record));
    store.revoke_token(odd, later(9), NOW).await.unwrap();
    assert!(is_denied(store, odd, None, NOW).await);
    let token = TokenRecord::new(odd, Subject::user(odd), odd, NOW, later(9));
    store
        .insert_private_token(token.clone(), NOW)
        .await
        .unwrap();
    assert_eq!(listed(store, odd).await, [token]);
}

async fn a_purge_removes_what_is_over_in_bounded_batches(store: &impl TokenStore) {
    store
        .insert_family(family("kept", "late"), NOW)
        .await
        .unwrap();
    store.revoke_token("kept", later(5_000), NOW).await.unwrap();
    let mut purged = Vec::new();
    loop {
        let count = store.purge_tokens(later(600), 3, later(700)).await.unwrap();
        assert!(count <= 3);
        if count == 0 {
            break;
        }
        purged.push(count);
    }
    assert!(purged.iter().sum::<usize>() >= 8, "{purged:?}");
    assert!(
        listed(store, "1").await.is_empty(),
        "private tokens ended at 500"
    );
    assert!(found(store, "t").await.is_none() && found(store, "kept").await.is_some());
    assert!(
        is_denied(store, "kept", None, later(700)).await,
        "what is not over is not forgotten"
    );
}
