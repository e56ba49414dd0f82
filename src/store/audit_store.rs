use super::{AuditRecord, StoreError};
use async_trait::async_trait;
use std::time::SystemTime;

/// Keeps what happened ([`Realm::audit`](crate::Realm::audit)): records that are added, read in
/// their order, and removed when they are old. None is ever changed.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Adds records, in this order, all or none, and gives each the next number. What they say of
    /// their [`number`](AuditRecord::number) is not looked at.
    ///
    /// Whoever reads the records by their numbers misses none: a record that can be read has a
    /// greater number than every one that could be read before.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// written.
    async fn insert_audit(&self, records: &[AuditRecord]) -> Result<(), StoreError>;

    /// At most so many records in their order: those after a number, or without one the last that
    /// there are.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_audit(
        &self,
        after: Option<u64>,
        most: usize,
    ) -> Result<Vec<AuditRecord>, StoreError>;

    /// Removes at most so many records of what happened before that time, and says how many.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// removed.
    async fn purge_audit(&self, before: SystemTime, most: usize) -> Result<usize, StoreError>;
}
