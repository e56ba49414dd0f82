use super::engine::SqliteEngine;
use super::pools::Pools;
use super::url::{Url, check_path};
#[cfg(doc)]
use crate::store::StoreErrorKind;
use crate::store::forward::{asked, forward_stores};
use crate::store::options::START_WITHIN;
use crate::store::sql::Sql;
use crate::store::{StoreError, StoreOptions};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// How long SQLite waits where another process writes. Calls give up earlier, by their own
/// deadline.
const BUSY: Duration = Duration::from_secs(5);

/// Keys, users and tokens in an SQLite file: nothing to run, and kept at memory speed for what was
/// seen lately.
///
/// - What a call said is done is in the file, also after a crash (WAL, `synchronous = FULL`).
/// - Several processes may share a file; each learns of the others' changes within
///   [`StoreOptions::lag`].
/// - A file that is restored from a backup while processes have it open is noticed within
///   [`StoreOptions::lag`]: nothing that is remembered of the former one goes on. Restore it by
///   `.restore` of the `sqlite3` shell, or put another file in its place, without a `-wal` and
///   `-shm` of the former one.
/// - A user whose row is deleted by hand counts as removed: keys and tokens stay refused, and the
///   id stays taken, until a row of that id is inserted by hand.
/// - What an application attaches to a user by
///   [`UserRecord::with_app`](crate::store::UserRecord::with_app) is not kept.
/// - Times are kept to the microsecond. Ids, owners and names to sign in by have at most 512 bytes,
///   and no text holds a NUL: [`StoreErrorKind::Invalid`].
///
/// ```
/// use tower_auth::store::{KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Sqlite};
/// use tower_auth::Subject;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let dir = std::env::temp_dir().join(format!("tower-auth-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).unwrap();
/// # let path = dir.join("auth.db");
/// let store = Sqlite::open(&path).await?;
/// store.migrate().await?;
///
/// let (now, digest) = (std::time::UNIX_EPOCH, KeyDigest::new("sha256", [7; 32]));
/// let record = KeyRecord::new("1", Subject::user("7"), "ci", "egret_7Zk…", digest.clone(), now);
/// store.insert_key(record).await?;
///
/// let later = Sqlite::open(&path).await?; // after a restart
/// assert!(later.find_key(&digest).await?.is_some());
/// assert!(later.find_key(&KeyDigest::new("sha256", [8; 32])).await?.is_none());
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), tower_auth::store::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Sqlite(Sql);

impl Sqlite {
    /// The store in that file, which is made where there is none. Where another process has it to
    /// itself, a predecessor that still closes it for one, this waits up to 30 seconds.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the file cannot be opened, [`StoreErrorKind::Invalid`]
    /// when this is no path but a URL, empty, or `:memory:`.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, StoreOptions::new()).await
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        path: impl AsRef<Path>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        Self::open_file(path.as_ref(), true, options).await
    }

    /// The store of a URL, as [`Store::connect`](crate::store::Store::connect) takes them.
    pub(in crate::store) async fn open_url(
        url: &str,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let url = Url::parse(url)?;
        Self::open_file(&url.path, url.is_made, options).await
    }

    async fn open_file(
        path: &Path,
        is_made: bool,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        check_path(path)?;
        let file = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(is_made && options.makes_file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY);
        let pools = SqlitePoolOptions::new()
            .max_connections(options.connections)
            // That of a start: a request gives up earlier, by its own deadline.
            .acquire_timeout(START_WITHIN);
        let pool = pools.clone().connect_lazy_with(file.clone());
        // The file is made at the start alone. One that is gone later on is about to be replaced by
        // another, and must not be made anew in its place.
        let existing = file.create_if_missing(false);
        let later = existing.clone();
        let watched = Pools::at(path, pool.clone(), move || {
            pools.clone().connect_lazy_with(later.clone())
        });
        let store = Self(Sql::new(SqliteEngine::new(watched), options));
        store.0.start().await?;
        pool.set_connect_options(existing);
        Ok(store)
    }

    /// The store in the application's own database. Its settings stay as they are: WAL and foreign
    /// keys should be on. Another file in its place is for the application to notice.
    #[must_use]
    pub fn from_pool(pool: SqlitePool, options: StoreOptions) -> Self {
        Self(Sql::new(SqliteEngine::new(Pools::of(pool)), options))
    }

    /// Makes the tables, or brings them up to date; where others do so at the same time, one of
    /// them does. A start has 30 seconds to come so far, whatever
    /// [`timeout`](StoreOptions::timeout) a request has. Tables and triggers have names that begin
    /// with `tower_auth_`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when it failed; then nothing has changed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        self.0.migrate().await
    }

    /// How old the news of other processes is; `None` before the first. It is small while the file
    /// can be read.
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

forward_stores!(impl for Sqlite, |self| asked!(self.0));

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("lag", &self.lag())
            .finish_non_exhaustive()
    }
}
