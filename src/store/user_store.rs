use super::{Peek, StoreError, UserRecord};
use async_trait::async_trait;
use std::sync::Arc;

/// Finds users: all that Basic takes. (Tokens are given to users of a store that manages them.)
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::Arc;
/// use tower_auth::password::hash_password;
/// use tower_auth::store::{StoreError, Stores, UserRecord, UserStore, conformance};
/// use tower_auth::{PasswordPolicy, Realm, RejectionKind, Secret, Subject};
///
/// /// The users of a program's configuration.
/// struct Configured(Vec<Arc<UserRecord>>);
///
/// #[async_trait]
/// impl UserStore for Configured {
///     async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
///         let has_name = |user: &&Arc<UserRecord>| user.names.iter().any(|known| **known == *name);
///         Ok(self.0.iter().find(has_name).cloned())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let anna = UserRecord::new(Subject::user("7"), "anna");
/// let anna = anna.password_hash(hash_password("correct-horse-battery")?);
/// let store = Configured(vec![Arc::new(anna)]);
/// let users = Realm::new(Stores::new().users(store)).users(PasswordPolicy::new());
///
/// let password = Secret::new(String::from("correct-horse-battery"));
/// assert_eq!(users.authenticate("anna", &password).await?.id, Subject::user("7"));
/// let refusal = users.authenticate("ben", &password).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::InvalidPassword);
///
/// // All promises are checked (feature `test-util`).
/// conformance::user_store(async |users: Vec<UserRecord>| {
///     Configured(users.into_iter().map(Arc::new).collect())
/// })
/// .await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait UserStore: Send + Sync + 'static {
    /// The user who signs in by that name, disabled ones included: the caller judges. Names are
    /// compared exactly.
    ///
    /// Somebody who types a name in another form than its one
    /// ([`name_form`](crate::store::name_form)) is looked for by what was typed and by the form.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable) when the store cannot
    /// tell.
    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError>;

    /// The user who signs in by that name as far as memory knows.
    fn peek_user(&self, name: &str) -> Peek<UserRecord> {
        let _ = name;
        Peek::Ask
    }
}
