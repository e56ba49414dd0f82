use super::support::{NOW, kind, later, together, won};
use super::user_store::{find_user, names_are_compared_exactly, user_store};
use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{
    Account, ManagedUserStore, StoreErrorKind, TakenRights, UserChange, UserRecord, UserState,
};
use std::sync::Arc;

/// Checks a [`ManagedUserStore`], as the [`UserStore`](crate::store::UserStore) that it is too.
/// `fresh` makes an empty one, as often as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn managed_user_store<S: ManagedUserStore>(fresh: impl AsyncFn() -> S) {
    user_store(async |users| {
        let store = fresh().await;
        for user in users {
            store.insert_user(user).await.unwrap();
        }
        store
    })
    .await;
    kept(&fresh().await).await;
    let shared: Arc<dyn ManagedUserStore> = Arc::new(fresh().await);
    kept(&shared).await;
}

async fn kept(store: &impl ManagedUserStore) {
    an_inserted_user_is_found_by_each_name(store).await;
    names_are_compared_exactly(store).await;
    a_taken_id_or_name_writes_nothing(store).await;
    a_disabled_user_is_found(store).await;
    a_user_is_found_by_id(store).await;
    a_change_touches_what_it_names_and_nothing_else(store).await;
    a_change_to_anothers_name_writes_nothing(store).await;
    a_disabled_user_is_known_as_such_at_once_and_an_unknown_one_is_not_disabled(store).await;
    a_password_is_replaced_only_where_it_is_what_it_was(store).await;
    one_of_many_concurrent_password_changes_wins(store).await;
    a_record_is_replaced_only_while_it_is_as_it_was_read(store).await;
    a_replacement_that_takes_anothers_name_writes_nothing(store).await;
    changes_of_one_user_that_meet_are_all_made(store).await;
    users_are_listed_in_pages_by_id(store).await;
    a_removed_user_is_gone_but_the_id_stays_taken_and_disabled(store).await;
    a_right_that_is_taken_is_known_as_taken_until_it_is_given_back(store).await;
}

async fn insert(store: &impl ManagedUserStore, user: UserRecord) {
    store.insert_user(user).await.unwrap();
}

async fn by_id(store: &impl ManagedUserStore, id: &str) -> Arc<UserRecord> {
    let found = store.find_user_by_id(&Subject::user(id)).await;
    found.unwrap().expect("the user is there")
}

fn names(user: &UserRecord) -> Vec<&str> {
    user.names.iter().map(|name| &**name).collect()
}

fn hash_of(user: &UserRecord) -> &str {
    user.password_hash.as_ref().expect("a hash").expose()
}

