use tower_auth::{Role, Roles, Scope, Scopes};

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) scopes: Scopes,
    pub(super) roles: Roles,
}

impl Rights {
    /// Adds what another has.
    pub(super) fn add(&mut self, more: &Self) {
        for scope in more.scopes.iter() {
            self.scopes.insert(&Scope::new(scope));
        }
        for role in more.roles.iter() {
            self.roles.insert(Role::new(role));
        }
    }
}
