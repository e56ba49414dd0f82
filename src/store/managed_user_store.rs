use super::retry::{TRIES, contended, is_replaced, missing};
use super::{Account, StoreError, UserChange, UserRecord, UserStore};
use crate::principal::Subject;
use crate::secret::Secret;
use async_trait::async_trait;
use std::sync::Arc;

/// Keeps users: what registering, changing and removing them takes, and the state of accounts.
///
/// Four methods are required: read, insert, replace if unchanged, list by page. The others are
/// provided on top of them, and keep their promises by [`replace_user`](Self::replace_user) alone;
/// a store that can do one of them in a single statement does so.
///
/// Names that [`Users`](crate::Users) writes are in their one form
/// ([`name_form`](crate::store::name_form)), so that those that read alike clash. Whoever writes
/// users past it gives their names in that form too.
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::{Arc, Mutex};
/// use tower_auth::Subject;
/// use tower_auth::store::{
///     ManagedUserStore, StoreError, StoreErrorKind, UserRecord, UserStore, conformance,
/// };
///
/// /// Keeps users in one list, by their ids. Whoever holds its lock makes one step.
/// #[derive(Default)]
/// struct Kept(Mutex<Vec<UserRecord>>);
///
/// fn is_taken<'a>(mut others: impl Iterator<Item = &'a UserRecord>, user: &UserRecord) -> bool {
///     let clashes = |other: &UserRecord| user.names.iter().any(|name| other.names.contains(name));
///     others.any(|other| other.id == user.id || clashes(other))
/// }
///
/// fn place(id: &Subject) -> (&str, &str) {
///     (id.kind(), id.id())
/// }
///
/// #[async_trait]
/// impl UserStore for Kept {
///     async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
///         let users = self.0.lock().unwrap();
///         let found = users.iter().find(|user| user.names.iter().any(|known| **known == *name));
///         Ok(found.cloned().map(Arc::new))
///     }
/// }
///
/// #[async_trait]
/// impl ManagedUserStore for Kept {
///     async fn find_user_by_id(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, StoreError> {
///         let users = self.0.lock().unwrap();
///         Ok(users.iter().find(|user| user.id == *id).cloned().map(Arc::new))
///     }
///
///     async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError> {
///         let mut users = self.0.lock().unwrap();
///         if is_taken(users.iter(), &user) {
///             return Err(StoreError::new(StoreErrorKind::Exists));
///         }
///         users.push(user);
///         users.sort_by(|one, other| place(&one.id).cmp(&place(&other.id)));
///         Ok(())
///     }
///
///     async fn replace_user(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError> {
///         let mut users = self.0.lock().unwrap();
///         let place = users.iter().position(|user| user == former);
///         let place = place.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
///         if is_taken(users.iter().filter(|other| other.id != former.id), &next) {
///             return Err(StoreError::new(StoreErrorKind::Exists));
///         }
///         users[place] = next;
///         Ok(())
///     }
///
///     async fn list_users(
///         &self,
///         after: Option<&Subject>,
///         most: usize,
///     ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
///         let mut users = self.0.lock().unwrap().clone();
///         users.retain(|user| Some(place(&user.id)) > after.map(place) && !user.is_removed());
///         Ok(users.into_iter().take(most).map(Arc::new).collect())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Kept::default();
/// store.insert_user(UserRecord::new(Subject::user("7"), "anna")).await?;
/// let second = UserRecord::new(Subject::user("8"), "ben").name("anna");
/// assert_eq!(store.insert_user(second).await.unwrap_err().kind(), StoreErrorKind::Exists);
/// assert!(store.find_user("ben").await?.is_none()); // nothing of it was written
///
/// // All promises are checked (feature `test-util`).
/// conformance::managed_user_store(async || Kept::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait ManagedUserStore: UserStore {
    /// The user of that id, disabled ones included, and what is left of removed ones
    /// ([`UserRecord::removed`]).
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_user_by_id(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// Adds a user.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when the id or one of the names is
    /// taken, also by a removed user's id;
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError>;

    /// Puts `next` in the place of a record that is still equal to `former`, in one atomic step: of
    /// concurrent replacements of one record one is made. Both have the same id. Names that `next`
    /// lacks are free afterwards.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no record like
    /// `former`, [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when a name of `next`
    /// is another user's, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when
    /// it could not be written.
    async fn replace_user(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError>;

    /// At most `most` users in the order of their ids (kind, then id, by bytes), those after
    /// `after`, without removed ones.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError>;

    /// What became of a user, as far as memory knows. Of a subject who never was one, nothing.
    fn peek_account(&self, id: &Subject) -> Account {
        let _ = id;
        Account::Ask
    }

    /// What became of a user ([`UserRecord::account`]). Of a subject who never was one, nothing.
    ///
    /// Whose keys and tokens were refused stays refused: a store from which rows are deleted by
    /// hand remembers their ids, as `Sqlite` and `Postgres` do.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn account(&self, id: &Subject) -> Result<Account, StoreError> {
        let found = self.find_user_by_id(id).await?;
        Ok(found.map_or(Account::Whole, |user| user.account()))
    }

    /// Changes a user, and gives the record after the change.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user,
    /// [`StoreErrorKind::Exists`](super::StoreErrorKind::Exists) when a new name is another
    /// user's, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could
    /// not be written.
    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
    ) -> Result<Arc<UserRecord>, StoreError> {
        for _ in 0..TRIES {
            let former = present(self, id).await?;
            let next = UserRecord::clone(&former).changed(change.clone());
            if is_replaced(self.replace_user(&former, next.clone()).await)? {
                return Ok(Arc::new(next));
            }
        }
        Err(contended())
    }

    /// Replaces a user's password hash where it is still `from`: a hash that is only brought up to
    /// date must not undo a change of the password.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user or
    /// its hash is another, [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable)
    /// when it could not be written.
    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
    ) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = present(self, id).await?;
            // Not tried again: the password was changed meanwhile, and the new one must stay.
            if !former.has_password_hash(from) {
                return Err(missing());
            }
            let mut next = UserRecord::clone(&former);
            next.password_hash = Some(to.clone());
            if is_replaced(self.replace_user(&former, next).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }

    /// Removes a user with all names and the password. The id stays taken, and counts as disabled
    /// from now on.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Missing`](super::StoreErrorKind::Missing) when there is no such user,
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when it could not be
    /// written.
    async fn remove_user(&self, id: &Subject) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let former = present(self, id).await?;
            let next = UserRecord::clone(&former).removed();
            if is_replaced(self.replace_user(&former, next).await)? {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// A user who was not removed.
async fn present<S: ManagedUserStore + ?Sized>(
    store: &S,
    id: &Subject,
) -> Result<Arc<UserRecord>, StoreError> {
    let found = store.find_user_by_id(id).await?;
    found.filter(|user| !user.is_removed()).ok_or_else(missing)
}
