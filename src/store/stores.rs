use super::{
    AllStores, AuditStore, KeyStore, ManagedKeyStore, ManagedUserStore, PrivateTokenStore,
    SigningKeyStore, StoreError, TokenStore, UserStore, Warrant, Write,
};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The stores of a realm, each by its role.
///
/// A store that keeps keys, users or private tokens finds them as well. Of two calls that say
/// where keys are found, or users, or tokens, the later one counts whole: what is revoked must be
/// refused by the next request, and nobody would look for it in the other store.
///
/// ```
/// use tower_auth::store::{Memory, Stores};
///
/// // All roles of one store.
/// let all = Stores::from(Memory::new());
/// // Keys are found, and made elsewhere; tokens are issued; users are somebody else's.
/// let some = Stores::new().keys(Memory::new()).private_tokens(Memory::new());
/// assert!(format!("{all:?}").contains("managed_users: true"));
/// assert!(format!("{some:?}").contains("managed_keys: false"));
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Stores {
    keys: Option<Arc<dyn KeyStore>>,
    managed_keys: Option<Arc<dyn ManagedKeyStore>>,
    users: Option<Arc<dyn UserStore>>,
    managed_users: Option<Arc<dyn ManagedUserStore>>,
    tokens: Option<Arc<dyn TokenStore>>,
    private_tokens: Option<Arc<dyn PrivateTokenStore>>,
    signing_keys: Option<Arc<dyn SigningKeyStore>>,
    audit: Option<Arc<dyn AuditStore>>,
    /// The one store that has all of these roles, signing keys apart: no change is made of them
    /// together with others.
    all: Option<Arc<dyn AllStores>>,
}

impl Stores {
    /// No stores: for what needs none, such as tokens that others issue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where API keys are found, which something else makes and revokes.
    pub fn keys(mut self, store: impl KeyStore) -> Self {
        // From here on no one store has all roles, so changes of several roles are made one after
        // the other.
        self.all = None;
        self.keys = Some(Arc::new(store));
        self.managed_keys = None;
        self
    }

    /// Where API keys are found, made and revoked.
    pub fn managed_keys(mut self, store: impl ManagedKeyStore) -> Self {
        self.all = None;
        let store = Arc::new(store);
        self.keys = Some(Arc::clone(&store) as Arc<dyn KeyStore>);
        self.managed_keys = Some(store);
        self
    }

    /// Where users are found, whom something else registers and disables.
    pub fn users(mut self, store: impl UserStore) -> Self {
        self.all = None;
        self.users = Some(Arc::new(store));
        self.managed_users = None;
        self
    }

    /// Where users are found, registered and disabled.
    pub fn managed_users(mut self, store: impl ManagedUserStore) -> Self {
        self.all = None;
        let store = Arc::new(store);
        self.users = Some(Arc::clone(&store) as Arc<dyn UserStore>);
        self.managed_users = Some(store);
        self
    }

    /// Where refresh families and revocations are, and no private tokens.
    pub fn tokens(mut self, store: impl TokenStore) -> Self {
        self.all = None;
        self.tokens = Some(Arc::new(store));
        self.private_tokens = None;
        self
    }

    /// Where refresh families, revocations and private tokens are.
    pub fn private_tokens(mut self, store: impl PrivateTokenStore) -> Self {
        self.all = None;
        let store = Arc::new(store);
        self.tokens = Some(Arc::clone(&store) as Arc<dyn TokenStore>);
        self.private_tokens = Some(store);
        self
    }

    /// Where keys are that tokens are signed with, for issuers that
    /// [rotate](crate::jwt::KeyRotation) them.
    pub fn signing_keys(mut self, store: impl SigningKeyStore) -> Self {
        self.signing_keys = Some(Arc::new(store));
        self
    }

    /// Where it is kept what happened ([`Realm::audit`](crate::Realm::audit)).
    pub fn audit(mut self, store: impl AuditStore) -> Self {
        self.audit = Some(Arc::new(store));
        self
    }
}

#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each feature asks for its own roles")
)]
impl Stores {
    pub(crate) fn key_store(&self) -> Option<&Arc<dyn KeyStore>> {
        self.keys.as_ref()
    }

    pub(crate) fn managed_key_store(&self) -> Option<&Arc<dyn ManagedKeyStore>> {
        self.managed_keys.as_ref()
    }

    pub(crate) fn user_store(&self) -> Option<&Arc<dyn UserStore>> {
        self.users.as_ref()
    }

    pub(crate) fn managed_user_store(&self) -> Option<&Arc<dyn ManagedUserStore>> {
        self.managed_users.as_ref()
    }

