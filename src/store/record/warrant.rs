use super::{KeyRecord, TokenIds, UserRecord};
use crate::principal::Subject;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// The credential by which something is changed: the change is made only while it is good.
///
/// Whoever signs out, changes a password or revokes a key stops what is under way with that
/// credential. So a store looks in the step in which it writes, and says
/// [`StoreErrorKind::Revoked`](crate::store::StoreErrorKind::Revoked) where it is good no more.
#[derive(Clone)]
#[non_exhaustive]
pub struct Warrant {
    /// The user whose credential it is, who is neither disabled nor removed. `None` is nobody's.
    pub account: Option<Subject>,
    /// The id (`jti`) of the token that was presented, which is not revoked.
    pub token: Option<Box<str>>,
    /// The id (`sid`) of that token's family, which is not revoked.
    pub family: Option<Box<str>>,
    /// The API key that was presented, as it was read: it is neither revoked nor expired.
    pub key: Option<Arc<KeyRecord>>,
    /// When the credential expires; `None` is never, or with its record.
    pub expires: Option<SystemTime>,
    /// The time of the change.
    pub now: SystemTime,
}

impl Warrant {
    /// A credential of which nothing can be looked up.
    #[must_use]
    pub fn new(now: SystemTime) -> Self {
        Self {
            account: None,
            token: None,
            family: None,
            key: None,
            expires: None,
            now,
        }
    }

    /// Whether it is expired by what it says itself.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= self.now)
    }

    /// The ids of the token that was presented.
    #[must_use]
    pub fn token_ids(&self) -> Option<TokenIds<'_>> {
        let token = self.token.as_deref()?;
        Some(TokenIds::new(token, self.family.as_deref()))
    }

    /// Whether it is good as far as its user is concerned, whose record is this one.
    #[must_use]
    pub fn holds_for_user(&self, user: Option<&UserRecord>) -> bool {
        // A subject that never was a user has no account to lose.
        user.is_none_or(UserRecord::is_active)
    }

    /// Whether it is good as far as its key is concerned, whose record is this one.
    #[must_use]
    pub fn holds_for_key(&self, key: Option<&KeyRecord>) -> bool {
        key.is_some_and(|key| key.is_active(self.now))
    }
}

impl fmt::Debug for Warrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warrant")
            .field("account", &self.account)
            .field("key", &self.key.as_ref().map(|key| &key.id))
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}
