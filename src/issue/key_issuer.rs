use super::KeyRequest;
use super::name::checked_name;
use crate::config::ConfigProblem;
use crate::event::Action;
use crate::principal::Subject;
use crate::random;
use crate::realm::Realm;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::{ApiKeys, KeyIds, KeyVerifier};
use crate::secret::Secret;
use crate::store::{Change, KeyDigest, KeyRecord, ManagedKeyStore};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How many records are asked of a store at once.
const PAGE: usize = 100;

/// Makes, lists, rotates and revokes the API keys of one kind, and verifies them where a layer
/// accepts it. Made by [`Realm::api_keys`].
///
/// Each call but [`issue`](Self::issue) is for one owner: another owner's key is 404, like one that
/// is not there.
#[derive(Clone)]
#[must_use]
pub struct KeyIssuer {
    realm: Realm,
    keys: Arc<ApiKeys>,
    verifier: Option<KeyVerifier>,
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

impl Realm {
    /// The API keys of one kind in this realm's store.
    ///
    /// Mistakes in the configuration, and a realm without a store of keys, are reported by the
    /// layer or the endpoints that are built with it.
    pub fn api_keys(&self, keys: ApiKeys) -> KeyIssuer {
        let keys = Arc::new(keys);
        let stores = self.stores();
        let verifier = match stores.key_store() {
            Some(store) => {
                let store = Arc::clone(store);
                let managed = stores.managed_key_store().cloned();
                let verifier = KeyVerifier::new(Arc::clone(&keys), store, managed, self.guard());
                Some(verifier)
            }
            None => None,
        };
        KeyIssuer {
            realm: self.clone(),
            keys,
            verifier,
        }
    }
}

impl KeyIssuer {
    pub(crate) fn realm(&self) -> &Realm {
        &self.realm
    }

    pub(crate) fn keys(&self) -> &ApiKeys {
        &self.keys
    }

    pub(crate) fn verifier(&self) -> Option<&KeyVerifier> {
        self.verifier.as_ref()
    }

    pub(crate) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = self.keys.problems();
        if self.verifier.is_none() {
            problems.push(ConfigProblem::NoStore("API keys"));
        }
        problems
    }

    fn store(&self) -> Result<&Arc<dyn ManagedKeyStore>, Rejection> {
        let store = self.realm.stores().managed_key_store();
        store
            .ok_or_else(|| Rejection::misconfigured("the realm has no store that manages API keys"))
    }

    /// What a key of another origin is stored and found by, to make a [`KeyRecord`] of it.
    #[must_use]
    pub fn digest(&self, key: &str) -> KeyDigest {
        self.keys.digest(key)
    }

    /// Makes a key and stores its record. The raw key is in the answer, and nowhere else.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name that is blank, too long or has control characters, an expiry that
    /// is past, a rate that is none, scopes or roles that the
    /// [creator](KeyRequest::created_by) does not have. 503 where the store fails.
    pub async fn issue(&self, request: KeyRequest) -> Result<NewKey, Rejection> {
        let now = self.realm.now();
        request.check(now)?;
        let id = self.new_id().await?;
        let (key, hint, digest) = self.keys.mint_secret()?;
        let record = request.record(id, hint, digest, now);
        let inserted = self.store()?.insert_key(record.clone());
        self.realm.change(inserted).await?.found()?;
        self.realm
            .tell(Action::KeyCreated, &record.owner, Some(&record.id))?;
        Ok(NewKey { key, record })
    }

