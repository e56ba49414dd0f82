//! Is the caller's account still there, and who is it to the application?
//!
//! Whoever holds an API key, or a token that we issued, may have been disabled or removed since.
//! Basic looks at the record itself, and the subjects of other issuers are no accounts of ours.

use super::{Principal, Subject, UserLoader};
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::Answer;
use crate::store::{Guard, Known, ManagedUserStore, caught};
use std::sync::Arc;
use std::time::SystemTime;

/// The accounts of users, where the layer knows of any.
#[derive(Clone)]
pub(crate) struct Accounts {
    users: Option<Users>,
    loader: Option<UserLoader>,
}

/// Who knows them, and how long the answer may take.
type Users = (Arc<dyn ManagedUserStore>, Guard);

impl Accounts {
    /// Those of a store, and the application's own.
    pub(crate) fn of(
        users: Option<Arc<dyn ManagedUserStore>>,
        guard: Guard,
        loader: Option<UserLoader>,
    ) -> Self {
        Self {
            users: users.map(|users| (users, guard)),
            loader,
        }
    }

    /// The answer of a scheme, or a refusal where its principal's account is disabled.
    #[inline]
    pub(crate) fn check(&self, answer: Answer, now: SystemTime) -> Answer {
        let answer = match &self.users {
            None => answer,
            Some(users) => check(users, answer),
        };
        match &self.loader {
            None => answer,
            Some(loader) => loader.complete(answer, now),
        }
    }

    /// The application's user of that subject is loaded anew by the next request.
    pub(crate) fn forget(&self, subject: &Subject) {
        if let Some(loader) = &self.loader {
            loader.forget(subject.kind(), subject.id());
        }
    }
}

fn check(users: &Users, answer: Answer) -> Answer {
    match answer {
        Answer::Verified(principal) => check_verified(users, principal),
        Answer::Pending(answer) => {
            let users = users.clone();
            Answer::Pending(Box::pin(async move { ask(&users, answer.await?).await }))
        }
        answer => answer,
    }
}

fn check_verified(users: &Users, principal: Principal) -> Answer {
    let Some(account) = principal.account() else {
        return Answer::Verified(principal);
    };
    match caught(|| users.0.peek_disabled(account)) {
        Err(unavailable) => Answer::Refused(unavailable),
        Ok(Known::No) => Answer::Verified(principal),
        Ok(Known::Yes) => Answer::Refused(disabled(&principal)),
        Ok(Known::Ask) => {
            let users = users.clone();
            Answer::Pending(Box::pin(async move { ask(&users, principal).await }))
        }
    }
}

async fn ask((users, guard): &Users, principal: Principal) -> Result<Principal, Rejection> {
    let Some(account) = principal.account() else {
        return Ok(principal);
    };
    match guard.call(users.is_disabled(account)).await? {
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
