use crate::store::sql::driver::reason;
use crate::store::sql::engine::{
    Arg, Cell, Connection, Dialect, Engine, GaveWay, Listener, Purpose, Row, UPKEEP_WITHIN,
};
use crate::store::sql::locking::locking;
use crate::store::sql::rows::{
    audit_columns, family_columns, key_columns, token_columns, user_columns,
};
use crate::store::{StoreError, StoreErrorKind};
use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgDatabaseError, PgListener, PgPoolOptions, PgRow};
use sqlx::{Column, PgPool, Row as _, TypeInfo, ValueRef};
use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

/// When the server started, and the files of the tables: others were truncated or restored.
macro_rules! incarnation {
    () => {
        "concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), \
         pg_relation_filenode('tower_auth_changes'), pg_relation_filenode('tower_auth_keys'), \
         pg_relation_filenode('tower_auth_users'), pg_relation_filenode('tower_auth_user_names'), \
         pg_relation_filenode('tower_auth_revoked'))"
    };
}

/// Microseconds since 1970 by the server's clock.
macro_rules! micros {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}

static DIALECT: Dialect = Dialect {
    begin: "BEGIN",
    // Both locks end with the transaction, however it ends. The key is arbitrary, and the same in
    // every release.
    begin_migration: "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
        SELECT pg_advisory_xact_lock(8390876201744237156)",
    schema: &[
        include_str!("schema.sql"),
        include_str!("signing_keys.sql"),
        include_str!("audit.sql"),
    ],
    // Not a lock of the table, which would end an automatic vacuum, or wait for one by hand. The
    // first number is arbitrary, and the same in every release; the second one is the table's own,
    // so that stores in other schemas do not wait. Two numbers never name the lock that one names.
    begin_audit: "BEGIN; \
        SELECT pg_advisory_xact_lock(839087620, 'tower_auth_audit'::regclass::oid::int)",
    insert_audit: concat!(
        "INSERT INTO tower_auth_audit (",
        audit_columns!(),
        ") SELECT ",
        audit_columns!(),
        " FROM ROWS FROM (json_to_recordset($1::json) AS (at bigint, action text, \
         actor_kind text, actor_id text, credential text, scheme text, subject_kind text, \
         subject_id text, target text, scope text, peer text, method text, route text, \
         request_id text, kind text, reason text)) WITH ORDINALITY ORDER BY ordinality"
    ),
    schema_table: "SELECT 1 FROM pg_class WHERE oid = to_regclass('tower_auth_schema')",
    now: concat!("SELECT ", micros!()),
    lock_key: concat!(
        "SELECT ",
        key_columns!(),
        " FROM tower_auth_keys WHERE id = $1 FOR UPDATE"
    ),
    lock_token: concat!(
        "SELECT ",
        token_columns!(),
        " FROM tower_auth_private_tokens WHERE id = $1 FOR UPDATE"
    ),
    lock_family: concat!(
        "SELECT ",
        family_columns!(),
        " FROM tower_auth_families WHERE id = $1 FOR UPDATE"
    ),
    lock_user: concat!(
        "SELECT ",
        user_columns!(),
        " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2 AND u.removed = 0 FOR UPDATE"
    ),
    locking: locking!(" FOR UPDATE", " FOR UPDATE SKIP LOCKED"),
    note_key_uses: "WITH noted AS MATERIALIZED (SELECT k.id, uses.used \
        FROM json_to_recordset($1::json) AS uses (algorithm text, digest text, used bigint) \
        JOIN tower_auth_keys k ON k.digest = decode(uses.digest, 'hex') \
        AND k.algorithm = uses.algorithm WHERE k.used IS NULL OR k.used < uses.used \
        FOR NO KEY UPDATE OF k SKIP LOCKED) \
        UPDATE tower_auth_keys k SET used = noted.used FROM noted WHERE k.id = noted.id",
    note_token_uses: "WITH noted AS MATERIALIZED (SELECT t.id, uses.used \
        FROM json_to_recordset($1::json) AS uses (id text, used bigint) \
        JOIN tower_auth_private_tokens t ON t.id = uses.id \
        WHERE t.used IS NULL OR t.used < uses.used FOR NO KEY UPDATE OF t SKIP LOCKED) \
        UPDATE tower_auth_private_tokens t SET used = noted.used FROM noted WHERE t.id = noted.id",
    lock_account: concat!(
        "SELECT ",
        user_columns!(),
        " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2 FOR UPDATE"
    ),
    // The number is arbitrary, and the same in every release: ids of others lock elsewhere.
    lock_id: Some(
        "SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtextextended($1, 8390876201744237157))) l",
    ),
    cursor: concat!(
        "SELECT ",
        incarnation!(),
        ", pg_current_snapshot()::text, ",
        micros!()
    ),
    // Changes of transactions that the snapshot did not see, however long they were under way:
    // those that came later, and those that it names as under way. Not all since the oldest of
    // these: one that takes an hour would have an hour's changes read each time.
    changes: concat!(
        "SELECT s.incarnation, s.position, s.clock, \
         c.what, c.kind, c.id, c.digest, c.number, c.version FROM (SELECT ",
        incarnation!(),
        " AS incarnation, pg_current_snapshot()::text AS position, ",
        micros!(),
        " AS clock) s \
         LEFT JOIN ((SELECT * FROM tower_auth_changes \
         WHERE xid >= pg_snapshot_xmax($1::pg_snapshot) ORDER BY xid LIMIT $2) \
         UNION ALL (SELECT one.* FROM pg_snapshot_xip($1::pg_snapshot) AS open (xid) \
         CROSS JOIN LATERAL (SELECT * FROM tower_auth_changes \
         WHERE tower_auth_changes.xid = open.xid ORDER BY xid LIMIT $2) one LIMIT $2)) c ON true \
         ORDER BY c.seq"
    ),
    purge_changes: concat!(
        "DELETE FROM tower_auth_changes WHERE seq IN (SELECT seq FROM tower_auth_changes WHERE at < ",
        micros!(),
        " - $1 LIMIT $2) RETURNING 1"
    ),
};

