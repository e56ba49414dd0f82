use super::BuiltRotation;
use super::held_keys::{HeldKey, HeldKeys};
use super::rotation_error::RotationError;
use super::schedule::{Schedule, Step, Times};
use crate::clock::unix_seconds;
use crate::config::ConfigError;
use crate::event::{Action, Events, signing_keys_not_written};
use crate::key_set::{
    JwtAlgorithm, JwtKey, KeySet, KeySource, KeySourceError, Loaded, Opened, Seal, Signer,
    SigningKey, new_pair,
};
use crate::store::{Change, Guard, SigningKeyRecord, SigningKeyStore};
use async_trait::async_trait;
use serde_json::json;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How often the keys are read anew because another node was quicker. Each time somebody has got
/// on.
const TRIES: usize = 20;

/// How soon what could not be written is tried again, where it can wait.
const SOON: Duration = Duration::from_secs(60);

/// The keys of one issuer in the store that its nodes share.
///
/// Who loads them does what the schedule asks for: it makes the next key, keeps one for longer,
/// seals anew, and removes what is over. Each is one call of the store that another node may win
/// or take over half-way, and after each the keys are read again.
pub(in crate::issue) struct StoredKeys {
    issuer: String,
    algorithm: JwtAlgorithm,
    schedule: Schedule,
    seal: Seal,
    store: Arc<dyn SigningKeyStore>,
    guard: Guard,
    events: Events,
    /// Keys that verify besides, and are the operator's.
    others: Vec<JwtKey>,
    /// Written by who loads, one at a time, and held for a copy of a handle.
    held: RwLock<Arc<HeldKeys>>,
}

/// Whether the keys have to be read again.
enum Settled {
    Yes,
    No,
}

impl StoredKeys {
    pub(in crate::issue) fn new(
        issuer: &str,
        rotation: BuiltRotation,
        store: Arc<dyn SigningKeyStore>,
        guard: Guard,
        events: Events,
    ) -> Self {
        Self {
            issuer: issuer.to_owned(),
            algorithm: rotation.algorithm,
            schedule: rotation.schedule,
            seal: rotation.seal,
            store,
            guard,
            events,
            others: Vec::new(),
            held: RwLock::default(),
        }
    }

    /// The same, with keys of the operator's that verify as well.
    pub(in crate::issue) fn beside(mut self, others: Vec<JwtKey>) -> Self {
        self.others = others;
        self
    }

    /// Who signs now, as far as is known without asking the store.
    pub(in crate::issue) fn signer(&self, now: SystemTime) -> Option<Arc<Signer>> {
        self.held().signer(&self.schedule, now).map(Arc::clone)
    }

    /// The JWK set as it was read last.
    pub(in crate::issue) fn jwks(&self) -> Vec<u8> {
        self.held().jwks(&self.others)
    }

    /// How long others may keep it.
    pub(in crate::issue) fn cached_for(&self) -> Duration {
        self.schedule.cached_for()
    }

