use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::reject::{FieldError, Rejection};
use crate::scheme::is_reserved;
use crate::store::UserRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) const CLAIM_TAKEN: &str = "The name of this claim is taken.";

/// What [`Tokens::grant`](super::Tokens::grant) was given.
pub(super) type GrantOf = Arc<dyn Fn(&UserRecord, Grant) -> Result<Grant, Rejection> + Send + Sync>;

/// All that a user has, or what the application makes of it.
pub(super) fn granted_to(user: &UserRecord, grant: Option<&GrantOf>) -> Result<Grant, Rejection> {
    match grant {
        Some(grant) => grant(user, Grant::from(user)),
        None => Ok(Grant::from(user)),
    }
}

/// What a token that is issued says: whose it is, what it grants, and claims of your own.
///
/// ```
/// use tower_auth::{Grant, Subject};
///
/// let grant = Grant::new(Subject::user("7")).scope("reports:read");
/// let grant = grant.claim("company_id", &42).unwrap();
/// // The names that this crate writes, and those that RFC 7519 registers, are taken.
/// assert!(grant.claim("sub", &"8").is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Grant {
    pub(super) subject: Subject,
    pub(super) scopes: Scopes,
    pub(super) roles: Roles,
    pub(super) claims: Map<String, Value>,
}

impl Grant {
    /// A token of that subject, without scopes and roles.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            scopes: Scopes::default(),
            roles: Roles::default(),
            claims: Map::new(),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Grants a scope.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scopes.insert(&scope.into());
        self
    }

    /// Gives a role.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// A claim of the application's own.
    ///
    /// # Errors
    ///
    /// 400, with the claim's name as the field: it is taken, or the value cannot be written as
    /// JSON.
    pub fn claim(
        mut self,
        name: impl Into<String>,
        value: &impl Serialize,
    ) -> Result<Self, Rejection> {
        let name = name.into();
        // A claim of the application's that is called `sub` or `exp` would say what only the issuer
        // may say.
        if is_reserved(&name) {
            return Err(wrong_claim(name, CLAIM_TAKEN));
        }
        let Ok(value) = serde_json::to_value(value) else {
            return Err(wrong_claim(name, "The value cannot be written as JSON."));
        };
        self.claims.insert(name, value);
        Ok(self)
    }

    /// As text for a store, without the subject, which the store keeps beside it.
    pub(super) fn to_text(&self) -> String {
        let roles: Vec<&str> = self.roles.iter().collect();
        json!({ "scope": self.scopes.as_str(), "roles": roles, "claims": self.claims }).to_string()
    }

    /// What [`to_text`](Self::to_text) wrote.
    pub(super) fn from_text(subject: Subject, text: &str) -> Self {
        #[derive(Default, Deserialize)]
        struct Text {
            scope: String,
            roles: Vec<String>,
            claims: Map<String, Value>,
        }
        // A text that cannot be read, because somebody changed the row by hand, grants nothing.
        let Text {
            scope,
            roles,
            claims,
        } = serde_json::from_str(text).unwrap_or_default();
        let roles = roles.iter().map(String::as_str).collect();
        Self {
            subject,
            scopes: Scopes::parse(&scope),
            roles,
            claims,
        }
    }

    /// The same grant without what somebody does not have: a user who has lost it since, a caller
    /// who cannot pass it on.
    pub(crate) fn shrunk_to(mut self, scopes: &Scopes, roles: &Roles) -> Self {
        self.scopes = self
            .scopes
            .iter()
            .filter(|scope| scopes.contains(scope))
            .collect();
        self.roles = self
            .roles
            .iter()
            .filter(|role| roles.contains(role))
            .collect();
        self
    }
}

fn wrong_claim(name: String, detail: &'static str) -> Rejection {
    Rejection::invalid([FieldError::invalid(name, detail)])
}

/// All that the user has.
impl From<&UserRecord> for Grant {
    fn from(user: &UserRecord) -> Self {
        Self {
            scopes: user.scopes.clone(),
            roles: user.roles.clone(),
            ..Self::new(user.id.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_survives_its_text_and_a_broken_text_grants_nothing() {
        let grant = Grant::new(Subject::user("7"))
            .scope("a")
            .scope("b")
            .role("x \" y");
        let grant = grant.claim("company", &json!({ "id": 1 })).unwrap();
        assert_eq!(
            Grant::from_text(Subject::user("7"), &grant.to_text()),
            grant
        );
        for broken in [
            "",
            "{",
            "[]",
            "null",
            r#"{"scope":1,"roles":{},"claims":[]}"#,
        ] {
            assert_eq!(
                Grant::from_text(Subject::user("7"), broken),
                Grant::new(Subject::user("7"))
            );
        }
    }

    #[test]
    fn reserved_names_cannot_be_set() {
        for name in [
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "token_type",
            "token_use",
            "sid",
        ] {
            assert!(
                Grant::new(Subject::user("7")).claim(name, &1).is_err(),
                "{name}"
            );
        }
    }
}
