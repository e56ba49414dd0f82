//! Stores in an SQL database: what SQLite and PostgreSQL have in common.
//!
//! ```text
//! request ─ peek ─→ cache, mirror        memory: keys and users read lately; all that is denied
//!             └ Ask ─→ call ─→ database  one deadline a call; what was read goes into the cache
//! feed ─ poll, notice ─→ cache, mirror   what other nodes changed
//! ```
//!
//! Triggers in the schema write each change of a key, a user or a revocation into a table of changes, so that whoever makes it,
//! by whatever way, every node hears of it.

mod cache;
pub(in crate::store) mod engine;
mod feed;
mod keys;
mod lease;
mod migrate;
mod mirror;
mod purge;
pub(in crate::store) mod rows;
mod tokens;
mod users;

use super::{KeyRecord, StoreError, StoreOptions, UserRecord};
use cache::{Cache, Footprint};
use engine::{Arg, Engine, Purpose, Row};
use lease::Lease;
use mirror::Mirror;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A store in a database. Clones share their memory and tasks, which end with the last clone.
#[derive(Clone)]
pub(super) struct Sql(Arc<Owner>);

struct Owner {
    core: Arc<Core>,
    /// Feed and housekeeping, started by the first call. Locked for a look at whether they run.
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What calls and tasks share. The tasks hold this, not the owner, who ends them.
struct Core {
    engine: Box<dyn Engine>,
    options: StoreOptions,
    keys: Cache<[u8; 32], KeyRecord>,
    users: Cache<String, UserRecord>,
    mirror: Mirror,
    statements: AtomicU64,
    /// Those of the store's own tasks.
    upkeep: AtomicU64,
}

impl Sql {
    pub(super) fn new(engine: impl Engine, options: StoreOptions) -> Self {
        let core = Core {
            engine: Box::new(engine),
            keys: Cache::new(options.cache_bytes, options.cache_life),
            users: Cache::new(options.cache_bytes, options.cache_life),
            mirror: Mirror::new(options.lag, options.outage),
            statements: AtomicU64::new(0),
            upkeep: AtomicU64::new(0),
            options,
        };
        Self(Arc::new(Owner {
            core: Arc::new(core),
            task: Mutex::new(None),
        }))
    }

    pub(super) async fn migrate(&self) -> Result<(), StoreError> {
        migrate::migrate(&self.0.core).await
    }

    pub(super) fn lag(&self) -> Option<Duration> {
        self.core().mirror.age().get()
    }

    pub(super) fn statements(&self) -> u64 {
        self.core().statements.load(Ordering::Relaxed)
    }

    fn core(&self) -> &Core {
        &self.0.core
    }

    /// Runs a call: the tasks run, and it is over within the deadline.
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.0.keep_running();
        tokio::time::timeout(self.core().options.timeout, call)
            .await
            .map_err(StoreError::unavailable)?
    }
}

impl Owner {
    /// Starts the tasks where they do not run: not yet, or no more, because their runtime ended.
    fn keep_running(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let core = Arc::clone(&self.core);
            *task = Some(tokio::spawn(async move {
                tokio::join!(feed::follow(&core), purge::keep_house(&core));
            }));
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task {
            task.abort();
        }
    }
}

impl Core {
    async fn lease(&self, purpose: Purpose) -> Result<Lease<'_>, StoreError> {
        let statements = if purpose == Purpose::Upkeep {
            &self.upkeep
        } else {
            &self.statements
        };
        Ok(Lease::new(self.engine.open(purpose).await?, statements))
    }

    /// Runs one statement that reads.
    async fn read(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
        self.lease(Purpose::Read).await?.run(sql, args).await
    }

    async fn read_first(
        &self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        self.lease(Purpose::Read).await?.first(sql, args).await
    }

    /// Runs one statement that writes, and gives what it returned.
    async fn write(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
        self.lease(Purpose::Write).await?.run(sql, args).await
    }

    async fn write_first(
        &self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        self.lease(Purpose::Write).await?.first(sql, args).await
    }

    /// Begins a transaction, which is rolled back unless it is committed.
    async fn begin(&self) -> Result<Lease<'_>, StoreError> {
        let mut lease = self.lease(Purpose::Write).await?;
        lease.begin(self.engine.dialect().begin).await?;
        Ok(lease)
    }
}

/// The statements by which requests look something up, each with its name and the types of its arguments (`t`ext, `b`ytes,
/// `i`nteger), for tests that explain them.
#[cfg(feature = "test-util")]
pub const LOOK_UPS: [(&str, &str, &str); 10] = [
    ("a key by digest", keys::FIND, "b"),
    ("a key by owner and id", keys::FIND_OWNED, "ttt"),
    ("keys by owner", keys::LIST, "tt"),
    ("a user by name", users::FIND, "t"),
    ("a user by id", users::FIND_BY_ID, "tt"),
    ("a disabled user", users::IS_DISABLED, "tt"),
    ("a page of users", users::LIST_AFTER, "itt"),
    ("a revocation", tokens::IS_REVOKED, "tti"),
    ("a family", tokens::FIND_FAMILY, "t"),
    ("private tokens by owner", tokens::LIST_TOKENS, "tt"),
];

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
