use crate::principal::{Method, Principal, Role, Scope};
use std::fmt;
use std::sync::Arc;

/// What a requirement says, as a tree.
#[derive(Clone)]
pub(super) enum Expression {
    Scope(Scope),
    Role(Role),
    Method(Method),
    Check {
        name: &'static str,
        check: Arc<dyn Fn(&Principal) -> bool + Send + Sync>,
    },
    Not(Arc<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    pub(super) fn holds(&self, principal: &Principal) -> bool {
        match self {
            Self::Scope(scope) => principal.has_scope(scope.as_str()),
            Self::Role(role) => principal.has_role(role.as_str()),
            Self::Method(method) => principal.method() == *method,
            Self::Check { check, .. } => check(principal),
            Self::Not(other) => !other.holds(principal),
            Self::All(all) => all.iter().all(|one| one.holds(principal)),
            Self::Any(any) => any.iter().any(|one| one.holds(principal)),
        }
    }

    /// The scopes with which this would hold, where scopes are all it lacks. Of alternatives, the
    /// first such.
    pub(super) fn missing_scopes(&self, principal: &Principal) -> Option<Vec<Scope>> {
        match self {
            _ if self.holds(principal) => Some(Vec::new()),
            Self::Scope(scope) => Some(vec![scope.clone()]),
            Self::All(all) => {
                let each: Option<Vec<_>> = all
                    .iter()
                    .map(|one| one.missing_scopes(principal))
                    .collect();
                each.map(|scopes| scopes.concat())
            }
            Self::Any(any) => any.iter().find_map(|one| one.missing_scopes(principal)),
            Self::Role(_) | Self::Method(_) | Self::Check { .. } | Self::Not(_) => None,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(scope) => write!(f, "scope {scope}"),
            Self::Role(role) => write!(f, "role {role}"),
            Self::Method(method) => write!(f, "method {method:?}"),
            Self::Check { name, .. } => write!(f, "check {name}"),
            Self::Not(other) => write!(f, "not ({other:?})"),
            Self::All(all) => f.debug_tuple("all").field(all).finish(),
            Self::Any(any) => f.debug_tuple("any").field(any).finish(),
        }
    }
}
