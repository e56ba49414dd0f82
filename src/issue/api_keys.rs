use super::checked_name;
use crate::event::Action;
use crate::principal::{Principal, Role, Roles, Scope, Scopes, Subject};
use crate::random;
use crate::reject::{FieldError, Rejection, RejectionKind};
use crate::scheme::{ApiKeys, KeyIds, NewKey};
use crate::store::KeyRecord;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A key that is asked for.
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyRequest {
    owner: Subject,
    name: String,
    expires: Option<SystemTime>,
    scopes: Scopes,
    roles: Roles,
    metadata: Option<String>,
    rate: Option<String>,
    has_bad_scope: bool,
}

impl KeyRequest {
    /// A key of that owner, a user or a thing of another kind, which does not expire and has no scopes.
    pub fn new(owner: Subject, name: impl Into<String>) -> Self {
        Self {
            owner,
            name: name.into(),
            expires: None,
            scopes: Scopes::default(),
            roles: Roles::default(),
            metadata: None,
            rate: None,
            has_bad_scope: false,
        }
    }

    /// When it expires.
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// A scope that it is to have.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(&scope.into());
        self
    }

    /// A scope that a client of an endpoint asks for; what is no scope-token is not granted but refused.
    #[cfg(feature = "endpoints")]
    pub(crate) fn asked_scope(mut self, scope: &str) -> Self {
        self.has_bad_scope |= !Scope::new(scope).is_token();
        self.scope(scope)
    }

    /// A role that it is to have.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// Data of the application's own, kept as JSON.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn metadata(mut self, metadata: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.metadata = Some(serde_json::to_string(metadata)?);
        Ok(self)
    }

    #[cfg(feature = "endpoints")]
    pub(crate) fn metadata_json(mut self, json: String) -> Self {
        self.metadata = Some(json);
        self
    }

    /// A rate of its own, such as `2000/day`.
    pub fn rate(mut self, rate: impl Into<String>) -> Self {
        self.rate = Some(rate.into());
        self
    }

    /// Nobody gives a key more than they have.
    fn check(&self, creator: &Principal, now: SystemTime) -> Result<(), Rejection> {
        let mut fields: Vec<FieldError> = checked_name(&self.name).err().into_iter().collect();
        if self.expires.is_some_and(|expires| expires <= now) {
            fields.push(FieldError::invalid(
                "expires_at",
                "The expiry must be in the future.",
            ));
        }
        if self.has_bad_scope || !self.scopes.iter().all(|scope| creator.has_scope(scope)) {
            fields.push(FieldError::invalid(
                "scopes",
                "A key has no more scopes than its creator.",
            ));
        }
        if !self.roles.iter().all(|role| creator.has_role(role)) {
            fields.push(FieldError::invalid(
                "roles",
                "A key has no more roles than its creator.",
            ));
        }
        if fields.is_empty() {
            Ok(())
        } else {
            Err(Rejection::invalid(fields))
        }
    }

    fn record(
        self,
        id: String,
        hint: String,
        digest: crate::store::KeyDigest,
        now: SystemTime,
    ) -> KeyRecord {
        let mut record = KeyRecord::new(id, self.owner, self.name.trim(), hint, digest, now);
        record = record.with_scopes(self.scopes);
        record = self.roles.iter().fold(record, KeyRecord::role);
        if let Some(expires) = self.expires {
            record = record.expires(expires);
        }
        if let Some(metadata) = self.metadata {
            record = record.with_metadata_json(metadata);
        }
        if let Some(rate) = self.rate {
            record.rate(rate)
        } else {
            record
        }
    }
}

/// Managing keys. Each call is for one owner: another owner's key is 404, like one that is not there.
impl ApiKeys {
    /// Makes a key and stores its record. The raw key is in the answer, and nowhere else.
    ///
    /// # Errors
    ///
    /// 400 with the field: a name that is blank, too long or has control characters, an expiry that is past, scopes or roles
    /// that the creator does not have. 503 where the store fails.
    pub async fn create(
        &self,
        request: KeyRequest,
        creator: &Principal,
        now: SystemTime,
    ) -> Result<NewKey, Rejection> {
        request.check(creator, now)?;
        let id = self.new_id(now).await?;
        let (key, hint, digest) = self.mint_secret()?;
        let record = request.record(id, hint, digest, now);
        self.guard()
            .change(self.store().insert_key(record.clone(), now))
            .await?
            .found()?;
        self.events
            .tell(Action::KeyCreated, now, record.owner(), Some(record.id()))?;
        Ok(NewKey::new(key, record))
    }

    /// The keys of an owner, oldest first, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// 503 where the store fails.
    pub async fn list(
        &self,
        owner: &Subject,
        now: SystemTime,
    ) -> Result<Vec<Arc<KeyRecord>>, Rejection> {
        self.guard().call(self.store().list_keys(owner, now)).await
    }

    /// A key by its id.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, 503 where the store fails.
    pub async fn find(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<Arc<KeyRecord>, Rejection> {
        let found = self
            .guard()
            .call(self.store().find_owned_key(owner, id, now))
            .await?;
        found.ok_or_else(|| Rejection::new(RejectionKind::NotFound, "missing"))
    }

    /// Gives a key another name.
    ///
    /// # Errors
    ///
    /// 400 where the name cannot be one, 404 where the owner has no such key, 503 where the store fails.
    pub async fn rename(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        checked_name(name).map_err(|field| Rejection::invalid([field]))?;
        let renamed = self.store().rename_key(owner, id, name.trim(), now);
        self.guard().change(renamed).await?.found()?;
        self.events.tell(Action::KeyRenamed, now, owner, Some(id))
    }

    /// Makes a successor of a key, with the same name, scopes, roles, metadata, rate and expiry. The key itself goes on working for
    /// `overlap`, but never past its own expiry; for throttles both count as one.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, or it is revoked, expired or was rotated already. 503 where the store fails.
    pub async fn rotate(
        &self,
        owner: &Subject,
        id: &str,
        overlap: Duration,
        now: SystemTime,
    ) -> Result<NewKey, Rejection> {
        let former = self.find(owner, id, now).await?;
        let (key, hint, digest) = self.mint_secret()?;
        let successor = former.successor_of(self.new_id(now).await?, hint, digest, now);
        let until = now.checked_add(overlap).unwrap_or(now);
        let rotated = self
            .store()
            .rotate_key(owner, id, successor.clone(), until, now);
        self.guard().change(rotated).await?.found()?;
        self.events.tell(Action::KeyRotated, now, owner, Some(id))?;
        Ok(NewKey::new(key, successor))
    }

    /// Revokes a key: the next request with it is refused. One that is revoked already stays so.
    ///
    /// # Errors
    ///
    /// 404 where the owner has no such key, 503 where the store fails.
    pub async fn revoke(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        self.guard()
            .change(self.store().revoke_key(owner, id, now))
            .await?
            .found()?;
        self.events.tell(Action::KeyRevoked, now, owner, Some(id))
    }

    async fn new_id(&self, now: SystemTime) -> Result<String, Rejection> {
        Ok(match self.id_form() {
            KeyIds::Random => random::id()?,
            KeyIds::Uuid => random::uuid()?,
            KeyIds::Serial => self
                .guard()
                .call(self.store().next_key_number(now))
                .await?
                .to_string(),
        })
    }
}