    fn held(&self) -> Arc<HeldKeys> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&held)
    }

    /// Reads the keys, and does what is to be done until nothing is.
    async fn settle(&self, now: SystemTime) -> Result<(HeldKeys, Duration), RotationError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let records = self.list().await?;
            let keys = self.open(&records, now)?;
            let fresh_for = self.schedule.fresh_for(keys.all(), now);
            let error = match self.advance(&records, &keys, now).await {
                Ok(Settled::Yes) => return Ok((keys, fresh_for)),
                Ok(Settled::No) if tries < TRIES => continue,
                Ok(Settled::No) => RotationError::Contended,
                Err(error) => error,
            };
            if keys.signer(&self.schedule, now).is_none() {
                return Err(error);
            }
            // What cannot be written now can wait for as long as a key signs.
            signing_keys_not_written(&self.issuer, &error);
            return Ok((keys, fresh_for.min(SOON)));
        }
    }

    async fn list(&self) -> Result<Vec<Arc<SigningKeyRecord>>, RotationError> {
        let listed = self.store.list_signing_keys(&self.issuer);
        self.guard.call(listed).await.map_err(RotationError::Store)
    }

    /// Opens all keys but those that are to be forgotten. One that was opened before is not opened
    /// again.
    fn open(
        &self,
        records: &[Arc<SigningKeyRecord>],
        now: SystemTime,
    ) -> Result<HeldKeys, RotationError> {
        let held = self.held();
        let mut keys = Vec::new();
        for record in records {
            if record.forgotten_at <= now {
                continue;
            }
            keys.push(match held.opened(record) {
                Some(key) => key.clone(),
                None => self.open_one(record)?,
            });
        }
        Ok(HeldKeys::new(keys))
    }

    fn open_one(&self, record: &Arc<SigningKeyRecord>) -> Result<HeldKey, RotationError> {
        let opened = self.opened(record)?;
        let Some(signer) = signer_of(record, opened.secret.expose()) else {
            let (issuer, id) = names(record);
            return Err(RotationError::NoKey { issuer, id });
        };
        Ok(HeldKey {
            record: Arc::clone(record),
            signer: Arc::new(signer),
            is_sealed_anew: opened.is_current,
        })
    }

    fn opened(&self, record: &SigningKeyRecord) -> Result<Opened, RotationError> {
        let opened = self.seal.open(&about(record), &record.sealed);
        opened.ok_or_else(|| {
            let (issuer, id) = names(record);
            RotationError::Sealed { issuer, id }
        })
    }

    /// Does one thing that is to be done, if any is.
    async fn advance(
        &self,
        records: &[Arc<SigningKeyRecord>],
        keys: &HeldKeys,
        now: SystemTime,
    ) -> Result<Settled, RotationError> {
        if let Some(stale) = keys.all().iter().find(|key| !key.is_sealed_anew) {
            let next = SigningKeyRecord::clone(&stale.record);
            self.replace(&stale.record, next).await?;
            return Ok(Settled::No);
        }
        match self.schedule.step(keys.all(), now) {
            Some(Step::Make(times)) => {
                let newest = records.last().map_or(0, |newest| newest.serial);
                self.make(newest.saturating_add(1), times).await?;
                Ok(Settled::No)
            }
            Some(Step::KeepUntil { at, forgotten_at }) => {
                if let Some(key) = keys.all().get(at) {
                    let next = SigningKeyRecord::clone(&key.record).forgotten_at(forgotten_at);
                    self.replace(&key.record, next).await?;
                }
                Ok(Settled::No)
            }
            None => {
                self.forget(records, now).await?;
                Ok(Settled::Yes)
            }
        }
    }

    /// Makes a key and adds it, unless another node was quicker: then that one's is taken.
    async fn make(&self, serial: u32, times: Times) -> Result<(), RotationError> {
        let algorithm = self.algorithm;
        // On a thread of its own: an RSA key takes up to a second, in which nothing else of this
        // thread would go on.
        let made = tokio::task::spawn_blocking(move || {
            let document = new_pair(algorithm)?;
            let signer = SigningKey::pkcs8_der(algorithm, document.expose()).build();
            Ok((document, signer))
        });
        let made = made.await.map_err(RotationError::Ended)?;
        let (document, signer) = made.map_err(RotationError::NewPair)?;
        let signer = signer.map_err(RotationError::Unsound)?;
        let id = signer.id().unwrap_or_default();
        let mut record = SigningKeyRecord::new(
            &*self.issuer,
            serial,
            id,
            algorithm.name(),
            [],
            times.created,
        )
        .signs(times.signs_from, times.signs_until)
        .forgotten_at(times.forgotten_at);
        record.sealed = self.sealed(&record, document.expose())?;
        let inserted = self.store.insert_signing_key(record);
        let inserted = self.guard.change(inserted).await;
        // Where another node was quicker with this serial number, its key is read next, and that
        // node has told of it.
        if let Change::Made(()) = inserted.map_err(RotationError::Store)? {
            self.tell(Action::SigningKeyCreated, times.created, id);
        }
        Ok(())
    }

    /// Puts a record in the place of one that is still as it was read, sealed anew.
    async fn replace(
        &self,
        former: &SigningKeyRecord,
        mut next: SigningKeyRecord,
    ) -> Result<(), RotationError> {
        let opened = self.opened(former)?;
        next.sealed = self.sealed(&next, opened.secret.expose())?;
        let replaced = self.store.replace_signing_key(former, next);
        // Where another node was quicker, its record is read next.
        let replaced = self.guard.change(replaced).await;
        replaced.map(drop).map_err(RotationError::Store)
    }

    fn sealed(
        &self,
        record: &SigningKeyRecord,
        document: &[u8],
    ) -> Result<Box<[u8]>, RotationError> {
        let sealed = self.seal.seal(&about(record), document);
        let sealed = sealed.map_err(RotationError::Seal)?;
        Ok(sealed.into_boxed_slice())
    }

    /// Removes the keys whose last token has expired.
    async fn forget(
        &self,
        records: &[Arc<SigningKeyRecord>],
        now: SystemTime,
    ) -> Result<(), RotationError> {
        let mut over = Vec::new();
        for record in records {
            if record.forgotten_at <= now {
                over.push(record);
            }
        }
        if over.is_empty() {
            return Ok(());
        }
        let forgotten = self.store.forget_signing_keys(&self.issuer, now);
        let forgotten = self.guard.call(forgotten).await;
        // Where another node did it, that one has told.
        let count = forgotten.map_err(RotationError::Store)?;
        for record in over.into_iter().take(count) {
            self.tell(Action::SigningKeyRemoved, now, &record.id);
        }
        Ok(())
    }

    /// It has happened: a hook that panics changes nothing of it, and is logged.
    fn tell(&self, action: Action, at: SystemTime, id: &str) {
        let _ = self
            .events
            .tell_of_signing_key(action, at, &self.issuer, id);
    }
}

