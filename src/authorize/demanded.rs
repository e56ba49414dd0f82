use super::{Requirement, ScopeGaps};
use crate::principal::Scope;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The scopes that the routes of a layer demand, each with the requirements that name it.
#[derive(Default)]
pub(crate) struct Demanded(
    // Held for an insertion or a look, at start-up; a panic leaves no half of one.
    Mutex<BTreeMap<Scope, BTreeSet<String>>>,
);

/// Of more requirements with the same scope it is not told which.
const MOST_REQUIREMENTS: usize = 16;

impl Demanded {
    pub(crate) fn note(&self, requirement: &Requirement) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requirement.visit_scopes(&mut |scope| {
            let requirements = all.entry(scope.clone()).or_default();
            if requirements.len() < MOST_REQUIREMENTS {
                requirements.insert(format!("{requirement:?}"));
            }
        });
    }

    /// Where they differ from those that an API declares.
    pub(crate) fn check(&self, declared: &BTreeSet<Scope>) -> Result<(), ScopeGaps> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let undemanded = declared.iter().filter(|scope| !all.contains_key(*scope));
        let undemanded: Vec<Scope> = undemanded.cloned().collect();
        let undeclared: Vec<(Scope, Vec<String>)> = all
            .iter()
            .filter(|(scope, _)| !declared.contains(*scope))
            .map(|(scope, requirements)| (scope.clone(), requirements.iter().cloned().collect()))
            .collect();
        if undemanded.is_empty() && undeclared.is_empty() {
            return Ok(());
        }
        Err(ScopeGaps::new(undemanded, undeclared))
    }
}

impl fmt::Debug for Demanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(all.keys()).finish()
    }
}
