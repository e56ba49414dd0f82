use super::{NOW, kind, later, together};
use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{Known, Peek, StoreErrorKind, UserChange, UserRecord, UserStore};
use std::sync::Arc;

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
    a_user_is_found_by_id(store).await;
    a_change_touches_what_it_names_and_nothing_else(store).await;
    a_change_to_anothers_name_writes_nothing(store).await;
    a_disabled_user_is_known_as_such_at_once_and_an_unknown_one_is_not_disabled(store).await;
    a_password_is_replaced_only_where_it_is_what_it_was(store).await;
    one_of_many_concurrent_password_changes_wins(store).await;
    users_are_listed_in_pages_by_id(store).await;
    a_removed_user_is_gone_but_the_id_stays_taken_and_disabled(store).await;
}

async fn find_user(store: &impl UserStore, name: &str) -> Option<Arc<UserRecord>> {
    let found = store.find_user(name, NOW).await.unwrap();
    match store.peek_user(name, NOW) {
        Peek::Found(user) => {
            assert_eq!(
                Some(user.id()),
                found.as_ref().map(|user| user.id()),
                "peek and find disagree"
            )
        }
        Peek::Absent => assert!(found.is_none(), "peek says absent, find does not"),
        Peek::Ask => {}
    }
    found
}

async fn an_inserted_user_is_found_by_each_name(store: &impl UserStore) {
    let user = UserRecord::new(Subject::user("1"), "anna")
        .name("anna@example.com")
        .password_hash("$argon2id$…");
    store
        .insert_user(user.scope("a").role("staff"), NOW)
        .await
        .unwrap();
    for name in ["anna", "anna@example.com"] {
        let found = find_user(store, name).await.unwrap();
        assert_eq!(found.id(), &Subject::user("1"));
        assert_eq!(found.stored_hash().unwrap().expose(), "$argon2id$…");
        assert!(
            found.is_active() && found.scopes().contains("a") && found.roles().contains("staff")
        );
    }
}

async fn names_are_compared_exactly(store: &impl UserStore) {
    for name in ["Anna", "anna ", " anna", "ann", "anna\0", "anna%", ""] {
        assert!(find_user(store, name).await.is_none(), "{name:?}");
    }
}

async fn a_taken_id_or_name_writes_nothing(store: &impl UserStore) {
    let same_id = UserRecord::new(Subject::user("1"), "ben");
    assert_eq!(
        kind(store.insert_user(same_id, NOW).await),
        StoreErrorKind::Exists
    );
    let same_name = UserRecord::new(Subject::user("2"), "ben").name("anna");
    assert_eq!(
        kind(store.insert_user(same_name, NOW).await),
        StoreErrorKind::Exists
    );
    assert!(
        find_user(store, "ben").await.is_none(),
        "a clash left something"
    );
    store
        .insert_user(UserRecord::new(Subject::user("2"), "ben"), NOW)
        .await
        .expect("id and name are free");
}

async fn a_disabled_user_is_found(store: &impl UserStore) {
    store
        .insert_user(UserRecord::new(Subject::user("3"), "carl").disabled(), NOW)
        .await
        .unwrap();
    assert!(!find_user(store, "carl").await.unwrap().is_active());
}

async fn by_id(store: &impl UserStore, id: &str) -> Arc<UserRecord> {
    store
        .find_user_by_id(&Subject::user(id), NOW)
        .await
        .unwrap()
        .unwrap()
}

/// What the store answers, by both of its ways, which must agree.
async fn is_disabled(store: &impl UserStore, id: &Subject) -> bool {
    let disabled = store.is_disabled(id, NOW).await.unwrap();
    match store.peek_disabled(id, NOW) {
        Known::Ask => {}
        known => assert_eq!(known, Known::from(disabled), "peek and ask disagree"),
    }
    disabled
}

