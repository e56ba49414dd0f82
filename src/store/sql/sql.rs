use super::core::Core;
use super::engine::{Engine, GaveWay};
use super::{about, feed, migrate, purge};
#[cfg(feature = "sqlite")]
use super::{engine::Purpose, start};
use crate::store::{SchemaVersion, StoreError, StoreOptions};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;

/// A store in a database. Clones share their memory and tasks, which end with the last clone.
#[derive(Clone)]
pub(in crate::store) struct Sql(Arc<Owner>);

struct Owner {
    core: Arc<Core>,
    /// Feed and housekeeping, started by the first call. Locked for a look at whether they run.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Sql {
    pub(in crate::store) fn new(engine: impl Engine, options: StoreOptions) -> Self {
        Self(Arc::new(Owner {
            core: Arc::new(Core::new(engine, options)),
            task: Mutex::new(None),
        }))
    }

    /// Waits for the first connection, which the first request finds open.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) async fn start(&self) -> Result<(), StoreError> {
        let core = self.core();
        start::patiently(core, || core.lease(Purpose::Start))
            .await
            .map(drop)
    }

    pub(in crate::store) async fn migrate(&self) -> Result<(), StoreError> {
        migrate::migrate(&self.0.core).await
    }

    pub(in crate::store) async fn schema_version(&self) -> Result<SchemaVersion, StoreError> {
        self.call(|| about::schema_version(self.core())).await
    }

    pub(in crate::store) async fn time(&self) -> Result<SystemTime, StoreError> {
        self.call(|| about::time(self.core())).await
    }

    pub(in crate::store) async fn key_algorithms(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.call(|| about::key_algorithms(self.core())).await
    }

    pub(in crate::store) fn lag(&self) -> Option<Duration> {
        self.core().mirror.age().get()
    }

    pub(in crate::store) fn statements(&self) -> u64 {
        self.core().statements()
    }

    pub(super) fn core(&self) -> &Core {
        &self.0.core
    }

    /// Runs a call: the tasks run, and it is over within the deadline.
    ///
    /// What the database ended so that another transaction could go on is begun once more: nothing
    /// of it was written. The second time it is an error, because a database that does so again
    /// and again needs fewer calls, not more.
    pub(super) async fn call<T, F>(&self, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.0.keep_running();
        let at_most_twice = async {
            match call().await {
                Err(error) if GaveWay::is_why(&error) => call().await,
                result => result,
            }
        };
        tokio::time::timeout(self.core().options.timeout, at_most_twice)
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
            // The task holds the core and not its owner, so it would go on for ever.
            task.abort();
        }
    }
}
