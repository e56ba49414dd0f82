use super::support::{NOW, ODD, kind, later, together, won};
use super::token_store::{family, found, is_denied};
use crate::principal::Subject;
use crate::store::{PrivateTokenStore, StoreErrorKind, TokenRecord};
use std::sync::Arc;

/// Checks a [`PrivateTokenStore`]; [`token_store`](super::token_store()) checks the
/// [`TokenStore`](crate::store::TokenStore) that it is too. `fresh` makes an empty one, as often as
/// it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn private_token_store<S: PrivateTokenStore>(fresh: impl AsyncFn() -> S) {
    kept(&fresh().await).await;
    let shared: Arc<dyn PrivateTokenStore> = Arc::new(fresh().await);
    kept(&shared).await;
}

async fn kept(store: &impl PrivateTokenStore) {
    a_private_token_is_found_as_it_was(store).await;
    private_tokens_are_listed_for_their_owner_alone_oldest_first(store).await;
    a_private_token_is_revoked_by_its_owner_alone_and_denied_at_once(store).await;
    uses_of_private_tokens_are_noted_and_never_go_back(store).await;
    a_token_is_replaced_only_while_it_is_as_it_was_read(store).await;
    one_of_many_concurrent_replacements_wins(store).await;
    a_use_that_was_noted_meanwhile_is_not_lost(store).await;
    a_subject_is_signed_out_everywhere_and_nobody_else_is(store).await;
    a_purge_removes_what_is_over_in_bounded_batches(store).await;
}

fn private(id: &str, owner: &str, created: u64) -> TokenRecord {
    let owner = Subject::user(owner);
    TokenRecord::new(id, owner, "a name", later(created), later(500))
}

async fn insert(store: &impl PrivateTokenStore, token: TokenRecord) {
    store.insert_private_token(token).await.unwrap();
}

async fn read(store: &impl PrivateTokenStore, id: &str) -> TokenRecord {
    let found = store.find_private_token(id).await.unwrap();
    TokenRecord::clone(&found.expect("the token is there"))
}

async fn listed(store: &impl PrivateTokenStore, owner: &str) -> Vec<TokenRecord> {
    let owner = Subject::user(owner);
    let records = store.list_private_tokens(&owner, None, 1_000).await;
    let records = records.unwrap();
    let clones = records.iter().map(|record| TokenRecord::clone(record));
    clones.collect()
}

async fn a_private_token_is_found_as_it_was(store: &impl PrivateTokenStore) {
    let token = TokenRecord::new(ODD, Subject::new(ODD, ODD), ODD, NOW, later(9));
    insert(store, token.clone()).await;
    assert_eq!(read(store, ODD).await, token);
    let unknown = store.find_private_token("no such").await.unwrap();
    assert!(unknown.is_none());
}

async fn private_tokens_are_listed_for_their_owner_alone_oldest_first(
    store: &impl PrivateTokenStore,
) {
    let one = [("pb", 10), ("pa", 20), ("pc", 20)].map(|(id, created)| private(id, "1", created));
    let [b, a, c] = one.clone();
    for token in [c, b, a, private("px", "2", 0)] {
        insert(store, token).await;
    }
    let taken = store.insert_private_token(private("pa", "2", 0)).await;
    assert_eq!(kind(taken), StoreErrorKind::Exists);
    assert_eq!(listed(store, "1").await, one);
    assert!(listed(store, "nobody").await.is_empty());
    let owner = Subject::user("1");
    let first = store.list_private_tokens(&owner, None, 2).await.unwrap();
    let [_, second] = &*first else {
        panic!("not the page that was asked for: {first:?}")
    };
    let rest = store.list_private_tokens(&owner, Some(second), 2).await;
    let rest = rest.unwrap();
    assert_eq!((rest.len(), &*rest[0].id), (1, "pc"));
}

async fn a_private_token_is_revoked_by_its_owner_alone_and_denied_at_once(
    store: &impl PrivateTokenStore,
) {
    let owner = Subject::user("1");
    let other = Subject::user("2");
    let revoked = store.revoke_private_token(&other, "pb", later(30)).await;
    assert_eq!(kind(revoked), StoreErrorKind::Missing);
    let revoked = store.revoke_private_token(&owner, "no such", later(30));
    assert_eq!(kind(revoked.await), StoreErrorKind::Missing);
    assert!(!is_denied(store, "pb", None, later(30)).await);
    for at in [30, 40] {
        let revoked = store.revoke_private_token(&owner, "pb", later(at));
        revoked.await.unwrap();
    }
    assert!(is_denied(store, "pb", None, later(30)).await);
    let denied = is_denied(store, "pb", None, later(499)).await;
    assert!(denied, "until it is expired");
    assert_eq!(listed(store, "1").await[0].revoked, Some(later(30)));
    assert!(!is_denied(store, "pa", None, later(30)).await);
}

async fn uses_of_private_tokens_are_noted_and_never_go_back(store: &impl PrivateTokenStore) {
    note(store, &[("pa", 120), ("no such", 120)]).await;
    note(store, &[("pa", 60)]).await;
    note(store, &[]).await;
    let tokens = listed(store, "1").await;
    assert_eq!(tokens[1].last_used.get(), Some(later(120)));
    assert_eq!(tokens[2].last_used.get(), None);
}

