//! 100,000 keys and 10,000 users: a cold look-up is one query by an index.

use super::support::*;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tower_auth::store::{KeyStore, Known, Peek, Store, TokenIds, TokenStore, UserStore};
use tower_auth::test_util::LOOK_UPS;

const KEYS: u32 = 100_000;
const USERS: u32 = 10_000;

/// The same rows in either dialect. Ten keys each user, so that a list is an index's work as well.
fn rows(numbers: &str, digest: &str) -> [String; 8] {
    [
        format!(
            "INSERT INTO tower_auth_keys (id, owner_kind, owner_id, name, hint, algorithm, digest, scopes, roles, created, lineage) \
             SELECT 'k' || n, 'user', 'u' || (n % {USERS}), 'name', 'hint', 'sha256', {digest}, '', '[]', n, 'k' || n \
             FROM {numbers} WHERE n < {KEYS}"
        ),
        format!(
            "INSERT INTO tower_auth_users (kind, id, names, active, scopes, roles, created, removed, version) \
             SELECT 'user', 'u' || n, '[\"name' || n || '\"]', CASE WHEN n % 100 = 0 THEN 0 ELSE 1 END, '', '[]', 0, 0, 1 \
             FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_deleted_users (kind, id, version) SELECT 'user', 'd' || n, 2 \
             FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_user_names (name, kind, id) SELECT 'name' || n, 'user', 'u' || n \
             FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_revoked (kind, id, until) SELECT n % 2, 't' || n, 9000000 FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_families (id, subject_kind, subject_id, grants, created, ends, current, expires) \
             SELECT 'f' || n, 'user', 'u' || n, '{{}}', 0, 9000000, 'c', 9000000 FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_private_tokens (id, owner_kind, owner_id, name, created, expires) \
             SELECT 'p' || n, 'user', 'u' || n, 'name', 0, 9000000 FROM {numbers} WHERE n < {USERS}"
        ),
        format!(
            "INSERT INTO tower_auth_signing_keys SELECT 'issuer' || n, 1, 'k', 'ES256', {digest}, 0, 0, 0, 0 \
             FROM {numbers} WHERE n < {USERS}"
        ),
    ]
}

/// What was heard is believed for longer than the test may stand still.
fn patient() -> tower_auth::store::StoreOptions {
    options().lag(std::time::Duration::from_secs(600))
}

fn stored(n: u32) -> tower_auth::store::KeyDigest {
    let mut bytes = [0; 32];
    let text = format!("{n:032}");
    bytes.copy_from_slice(text.as_bytes());
    tower_auth::store::KeyDigest::new("sha256", bytes)
}

/// Ten different cold look-ups are ten statements; repeated they are none.
async fn cold_is_one_query_and_warm_is_none(store: &Store, statements: impl Fn() -> u64) {
    until("heard", async || {
        store.find_family("f").await.unwrap();
        store.lag().is_some()
    })
    .await;
    let before = statements();
    for n in 0..10 {
        let found = store.find_key(&stored(n * 9_999)).await.unwrap().unwrap();
        assert_eq!(*found.id, *format!("k{}", n * 9_999));
        let user = store
            .find_user(&format!("name{}", n * 999))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(user.id.id(), format!("u{}", n * 999));
    }
    assert_eq!(statements() - before, 20);
    let before = statements();
    for n in 0..10 {
        until("warm", async || {
            matches!(store.peek_key(&stored(n * 9_999)), Peek::Found(_))
        })
        .await;
        until("warm", async || {
            matches!(store.peek_user(&format!("name{}", n * 999)), Peek::Found(_))
        })
        .await;
    }
    assert_eq!(statements() - before, 0);
}

#[tokio::test]
async fn postgresql_looks_up_by_an_index_once_and_then_not_at_all() {
    let url = schema().await;
    let store = node(&url, patient()).await;
    store.migrate().await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let numbers = format!("generate_series(0, {KEYS}) AS s (n)");
    for sql in rows(&numbers, "convert_to(lpad(n::text, 32, '0'), 'UTF8')") {
        admin_run(&mut admin, &sql).await;
    }
    admin_run(&mut admin, "ANALYZE").await;
    cold_is_one_query_and_warm_is_none(&Store::from(store.clone()), || store.statements()).await;

    for (name, sql, arguments) in LOOK_UPS {
        admin_run(
            &mut admin,
            &format!("PREPARE look_up ({}) AS {sql}", types(arguments)),
        )
        .await;
        let plan = ask(
            &mut admin,
            &format!("EXPLAIN EXECUTE look_up ({})", values(arguments)),
        )
        .await
        .join("\n");
        assert!(
            !plan.contains("Seq Scan") && plan.contains("Index"),
            "{name}:\n{plan}"
        );
        admin_run(&mut admin, "DEALLOCATE look_up").await;
    }
}

