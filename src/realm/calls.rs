use super::Realm;
use crate::event::Action;
use crate::principal::Subject;
use crate::reject::Rejection;
use crate::store::{Change, StoreError};
use std::time::SystemTime;

/// For the services that it makes.
impl Realm {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock_handle().now()
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
