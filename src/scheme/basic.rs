use super::{Answer, Scheme};
use crate::config::ConfigProblem;
use crate::credential::{BasicCredential, Credential};
use crate::password::Passwords;
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::secret::Secret;
use crate::store::{Guard, Peek, UserRecord, UserStore, caught};
use crate::throttle::{Attempts, Ticket};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a verified password is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// How many are: 40 bytes and an entry's overhead each.
const REMEMBERED: usize = 10_000;

/// Basic (RFC 7617) over a [`UserStore`].
///
/// - Passwords are verified with argon2id on threads of their own, half of the cores at a time; beyond a bounded queue the
///   answer is 429.
/// - A password that was verified is remembered for 60 seconds, as a digest under a random key of this process that is bound
///   to the user's name and stored hash: a client that sends Basic with every request costs argon2 once a minute, and
///   a changed password or a disabled account ends that at once.
/// - An unknown user, a disabled one and a wrong password are refused alike, after the same work.
#[derive(Clone)]
#[must_use]
pub struct Basic {
    shared: Arc<Shared>,
    guard: Guard,
    /// `None` until a layer has it.
    attempts: Option<Arc<Attempts>>,
}

struct Shared {
    store: Box<dyn UserStore>,
    passwords: Passwords,
    remembered: Remembered,
}

impl Basic {
    /// Users in that store.
    pub fn new(store: impl UserStore) -> Self {
        let shared =
            Shared { store: Box::new(store), passwords: Passwords::new(), remembered: Remembered::new() };
        Self { shared: Arc::new(shared), guard: Guard { deadline: Duration::MAX }, attempts: None }
    }

    pub(crate) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.guard = Guard { deadline };
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: Arc<Attempts>) -> Self {
        self.attempts = Some(attempts);
        self
    }

    pub(crate) fn problems(count: usize) -> Vec<ConfigProblem> {
        if count > 1 { vec![ConfigProblem::TwoBasic] } else { Vec::new() }
    }

    fn verify(&self, credential: &BasicCredential, now: SystemTime) -> Answer {
        let Self { shared, guard, attempts } = self.clone();
        let known = match caught(|| shared.store.peek_user(credential.name(), now)) {
            Err(unavailable) => return Answer::Refused(unavailable),
            Ok(Peek::Found(user)) => {
                if shared.remembered.holds(&user, credential, now) {
                    return Answer::Verified(Principal::from(user));
                }
                Some(Some(user))
            }
            Ok(Peek::Absent) => Some(None),
            Ok(Peek::Ask) => None,
        };
        let (name, password) = (credential.name().to_owned(), credential.password().clone());
        let peer = credential.peer();
        Answer::Pending(Box::pin(async move {
            // Before the store is asked and a password is hashed.
            let mut ticket = attempts.map(|attempts| attempts.check(&name, peer)).transpose()?;
            let verified = shared.verify(known, name, password, guard, ticket.as_mut(), now).await;
            ticket.into_iter().for_each(|ticket| ticket.conclude(&verified));
            verified
        }))
    }
}

impl Shared {
    async fn verify(
        &self,
        known: Option<Option<Arc<UserRecord>>>,
        name: String,
        password: Secret<String>,
        guard: Guard,
        ticket: Option<&mut Ticket>,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        let user = match known {
            Some(user) => user,
            None => guard.call(async { self.store.find_user(&name, now).await }).await?,
        };
        if let (Some(ticket), Some(user)) = (ticket, &user) {
            ticket.resolved(user.id())?;
        }
        let user = user.filter(|user| user.is_active());
        let presented = BasicCredential::new(name, password);
        if let Some(user) = user.as_ref().filter(|user| self.remembered.holds(user, &presented, now)) {
            return Ok(Principal::from(Arc::clone(user)));
        }
        let stored = user.as_ref().and_then(|user| user.stored_hash()).cloned();
        let fits = self.passwords.verify(stored, presented.password().clone()).await?;
        let user = user.filter(|_| fits).ok_or_else(refused)?;
        self.remembered.remember(&user, &presented, now);
        Ok(Principal::from(user))
    }
}

impl Scheme for Basic {
    fn name(&self) -> &'static str {
        "Basic"
    }

    fn authenticate(&self, credential: &Credential<'_>, now: SystemTime) -> Answer {
        match credential {
            Credential::Basic(basic) => self.verify(basic, now),
            _ => Answer::NotPresented,
        }
    }
}

fn refused() -> Rejection {
    Rejection::new(RejectionKind::InvalidPassword, "user, password or account")
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}

/// Passwords that were verified lately.
struct Remembered {
    /// `None` where the system had no randomness for a key: then nothing is remembered.
    key: Option<Hmac<Sha256>>,
    until: Cache<[u8; 32], SystemTime>,
}

impl Remembered {
    fn new() -> Self {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        let key = getrandom::fill(&mut *key).ok().and_then(|()| Hmac::new_from_slice(&*key).ok());
        Self { key, until: Cache::new(REMEMBERED) }
    }

    fn holds(&self, user: &UserRecord, credential: &BasicCredential, now: SystemTime) -> bool {
        let digest = user.is_active().then(|| self.digest(user, credential)).flatten();
        digest.and_then(|digest| self.until.get(&digest)).is_some_and(|until| now < until)
    }

    fn remember(&self, user: &UserRecord, credential: &BasicCredential, now: SystemTime) {
        if let (Some(digest), Some(until)) = (self.digest(user, credential), now.checked_add(REMEMBERED_FOR))
        {
            self.until.insert(digest, until);
        }
    }

    /// Each part is preceded by its length, lest two different triples read the same.
    fn digest(&self, user: &UserRecord, credential: &BasicCredential) -> Option<[u8; 32]> {
        let mut mac = self.key.clone()?;
        for part in [credential.name(), credential.password().expose(), user.stored_hash()?.expose()] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac.finalize().into_bytes().into())
    }
}
