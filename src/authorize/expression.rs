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

    /// Shows every scope that stands anywhere in the expression.
    pub(super) fn visit_scopes(&self, visit: &mut dyn FnMut(&Scope)) {
        match self {
            Self::Scope(scope) => visit(scope),
            Self::Not(other) => other.visit_scopes(visit),
            Self::All(several) | Self::Any(several) => {
                for one in several {
                    one.visit_scopes(visit);
                }
            }
            Self::Role(_) | Self::Method(_) | Self::Check { .. } => {}
        }
    }

    /// The scopes with which this would hold, where scopes are all it lacks. Of alternatives, the
    /// first such.
    pub(super) fn missing_scopes(&self, principal: &Principal) -> Option<Vec<Scope>> {
        match self {
            // What holds already lacks nothing: of `all` only those parts are named that the caller
            // does not have.
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
            // No scope would help. A client that was told of one would ask for it, and be refused
            // again.
            Self::Role(_) | Self::Method(_) | Self::Check { .. } | Self::Not(_) => None,
        }
    }
}

/// Of more alternatives a document says nothing.
#[cfg(feature = "openapi")]
const MOST_SETS: usize = 16;

#[cfg(feature = "openapi")]
impl Expression {
    /// Whether it holds for every caller.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::All(all) if all.iter().all(Self::is_nothing))
    }

    /// The sets of scopes of which a caller needs one, as far as scopes go.
    pub(super) fn scope_sets(&self) -> Vec<Vec<Scope>> {
        let sets = match self {
            Self::Scope(scope) => vec![vec![scope.clone()]],
            Self::All(all) => all
                .iter()
                .fold(nothing(), |sets, one| both(&sets, &one.scope_sets())),
            Self::Any(any) => distinct(any.iter().flat_map(Self::scope_sets)),
            // A document has no words for these, so they do not narrow what it says.
            Self::Role(_) | Self::Method(_) | Self::Check { .. } | Self::Not(_) => nothing(),
        };
        if sets.len() > MOST_SETS {
            nothing()
        } else {
            sets
        }
    }
}

/// What a document says where no scope is demanded: one set of scopes, and it is empty.
#[cfg(feature = "openapi")]
fn nothing() -> Vec<Vec<Scope>> {
    vec![Vec::new()]
}

/// Each set of the one with each of the other.
#[cfg(feature = "openapi")]
fn both(some: &[Vec<Scope>], others: &[Vec<Scope>]) -> Vec<Vec<Scope>> {
    let mut sets = Vec::new();
    for set in some {
        for other in others {
            sets.push(distinct(set.iter().chain(other).cloned()));
        }
    }
    distinct(sets.into_iter())
}

#[cfg(feature = "openapi")]
fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut distinct = Vec::new();
    for one in all {
        if !distinct.contains(&one) {
            distinct.push(one);
        }
    }
    distinct
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
