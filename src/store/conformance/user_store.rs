use super::support::{ODD, together};
use crate::principal::Subject;
use crate::store::{Peek, UserRecord, UserStore};
use std::sync::Arc;

/// Checks a [`UserStore`]. `with` makes one that has the users it is given and no others, as often
/// as it is called.
///
/// The users have what signing in takes: an id, one name, a hash, and a state. What else a store
/// says of them is its own affair, and a store that knows no disabled users leaves them out.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn user_store<S: UserStore>(with: impl AsyncFn(Vec<UserRecord>) -> S) {
    found_as_they_are(&with(seeds()).await).await;
    let erased: Arc<dyn UserStore> = Arc::new(with(seeds()).await);
    found_as_they_are(&erased).await;
    let empty = with(Vec::new()).await;
    assert!(find_user(&empty, "anna").await.is_none());
}

async fn found_as_they_are(store: &impl UserStore) {
    a_user_is_found_by_name(store).await;
    names_are_compared_exactly(store).await;
    a_disabled_user_is_never_active(store).await;
    many_who_ask_at_once_get_the_same(store).await;
}

fn seeds() -> Vec<UserRecord> {
    vec![
        UserRecord::new(Subject::user("1"), "anna").password_hash("$argon2id$…"),
        UserRecord::new(Subject::user("2"), ODD).password_hash("$argon2id$other"),
        UserRecord::new(Subject::user("3"), "carl").disabled(),
    ]
}

/// What the store answers, by both of its ways, which must agree.
pub(super) async fn find_user(store: &impl UserStore, name: &str) -> Option<Arc<UserRecord>> {
    let found = store.find_user(name).await.unwrap();
    match store.peek_user(name) {
        Peek::Found(user) => assert_eq!(Some(&user), found.as_ref(), "peek and find disagree"),
        Peek::Absent => assert!(found.is_none(), "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn a_user_is_found_by_name(store: &impl UserStore) {
    let users = [("anna", "1", "$argon2id$…"), (ODD, "2", "$argon2id$other")];
    for (name, id, hash) in users {
        let user = find_user(store, name).await.expect("the user is there");
        assert_eq!(user.id, Subject::user(id));
        let stored = user.password_hash.as_ref().expect("a hash");
        assert_eq!(stored.expose(), hash);
        assert!(user.is_active());
    }
}

pub(super) async fn names_are_compared_exactly(store: &impl UserStore) {
    for name in ["Anna", "anna ", " anna", "ann", "anna\0", "anna%", ""] {
        assert!(find_user(store, name).await.is_none(), "{name:?}");
    }
}

async fn a_disabled_user_is_never_active(store: &impl UserStore) {
    if let Some(user) = find_user(store, "carl").await {
        assert!(!user.is_active());
    }
}

async fn many_who_ask_at_once_get_the_same(store: &impl UserStore) {
    let calls = (0..8).map(|_| store.find_user("anna")).collect();
    for found in together(calls).await {
        assert_eq!(found.unwrap().expect("she is there").id, Subject::user("1"));
    }
}
