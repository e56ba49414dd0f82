use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{
    FamilyRecord, KeyDigest, KeyRecord, KeyStore, Known, Peek, Rotated, Rotation, StoreError, TokenIds,
    TokenRecord, TokenStore, UserChange, UserRecord, UserStore,
};
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// A store whose calls a test counts, fails, delays or lets panic.
///
/// The hook is told the name of each call before it is made:
///
/// ```
/// use tower_auth::store::{KeyDigest, KeyStore, Memory, StoreErrorKind};
/// use tower_auth::test_util::{Intercept, Intercepted};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let broken = Intercepted::new(Memory::new(), |call| match call {
///     "find_key" => Intercept::Fail,
///     _ => Intercept::Pass,
/// });
/// let error = broken.find_key(&KeyDigest::new("sha256", [7; 32]), std::time::UNIX_EPOCH).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// # });
/// ```
#[derive(Clone)]
pub struct Intercepted<S> {
    store: S,
    hook: Arc<dyn Fn(&'static str) -> Intercept + Send + Sync>,
    found: Option<KeyDigest>,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intercept {
    /// The store answers.
    Pass,
    /// The call fails. A synchronous one (`peek_…`) has no answer, so that the asynchronous one follows.
    Fail,
    /// As `Fail`, but the store has done what it was asked: an answer that was lost.
    FailAfter,
    /// The call never ends. A synchronous one has no answer.
    Hang,
    /// The call panics.
    Panic,
}

impl<S> Intercepted<S> {
    /// Calls of that store, each told to `hook` by its name.
    pub fn new(store: S, hook: impl Fn(&'static str) -> Intercept + Send + Sync + 'static) -> Self {
        Self { store, hook: Arc::new(hook), found: None }
    }

    /// Whatever key is looked for, the one of this digest is found, as by a store with a broken index.
    #[must_use]
    pub fn finding(mut self, digest: KeyDigest) -> Self {
        self.found = Some(digest);
        self
    }

    fn peek<T>(&self, call: &'static str, answer: impl FnOnce() -> T, none: T) -> T {
        match (self.hook)(call) {
            Intercept::Pass => answer(),
            Intercept::Fail | Intercept::FailAfter | Intercept::Hang => none,
            Intercept::Panic => panic!("planted in {call}"),
        }
    }

    async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match (self.hook)(name) {
            Intercept::Pass => call.await,
            Intercept::Fail => Err(StoreError::unavailable("planted")),
            Intercept::FailAfter => {
                call.await?;
                Err(StoreError::unavailable("planted"))
            }
            Intercept::Hang => std::future::pending().await,
            Intercept::Panic => panic!("planted in {name}"),
        }
    }
}

#[async_trait]
impl<S: KeyStore> KeyStore for Intercepted<S> {
    fn peek_key(&self, digest: &KeyDigest, now: SystemTime) -> Peek<KeyRecord> {
        self.peek("peek_key", || self.store.peek_key(digest, now), Peek::Ask)
    }

    async fn find_key(
        &self,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        self.call("find_key", self.store.find_key(self.found.as_ref().unwrap_or(digest), now)).await
    }

    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        self.call("find_owned_key", self.store.find_owned_key(owner, id, now)).await
    }

    async fn insert_key(&self, record: KeyRecord, now: SystemTime) -> Result<(), StoreError> {
        self.call("insert_key", self.store.insert_key(record, now)).await
    }

    async fn list_keys(&self, owner: &Subject, now: SystemTime) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        self.call("list_keys", self.store.list_keys(owner, now)).await
    }

    async fn rename_key(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("rename_key", self.store.rename_key(owner, id, name, now)).await
    }

    async fn rotate_key(
        &self,
        owner: &Subject,
        id: &str,
        successor: KeyRecord,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("rotate_key", self.store.rotate_key(owner, id, successor, until, now)).await
    }

    async fn revoke_key(&self, owner: &Subject, id: &str, now: SystemTime) -> Result<(), StoreError> {
        self.call("revoke_key", self.store.revoke_key(owner, id, now)).await
    }

    async fn replace_key_digest(
        &self,
        from: &KeyDigest,
        to: KeyDigest,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("replace_key_digest", self.store.replace_key_digest(from, to, now)).await
    }

