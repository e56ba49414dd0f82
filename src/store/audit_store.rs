use super::{AuditRecord, StoreError};
use async_trait::async_trait;
use std::time::SystemTime;

/// Keeps what happened ([`Realm::audit`](crate::Realm::audit)): records that are added, read in
/// their order, and removed when they are old. None is ever changed.
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::Mutex;
/// use std::time::SystemTime;
/// use tower_auth::store::{AuditRecord, AuditStore, StoreError, conformance};
///
/// /// Keeps what happened in one list.
/// #[derive(Default)]
/// struct Kept(Mutex<(u64, Vec<AuditRecord>)>);
///
/// #[async_trait]
/// impl AuditStore for Kept {
///     async fn insert_audit(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
///         let (last, kept) = &mut *self.0.lock().unwrap();
///         for record in records {
///             *last += 1; // also after a removal: no number is given twice
///             let mut record = record.clone();
///             record.number = *last;
///             kept.push(record);
///         }
///         Ok(())
///     }
///
///     async fn list_audit(
///         &self,
///         after: Option<u64>,
///         most: usize,
///     ) -> Result<Vec<AuditRecord>, StoreError> {
///         let kept = &self.0.lock().unwrap().1;
///         let from = match after {
///             Some(number) => kept.partition_point(|record| record.number <= number),
///             None => kept.len().saturating_sub(most),
///         };
///         Ok(kept[from..].iter().take(most).cloned().collect())
///     }
///
///     async fn purge_audit(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
///         let kept = &mut self.0.lock().unwrap().1;
///         let mut room = most;
///         kept.retain(|record| {
///             let stays = record.at >= before || room == 0;
///             room -= usize::from(!stays);
///             stays
///         });
///         Ok(most - room)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Kept::default();
/// let now = SystemTime::UNIX_EPOCH;
/// let record = |action: &str| AuditRecord::new(action, now);
/// store.insert_audit(&[record("signed in"), record("signed out")]).await?;
/// let later = store.list_audit(Some(1), 10).await?;
/// assert_eq!((later.len(), later[0].number, &*later[0].action), (1, 2, "signed out"));
/// assert!(store.list_audit(Some(2), 10).await?.is_empty());
///
/// // All promises are checked (feature `test-util`).
/// conformance::audit_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
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