fn types(arguments: &str) -> String {
    let types = arguments.chars().map(|argument| match argument {
        'i' => "bigint",
        'b' => "bytea",
        _ => "text",
    });
    types.collect::<Vec<_>>().join(", ")
}

fn values(arguments: &str) -> String {
    let values = arguments.chars().map(|argument| match argument {
        'i' => "1",
        'b' => "'\\x00'",
        _ => "'user'",
    });
    values.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn sqlite_looks_up_by_an_index_once_and_then_not_at_all() {
    let dir = Dir::new();
    let store = tower_auth::store::Sqlite::open_with(dir.file(), patient())
        .await
        .unwrap();
    store.migrate().await.unwrap();
    let mut admin = SqliteConnection::connect(&format!("sqlite:{}", dir.file().display()))
        .await
        .unwrap();
    let numbers = format!(
        "(WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {KEYS}) SELECT n FROM s)"
    );
    for sql in rows(&numbers, "CAST(printf('%032d', n) AS BLOB)") {
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut admin)
            .await
            .unwrap();
    }
    cold_is_one_query_and_warm_is_none(&Store::from(store.clone()), || store.statements()).await;

    for (name, sql, _) in LOOK_UPS {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps = sqlx::query(explain).fetch_all(&mut admin).await.unwrap();
        let plan: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        let scans = plan
            .iter()
            .any(|step| step.starts_with("SCAN") && !step.contains("USING INDEX"));
        assert!(
            !scans && plan.iter().any(|step| step.starts_with("SEARCH")),
            "{name}: {plan:?}"
        );
    }
}

/// A transaction that writes for hours is under way, while others write.
#[tokio::test]
async fn hearing_reads_what_is_new_and_not_all_since_a_long_transaction_began() {
    let url = schema().await;
    let often = options().lag(std::time::Duration::from_millis(100));
    let store = node(&url, often).await;
    store.migrate().await.unwrap();
    let mut slow = PgConnection::connect(&url).await.unwrap();
    admin_run(&mut slow, "BEGIN; SELECT pg_current_xact_id()").await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    for _ in 0..20 {
        admin_run(
            &mut admin,
            "INSERT INTO tower_auth_changes (what) SELECT -1 FROM generate_series(1, 1000)",
        )
        .await;
    }
    let name = url.rsplit('=').next().unwrap();
    // What the server counts is of all who read it: the node alone does.
    let counted = format!(
        "SELECT (seq_scan + idx_scan) || ' ' || (seq_tup_read + coalesce(idx_tup_fetch, 0)) \
         FROM pg_stat_user_tables WHERE schemaname = '{name}' AND relname = 'tower_auth_changes'"
    );
    let counts = async |admin: &mut PgConnection| -> (u64, u64) {
        let counts = ask(admin, &counted).await;
        let (scans, rows) = counts[0].split_once(' ').unwrap();
        (scans.parse().unwrap(), rows.parse().unwrap())
    };
    until("it has heard all that", async || {
        store.find_family("f").await.unwrap();
        store.lag().is_some()
    })
    .await;
    let since = counts(&mut admin).await;
    until("it goes on", async || {
        counts(&mut admin).await.0 > since.0 + 20
    })
    .await;
    let first = counts(&mut admin).await;
    until("it goes on", async || {
        counts(&mut admin).await.0 > first.0 + 40
    })
    .await;
    let last = counts(&mut admin).await;
    let rows = (last.1 - first.1) / (last.0 - first.0);
    assert!(
        rows < 100,
        "each reading reads {rows} rows, and none is new"
    );
    admin_run(&mut slow, "COMMIT").await;
}

/// More than is read one by one.
#[tokio::test]
async fn twenty_thousand_changes_at_once_are_heard() {
    let (url, dir) = (schema().await, Dir::new());
    let postgres = node(&url, options()).await;
    let sqlite = tower_auth::store::Sqlite::open_with(dir.file(), options())
        .await
        .unwrap();
    let file = format!("sqlite:{}", dir.file().display());
    let numbers =
        "WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 20000)";
    let revoke = format!(
        "INSERT INTO tower_auth_revoked (kind, id, until) \
         {numbers} SELECT 0, 't' || n, 9000000 FROM s"
    );
    for store in [Store::from(postgres), Store::from(sqlite)] {
        store.migrate().await.unwrap();
        until("heard", async || {
            store.find_family("f").await.unwrap();
            store.lag().is_some()
        })
        .await;
        let statement = AssertSqlSafe(revoke.clone());
        let is_postgres = format!("{store:?}").contains("Postgres");
        if is_postgres {
            let mut admin = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        } else {
            let mut admin = SqliteConnection::connect(&file).await.unwrap();
            sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        }
        for id in ["t0", "t10001", "t20000"] {
            let ids = TokenIds::new(id, None);
            until(id, async || store.peek_revoked(ids, NOW) == Known::Yes).await;
        }
    }
}
