use super::support::{NOW, kind, later};
use crate::principal::Subject;
use crate::store::{
    AllStores, FamilyRecord, KeyDigest, KeyRecord, Room, StoreErrorKind, TokenIds, TokenRecord,
    UserChange, UserRecord, Warrant, Write,
};
use std::sync::Arc;

/// Checks that an [`AllStores`] makes changes together or not at all, and none by a credential that
/// is dead. What it promises by its roles has a function each. `fresh` makes an empty one, as often
/// as it is called.
///
/// # Panics
///
/// Where the store breaks a promise; the message says which.
pub async fn all_stores<S: AllStores>(fresh: impl AsyncFn() -> S) {
    let store = fresh().await;
    kept(&store).await;
    // Once more through `Arc<dyn …>`, where a method that is not handed on would be answered by the
    // trait's default.
    let shared: Arc<dyn AllStores> = Arc::new(fresh().await);
    kept(&shared).await;
}

async fn kept(store: &impl AllStores) {
    let user = UserRecord::new(anna(), "anna").created(NOW);
    store.insert_user(user).await.unwrap();
    changes_are_made_together(store).await;
    users_and_families_are_added_together(store).await;
    where_one_change_cannot_be_made_none_is(store).await;
    what_a_dead_credential_asks_for_is_not_written(store).await;
    a_password_and_the_end_of_all_sessions_are_one_step(store).await;
    where_there_is_no_room_nothing_is_written(store).await;
    each_change_finds_what_those_before_it_have_made(store).await;
}

fn anna() -> Subject {
    Subject::user("anna")
}

fn key(n: u8) -> KeyRecord {
    let digest = KeyDigest::new("sha256", [n; 32]);
    KeyRecord::new(format!("k{n}"), anna(), "ci", "egret_…", digest, NOW)
}

fn token(id: &str) -> TokenRecord {
    TokenRecord::new(id, anna(), "laptop", NOW, later(500))
}

async fn has_key(store: &impl AllStores, n: u8) -> bool {
    let found = store.find_key(&key(n).digest).await.unwrap();
    found.is_some_and(|key| key.is_active(NOW))
}

async fn has_token(store: &impl AllStores, id: &str) -> bool {
    let found = store.find_private_token(id).await.unwrap();
    let is_denied = store.is_revoked(TokenIds::new(id, None), NOW).await;
    found.is_some_and(|token| token.revoked.is_none()) && !is_denied.unwrap()
}

async fn users_and_families_are_added_together(store: &impl AllStores) {
    let writes = vec![user("eva", "eva"), family("of eva")];
    store.commit(None, writes).await.unwrap();
    assert_eq!(are_there(store, "eva", "of eva").await, (true, true));
    assert!(store.find_user("eva").await.unwrap().is_some());
    for (name, clash) in [
        ("an id that is taken", user("eva", "evelyn")),
        ("a name that is taken", user("dora", "eva")),
        // A store that looks only at what it has already would write both of these.
        ("an id that the same step takes", user("carl", "carlos")),
        ("a name that the same step takes", user("dora", "carl")),
        ("a family that is there", family("of eva")),
        ("a family that the same step adds", family("of carl")),
    ] {
        let writes = vec![user("carl", "carl"), family("of carl"), clash];
        let clashed = store.commit(None, writes).await;
        assert_eq!(kind(clashed), StoreErrorKind::Exists, "{name}");
        let added = are_there(store, "carl", "of carl").await;
        assert_eq!(added, (false, false), "{name}");
        assert!(store.find_user("carl").await.unwrap().is_none(), "{name}");
    }
}

fn user(id: &str, name: &str) -> Write {
    let user = UserRecord::new(Subject::user(id), name).created(NOW);
    Write::InsertUser(Box::new(user))
}

fn family(id: &str) -> Write {
    let eva = Subject::user("eva");
    let family = FamilyRecord::new(id, eva, "{}", NOW, later(900), "1", later(500));
    Write::InsertFamily(Box::new(family))
}

