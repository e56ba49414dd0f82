use super::hash::Hash;
use crate::config::ConfigProblem;
use crate::credential::{Source, api_key};
use crate::random::{self, RandomError};
use crate::secret::Secret;
use crate::store::KeyDigest;
use hmac::{Hmac, KeyInit};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How API keys of one kind look, where they are read and how they are kept:
/// `Authorization: Bearer KEY`, `Authorization: Api-Key KEY` or `X-API-Key: KEY`, or wherever
/// [`sources`](Self::sources) says.
///
/// - A key has a prefix, `egret_…`, by which a Bearer is told from a JWT, or it is
///   [`bare`](Self::bare).
/// - The store holds a SHA-256, or an HMAC-SHA-256 under a [`pepper`](Self::pepper), never the key.
///   A fast hash is right for 256 random bits; a slow one is for passwords.
/// - Length and checksum are checked before the store is asked, unless keys are
///   [`opaque`](Self::opaque).
/// - Malformed, unknown, revoked and expired keys are refused alike.
/// - When a key was last used is written at most once a minute, in the background.
///
/// A [`Realm`](crate::Realm) makes a [`KeyIssuer`](crate::KeyIssuer) of it, which creates, lists,
/// renames, rotates and revokes keys, and which a layer accepts:
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, KeyRequest, Realm, Subject};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let realm = Realm::new(Memory::new());
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
///
/// let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci").scope("reports:read")).await?;
/// assert!(new.key.expose().starts_with("egret_")); // shown once, to its owner
///
/// let wrong = realm.api_keys(ApiKeys::prefix("no prefix"));
/// let error = AuthLayer::builder().accept(&wrong).build().unwrap_err();
/// assert_eq!(error.problems(), [ConfigProblem::Prefix]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct ApiKeys {
    /// With the `_` or `-` at its end.
    prefix: Option<Box<str>>,
    sources: Vec<Source>,
    form: Form,
    /// The first is for new keys, all are tried.
    hashes: Vec<Hash>,
    weak_pepper: bool,
    ids: KeyIds,
    grace: Duration,
    per_owner: usize,
}

/// What the ids of new keys look like. They are no part of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyIds {
    /// 22 random characters of base62.
    #[default]
    Random,
    /// A random UUID (RFC 9562 §5.4).
    Uuid,
    /// 1, 2, 3, …, as the store counts them.
    Serial,
}

/// Whether a key can be told from garbage without the store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// 43 random characters and their checksum.
    Checked,
    /// Whatever the store knows.
    Opaque,
}

