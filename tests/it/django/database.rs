//! The databases of the fixture with many more users and keys, written by SQL.

use super::recorded::{Recorded, text};
use crate::databases::support::schema;
use crate::dir::Dir;
use sha2::{Digest, Sha512};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use std::path::PathBuf;
use tower_auth::test_util::TokenMint;

/// How many users are added, and each has a token, a key of djangorestframework-api-key, or both.
pub(super) const USERS: usize = 10_000;
/// Every so manieth has tokens of simplejwt.
const SIGNED_IN: usize = 5;
const FIRST_ID: usize = 100_000;
/// 2040-01-01.
const FAR: u64 = 2_208_988_800;

/// How the clients of those users go on.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) token: String,
    pub(super) key: String,
    pub(super) key_prefix: String,
    /// Access and refresh token.
    pub(super) pair: Option<(String, String)>,
}

pub(super) fn clients(recorded: &Recorded) -> Vec<Client> {
    let mint = TokenMint::hs256(&recorded.secret_key);
    (0..USERS).map(|n| client(n, &mint)).collect()
}

fn client(n: usize, mint: &TokenMint) -> Client {
    let id = (FIRST_ID + n).to_string();
    let key_prefix = format!("k{n:07}");
    let token = |token_type: &str| {
        let jti = format!("{token_type}-{id}");
        mint.sign(&serde_json::json!({
            "token_type": token_type, "exp": FAR, "iat": FAR / 2, "jti": jti, "user_id": id,
        }))
    };
    Client {
        name: format!("user{n}"),
        token: format!("{:040x}", n + 1),
        key: format!("{key_prefix}.{n:032}"),
        pair: n
            .is_multiple_of(SIGNED_IN)
            .then(|| (token("access"), token("refresh"))),
        key_prefix,
        id,
    }
}

/// Statements for whichever database, each with many rows.
fn statements(clients: &[Client], hash: &str) -> Vec<String> {
    let mut statements = Vec::new();
    for some in clients.chunks(500) {
        let mut users = Vec::new();
        let mut tokens = Vec::new();
        let mut keys = Vec::new();
        let mut outstanding = Vec::new();
        for client in some {
            let Client { id, name, .. } = client;
            users.push(format!(
                "({id}, '{hash}', false, '{name}', '', '', '', false, true, '2025-05-14 13:00:40')"
            ));
            tokens.push(format!("('{}', '2025-05-14 13:00:40', {id})", client.token));
            let digest: String = Sha512::digest(&client.key)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let (prefix, hashed) = (&client.key_prefix, format!("sha512$${digest}"));
            keys.push(format!(
                "('{prefix}.{hashed}', '2025-05-14 13:00:40', '{name}', false, '{hashed}', '{prefix}')"
            ));
            if client.pair.is_some() {
                outstanding.push(format!(
                    "({id}, '', '2025-05-14 13:00:40', '2040-01-01 00:00:00', {id}, 'refresh-{id}')"
                ));
            }
        }
        for (into, rows) in [
            (
                "auth_user (id, password, is_superuser, username, first_name, last_name, email, \
                 is_staff, is_active, date_joined)",
                users,
            ),
            ("authtoken_token (key, created, user_id)", tokens),
            (
                "rest_framework_api_key_apikey (id, created, name, revoked, hashed_key, prefix)",
                keys,
            ),
            (
                "token_blacklist_outstandingtoken \
                 (id, token, created_at, expires_at, user_id, jti)",
                outstanding,
            ),
        ] {
            statements.push(format!("INSERT INTO {into} VALUES {}", rows.join(", ")));
        }
    }
    statements
}

/// The SQLite file of the fixture.
pub(crate) async fn fixture(dir: &Dir) -> PathBuf {
    let path = dir.0.join("django.sqlite3");
    let url = format!("sqlite:{}?mode=rwc", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    // A dump has the tables in the order of their names.
    run_sqlite(&mut connection, String::from("PRAGMA foreign_keys = OFF")).await;
    run_sqlite(&mut connection, text("sqlite.sql")).await;
    connection.close().await.unwrap();
    path
}

/// The same, and the users besides.
pub(super) async fn sqlite(dir: &Dir, clients: &[Client]) -> PathBuf {
    let path = fixture(dir).await;
    let url = format!("sqlite:{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let hash = "SELECT password FROM auth_user WHERE username = 'ben'";
    let hash: String = sqlx::query_scalar(hash)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    run_sqlite(&mut connection, String::from("BEGIN")).await;
    for statement in statements(clients, &hash) {
        run_sqlite(&mut connection, statement).await;
    }
    run_sqlite(&mut connection, String::from("COMMIT")).await;
    connection.close().await.unwrap();
    path
}

async fn run_sqlite(connection: &mut SqliteConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// The same in PostgreSQL: the URL of a database.
pub(super) async fn postgres(clients: &[Client]) -> String {
    let url = schema().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    run_postgres(&mut connection, without_a_schema(&text("postgres.sql"))).await;
    let hash = "SELECT password FROM auth_user WHERE username = 'ben'";
    let hash: String = sqlx::query_scalar(hash)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    for statement in statements(clients, &hash) {
        run_postgres(&mut connection, statement).await;
    }
    url
}

async fn run_postgres(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .unwrap();
}

/// Changes the database of Django at that URL.
pub(super) async fn change(url: &str, statements: &[String]) {
    let statements = statements.join("; ");
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        run_sqlite(&mut connection, statements).await;
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        run_postgres(&mut connection, statements).await;
    }
}

/// What `pg_dump` wrote, for whichever schema is the current one. Lines that begin with a backslash
/// are for `psql`.
fn without_a_schema(dump: &str) -> String {
    let lines = dump
        .lines()
        .filter(|line| !line.starts_with('\\') && !line.contains("set_config('search_path'"));
    lines.collect::<Vec<_>>().join("\n").replace("public.", "")
}
