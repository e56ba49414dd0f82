//! Databases for tests: an empty schema of the PostgreSQL server that `tests/run` started, an empty
//! SQLite file.

pub(super) use crate::dir::Dir;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_auth::Subject;
use tower_auth::store::{KeyDigest, KeyRecord, Postgres, Sqlite, StoreOptions, UserChange};
use tower_auth::test_util::ManualClock;

pub(super) const NOW: SystemTime = UNIX_EPOCH;

pub(super) fn later(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

fn unique() -> String {
    format!(
        "t{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    )
}

/// The server of `tests/run`.
pub(super) fn server() -> String {
    std::env::var("TOWER_AUTH_TEST_POSTGRES").expect(
        "this test needs a PostgreSQL server, and TOWER_AUTH_TEST_POSTGRES names none: run tests/run, which starts one",
    )
}

/// An empty schema of a server, as the URL of a database.
pub(super) async fn schema_of(server: &str) -> String {
    let name = unique();
    let mut admin = PgConnection::connect(server).await.unwrap();
    admin_run(&mut admin, &format!("CREATE SCHEMA {name}")).await;
    format!("{server}?options[search_path]={name}")
}

pub(crate) async fn schema() -> String {
    schema_of(&server()).await
}

pub(super) async fn admin_run(admin: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(admin)
        .await
        .unwrap();
}

/// The first column of each row, as text.
pub(super) async fn ask(admin: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(admin)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Options whose housekeeping lives in the time of the tests.
pub(super) fn options() -> StoreOptions {
    // Generous, because the machine of a test may be busy; what is measured says so.
    StoreOptions::new()
        .clock(ManualClock::new(0))
        .timeout(Duration::from_secs(10))
        .connections(8)
}

pub(super) async fn node(url: &str, options: StoreOptions) -> Postgres {
    Postgres::connect_with(url, options).await.unwrap()
}

pub(super) async fn postgres() -> Postgres {
    let store = node(&schema().await, options()).await;
    store.migrate().await.unwrap();
    store
}

pub(super) async fn sqlite(dir: &Dir) -> Sqlite {
    sqlite_with(dir, options()).await
}

pub(super) async fn sqlite_with(dir: &Dir, options: StoreOptions) -> Sqlite {
    let store = Sqlite::open_with(dir.0.join(unique()), options)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    store
}

pub(super) fn digest(n: u32) -> KeyDigest {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    KeyDigest::new("sha256", bytes)
}

pub(super) fn key(n: u32) -> KeyRecord {
    KeyRecord::new(
        format!("k{n}"),
        Subject::user("1"),
        "a name",
        "egret_abcd…",
        digest(n),
        NOW,
    )
}

pub(super) fn active(is_active: bool) -> UserChange {
    let mut change = UserChange::default();
    change.active = Some(is_active);
    change
}

pub(super) fn names(names: &[&str]) -> UserChange {
    let mut change = UserChange::default();
    change.names = Some(names.iter().map(|name| (*name).to_owned()).collect());
    change
}

/// Waits until something is so; a test of what never becomes so fails by this.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let is_so = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), is_so)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
