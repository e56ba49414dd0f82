use super::{
    AuditStore, ManagedKeyStore, ManagedUserStore, PrivateTokenStore, SigningKeyStore, StoreError,
    Warrant, Write,
};
use async_trait::async_trait;
use std::time::Duration;

/// A store that has every role, such as [`Memory`](super::Memory), and makes changes of several
/// roles in one atomic step.
///
/// A store with no such step is given to a realm role by role ([`Stores`](super::Stores)): then
/// the changes are made one after the other, the warrant is judged before and after, and what a
/// dead credential made is taken back before anybody gets to know it.
#[async_trait]
pub trait AllStores:
    ManagedKeyStore + ManagedUserStore + PrivateTokenStore + SigningKeyStore + AuditStore
{
    /// Makes all of these changes, or none; and none unless the warrant, where there is one, is
    /// good in that very step: what ends it meanwhile either comes before, and nothing is written,
    /// or waits, and ends what was written as well.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Revoked`](super::StoreErrorKind::Revoked) when the warrant is good no
    /// more, and those of the single changes.
    async fn commit(&self, warrant: Option<&Warrant>, writes: Vec<Write>)
    -> Result<(), StoreError>;

    /// How old the news of other nodes is: for so long a revocation that was made there may be
    /// unknown here. `None` where it is not known (yet), as by default.
    fn lag(&self) -> Option<Duration> {
        None
    }
}
