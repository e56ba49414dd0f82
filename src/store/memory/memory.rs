use super::audit::Audit;
use super::keys::Keys;
use super::signing_keys::SigningKeys;
use super::tokens::Tokens;
use super::users::Users;
use std::fmt;
use std::sync::Arc;

/// Keys, users and tokens in memory: for tests and demos, and for services whose keys come from
/// configuration.
///
/// Clones share their contents. Nothing survives the process, and nothing is ever evicted, but for
/// what happened ([`AuditStore`](crate::store::AuditStore)): of that the last 100,000 records are kept.
///
/// Look-ups of different keys, users and tokens do not wait for each other. A key takes at most 400
/// bytes.
///
/// ```
/// use std::time::UNIX_EPOCH;
/// use tower_auth::Subject;
/// use tower_auth::store::{KeyDigest, KeyRecord, ManagedKeyStore, Memory, StoreErrorKind};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Memory::new();
/// let digest = KeyDigest::new("sha256", [7; 32]);
/// let owner = Subject::user("7");
/// let one = KeyRecord::new("1", owner.clone(), "ci", "egret_7Zk…", digest.clone(), UNIX_EPOCH);
/// let two = KeyRecord::new("2", owner, "ci", "egret_7Zk…", digest, UNIX_EPOCH);
///
/// store.insert_key(one).await?;
/// let taken = store.insert_key(two).await.unwrap_err();
/// assert_eq!(taken.kind(), StoreErrorKind::Exists);
/// # Ok::<(), tower_auth::store::StoreError>(()) }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    keys: Keys,
    users: Users,
    tokens: Tokens,
    signing_keys: SigningKeys,
    audit: Audit,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(super) fn users(&self) -> &Users {
        &self.0.users
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(super) fn signing_keys(&self) -> &SigningKeys {
        &self.0.signing_keys
    }

    pub(super) fn audit(&self) -> &Audit {
        &self.0.audit
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("keys", &self.0.keys.len())
            .field("users", &self.0.users.len())
            .field("revoked", &self.0.tokens.denials.len())
            .finish_non_exhaustive()
    }
}
