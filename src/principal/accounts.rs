//! Is the caller's account still there, with all its rights, and who is it to the application?
//!
//! Whoever holds an API key, or a token that we issued, may have been disabled or removed since, or
//! have lost a scope or a role: then the credential has it no more either.
//! Basic looks at the record itself, and the subjects of other issuers are no accounts of ours.

use super::{Principal, Subject, UserLoader};
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::PendingAnswer;
use crate::store::{Account, Guard, ManagedUserStore, caught};
use std::sync::Arc;
use std::time::SystemTime;

/// The accounts of users, where the layer knows of any.
#[derive(Clone)]
pub(crate) struct Accounts {
    users: Option<Users>,
    loader: Option<UserLoader>,
}

/// What memory says of a caller's account.
pub(crate) enum Checked {
    /// The caller may go on.
    Good,
    Refused(Rejection),
    /// Somebody has to be asked.
    Unknown,
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

    /// What memory says of a verified caller. Rights that the caller's user has lost are taken out,
    /// and the application's own user is put in, where one is remembered.
    #[inline(always)] // every request with a key or a token of ours passes here
    pub(crate) fn check(&self, caller: &mut Principal, now: SystemTime) -> Checked {
        // The account comes before the application's own user: whoever is disabled must not be let
        // in because they are remembered.
        if let Some((users, _)) = &self.users {
            match peek(&**users, caller) {
                Checked::Good => {}
                other => return other,
            }
        }
        match &self.loader {
            None => Checked::Good,
            Some(loader) => match loader.remembered(caller, now) {
                Some(user) => {
                    caller.set_user(user);
                    Checked::Good
                }
                None => Checked::Unknown,
            },
        }
    }

    /// Asks for what memory does not say of a caller who is verified, or will be.
    pub(crate) fn ask(&self, answer: PendingAnswer, now: SystemTime) -> PendingAnswer {
        if self.users.is_none() && self.loader.is_none() {
            return answer;
        }
        let accounts = self.clone();
        Box::pin(async move {
            // The account is looked at after the credential was found good. Before, its state would
            // be told to whoever guesses.
            let mut caller = answer.await?;
            match accounts.check(&mut caller, now) {
                Checked::Good => Ok(caller),
                Checked::Refused(rejection) => Err(rejection),
                Checked::Unknown => accounts.look_up(caller, now).await,
            }
        })
    }

    async fn look_up(
        &self,
        mut caller: Principal,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        if let Some((users, guard)) = &self.users
            && let Some(account) = caller.account()
        {
            match guard.call(users.account(account)).await? {
                Account::Whole => {}
                Account::Reduced(taken) => caller.lose(&taken),
                Account::Closed => return Err(closed(&caller)),
                // Neither a pass nor a refusal: a store that cannot tell is an outage.
                Account::Ask => return Err(Rejection::unavailable("store failed", CannotTell)),
            }
        }
        match &self.loader {
            None => Ok(caller),
            Some(loader) => loader.load(caller, now).await,
        }
    }

    /// The application's user of that subject is loaded anew by the next request.
    pub(crate) fn forget(&self, subject: &Subject) {
        if let Some(loader) = &self.loader {
            loader.forget(subject.kind(), subject.id());
        }
    }
}

/// What memory says of the account of a caller, if it is one of ours.
#[inline(always)] // as above
fn peek(users: &dyn ManagedUserStore, caller: &mut Principal) -> Checked {
    let Some(account) = caller.account() else {
        return Checked::Good;
    };
    match caught(|| users.peek_account(account)) {
        Ok(Account::Whole) => Checked::Good,
        Ok(Account::Reduced(taken)) => {
            caller.lose(&taken);
            Checked::Good
        }
        Ok(Account::Closed) => Checked::Refused(closed(caller)),
        Ok(Account::Ask) => Checked::Unknown,
        Err(unavailable) => Checked::Refused(unavailable),
    }
}

/// The asynchronous method has nobody left to ask.
#[derive(Debug, thiserror::Error)]
#[error("the store does not tell what became of an account")]
struct CannotTell;

/// As if the credential had been revoked, which is what it amounts to.
fn closed(principal: &Principal) -> Rejection {
    // A key is refused as an unknown one would be: whoever presents it learns neither that there is
    // such a key nor that its owner is disabled.
    let kind = if principal.key().is_some() {
        RejectionKind::InvalidApiKey
    } else {
        RejectionKind::RevokedToken
    };
    Rejection::new(kind, "account disabled")
}