#[async_trait]
impl KeySource for StoredKeys {
    async fn load(&self, now: SystemTime) -> Result<Loaded, KeySourceError> {
        let settled = self.settle(now).await;
        let (keys, fresh_for) =
            settled.map_err(|error| KeySourceError::because("the keys in the store", error))?;
        // With a set that has not changed, what it verified need not be verified again.
        let set = if keys.are_those_of(&self.held()) {
            None
        } else {
            Some(self.key_set(&keys)?)
        };
        // Last: where the keys make no set, the former ones go on signing and verifying.
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(Loaded {
            keys: set,
            fresh_for: Some(fresh_for),
        })
    }

    fn name(&self) -> &str {
        &self.issuer
    }
}

impl StoredKeys {
    fn key_set(&self, keys: &HeldKeys) -> Result<KeySet, KeySourceError> {
        let mut all: Vec<JwtKey> = keys.verifying_keys().collect();
        all.extend_from_slice(&self.others);
        KeySet::build(&all).map_err(|problems| {
            let error = ConfigError::of(problems);
            KeySourceError::because("the keys in the store are no set", error)
        })
    }
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKeys")
            .field("issuer", &self.issuer)
            .field("algorithm", &self.algorithm)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

/// All that is said of a key, which is sealed with it: whoever can write it in the store cannot put
/// another key in its place, nor give it other times.
fn about(record: &SigningKeyRecord) -> Vec<u8> {
    let times = [
        record.created,
        record.signs_from,
        record.signs_until,
        record.forgotten_at,
    ]
    .map(unix_seconds);
    let about = json!([
        record.issuer,
        record.serial,
        record.id,
        record.algorithm,
        times
    ]);
    about.to_string().into_bytes()
}

/// The key of a document, if it is that of the record.
fn signer_of(record: &SigningKeyRecord, document: &[u8]) -> Option<Signer> {
    let algorithm = JwtAlgorithm::named(&record.algorithm)?;
    let signer = SigningKey::pkcs8_der(algorithm, document).build().ok()?;
    let is_its = signer.id() == Some(&*record.id);
    if is_its { Some(signer) } else { None }
}

fn names(record: &SigningKeyRecord) -> (String, String) {
    (record.issuer.to_string(), record.id.to_string())
}
