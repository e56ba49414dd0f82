use crate::principal::{Roles, Scopes};

/// What is to change of a user; what is `None` stays as it is.
///
/// ```
/// use tower_auth::store::UserChange;
///
/// let mut change = UserChange::default();
/// change.scopes = Some(["reports:read"].into_iter().collect());
/// assert!(change.roles.is_none()); // they stay
/// ```
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
