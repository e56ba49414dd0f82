use super::pools::Pools;
use crate::store::sql::driver::reason;
use crate::store::sql::engine::{
    Arg, Cell, Connection, Dialect, Engine, GaveWay, Listener, Purpose, Row,
};
use crate::store::sql::locking::locking;
use crate::store::sql::rows::{
    audit_columns, family_columns, key_columns, token_columns, user_columns,
};
use crate::store::{StoreError, StoreErrorKind};
use async_trait::async_trait;
use sqlx::error::DatabaseError as _;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteArguments, SqliteError, SqliteRow};
use sqlx::{Row as _, TypeInfo, ValueRef};
use std::error::Error as _;
use std::sync::Arc;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Microseconds since 1970 by the clock of this machine.
macro_rules! micros {
    () => {
        "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
    };
}

static DIALECT: Dialect = Dialect {
    begin: "BEGIN IMMEDIATE",
    begin_migration: "BEGIN IMMEDIATE",
    schema: &[
        include_str!("schema.sql"),
        include_str!("signing_keys.sql"),
        include_str!("audit.sql"),
    ],
    begin_audit: "BEGIN IMMEDIATE",
    insert_audit: concat!(
        "INSERT INTO tower_auth_audit (",
        audit_columns!(),
        ") SELECT value ->> 'at', value ->> 'action', value ->> 'actor_kind', \
         value ->> 'actor_id', value ->> 'credential', value ->> 'scheme', \
         value ->> 'subject_kind', value ->> 'subject_id', value ->> 'target', \
         value ->> 'scope', value ->> 'peer', value ->> 'method', value ->> 'route', \
         value ->> 'request_id', value ->> 'kind', value ->> 'reason' \
         FROM json_each($1) ORDER BY json_each.key"
    ),
    schema_table: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tower_auth_schema'",
    now: concat!("SELECT ", micros!()),
    // A transaction that begins by `BEGIN IMMEDIATE` has the whole file, so reading a row locks it.
    lock_key: concat!(
        "SELECT ",
        key_columns!(),
        " FROM tower_auth_keys WHERE id = $1"
    ),
    lock_token: concat!(
        "SELECT ",
        token_columns!(),
        " FROM tower_auth_private_tokens WHERE id = $1"
    ),
    lock_family: concat!(
        "SELECT ",
        family_columns!(),
        " FROM tower_auth_families WHERE id = $1"
    ),
    lock_user: concat!(
        "SELECT ",
        user_columns!(),
        " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2 AND u.removed = 0"
    ),
    locking: locking!("", ""),
    note_key_uses: "UPDATE tower_auth_keys SET used = noted.used \
        FROM (SELECT value ->> 'algorithm' AS algorithm, unhex(value ->> 'digest') AS digest, \
        value ->> 'used' AS used FROM json_each($1)) noted \
        WHERE tower_auth_keys.digest = noted.digest \
        AND tower_auth_keys.algorithm = noted.algorithm AND (tower_auth_keys.used IS NULL OR tower_auth_keys.used < noted.used)",
    note_token_uses: "UPDATE tower_auth_private_tokens SET used = noted.used \
        FROM (SELECT value ->> 'id' AS id, value ->> 'used' AS used FROM json_each($1)) noted \
        WHERE tower_auth_private_tokens.id = noted.id AND (tower_auth_private_tokens.used IS NULL \
        OR tower_auth_private_tokens.used < noted.used)",
    lock_account: concat!(
        "SELECT ",
        user_columns!(),
        " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2"
    ),
    lock_id: None,
    // A backup that is written over a database gives it another version of the schema. However it
    // came to be another one, it has not the same mark at the same number.
    cursor: concat!(
        "SELECT (SELECT schema_version FROM pragma_schema_version) || '', coalesce(\
         (SELECT seq || ':' || mark FROM tower_auth_changes ORDER BY seq DESC LIMIT 1), '0:0'), ",
        micros!()
    ),
    changes: concat!(
        "WITH last AS (SELECT CAST(substr($1, 1, instr($1, ':') - 1) AS INTEGER) AS seq, \
        CAST(substr($1, instr($1, ':') + 1) AS INTEGER) AS mark) \
        SELECT (SELECT schema_version FROM pragma_schema_version) \
        || CASE WHEN EXISTS (SELECT 1 FROM tower_auth_changes k JOIN last \
        ON k.seq = last.seq AND k.mark = last.mark) THEN '' ELSE ' restored' END, \
        coalesce(c.seq || ':' || c.mark, $1), ",
        micros!(),
        ", c.what, c.kind, c.id, c.digest, c.number, c.version \
        FROM (SELECT 1) LEFT JOIN (SELECT * FROM tower_auth_changes \
        WHERE seq > (SELECT seq FROM last) ORDER BY seq LIMIT $2) c ON true ORDER BY c.seq"
    ),
    // The last one stays, for whoever read up to it.
    purge_changes: "DELETE FROM tower_auth_changes WHERE seq IN \
        (SELECT seq FROM tower_auth_changes WHERE at < unixepoch() * 1000000 - $1 \
        AND seq < (SELECT max(seq) FROM tower_auth_changes) LIMIT $2) RETURNING 1",
};