/// For the polls, the notices and housekeeping.
const UPKEEP_CONNECTIONS: u32 = 3;

pub(super) struct PostgresEngine {
    pool: PgPool,
    /// Apart, so that requests that use up the pool keep no revocation from being heard. Made by
    /// the first call, which is on a runtime, as a pool must be.
    upkeep: OnceLock<PgPool>,
    /// After so long a connection that was given back but does not answer is closed.
    patience: Duration,
}

impl PostgresEngine {
    pub(super) fn new(pool: PgPool, patience: Duration) -> Self {
        Self {
            pool,
            upkeep: OnceLock::new(),
            patience,
        }
    }

    fn upkeep(&self) -> &PgPool {
        self.upkeep.get_or_init(|| {
            let limits = upkeep_limits(self.patience);
            PgPoolOptions::new()
                .max_connections(UPKEEP_CONNECTIONS)
                .acquire_timeout(self.patience)
                .after_connect(move |connection, _| {
                    let limits = sqlx::AssertSqlSafe(limits.clone());
                    Box::pin(
                        async move { sqlx::raw_sql(limits).execute(connection).await.map(drop) },
                    )
                })
                .connect_lazy_with((*self.pool.connect_options()).clone())
        })
    }
}

/// As those of the connections of requests, with more time for what reads much: a node that dies in
/// a transaction must not hold its locks for hours. Whoever waits for a lock gives up when the call
/// does, or its connection would stay on the server, one more with each call.
fn upkeep_limits(patience: Duration) -> String {
    let idle = UPKEEP_WITHIN.as_millis();
    let lock = patience.as_millis().max(1);
    let statement = lock.max(idle);
    format!(
        "SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
         SET idle_in_transaction_session_timeout = {idle}"
    )
}

#[async_trait]
impl Engine for PostgresEngine {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    async fn open(&self, purpose: Purpose) -> Result<Box<dyn Connection>, StoreError> {
        let pool = match purpose {
            Purpose::Read | Purpose::Write => &self.pool,
            Purpose::Start | Purpose::Upkeep | Purpose::Housekeeping => self.upkeep(),
        };
        let connection = pool.acquire().await.map_err(error)?;
        Ok(Box::new(PostgresConnection {
            connection: Some(connection),
            patience: self.patience,
        }))
    }