    pub(crate) fn token_store(&self) -> Option<&Arc<dyn TokenStore>> {
        self.tokens.as_ref()
    }

    pub(crate) fn private_token_store(&self) -> Option<&Arc<dyn PrivateTokenStore>> {
        self.private_tokens.as_ref()
    }

    pub(crate) fn signing_key_store(&self) -> Option<&Arc<dyn SigningKeyStore>> {
        self.signing_keys.as_ref()
    }

    pub(crate) fn audit_store(&self) -> Option<&Arc<dyn AuditStore>> {
        self.audit.as_ref()
    }

    /// Makes changes of several roles, in one step where one store has them all; and none unless
    /// the warrant is good.
    pub(crate) async fn commit(
        &self,
        warrant: Option<&Warrant>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        match &self.all {
            Some(store) => store.commit(warrant, writes).await,
            None => self.commit_in_turn(warrant, writes).await,
        }
    }

    /// How old the news of other nodes is, where one store has all roles and knows.
    pub(crate) fn lag(&self) -> Option<Duration> {
        self.all.as_ref()?.lag()
    }
}

/// All roles of one store.
impl<S: AllStores> From<S> for Stores {
    fn from(store: S) -> Self {
        // Each role is a handle of the store itself: by the methods above it would be a handle of a
        // handle, on the way of every request.
        let store = Arc::new(store);
        Self {
            keys: Some(Arc::clone(&store) as Arc<dyn KeyStore>),
            managed_keys: Some(Arc::clone(&store) as Arc<dyn ManagedKeyStore>),
            users: Some(Arc::clone(&store) as Arc<dyn UserStore>),
            managed_users: Some(Arc::clone(&store) as Arc<dyn ManagedUserStore>),
            tokens: Some(Arc::clone(&store) as Arc<dyn TokenStore>),
            private_tokens: Some(Arc::clone(&store) as Arc<dyn PrivateTokenStore>),
            signing_keys: Some(Arc::clone(&store) as Arc<dyn SigningKeyStore>),
            audit: Some(Arc::clone(&store) as Arc<dyn AuditStore>),
            all: Some(store),
        }
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("keys", &self.keys.is_some())
            .field("managed_keys", &self.managed_keys.is_some())
            .field("users", &self.users.is_some())
            .field("managed_users", &self.managed_users.is_some())
            .field("tokens", &self.tokens.is_some())
            .field("private_tokens", &self.private_tokens.is_some())
            .field("signing_keys", &self.signing_keys.is_some())
            .field("audit", &self.audit.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{KeyDigest, KeyRecord, Memory};
    use super::*;
    use crate::principal::Subject;
    use std::time::UNIX_EPOCH;

    fn digest() -> KeyDigest {
        KeyDigest::new("sha256", [7; 32])
    }

    async fn with_a_key() -> Memory {
        let store = Memory::new();
        let owner = Subject::user("7");
        let record = KeyRecord::new("1", owner, "ci", "egret_…", digest(), UNIX_EPOCH);
        store.insert_key(record).await.unwrap();
        store
    }

    async fn finds(stores: &Stores) -> bool {
        let store = stores.key_store().unwrap();
        store.find_key(&digest()).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn a_store_of_all_roles_has_each_of_them() {
        let stores = Stores::from(with_a_key().await);
        assert!(finds(&stores).await);
        let owner = Subject::user("7");
        let managed = stores.managed_key_store().unwrap();
        managed.revoke_key(&owner, "1", UNIX_EPOCH).await.unwrap();
        let found = stores.key_store().unwrap().find_key(&digest()).await;
        assert!(
            found.unwrap().unwrap().revoked.is_some(),
            "one and the same"
        );
        assert!(stores.user_store().is_some() && stores.managed_user_store().is_some());
        assert!(stores.token_store().is_some() && stores.private_token_store().is_some());
    }

    #[tokio::test]
    async fn what_is_managed_is_what_is_found_whichever_was_given_first() {
        let managed_last = Stores::new()
            .keys(with_a_key().await)
            .managed_keys(Memory::new());
        assert!(!finds(&managed_last).await);
        let found_last = Stores::new()
            .managed_keys(Memory::new())
            .keys(with_a_key().await);
        assert!(finds(&found_last).await && found_last.managed_key_store().is_none());
        let stores = Stores::new()
            .private_tokens(Memory::new())
            .tokens(Memory::new());
        assert!(stores.token_store().is_some() && stores.private_token_store().is_none());
        let stores = Stores::new()
            .managed_users(Memory::new())
            .users(Memory::new());
        assert!(stores.user_store().is_some() && stores.managed_user_store().is_none());
    }
}
