use super::LastUse;
use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// What a store keeps instead of an API key, and finds it by.
///
/// 32 bytes of a hash, tagged with how it was made, so that peppers can rotate:
///
/// ```text
/// algorithm        bytes
/// sha256           SHA-256(key)
/// hmac-sha256:ID   HMAC-SHA-256(pepper ID, key)
/// sha512           the first 32 bytes of SHA-512(key), for keys that another system made
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyDigest {
    /// `None` is `sha256`, by far the commonest.
    algorithm: Option<Arc<str>>,
    bytes: [u8; 32],
}

impl KeyDigest {
    /// A digest that was stored before.
    #[must_use]
    pub fn new(algorithm: &str, bytes: [u8; 32]) -> Self {
        Self {
            algorithm: (algorithm != SHA256).then(|| algorithm.into()),
            bytes,
        }
    }

    /// The digest of a key that djangorestframework-api-key stored as `sha512$$` and 128 hexadecimal digits; `None` where
    /// the text has another form. Verifying it takes [`ApiKeys::imported_sha512`](crate::ApiKeys::imported_sha512).
    #[must_use]
    pub fn from_django(hashed_key: &str) -> Option<Self> {
        let hex = hashed_key
            .strip_prefix("sha512$$")
            .filter(|hex| hex.len() == 128)?;
        let digit = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        bytes.first_chunk().map(|first| Self::new(SHA512, *first))
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn of(algorithm: Option<Arc<str>>, bytes: [u8; 32]) -> Self {
        Self { algorithm, bytes }
    }

    /// How it was made.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.algorithm.as_deref().unwrap_or(SHA256)
    }

    /// The hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether it was made in the same way as another.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
    }

    /// Compares in a time that does not depend on where two digests differ.
    #[cfg(feature = "api-key")]
    pub(crate) fn matches(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        // By words: subtle compares a slice of bytes one by one, at the price of half a SHA-256.
        let (words, _) = self.bytes.as_chunks::<8>();
        let (others, _) = other.bytes.as_chunks::<8>();
        let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
        let different = words
            .iter()
            .zip(others)
            .fold(0, |different, (a, b)| different | (word(a) ^ word(b)));
        self.is_like(other) & bool::from(different.ct_eq(&0))
    }
}

const SHA256: &str = "sha256";
pub(crate) const SHA512: &str = "sha512";

/// A digest is no secret, but it is what an attacker would look for in a log.
impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({})", self.algorithm())
    }
}

/// What is known of an API key. The key itself is not.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    id: Box<str>,
    owner: Subject,
    name: Box<str>,
    hint: Box<str>,
    digest: KeyDigest,
    scopes: Scopes,
    roles: Roles,
    metadata: Option<Box<str>>,
    rate: Option<Box<str>>,
    created: SystemTime,
    expires: Option<SystemTime>,
    revoked: Option<SystemTime>,
    last_used: LastUse,
    /// The id of the first key of a chain of rotations; `None` is this one.
    lineage: Option<Box<str>>,
    successor: Option<Box<str>>,
}

