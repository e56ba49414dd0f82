use crate::principal::{Roles, Scopes};

/// What is to change of a user; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserChange {
    /// All names to sign in by, in place of those before.
    pub names: Option<Vec<String>>,
    /// The profile, JSON text.
    pub profile: Option<String>,
    /// Whether the user may sign in.
    pub active: Option<bool>,
    /// All scopes, in place of those before.
    pub scopes: Option<Scopes>,
    /// All roles, in place of those before.
    pub roles: Option<Roles>,
}
