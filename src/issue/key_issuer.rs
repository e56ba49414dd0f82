use super::KeyRequest;
use super::name::checked_name;
use crate::clock::later;
use crate::config::ConfigProblem;
use crate::event::Action;
use crate::principal::{Principal, Scope, Scopes, Subject};
use crate::random;
use crate::realm::Realm;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::api_key::{ApiKeys, KeyIds};
use crate::scheme::{HashedAsPasswords, KeyVerifier};
use crate::secret::Secret;
use crate::store::{Change, KeyDigest, KeyRecord, ManagedKeyStore, Room, StoreError, Write};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many records are asked of a store at once.
const PAGE: usize = 100;

/// How many records of what happened are.
const AUDIT_PAGE: usize = 1_000;

/// How often a key that somebody changes meanwhile is read anew.
const TRIES: usize = 10;

/// Makes, lists, rotates and revokes the API keys of one kind, and verifies them where a layer
/// accepts it. Made by [`Realm::api_keys`].
///
/// Each call but [`issue`](Self::issue) is for one owner: another owner's key is 404, like one that
/// is not there.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, KeyRequest, Realm, RejectionKind, Subject};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let (anna, ben) = (Subject::user("7"), Subject::user("8"));
/// let first = keys.issue(KeyRequest::new(anna.clone(), "ci")).await?.record;
///
/// let refusal = keys.revoke(&ben, &first.id).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::NotFound);
///
/// // Both keys work for a day, unless the former one is revoked earlier, as here.
/// let day = Duration::from_secs(24 * 60 * 60);
/// let second = keys.rotate(&anna, &first.id, day).await?.record;
/// keys.revoke(&anna, &first.id).await?;
/// let listed = keys.list(&anna).await?;
/// assert!(listed[0].revoked.is_some());
/// assert_eq!((&listed[1].id, listed[1].revoked), (&second.id, None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct KeyIssuer {
    realm: Realm,
    keys: Arc<ApiKeys>,
    verifier: Option<KeyVerifier>,
    /// On whose behalf keys are made.
    caller: Option<Principal>,
}

/// An API key that was just made: the key itself, shown this once, and the record that is kept of
/// it.
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
        KeyIssuer {
            realm: self.clone(),
            verifier: verifier(self, &keys),
            keys,
            caller: None,
        }
    }
}

/// `None` where the realm stores no keys.
fn verifier(realm: &Realm, keys: &Arc<ApiKeys>) -> Option<KeyVerifier> {
    let stores = realm.stores();
    let store = Arc::clone(stores.key_store()?);
    let managed = stores.managed_key_store().cloned();
    let hashed = hashed_as_passwords(realm, keys);
    let keys = Arc::clone(keys);
    Some(KeyVerifier::new(
        keys,
        store,
        managed,
        hashed,
        realm.guard(),
    ))
}

#[cfg(feature = "django-hashes")]
fn hashed_as_passwords(realm: &Realm, keys: &ApiKeys) -> Option<HashedAsPasswords> {
    if !keys.takes_password_hashes() {
        return None;
    }
    Some(HashedAsPasswords::new(realm.passwords().clone()))
}

#[cfg(not(feature = "django-hashes"))]
fn hashed_as_passwords(_: &Realm, _: &ApiKeys) -> Option<HashedAsPasswords> {
    None
}

impl KeyIssuer {
    pub(crate) fn realm(&self) -> &Realm {
        &self.realm
    }

