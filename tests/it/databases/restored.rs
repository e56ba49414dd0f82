//! A database that is put back to an earlier state under nodes that run: they hear what follows.

use super::support::*;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::path::Path;
use tower_auth::Subject;
use tower_auth::store::{
    Account, KeyStore, Known, ManagedKeyStore, ManagedUserStore, Peek, Sqlite, Store, StoreOptions,
    TokenIds, TokenStore, UserRecord,
};

async fn run(admin: &mut SqliteConnection, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(admin).await.unwrap();
}

async fn connect(path: &Path) -> SqliteConnection {
    let url = format!("sqlite:{}", path.display());
    SqliteConnection::connect(&url).await.unwrap()
}

/// What is cached is forgotten for no other reason.
fn patient() -> StoreOptions {
    options().cache_life(std::time::Duration::from_secs(3_600))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// All that is in it is put back, as an operator does in SQL.
    Contents,
    /// As by `.restore`, which gives the schema another version besides.
    Pages,
    /// Another file is put in its place.
    File,
}

const TABLES: [&str; 8] = [
    "keys",
    "numbers",
    "users",
    "user_names",
    "deleted_users",
    "families",
    "private_tokens",
    "revoked",
];

async fn restore(how: How, dir: &Dir, backup: &Path) {
    if how == How::File {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", dir.file().display()));
        }
        std::fs::rename(backup, dir.file()).unwrap();
        return;
    }
    let mut admin = connect(&dir.file()).await;
    run(
        &mut admin,
        &format!("ATTACH '{}' AS backup", backup.display()),
    )
    .await;
    let mut sql = String::from("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE; ");
    for table in TABLES {
        sql += &format!(
            "DELETE FROM main.tower_auth_{table}; \
             INSERT INTO main.tower_auth_{table} SELECT * FROM backup.tower_auth_{table}; "
        );
    }
    // Last, because the above was written down.
    sql += "DELETE FROM main.tower_auth_deleted_users; \
            DELETE FROM main.tower_auth_changes; \
            INSERT INTO main.tower_auth_changes SELECT * FROM backup.tower_auth_changes; \
            DELETE FROM main.sqlite_sequence; \
            INSERT INTO main.sqlite_sequence SELECT * FROM backup.sqlite_sequence; ";
    if how == How::Pages {
        sql += "CREATE TABLE other (n); DROP TABLE other; ";
    }
    run(&mut admin, &(sql + "COMMIT")).await;
}

fn token(id: &str) -> TokenIds<'_> {
    TokenIds::new(id, None)
}

async fn warm(store: &Store, n: u32) {
    until("warm", async || {
        assert!(store.find_key(&digest(n)).await.unwrap().is_some());
        matches!(store.peek_key(&digest(n)), Peek::Found(_))
    })
    .await;
}

/// Nothing that memory says is older than the database for long.
async fn hears_what_follows(node: &Store, other: &Store, what: &str) {
    let anna = Subject::user("anna");
    until(
        &format!("{what}: what is not there is forgotten"),
        async || matches!(node.peek_key(&digest(2)), Peek::Ask | Peek::Absent),
    )
    .await;
    until(&format!("{what}: enabled again"), async || {
        node.peek_account(&anna) == Account::Whole
    })
    .await;
    warm(node, 1).await;
    other.revoke_token("after", later(900), NOW).await.unwrap();
    let owner = Subject::user("1");
    other.revoke_key(&owner, "k1", NOW).await.unwrap();
    other.change_user(&anna, active(false)).await.unwrap();
    until(&format!("{what}: signed out"), async || {
        node.peek_revoked(token("after"), NOW) == Known::Yes
    })
    .await;
    until(&format!("{what}: revoked"), async || {
        node.find_key(&digest(1))
            .await
            .unwrap()
            .unwrap()
            .revoked
            .is_some()
    })
    .await;
    until(&format!("{what}: disabled"), async || {
        node.peek_account(&anna) == Account::Closed
    })
    .await;
}

