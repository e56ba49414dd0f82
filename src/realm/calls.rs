use super::Realm;
#[cfg(feature = "jwt")]
use crate::clock::later;
use crate::event::Action;
use crate::principal::{Principal, Subject};
use crate::reject::{Rejection, RejectionKind};
use crate::store::{Change, StoreError, Write};
#[cfg(feature = "jwt")]
use std::time::Duration;
use std::time::SystemTime;

/// How much the clocks of two machines may differ, or of two requests that overlap.
#[cfg(feature = "jwt")]
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// For the services that it makes.
impl Realm {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock_handle().now()
    }

    /// Until when access tokens are to be denied that exist now. One may be minted just then, by
    /// another request or on a machine whose clock is ahead.
    #[cfg(feature = "jwt")]
    pub(crate) fn denied_until(&self, now: SystemTime) -> SystemTime {
        let lifetime = self.longest_access().saturating_add(CLOCKS_DIFFER);
        later(now, lifetime)
    }

    /// Until when a token is to be denied that expires then. It says so itself: the lifetimes that
    /// are configured may have been longer when it was issued, and a token that simplejwt issued has
    /// one of its own.
    #[cfg(feature = "jwt")]
    pub(crate) fn denied_past(&self, expires: SystemTime, now: SystemTime) -> SystemTime {
        self.denied_until(now).max(later(expires, CLOCKS_DIFFER))
    }

    /// Nothing issues access tokens.
    #[cfg(all(feature = "basic", not(feature = "jwt")))]
    pub(crate) fn denied_until(&self, now: SystemTime) -> SystemTime {
        now
    }

    /// Runs a call of a store within the deadline.
    pub(crate) async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Rejection> {
        self.guard().call(call).await
    }

    /// Runs a call of a store that changes something, within the deadline.
    pub(crate) async fn change<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Change<T>, Rejection> {
        self.guard().change(call).await
    }

    /// Makes changes together, and only while the credential is good by which they are asked for.
    /// Without a caller it is the application itself that asks.
    pub(crate) async fn commit(
        &self,
        caller: Option<&Principal>,
        writes: Vec<Write>,
    ) -> Result<Change<()>, Rejection> {
        // Judged by the store in the step that writes. Looked at here, it could be revoked before
        // the write.
        let warrant = caller.map(|caller| caller.warrant(self.now()));
        let committed = self.stores().commit(warrant.as_ref(), writes);
        let change = self.change(committed).await;
        match (change, caller) {
            (Err(dead), Some(caller))
                if dead.kind() == RejectionKind::RevokedToken && caller.key().is_some() =>
            {
                // A key that was revoked meanwhile is refused as one that was never there: only of
                // tokens may it be told.
                let kind = RejectionKind::InvalidApiKey;
                Err(Rejection::new(kind, "revoked or expired"))
            }
            (change, _) => change,
        }
    }

    /// Tells that something happened now; 500 where the application's hook panics.
    pub(crate) fn tell(
        &self,
        action: Action,
        subject: &Subject,
        id: Option<&str>,
    ) -> Result<(), Rejection> {
        self.events().tell(action, self.now(), subject, id)
    }
}
