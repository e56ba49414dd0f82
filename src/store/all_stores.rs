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
///
/// ```
/// # use tower_auth::store::{
/// #     AuditRecord, AuditStore, FamilyRecord, ManagedKeyStore, ManagedUserStore, PrivateTokenStore,
/// #     SigningKeyRecord, SigningKeyStore, TokenIds, TokenRecord, TokenStore, UserRecord, UserStore,
/// # };
/// # use std::time::SystemTime;
/// use async_trait::async_trait;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_auth::Subject;
/// use tower_auth::store::{
///     AllStores, KeyDigest, KeyRecord, KeyStore, Memory, StoreError, StoreErrorKind, Warrant, Write,
///     conformance,
/// };
///
/// /// Another store, which an operator can close while it is maintained.
/// #[derive(Default)]
/// struct Maintained {
///     store: Memory,
///     closed: AtomicBool,
/// }
///
/// impl Maintained {
///     fn open(&self) -> Result<&Memory, StoreError> {
///         match self.closed.load(Ordering::SeqCst) {
///             true => Err(StoreError::unavailable("closed for maintenance")),
///             false => Ok(&self.store),
///         }
///     }
/// }
///
/// #[async_trait]
/// impl AllStores for Maintained {
///     async fn commit(
///         &self,
///         warrant: Option<&Warrant>,
///         writes: Vec<Write>,
///     ) -> Result<(), StoreError> {
///         self.open()?.commit(warrant, writes).await
///     }
///
///     fn lag(&self) -> Option<Duration> {
///         self.store.lag()
///     }
/// }
///
/// #[async_trait]
/// impl KeyStore for Maintained {
///     async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
///         self.open()?.find_key(digest).await
///     }
/// }
/// #
/// # #[async_trait]
/// # impl ManagedKeyStore for Maintained {
/// #     async fn find_owned_key(
/// #         &self,
/// #         owner: &Subject,
/// #         id: &str,
/// #     ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
/// #         self.open()?.find_owned_key(owner, id).await
/// #     }
/// #
/// #     async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError> {
/// #         self.open()?.insert_key(record).await
/// #     }
/// #
/// #     async fn replace_key(
/// #         &self,
/// #         former: &KeyRecord,
/// #         next: KeyRecord,
/// #         successor: Option<KeyRecord>,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.replace_key(former, next, successor).await
/// #     }
/// #
/// #     async fn list_keys(
/// #         &self,
/// #         owner: &Subject,
/// #         after: Option<&KeyRecord>,
/// #         most: usize,
/// #     ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
/// #         self.open()?.list_keys(owner, after, most).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl UserStore for Maintained {
/// #     async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
/// #         self.open()?.find_user(name).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl ManagedUserStore for Maintained {
/// #     async fn find_user_by_id(
/// #         &self,
/// #         id: &Subject,
/// #     ) -> Result<Option<Arc<UserRecord>>, StoreError> {
/// #         self.open()?.find_user_by_id(id).await
/// #     }
/// #
/// #     async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError> {
/// #         self.open()?.insert_user(user).await
/// #     }
/// #
/// #     async fn replace_user(
/// #         &self,
/// #         former: &UserRecord,
/// #         next: UserRecord,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.replace_user(former, next).await
/// #     }
/// #
/// #     async fn list_users(
/// #         &self,
/// #         after: Option<&Subject>,
/// #         most: usize,
/// #     ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
/// #         self.open()?.list_users(after, most).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl TokenStore for Maintained {
/// #     async fn is_revoked(
/// #         &self,
/// #         token: TokenIds<'_>,
/// #         now: SystemTime,
/// #     ) -> Result<bool, StoreError> {
/// #         self.open()?.is_revoked(token, now).await
/// #     }
/// #
/// #     async fn revoke_token(
/// #         &self,
/// #         id: &str,
/// #         until: SystemTime,
/// #         now: SystemTime,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.revoke_token(id, until, now).await
/// #     }
/// #
/// #     async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
/// #         self.open()?.insert_family(family).await
/// #     }
/// #
/// #     async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
/// #         self.open()?.find_family(id).await
/// #     }
/// #
/// #     async fn replace_family(
/// #         &self,
/// #         former: &FamilyRecord,
/// #         next: FamilyRecord,
/// #         denied_until: Option<SystemTime>,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.replace_family(former, next, denied_until).await
/// #     }
/// #
/// #     async fn list_families(
/// #         &self,
/// #         subject: &Subject,
/// #         after: Option<&FamilyRecord>,
/// #         most: usize,
/// #     ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
/// #         self.open()?.list_families(subject, after, most).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl PrivateTokenStore for Maintained {
/// #     async fn find_private_token(
/// #         &self,
/// #         id: &str,
/// #     ) -> Result<Option<Arc<TokenRecord>>, StoreError> {
/// #         self.open()?.find_private_token(id).await
/// #     }
/// #
/// #     async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError> {
/// #         self.open()?.insert_private_token(token).await
/// #     }
/// #
/// #     async fn replace_private_token(
/// #         &self,
/// #         former: &TokenRecord,
/// #         next: TokenRecord,
/// #         denied_until: Option<SystemTime>,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.replace_private_token(former, next, denied_until).await
/// #     }
/// #
/// #     async fn list_private_tokens(
/// #         &self,
/// #         owner: &Subject,
/// #         after: Option<&TokenRecord>,
/// #         most: usize,
/// #     ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
/// #         self.open()?.list_private_tokens(owner, after, most).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl SigningKeyStore for Maintained {
/// #     async fn list_signing_keys(
/// #         &self,
/// #         issuer: &str,
/// #     ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError> {
/// #         self.open()?.list_signing_keys(issuer).await
/// #     }
/// #
/// #     async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
/// #         self.open()?.insert_signing_key(key).await
/// #     }
/// #
/// #     async fn replace_signing_key(
/// #         &self,
/// #         former: &SigningKeyRecord,
/// #         next: SigningKeyRecord,
/// #     ) -> Result<(), StoreError> {
/// #         self.open()?.replace_signing_key(former, next).await
/// #     }
/// #
/// #     async fn forget_signing_keys(
/// #         &self,
/// #         issuer: &str,
/// #         at: SystemTime,
/// #     ) -> Result<usize, StoreError> {
/// #         self.open()?.forget_signing_keys(issuer, at).await
/// #     }
/// # }
/// #
/// # #[async_trait]
/// # impl AuditStore for Maintained {
/// #     async fn insert_audit(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
/// #         self.open()?.insert_audit(records).await
/// #     }
/// #
/// #     async fn list_audit(
/// #         &self,
/// #         after: Option<u64>,
/// #         most: usize,
/// #     ) -> Result<Vec<AuditRecord>, StoreError> {
/// #         self.open()?.list_audit(after, most).await
/// #     }
/// #
/// #     async fn purge_audit(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
/// #         self.open()?.purge_audit(before, most).await
/// #     }
/// # }
/// // … and the other roles likewise, each method that is required.
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Maintained::default();
/// let digest = KeyDigest::new("sha256", [7; 32]);
/// let key = |id: &str| {
///     let owner = Subject::user("7");
///     KeyRecord::new(id, owner, "ci", "egret_7Zk…", digest.clone(), UNIX_EPOCH)
/// };
///
/// // Two keys of one digest: not even the first of them is written.
/// let both = vec![Write::InsertKey(key("1")), Write::InsertKey(key("2"))];
/// let taken = store.commit(None, both).await.unwrap_err();
/// assert_eq!(taken.kind(), StoreErrorKind::Exists);
/// assert!(store.find_key(&digest).await?.is_none());
///
/// // By a credential that is good no more.
/// let mut ended = Warrant::new(UNIX_EPOCH);
/// ended.expires = Some(UNIX_EPOCH);
/// let late = store.commit(Some(&ended), vec![Write::InsertKey(key("1"))]).await.unwrap_err();
/// assert_eq!(late.kind(), StoreErrorKind::Revoked);
///
/// store.closed.store(true, Ordering::SeqCst);
/// let closed = store.commit(None, vec![Write::InsertKey(key("1"))]).await.unwrap_err();
/// assert_eq!(closed.kind(), StoreErrorKind::Unavailable);
/// store.closed.store(false, Ordering::SeqCst);
/// store.commit(None, vec![Write::InsertKey(key("1"))]).await?;
///
/// // All promises are checked (feature `test-util`).
/// conformance::all_stores(async || Maintained::default()).await;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait AllStores:
    ManagedKeyStore + ManagedUserStore + PrivateTokenStore + SigningKeyStore + AuditStore
{
    /// Makes all of these changes, or none, one after the other: each finds what those before it have
    /// made, as if they had been made before. And none unless the warrant, where there is one, is
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
