use super::Judge;
use crate::attempt::Attempt;
use crate::credential::{BasicCredential, Credential};
use crate::login::{SignIn, is_longer_than_any};
use crate::password::{Remembered, Verified};
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::{Answer, Scheme};
use crate::secret::Secret;
use crate::store::UserRecord;
use std::sync::Arc;
use std::time::SystemTime;

/// Basic for the users of a store.
pub(crate) struct BasicVerifier {
    judge: Judge,
    /// Passwords that were verified lately.
    remembered: Arc<Remembered>,
}

impl BasicVerifier {
    pub(crate) fn new(judge: Judge, remembered: Arc<Remembered>) -> Self {
        Self { judge, remembered }
    }

    fn verify(&self, attempt: &Attempt<'_>, credential: &BasicCredential) -> Answer {
        if is_longer_than_any(credential.expose_password()) {
            let oversized = RejectionKind::OversizedCredential;
            return Answer::Refused(Rejection::new(oversized, "password"));
        }
        let now = attempt.now();
        let known = match self.judge.peek(credential.name()) {
            Err(unavailable) => return Answer::Refused(unavailable),
            Ok(Some(Some(user))) if holds(&self.remembered, &user, credential, now) => {
                return Answer::Verified(Principal::from(user));
            }
            Ok(known) => known,
        };
        let judge = self.judge.clone();
        let remembered = Arc::clone(&self.remembered);
        let origin = attempt.origin();
        let presented = credential.clone();
        Answer::Pending(Box::pin(async move {
            let password = Secret::new(presented.expose_password().to_owned());
            let sign_in = SignIn {
                name: presented.name(),
                password: &password,
            };
            let judged = judge.judge(&origin, sign_in, known, |user| {
                holds(&remembered, user, &presented, now)
            });
            let user = judged.await?;
            if let Some(verified) = verified(&user, &presented) {
                remembered.remember(verified, now);
            }
            Ok(Principal::from(user))
        }))
    }
}

fn verified<'a>(user: &'a UserRecord, presented: &'a BasicCredential) -> Option<Verified<'a>> {
    Some(Verified {
        name: presented.name(),
        password: presented.expose_password(),
        hash: user.password_hash.as_ref()?,
    })
}

fn holds(
    remembered: &Remembered,
    user: &UserRecord,
    presented: &BasicCredential,
    now: SystemTime,
) -> bool {
    match verified(user, presented) {
        // The hash is part of what is remembered. A user who was disabled, or has another password
        // by now, is not let in from memory.
        Some(verified) => user.is_active() && remembered.holds(verified, now),
        None => false,
    }
}

impl Scheme for BasicVerifier {
    fn name(&self) -> &'static str {
        "Basic"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        match attempt.credential() {
            Credential::Basic(basic) => self.verify(attempt, basic),
            _ => Answer::NotPresented,
        }
    }
}
