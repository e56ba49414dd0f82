use super::answers::{Answer as Remembered, Answers, TokenDigest};
use super::asked::{Asked, no_answer};
use crate::attempt::Attempt;
use crate::credential::Credential;
use crate::key_set::refused;
use crate::principal::{Principal, TokenIdentity};
use crate::reject::Rejection;
use crate::scheme::jwt::policy::Policy;
use crate::scheme::{Answer, Scheme};
use crate::secret::Secret;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An [`Introspection`](super::Introspection) that was found sound.
pub(crate) struct Introspector(Arc<Parts>);

struct Parts {
    asked: Asked,
    policy: Policy,
    answers: Answers,
}

#[derive(Deserialize)]
struct State {
    active: bool,
}

/// Whether the token is one (RFC 7662 §2.2).
fn is_active(said: &str) -> Result<bool, Rejection> {
    // serde takes an array for the members of a struct in their order, and `[true]` would be an
    // active token.
    if !said.trim_start().starts_with('{') {
        return Err(no_answer());
    }
    let state: State = serde_json::from_str(said).map_err(|_| no_answer())?;
    Ok(state.active)
}

impl Introspector {
    pub(super) fn new(asked: Asked, policy: Policy, remembered: Duration) -> Self {
        Self(Arc::new(Parts {
            asked,
            policy,
            answers: Answers::new(remembered),
        }))
    }
}

impl Parts {
    /// Asks the issuer, and remembers what it says.
    async fn ask(
        &self,
        token: Secret<String>,
        digest: TokenDigest,
        now: SystemTime,
    ) -> Result<Arc<TokenIdentity>, Rejection> {
        let said = self.asked.about(token.expose()).await?;
        if !is_active(&said)? {
            self.answers.keep_inactive(digest, now);
            return Err(refused("inactive"));
        }
        let (identity, end) = self.policy.told(said, now)?;
        let identity = Arc::new(identity);
        self.answers.keep(digest, &identity, end, now);
        Ok(identity)
    }
}

impl Scheme for Introspector {
    fn name(&self) -> &'static str {
        "Bearer"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let Credential::Token(token) = attempt.credential() else {
            return Answer::NotPresented;
        };
        let now = attempt.now();
        let digest = Answers::digest(token.expose());
        match self.0.answers.find(&digest, now) {
            Some(Remembered::Active(identity)) => Answer::Verified(Principal::from_token(identity)),
            // Somebody who repeats a dead token must not make this service ask its issuer each
            // time.
            Some(Remembered::Inactive) => Answer::Refused(refused("inactive")),
            None => {
                let parts = Arc::clone(&self.0);
                let token = Secret::new(token.expose().to_owned());
                Answer::Pending(Box::pin(async move {
                    let identity = parts.ask(token, digest, now).await?;
                    Ok(Principal::from_token(identity))
                }))
            }
        }
    }
}
