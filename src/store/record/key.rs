use super::{KeyDigest, LastUse};
use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::rate::Rate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::SystemTime;

/// What is known of an API key. The key itself is not.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use tower_auth::Subject;
/// use tower_auth::store::{KeyDigest, KeyRecord};
///
/// let digest = KeyDigest::new("sha256", [7; 32]);
/// let owner = Subject::new("tenant", "42");
/// let end = UNIX_EPOCH + Duration::from_secs(60);
/// let mut record = KeyRecord::new("1", owner, "ci", "egret_7Zk…", digest, UNIX_EPOCH)
///     .scope("reports:read")
///     .expires(end);
/// record.rate = Some("2000/day".parse()?);
///
/// assert!(record.is_active(UNIX_EPOCH));
/// assert!(!record.is_active(end));
/// assert!("20000/dya".parse::<tower_auth::throttle::Rate>().is_err()); // no record has it
/// # Ok::<(), tower_auth::throttle::RateError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The record's id; it is not part of the key.
    pub id: Box<str>,
    /// Whose key it is.
    pub owner: Subject,
    /// What its owner calls it.
    pub name: Box<str>,
    /// The visible part of the key, which lists show: its prefix and the first characters of the
    /// secret.
    pub hint: Box<str>,
    /// What the key is found by.
    pub digest: KeyDigest,
    /// The scopes granted to it.
    pub scopes: Scopes,
    /// Its roles.
    pub roles: Roles,
    /// Data of the application's own, as JSON text.
    pub metadata: Option<Box<str>>,
    /// A rate of its own, for a throttle that reads it from records.
    pub rate: Option<Rate>,
    /// When it was made.
    pub created: SystemTime,
    /// From this moment on the key is refused; `None` is never.
    pub expires: Option<SystemTime>,
    /// When it was revoked; `None` is not.
    pub revoked: Option<SystemTime>,
    /// When it was last used, to the minute.
    pub last_used: LastUse,
    /// The id of the first key of its chain of rotations; `None` is this one.
    pub first: Option<Box<str>>,
    /// The id of the key that took its place.
    pub successor: Option<Box<str>>,
}

impl KeyRecord {
    /// A record of an active key that does not expire and has no scopes. `hint` is the visible part
    /// of the key.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        owner: Subject,
        name: impl Into<String>,
        hint: impl Into<String>,
        digest: KeyDigest,
        created: SystemTime,
    ) -> Self {
        Self {
            id: id.into().into_boxed_str(),
            owner,
            name: name.into().into_boxed_str(),
            hint: hint.into().into_boxed_str(),
            digest,
            scopes: Scopes::default(),
            roles: Roles::default(),
            metadata: None,
            rate: None,
            created,
            expires: None,
            revoked: None,
            last_used: LastUse::new(),
            first: None,
            successor: None,
        }
    }

    /// Grants a scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(&scope.into());
        self
    }

    /// Gives a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// Attaches data of the application's own, kept as JSON.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn with_metadata(mut self, metadata: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.metadata = Some(serde_json::to_string(metadata)?.into_boxed_str());
        Ok(self)
    }

    /// A rate of the key's own.
    #[must_use]
    pub fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    /// From this moment on the key is refused.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// The same record, revoked at that time, or as it was where it is revoked already.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// A key that takes the place of this one: the same owner, name, scopes, roles, metadata, rate,
    /// expiry and lineage.
    #[must_use]
    pub fn successor_of(
        &self,
        id: impl Into<String>,
        hint: impl Into<String>,
        digest: KeyDigest,
        created: SystemTime,
    ) -> Self {
        Self {
            id: id.into().into_boxed_str(),
            hint: hint.into().into_boxed_str(),
            digest,
            created,
            revoked: None,
            last_used: LastUse::new(),
            first: Some(self.lineage().into()),
            successor: None,
            ..self.clone()
        }
    }

    /// The same record after a rotation: another key has taken its place, and it is refused from
    /// `until` on, or earlier where it expires earlier.
    #[must_use]
    pub fn superseded(mut self, successor: impl Into<String>, until: SystemTime) -> Self {
        self.successor = Some(successor.into().into_boxed_str());
        self.expires = match self.expires {
            Some(expires) if expires < until => Some(expires),
            _ => Some(until),
        };
        self
    }

    /// Whether it may be used: neither revoked nor, at `now`, expired.
    #[must_use]
    pub fn is_active(&self, now: SystemTime) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    /// Whether it was revoked, or had expired, before that time.
    pub(crate) fn ended_before(&self, time: SystemTime) -> bool {
        let ends = [self.revoked, self.expires];
        ends.into_iter().flatten().any(|end| end < time)
    }

    /// The id of the first key of its chain of rotations, its own where it was never rotated: what
    /// a key and its successors have in common.
    #[must_use]
    pub fn lineage(&self) -> &str {
        self.first.as_deref().unwrap_or(&self.id)
    }

    /// The application's own data, read into a type; `None` where there are none of that form.
    #[must_use]
    pub fn metadata<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.metadata.as_deref()?).ok()
    }

    /// Whether a store still has the record as it was read: another time of last use is no change.
    #[must_use]
    pub fn is_unchanged_from(&self, former: &Self) -> bool {
        let mut as_used = former.clone();
        as_used.last_used = self.last_used.clone();
        *self == as_used
    }

    /// About how many bytes it takes.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn footprint(&self) -> usize {
        let texts = [
            &self.id,
            self.owner.kind(),
            self.owner.id(),
            &self.name,
            &self.hint,
            self.lineage(),
        ];
        let options = [&self.metadata, &self.successor];
        let grants = self.scopes.iter().chain(self.roles.iter());
        let bytes = texts
            .into_iter()
            .chain(options.into_iter().flatten().map(|text| &**text))
            .chain(grants)
            .map(str::len);
        size_of::<Self>() + bytes.sum::<usize>()
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("owner", &self.owner)
            .field("hint", &self.hint)
            .field("scopes", &self.scopes)
            .field("expires", &self.expires)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}
