use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
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
        Self { algorithm: (algorithm != SHA256).then(|| algorithm.into()), bytes }
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
        use subtle::{Choice, ConstantTimeEq};
        // By words: subtle compares a slice of bytes one by one, at the price of half a SHA-256.
        let words = |digest: &Self| {
            let (words, _) = digest.bytes.as_chunks::<8>();
            [words[0], words[1], words[2], words[3]].map(u64::from_ne_bytes)
        };
        let pairs = words(self).into_iter().zip(words(other));
        let same = pairs.fold(Choice::from(1), |same, (a, b)| same & a.ct_eq(&b));
        self.is_like(other) & bool::from(same)
    }
}

const SHA256: &str = "sha256";

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
    created: SystemTime,
    expires: Option<SystemTime>,
    revoked: Option<SystemTime>,
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
            created,
            expires: None,
            revoked: None,
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

/// A user, as far as authentication needs one.
#[derive(Clone)]
pub struct UserRecord {
    id: Subject,
    names: Vec<Box<str>>,
    password_hash: Option<Secret<String>>,
    active: bool,
    scopes: Scopes,
    roles: Roles,
    app: Option<Arc<dyn Any + Send + Sync>>,
}

impl UserRecord {
    /// An active user without a password, who signs in by `name`.
    #[must_use]
    pub fn new(id: Subject, name: impl Into<String>) -> Self {
        Self {
            id,
            names: vec![name.into().into_boxed_str()],
            password_hash: None,
            active: true,
            scopes: Scopes::default(),
            roles: Roles::default(),
            app: None,
        }
    }

    /// A further name to sign in by (an email address beside a user name).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into().into_boxed_str());
        self
    }

    /// The password's hash as a PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`; with feature `django-hashes` also as
    /// Django wrote it.
    #[must_use]
    pub fn password_hash(mut self, hash: impl Into<String>) -> Self {
        self.password_hash = Some(Secret::new(hash.into()));
        self
    }

    /// A disabled user is refused as if there were none.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.active = false;
        self
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

    /// Attaches the application's own user, for [`Principal::user`](crate::Principal::user).
    #[must_use]
    pub fn with_app<T: Any + Send + Sync>(mut self, user: T) -> Self {
        self.app = Some(Arc::new(user));
        self
    }

    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &Subject {
        &self.id
    }

    /// The names to sign in by.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The password's hash, where the user has a password.
    #[must_use]
    pub fn stored_hash(&self) -> Option<&Secret<String>> {
        self.password_hash.as_ref()
    }

    /// Whether the user may sign in.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// The scopes granted to the user.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The user's roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The application's own user, where it is of that type.
    #[must_use]
    pub fn app<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.app.as_deref().and_then(|user| user.downcast_ref())
    }
}

impl fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRecord")
            .field("id", &self.id)
            .field("active", &self.active)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
