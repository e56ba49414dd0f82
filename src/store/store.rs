use super::forward::{asked, forward_stores};
use super::options::StoreOptions;
#[cfg(feature = "postgres")]
use super::postgres::Postgres;
#[cfg(feature = "sqlite")]
use super::sqlite::Sqlite;
use super::{AllStores, Memory, SchemaVersion, StoreError, StoreErrorKind};
use crate::clock::{Clock, SystemClock};
use std::fmt;
use std::time::{Duration, SystemTime};

/// A store that is chosen by a URL, for applications configured by their environment.
///
/// | URL | store |
/// |---|---|
/// | nothing, `memory:` | [`Memory`] |
/// | `sqlite:PATH`, `sqlite://PATH` | `Sqlite`, feature `sqlite`; with `?mode=rw` the file must be there |
/// | `postgres://…`, `postgresql://…` | `Postgres`, feature `postgres` |
///
/// ```
/// use tower_auth::store::{Store, StoreErrorKind};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
///
/// let url = std::env::var("AUTH_STORE").unwrap_or_default();
/// let store = Store::connect(&url).await?;
/// store.migrate().await?;
///
/// let unknown = Store::connect("mysql://db.example.com").await.unwrap_err();
/// assert_eq!(unknown.kind(), StoreErrorKind::Invalid);
/// # Ok::<(), tower_auth::store::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Store(Kind);

#[derive(Clone)]
enum Kind {
    Memory(Memory),
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
}

impl Kind {
    fn memory(_: StoreOptions) -> Self {
        Self::Memory(Memory::new())
    }
}

impl Store {
    /// The store of that URL.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Invalid`] when there is no such kind of store, its feature is off, or the
    /// URL says something that the store cannot keep to;
    /// [`StoreErrorKind::Unavailable`] when a file cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, StoreOptions::new()).await
    }

    /// As [`connect`](Self::connect), with options, which mean nothing to memory.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with(url: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let store = match url.split_once(':').unwrap_or((url, "")) {
            ("", "") | ("memory", "") => Kind::memory(options),
            #[cfg(feature = "sqlite")]
            ("sqlite", file) if !file.is_empty() => {
                Kind::Sqlite(Sqlite::open_url(url, options).await?)
            }
            #[cfg(feature = "postgres")]
            ("postgres" | "postgresql", _) => {
                Kind::Postgres(Postgres::connect_with(url, options).await?)
            }
            // The URL is not shown: it may hold a password.
            _ => {
                let unknown = "no such kind of store, or its feature is off";
                return Err(StoreError::because(StoreErrorKind::Invalid, unknown));
            }
        };
        Ok(Self(store))
    }

    /// Which of the three it is: `memory`, `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Kind::Memory(_) => "memory",
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(_) => "sqlite",
            #[cfg(feature = "postgres")]
            Kind::Postgres(_) => "postgres",
        }
    }

    /// Makes the tables of a database, or brings them up to date; where others do so at the same
    /// time, one of them does.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when it failed; then nothing has changed.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Memory(_) => Ok(()),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.migrate().await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.migrate().await,
        }
    }

    /// Which version the tables have, for whoever has to know before anything else is asked of
    /// them. A store in memory has none, and lacks none.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the database does not answer.
    pub async fn schema_version(&self) -> Result<SchemaVersion, StoreError> {
        match &self.0 {
            Kind::Memory(_) => Ok(SchemaVersion::new(0, 0)),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.sql().schema_version().await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.sql().schema_version().await,
        }
    }

    /// What time it is by the clock of the database, which should be that of every node: what is
    /// revoked and what expires is written by the one and judged by the others.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the database does not answer.
    pub async fn time(&self) -> Result<SystemTime, StoreError> {
        match &self.0 {
            Kind::Memory(_) => Ok(SystemClock.now()),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.sql().time().await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.sql().time().await,
        }
    }

    /// How many keys that are not revoked are stored under which algorithm
    /// ([`KeyDigest::algorithm`](super::KeyDigest::algorithm)), by its name: those under
    /// `hmac-sha256:ID` are refused by whoever does not have the pepper `ID`. Of a store in memory
    /// it is not counted. It reads all keys.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`] when the database does not answer.
    pub async fn key_algorithms(&self) -> Result<Vec<(String, u64)>, StoreError> {
        match &self.0 {
            Kind::Memory(_) => Ok(Vec::new()),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.sql().key_algorithms().await,
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.sql().key_algorithms().await,
        }
    }

    /// How old the news of other nodes is; `None` before the first. In memory there are no other
    /// nodes.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Memory(_) => Some(Duration::ZERO),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.lag(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.lag(),
        }
    }

    fn chosen(&self) -> &dyn AllStores {
        match &self.0 {
            Kind::Memory(store) => store,
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.sql(),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.sql(),
        }
    }
}

forward_stores!(impl for Store, |self| asked!(self.chosen()));

impl From<Memory> for Store {
    fn from(store: Memory) -> Self {
        Self(Kind::Memory(store))
    }
}

#[cfg(feature = "sqlite")]
impl From<Sqlite> for Store {
    fn from(store: Sqlite) -> Self {
        Self(Kind::Sqlite(store))
    }
}

#[cfg(feature = "postgres")]
impl From<Postgres> for Store {
    fn from(store: Postgres) -> Self {
        Self(Kind::Postgres(store))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Memory(store) => store.fmt(f),
            #[cfg(feature = "sqlite")]
            Kind::Sqlite(store) => store.fmt(f),
            #[cfg(feature = "postgres")]
            Kind::Postgres(store) => store.fmt(f),
        }
    }
}
