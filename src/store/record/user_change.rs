use crate::principal::{Roles, Scopes};

/// What is to change of a user; what is `None` stays as it is.
///
/// ```
/// use tower_auth::Subject;
/// use tower_auth::store::{UserChange, UserRecord};
///
/// let anna = UserRecord::new(Subject::user("7"), "anna").scope("reports:read").role("editor");
/// let mut change = UserChange::default();
/// change.scopes = Some(["reports:write"].into_iter().collect());
/// let changed = anna.changed(change);
///
/// assert!(changed.roles.contains("editor")); // nothing was said of roles
/// assert!(changed.scopes.contains("reports:write"));
/// assert!(!changed.scopes.contains("reports:read")); // it was not among those that were given
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