    /// Stores the record of a key that another system made, or that comes from a configuration.
    /// Keys of a foreign format need [`ApiKeys::opaque`].
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue), and 400 (`key`) where the key has not the form that these keys
    /// have, or is known already.
    pub async fn import(
        &self,
        key: &Secret<String>,
        request: KeyRequest,
    ) -> Result<KeyRecord, Rejection> {
        let now = self.realm.now();
        request.check(now)?;
        if !self.keys.may_be(key.expose().as_bytes()) {
            let form = "The key does not have the form of these keys.";
            return Err(Rejection::invalid([FieldError::invalid("key", form)]));
        }
        let id = self.new_id().await?;
        let hint = self.keys.hint(key.expose());
        let record = request.record(id, hint, self.keys.digest(key.expose()), now);
        let inserted = self.store()?.insert_key(record.clone());
        match self.realm.change(inserted).await? {
            Change::Exists => {
                let known = "The key is known already.";
                return Err(Rejection::invalid([FieldError::new(
                    "key", "unique", known,
                )]));
            }
            change => change.found()?,
        }
        let attempts = self.realm.attempt_guard();
        attempts.key_came_to_be(record.digest.bytes());
        self.realm
            .tell(Action::KeyCreated, &record.owner, Some(&record.id))?;
        Ok(record)
    }

    /// The keys of an owner, oldest first, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn list(&self, owner: &Subject) -> Result<Vec<Arc<KeyRecord>>, Rejection> {
        let mut all: Vec<Arc<KeyRecord>> = Vec::new();
        loop {
            let after = all.last().map(|last| &**last);
            let listed = self.store()?.list_keys(owner, after, PAGE);
            let page = self.realm.call(listed).await?;
            let is_last = page.len() < PAGE;
            all.extend(page);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// A key by its id.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, 503 where the store fails.
    pub async fn find(&self, owner: &Subject, id: &str) -> Result<Arc<KeyRecord>, Rejection> {
        let found = self.store()?.find_owned_key(owner, id);
        let found = self.realm.call(found).await?;
        found.ok_or_else(|| Rejection::new(RejectionKind::NotFound, "missing"))
    }

    /// Gives a key another name.
    ///
    /// # Errors
    ///
    /// 400 where the name cannot be one, 404 where the owner has no such key, 503 where the store
    /// fails.
    pub async fn rename(&self, owner: &Subject, id: &str, name: &str) -> Result<(), Rejection> {
        checked_name(name).map_err(|field| Rejection::invalid([field]))?;
        let renamed = self.store()?.rename_key(owner, id, name.trim());
        self.realm.change(renamed).await?.found()?;
        self.realm.tell(Action::KeyRenamed, owner, Some(id))
    }

    /// Makes a successor of a key, with the same name, scopes, roles, metadata, rate and expiry.
    /// The key itself goes on working for `overlap`, but never past its own expiry; for
    /// throttles both count as one.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, or it is revoked, expired or was rotated already. 503
    /// where the store fails.
    pub async fn rotate(
        &self,
        owner: &Subject,
        id: &str,
        overlap: Duration,
    ) -> Result<NewKey, Rejection> {
        let former = self.find(owner, id).await?;
        let (key, hint, digest) = self.keys.mint_secret()?;
        let now = self.realm.now();
        let successor = former.successor_of(self.new_id().await?, hint, digest, now);
        let until = now.checked_add(overlap).unwrap_or(now);
        let rotated = self
            .store()?
            .rotate_key(owner, id, successor.clone(), until, now);
        self.realm.change(rotated).await?.found()?;
        self.realm.tell(Action::KeyRotated, owner, Some(id))?;
        Ok(NewKey {
            key,
            record: successor,
        })
    }

    /// Revokes a key: the next request with it is refused. One that is revoked already stays so.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, 503 where the store fails.
    pub async fn revoke(&self, owner: &Subject, id: &str) -> Result<(), Rejection> {
        let revoked = self.store()?.revoke_key(owner, id, self.realm.now());
        self.realm.change(revoked).await?.found()?;
        self.realm.tell(Action::KeyRevoked, owner, Some(id))
    }

    async fn new_id(&self) -> Result<String, Rejection> {
        Ok(match self.keys.id_form() {
            KeyIds::Random => random::id()?,
            KeyIds::Uuid => random::uuid()?,
            KeyIds::Serial => {
                let number = self.store()?.next_key_number();
                self.realm.call(number).await?.to_string()
            }
        })
    }
}

impl fmt::Debug for KeyIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyIssuer").field(&self.keys).finish()
    }
}
