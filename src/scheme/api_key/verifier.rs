use super::api_keys::ApiKeys;
use crate::attempt::Attempt;
use crate::credential::{ApiKeyCredential, Credential};
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::{Answer, Scheme};
use crate::store::{Guard, KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Peek, caught};
use crate::upkeep::Upkeep;
use std::sync::Arc;
use std::time::SystemTime;

/// Verifies API keys of one kind in a store.
#[derive(Clone)]
pub(crate) struct KeyVerifier {
    keys: Arc<ApiKeys>,
    store: Arc<dyn KeyStore>,
    guard: Guard,
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

impl KeyVerifier {
    /// `managed` is the same store, where it can be written.
    pub(crate) fn new(
        keys: Arc<ApiKeys>,
        store: Arc<dyn KeyStore>,
        managed: Option<Arc<dyn ManagedKeyStore>>,
        guard: Guard,
    ) -> Self {
        Self {
            keys,
            store,
            guard,
            upkeep: managed.map(|store| KeyUpkeep {
                uses: uses_written_to(Arc::clone(&store)),
                upgrades: upgrades_written_to(store),
            }),
        }
    }

    fn verify(&self, key: &ApiKeyCredential<'_>, now: SystemTime) -> Answer {
        if !self.keys.may_be(key.as_bytes()) {
            return Answer::Refused(refused("checksum"));
        }
        let mut search = Search::default();
        for (tried, hash) in self.keys.hashes().iter().enumerate() {
            let digest = hash.digest(key.as_bytes());
            match caught(|| self.store.peek_key(&digest)) {
                Err(unavailable) => return Answer::Refused(unavailable),
                Ok(Peek::Found(record)) => {
                    if let Some(record) = search.found(record, &digest, now) {
                        let newest =
                            (tried > 0).then(|| self.keys.hashes()[0].digest(key.as_bytes()));
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
            self.keys.hashes()[tried..]
                .iter()
                .map(|hash| hash.digest(key.as_bytes())),
        );
        let newest = self.keys.digest(key.expose());
        let verifier = self.clone();
        Answer::Pending(Box::pin(async move {
            for digest in digests {
                let found = verifier
                    .guard
                    .call(async { verifier.store.find_key(&digest).await })
                    .await?;
                if let Some(record) = found.and_then(|record| search.found(record, &digest, now)) {
                    let newest = Some(newest).filter(|newest| !newest.is_like(&digest));
                    return Ok(verifier.accept(record, digest, newest, now));
                }
            }
            Err(search.refusal())
        }))
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
            if let Some(newest) = newest {
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
            Credential::ApiKey(key) if key.has_prefix(self.keys.configured_prefix()) => {
                self.verify(key, attempt.now())
            }
            _ => Answer::NotPresented,
        }
    }
}

/// What became of the look-ups of one key.
///
/// A key that is found and refused is looked for under the remaining hashes too, so that a revoked
/// one costs what an unknown one does; whatever is found there, it stays refused.
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