    /// The same, for what a verified caller asks for, as an endpoint does.
    ///
    /// - Nothing is made or rotated unless the credential of that caller is good in the very step
    ///   in which it is written: whoever signs out, or revokes a key, stops what is under way.
    /// - A key gets no more scopes and roles than the caller has. What a key or a private token
    ///   makes does not outlive it; what a key makes has its rate, and for throttles both count as
    ///   one.
    ///
    /// ```
    /// use tower_auth::store::Memory;
    /// use tower_auth::{ApiKeys, KeyRequest, Principal, Realm, Subject};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let anna = Subject::user("anna");
    /// let caller = Principal::builder(anna.clone()).scope("reports:read").build();
    ///
    /// let request = || KeyRequest::new(anna.clone(), "ci");
    /// assert!(keys.on_behalf_of(&caller).issue(request().scope("reports:read")).await.is_ok());
    /// assert!(keys.on_behalf_of(&caller).issue(request().scope("reports:write")).await.is_err());
    /// # });
    /// ```
    pub fn on_behalf_of(&self, caller: &Principal) -> Self {
        Self {
            caller: Some(caller.clone()),
            ..self.clone()
        }
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
    /// is past, a rate that is none, or what a [caller](Self::on_behalf_of) cannot give; and where
    /// an owner has [as many](ApiKeys::per_owner) as a caller may make. 401 where
    /// that caller's credential is good no more. 503 where the store fails.
    pub async fn issue(&self, request: KeyRequest) -> Result<NewKey, Rejection> {
        let now = self.realm.now();
        let caller = self.caller.as_ref();
        request.check(caller, now)?;
        self.store()?;
        let id = self.new_id().await?;
        let (key, hint, digest) = self.keys.mint_secret()?;
        let record = request.record(caller, id, hint, digest, now);
        let insertion = Write::InsertKey(record.clone());
        let writes = self.with_room(&record.owner, self.room(now), insertion);
        self.realm.commit(caller, writes).await?.found()?;
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
        let caller = self.caller.as_ref();
        request.check(caller, now)?;
        self.store()?;
        if !self.keys.may_be(key.expose().as_bytes()) {
            let form = "The key does not have the form of these keys.";
            return Err(Rejection::invalid([FieldError::invalid("key", form)]));
        }
        let id = self.new_id().await?;
        let hint = self.keys.hint(key.expose());
        let digest = self.keys.digest(key.expose());
        let record = request.record(caller, id, hint, digest, now);
        let insertion = Write::InsertKey(record.clone());
        let writes = self.with_room(&record.owner, self.room(now), insertion);
        match self.realm.commit(caller, writes).await? {
            // Ids are never given twice, so it is the digest that is taken: this very key is there.
            Change::Exists => {
                let known = "The key is known already.";
                return Err(Rejection::invalid([FieldError::new(
                    "key", "unique", known,
                )]));
            }
            change => change.found()?,
        }
        let attempts = self.realm.attempt_guard();
        // Somebody may have tried this key before, and then it is remembered as wrong.
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
    /// A key that rotates itself ([`on_behalf_of`](Self::on_behalf_of) its own caller) may lose the
    /// answer. So it goes on working for [`ApiKeys::grace`] at least, in which it may ask
    /// again: as long as no use of the successor is known, that one gets another secret.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, or it is revoked, expired or was rotated already. 403
    /// where the [caller](Self::on_behalf_of) has less than the key: a scope, a role, or time; and
    /// where it is a key of another lineage. 401 where the caller's credential is good no more. 503
    /// where the store fails.
    pub async fn rotate(
        &self,
        owner: &Subject,
        id: &str,
        overlap: Duration,
    ) -> Result<NewKey, Rejection> {
        for _ in 0..TRIES {
            let former = self.find(owner, id).await?;
            match &self.caller {
                // A key may always rotate itself: its successor belongs to the same account and has
                // no more rights than it has.
                Some(_) if self.is_by(&former) => {}
                Some(caller) => check_may_have(caller, &former)?,
                None => {}
            }
            let now = self.realm.now();
            let (key, rotation) = match self.unseen_successor(&former, now).await? {
                Some(unseen) => self.with_another_secret(&unseen)?,
                None => self.rotation(&former, overlap, now).await?,
            };
            let Rotation { write, record } = rotation;
            let writes = self.with_room(owner, self.room(now).of_rotation(), write);
            match self.realm.commit(self.caller.as_ref(), writes).await? {
                // Somebody has changed the record meanwhile, its name or its secret, so it is read
                // anew.
                Change::Missing => {}
                change => {
                    change.found()?;
                    self.realm.tell(Action::KeyRotated, owner, Some(id))?;
                    return Ok(NewKey { key, record });
                }
            }
        }
        let contended = "the key was another one each time that it was read";
        Err(Rejection::unavailable(
            "key contended",
            StoreError::unavailable(contended),
        ))
    }

    fn room(&self, now: SystemTime) -> Room {
        Room::new(self.keys.most_per_owner(), now)
    }

    /// The condition that an owner has this room for one more key, and the change that needs it.
    /// What the application makes itself needs none.
    fn with_room(&self, owner: &Subject, room: Room, write: Write) -> Vec<Write> {
        let owner = owner.clone();
        match self.caller {
            Some(_) => vec![Write::RoomForKey { owner, room }, write],
            None => vec![write],
        }
    }

    /// Whether the caller is this key itself.
    fn is_by(&self, key: &KeyRecord) -> bool {
        match self.caller.as_ref().and_then(Principal::key) {
            Some(caller) => caller.id == key.id && caller.owner == key.owner,
            None => false,
        }
    }

    /// The successor of a key that has rotated itself and asks again, where nobody has used that
    /// one yet: the answer was lost.
    async fn unseen_successor(
        &self,
        former: &KeyRecord,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, Rejection> {
        let Some(successor) = &former.successor else {
            return Ok(None);
        };
        if !self.is_by(former) || !former.is_active(now) {
            return Ok(None);
        }
        let found = self.store()?.find_owned_key(&former.owner, successor);
        let found = self.realm.call(found).await?;
        Ok(found.filter(|successor| self.may_be_unseen(successor, now)))
    }

    fn may_be_unseen(&self, successor: &KeyRecord, now: SystemTime) -> bool {
        let age = now.duration_since(successor.created).unwrap_or_default();
        // Once somebody has used the successor, the answer was not lost, and another secret would
        // lock them out.
        let is_unseen = successor.last_used.get().is_none() && successor.successor.is_none();
        is_unseen && successor.is_active(now) && age < self.keys.rotation_grace()
    }

    /// The same record, found by another secret.
    fn with_another_secret(
        &self,
        unseen: &KeyRecord,
    ) -> Result<(Secret<String>, Rotation), Rejection> {
        let (key, hint, digest) = self.keys.mint_secret()?;
        let mut record = unseen.clone();
        record.hint = hint.into_boxed_str();
        record.digest = digest;
        let write = Write::ReplaceKey {
            former: Box::new(unseen.clone()),
            next: Box::new(record.clone()),
            successor: None,
        };
        Ok((key, Rotation { write, record }))
    }

    async fn rotation(
        &self,
        former: &KeyRecord,
        overlap: Duration,
        now: SystemTime,
    ) -> Result<(Secret<String>, Rotation), Rejection> {
        if !former.is_active(now) || former.successor.is_some() {
            return Err(Rejection::new(RejectionKind::NotFound, "rotated or over"));
        }
        // Whoever presents the key that it rotates still needs it, should the answer with the new
        // one be lost.
        let overlap = if self.is_by(former) {
            overlap.max(self.keys.rotation_grace())
        } else {
            overlap
        };
        let (key, hint, digest) = self.keys.mint_secret()?;
        let record = former.successor_of(self.new_id().await?, hint, digest, now);
        let until = later(now, overlap);
        let next = former.clone().superseded(&*record.id, until);
        let write = Write::ReplaceKey {
            former: Box::new(former.clone()),
            next: Box::new(next),
            successor: Some(Box::new(record.clone())),
        };
        Ok((key, Rotation { write, record }))
    }

    /// Revokes a key: the next request with it is refused. One that is revoked already stays so.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, 503 where the store fails.
    pub async fn revoke(&self, owner: &Subject, id: &str) -> Result<(), Rejection> {
        self.write_revoked(owner, id).await?;
        self.realm.tell(Action::KeyRevoked, owner, Some(id))
    }

    /// The same, of which nobody is told yet.
    pub(crate) async fn write_revoked(&self, owner: &Subject, id: &str) -> Result<(), Rejection> {
        let revoked = self.store()?.revoke_key(owner, id, self.realm.now());
        self.realm.change(revoked).await?.found()
    }

    /// Which scopes each good key of an owner has and has not used since then: what
    /// [`Audit::scope_uses`](crate::event::Audit::scope_uses) has kept. A key that is younger than
    /// that has had less time. Keys that use all are left out.
    ///
    /// # Errors
    ///
    /// 503 where the store fails, 500 where the realm keeps nothing of what happens.
    pub async fn unused_scopes(
        &self,
        owner: &Subject,
        since: SystemTime,
    ) -> Result<Vec<(Arc<KeyRecord>, Scopes)>, Rejection> {
        let mut used = self.used_scopes(owner, since).await?;
        let now = self.realm.now();
        let mut unused = Vec::new();
        for key in self.list(owner).await? {
            let used = used.remove(&key.id).unwrap_or_default();
            let scopes = key.scopes.iter().filter(|scope| !used.contains(*scope));
            let scopes: Scopes = scopes.collect();
            // A dead key needs no smaller grant.
            if key.is_active(now) && !scopes.is_empty() {
                unused.push((key, scopes));
            }
        }
        Ok(unused)
    }

    /// By the ids of an owner's keys.
    async fn used_scopes(
        &self,
        owner: &Subject,
        since: SystemTime,
    ) -> Result<HashMap<Box<str>, HashSet<Box<str>>>, Rejection> {
        let Some(store) = self.realm.stores().audit_store() else {
            let kind = RejectionKind::Failed;
            return Err(Rejection::new(kind, "nothing is kept of what happens"));
        };
        let mut used: HashMap<Box<str>, HashSet<Box<str>>> = HashMap::new();
        let mut last = 0;
        loop {
            let page = self
                .realm
                .call(store.list_audit(Some(last), AUDIT_PAGE))
                .await?;
            let is_last = page.len() < AUDIT_PAGE;
            for record in page {
                last = record.number;
                let is_use = *record.action == *Action::ScopeUsed.name() && record.at >= since;
                if is_use
                    && record.subject.as_ref() == Some(owner)
                    && let (Some(key), Some(scope)) = (record.target, record.scope)
                {
                    used.entry(key).or_default().insert(scope);
                }
            }
            if is_last {
                return Ok(used);
            }
        }
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

/// A rotation to be written, and the record of the key that is shown.
struct Rotation {
    write: Write,
    record: KeyRecord,
}

/// Who rotates a key is shown its successor: so they have all that it has.
fn check_may_have(caller: &Principal, key: &KeyRecord) -> Result<(), Rejection> {
    let missing: Vec<Scope> = key
        .scopes
        .iter()
        .filter(|scope| !caller.has_scope(scope))
        .map(Scope::from)
        .collect();
    if !missing.is_empty() {
        return Err(Rejection::insufficient_scope(missing));
    }
    if !key.roles.iter().all(|role| caller.has_role(role)) {
        return Err(Rejection::permission_denied("roles"));
    }
    // A credential that ends could otherwise live on in the successor of another key.
    if let Some(end) = caller.end_of_what_it_makes()
        && key.expires.is_none_or(|expires| expires > end)
    {
        return Err(Rejection::permission_denied("outlives the caller"));
    }
    match caller.key() {
        // A stolen key must not take over the owner's other keys.
        Some(own) if own.lineage() != key.lineage() => {
            Err(Rejection::permission_denied("another lineage"))
        }
        _ => Ok(()),
    }
}

impl fmt::Debug for KeyIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyIssuer").field(&self.keys).finish()
    }
}
