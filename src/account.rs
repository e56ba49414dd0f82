//! The second half of step 3: is the caller's account still there?
//!
//! Whoever holds an API key, or a token that we issued, may have been disabled or removed since. Basic looks at the record itself, and
//! the subjects of other issuers are no accounts of ours.

use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::Answer;
use crate::store::{Guard, Known, UserStore, caught};
use std::sync::Arc;
use std::time::SystemTime;

/// The accounts of users, where the layer knows of any.
#[derive(Clone)]
pub(crate) struct Accounts(Option<Users>);

/// Who knows them, and how long the answer may take.
type Users = (Arc<dyn UserStore>, Guard);

impl Accounts {
    pub(crate) fn new(users: Option<Users>) -> Self {
        Self(users)
    }

    /// The answer of a scheme, or a refusal where its principal's account is disabled.
    #[inline]
    pub(crate) fn check(&self, answer: Answer, now: SystemTime) -> Answer {
        match &self.0 {
            None => answer,
            Some(users) => check(users, answer, now),
        }
    }
}

fn check(users: &Users, answer: Answer, now: SystemTime) -> Answer {
    match answer {
        Answer::Verified(principal) => check_verified(users, principal, now),
        Answer::Pending(answer) => {
            let users = users.clone();
            Answer::Pending(Box::pin(
                async move { ask(&users, answer.await?, now).await },
            ))
        }
        answer => answer,
    }
}

fn check_verified(users: &Users, principal: Principal, now: SystemTime) -> Answer {
    let Some(account) = principal.account() else {
        return Answer::Verified(principal);
    };
    match caught(|| users.0.peek_disabled(account, now)) {
        Err(unavailable) => Answer::Refused(unavailable),
        Ok(Known::No) => Answer::Verified(principal),
        Ok(Known::Yes) => Answer::Refused(disabled(&principal)),
        Ok(Known::Ask) => {
            let users = users.clone();
            Answer::Pending(Box::pin(async move { ask(&users, principal, now).await }))
        }
    }
}

async fn ask(
    (users, guard): &Users,
    principal: Principal,
    now: SystemTime,
) -> Result<Principal, Rejection> {
    let Some(account) = principal.account() else {
        return Ok(principal);
    };
    match guard.call(users.is_disabled(account, now)).await? {
        true => Err(disabled(&principal)),
        false => Ok(principal),
    }
}

/// As if the credential had been revoked, which is what it amounts to.
fn disabled(principal: &Principal) -> Rejection {
    let kind = if principal.key().is_some() {
        RejectionKind::InvalidApiKey
    } else {
        RejectionKind::RevokedToken
    };
    Rejection::new(kind, "account disabled")
}
