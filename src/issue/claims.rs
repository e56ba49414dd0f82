use super::Grant;
use crate::clock::unix_seconds;
#[cfg(feature = "endpoints")]
use crate::principal::{Roles, Scopes};
use crate::principal::{Subject, TokenUse};
#[cfg(feature = "endpoints")]
use crate::store::TakenRights;
use serde_json::{Map, Value};
use std::time::SystemTime;

/// What every token of an issuer says alike, and what the configurable claims are called.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) issuer: String,
    pub(super) audience: Option<String>,
    pub(super) scopes: String,
    pub(super) roles: String,
}

/// What one token says besides.
#[derive(Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) is: TokenUse,
    pub(super) subject: &'a Subject,
    pub(super) id: &'a str,
    pub(super) family: Option<&'a str>,
    pub(super) issued: SystemTime,
    pub(super) expires: SystemTime,
}

impl Names {
    /// Takes out of what a token says the rights that its user has lost since.
    #[cfg(feature = "endpoints")]
    pub(super) fn take(&self, taken: &TakenRights, claims: &mut Map<String, Value>) {
        // In the form in which `grant` has written them. A claim of another form was written by
        // nobody here.
        if let Some(Value::String(scopes)) = claims.get(&self.scopes)
            && let Some(left) = taken.without_scopes(&Scopes::parse(scopes))
        {
            claims.insert(self.scopes.clone(), left.as_str().into());
        }
        if let Some(Value::Array(roles)) = claims.get(&self.roles) {
            let roles: Roles = roles.iter().filter_map(Value::as_str).collect();
            if let Some(left) = taken.without_roles(&roles) {
                let left: Vec<&str> = left.iter().collect();
                claims.insert(self.roles.clone(), left.into());
            }
        }
    }

    /// Says what is granted.
    pub(super) fn grant(&self, grant: &Grant, claims: &mut Map<String, Value>) {
        if !grant.scopes.is_empty() {
            claims.insert(self.scopes.clone(), grant.scopes.as_str().into());
        }
        if grant.roles.iter().next().is_some() {
            let roles: Vec<&str> = grant.roles.iter().collect();
            claims.insert(self.roles.clone(), roles.into());
        }
    }

    /// The payload (RFC 7519 §4.1).
    pub(super) fn payload(&self, stamp: Stamp<'_>, grant: &Grant) -> Vec<u8> {
        let mut claims = match stamp.is {
            // It is for us alone: what it grants stands in the store, and may have become less when
            // it is presented.
            TokenUse::Refresh => Map::new(),
            TokenUse::Access | TokenUse::Private => grant.claims.clone(),
        };
        // These come after the application's own claims, so that none of them stands in the place
        // of one of these.
        set(&mut claims, "token_type", stamp.is.name());
        set(&mut claims, "iss", self.issuer.as_str());
        set(&mut claims, "sub", stamp.subject.to_string());
        set(&mut claims, "jti", stamp.id);
        set(&mut claims, "iat", unix_seconds(stamp.issued));
        set(&mut claims, "exp", unix_seconds(stamp.expires));
        if let Some(audience) = &self.audience {
            set(&mut claims, "aud", audience.as_str());
        }
        if let Some(family) = stamp.family {
            set(&mut claims, "sid", family);
        }
        if stamp.is != TokenUse::Refresh {
            self.grant(grant, &mut claims);
        }
        // OK because a map of JSON values has only text for keys, and so can always be written.
        serde_json::to_vec(&claims).unwrap_or_default()
    }
}

fn set(claims: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    claims.insert(name.to_owned(), value.into());
}