impl ApiKeys {
    /// Keys that begin with this prefix.
    ///
    /// One that ends with a `_` or a `-` is used as it stands, any other gets a `_`: `egret` and
    /// `egret_` both make keys like `egret_7ZkRcP0b…`, and `sk-live-` makes `sk-live-7ZkRcP0b…`.
    /// Without that end a prefix has 1 to 32 letters, digits, `-` and `_`; it begins with a letter,
    /// but not with `ey`, as JWTs do. If two prefixes match a key, the longer one is used.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        Self::new(Some(whole_prefix(prefix.into()).into_boxed_str()))
    }

    /// Keys without a prefix. As a Bearer they are told from JWTs by their form alone: whatever is
    /// not three base64url segments is a key.
    pub fn bare() -> Self {
        Self::new(None)
    }

    fn new(prefix: Option<Box<str>>) -> Self {
        Self {
            prefix,
            sources: Source::of_keys(),
            form: Form::Checked,
            hashes: vec![Hash::Sha256],
            weak_pepper: false,
            ids: KeyIds::Random,
            grace: Duration::from_secs(10),
            per_owner: 100,
        }
    }

    /// Where keys are read; by default in the three header forms, [`Source::bearer`],
    /// [`Source::api_key`] and [`Source::header`]`("X-API-Key")`. Anywhere else they are refused
    /// like unknown ones, or not looked at. For `curl -u KEY:` see [`Source::basic`].
    ///
    /// ```
    /// use tower_auth::credential::Source;
    /// use tower_auth::ApiKeys;
    ///
    /// let keys = ApiKeys::prefix("egret").sources([Source::bearer()]);
    /// ```
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// What the ids of new keys look like; 22 random characters by default.
    pub fn ids(mut self, ids: KeyIds) -> Self {
        self.ids = ids;
        self
    }

    /// How many keys an owner may have that are good, where a caller asks for them
    /// ([`KeyIssuer::on_behalf_of`](crate::KeyIssuer::on_behalf_of)); 100 by default, and ten times
    /// as many made in a day. What the application makes itself is not bounded.
    pub fn per_owner(mut self, most: usize) -> Self {
        self.per_owner = most;
        self
    }

    /// How long a key that has rotated itself goes on working, and may ask for its successor's
    /// secret again, should the answer be lost; 10 seconds by default, zero turns it off. Only the
    /// answer that came last has a secret that is good.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Keys of another system's format, without our checksum: every well-formed credential asks the
    /// store.
    pub fn opaque(mut self) -> Self {
        self.form = Form::Opaque;
        self
    }

    /// New keys are stored as HMAC-SHA-256 under this pepper, at least 32 bytes that are not in the
    /// store's database. Keys stored without it go on working.
    pub fn pepper(self, id: &str, secret: impl AsRef<[u8]>) -> Self {
        self.with_pepper(0, id, secret.as_ref())
    }

    /// A pepper that new keys no longer get, while those stored under it go on working.
    pub fn previous_pepper(self, id: &str, secret: impl AsRef<[u8]>) -> Self {
        let last = self.hashes.len();
        self.with_pepper(last, id, secret.as_ref())
    }

    /// Keys that djangorestframework-api-key stored as `sha512$$…` go on working
    /// ([`KeyDigest::from_django`]). At its first use each is stored anew under the digest of
    /// new keys. Such keys need [`opaque`](Self::opaque).
    pub fn imported_sha512(mut self) -> Self {
        self.hashes.push(Hash::sha512());
        self
    }

    /// Keys that djangorestframework-api-key hashed as passwords, before its version 3, go on
    /// working ([`KeyDigest::from_django`]): they are found by their prefix, what stands before the
    /// first dot, and then held against the hash. At its first use each is stored anew under the
    /// digest of new keys. Such keys need [`opaque`](Self::opaque).
    ///
    /// Such a hash costs as much as that of a password, once a key. Whoever knows a prefix can ask
    /// for that work with keys that are wrong; these count against the address they come from, and
    /// the work is queued with that of passwords.
    #[cfg(feature = "django-hashes")]
    pub fn imported_password_hashes(mut self) -> Self {
        self.hashes.push(Hash::password());
        self
    }

    /// Whether keys may be hashed as passwords.
    #[cfg(feature = "django-hashes")]
    pub(crate) fn takes_password_hashes(&self) -> bool {
        let mut hashes = self.hashes.iter();
        hashes.any(|hash| matches!(hash, Hash::Password(_)))
    }

    fn with_pepper(mut self, at: usize, id: &str, secret: &[u8]) -> Self {
        let algorithm = format!("hmac-sha256:{id}").into_boxed_str();
        let known_id = self
            .hashes
            .iter()
            .any(|hash| hash.algorithm() == &*algorithm);
        let bad_id = !(1..=64).contains(&id.len()) || !id.bytes().all(is_word);
        // HMAC itself takes a key of any length, so the length is looked at here.
        match Hmac::new_from_slice(secret) {
            Ok(schedule) if secret.len() >= 32 && !known_id && !bad_id => {
                self.hashes
                    .insert(at, Hash::HmacSha256(Arc::new(algorithm), schedule));
            }
            _ => self.weak_pepper = true,
        }
        self
    }

    /// A key, what lists show of it, and what it is found by.
    pub(crate) fn mint_secret(&self) -> Result<(Secret<String>, String, KeyDigest), RandomError> {
        let key = api_key::make(self.prefix.as_deref(), random::fill)?;
        let hint = self.hint(key.expose());
        let digest = self.digest(key.expose());
        Ok((key, hint, digest))
    }

    /// What a key of another origin is stored and found by, to make a [`KeyRecord`] of it.
    pub(crate) fn digest(&self, key: &str) -> KeyDigest {
        self.hashes[0].digest(key.as_bytes())
    }

    /// What the key is found by, under every hash that keys may be stored under, the newest first.
    pub(super) fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// What lists show of a key: its prefix and the first 4 characters of the secret. Of a foreign
    /// key so short that these would be much of it, nothing.
    pub(crate) fn hint(&self, key: &str) -> String {
        let prefix = match &self.prefix {
            Some(prefix) => prefix.len(),
            None => 0,
        };
        match key.get(..prefix + 4) {
            // Twelve characters at least stay unseen: whoever sees a list must not be able to guess
            // the rest.
            Some(visible) if key.len() >= prefix + 16 => format!("{visible}…"),
            _ => String::new(),
        }
    }

    /// Whether garbage can be told from them.
    pub(super) fn are_checked(&self) -> bool {
        self.form == Form::Checked
    }

    /// Whether a key has the form that new ones have, as far as that is known.
    pub(crate) fn may_be(&self, key: &[u8]) -> bool {
        self.form == Form::Opaque || api_key::is_well_formed(key, self.configured_prefix())
    }

    pub(crate) fn most_per_owner(&self) -> usize {
        self.per_owner
    }

    pub(crate) fn rotation_grace(&self) -> Duration {
        self.grace
    }

    pub(crate) fn id_form(&self) -> KeyIds {
        self.ids
    }

    pub(crate) fn configured_prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    pub(crate) fn read_at(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn problems(&self) -> Vec<ConfigProblem> {
        let sources = self.sources.iter();
        let mut problems: Vec<ConfigProblem> = sources.filter_map(Source::problem).collect();
        if self.sources.is_empty() {
            problems.push(ConfigProblem::NoSource("an ApiKeys"));
        }
        if let Some(prefix) = &self.prefix
            && !is_prefix(prefix)
        {
            problems.push(ConfigProblem::Prefix);
        }
        if self.per_owner == 0 {
            problems.push(ConfigProblem::Zero("per_owner"));
        }
        if self.weak_pepper {
            problems.push(ConfigProblem::Pepper);
        }
        problems
    }
}

/// A prefix with the `_` that it gets unless it ends with a `_` or a `-` anyway.
fn whole_prefix(mut prefix: String) -> String {
    if !prefix.ends_with(['_', '-']) {
        prefix.push('_');
    }
    prefix
}

/// `prefix` is a whole one.
fn is_prefix(prefix: &str) -> bool {
    (2..=33).contains(&prefix.len())
        && prefix.bytes().all(is_word)
        && prefix.starts_with(|first: char| first.is_ascii_alphabetic())
        && !prefix.starts_with("ey")
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hashes: Vec<&str> = self.hashes.iter().map(Hash::algorithm).collect();
        f.debug_struct("ApiKeys")
            .field("prefix", &self.prefix)
            .field("hashes", &hashes)
            .finish_non_exhaustive()
    }
}
