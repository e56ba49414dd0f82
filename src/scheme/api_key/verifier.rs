use super::api_keys::ApiKeys;
use super::hashed_as_passwords::HashedAsPasswords;
use crate::attempt::{Attempt, LookUp, Origin};
use crate::credential::{ApiKeyCredential, Credential};
use crate::intern;
use crate::metrics::Cache;
use crate::principal::Principal;
use crate::rehearsal;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::{Answer, Scheme};
use crate::secret::Secret;
use crate::store::{Guard, KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Peek, caught};
use crate::upkeep::Upkeep;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tokio::time::timeout;

/// Verifies API keys of one kind in a store.
#[derive(Clone)]
pub(crate) struct KeyVerifier {
    keys: Arc<ApiKeys>,
    prefix: Option<&'static [u8]>,
    store: Arc<dyn KeyStore>,
    guard: Guard,
    /// Whether the store ever has to be asked: one that has all in memory never is, and then there
    /// is nothing to guard.
    asks: Arc<AtomicBool>,
    /// `None` where no key is hashed as a password.
    hashed: Option<HashedAsPasswords>,
    /// `None` where the store cannot be written.
    upkeep: Option<KeyUpkeep>,
}

/// What is written of keys that were used.
#[derive(Clone)]
struct KeyUpkeep {
    uses: Arc<Upkeep<KeyDigest>>,
    /// From one digest to another.
    upgrades: Arc<Upkeep<(KeyDigest, KeyDigest)>>,
}

impl KeyUpkeep {
    fn new(store: Arc<dyn ManagedKeyStore>) -> Self {
        Self {
            uses: uses_written_to(Arc::clone(&store)),
            upgrades: upgrades_written_to(store),
        }
    }
}

impl KeyVerifier {
    /// `managed` is the same store, where it can be written.
    pub(crate) fn new(
        keys: Arc<ApiKeys>,
        store: Arc<dyn KeyStore>,
        managed: Option<Arc<dyn ManagedKeyStore>>,
        hashed: Option<HashedAsPasswords>,
        guard: Guard,
    ) -> Self {
        let prefix = keys.configured_prefix();
        Self {
            prefix: prefix.map(|prefix| intern::bytes(prefix.as_bytes())),
            keys,
            store,
            guard,
            asks: Arc::default(),
            hashed,
            upkeep: managed.map(KeyUpkeep::new),
        }
    }

    fn verify(&self, key: &ApiKeyCredential<'_>, attempt: &Attempt<'_>) -> Answer {
        if !self.keys.may_be(key.as_bytes()) {
            return Answer::Refused(refused("checksum"));
        }
        let now = attempt.now();
        let mut search = Search::default();
        for (tried, hash) in self.keys.hashes().iter().enumerate() {
            let digest = hash.digest(key.as_bytes());
            match caught(|| self.store.peek_key(&digest)) {
                Err(unavailable) => return Answer::Refused(unavailable),
                Ok(Peek::Found(record)) => {
                    self.guard.meter.looked_up(Cache::ApiKeys, true);
                    if let Some(record) = search.found(record, &digest, now) {
                        if record.digest.password_hash().is_some() {
                            // The record was found by the key's prefix alone. Whether this is the
                            // key is for its password hash to say.
                            return self.ask(digest, key, tried + 1, search, attempt);
                        }
                        let newest =
                            (tried > 0).then(|| self.keys.hashes()[0].digest(key.as_bytes()));
                        return Answer::Verified(self.accept(record, digest, newest, now));
                    }
                    if self.asks.load(Ordering::Relaxed) {
                        // A key that is found and refused takes the way of one that memory does not
                        // know: by the time that it takes, nobody learns that there was such a key.
                        if let Err(unavailable) = caught(|| self.store.forget_key(&digest)) {
                            return Answer::Refused(unavailable);
                        }
                        return self.ask(digest, key, tried + 1, search, attempt);
                    }
                }
                Ok(Peek::Absent) => {}
                Ok(Peek::Ask) => return self.ask(digest, key, tried + 1, search, attempt),
            }
        }
        Answer::Refused(self.refuse(search, attempt))
    }

    /// Where too many from there were wrong, a key that memory refuses is answered like one that
    /// the store would have to be asked about.
    fn refuse(&self, search: Search, attempt: &Attempt<'_>) -> Rejection {
        if self.asks.load(Ordering::Relaxed)
            && let Err(throttled) = attempt.origin().check()
        {
            return throttled;
        }
        search.refusal()
    }

    /// Asks the store for a digest, and then for those of the remaining hashes.
    fn ask(
        &self,
        digest: KeyDigest,
        key: &ApiKeyCredential<'_>,
        tried: usize,
        search: Search,
        attempt: &Attempt<'_>,
    ) -> Answer {
        self.asks.store(true, Ordering::Relaxed);
        self.guard.meter.looked_up(Cache::ApiKeys, false);
        let mut digests = vec![digest];
        digests.extend(
            self.keys.hashes()[tried..]
                .iter()
                .map(|hash| hash.digest(key.as_bytes())),
        );
        let question = Asked {
            verifier: self.clone(),
            digests,
            newest: self.keys.digest(key.expose()),
            key: self
                .hashed
                .as_ref()
                .map(|_| Secret::new(key.expose().to_owned())),
            search,
            now: attempt.now(),
        };
        Answer::Pending(Box::pin(question.answer(attempt.origin())))
    }

