//! A start waits for what goes away by itself, longer than a request would, and for nothing else.

use super::server::Server;
use super::support::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower_auth::store::{
    KeyStore, ManagedKeyStore, Sqlite, StoreError, StoreErrorKind, StoreOptions,
};

/// What a request may take here: much less than a start.
const TIMEOUT: Duration = Duration::from_millis(5);

fn hasty() -> StoreOptions {
    options().timeout(TIMEOUT)
}

/// Looks on for many times as long as a request may take.
async fn goes_on<T>(start: &JoinHandle<T>) {
    let since = Instant::now();
    until("that takes long", async || {
        assert!(!start.is_finished(), "it gave up");
        since.elapsed() > 40 * TIMEOUT
    })
    .await;
}

async fn other_process(dir: &Dir) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(dir.file());
    file.connect().await.unwrap()
}

async fn start_in(dir: &Dir) -> JoinHandle<Result<Sqlite, StoreError>> {
    let file = dir.file();
    tokio::spawn(async move {
        let store = Sqlite::open_with(file, hasty()).await?;
        store.migrate().await?;
        Ok(store)
    })
}

/// A file that was in use before, and is closed.
async fn in_use_before(dir: &Dir) {
    let store = Sqlite::open_with(dir.file(), options()).await.unwrap();
    store.migrate().await.unwrap();
    store.insert_key(key(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_on_sqlite_waits_for_a_predecessor_that_still_has_the_file() {
    for held in [
        // As while its last connection is closed.
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE held (n); COMMIT",
        // As while it writes.
        "BEGIN IMMEDIATE",
    ] {
        let dir = Dir::new();
        in_use_before(&dir).await;
        let mut predecessor = other_process(&dir).await;
        until("nobody else has the file", async || {
            sqlx::raw_sql(held).execute(&mut predecessor).await.is_ok()
        })
        .await;
        let start = start_in(&dir).await;
        goes_on(&start).await;
        predecessor.close().await.unwrap();
        start.await.unwrap().unwrap();
        let store = Sqlite::open_with(dir.file(), options()).await.unwrap();
        assert!(
            store.find_key(&digest(1)).await.unwrap().is_some(),
            "{held}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_postgresql_waits_for_its_server_and_for_the_migration_of_another_node() {
    let mut server = Server::start().await;
    let url = schema_of(&server.url()).await;
    server.kill();
    let store = node(&url, hasty()).await;
    let start = tokio::spawn(async move { store.migrate().await });
    goes_on(&start).await;
    server.resume().await;
    start.await.unwrap().unwrap();

    let url = schema_of(&server.url()).await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    admin_run(
        &mut other,
        "BEGIN; SELECT pg_advisory_xact_lock(8390876201744237156)",
    )
    .await;
    let store = node(&url, hasty()).await;
    let start = tokio::spawn(async move { store.migrate().await });
    goes_on(&start).await;
    admin_run(&mut other, "COMMIT").await;
    start.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_does_not_go_away_ends_a_start_at_once() {
    let dir = Dir::new();
    std::fs::write(dir.file(), "This is no database. ".repeat(100)).unwrap();
    let nowhere = dir.0.join("no such directory/auth.db");
    let no_database = format!("{}_no_such", server());
    let at_once = Duration::from_secs(20);
    for (what, file) in [("no directory", nowhere), ("no database", dir.file())] {
        let open = tokio::time::timeout(at_once, Sqlite::open_with(file, options()));
        let error = open.await.expect(what).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{what}");
    }
    let store = node(&no_database, options()).await;
    let start = tokio::time::timeout(at_once, store.migrate());
    let error = start.await.expect("no database").unwrap_err();
    assert!(format!("{error:?}").contains("does not exist"), "{error:?}");
}
