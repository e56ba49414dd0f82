use super::expression::Expression;
use crate::principal::{Method, Principal, Role, Scope};
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::ops::Not;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a caller must be or have (authorization): scopes, roles, methods and checks of your own,
/// joined by `and`, `or` and `!`.
///
/// ```
/// use tower_auth::{Method, Principal, RejectionKind, Requirement, Scope, Subject};
///
/// let not_by_key = Requirement::method(Method::ApiKey).negate();
/// let rule = Scope::new("reports:write").and(not_by_key).or(Requirement::role("admin"));
///
/// let writer = Principal::builder(Subject::user("anna")).scope("reports:write").build();
/// assert!(writer.require(&rule).is_ok());
///
/// let reader = Principal::builder(Subject::user("ben")).scope("reports:read").build();
/// let refusal = reader.require(&rule).unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::InsufficientScope);
/// assert_eq!(refusal.missing_scopes(), [Scope::new("reports:write")]);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Requirement(Expression);

impl Requirement {
    /// Any verified caller.
    pub fn anyone() -> Self {
        Self(Expression::All(Vec::new()))
    }

    /// The credential was granted this scope.
    pub fn scope(scope: impl Into<Scope>) -> Self {
        Self(Expression::Scope(scope.into()))
    }

    /// The caller has this role.
    pub fn role(role: impl Into<Role>) -> Self {
        Self(Expression::Role(role.into()))
    }

    /// The caller was verified in this way.
    pub fn method(method: Method) -> Self {
        Self(Expression::Method(method))
    }

    /// A check of the application's own; `name` is for `Debug`. If it panics the answer is 500.
    pub fn check(
        name: &'static str,
        check: impl Fn(&Principal) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self(Expression::Check {
            name,
            check: Arc::new(check),
        })
    }

    /// Both.
    pub fn and(self, other: impl Into<Self>) -> Self {
        Self(Expression::All(vec![self.0, other.into().0]))
    }

    /// Either.
    pub fn or(self, other: impl Into<Self>) -> Self {
        Self(Expression::Any(vec![self.0, other.into().0]))
    }

    /// The opposite; `!requirement` is the same.
    pub fn negate(self) -> Self {
        Self(Expression::Not(Arc::new(self.0)))
    }

    /// Shows every scope that the requirement names, whether it demands it, alone or beside others,
    /// or its absence.
    pub(crate) fn visit_scopes(&self, visit: &mut dyn FnMut(&Scope)) {
        self.0.visit_scopes(visit);
    }

    /// Judges a caller.
    ///
    /// # Errors
    ///
    /// 403: [`RejectionKind::InsufficientScope`] where scopes alone would have been enough, which
    /// it names; else [`RejectionKind::PermissionDenied`]. 500, [`RejectionKind::Failed`], when
    /// a check panicked.
    pub fn judge(&self, principal: &Principal) -> Result<(), Rejection> {
        // A check is the application's own code. Where it panics, the client is to get an answer,
        // and the log a reason, instead of a connection that breaks off.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            if self.0.holds(principal) {
                Ok(())
            } else {
                Err(self.0.missing_scopes(principal))
            }
        }));
        match judged {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Some(scopes))) => Err(Rejection::insufficient_scope(scopes)),
            Ok(Err(None)) => Err(Rejection::permission_denied("requirement")),
            Err(_) => Err(Rejection::new(RejectionKind::Failed, "check panicked")),
        }
    }
}

#[cfg(feature = "openapi")]
impl Requirement {
    /// The sets of scopes of which a caller needs one.
    pub(crate) fn scope_sets(&self) -> Vec<Vec<Scope>> {
        self.0.scope_sets()
    }

    /// How a caller is refused for whom it does not hold.
    pub(crate) fn refusals(&self) -> Vec<RejectionKind> {
        if self.0.is_nothing() {
            return Vec::new();
        }
        let mut kinds = vec![RejectionKind::PermissionDenied];
        if self.scope_sets().iter().any(|set| !set.is_empty()) {
            kinds.push(RejectionKind::InsufficientScope);
        }
        kinds
    }
}

impl Not for Requirement {
    type Output = Self;

    fn not(self) -> Self {
        self.negate()
    }
}

impl Scope {
    /// This scope and something else.
    pub fn and(self, other: impl Into<Requirement>) -> Requirement {
        Requirement::from(self).and(other)
    }

    /// This scope or something else.
    pub fn or(self, other: impl Into<Requirement>) -> Requirement {
        Requirement::from(self).or(other)
    }
}

