use crate::attempt::{Origin, Target};
use crate::clock::Clock;
use crate::event::{Action, Events};
use crate::login::{SignIn, name_form};
use crate::password::{Check, Passwords};
use crate::rehearsal;
use crate::reject::{Rejection, RejectionKind};
use crate::secret::Secret;
use crate::store::{Change, Guard, ManagedUserStore, Peek, UserRecord, UserStore, caught};
use std::borrow::Cow;
use std::sync::Arc;

/// Says whose name and password these are: for Basic, and for whoever signs in otherwise.
#[derive(Clone)]
pub(crate) struct Judge {
    pub(crate) users: Arc<dyn UserStore>,
    /// Where outdated hashes are replaced.
    pub(crate) managed: Option<Arc<dyn ManagedUserStore>>,
    pub(crate) guard: Guard,
    pub(crate) passwords: Passwords,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Judge {
    /// An attempt is counted by where it comes from before a store is asked, and by the account
    /// before a password is hashed; of whom `holds` is true needs no hash. `known` is what the
    /// store has said of the name already.
    pub(crate) async fn judge(
        &self,
        origin: &Origin,
        sign_in: SignIn<'_>,
        known: Option<Option<Arc<UserRecord>>>,
        holds: impl Fn(&UserRecord) -> bool,
    ) -> Result<Arc<UserRecord>, Rejection> {
        // By the one form, or whoever writes a name in many ways would have as many attempts.
        let ticket = origin.enter_name(&name_form(sign_in.name))?;
        let judged = self.judge_account(origin, sign_in, known, holds).await;
        ticket.conclude(&judged);
        judged
    }

    async fn judge_account(
        &self,
        origin: &Origin,
        SignIn { name, password }: SignIn<'_>,
        known: Option<Option<Arc<UserRecord>>>,
        holds: impl Fn(&UserRecord) -> bool,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let user = match known {
            Some(user) => user,
            None => self.find(name).await?,
        };
        let ticket = match &user {
            Some(user) => origin.enter_account(Target::Account(&user.id)),
            // A name that nobody has is counted as well. Were it not, being refused by count would
            // tell which names there are.
            None => origin.enter_account(Target::Nobody(&name_form(name))),
        }?;
        let checked = match user {
            Some(user) if holds(&user) => Ok(user),
            user => self.check_counted(origin, user, password).await,
        };
        ticket.conclude(&checked);
        checked
    }

    /// What memory knows of whoever has that name; `None` where a store has to be asked.
    #[inline]
    pub(crate) fn peek(&self, name: &str) -> Result<Option<Option<Arc<UserRecord>>>, Rejection> {
        for name in Spellings::of(name).iter() {
            match caught(|| self.users.peek_user(name))? {
                Peek::Found(user) => return Ok(Some(Some(user))),
                Peek::Absent => {}
                Peek::Ask => return Ok(None),
            }
        }
        Ok(Some(None))
    }

    /// Whoever has that name.
    pub(crate) async fn find(&self, name: &str) -> Result<Option<Arc<UserRecord>>, Rejection> {
        let mut found = None;
        for name in Spellings::of(name).iter() {
            // Asked for each spelling even when one is found, lest the time tell which names there
            // are.
            let user = self.guard.call(self.users.find_user(name)).await?;
            found = found.or(user);
        }
        Ok(found)
    }

    async fn check_counted(
        &self,
        origin: &Origin,
        user: Option<Arc<UserRecord>>,
        password: &Secret<String>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        let ticket = origin.enter_sign_in()?;
        let checked = self.check(origin, user, password).await;
        ticket.conclude_work(&checked);
        checked
    }

    /// Whether that user has that password; without a user the same work is done.
    pub(crate) async fn check(
        &self,
        origin: &Origin,
        user: Option<Arc<UserRecord>>,
        password: &Secret<String>,
    ) -> Result<Arc<UserRecord>, Rejection> {
        // A disabled user is treated as a name that nobody has: the same work is done, and the
        // answer is the same.
        let user = user.filter(|user| user.is_active());
        let stored = user.as_ref().and_then(|user| user.password_hash.clone());
        let source = origin.source();
        let check = self.passwords.verify(source, stored, password.clone());
        let check = check.await?;
        match (user, check) {
            (Some(user), Check::Fits) => Ok(user),
            (Some(user), Check::FitsOutdated) => Ok(self.rehash(origin, user, password).await),
            (_, Check::Wrong) | (None, _) => Err(wrong_password()),
        }
    }

    /// Brings a hash up to date, and gives the record after that.
    async fn rehash(
        &self,
        origin: &Origin,
        user: Arc<UserRecord>,
        password: &Secret<String>,
    ) -> Arc<UserRecord> {
        let Some(store) = &self.managed else {
            return user;
        };
        if rehearsal::is_on() {
            return user;
        }
        let hash = self.passwords.hash(origin.source(), password.clone());
        // The password was right, so nothing that fails from here on refuses the sign-in. The next
        // one tries again.
        let Ok(hash) = hash.await else {
            return user;
        };
        let former = user.password_hash.as_ref();
        // Only where the hash is still the former one: a password that was changed meanwhile must
        // not come back.
        let replaced = store.replace_password(&user.id, former, hash.clone());
        if !matches!(self.guard.change(replaced).await, Ok(Change::Made(()))) {
            return user;
        }
        let (action, now) = (Action::PasswordRehashed, self.clock.now());
        let _ = self.events.tell(action, now, &user.id, None);
        Arc::new(UserRecord::clone(&user).password_hash(hash.expose()))
    }
}

/// How a name may be written in a store: as it was typed, for stores whose names somebody else
/// writes, and in its one form, where that is another.
struct Spellings<'a> {
    typed: Option<&'a str>,
    form: Cow<'a, str>,
}

impl<'a> Spellings<'a> {
    #[inline]
    fn of(name: &'a str) -> Self {
        let form = name_form(name);
        let typed = match &form {
            // As it was typed, as it mostly is.
            Cow::Borrowed(_) => None,
            // An email address in capitals too: another system may have written it so.
            Cow::Owned(form) => (form != name).then_some(name),
        };
        Self { typed, form }
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = &str> {
        self.typed.into_iter().chain([&*self.form])
    }
}

/// The same for a user who is not there, one who is disabled and a wrong password.
pub(crate) fn wrong_password() -> Rejection {
    Rejection::new(RejectionKind::InvalidPassword, "user, password or account")
}