    /// The record of a key that somebody found, by the key itself; `None` where there is none that
    /// is still good. Nothing is counted, and no use is noted.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn find_reported(
        &self,
        key: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, Rejection> {
        // What cannot be a key asks no store: a report may be full of such.
        if !self.keys.may_be(key.as_bytes()) {
            return Ok(None);
        }
        for hash in self.keys.hashes() {
            let digest = hash.digest(key.as_bytes());
            let found = self.guard.call(self.store.find_key(&digest)).await?;
            if let Some(record) = found
                // A store finds it by its bytes. Under another algorithm the same bytes are another
                // key.
                && digest.matches(&record.digest)
                // Looked at first: a key that is dead costs no hash.
                && record.is_active(now)
                && self.is_key_of(key, &record).await?
            {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Whether a key is that of a record which was found by its digest. One that is hashed as a
    /// password was found by its prefix alone, and may be another.
    #[cfg(feature = "endpoints")]
    async fn is_key_of(&self, key: &str, record: &KeyRecord) -> Result<bool, Rejection> {
        if record.digest.password_hash().is_none() {
            return Ok(true);
        }
        match &self.hashed {
            Some(hashed) => {
                hashed
                    .fits(&Secret::new(key.to_owned()), record, None)
                    .await
            }
            None => Ok(false),
        }
    }

    /// Whoever presented a key that was found good. `newest` is what it should be found by, where
    /// that is another digest.
    #[inline]
    fn accept(
        &self,
        record: Arc<KeyRecord>,
        digest: KeyDigest,
        newest: Option<KeyDigest>,
        now: SystemTime,
    ) -> Principal {
        if let Some(upkeep) = &self.upkeep {
            if record.last_used.note(now) {
                upkeep.uses.add(digest.clone(), now);
            }
            if let Some(newest) = newest
                && !rehearsal::is_on()
            {
                // Should it fail, the next use tries again.
                upkeep.upgrades.add((digest, newest), now);
            }
        }
        Principal::from(record)
    }
}

fn uses_written_to(store: Arc<dyn ManagedKeyStore>) -> Arc<Upkeep<KeyDigest>> {
    Upkeep::new(move |uses| {
        let store = Arc::clone(&store);
        async move {
            // A use that could not be written is not worth a refusal: the next one follows in a
            // minute.
            let _ = store.note_key_uses(&uses).await;
        }
    })
}

fn upgrades_written_to(store: Arc<dyn ManagedKeyStore>) -> Arc<Upkeep<(KeyDigest, KeyDigest)>> {
    Upkeep::new(move |upgrades: Vec<((KeyDigest, KeyDigest), _)>| {
        let store = Arc::clone(&store);
        async move {
            for ((from, to), _) in upgrades {
                let _ = store.replace_key_digest(&from, to).await;
            }
        }
    })
}

impl Scheme for KeyVerifier {
    fn name(&self) -> &'static str {
        "Api-Key"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        match attempt.credential() {
            Credential::ApiKey(key) if key.has_prefix(self.prefix) => self.verify(key, attempt),
            _ => Answer::NotPresented,
        }
    }
}

/// A key that the store is asked about.
struct Asked {
    verifier: KeyVerifier,
    digests: Vec<KeyDigest>,
    /// What it should be found by, and what it is counted by.
    newest: KeyDigest,
    /// The key itself, where it may be hashed as a password.
    key: Option<Secret<String>>,
    search: Search,
    now: SystemTime,
}

impl Asked {
    async fn answer(self, origin: Origin) -> Result<Principal, Rejection> {
        match self.enter(&origin).await? {
            Some(look_up) => {
                let answer = self.find(&origin).await;
                look_up.conclude(&answer);
                answer
            }
            None => Err(self.search.refusal()),
        }
    }

    /// Waits for its turn, as long as for the store.
    async fn enter(&self, origin: &Origin) -> Result<Option<LookUp>, Rejection> {
        let turn = origin.look_up(self.newest.bytes());
        match timeout(self.verifier.guard.deadline, turn).await {
            Ok(entered) => entered,
            Err(elapsed) => Err(Rejection::unavailable("store too busy", elapsed)),
        }
    }

    async fn find(mut self, origin: &Origin) -> Result<Principal, Rejection> {
        let KeyVerifier {
            guard,
            store,
            hashed,
            ..
        } = &self.verifier;
        for digest in self.digests {
            let found = guard.call(async { store.find_key(&digest).await }).await?;
            if let Some(record) = found
                && let Some(record) = self.search.found(record, &digest, self.now)
            {
                if record.digest.password_hash().is_some() {
                    let fits = match (hashed, &self.key) {
                        (Some(hashed), Some(key)) => {
                            hashed.fits(key, &record, origin.source()).await?
                        }
                        _ => false,
                    };
                    if !fits {
                        continue;
                    }
                }
                let newest = Some(self.newest).filter(|newest| !newest.is_like(&digest));
                let digest = record.digest.clone();
                return Ok(self.verifier.accept(record, digest, newest, self.now));
            }
            // What was read may be in the memory of the store now. It lets go of it, so that the
            // next try costs what this one did.
            caught(|| store.forget_key(&digest))?;
        }
        Err(self.search.refusal())
    }
}

/// What became of the look-ups of one key.
#[derive(Default)]
struct Search(Option<Rejection>);

impl Search {
    #[inline]
    fn found(
        &mut self,
        record: Arc<KeyRecord>,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Option<Arc<KeyRecord>> {
        match judge(&record, digest, now) {
            // Found after it was refused under another hash: it stays refused. It was looked up all
            // the same, so that a revoked key costs what an unknown one does.
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
#[inline(always)] // every request with a key that is known passes here
fn judge(record: &KeyRecord, digest: &KeyDigest, now: SystemTime) -> Result<(), Rejection> {
    if !digest.matches(&record.digest) {
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
