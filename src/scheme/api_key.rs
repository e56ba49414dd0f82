use super::{Answer, Scheme};
use crate::config::ConfigProblem;
use crate::credential::{ApiKeyCredential, Credential, api_key};
use crate::event::Events;
use crate::principal::{Principal, Subject};
use crate::random::{self, RandomError};
use crate::reject::{Rejection, RejectionKind};
use crate::secret::Secret;
use crate::store::{Guard, KeyDigest, KeyRecord, KeyStore, Peek, SHA512, caught};
use crate::upkeep::Upkeep;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// API keys over a [`KeyStore`]: `Authorization: Bearer KEY`, `Authorization: Api-Key KEY` or `X-API-Key: KEY`.
///
/// - A key has a prefix, `egret_…`, by which a Bearer is told from a JWT, or it is [`bare`](Self::bare).
/// - The store holds a SHA-256, or an HMAC-SHA-256 under a [`pepper`](Self::pepper), never the key. A fast hash is
///   right for 256 random bits; a slow one is for passwords.
/// - Length and checksum are checked before the store is asked, unless keys are [`opaque`](Self::opaque).
/// - Malformed, unknown, revoked and expired keys are refused alike.
/// - When a key was last used is written at most once a minute, in the background.
///
/// Keys are made, listed, renamed, rotated and revoked by [`create`](Self::create) and the methods beside it, or by a ready-made
/// endpoint.
///
/// ```
/// use tower_auth::store::{KeyStore, Memory};
/// use tower_auth::{ApiKeys, AuthLayer, Subject};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = Memory::new();
/// let keys = ApiKeys::new(store.clone()).prefix("egret");
/// let now = std::time::SystemTime::now();
///
/// let new = keys.mint(Subject::user("7"), "ci", now)?;
/// assert!(new.key.expose().starts_with("egret_")); // shown once, to its owner
/// store.insert_key(new.record.scope("reports:read"), now).await?;
///
/// let auth = AuthLayer::builder().api_keys(keys).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct ApiKeys {
    store: Arc<dyn KeyStore>,
    guard: Guard,
    prefix: Option<Box<str>>,
    form: Form,
    /// The first is for new keys, all are tried.
    hashes: Vec<Hash>,
    weak_pepper: bool,
    ids: KeyIds,
    uses: Arc<Upkeep<KeyDigest>>,
    /// From one digest to another.
    upgrades: Arc<Upkeep<(KeyDigest, KeyDigest)>>,
    pub(crate) events: Events,
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Undecided,
    /// 43 random characters and their checksum.
    Checked,
    /// Whatever the store knows.
    Opaque,
}

/// How a key becomes what it is found by.
#[derive(Clone)]
enum Hash {
    Sha256,
    /// The name of the algorithm, and the key schedule of the pepper.
    HmacSha256(Arc<str>, Hmac<Sha256>),
    /// Of keys that another system made; no new key gets it.
    Sha512(Arc<str>),
}

/// A key that was just made.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewKey {
    /// The key, to be shown once.
    pub key: Secret<String>,
    /// What a store keeps of it.
    pub record: KeyRecord,
}

impl NewKey {
    pub(crate) fn new(key: Secret<String>, record: KeyRecord) -> Self {
        Self { key, record }
    }
}

impl ApiKeys {
    /// Keys in that store.
    pub fn new(store: impl KeyStore) -> Self {
        let store: Arc<dyn KeyStore> = Arc::new(store);
        Self {
            uses: uses_written_to(Arc::clone(&store)),
            upgrades: upgrades_written_to(Arc::clone(&store)),
            store,
            guard: Guard {
                deadline: Duration::MAX,
            },
            prefix: None,
            form: Form::Undecided,
            hashes: vec![Hash::Sha256],
            weak_pepper: false,
            ids: KeyIds::Random,
            events: Events::default(),
        }
    }

    /// What the ids of new keys look like; 22 random characters by default.
    pub fn ids(mut self, ids: KeyIds) -> Self {
        self.ids = ids;
        self
    }