async fn are_there(store: &impl AllStores, user: &str, family: &str) -> (bool, bool) {
    let user = store.find_user_by_id(&Subject::user(user)).await.unwrap();
    let family = store.find_family(family).await.unwrap();
    (user.is_some(), family.is_some())
}

async fn changes_are_made_together(store: &impl AllStores) {
    let writes = vec![
        Write::InsertKey(key(1)),
        Write::InsertPrivateToken(token("1")),
    ];
    store.commit(None, writes).await.unwrap();
    assert!(has_key(store, 1).await && has_token(store, "1").await);
    let writes = vec![
        Write::ReplacePrivateToken {
            former: Box::new(token("1")),
            next: Box::new(token("1").revoked(NOW)),
            denied_until: Some(later(500)),
        },
        Write::InsertPrivateToken(token("2")),
        Write::ReplaceKey {
            former: Box::new(key(1)),
            next: Box::new(key(1).superseded("k2", NOW)),
            successor: Some(Box::new(key(2))),
        },
    ];
    store.commit(None, writes).await.unwrap();
    assert!(!has_token(store, "1").await && has_token(store, "2").await);
    assert!(!has_key(store, 1).await && has_key(store, 2).await);
}

async fn where_one_change_cannot_be_made_none_is(store: &impl AllStores) {
    let former = store.find_user_by_id(&anna()).await.unwrap().unwrap();
    let mut next = UserRecord::clone(&former);
    next.password_hash = Some("$argon2id$new".to_owned().into());
    let impossible = [
        (Write::InsertKey(key(2)), StoreErrorKind::Exists),
        (
            Write::InsertPrivateToken(token("2")),
            StoreErrorKind::Exists,
        ),
        (
            Write::ReplaceKey {
                former: Box::new(key(1)),
                next: Box::new(key(1)),
                successor: None,
            },
            StoreErrorKind::Missing,
        ),
        (
            Write::ReplacePrivateToken {
                former: Box::new(token("1")),
                next: Box::new(token("1")),
                denied_until: None,
            },
            StoreErrorKind::Missing,
        ),
        (
            Write::ReplaceUser {
                former: Box::new(next.clone()),
                next: Box::new(next.clone()),
            },
            StoreErrorKind::Missing,
        ),
    ];
    // What is impossible stands last, so that the store has three changes to take back.
    for (write, expected) in impossible {
        let writes = vec![
            Write::InsertKey(key(3)),
            Write::InsertPrivateToken(token("3")),
            Write::RevokeSubject {
                subject: anna(),
                access_until: later(500),
                now: NOW,
            },
            write.clone(),
        ];
        let done = store.commit(None, writes).await;
        assert_eq!(kind(done), expected, "{write:?}");
        assert!(!has_key(store, 3).await, "{write:?}");
        assert!(!has_token(store, "3").await, "{write:?}");
        assert!(has_token(store, "2").await, "{write:?}");
    }
}