    async fn note_key_uses(
        &self,
        uses: &[(KeyDigest, SystemTime)],
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("note_key_uses", self.store.note_key_uses(uses, now)).await
    }

    async fn next_key_number(&self, now: SystemTime) -> Result<u64, StoreError> {
        self.call("next_key_number", self.store.next_key_number(now)).await
    }

    async fn purge_keys(
        &self,
        before: SystemTime,
        most: usize,
        now: SystemTime,
    ) -> Result<usize, StoreError> {
        self.call("purge_keys", self.store.purge_keys(before, most, now)).await
    }
}

#[async_trait]
impl<S: UserStore> UserStore for Intercepted<S> {
    fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
        self.peek("peek_user", || self.store.peek_user(name, now), Peek::Ask)
    }

    async fn find_user(&self, name: &str, now: SystemTime) -> Result<Option<Arc<UserRecord>>, StoreError> {
        self.call("find_user", self.store.find_user(name, now)).await
    }

    async fn find_user_by_id(
        &self,
        id: &Subject,
        now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        self.call("find_user_by_id", self.store.find_user_by_id(id, now)).await
    }

    fn peek_disabled(&self, id: &Subject, now: SystemTime) -> Known {
        self.peek("peek_disabled", || self.store.peek_disabled(id, now), Known::Ask)
    }

    async fn is_disabled(&self, id: &Subject, now: SystemTime) -> Result<bool, StoreError> {
        self.call("is_disabled", self.store.is_disabled(id, now)).await
    }

    async fn insert_user(&self, user: UserRecord, now: SystemTime) -> Result<(), StoreError> {
        self.call("insert_user", self.store.insert_user(user, now)).await
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
        now: SystemTime,
    ) -> Result<Arc<UserRecord>, StoreError> {
        self.call("change_user", self.store.change_user(id, change, now)).await
    }

    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("replace_password", self.store.replace_password(id, from, to, now)).await
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
        now: SystemTime,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        self.call("list_users", self.store.list_users(after, most, now)).await
    }

    async fn remove_user(&self, id: &Subject, now: SystemTime) -> Result<(), StoreError> {
        self.call("remove_user", self.store.remove_user(id, now)).await
    }
}

#[async_trait]
impl<S: TokenStore> TokenStore for Intercepted<S> {
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        self.peek("peek_revoked", || self.store.peek_revoked(token, now), Known::Ask)
    }

    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        self.call("is_revoked", self.store.is_revoked(token, now)).await
    }

    async fn revoke_token(&self, id: &str, until: SystemTime, now: SystemTime) -> Result<(), StoreError> {
        self.call("revoke_token", self.store.revoke_token(id, until, now)).await
    }

    async fn insert_family(&self, family: FamilyRecord, now: SystemTime) -> Result<(), StoreError> {
        self.call("insert_family", self.store.insert_family(family, now)).await
    }

    async fn find_family(&self, id: &str, now: SystemTime) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        self.call("find_family", self.store.find_family(id, now)).await
    }

    async fn rotate_family(&self, rotation: Rotation<'_>, now: SystemTime) -> Result<Rotated, StoreError> {
        self.call("rotate_family", self.store.rotate_family(rotation, now)).await
    }

    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("revoke_family", self.store.revoke_family(id, access_until, now)).await
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("revoke_subject", self.store.revoke_subject(subject, access_until, now)).await
    }

    async fn insert_private_token(&self, token: TokenRecord, now: SystemTime) -> Result<(), StoreError> {
        self.call("insert_private_token", self.store.insert_private_token(token, now)).await
    }

    async fn list_private_tokens(
        &self,
        owner: &Subject,
        now: SystemTime,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
        self.call("list_private_tokens", self.store.list_private_tokens(owner, now)).await
    }

    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("revoke_private_token", self.store.revoke_private_token(owner, id, now)).await
    }

    async fn note_token_uses(
        &self,
        uses: &[(String, SystemTime)],
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call("note_token_uses", self.store.note_token_uses(uses, now)).await
    }

    async fn purge_tokens(
        &self,
        before: SystemTime,
        most: usize,
        now: SystemTime,
    ) -> Result<usize, StoreError> {
        self.call("purge_tokens", self.store.purge_tokens(before, most, now)).await
    }
}

impl<S> fmt::Debug for Intercepted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercepted").finish_non_exhaustive()
    }
}