    /// Keys that begin with this prefix and a `_`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into().into_boxed_str());
        self.checked()
    }

    /// Keys without a prefix. As a Bearer they are told from JWTs by their form alone: whatever is not three
    /// base64url segments is a key.
    pub fn bare(mut self) -> Self {
        self.prefix = None;
        self.checked()
    }

    fn checked(mut self) -> Self {
        if self.form == Form::Undecided {
            self.form = Form::Checked;
        }
        self
    }

    /// Keys of another system's format, without our checksum: every well-formed credential asks the store.
    pub fn opaque(mut self) -> Self {
        self.form = Form::Opaque;
        self
    }

    /// New keys are stored as HMAC-SHA-256 under this pepper, at least 32 bytes that are not in the store's database.
    /// Keys stored without it go on working.
    pub fn pepper(self, id: &str, secret: impl AsRef<[u8]>) -> Self {
        self.with_pepper(0, id, secret.as_ref())
    }

    /// A pepper that new keys no longer get, while those stored under it go on working.
    pub fn previous_pepper(self, id: &str, secret: impl AsRef<[u8]>) -> Self {
        let last = self.hashes.len();
        self.with_pepper(last, id, secret.as_ref())
    }

    /// Keys that djangorestframework-api-key stored as `sha512$$…` go on working ([`KeyDigest::from_django`]). At its first use
    /// each is stored anew under the digest of new keys. Such keys need [`opaque`](Self::opaque).
    pub fn imported_sha512(mut self) -> Self {
        self.hashes.push(Hash::Sha512(SHA512.into()));
        self
    }

    fn with_pepper(mut self, at: usize, id: &str, secret: &[u8]) -> Self {
        let algorithm: Arc<str> = format!("hmac-sha256:{id}").into();
        let known_id = self
            .hashes
            .iter()
            .any(|hash| hash.algorithm() == &*algorithm);
        let bad_id = !(1..=64).contains(&id.len()) || !id.bytes().all(is_word);
        match Hmac::new_from_slice(secret) {
            Ok(schedule) if secret.len() >= 32 && !known_id && !bad_id => {
                self.hashes
                    .insert(at, Hash::HmacSha256(algorithm, schedule));
            }
            _ => self.weak_pepper = true,
        }
        self
    }

    /// Makes a key and the record of it; nothing is stored yet.
    ///
    /// The record's id is 22 random base62 characters.
    ///
    /// # Errors
    ///
    /// The system's source of randomness failed.
    pub fn mint(&self, owner: Subject, name: &str, now: SystemTime) -> Result<NewKey, RandomError> {
        let (key, hint, digest) = self.mint_secret()?;
        Ok(NewKey {
            record: KeyRecord::new(random::id()?, owner, name, hint, digest, now),
            key,
        })
    }

    /// A key, what lists show of it, and what it is found by.
    pub(crate) fn mint_secret(&self) -> Result<(Secret<String>, String, KeyDigest), RandomError> {
        let key = api_key::make(self.prefix.as_deref(), random::fill)?;
        let visible = self.prefix.as_ref().map_or(0, |prefix| prefix.len() + 1) + 4;
        let hint = format!("{}…", &key.expose()[..visible]);
        let digest = self.digest(key.expose());
        Ok((key, hint, digest))
    }

    /// What a key of another origin is stored and found by, to make a [`KeyRecord`] of it.
    #[must_use]
    pub fn digest(&self, key: &str) -> KeyDigest {
        self.hashes[0].digest(key.as_bytes())
    }

    pub(crate) fn within(mut self, deadline: Duration, events: &Events) -> Self {
        self.guard = Guard { deadline };
        self.events = events.clone();
        self
    }

    pub(crate) fn store(&self) -> &dyn KeyStore {
        &*self.store
    }

    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    pub(crate) fn id_form(&self) -> KeyIds {
        self.ids
    }

    pub(crate) fn configured_prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    pub(crate) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        if self.form == Form::Undecided {
            problems.push(ConfigProblem::KeyForm);
        }
        if self
            .prefix
            .as_deref()
            .is_some_and(|prefix| !is_prefix(prefix))
        {
            problems.push(ConfigProblem::Prefix);
        }
        if self.weak_pepper {
            problems.push(ConfigProblem::Pepper);
        }
        problems
    }

    fn verify(&self, key: &ApiKeyCredential<'_>, now: SystemTime) -> Answer {
        if self.form == Form::Checked
            && !api_key::is_well_formed(key.as_bytes(), self.configured_prefix())
        {
            return Answer::Refused(refused("checksum"));
        }
        let mut search = Search::default();
        for (tried, hash) in self.hashes.iter().enumerate() {
            let digest = hash.digest(key.as_bytes());
            match caught(|| self.store.peek_key(&digest, now)) {
                Err(unavailable) => return Answer::Refused(unavailable),
                Ok(Peek::Found(record)) => {
                    if let Some(record) = search.found(record, &digest, now) {
                        let newest = (tried > 0).then(|| self.hashes[0].digest(key.as_bytes()));
                        return Answer::Verified(self.accept(record, digest, newest, now));
                    }
                }
                Ok(Peek::Absent) => {}
                Ok(Peek::Ask) => return self.ask(digest, key, tried + 1, search, now),
            }
        }
        Answer::Refused(search.refusal())
    }

    /// Asks the store for a digest, and then for those of the remaining hashes.
    fn ask(
        &self,
        digest: KeyDigest,
        key: &ApiKeyCredential<'_>,
        tried: usize,
        mut search: Search,
        now: SystemTime,
    ) -> Answer {
        let mut digests = vec![digest];
        digests.extend(
            self.hashes[tried..]
                .iter()
                .map(|hash| hash.digest(key.as_bytes())),
        );
        let (keys, newest) = (self.clone(), self.hashes[0].digest(key.as_bytes()));
        Answer::Pending(Box::pin(async move {
            for digest in digests {
                let found = keys
                    .guard
                    .call(async { keys.store.find_key(&digest, now).await })
                    .await?;
                if let Some(record) = found.and_then(|record| search.found(record, &digest, now)) {
                    let newest = Some(newest).filter(|newest| !newest.is_like(&digest));
                    return Ok(keys.accept(record, digest, newest, now));
                }
            }
            Err(search.refusal())
        }))
    }

    /// Whoever presented a key that was found good. `newest` is what it should be found by, where that is another digest.
    #[inline]
    fn accept(
        &self,
        record: Arc<KeyRecord>,
        digest: KeyDigest,
        newest: Option<KeyDigest>,
        now: SystemTime,
    ) -> Principal {
        if record.use_is_due(now) {
            self.uses.add(digest.clone(), now);
        }
        if let Some(newest) = newest {
            // Should it fail, the next use tries again.
            self.upgrades.add((digest, newest), now);
        }
        Principal::from(record)
    }
}