async fn what_a_dead_credential_asks_for_is_not_written(store: &impl AllStores) {
    let family = FamilyRecord::new("f", anna(), "{}", NOW, later(900), "r", later(900));
    store.insert_family(family).await.unwrap();
    store.insert_private_token(token("private")).await.unwrap();
    store.insert_key(key(4)).await.unwrap();
    store.insert_key(key(5).expires(later(5))).await.unwrap();
    let ben = UserRecord::new(Subject::user("ben"), "ben");
    store.insert_user(ben).await.unwrap();

    let mut by_access = Warrant::new(NOW);
    by_access.account = Some(anna());
    by_access.token = Some("a".into());
    by_access.family = Some("f".into());
    let mut by_private = Warrant::new(NOW);
    by_private.account = Some(anna());
    by_private.token = Some("private".into());
    let mut by_key = Warrant::new(NOW);
    by_key.key = Some(Arc::new(key(4)));
    let mut by_short_key = Warrant::new(NOW);
    by_short_key.key = Some(Arc::new(key(5)));
    let mut by_ben = Warrant::new(NOW);
    by_ben.account = Some(Subject::user("ben"));
    let mut by_a_single_token = Warrant::new(NOW);
    by_a_single_token.token = Some("single".into());
    by_a_single_token.family = Some("never heard of".into());
    let all = [
        &by_access,
        &by_private,
        &by_key,
        &by_short_key,
        &by_ben,
        &by_a_single_token,
    ];
    // While they are good they all write. A store that refused everybody would pass what follows.
    for (n, warrant) in (10..).zip(all) {
        let made = store.commit(Some(warrant), vec![Write::InsertKey(key(n))]);
        made.await.unwrap();
        assert!(has_key(store, n).await, "{warrant:?}");
    }

    store.revoke_family("f", later(900), NOW).await.unwrap();
    let owner = anna();
    let revoked = store.revoke_private_token(&owner, "private", NOW);
    revoked.await.unwrap();
    store.revoke_key(&anna(), "k4", NOW).await.unwrap();
    let closed = UserChange {
        active: Some(false),
        ..UserChange::default()
    };
    let ben = Subject::user("ben");
    store.change_user(&ben, closed).await.unwrap();
    store.revoke_token("single", later(900), NOW).await.unwrap();
    by_short_key.now = later(5);
    let mut expired = Warrant::new(later(5));
    expired.expires = Some(later(5));
    let mut unknown = Warrant::new(NOW);
    unknown.key = Some(Arc::new(key(99)));
    let dead = [
        &by_access,
        &by_private,
        &by_key,
        &by_short_key,
        &by_ben,
        &by_a_single_token,
        &expired,
        &unknown,
    ];
    for (n, warrant) in (30..).zip(dead) {
        let made = store.commit(Some(warrant), vec![Write::InsertKey(key(n))]);
        assert_eq!(kind(made.await), StoreErrorKind::Revoked, "{warrant:?}");
        assert!(!has_key(store, n).await, "{warrant:?}");
    }
}

async fn a_password_and_the_end_of_all_sessions_are_one_step(store: &impl AllStores) {
    let family = FamilyRecord::new("g", anna(), "{}", NOW, later(900), "r", later(900));
    store.insert_family(family).await.unwrap();
    let former = store.find_user_by_id(&anna()).await.unwrap().unwrap();
    let mut next = UserRecord::clone(&former);
    next.password_hash = Some("$argon2id$new".to_owned().into());
    let writes = vec![
        Write::ReplaceUser {
            former: Box::new(UserRecord::clone(&former)),
            next: Box::new(next.clone()),
        },
        Write::RevokeSubject {
            subject: anna(),
            access_until: later(500),
            now: NOW,
        },
    ];
    let mut warrant = Warrant::new(NOW);
    warrant.token = Some("b".into());
    warrant.family = Some("g".into());
    // The step ends the very session that asks for it, and is made all the same: the warrant is
    // judged as things were before.
    let done = store.commit(Some(&warrant), writes.clone()).await;
    done.unwrap();
    let user = store.find_user_by_id(&anna()).await.unwrap().unwrap();
    assert!(user.has_password_hash(next.password_hash.as_ref()));
    let ids = TokenIds::new("b", Some("g"));
    assert!(store.is_revoked(ids, NOW).await.unwrap());
    assert!(!has_token(store, "2").await);
    // The second time the session is over, whoever has its token.
    let again = store.commit(Some(&warrant), writes).await;
    assert_eq!(kind(again), StoreErrorKind::Revoked);
}

