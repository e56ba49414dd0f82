use super::cache::{Cache, Footprint};
use super::engine::{Arg, Engine, Purpose, Row};
use super::lease::Lease;
use super::mirror::Mirror;
use crate::store::options::START_WITHIN;
use crate::store::{KeyRecord, StoreError, StoreOptions, UserRecord};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// What calls and tasks share. The tasks hold this, not the store, which ends them.
pub(super) struct Core {
    pub(super) engine: Box<dyn Engine>,
    pub(super) options: StoreOptions,
    pub(super) keys: Cache<[u8; 32], KeyRecord>,
    pub(super) users: Cache<String, UserRecord>,
    pub(super) mirror: Mirror,
    statements: AtomicU64,
    /// Those of the store's own tasks.
    upkeep: AtomicU64,
}

impl Core {
    pub(super) fn new(engine: impl Engine, options: StoreOptions) -> Self {
        Self {
            engine: Box::new(engine),
            keys: Cache::new(options.cache_bytes, options.cache_life),
            users: Cache::new(options.cache_bytes, options.cache_life),
            mirror: Mirror::new(options.lag, options.outage),
            statements: AtomicU64::new(0),
            upkeep: AtomicU64::new(0),
            options,
        }
    }

    /// How many statements calls have sent.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(super) async fn lease(&self, purpose: Purpose) -> Result<Lease<'_>, StoreError> {
        let statements = match purpose {
            Purpose::Read | Purpose::Write => &self.statements,
            Purpose::Start | Purpose::Upkeep | Purpose::Housekeeping => &self.upkeep,
        };
        let within = match purpose {
            Purpose::Start => START_WITHIN,
            _ => self.options.timeout,
        };
        let opened = timeout(within, self.engine.open(purpose)).await;
        let connection = opened.map_err(|_| StoreError::unavailable(NoConnection(within)))??;
        Ok(Lease::new(connection, statements))
    }

    /// Runs one statement that reads.
    pub(super) async fn read(
        &self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.lease(Purpose::Read).await?.run(sql, args).await
    }

    pub(super) async fn read_first(
        &self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        self.lease(Purpose::Read).await?.first(sql, args).await
    }

    /// Runs one statement that writes, and gives the first row that it returned.
    pub(super) async fn write_first(
        &self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        self.lease(Purpose::Write).await?.first(sql, args).await
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    pub(super) async fn begin(&self) -> Result<Lease<'_>, StoreError> {
        let mut lease = self.lease(Purpose::Write).await?;
        lease.begin(self.engine.dialect().begin).await?;
        Ok(lease)
    }
}

/// A call of the store's own tasks, or an error where it takes longer.
pub(super) async fn timed<T>(
    within: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(within, call)
        .await
        .map_err(StoreError::unavailable)?
}

#[derive(Debug, thiserror::Error)]
#[error("no connection was free within {0:?}")]
struct NoConnection(Duration);

impl Footprint for KeyRecord {
    fn footprint(&self) -> usize {
        KeyRecord::footprint(self)
    }
}

impl Footprint for UserRecord {
    fn footprint(&self) -> usize {
        UserRecord::footprint(self)
    }
}
