use super::{KeyDigest, KeyRecord, Peek, StoreError};
use async_trait::async_trait;
use std::sync::Arc;

/// Finds API keys: all that verifying them takes. An existing table is one in ten lines.
///
/// - A key is found by its digest alone, and under the algorithm of the digest alone: the same
///   bytes made in another way are another key.
/// - Revoked and expired keys may be found, for the caller judges; a store that forgets them is as
///   good.
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::Arc;
/// use tower_auth::Subject;
/// use tower_auth::store::{KeyDigest, KeyRecord, KeyStore, StoreError};
///
/// /// One key, as a program's configuration may have it.
/// struct Configured(Arc<KeyRecord>);
///
/// #[async_trait]
/// impl KeyStore for Configured {
///     async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
///         let found = self.0.digest == *digest;
///         Ok(found.then(|| Arc::clone(&self.0)))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let digest = KeyDigest::new("sha256", [7; 32]);
/// let now = std::time::UNIX_EPOCH;
/// let record = KeyRecord::new("1", Subject::user("7"), "ci", "egret_7Zk…", digest.clone(), now);
/// let store = Configured(Arc::new(record));
///
/// assert!(store.find_key(&digest).await?.is_some());
/// assert!(store.find_key(&KeyDigest::new("sha256", [8; 32])).await?.is_none());
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// The record with that digest.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError>;

    /// The record with that digest as far as memory knows.
    fn peek_key(&self, digest: &KeyDigest) -> Peek<KeyRecord> {
        let _ = digest;
        Peek::Ask
    }

    /// The key of that digest was looked up and is refused: there is no record, or it is revoked or
    /// has expired. A memory that answers for a database lets go of the record, so that the next
    /// look-up asks the database as it does for a key that is not there: by what it costs, nobody
    /// shall tell one from the other. By default it does nothing, which is right for stores that
    /// keep nothing twice.
    fn forget_key(&self, digest: &KeyDigest) {
        let _ = digest;
    }
}
