use crate::principal::Scope;
use std::error::Error;
use std::fmt;

/// Where the scopes that an API declares and those that its routes demand differ: what
/// [`AuthLayer::check_scopes`](crate::AuthLayer::check_scopes) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeGaps {
    undemanded: Vec<Scope>,
    undeclared: Vec<(Scope, Vec<String>)>,
}

impl ScopeGaps {
    pub(super) fn new(undemanded: Vec<Scope>, undeclared: Vec<(Scope, Vec<String>)>) -> Self {
        Self {
            undemanded,
            undeclared,
        }
    }

    /// The scopes that are declared and that no route demands: whoever is granted one gets nothing
    /// by it, or a route lacks its requirement.
    #[must_use]
    pub fn undemanded(&self) -> &[Scope] {
        &self.undemanded
    }

    /// The scopes that routes demand and nobody declares, so that nobody can be granted them.
    pub fn undeclared(&self) -> impl Iterator<Item = &Scope> {
        self.undeclared.iter().map(|(scope, _)| scope)
    }
}

impl fmt::Display for ScopeGaps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for scope in &self.undemanded {
            write!(
                f,
                "{between}no route demands the declared scope {}",
                scope.as_str()
            )?;
            between = "; ";
        }
        for (scope, requirements) in &self.undeclared {
            let scope = scope.as_str();
            write!(
                f,
                "{between}the scope {scope} is not declared, but demanded by "
            )?;
            f.write_str(&requirements.join(" and "))?;
            between = "; ";
        }
        Ok(())
    }
}

impl Error for ScopeGaps {}
