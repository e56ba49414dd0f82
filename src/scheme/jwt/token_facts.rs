use crate::key_set::refused;
use crate::principal::{Role, Roles, Scope, Scopes, Subject};
use crate::reject::Rejection;
use serde::de::DeserializeOwned;
use std::fmt;

/// What a genuine token of another issuer says, before it becomes a
/// [`Principal`](crate::Principal): for the function of [`Jwt::read_claims`](crate::Jwt::read_claims).
pub struct TokenFacts<'a> {
    pub(super) claims: &'a str,
    pub(super) issuer: &'a str,
    pub(super) subject: Subject,
    pub(super) scopes: Scopes,
    pub(super) roles: Roles,
}

impl TokenFacts<'_> {
    /// All claims, read into a type of the application's own.
    ///
    /// # Errors
    ///
    /// 401 where the claims do not have the form of `T`: to be handed on by `?`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Rejection> {
        serde_json::from_str(self.claims).map_err(|_| refused("claims"))
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer
    }

    /// Who it is, as far as was read.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Makes it somebody else.
    pub fn set_subject(&mut self, subject: Subject) {
        self.subject = subject;
    }

    /// The scopes that were read.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Grants a scope.
    pub fn grant_scope(&mut self, scope: impl Into<Scope>) {
        self.scopes.insert(&scope.into());
    }

    /// The roles that were read.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Gives a role.
    pub fn grant_role(&mut self, role: impl Into<Role>) {
        self.roles.insert(role.into());
    }
}

/// Never shows claims.
impl fmt::Debug for TokenFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenFacts")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("scopes", &self.scopes)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}