pub(super) struct SqliteEngine {
    pools: Pools,
    /// SQLite has one writer at a time. Here they wait in turn; in the library they would poll.
    /// Held from the first statement of a call that writes to its last.
    writer: Arc<Mutex<()>>,
}

impl SqliteEngine {
    pub(super) fn new(pools: Pools) -> Self {
        Self {
            pools,
            writer: Arc::default(),
        }
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn open(&self, purpose: Purpose) -> Result<Box<dyn Connection>, StoreError> {
        // The turn comes before the connection: writers that wait for theirs must not hold the
        // connections that readers need.
        let turn = match purpose {
            Purpose::Write | Purpose::Start | Purpose::Housekeeping => {
                Some(Arc::clone(&self.writer).lock_owned().await)
            }
            Purpose::Read | Purpose::Upkeep => None,
        };
        // Not with each request: the feed looks each time that it reads the changes, which is often
        // enough.
        let is_looked_for = matches!(purpose, Purpose::Start | Purpose::Upkeep);
        if is_looked_for {
            self.pools.follow().await;
        }
        let connection = self.pools.current().acquire().await.map_err(error)?;
        if purpose == Purpose::Start {
            // The connection has made the file where there was none, so now there is one to
            // remember.
            self.pools.follow().await;
        }
        Ok(Box::new(SqliteConnection {
            connection: Some(connection),
            _turn: turn,
        }))
    }

    fn times_opened(&self) -> u64 {
        self.pools.times_opened()
    }

    fn may_pass(&self, failure: &StoreError) -> bool {
        let Some(source) = failure.source() else {
            return false;
        };
        match source.downcast_ref::<SqliteError>() {
            // The lowest byte of an extended code is the primary one.
            Some(reason) => {
                let code = reason.code().and_then(|code| code.parse::<u32>().ok());
                code.is_some_and(|code| PASSING.contains(&(code & 0xff)))
            }
            None => matches!(source.downcast_ref(), Some(sqlx::Error::PoolTimedOut)),
        }
    }

    async fn listen(&self) -> Result<Option<Box<dyn Listener>>, StoreError> {
        Ok(None)
    }
}

struct SqliteConnection {
    /// `None` once it was given back.
    connection: Option<PoolConnection<sqlx::Sqlite>>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl SqliteConnection {
    fn get(&mut self) -> Result<&mut sqlx::SqliteConnection, StoreError> {
        self.connection
            .as_deref_mut()
            .ok_or_else(|| StoreError::new(StoreErrorKind::Unavailable))
    }
}

#[async_trait]
impl Connection for SqliteConnection {
    async fn run(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
        let query = args.iter().fold(sqlx::query(sql), bind);
        let rows = query.fetch_all(self.get()?).await.map_err(error)?;
        rows.iter().map(|row| read(row).map_err(error)).collect()
    }

    async fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(sql)
            .execute(self.get()?)
            .await
            .map(drop)
            .map_err(error)
    }

    fn give_back(mut self: Box<Self>) {
        drop(self.connection.take());
    }
}

impl Drop for SqliteConnection {
    fn drop(&mut self) {
        // Taken out of the pool and closed: a statement may be under way on it.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

type Query = sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments>;

fn bind(query: Query, arg: &Arg<'_>) -> Query {
    match arg {
        Arg::Int(number) => query.bind(*number),
        Arg::Text(text) => query.bind(text.map(str::to_owned)),
        Arg::Bytes(bytes) => query.bind(bytes.to_vec()),
    }
}

fn read(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let cells: Result<_, _> = (0..row.len()).map(|column| cell(row, column)).collect();
    cells.map(Row::new)
}

fn cell(row: &SqliteRow, column: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    match value.type_info().name() {
        "INTEGER" => row.try_get(column).map(Cell::Int),
        "BLOB" => row.try_get(column).map(Cell::Bytes),
        _ => row.try_get(column).map(Cell::Text),
    }
}

fn error(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::new(StoreErrorKind::Exists),
        Some(database) if database.message().starts_with("no such table: tower_auth_") => {
            StoreError::unavailable("the schema is missing: call migrate()")
        }
        Some(database) if database.code().as_deref() == Some(BUSY_SNAPSHOT) => {
            GaveWay::because(reason(error))
        }
        _ => StoreError::unavailable(reason(error)),
    }
}

/// Another connection or process has the file (`SQLITE_BUSY`) or a table (`SQLITE_LOCKED`).
const PASSING: [u32; 2] = [5, 6];
/// What was read had been changed by another process before it was written.
const BUSY_SNAPSHOT: &str = "517";