impl From<Scope> for Requirement {
    fn from(scope: Scope) -> Self {
        Self::scope(scope)
    }
}

impl From<Role> for Requirement {
    fn from(role: Role) -> Self {
        Self::role(role)
    }
}

impl From<Method> for Requirement {
    fn from(method: Method) -> Self {
        Self::method(method)
    }
}

impl From<&Self> for Requirement {
    fn from(requirement: &Self) -> Self {
        requirement.clone()
    }
}

impl Principal {
    /// Holds the caller against a requirement, in a handler.
    ///
    /// A handler can return the refusal: the layer renders it in its own format.
    ///
    /// # Errors
    ///
    /// As [`Requirement::judge`].
    pub fn require(&self, requirement: impl Into<Requirement>) -> Result<(), Rejection> {
        requirement.into().judge(self)
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Subject;

    fn caller() -> Principal {
        Principal::builder(Subject::user("anna"))
            .scope("a")
            .scope("b")
            .role("staff")
            .build()
    }

    fn missing(requirement: Requirement) -> Option<Vec<String>> {
        let refusal = caller().require(requirement).unwrap_err();
        assert_eq!(refusal.status(), 403);
        let scopes = refusal
            .missing_scopes()
            .iter()
            .map(ToString::to_string)
            .collect();
        (refusal.kind() == RejectionKind::InsufficientScope).then_some(scopes)
    }

    #[test]
    fn and_or_and_not_mean_what_they_say() {
        let (yes, no) = (|| Requirement::scope("a"), || Requirement::scope("x"));
        let holds = |requirement: Requirement| caller().require(requirement).is_ok();
        assert!(holds(yes().and(yes())) && !holds(yes().and(no())) && !holds(no().and(yes())));
        assert!(holds(yes().or(no())) && holds(no().or(yes())) && !holds(no().or(no())));
        assert!(holds(!no()) && !holds(!yes()) && holds(!!yes()));
        assert!(holds(Role::new("staff").into()) && !holds(Role::new("admin").into()));
        assert!(holds(Method::Other.into()) && !holds(Method::Jwt.into()));
        assert!(holds(Requirement::check("id", |caller| caller
            .subject()
            .id()
            == "anna")));
    }

    #[test]
    fn all_missing_scopes_are_named_and_only_where_scopes_are_all_that_is_missing() {
        let scope = Requirement::scope;
        assert_eq!(missing(scope("x")), Some(vec!["x".into()]));
        assert_eq!(
            missing(scope("a").and(scope("x")).and(scope("y"))),
            Some(vec!["x".into(), "y".into()])
        );
        assert_eq!(
            missing(Requirement::role("admin").or(scope("x"))),
            Some(vec!["x".into()])
        );
        assert_eq!(missing(Requirement::role("admin").and(scope("x"))), None);
        assert_eq!(missing(!scope("a")), None);
    }

    #[cfg(feature = "openapi")]
    #[test]
    fn the_sets_of_scopes_are_those_with_which_it_may_hold() {
        let scope = Requirement::scope;
        let sets = |requirement: Requirement| -> Vec<String> {
            let sets = requirement.scope_sets().into_iter();
            sets.map(|set| set.iter().map(Scope::as_str).collect::<Vec<_>>().join(" "))
                .collect()
        };
        assert_eq!(sets(Requirement::anyone()), [""]);
        assert_eq!(sets(Requirement::role("admin").and(Method::Jwt)), [""]);
        assert_eq!(sets(scope("a").and(Requirement::role("admin"))), ["a"]);
        assert_eq!(
            sets(scope("a").or(scope("b")).and(scope("c"))),
            ["a c", "b c"]
        );
        assert_eq!(sets(scope("a").and(scope("a")).or(scope("a"))), ["a"]);
        assert_eq!(sets(scope("a").or(Requirement::role("admin"))), ["a", ""]);
        assert_eq!(sets(!scope("a")), [""]);
        // What nobody would read is not written.
        let numbered = |name: &str, n: usize| Scope::new(format!("{name}{n}"));
        let pair = |n: usize| numbered("a", n).or(numbered("b", n));
        let many = (1..10).fold(pair(0), |all, n| all.and(pair(n)));
        assert_eq!(sets(many), [""]);
    }

    #[test]
    fn a_check_that_panics_is_500() {
        let refusal = caller()
            .require(Requirement::check("broken", |_| panic!("planted")))
            .unwrap_err();
        assert_eq!(refusal.status(), 500);
    }
}