async fn where_there_is_no_room_nothing_is_written(store: &impl AllStores) {
    let owner = olga();
    let room = Room::new(2, NOW);
    for n in [200, 201] {
        store.commit(None, with_key(n, room)).await.unwrap();
        let id = format!("o{n}");
        store.commit(None, with_token(&id, room)).await.unwrap();
    }
    let full = store.commit(None, with_key(202, room)).await;
    assert_eq!(kind(full), StoreErrorKind::Full);
    assert!(!has_key(store, 202).await);
    let full = store.commit(None, with_token("o202", room)).await;
    assert_eq!(kind(full), StoreErrorKind::Full);
    assert!(!has_token(store, "o202").await);
    // What has ended makes room, but takes some of it still.
    store.revoke_key(&owner, "o200", NOW).await.unwrap();
    store
        .revoke_private_token(&owner, "o200", NOW)
        .await
        .unwrap();
    let mut tight = room;
    tight.all = 2;
    let full = store.commit(None, with_key(203, tight)).await;
    assert_eq!(kind(full), StoreErrorKind::Full);
    let full = store.commit(None, with_token("o203", tight)).await;
    assert_eq!(kind(full), StoreErrorKind::Full);
    store.commit(None, with_key(203, room)).await.unwrap();
    store.commit(None, with_token("o203", room)).await.unwrap();
    // After a day a key that has ended takes none, and an expired token neither.
    let mut later_on = tight;
    later_on.now = later(90_000);
    later_on.live = usize::MAX;
    let full = store.commit(None, with_key(204, later_on)).await;
    assert_eq!(kind(full), StoreErrorKind::Full, "two are good still");
    store
        .commit(None, with_token("o204", later_on))
        .await
        .unwrap();
}

fn olga() -> Subject {
    Subject::user("olga")
}

/// A key of hers, where there is room for it.
fn with_key(n: u8, room: Room) -> Vec<Write> {
    let digest = KeyDigest::new("sha256", [n; 32]);
    let key = KeyRecord::new(format!("o{n}"), olga(), "ci", "egret_…", digest, NOW);
    let owner = olga();
    vec![Write::RoomForKey { owner, room }, Write::InsertKey(key)]
}

/// A private token of hers, where there is room for it.
fn with_token(id: &str, room: Room) -> Vec<Write> {
    let token = TokenRecord::new(id, olga(), "laptop", NOW, later(500));
    let owner = olga();
    vec![
        Write::RoomForPrivateToken { owner, room },
        Write::InsertPrivateToken(token),
    ]
}

