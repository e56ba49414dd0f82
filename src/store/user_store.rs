use super::{Known, Peek, StoreError, UserChange, UserRecord};
use crate::principal::Subject;
use crate::secret::Secret;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

/// Keeps users.
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// The user who signs in by that name as far as memory knows, disabled ones included.
    fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
        let _ = (name, now);
        Peek::Ask
    }

    /// The user who signs in by that name, disabled ones included: the caller judges. Names are compared exactly.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn find_user(
        &self,
        name: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// The user of that id, disabled ones included.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn find_user_by_id(
        &self,
        id: &Subject,
        now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// Whether a user was disabled or removed, as far as memory knows. A subject that never was a user was neither.
    fn peek_disabled(&self, id: &Subject, now: SystemTime) -> Known {
        let _ = (id, now);
        Known::Ask
    }

    /// Whether a user was disabled or removed. A subject that never was a user was neither.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn is_disabled(&self, id: &Subject, now: SystemTime) -> Result<bool, StoreError>;

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the id or one of the names is taken, also by a removed
    /// user's id; [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn insert_user(&self, user: UserRecord, now: SystemTime) -> Result<(), StoreError>;

    /// Changes a user, and gives the record after the change.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user,
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when a new name is another user's,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, StoreError>;

    /// Replaces a user's password hash where it is still `from`: a hash that is only brought up to date must not undo a
    /// change of the password.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user or its hash is another,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
        now: SystemTime,
    ) -> Result<(), StoreError>;

    /// At most `most` users in the order of their ids (kind, then id, by bytes), those after `after`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot tell.
    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
        now: SystemTime,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError>;

    /// Removes a user with all names and the password. The id stays taken, and counts as disabled from now on.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be written.
    async fn remove_user(&self, id: &Subject, now: SystemTime) -> Result<(), StoreError>;
}
