//! The schema is made once, whoever starts when.

use super::support::*;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tower_auth::store::{
    KeyStore, ManagedKeyStore, SigningKeyStore, Sqlite, Store, StoreErrorKind,
};

#[tokio::test]
async fn many_nodes_that_start_at_once_make_the_schema_once() {
    let (url, dir) = (schema().await, Dir::new());
    let mut stores: Vec<Store> = Vec::new();
    for _ in 0..8 {
        stores.push(node(&url, options()).await.into());
        stores.push(
            Sqlite::open_with(dir.file(), options())
                .await
                .unwrap()
                .into(),
        );
    }
    let tasks: Vec<_> = stores
        .iter()
        .cloned()
        .map(|store| tokio::spawn(async move { store.migrate().await }))
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for store in &stores {
        store.migrate().await.unwrap();
        store.find_key(&digest(1)).await.unwrap();
    }
    let mut admin = PgConnection::connect(&url).await.unwrap();
    assert_eq!(
        ask(&mut admin, "SELECT version::text FROM tower_auth_schema").await,
        ["1", "2", "3"]
    );
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing_and_stands_in_nobodys_way() {
    let url = schema().await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin_run(
        &mut admin,
        "CREATE TABLE tower_auth_revoked (of_somebody_else bigint)",
    )
    .await;
    let store = node(&url, options()).await;
    for _ in 0..3 {
        assert_eq!(
            store.migrate().await.unwrap_err().kind(),
            StoreErrorKind::Unavailable
        );
    }
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
    assert_eq!(ask(&mut admin, tables).await, ["tower_auth_revoked"]);
    admin_run(&mut admin, "DROP TABLE tower_auth_revoked").await;
    node(&url, options()).await.migrate().await.unwrap();
    store.migrate().await.unwrap();
    store.insert_key(key(1)).await.unwrap();
}

#[tokio::test]
async fn a_schema_of_an_earlier_release_gets_the_steps_that_it_lacks() {
    // As the first release left it.
    const FIRST: &str = "DROP TABLE tower_auth_audit; DROP TABLE tower_auth_signing_keys; DELETE FROM tower_auth_schema WHERE version > 1";
    let dir = Dir::new();
    let (url, file) = (schema().await, dir.file());
    let stores: [Store; 2] = [
        node(&url, options()).await.into(),
        Sqlite::open_with(&file, options()).await.unwrap().into(),
    ];
    for store in &stores {
        store.migrate().await.unwrap();
        store.insert_key(key(1)).await.unwrap();
    }
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin_run(&mut admin, FIRST).await;
    let mut beside = SqliteConnectOptions::new()
        .filename(&file)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(FIRST).execute(&mut beside).await.unwrap();
    for store in &stores {
        let lacks = store.list_signing_keys("anybody").await.unwrap_err();
        assert!(format!("{lacks:?}").contains("migrate()"), "{lacks:?}");
        store.migrate().await.unwrap();
        let none = store.list_signing_keys("anybody").await.unwrap();
        assert!(none.is_empty());
        assert!(store.find_key(&digest(1)).await.unwrap().is_some());
    }
}

/// A release that is rolled back finds the schema of the later one.
#[tokio::test]
async fn a_schema_of_a_later_release_is_left_as_it_is() {
    let url = schema().await;
    let store = node(&url, options()).await;
    store.migrate().await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin_run(&mut admin, "INSERT INTO tower_auth_schema VALUES (1000)").await;
    store.migrate().await.unwrap();
    store.insert_key(key(1)).await.unwrap();
    let versions = "SELECT version::text FROM tower_auth_schema s ORDER BY s.version";
    assert_eq!(ask(&mut admin, versions).await, ["1", "2", "3", "1000"]);
}