impl KeyRecord {
    /// A record of an active key that does not expire and has no scopes. `hint` is the visible part of the key
    /// that lists show: its prefix and the first characters of the secret.
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
            last_used: LastUse::default(),
            lineage: None,
            successor: None,
        }
    }

    /// A key that takes the place of this one: the same owner, name, scopes, roles, metadata, rate, expiry and lineage.
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
            last_used: LastUse::default(),
            lineage: Some(self.lineage().into()),
            successor: None,
            ..self.clone()
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

    /// Grants these scopes and no others.
    #[must_use]
    pub fn with_scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// Gives these roles and no others.
    #[must_use]
    pub fn with_roles(mut self, roles: Roles) -> Self {
        self.roles = roles;
        self
    }

    /// Attaches data that are JSON text already: for stores.
    #[must_use]
    pub fn with_metadata_json(mut self, json: impl Into<String>) -> Self {
        self.metadata = Some(json.into().into_boxed_str());
        self
    }

    /// A rate of the key's own, such as `2000/day`, for a throttle that reads it from records.
    #[must_use]
    pub fn rate(mut self, rate: impl Into<String>) -> Self {
        self.rate = Some(rate.into().into_boxed_str());
        self
    }

    /// The same record under another name: for stores.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = name.into().into_boxed_str();
        self
    }

    /// The same record found by another digest of the same key: for stores.
    #[must_use]
    pub fn found_by(mut self, digest: KeyDigest) -> Self {
        self.digest = digest;
        self
    }

    /// The same record in a chain of rotations: for stores.
    #[must_use]
    pub fn in_lineage(mut self, first: impl Into<String>) -> Self {
        let first = first.into().into_boxed_str();
        self.lineage = (first != self.id).then_some(first);
        self
    }

    /// The same record after a rotation: another key has taken its place, and it is refused from `until` on, or earlier where
    /// it expires earlier. For stores.
    #[must_use]
    pub fn superseded(mut self, successor: impl Into<String>, until: SystemTime) -> Self {
        self.successor = Some(successor.into().into_boxed_str());
        self.expires = Some(self.expires.map_or(until, |expires| expires.min(until)));
        self
    }

    /// The same record, last used at that time: for stores.
    #[must_use]
    pub fn used(self, at: SystemTime) -> Self {
        self.note_use(at);
        self
    }

    /// From this moment on the key is refused.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// The same record, revoked at that time, or as it was where it is revoked already: for stores.
    #[must_use]
    pub fn revoked(mut self, at: SystemTime) -> Self {
        self.revoked.get_or_insert(at);
        self
    }

    /// The record's id; it is not part of the key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whose key it is.
    #[must_use]
    pub fn owner(&self) -> &Subject {
        &self.owner
    }

    /// What its owner calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The visible part of the key.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// What the key is found by.
    #[must_use]
    pub fn digest(&self) -> &KeyDigest {
        &self.digest
    }

    /// The scopes granted to it.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Its roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The application's own data, read into a type; `None` where there are none of that form.
    #[must_use]
    pub fn metadata<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.metadata.as_deref()?).ok()
    }

    /// The application's own data as JSON text: for stores.
    #[must_use]
    pub fn metadata_json(&self) -> Option<&str> {
        self.metadata.as_deref()
    }

    /// Its own rate, where it has one.
    #[must_use]
    pub fn own_rate(&self) -> Option<&str> {
        self.rate.as_deref()
    }

    /// The id of the first key of its chain of rotations, its own where it was never rotated: what a key and its successors
    /// have in common.
    #[must_use]
    pub fn lineage(&self) -> &str {
        self.lineage.as_deref().unwrap_or(&self.id)
    }

    /// The id of the key that took its place.
    #[must_use]
    pub fn successor(&self) -> Option<&str> {
        self.successor.as_deref()
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

    /// Whether a use now is to be written to the store.
    #[cfg(feature = "api-key")]
    pub(crate) fn use_is_due(&self, now: SystemTime) -> bool {
        self.last_used.note(now)
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When it expires; `None` is never.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires
    }

    /// When it was revoked; `None` is not.
    #[must_use]
    pub fn revoked_at(&self) -> Option<SystemTime> {
        self.revoked
    }

    /// About how many bytes it takes.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn footprint(&self) -> usize {
        let texts = [
            self.id(),
            self.owner.kind(),
            self.owner.id(),
            self.name(),
            self.hint(),
            self.lineage(),
        ];
        let options = [self.metadata_json(), self.own_rate(), self.successor()];
        let grants = self.scopes.iter().chain(self.roles.iter());
        let bytes = texts
            .into_iter()
            .chain(options.into_iter().flatten())
            .chain(grants)
            .map(str::len);
        size_of::<Self>() + bytes.sum::<usize>()
    }

    /// Whether it may be used: neither revoked nor, at `now`, expired.
    #[must_use]
    pub fn is_active(&self, now: SystemTime) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
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
