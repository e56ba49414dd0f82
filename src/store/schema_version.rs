/// Which version the tables of a database have, and which one this release makes of them.
///
/// A release goes on working with the tables of a later one, so that it can be rolled back.
///
/// ```
/// use tower_auth::store::{Memory, Store};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let schema = Store::from(Memory::new()).schema_version().await?;
/// assert!(!schema.lacks_steps()); // a store in memory has nothing to migrate
/// # Ok::<(), tower_auth::store::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// That of the tables, counted from 1; 0 where there are none.
    pub found: u64,
    /// The latest one that this release knows.
    pub known: u64,
}

impl SchemaVersion {
    pub(super) fn new(found: u64, known: u64) -> Self {
        Self { found, known }
    }

    /// Whether the tables are missing, or are those of an earlier release:
    /// [`Store::migrate`](super::Store::migrate) brings them up to date.
    #[must_use]
    pub fn lacks_steps(&self) -> bool {
        self.found < self.known
    }

    /// Whether a later release has made them.
    #[must_use]
    pub fn is_later(&self) -> bool {
        self.found > self.known
    }
}