async fn note(store: &impl PrivateTokenStore, uses: &[(&str, u64)]) {
    let uses = uses.iter().map(|(id, at)| ((*id).to_owned(), later(*at)));
    let uses: Vec<_> = uses.collect();
    store.note_token_uses(&uses).await.unwrap();
}

async fn a_token_is_replaced_only_while_it_is_as_it_was_read(store: &impl PrivateTokenStore) {
    insert(store, private("r", "replaced", 0)).await;
    let before = read(store, "r").await;
    let mut next = before.clone();
    next.name = "another".into();
    let replaced = store.replace_private_token(&before, next.clone(), None);
    replaced.await.unwrap();
    assert_eq!(read(store, "r").await, next);
    assert!(!is_denied(store, "r", None, later(5)).await);
    let ended = before.clone().revoked(later(5));
    let replaced = store.replace_private_token(&before, ended, Some(later(500)));
    assert_eq!(kind(replaced.await), StoreErrorKind::Missing);
    assert_eq!(read(store, "r").await, next, "something was written");
    assert!(!is_denied(store, "r", None, later(5)).await);
    let ended = next.clone().revoked(later(5));
    let replaced = store.replace_private_token(&next, ended.clone(), Some(later(500)));
    replaced.await.unwrap();
    assert_eq!(read(store, "r").await, ended);
    assert!(is_denied(store, "r", None, later(5)).await);
    let unknown = private("no such", "replaced", 0);
    let replaced = store.replace_private_token(&unknown, unknown.clone(), None);
    assert_eq!(kind(replaced.await), StoreErrorKind::Missing);
}

async fn one_of_many_concurrent_replacements_wins(store: &impl PrivateTokenStore) {
    insert(store, private("rr", "replaced", 0)).await;
    let before = read(store, "rr").await;
    let replacements = (0..8)
        .map(|n| {
            let mut next = before.clone();
            next.name = format!("race {n}").into();
            store.replace_private_token(&before, next, None)
        })
        .collect();
    assert_eq!(won(&together(replacements).await), 1);
}

async fn a_use_that_was_noted_meanwhile_is_not_lost(store: &impl PrivateTokenStore) {
    let before = read(store, "pc").await;
    let uses = [(String::from("pc"), later(120))];
    store.note_token_uses(&uses).await.unwrap();
    let mut next = before.clone();
    next.name = "after a use".into();
    let replaced = store.replace_private_token(&before, next, None).await;
    // Whether a use makes the record another one is up to the store. In either case the use must be
    // there afterwards.
    match replaced.map_err(|error| error.kind()) {
        Ok(()) => assert_eq!(&*read(store, "pc").await.name, "after a use"),
        Err(kind) => assert_eq!(kind, StoreErrorKind::Missing),
    }
    assert_eq!(read(store, "pc").await.last_used.get(), Some(later(120)));
}

async fn a_subject_is_signed_out_everywhere_and_nobody_else_is(store: &impl PrivateTokenStore) {
    for (id, subject) in [("s1", "sue"), ("s2", "sue"), ("s3", "tom")] {
        store.insert_family(family(id, subject)).await.unwrap();
        insert(store, private(&format!("p{id}"), subject, 0)).await;
    }
    // More than a page of them, whatever a page is.
    for n in 0..250 {
        insert(store, private(&format!("ps{n:03}"), "sue", 1)).await;
    }
    let sue = Subject::user("sue");
    let ended = store.revoke_subject(&sue, later(90), later(10)).await;
    ended.unwrap();
    for (id, ended) in [("s1", true), ("s2", true), ("s3", false)] {
        let access = is_denied(store, "any", Some(id), later(10)).await;
        assert_eq!(access, ended, "{id}");
        let private = is_denied(store, &format!("p{id}"), None, later(400)).await;
        assert_eq!(private, ended, "{id}");
        let family = found(store, id).await.unwrap();
        assert_eq!(family.revoked.is_some(), ended, "{id}");
    }
    let tokens = listed(store, "sue").await;
    assert_eq!(tokens.len(), 252);
    for token in tokens {
        assert_eq!(token.revoked, Some(later(10)), "{}", token.id);
    }
    store.insert_family(family("s4", "sue")).await.unwrap();
    let denied = is_denied(store, "any", Some("s4"), later(10)).await;
    assert!(!denied, "a later sign-in is not affected");
    assert!(found(store, "s4").await.unwrap().is_current("1", later(10)));
}

async fn a_purge_removes_what_is_over_in_bounded_batches(store: &impl PrivateTokenStore) {
    let mut kept = private("kept", "late", 0);
    kept.expires = later(600);
    insert(store, kept).await;
    let mut purged = 0;
    loop {
        let count = store.purge_private_tokens(later(600), 100).await.unwrap();
        assert!(count <= 100);
        if count == 0 {
            break;
        }
        purged += count;
    }
    // A store need not forget, but then it forgets nothing.
    let is_over = listed(store, "sue").await.is_empty();
    assert_eq!(is_over, purged >= 252, "{purged}");
    assert_eq!(listed(store, "late").await.len(), 1);
}