async fn a_user_is_found_by_id(store: &impl UserStore) {
    let id = Subject::new("robot", "1");
    let user = UserRecord::new(id.clone(), "dora")
        .created_at(later(7))
        .rate("9/s");
    let user = user.with_profile(&[("company", 7)]).unwrap();
    store.insert_user(user, NOW).await.unwrap();
    let found = store.find_user_by_id(&id, NOW).await.unwrap().unwrap();
    assert_eq!(
        (found.id(), found.created(), found.own_rate()),
        (&id, later(7), Some("9/s"))
    );
    assert_eq!(found.profile_json(), Some(r#"[["company",7]]"#));
    assert_eq!(
        by_id(store, "1").await.names().collect::<Vec<_>>(),
        ["anna", "anna@example.com"]
    );
    assert!(
        store
            .find_user_by_id(&Subject::user("no such"), NOW)
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_change_touches_what_it_names_and_nothing_else(store: &impl UserStore) {
    let change = UserChange {
        names: Some(vec!["anna".into(), "anna@example.org".into()]),
        profile: Some("{}".into()),
        ..UserChange::default()
    };
    let changed = store
        .change_user(&Subject::user("1"), change, NOW)
        .await
        .unwrap();
    for user in [
        changed,
        by_id(store, "1").await,
        find_user(store, "anna@example.org").await.unwrap(),
    ] {
        assert_eq!(
            user.names().collect::<Vec<_>>(),
            ["anna", "anna@example.org"]
        );
        assert_eq!((user.profile_json(), user.is_active()), (Some("{}"), true));
        assert!(user.scopes().contains("a") && user.roles().contains("staff"));
        assert_eq!(user.stored_hash().unwrap().expose(), "$argon2id$…");
    }
    assert!(
        find_user(store, "anna@example.com").await.is_none(),
        "a former name is free"
    );
    let change = UserChange {
        roles: Some(["admin"].into_iter().collect()),
        scopes: Some(Default::default()),
        ..UserChange::default()
    };
    store
        .change_user(&Subject::user("1"), change, NOW)
        .await
        .unwrap();
    let user = find_user(store, "anna").await.unwrap();
    assert_eq!(user.roles().iter().collect::<Vec<_>>(), ["admin"]);
    assert_eq!(
        (user.scopes().iter().count(), user.profile_json()),
        (0, Some("{}"))
    );
    let nobody = store
        .change_user(&Subject::user("no such"), UserChange::default(), NOW)
        .await;
    assert_eq!(kind(nobody), StoreErrorKind::Missing);
}

async fn a_change_to_anothers_name_writes_nothing(store: &impl UserStore) {
    let change = UserChange {
        names: Some(vec!["anna".into(), "ben".into()]),
        active: Some(false),
        ..UserChange::default()
    };
    let changed = store.change_user(&Subject::user("1"), change, NOW).await;
    assert_eq!(kind(changed), StoreErrorKind::Exists);
    let user = by_id(store, "1").await;
    assert!(user.is_active());
    assert_eq!(
        user.names().collect::<Vec<_>>(),
        ["anna", "anna@example.org"]
    );
    assert_eq!(
        find_user(store, "ben").await.unwrap().id(),
        &Subject::user("2")
    );
}

async fn a_disabled_user_is_known_as_such_at_once_and_an_unknown_one_is_not_disabled(
    store: &impl UserStore,
) {
    let id = Subject::user("2");
    for active in [false, true, false, true] {
        let change = UserChange {
            active: Some(active),
            ..UserChange::default()
        };
        store.change_user(&id, change, NOW).await.unwrap();
        assert_eq!(is_disabled(store, &id).await, !active);
        assert_eq!(find_user(store, "ben").await.unwrap().is_active(), active);
    }
    assert!(
        is_disabled(store, &Subject::user("3")).await,
        "inserted as disabled"
    );
    assert!(!is_disabled(store, &Subject::user("never heard of")).await);
    assert!(
        !is_disabled(store, &Subject::new("tenant", "3")).await,
        "a kind is part of a subject"
    );
}

async fn a_password_is_replaced_only_where_it_is_what_it_was(store: &impl UserStore) {
    let id = Subject::user("1");
    let hash = |text: &str| Secret::new(text.to_owned());
    for wrong in [None, Some(hash("$argon2id$")), Some(hash(""))] {
        let replaced = store
            .replace_password(&id, wrong.as_ref(), hash("stolen"), NOW)
            .await;
        assert_eq!(kind(replaced), StoreErrorKind::Missing);
    }
    store
        .replace_password(&id, Some(&hash("$argon2id$…")), hash("new"), NOW)
        .await
        .unwrap();
    assert_eq!(
        find_user(store, "anna")
            .await
            .unwrap()
            .stored_hash()
            .unwrap()
            .expose(),
        "new"
    );
    // A user without a password gets one.
    store
        .replace_password(&Subject::user("2"), None, hash("first"), NOW)
        .await
        .unwrap();
    assert_eq!(
        by_id(store, "2").await.stored_hash().unwrap().expose(),
        "first"
    );
    let nobody = store
        .replace_password(&Subject::user("no such"), None, hash("x"), NOW)
        .await;
    assert_eq!(kind(nobody), StoreErrorKind::Missing);
}

async fn one_of_many_concurrent_password_changes_wins(store: &impl UserStore) {
    let id = Subject::user("1");
    let from = Secret::new("new".to_owned());
    let changes = (0..8)
        .map(|n| store.replace_password(&id, Some(&from), Secret::new(format!("race {n}")), NOW))
        .collect();
    let won = together(changes)
        .await
        .iter()
        .filter(|result| result.is_ok())
        .count();
    assert_eq!(won, 1);
}

async fn users_are_listed_in_pages_by_id(store: &impl UserStore) {
    let list = async |after: Option<&Subject>, most| {
        let users = store.list_users(after, most, NOW).await.unwrap();
        users
            .iter()
            .map(|user| user.id().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(None, 100).await, ["robot:1", "1", "2", "3"]);
    assert_eq!(list(None, 2).await, ["robot:1", "1"]);
    assert_eq!(list(Some(&Subject::user("1")), 1).await, ["2"]);
    assert!(list(Some(&Subject::user("3")), 5).await.is_empty());
}

async fn a_removed_user_is_gone_but_the_id_stays_taken_and_disabled(store: &impl UserStore) {
    let id = Subject::user("2");
    store.remove_user(&id, NOW).await.unwrap();
    assert!(find_user(store, "ben").await.is_none());
    assert!(store.find_user_by_id(&id, NOW).await.unwrap().is_none());
    assert!(
        is_disabled(store, &id).await,
        "credentials of a removed user are refused"
    );
    assert_eq!(
        kind(store.remove_user(&id, NOW).await),
        StoreErrorKind::Missing
    );
    assert_eq!(
        kind(store.change_user(&id, UserChange::default(), NOW).await),
        StoreErrorKind::Missing
    );
    assert_eq!(
        kind(store.insert_user(UserRecord::new(id, "eve"), NOW).await),
        StoreErrorKind::Exists
    );
    store
        .insert_user(UserRecord::new(Subject::user("4"), "ben"), NOW)
        .await
        .expect("the name is free");
    assert_eq!(store.list_users(None, 100, NOW).await.unwrap().len(), 4);
}