    fn may_pass(&self, failure: &StoreError) -> bool {
        let Some(source) = failure.source() else {
            return false;
        };
        match source.downcast_ref::<PgDatabaseError>() {
            Some(reason) => PASSING.contains(&reason.code()),
            None => {
                source.is::<std::io::Error>()
                    || matches!(source.downcast_ref(), Some(sqlx::Error::PoolTimedOut))
            }
        }
    }

    async fn listen(&self) -> Result<Option<Box<dyn Listener>>, StoreError> {
        let mut listener = PgListener::connect_with(self.upkeep())
            .await
            .map_err(error)?;
        listener.listen("tower_auth").await.map_err(error)?;
        Ok(Some(Box::new(Notices(listener))))
    }
}

struct Notices(PgListener);

#[async_trait]
impl Listener for Notices {
    async fn changed(&mut self) -> Result<(), StoreError> {
        match self.0.try_recv().await.map_err(error)? {
            Some(_) => Ok(()),
            // The connection broke, and notices may be lost. The feed listens anew and reads what
            // it may have missed.
            None => Err(StoreError::new(StoreErrorKind::Unavailable)),
        }
    }
}

struct PostgresConnection {
    /// `None` once it was given back.
    connection: Option<PoolConnection<sqlx::Postgres>>,
    patience: Duration,
}

impl PostgresConnection {
    fn get(&mut self) -> Result<&mut sqlx::PgConnection, StoreError> {
        self.connection
            .as_deref_mut()
            .ok_or_else(|| StoreError::new(StoreErrorKind::Unavailable))
    }
}

#[async_trait]
impl Connection for PostgresConnection {
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

    /// The pool pings a connection that it gets back, for ever where the network swallows it: then
    /// its place would be lost.
    fn give_back(mut self: Box<Self>) {
        let (connection, patience) = (self.connection.take(), self.patience);
        if let (Some(mut connection), Ok(runtime)) =
            (connection, tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                tokio::time::timeout(patience, connection.return_to_pool()).await
            });
        }
    }
}

impl Drop for PostgresConnection {
    fn drop(&mut self) {
        // Taken out of the pool and closed: a statement may be under way on it.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

type Query = sqlx::query::Query<'static, sqlx::Postgres, PgArguments>;

fn bind(query: Query, arg: &Arg<'_>) -> Query {
    match arg {
        Arg::Int(number) => query.bind(*number),
        Arg::Text(text) => query.bind(text.map(str::to_owned)),
        Arg::Bytes(bytes) => query.bind(bytes.to_vec()),
    }
}

fn read(row: &PgRow) -> Result<Row, sqlx::Error> {
    let cells: Result<_, _> = (0..row.len()).map(|column| cell(row, column)).collect();
    cells.map(Row::new)
}

fn cell(row: &PgRow, column: usize) -> Result<Cell, sqlx::Error> {
    if row.try_get_raw(column)?.is_null() {
        return Ok(Cell::Null);
    }
    match row.column(column).type_info().name() {
        "INT8" => row.try_get(column).map(Cell::Int),
        "INT4" => row
            .try_get::<i32, _>(column)
            .map(|number| Cell::Int(number.into())),
        "BYTEA" => row.try_get(column).map(Cell::Bytes),
        _ => row.try_get(column).map(Cell::Text),
    }
}

fn error(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if database.is_unique_violation() => StoreError::new(StoreErrorKind::Exists),
        Some(database) if database.code().as_deref() == Some(UNDEFINED_TABLE) => {
            StoreError::unavailable("the schema is missing: call migrate()")
        }
        Some(database)
            if database
                .code()
                .is_some_and(|code| GAVE_WAY.contains(&&*code)) =>
        {
            GaveWay::because(reason(error))
        }
        _ => StoreError::unavailable(reason(error)),
    }
}

const UNDEFINED_TABLE: &str = "42P01";
/// The server starts, stops or was made to stop, or has no connection left.
const PASSING: [&str; 4] = ["57P03", "57P01", "57P02", "53300"];
/// A deadlock, and a transaction that is not one after the other with those beside it.
const GAVE_WAY: [&str; 2] = ["40P01", "40001"];
