use std::fmt;
use std::sync::Arc;

/// Which rule: the scope it stands in (that of a route's throttles; empty for those of a layer) and
/// its name.
///
/// Rules of one scope and name are one rule, in whatever layer, process or machine they stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RuleId {
    scope: Arc<str>,
    name: Arc<str>,
}

impl RuleId {
    /// Of that name in that scope.
    #[must_use]
    pub fn new(scope: &str, name: &str) -> Self {
        Self {
            scope: scope.into(),
            name: name.into(),
        }
    }

    /// The scope, empty for the rules of a layer.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// `name`, or `scope:name`, as clients see it.
impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scope.is_empty() {
            write!(f, "{}:", self.scope)?;
        }
        f.write_str(&self.name)
    }
}
