use crate::authorize::Requirement;
use crate::principal::Principal;
use crate::reject::Rejection;
use std::fmt;

/// What a layer would make of a request, step by step, and why: for administrators. Made by
/// [`AuthLayer::explain`](crate::AuthLayer::explain).
///
/// It shows no secret. It does show what the application would not tell a client: which key it is,
/// why a token is refused, how much of a limit is left.
///
/// `Display` writes a line a step:
///
/// ```text
/// credential  a token of 364 bytes, at Bearer, which says: alg "HS256", …
/// scheme      Bearer: refused, token_expired (exp)
/// ```
#[must_use]
pub struct Explanation {
    pub(super) steps: Vec<(&'static str, String)>,
    pub(super) caller: Option<Principal>,
    pub(super) rejection: Option<Rejection>,
}

impl Explanation {
    /// Who it would be; nobody where the request is refused, or anonymous.
    #[must_use]
    pub fn caller(&self) -> Option<&Principal> {
        self.caller.as_ref()
    }

    /// Why it would be refused by the layer; `None` where it would pass.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// The steps that were taken, in their order: `credential`, `scheme`, `account`, `caller`,
    /// `throttle`, each with what is to be said of it. A step may come several times, and those
    /// after a refusal are missing.
    pub fn steps(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.steps.iter().map(|(step, text)| (*step, text.as_str()))
    }

    /// Whether the caller would also pass a requirement, such as that of a route
    /// ([`AuthLayer::require`](crate::AuthLayer::require)).
    ///
    /// # Errors
    ///
    /// Why the request would be refused: by the layer, or by the requirement.
    pub fn require(&self, requirement: &Requirement) -> Result<(), Rejection> {
        if let Some(rejection) = &self.rejection {
            return Err(rejection.clone());
        }
        match &self.caller {
            Some(caller) => requirement.judge(caller),
            None => Err(Rejection::missing()),
        }
    }

    pub(super) fn say(&mut self, step: &'static str, text: impl Into<String>) {
        self.steps.push((step, text.into()));
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, text) in &self.steps {
            writeln!(f, "{step:<11} {text}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.steps.iter().map(|(step, text)| (step, text)))
            .finish()
    }
}
