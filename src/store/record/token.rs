use super::LastUse;
use crate::principal::Subject;
use std::fmt;
use std::time::SystemTime;

/// A private token: a long-lived JWT that its owner named and can revoke. The token itself is not
/// kept.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRecord {
    /// Its id, the token's `jti`.
    pub id: Box<str>,
    /// Whose token it is.
    pub owner: Subject,
    /// What its owner calls it.
    pub name: Box<str>,
    /// When it was made.
    pub created: SystemTime,
    /// When it expires.
    pub expires: SystemTime,
    /// When it was revoked; `None` is not.
    pub revoked: Option<SystemTime>,
    /// When it was last used, to the minute.
    pub last_used: LastUse,
}

impl TokenRecord {
    /// The record of a token that was just made. `id` is its `jti`.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        owner: Subject,
        name: impl Into<String>,
        created: SystemTime,
        expires: SystemTime,
    ) -> Self {
        Self {
            id: id.into().into_boxed_str(),
            owner,
            name: name.into().into_boxed_str(),
            created,
            expires,
            revoked: None,
            last_used: LastUse::new(),
        }
    }

    /// The same record, revoked at that time, or as it was where it is revoked already.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// Whether a store still has the record as it was read: another time of last use is no change.
    #[must_use]
    pub fn is_unchanged_from(&self, former: &Self) -> bool {
        let mut as_used = former.clone();
        as_used.last_used = self.last_used.clone();
        *self == as_used
    }
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRecord")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("expires", &self.expires)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}
