use super::LastUse;
use crate::principal::Subject;
use std::fmt;
use std::time::SystemTime;

/// The ids by which a token can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenIds<'a> {
    /// Its own, `jti`.
    pub token: &'a str,
    /// Its family's, `sid`; a private token has none.
    pub family: Option<&'a str>,
}

impl<'a> TokenIds<'a> {
    /// A token of a family, or of none.
    #[must_use]
    pub fn new(token: &'a str, family: Option<&'a str>) -> Self {
        Self { token, family }
    }
}

/// A private token: a long-living JWT that its owner named and can revoke. The token itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRecord {
    id: Box<str>,
    owner: Subject,
    name: Box<str>,
    created: SystemTime,
    expires: SystemTime,
    revoked: Option<SystemTime>,
    last_used: LastUse,
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
            last_used: LastUse::default(),
        }
    }

    /// The same record, revoked at that time, or as it was where it is revoked already: for stores.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// The same record, last used at that time: for stores.
    #[must_use]
    pub fn used(self, at: SystemTime) -> Self {
        self.note_use(at);
        self
    }

    /// Its id, the token's `jti`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose token it is.
    #[must_use]
    pub fn owner(&self) -> &Subject {
        &self.owner
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When it expires.
    #[must_use]
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// When it was revoked; `None` is not.
    #[must_use]
    pub fn revoked_at(&self) -> Option<SystemTime> {
        self.revoked
    }

    /// When it was last used, to the minute.
    #[must_use]
    pub fn last_used(&self) -> Option<SystemTime> {
        self.last_used.get()
    }

    /// Takes down a use, in place: for stores.
    pub fn note_use(&self, at: SystemTime) {
        self.last_used.set(at);
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