/// Before the backup and after it.
async fn history(store: &Store, node: &Store, back_up: impl AsyncFnOnce()) {
    let anna = Subject::user("anna");
    store.insert_key(key(1)).await.unwrap();
    store
        .insert_user(UserRecord::new(anna.clone(), "anna"))
        .await
        .unwrap();
    store.revoke_token("before", later(900), NOW).await.unwrap();
    back_up().await;
    store.insert_key(key(2)).await.unwrap();
    store.change_user(&anna, active(false)).await.unwrap();
    for n in 0..50 {
        let id = format!("lost{n}");
        store.revoke_token(&id, later(900), NOW).await.unwrap();
    }
    warm(node, 1).await;
    warm(node, 2).await;
    until("heard", async || {
        node.peek_revoked(token("lost49"), NOW) == Known::Yes
            && node.peek_account(&anna) == Account::Closed
    })
    .await;
}

#[tokio::test]
async fn a_node_hears_what_follows_after_its_sqlite_file_was_restored() {
    for how in [How::Contents, How::Pages, How::File] {
        let dir = Dir::new();
        let open = async || Store::from(Sqlite::open_with(dir.file(), patient()).await.unwrap());
        let (a, node) = (open().await, open().await);
        a.migrate().await.unwrap();
        let backup = dir.0.join("backup.db");
        history(&a, &node, async || {
            let mut admin = connect(&dir.file()).await;
            run(&mut admin, &format!("VACUUM INTO '{}'", backup.display())).await;
        })
        .await;
        restore(how, &dir, &backup).await;
        let other = open().await;
        hears_what_follows(&node, &other, &format!("{how:?}")).await;
    }
}

/// A restored file goes on with numbers that were given before: who had read so far must not take
/// the new changes for those that it knows.
#[tokio::test]
async fn a_node_that_was_busy_while_its_file_was_restored_and_written_hears_of_it_as_well() {
    let dir = Dir::new();
    // It polls so seldom that all of this is between two polls.
    let seldom = patient().lag(std::time::Duration::from_secs(4));
    let node = Store::from(Sqlite::open_with(dir.file(), seldom).await.unwrap());
    let a = Store::from(Sqlite::open_with(dir.file(), patient()).await.unwrap());
    a.migrate().await.unwrap();
    let backup = dir.0.join("backup.db");
    history(&a, &node, async || {
        let mut admin = connect(&dir.file()).await;
        run(&mut admin, &format!("VACUUM INTO '{}'", backup.display())).await;
    })
    .await;
    restore(How::Contents, &dir, &backup).await;
    for n in 0..100 {
        let id = format!("new{n}");
        a.revoke_token(&id, later(900), NOW).await.unwrap();
    }
    for n in 0..100 {
        let id = format!("new{n}");
        until(&id, async || {
            node.peek_revoked(token(&id), NOW) == Known::Yes
        })
        .await;
    }
}

/// As `pg_restore` does with and without its tables: nothing is said by triggers.
#[tokio::test]
async fn a_node_hears_what_follows_after_its_tables_in_postgresql_were_restored() {
    let url = schema().await;
    let open = async || Store::from(node(&url, patient()).await);
    let (a, node) = (open().await, open().await);
    a.migrate().await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    history(&a, &node, async || {
        for table in TABLES {
            let sql = format!("CREATE TABLE backup_{table} AS TABLE tower_auth_{table}");
            admin_run(&mut admin, &sql).await;
        }
    })
    .await;
    let mut sql = String::from("BEGIN; SET LOCAL session_replication_role = replica; ");
    for table in TABLES {
        sql += &format!(
            "TRUNCATE tower_auth_{table} CASCADE; \
             INSERT INTO tower_auth_{table} SELECT * FROM backup_{table}; "
        );
    }
    // A table that is truncated takes those with it that refer to it.
    sql += "INSERT INTO tower_auth_user_names SELECT * FROM backup_user_names \
            ON CONFLICT DO NOTHING; COMMIT";
    admin_run(&mut admin, &sql).await;
    hears_what_follows(&node, &open().await, "restored").await;
}
