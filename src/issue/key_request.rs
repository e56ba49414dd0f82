use super::name::checked_name;
use crate::principal::{Principal, Role, Roles, Scope, Scopes, Subject};
use crate::rate::{Rate, RateError};
use crate::reject::{FieldError, Rejection};
use crate::store::{KeyDigest, KeyRecord};
use serde::Serialize;
use std::time::SystemTime;

/// An API key that is asked for: whose it is to be, what it is called, and what it may do.
///
/// ```
/// use std::time::UNIX_EPOCH;
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, KeyRequest, Realm, Subject};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let request = KeyRequest::new(Subject::user("7"), "ci").scope("reports:read").rate("2000/day");
/// let new = keys.issue(request.clone()).await?;
/// assert!(new.record.scopes.contains("reports:read"));
///
/// // What is wrong with a request is told when the key is to be made, all of it.
/// let wrong = request.rate("10/month").expires(UNIX_EPOCH);
/// let refusal = keys.issue(wrong).await.unwrap_err();
/// let fields: Vec<&str> = refusal.fields().iter().map(|field| field.field()).collect();
/// assert_eq!(fields, ["expires_at", "rate"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyRequest {
    owner: Subject,
    name: String,
    expires: Option<SystemTime>,
    scopes: Scopes,
    roles: Roles,
    metadata: Option<String>,
    rate: Option<Result<Rate, RateError>>,
    has_bad_scope: bool,
}

impl KeyRequest {
    /// A key of that owner, a user or a thing of another kind, which does not expire and has no
    /// scopes.
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

    /// A scope that a client of an endpoint asks for; what is no scope-token is not granted but
    /// refused.
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

    /// A rate of its own, such as `2000/day`, for a throttle that reads it from records.
    pub fn rate(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.rate = Some(rate.try_into().map_err(Into::into));
        self
    }

    /// What is wrong with it. Nobody gives a key more than they have. Without a creator it is the
    /// application itself that makes the key, which may grant anything.
    pub(super) fn check(
        &self,
        creator: Option<&Principal>,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let mut fields = Vec::new();
        if let Err(field) = checked_name(&self.name) {
            fields.push(field);
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            let past = "The expiry must be in the future.";
            fields.push(FieldError::invalid("expires_at", past));
        }
        if creator.is_some_and(|creator| self.outlives(creator)) {
            let later = "A key does not outlive the credential that makes it.";
            fields.push(FieldError::invalid("expires_at", later));
        }
        if self.has_bad_scope || !self.has_only_scopes_of(creator) {
            let more = "A key has no more scopes than its creator.";
            fields.push(FieldError::invalid("scopes", more));
        }
        if !self.has_only_roles_of(creator) {
            let more = "A key has no more roles than its creator.";
            fields.push(FieldError::invalid("roles", more));
        }
        if let Some(Err(error)) = &self.rate {
            fields.push(FieldError::invalid("rate", error.to_string()));
        }
        if creator.is_some_and(|creator| self.escapes_the_rate_of(creator)) {
            let other = "A key has the rate of the key that makes it.";
            fields.push(FieldError::invalid("rate", other));
        }
        if fields.is_empty() {
            Ok(())
        } else {
            Err(Rejection::invalid(fields))
        }
    }

    fn outlives(&self, creator: &Principal) -> bool {
        match (self.expires, creator.end_of_what_it_makes()) {
            // Without an expiry of its own it gets that of its creator below, so it does not
            // outlive it.
            (Some(expires), Some(end)) => expires > end,
            _ => false,
        }
    }

    fn escapes_the_rate_of(&self, creator: &Principal) -> bool {
        let own = creator.key().and_then(|key| key.rate);
        match (&self.rate, own) {
            (Some(Ok(rate)), Some(own)) => *rate != own,
            _ => false,
        }
    }

    fn has_only_scopes_of(&self, creator: Option<&Principal>) -> bool {
        match creator {
            Some(creator) => self.scopes.iter().all(|scope| creator.has_scope(scope)),
            None => true,
        }
    }

    fn has_only_roles_of(&self, creator: Option<&Principal>) -> bool {
        match creator {
            Some(creator) => self.roles.iter().all(|role| creator.has_role(role)),
            None => true,
        }
    }

    /// The record of a request that was found sound. What a key makes is of its lineage, has its
    /// rate and ends with it: so it escapes no limit by making another.
    pub(super) fn record(
        self,
        creator: Option<&Principal>,
        id: String,
        hint: String,
        digest: KeyDigest,
        now: SystemTime,
    ) -> KeyRecord {
        let mut record = KeyRecord::new(id, self.owner, self.name.trim(), hint, digest, now);
        record.scopes = self.scopes;
        record.roles = self.roles;
        record.expires = self.expires;
        record.metadata = self.metadata.map(String::into_boxed_str);
        record.rate = self.rate.and_then(Result::ok);
        if let Some(creator) = creator {
            // What a key or a private token makes ends with it at the latest. A stolen one must not
            // prolong itself.
            record.expires = record.expires.or(creator.end_of_what_it_makes());
            if let Some(key) = creator.key() {
                record.rate = record.rate.or(key.rate);
                // Throttles count by the lineage, so both share one limit.
                record.first = Some(key.lineage().into());
            }
        }
        record
    }
}