fn uses_written_to(store: Arc<dyn KeyStore>) -> Arc<Upkeep<KeyDigest>> {
    Upkeep::new(move |uses| {
        let store = Arc::clone(&store);
        async move {
            let now = uses
                .iter()
                .map(|(_, at)| *at)
                .max()
                .unwrap_or(SystemTime::UNIX_EPOCH);
            // A use that could not be written is not worth a refusal: the next one follows in a minute.
            let _ = store.note_key_uses(&uses, now).await;
        }
    })
}

fn upgrades_written_to(store: Arc<dyn KeyStore>) -> Arc<Upkeep<(KeyDigest, KeyDigest)>> {
    Upkeep::new(move |upgrades| {
        let store = Arc::clone(&store);
        async move {
            for ((from, to), now) in upgrades {
                let _ = store.replace_key_digest(&from, to, now).await;
            }
        }
    })
}

impl Scheme for ApiKeys {
    fn name(&self) -> &'static str {
        "Api-Key"
    }

    fn authenticate(&self, credential: &Credential<'_>, now: SystemTime) -> Answer {
        match credential {
            Credential::ApiKey(key) if key.has_prefix(self.configured_prefix()) => {
                self.verify(key, now)
            }
            _ => Answer::NotPresented,
        }
    }
}

impl Hash {
    fn algorithm(&self) -> &str {
        match self {
            Self::Sha256 => "sha256",
            Self::HmacSha256(algorithm, _) | Self::Sha512(algorithm) => algorithm,
        }
    }

    fn digest(&self, key: &[u8]) -> KeyDigest {
        match self {
            Self::Sha256 => KeyDigest::of(None, Sha256::digest(key).into()),
            Self::HmacSha256(algorithm, schedule) => {
                let mac = schedule.clone().chain_update(key).finalize();
                KeyDigest::of(Some(Arc::clone(algorithm)), mac.into_bytes().into())
            }
            Self::Sha512(algorithm) => {
                let mut first = [0; 32];
                first.copy_from_slice(&Sha512::digest(key)[..32]);
                KeyDigest::of(Some(Arc::clone(algorithm)), first)
            }
        }
    }
}

/// What became of the look-ups of one key.
///
/// A key that is found and refused is looked for under the remaining hashes too, so that a revoked one costs what an unknown
/// one does; whatever is found there, it stays refused.
#[derive(Default)]
struct Search(Option<Rejection>);

impl Search {
    fn found(
        &mut self,
        record: Arc<KeyRecord>,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Option<Arc<KeyRecord>> {
        match judge(&record, digest, now) {
            Ok(()) => Some(record).filter(|_| self.0.is_none()),
            Err(refusal) => {
                self.0.get_or_insert(refusal);
                None
            }
        }
    }

    fn refusal(self) -> Rejection {
        self.0.unwrap_or_else(|| refused("unknown"))
    }
}

/// Whatever the store found is compared once more, and judged here: a store only finds.
fn judge(record: &KeyRecord, digest: &KeyDigest, now: SystemTime) -> Result<(), Rejection> {
    if !digest.matches(record.digest()) {
        return Err(refused("digest"));
    }
    if !record.is_active(now) {
        return Err(refused("revoked or expired"));
    }
    Ok(())
}

fn refused(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidApiKey, reason)
}

fn is_prefix(prefix: &str) -> bool {
    (1..=32).contains(&prefix.len())
        && prefix.bytes().all(is_word)
        && prefix.starts_with(|first: char| first.is_ascii_alphabetic())
        && !prefix.starts_with("ey")
        && !prefix.ends_with('_')
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
