//! Hostile texts are kept as they are, or refused with nothing written.

use super::support::*;
use tower_auth::Subject;
use tower_auth::store::{
    Account, FamilyRecord, KeyRecord, KeyStore, ManagedKeyStore, ManagedUserStore,
    PrivateTokenStore, Rotated, Rotation, Sqlite, Store, StoreError, StoreErrorKind, TokenIds,
    TokenRecord, TokenStore, UserRecord, UserStore,
};

const ODD: [&str; 7] = [
    "'; DROP TABLE tower_auth_keys; --",
    "$1 ?1 :a @b %s {} \\x00 \\",
    "\"\u{1f511}\u{202e}\u{feff}e\u{301}\u{ffff}",
    "[\"a\",\"b\"]",
    "\r\n\t\u{1}\u{7f}",
    " a ",
    "",
];

async fn stores(dir: &Dir) -> [Store; 2] {
    [sqlite(dir).await.into(), postgres().await.into()]
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

#[tokio::test]
async fn odd_texts_are_kept_as_they_are_in_every_field() {
    let dir = Dir::new();
    for store in stores(&dir).await {
        for (n, odd) in (0..).zip(ODD) {
            let owner = Subject::new(odd, odd);
            let record = KeyRecord::new(odd, owner.clone(), odd, odd, digest(n), NOW).role(odd);
            let record = record.with_metadata(&odd).unwrap();
            store.insert_key(record.clone()).await.unwrap();
            assert_eq!(
                store.list_keys(&owner, None, 1_000).await.unwrap(),
                [record.into()]
            );
            store.rename_key(&owner, odd, odd).await.unwrap();

            let mut user = UserRecord::new(owner.clone(), odd)
                .name(format!("{odd}2"))
                .role(odd)
                .password_hash(odd);
            user.profile = Some(odd.into());
            store.insert_user(user).await.unwrap();
            let found = store.find_user(odd).await.unwrap().unwrap();
            assert_eq!((&found.id, found.profile.as_deref()), (&owner, Some(odd)));
            assert_eq!(*found.names, [Box::from(odd), format!("{odd}2").into()]);
            assert_eq!(found.roles.iter().collect::<Vec<_>>(), [odd]);

            let family = FamilyRecord::new(odd, owner.clone(), odd, NOW, later(9), odd, later(9));
            store.insert_family(family).await.unwrap();
            let rotated = store
                .rotate_family(Rotation::new(odd, odd, "next", later(9)), NOW)
                .await
                .unwrap();
            let Rotated::New(family) = rotated else {
                panic!("{rotated:?}")
            };
            assert_eq!(family.previous, Some((odd.into(), NOW)));
            store.revoke_token(odd, later(9), NOW).await.unwrap();
            assert!(
                store
                    .is_revoked(TokenIds::new(odd, None), NOW)
                    .await
                    .unwrap()
            );
        }
        assert_eq!(store.list_users(None, 100).await.unwrap().len(), ODD.len());
    }
}

#[tokio::test]
async fn a_text_with_a_nul_is_absent_when_looked_for_and_refused_when_written() {
    let (nul, dir) = ("a\0b", Dir::new());
    for store in stores(&dir).await {
        let owner = Subject::new(nul, nul);
        let good = Subject::user("1");
        assert!(store.find_owned_key(&owner, nul).await.unwrap().is_none());
        assert!(
            store
                .list_keys(&owner, None, 1_000)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(store.find_user(nul).await.unwrap().is_none());
        assert!(store.find_user_by_id(&owner).await.unwrap().is_none());
        assert_eq!(store.account(&owner).await.unwrap(), Account::Whole);
        assert!(
            !store
                .is_revoked(TokenIds::new(nul, Some(nul)), NOW)
                .await
                .unwrap()
        );
        assert!(store.find_family(nul).await.unwrap().is_none());
        let rotated = store
            .rotate_family(Rotation::new(nul, nul, nul, later(9)), NOW)
            .await
            .unwrap();
        assert_eq!(rotated, Rotated::Unknown);
        store.revoke_family(nul, later(9), NOW).await.unwrap();
        store.revoke_subject(&owner, later(9), NOW).await.unwrap();

        for record in [
            KeyRecord::new(nul, good.clone(), "n", "h", digest(1), NOW),
            KeyRecord::new("i", owner.clone(), "n", "h", digest(1), NOW),
            KeyRecord::new("i", good.clone(), nul, "h", digest(1), NOW),
            KeyRecord::new("i", good.clone(), "n", nul, digest(1), NOW),
        ] {
            assert_eq!(
                kind(store.insert_key(record).await),
                StoreErrorKind::Invalid
            );
        }
        assert!(
            store.find_key(&digest(1)).await.unwrap().is_none(),
            "something was written"
        );
        for user in [
            UserRecord::new(good.clone(), nul),
            UserRecord::new(good.clone(), "anna").name(nul),
        ] {
            assert_eq!(kind(store.insert_user(user).await), StoreErrorKind::Invalid);
        }
        assert!(
            store.find_user("anna").await.unwrap().is_none(),
            "something was written"
        );
        assert_eq!(
            kind(store.revoke_token(nul, later(9), NOW).await),
            StoreErrorKind::Invalid
        );
        let token = TokenRecord::new("t", good.clone(), nul, NOW, later(9));
        assert_eq!(
            kind(store.insert_private_token(token).await),
            StoreErrorKind::Invalid
        );
        // A role is kept inside of JSON, where a NUL is an escape.
        let user = UserRecord::new(good.clone(), "anna").role(nul);
        store.insert_user(user).await.unwrap();
        assert!(
            store
                .find_user("anna")
                .await
                .unwrap()
                .unwrap()
                .roles
                .contains(nul)
        );
        let change = names(&["ben", nul]);
        assert_eq!(
            kind(store.change_user(&good, change).await),
            StoreErrorKind::Invalid
        );
        assert!(
            store.find_user("ben").await.unwrap().is_none(),
            "half a change"
        );
    }
}

#[tokio::test]
async fn a_mebibyte_is_kept_in_a_name_and_refused_where_records_are_found_by_it() {
    let dir = Dir::new();
    // Of characters that do not compress, which PostgreSQL would otherwise let into an index.
    let long: String = (0..1_u32 << 18)
        .map(|n| char::from_u32(0x1_0000 + (n.wrapping_mul(2_654_435_761) >> 16)).unwrap_or('x'))
        .collect();
    assert!(long.len() >= 1 << 20);
    for store in stores(&dir).await {
        let owner = Subject::user("1");
        let record = KeyRecord::new("i", owner.clone(), long.clone(), "h", digest(1), NOW);
        let record = record.with_metadata(&long).unwrap();
        store.insert_key(record.clone()).await.unwrap();
        assert_eq!(*store.find_key(&digest(1)).await.unwrap().unwrap(), record);
        let user = UserRecord::new(owner.clone(), "anna")
            .with_profile(&long)
            .unwrap();
        store.insert_user(user).await.unwrap();
        assert_eq!(
            store.find_user("anna").await.unwrap().unwrap().profile(),
            Some(long.clone())
        );

        let by_id = KeyRecord::new(long.clone(), owner.clone(), "n", "h", digest(2), NOW);
        let by_owner = KeyRecord::new("j", Subject::user(long.clone()), "n", "h", digest(2), NOW);
        for record in [by_id, by_owner] {
            assert_eq!(
                kind(store.insert_key(record).await),
                StoreErrorKind::Invalid
            );
        }
        let user = UserRecord::new(Subject::user("2"), long.clone());
        assert_eq!(kind(store.insert_user(user).await), StoreErrorKind::Invalid);
        assert!(store.find_user(&long).await.unwrap().is_none());
        assert!(
            store
                .find_user_by_id(&Subject::user(long.clone()))
                .await
                .unwrap()
                .is_none()
        );
        assert!(store.find_family(&long).await.unwrap().is_none());
        assert_eq!(
            kind(store.revoke_token(&long, later(9), NOW).await),
            StoreErrorKind::Invalid
        );
        // 512 bytes are found by, also three of them in one entry of an index.
        let most = |n: u32| -> String { long.chars().cycle().skip(n as usize).take(128).collect() };
        let record = KeyRecord::new(
            most(1),
            Subject::new(most(2), most(3)),
            "n",
            "h",
            digest(3),
            NOW,
        );
        store.insert_key(record.clone()).await.unwrap();
        assert_eq!(
            store
                .list_keys(&record.owner, None, 1_000)
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

/// What is in a directory, by name.
fn files(dir: &Dir) -> Vec<String> {
    let entries = std::fs::read_dir(&dir.0).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_url_of_sqlite_names_the_file_that_sqlx_would_open_or_is_refused() {
    // The end of a URL, what is there before, and what is there in the end; `None` is refused.
    let cases: [(&str, &[&str], Option<&str>); 18] = [
        ("a.db", &[], Some("a.db")),
        ("a.db?mode=rwc", &[], Some("a.db")),
        ("a.db?mode=rw", &["a.db"], Some("a.db")),
        ("a.db?", &[], Some("a.db")),
        ("a%20b%3F.db", &[], Some("a b?.db")),
        ("a%25.db", &[], Some("a%.db")),
        ("a.db?mode=rw", &[], None),
        ("a.db?mode=ro", &["a.db"], None),
        ("a.db?mode=memory", &[], None),
        ("a.db?mode=", &[], None),
        ("a.db?mode=rwc&mode=ro", &[], None),
        ("a.db?cache=shared", &[], None),
        ("a.db?immutable=true", &["a.db"], None),
        ("a.db?vfs=unix-none", &[], None),
        ("a.db?MODE=rwc", &[], None),
        ("a.db?mode=rwc?", &[], None),
        ("a.db?a.db", &[], None),
        ("a%FF.db", &[], None),
    ];
    for slashes in ["", "//"] {
        for (end, before, after) in cases {
            let dir = Dir::new();
            for name in before {
                drop(Sqlite::open(dir.0.join(name)).await.unwrap());
            }
            let url = format!("sqlite:{slashes}{}/{end}", dir.0.display());
            let opened = Store::connect(&url).await;
            assert_eq!(opened.is_ok(), after.is_some(), "{url}: {opened:?}");
            let expected: Vec<&str> = after.into_iter().collect();
            let expected = if after.is_none() {
                before
            } else {
                &expected[..]
            };
            assert_eq!(files(&dir), expected, "{url}");
        }
    }
    for nothing in [
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite",
    ] {
        let error = Store::connect(nothing).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{nothing}");
    }
    for no_path in [
        "",
        ":memory:",
        "sqlite:a.db",
        "sqlite://a.db?mode=rwc",
        "file:a.db",
    ] {
        let error = Sqlite::open(no_path).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{no_path}");
    }
}
