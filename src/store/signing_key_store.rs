use super::{SigningKeyRecord, StoreError};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// Keeps the key pairs that tokens are signed with, so that the nodes of a service agree on them.
///
/// - What is kept of a private key is [sealed](SigningKeyRecord::sealed): a store never sees one
///   that could be used.
/// - They are few, two or three an issuer at a time and some more that only verify, and are read
///   some times an hour: a store needs no memory of its own for them, and must not answer from one
///   that another node's writes do not reach.
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::{Arc, Mutex};
/// use std::time::{SystemTime, UNIX_EPOCH};
/// use tower_auth::store::{
///     SigningKeyRecord, SigningKeyStore, StoreError, StoreErrorKind, conformance,
/// };
///
/// /// Keeps the keys of all issuers in one list.
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<SigningKeyRecord>>);
///
/// #[async_trait]
/// impl SigningKeyStore for Kept {
///     async fn list_signing_keys(
///         &self,
///         issuer: &str,
///     ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError> {
///         let mut keys = self.0.lock().unwrap().clone();
///         keys.retain(|key| *key.issuer == *issuer);
///         keys.sort_by_key(|key| key.serial);
///         Ok(keys.into_iter().map(Arc::new).collect())
///     }
///
///     async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
///         let mut keys = self.0.lock().unwrap();
///         let mut of_issuer = keys.iter().filter(|known| known.issuer == key.issuer);
///         if of_issuer.any(|known| known.serial == key.serial || known.id == key.id) {
///             return Err(StoreError::new(StoreErrorKind::Exists));
///         }
///         keys.push(key);
///         Ok(())
///     }
///
///     async fn replace_signing_key(
///         &self,
///         former: &SigningKeyRecord,
///         next: SigningKeyRecord,
///     ) -> Result<(), StoreError> {
///         let mut keys = self.0.lock().unwrap();
///         match keys.iter_mut().find(|known| *known == former) {
///             Some(key) => *key = next,
///             None => return Err(StoreError::new(StoreErrorKind::Missing)),
///         }
///         Ok(())
///     }
///
///     async fn forget_signing_keys(&self, issuer: &str, at: SystemTime) -> Result<usize, StoreError> {
///         let mut keys = self.0.lock().unwrap();
///         let before = keys.len();
///         keys.retain(|key| *key.issuer != *issuer || key.forgotten_at > at);
///         Ok(before - keys.len())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Two nodes make the first key at once: one has its place, and the other one takes that key.
/// let store = Kept::default();
/// let made_by = |node: &str| {
///     SigningKeyRecord::new("https://api.example.com", 1, node, "ES256", [7; 32], UNIX_EPOCH)
/// };
/// assert!(store.insert_signing_key(made_by("one")).await.is_ok());
/// let taken = store.insert_signing_key(made_by("other")).await.unwrap_err();
/// assert_eq!(taken.kind(), StoreErrorKind::Exists);
///
/// // All promises are checked (feature `test-util`).
/// conformance::signing_key_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait SigningKeyStore: Send + Sync + 'static {
    /// All keys of an issuer, by [`serial`](SigningKeyRecord::serial). Issuers are compared
    /// exactly.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_signing_keys(
        &self,
        issuer: &str,
    ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError>;

    /// Adds a key, unless its issuer has one of the same serial or of the same id: of nodes that
    /// add the next key at once, one does.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the serial or the id is
    /// taken, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError>;

    /// Puts `next` in the place of a key that is still as it was read, in one atomic step: of
    /// concurrent replacements of one key one is made. `next` has the issuer, the serial and the id
    /// of `former`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no key like
    /// `former`, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn replace_signing_key(
        &self,
        former: &SigningKeyRecord,
        next: SigningKeyRecord,
    ) -> Result<(), StoreError>;

    /// Removes the keys of an issuer that were to be
    /// [forgotten](SigningKeyRecord::forgotten_at) at `at` or before, and says how many.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when they could not be
    /// removed.
    async fn forget_signing_keys(&self, issuer: &str, at: SystemTime) -> Result<usize, StoreError>;
}
