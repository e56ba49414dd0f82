//! What the store does by itself: one read for many, housekeeping, and an end.

use super::support::*;
use sqlx::{Connection, PgConnection};
use std::time::Duration;
use tower_auth::Subject;
use tower_auth::store::{
    FamilyRecord, KeyStore, ManagedKeyStore, ManagedUserStore, Peek, PrivateTokenStore, Store,
    TokenIds, TokenRecord, TokenStore, UserRecord, UserStore,
};
use tower_auth::test_util::ManualClock;

#[tokio::test]
async fn many_who_ask_for_a_cold_key_cause_one_query_and_a_warm_one_none() {
    // What was heard is believed for longer than the test may stand still.
    let store = node(&schema().await, options().lag(Duration::from_secs(600))).await;
    store.migrate().await.unwrap();
    store.insert_key(key(1)).await.unwrap();
    store
        .insert_user(UserRecord::new(Subject::user("1"), "anna"))
        .await
        .unwrap();
    until("heard", async || {
        store.find_family("f").await.unwrap();
        store.lag().is_some()
    })
    .await;
    for (digest, expected) in [(digest(1), true), (digest(2), false)] {
        let before = store.statements();
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (store, digest) = (store.clone(), digest.clone());
                tokio::spawn(async move { store.find_key(&digest).await.unwrap().is_some() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), expected);
        }
        assert_eq!(store.statements() - before, 1);
    }
    let before = store.statements();
    assert_eq!(
        store.find_user("anna").await.unwrap().unwrap().id,
        Subject::user("1")
    );
    assert_eq!(store.statements() - before, 1);
    for _ in 0..100 {
        until("warm", async || {
            matches!(store.peek_user("anna"), Peek::Found(_))
        })
        .await;
        until("warm", async || {
            matches!(store.peek_key(&digest(1)), Peek::Found(_))
        })
        .await;
        until("warm", async || {
            matches!(store.peek_key(&digest(2)), Peek::Absent)
        })
        .await;
    }
    assert_eq!(store.statements() - before, 1, "memory answered");
    // Somebody tried the key before it was made: it works all the same.
    store.insert_key(key(2)).await.unwrap();
    assert!(store.find_key(&digest(2)).await.unwrap().is_some());
}

#[tokio::test]
async fn housekeeping_removes_what_ended_long_ago_and_nothing_else() {
    let clock = ManualClock::new(0);
    let options = || {
        let options = options()
            .clock(clock.clone())
            .purge_every(Duration::from_millis(20));
        options.keep_ended(Duration::from_secs(100))
    };
    let dir = Dir::new();
    let stores: [Store; 2] = [
        node(&schema().await, options()).await.into(),
        tower_auth::store::Sqlite::open_with(dir.file(), options())
            .await
            .unwrap()
            .into(),
    ];
    for store in &stores {
        clock.set(0);
        store.migrate().await.unwrap();
        let anna = Subject::user("1");
        // More than one batch.
        for n in 0..600 {
            store.insert_key(key(n).expires(later(10))).await.unwrap();
        }
        store.insert_key(key(600)).await.unwrap();
        store.insert_key(key(601).expires(later(11))).await.unwrap();
        for (id, end) in [("over", 10), ("kept", 11)] {
            let family =
                FamilyRecord::new(id, anna.clone(), "{}", NOW, later(end), "1", later(end));
            store.insert_family(family).await.unwrap();
            let token = TokenRecord::new(id, anna.clone(), "n", NOW, later(end));
            store.insert_private_token(token).await.unwrap();
            store.revoke_token(id, later(end), NOW).await.unwrap();
        }
        clock.set(111);
        until("the keys are purged", async || {
            store.list_keys(&anna, None, 1_000).await.unwrap().len() == 2
        })
        .await;
        until("the tokens are purged", async || {
            store.find_family("over").await.unwrap().is_none()
                && store
                    .list_private_tokens(&anna, None, 1_000)
                    .await
                    .unwrap()
                    .len()
                    == 1
                && !store
                    .is_revoked(TokenIds::new("over", None), NOW)
                    .await
                    .unwrap()
        })
        .await;
        assert!(store.find_family("kept").await.unwrap().is_some());
        assert!(
            store
                .is_revoked(TokenIds::new("kept", None), NOW)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn the_tasks_end_with_the_last_clone() {
    let url = schema().await;
    let name = url.rsplit('=').next().unwrap().to_owned();
    let store = node(&format!("{url}&application_name={name}"), options()).await;
    store.migrate().await.unwrap();
    let clone = store.clone();
    let mut admin = PgConnection::connect(&server()).await.unwrap();
    let sql =
        format!("SELECT count(*)::text FROM pg_stat_activity WHERE application_name = '{name}'");
    let connections =
        async |admin: &mut PgConnection| ask(admin, &sql).await[0].parse::<u32>().unwrap();
    until("it listens and polls", async || {
        store.find_key(&digest(1)).await.unwrap();
        store.lag().is_some() && connections(&mut admin).await >= 2
    })
    .await;
    drop(store);
    clone.find_key(&digest(1)).await.unwrap();
    drop(clone);
    until("no connection is left", async || {
        connections(&mut admin).await == 0
    })
    .await;
}

/// As in a program that runs one runtime after another.
#[test]
fn the_tasks_begin_anew_when_their_runtime_ended() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let dir = Dir::new();
    let store = runtime().block_on(async {
        let store = sqlite(&dir).await;
        store.insert_key(key(1)).await.unwrap();
        store
    });
    runtime().block_on(async {
        until("heard again", async || {
            store.find_key(&digest(1)).await.unwrap();
            store
                .lag()
                .is_some_and(|lag| lag < Duration::from_millis(300))
                && matches!(store.peek_key(&digest(1)), Peek::Found(_))
        })
        .await;
    });
}
