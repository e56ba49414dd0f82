use crate::principal::{Roles, Scopes};

/// Scopes and roles that a user had once, and has no more.
///
/// What the user never had is not among them: a right that an operator gave to a key alone stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenRights {
    /// The scopes.
    pub scopes: Scopes,
    /// The roles.
    pub roles: Roles,
}

impl TakenRights {
    /// These rights.
    #[must_use]
    pub fn new(scopes: Scopes, roles: Roles) -> Self {
        Self { scopes, roles }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.roles.iter().next().is_none()
    }

    /// Those besides that are taken where somebody had the first rights and has the others now.
    #[must_use]
    pub fn after(mut self, had: (&Scopes, &Roles), has: (&Scopes, &Roles)) -> Self {
        self.scopes = self
            .scopes
            .iter()
            .chain(had.0.iter())
            .filter(|scope| !has.0.contains(scope))
            .collect();
        self.roles = self
            .roles
            .iter()
            .chain(had.1.iter())
            .filter(|role| !has.1.contains(role))
            .collect();
        self
    }

    /// These scopes without those that are taken; `None` where all of them stay.
    pub(crate) fn without_scopes(&self, scopes: &Scopes) -> Option<Scopes> {
        if !scopes.iter().any(|scope| self.scopes.contains(scope)) {
            return None;
        }
        let kept = scopes.iter().filter(|scope| !self.scopes.contains(scope));
        Some(kept.collect())
    }

    /// These roles without those that are taken; `None` where all of them stay.
    pub(crate) fn without_roles(&self, roles: &Roles) -> Option<Roles> {
        if !roles.iter().any(|role| self.roles.contains(role)) {
            return None;
        }
        let kept = roles.iter().filter(|role| !self.roles.contains(role));
        Some(kept.collect())
    }
}