async fn each_change_finds_what_those_before_it_have_made(store: &impl AllStores) {
    let writes = vec![
        user("uma", "uma"),
        Write::InsertKey(umas_key(110)),
        Write::InsertPrivateToken(umas_token("u110")),
    ];
    store.commit(None, writes).await.unwrap();
    let uma = store.find_user_by_id(&uma()).await.unwrap().unwrap();
    let renamed = |name: &str| replaced_user(&uma, UserRecord::clone(&uma).name(name));
    let moved = || {
        let mut next = umas_key(110);
        next.digest = umas_key(111).digest;
        replaced_key(next, None)
    };
    let rotated = || {
        let next = umas_key(110).superseded("u111", later(500));
        replaced_key(next, Some(umas_key(111)))
    };
    let revoked_key = || replaced_key(umas_key(110).revoked(NOW), None);
    let added = |n| Write::InsertKey(umas_key(n));
    let added_token = |id| Write::InsertPrivateToken(umas_token(id));
    let revoked_token = || Write::ReplacePrivateToken {
        former: Box::new(umas_token("u110")),
        next: Box::new(umas_token("u110").revoked(NOW)),
        denied_until: Some(later(500)),
    };
    let ended = Write::RevokeSubject {
        subject: uma.id.clone(),
        access_until: later(500),
        now: NOW,
    };
    let owner = || uma.id.clone();
    let room = Room::new(2, NOW);
    let key_room = || Write::RoomForKey {
        owner: owner(),
        room,
    };
    let token_room = || Write::RoomForPrivateToken {
        owner: owner(),
        room,
    };
    use StoreErrorKind::{Exists, Full, Missing};
    for (name, writes, expected) in [
        (
            "a name that another one was given",
            vec![renamed("una"), user("udo", "una")],
            Exists,
        ),
        (
            "a name that another one came with",
            vec![user("udo", "una"), renamed("una")],
            Exists,
        ),
        (
            "a user who is another one by now",
            vec![renamed("una"), renamed("ulla")],
            Missing,
        ),
        (
            "a digest that another key was given",
            vec![moved(), added(111)],
            Exists,
        ),
        (
            "a digest that another key came with",
            vec![added(111), moved()],
            Exists,
        ),
        (
            "a key that was made by a rotation",
            vec![rotated(), added(111)],
            Exists,
        ),
        (
            "a successor that is there by now",
            vec![added(111), rotated()],
            Exists,
        ),
        (
            "a key that is another one by now",
            vec![revoked_key(), rotated()],
            Missing,
        ),
        (
            "a private token that is another one by now",
            vec![revoked_token(), revoked_token()],
            Missing,
        ),
        (
            "a private token whose sessions ended",
            vec![ended, revoked_token()],
            Missing,
        ),
        (
            "room that a key has taken",
            vec![key_room(), added(111), key_room(), added(112)],
            Full,
        ),
        (
            "room that a successor has taken",
            vec![key_room(), rotated(), key_room(), added(112)],
            Full,
        ),
        (
            "room that a private token has taken",
            vec![
                token_room(),
                added_token("u111"),
                token_room(),
                added_token("u112"),
            ],
            Full,
        ),
    ] {
        let done = store.commit(None, writes).await;
        assert_eq!(kind(done), expected, "{name}");
        let known = store.find_user_by_id(&uma.id).await.unwrap();
        assert_eq!(known.as_deref(), Some(&*uma), "{name}");
        let udo = store.find_user_by_id(&Subject::user("udo")).await.unwrap();
        assert!(udo.is_none(), "{name}");
        let keys = store.list_keys(&uma.id, None, 10).await.unwrap();
        assert!(*keys[0] == umas_key(110) && keys.len() == 1, "{name}");
        assert!(has_key(store, 110).await, "{name}");
        assert!(!has_key(store, 111).await, "{name}");
        assert!(has_token(store, "u110").await, "{name}");
        assert!(!has_token(store, "u111").await, "{name}");
    }
    // What those before it have freed can be taken, and what they have made can be changed.
    let mut una = UserRecord::clone(&uma);
    una.names = vec!["una".into()];
    let writes = vec![
        replaced_user(&uma, una),
        user("udo", "uma"),
        added(113),
        Write::ReplaceKey {
            former: Box::new(umas_key(113)),
            next: Box::new(umas_key(113).revoked(NOW)),
            successor: Some(Box::new(umas_key(114))),
        },
        Write::RoomForKey {
            owner: owner(),
            room: Room::new(3, NOW),
        },
    ];
    store.commit(None, writes).await.unwrap();
    for (name, id) in [("uma", "udo"), ("una", "uma")] {
        let found = store.find_user(name).await.unwrap();
        assert_eq!(found.unwrap().id, Subject::user(id), "{name}");
    }
    assert!(!has_key(store, 113).await && has_key(store, 114).await);
}

fn uma() -> Subject {
    Subject::user("uma")
}

fn umas_key(n: u8) -> KeyRecord {
    let digest = KeyDigest::new("sha256", [n; 32]);
    KeyRecord::new(format!("u{n}"), uma(), "ci", "egret_…", digest, NOW)
}

fn umas_token(id: &str) -> TokenRecord {
    TokenRecord::new(id, uma(), "laptop", NOW, later(500))
}

fn replaced_user(former: &UserRecord, next: UserRecord) -> Write {
    Write::ReplaceUser {
        former: Box::new(former.clone()),
        next: Box::new(next),
    }
}

/// Her first key, and where it is rotated the next one.
fn replaced_key(next: KeyRecord, successor: Option<KeyRecord>) -> Write {
    Write::ReplaceKey {
        former: Box::new(umas_key(110)),
        next: Box::new(next),
        successor: successor.map(Box::new),
    }
}
