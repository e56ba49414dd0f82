use super::engine::PostgresEngine;
use crate::store::forward::{asked, forward_stores};
use crate::store::sql::Sql;
use crate::store::{StoreError, StoreErrorKind, StoreOptions};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::fmt;
use std::time::Duration;

/// Keys, users and tokens in PostgreSQL 13 or later, shared by many nodes.
///
/// - A node learns of another's changes at once by `LISTEN`, and in any case within
///   [`StoreOptions::lag`] by polling.
/// - A connection is a session, which notices, prepared statements and limits of time belong to:
///   PgBouncer serves it in session mode, not in transaction mode.
/// - A server that is down, slow, full or read-only makes calls fail within
///   [`StoreOptions::timeout`], and they succeed again when it is back.
/// - Tables that are restored from a backup or truncated under nodes that run are noticed within
///   [`StoreOptions::lag`].
/// - A user whose row is deleted by hand counts as removed: keys and tokens stay refused, and the
///   id stays taken, until a row of that id is inserted by hand.
/// - What an application attaches to a user by
///   [`UserRecord::with_app`](crate::store::UserRecord::with_app) is not kept.
/// - Times are kept to the microsecond. Ids, owners and names to sign in by have at most 512 bytes,
///   and no text holds a NUL: [`StoreErrorKind::Invalid`].
///
/// ```no_run
/// # async fn start() -> Result<(), tower_auth::store::StoreError> {
/// use tower_auth::store::Postgres;
///
/// let store = Postgres::connect("postgres://auth@db.example.com/auth").await?;
/// store.migrate().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Postgres(Sql);

impl Postgres {
    /// The store in the database of that URL, which is first connected to by the first call.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Invalid`] when it is no URL of a PostgreSQL database.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, StoreOptions::new()).await
    }

    /// As [`connect`](Self::connect), with options.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Invalid`] when it is no URL of a PostgreSQL database.
    pub async fn connect_with(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let server: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| StoreError::because(StoreErrorKind::Invalid, error))?;
        let limits = limits(options.timeout);
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.timeout)
            .after_connect(move |connection, _| {
                let limits = sqlx::AssertSqlSafe(limits.clone());
                Box::pin(async move { sqlx::raw_sql(limits).execute(connection).await.map(drop) })
            })
            .connect_lazy_with(server);
        Ok(Self::from_pool(pool, options))
    }

    /// The store in the application's own database, in the first schema of the pool's search path.
    /// The pool keeps its size and settings; three connections more are opened with its options,
    /// and with limits of time of their own.
    #[must_use]
    pub fn from_pool(pool: PgPool, options: StoreOptions) -> Self {
        Self(Sql::new(
            PostgresEngine::new(pool, options.timeout),
            options,
        ))
    }

    /// Makes the tables, or brings them up to date; where others do so at the same time, one of
    /// them does. A start has 30 seconds to reach the server and come so far, whatever
    /// [`timeout`](StoreOptions::timeout) a request has. Tables, triggers and functions have names
    /// that begin with `tower_auth_`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when it failed; then nothing has changed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.0.migrate().await
    }

    /// How old the news of other nodes is; `None` before the first. It is small while the server
    /// answers: an alarm on it tells of a node that cannot hear of revocations.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        self.0.lag()
    }

    pub(in crate::store) fn sql(&self) -> &Sql {
        &self.0
    }

    /// How many statements calls have sent so far. A look-up that memory answers sends none.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.0.statements()
    }
}

/// What nobody waits for any more ends on the server as well, and a node that died holds no lock.
fn limits(timeout: Duration) -> String {
    let millis = timeout.as_millis().max(1);
    format!("SET statement_timeout = {millis}; SET idle_in_transaction_session_timeout = {millis}")
}

forward_stores!(impl for Postgres, |self| asked!(self.0));

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("lag", &self.lag())
            .finish_non_exhaustive()
    }
}
