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