fn hash(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// What the store answers, by both of its ways, which must agree.
async fn account(store: &impl ManagedUserStore, id: &Subject) -> Account {
    let account = store.account(id).await.unwrap();
    assert_ne!(account, Account::Ask, "nobody is left to ask");
    match store.peek_account(id) {
        Account::Ask => {}
        known => assert_eq!(known, account, "peek and ask disagree"),
    }
    account
}

async fn is_disabled(store: &impl ManagedUserStore, id: &Subject) -> bool {
    account(store, id).await == Account::Closed
}

fn renamed(names: &[&str]) -> UserChange {
    UserChange {
        names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..UserChange::default()
    }
}

fn active(is_active: bool) -> UserChange {
    UserChange {
        active: Some(is_active),
        ..UserChange::default()
    }
}

async fn an_inserted_user_is_found_by_each_name(store: &impl ManagedUserStore) {
    let user = UserRecord::new(Subject::user("1"), "anna")
        .name("anna@example.com")
        .password_hash("$argon2id$…")
        .scope("a")
        .role("staff");
    insert(store, user.clone()).await;
    for name in ["anna", "anna@example.com"] {
        let found = find_user(store, name).await.unwrap();
        assert_eq!(*found, user, "as it was");
        assert!(found.is_active() && hash_of(&found) == "$argon2id$…");
    }
}

async fn a_taken_id_or_name_writes_nothing(store: &impl ManagedUserStore) {
    let same_id = UserRecord::new(Subject::user("1"), "ben");
    let same_name = UserRecord::new(Subject::user("2"), "ben").name("anna");
    for taken in [same_id, same_name] {
        let inserted = store.insert_user(taken).await;
        assert_eq!(kind(inserted), StoreErrorKind::Exists);
    }
    let found = find_user(store, "ben").await;
    assert!(found.is_none(), "a clash left something");
    let ben = UserRecord::new(Subject::user("2"), "ben");
    let inserted = store.insert_user(ben).await;
    inserted.expect("id and name are free");
}

async fn a_disabled_user_is_found(store: &impl ManagedUserStore) {
    insert(
        store,
        UserRecord::new(Subject::user("3"), "carl").disabled(),
    )
    .await;
    let carl = find_user(store, "carl").await.unwrap();
    assert_eq!(carl.state, UserState::Disabled);
}

async fn a_user_is_found_by_id(store: &impl ManagedUserStore) {
    let id = Subject::new("robot", "1");
    let user = UserRecord::new(id.clone(), "dora")
        .created(later(7))
        .rate("9/s".parse().unwrap())
        .with_profile(&[("company", 7)])
        .unwrap();
    insert(store, user.clone()).await;
    let found = store.find_user_by_id(&id).await.unwrap().unwrap();
    assert_eq!(*found, user, "as it was");
    assert_eq!(found.profile.as_deref(), Some(r#"[["company",7]]"#));
    let anna = by_id(store, "1").await;
    assert_eq!(names(&anna), ["anna", "anna@example.com"]);
    let nobody = store.find_user_by_id(&Subject::user("no such")).await;
    assert!(nobody.unwrap().is_none());
}

async fn a_change_touches_what_it_names_and_nothing_else(store: &impl ManagedUserStore) {
    let anna = Subject::user("1");
    let change = UserChange {
        profile: Some("{}".into()),
        ..renamed(&["anna", "anna@example.org"])
    };
    let changed = store.change_user(&anna, change).await.unwrap();
    let found = find_user(store, "anna@example.org").await.unwrap();
    for user in [changed, by_id(store, "1").await, found] {
        assert_eq!(names(&user), ["anna", "anna@example.org"]);
        assert_eq!(user.profile.as_deref(), Some("{}"));
        assert!(user.is_active());
        assert!(user.scopes.contains("a") && user.roles.contains("staff"));
        assert_eq!(hash_of(&user), "$argon2id$…");
    }
    let former = find_user(store, "anna@example.com").await;
    assert!(former.is_none(), "a former name is free");
    let change = UserChange {
        roles: Some(["admin"].into_iter().collect()),
        scopes: Some(Default::default()),
        ..UserChange::default()
    };
    store.change_user(&anna, change).await.unwrap();
    let user = find_user(store, "anna").await.unwrap();
    assert_eq!(user.roles.iter().collect::<Vec<_>>(), ["admin"]);
    assert!(user.scopes.is_empty());
    assert_eq!(user.profile.as_deref(), Some("{}"));
    let nobody = Subject::user("no such");
    let changed = store.change_user(&nobody, UserChange::default()).await;
    assert_eq!(kind(changed), StoreErrorKind::Missing);
}

async fn a_change_to_anothers_name_writes_nothing(store: &impl ManagedUserStore) {
    let change = UserChange {
        active: Some(false),
        ..renamed(&["anna", "ben"])
    };
    let changed = store.change_user(&Subject::user("1"), change).await;
    assert_eq!(kind(changed), StoreErrorKind::Exists);
    let user = by_id(store, "1").await;
    assert!(user.is_active());
    assert_eq!(names(&user), ["anna", "anna@example.org"]);
    let ben = find_user(store, "ben").await.unwrap();
    assert_eq!(ben.id, Subject::user("2"));
}

async fn a_disabled_user_is_known_as_such_at_once_and_an_unknown_one_is_not_disabled(
    store: &impl ManagedUserStore,
) {
    let id = Subject::user("2");
    for is_active in [false, true, false, true] {
        store.change_user(&id, active(is_active)).await.unwrap();
        assert_eq!(is_disabled(store, &id).await, !is_active);
        let ben = find_user(store, "ben").await.unwrap();
        assert_eq!(ben.is_active(), is_active);
    }
    let disabled = is_disabled(store, &Subject::user("3")).await;
    assert!(disabled, "inserted as disabled");
    assert!(!is_disabled(store, &Subject::user("never heard of")).await);
    let other = is_disabled(store, &Subject::new("tenant", "3")).await;
    assert!(!other, "a kind is part of a subject");
}

async fn a_right_that_is_taken_is_known_as_taken_until_it_is_given_back(
    store: &impl ManagedUserStore,
) {
    let id = Subject::user("9");
    insert(store, UserRecord::new(id.clone(), "olga").role("admin")).await;
    assert_eq!(account(store, &id).await, Account::Whole);
    let left = give(store, &id, &["a", "b"], &["x"]).await;
    assert_eq!(left, without(&[], &["admin"]));
    let left = give(store, &id, &["a"], &["x"]).await;
    assert_eq!(left, without(&["b"], &["admin"]));
    let left = give(store, &id, &["b"], &[]).await;
    assert_eq!(left, without(&["a"], &["admin", "x"]));
    let named = store
        .change_user(&id, renamed(&["olga", "olly"]))
        .await
        .unwrap();
    assert_eq!(by_id(store, "9").await, named, "all of it is kept");
    assert_eq!(account(store, &id).await, named.account());
    store.change_user(&id, active(false)).await.unwrap();
    assert_eq!(account(store, &id).await, Account::Closed);
    store.change_user(&id, active(true)).await.unwrap();
    assert_eq!(account(store, &id).await, without(&["a"], &["admin", "x"]));
    let whole = give(store, &id, &["b", "a"], &["x", "admin"]).await;
    assert_eq!(whole, Account::Whole);
}

/// Has a user have these rights and no others.
async fn give(
    store: &impl ManagedUserStore,
    id: &Subject,
    scopes: &[&str],
    roles: &[&str],
) -> Account {
    let change = UserChange {
        scopes: Some(scopes.iter().copied().collect()),
        roles: Some(roles.iter().copied().collect()),
        ..UserChange::default()
    };
    store.change_user(id, change).await.unwrap();
    account(store, id).await
}

/// The account of a user from whom these rights were taken.
fn without(scopes: &[&str], roles: &[&str]) -> Account {
    let scopes = scopes.iter().copied().collect();
    let roles = roles.iter().copied().collect();
    Account::Reduced(Arc::new(TakenRights::new(scopes, roles)))
}

async fn a_password_is_replaced_only_where_it_is_what_it_was(store: &impl ManagedUserStore) {
    let id = Subject::user("1");
    for wrong in [None, Some(hash("$argon2id$")), Some(hash(""))] {
        let stolen = hash("stolen");
        let replaced = store.replace_password(&id, wrong.as_ref(), stolen).await;
        assert_eq!(kind(replaced), StoreErrorKind::Missing);
    }
    let from = hash("$argon2id$…");
    let replaced = store.replace_password(&id, Some(&from), hash("new")).await;
    replaced.unwrap();
    let anna = find_user(store, "anna").await.unwrap();
    assert_eq!(hash_of(&anna), "new");
    // A user without a password gets one.
    let ben = Subject::user("2");
    let replaced = store.replace_password(&ben, None, hash("first")).await;
    replaced.unwrap();
    assert_eq!(hash_of(&*by_id(store, "2").await), "first");
    let nobody = Subject::user("no such");
    let replaced = store.replace_password(&nobody, None, hash("x")).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
}

async fn one_of_many_concurrent_password_changes_wins(store: &impl ManagedUserStore) {
    let id = Subject::user("1");
    let from = hash("new");
    let changes = (0..8)
        .map(|n| store.replace_password(&id, Some(&from), hash(&format!("race {n}"))))
        .collect();
    assert_eq!(won(&together(changes).await), 1);
}

async fn a_record_is_replaced_only_while_it_is_as_it_was_read(store: &impl ManagedUserStore) {
    let read = by_id(store, "1").await;
    let next = UserRecord::clone(&read).role("first");
    store.replace_user(&read, next.clone()).await.unwrap();
    assert_eq!(*by_id(store, "1").await, next);
    assert_eq!(*find_user(store, "anna").await.unwrap(), next);
    let again = UserRecord::clone(&read).role("second");
    let replaced = store.replace_user(&read, again).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert_eq!(*by_id(store, "1").await, next, "something was written");
    let mut other_hash = next.clone();
    other_hash.password_hash = Some(hash("another"));
    let replaced = store.replace_user(&other_hash, next.clone()).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing, "hashes count");
    let nobody = UserRecord::new(Subject::user("no such"), "nobody");
    let replaced = store.replace_user(&nobody, nobody.clone()).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    assert!(find_user(store, "nobody").await.is_none());
}

async fn a_replacement_that_takes_anothers_name_writes_nothing(store: &impl ManagedUserStore) {
    let read = by_id(store, "1").await;
    let next = UserRecord::clone(&read).name("ben").role("third");
    let replaced = store.replace_user(&read, next).await;
    assert_eq!(kind(replaced), StoreErrorKind::Exists);
    assert_eq!(by_id(store, "1").await, read);
    let ben = find_user(store, "ben").await.unwrap();
    assert_eq!(ben.id, Subject::user("2"));
}

async fn changes_of_one_user_that_meet_are_all_made(store: &impl ManagedUserStore) {
    let id = Subject::user("1");
    let profile = UserChange {
        profile: Some(r#"{"met":true}"#.into()),
        ..UserChange::default()
    };
    let roles = UserChange {
        roles: Some(["met"].into_iter().collect()),
        ..UserChange::default()
    };
    // Each of these reads the record and writes it as a whole, unless the store does better. One
    // that is overwritten by another would be lost.
    let all = [profile, roles, renamed(&["anna", "met"]), active(false)];
    let changes = all
        .into_iter()
        .map(|change| store.change_user(&id, change))
        .collect();
    assert_eq!(won(&together(changes).await), 4);
    let user = by_id(store, "1").await;
    assert_eq!(user.profile.as_deref(), Some(r#"{"met":true}"#));
    assert!(user.roles.contains("met") && !user.is_active());
    assert_eq!(names(&user), ["anna", "met"]);
    store.change_user(&id, active(true)).await.unwrap();
}

async fn users_are_listed_in_pages_by_id(store: &impl ManagedUserStore) {
    assert_eq!(page(store, None, 100).await, ["robot:1", "1", "2", "3"]);
    assert_eq!(page(store, None, 2).await, ["robot:1", "1"]);
    assert_eq!(page(store, Some("1"), 1).await, ["2"]);
    assert!(page(store, Some("3"), 5).await.is_empty());
}

async fn page(store: &impl ManagedUserStore, after: Option<&str>, most: usize) -> Vec<String> {
    let after = after.map(Subject::user);
    let users = store.list_users(after.as_ref(), most).await.unwrap();
    users.iter().map(|user| user.id.to_string()).collect()
}

async fn a_removed_user_is_gone_but_the_id_stays_taken_and_disabled(store: &impl ManagedUserStore) {
    let id = Subject::user("2");
    give(store, &id, &["a", "b"], &["x"]).await;
    give(store, &id, &["a"], &["x"]).await;
    let ben = by_id(store, "2").await;
    store.remove_user(&id).await.unwrap();
    assert!(find_user(store, "ben").await.is_none());
    let left = by_id(store, "2").await;
    assert_eq!(*left, UserRecord::clone(&ben).removed());
    assert!(left.names.is_empty() && left.password_hash.is_none());
    let disabled = is_disabled(store, &id).await;
    assert!(disabled, "credentials of a removed user are refused");
    let removed = store.remove_user(&id).await;
    assert_eq!(kind(removed), StoreErrorKind::Missing);
    let changed = store.change_user(&id, active(true)).await;
    assert_eq!(kind(changed), StoreErrorKind::Missing);
    let replaced = store.replace_password(&id, None, hash("x")).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    let replaced = store.replace_user(&ben, UserRecord::clone(&ben)).await;
    assert_eq!(kind(replaced), StoreErrorKind::Missing);
    // Keys and tokens of the removed user name this id. Somebody else who got it would be who they
    // are for.
    let again = UserRecord::new(id.clone(), "eve").created(NOW);
    let inserted = store.insert_user(again).await;
    assert_eq!(kind(inserted), StoreErrorKind::Exists);
    let other = UserRecord::new(Subject::user("4"), "ben");
    let inserted = store.insert_user(other).await;
    inserted.expect("the name is free");
    let listed = store.list_users(None, 100).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|user| user.id != id));
}
