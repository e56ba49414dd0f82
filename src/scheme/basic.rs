use super::{Answer, Scheme};
use crate::config::ConfigProblem;
use crate::credential::{BasicCredential, Credential};
use crate::event::Events;
use crate::principal::Principal;
use crate::random;
use crate::store::{Peek, UserRecord, caught};
use crate::throttle::Attempts;
use crate::users::{Attempt, Users, normal};
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

/// Basic (RFC 7617) for [`Users`].
///
/// A password that was verified is remembered for 60 seconds, as a digest under a random key of this process that is bound to the
/// user's name and stored hash: a client that sends Basic with every request costs argon2 once a minute, and a changed password
/// or a disabled account ends that at once.
#[derive(Clone)]
#[must_use]
pub struct Basic {
    users: Users,
    remembered: Arc<Remembered>,
}

impl Basic {
    /// Users, or a [`UserStore`](crate::store::UserStore) that has them.
    pub fn new(users: impl Into<Users>) -> Self {
        Self {
            users: users.into(),
            remembered: Arc::new(Remembered::new()),
        }
    }

    /// How often argon2 ran for its users: a test that counts needs no stopwatch.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn argon2_runs(&self) -> u64 {
        self.users.argon2_runs()
    }

    pub(crate) fn within(
        mut self,
        deadline: Duration,
        events: &Events,
        attempts: &Arc<Attempts>,
    ) -> Self {
        self.users = self.users.within(deadline, events, attempts);
        self
    }

    pub(crate) fn problems(count: usize) -> Vec<ConfigProblem> {
        if count > 1 {
            vec![ConfigProblem::TwoBasic]
        } else {
            Vec::new()
        }
    }

    fn verify(&self, credential: &BasicCredential, now: SystemTime) -> Answer {
        let name = normal(credential.name());
        let known = match caught(|| self.users.store().peek_user(&name, now)) {
            Err(unavailable) => return Answer::Refused(unavailable),
            Ok(Peek::Found(user)) => {
                if self.remembered.holds(&user, credential, now) {
                    return Answer::Verified(Principal::from(user));
                }
                Some(Some(user))
            }
            Ok(Peek::Absent) => Some(None),
            Ok(Peek::Ask) => None,
        };
        let (Self { users, remembered }, peer) = (self.clone(), credential.peer());
        let presented =
            BasicCredential::new(credential.name().to_owned(), credential.password().clone());
        Answer::Pending(Box::pin(async move {
            let holds = |user: &UserRecord| remembered.holds(user, &presented, now);
            let attempt = Attempt {
                name: presented.name(),
                password: presented.password(),
                peer,
            };
            let user = users.attempt(attempt, known, holds, now).await?;
            remembered.remember(&user, &presented, now);
            Ok(Principal::from(user))
        }))
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
        let key = random::fill(&mut *key)
            .ok()
            .and_then(|()| Hmac::new_from_slice(&*key).ok());
        Self {
            key,
            until: Cache::new(REMEMBERED),
        }
    }

    fn holds(&self, user: &UserRecord, credential: &BasicCredential, now: SystemTime) -> bool {
        let digest = user
            .is_active()
            .then(|| self.digest(user, credential))
            .flatten();
        digest
            .and_then(|digest| self.until.get(&digest))
            .is_some_and(|until| now < until)
    }

    fn remember(&self, user: &UserRecord, credential: &BasicCredential, now: SystemTime) {
        if let (Some(digest), Some(until)) = (
            self.digest(user, credential),
            now.checked_add(REMEMBERED_FOR),
        ) {
            self.until.insert(digest, until);
        }
    }

    /// Each part is preceded by its length, lest two different triples read the same.
    fn digest(&self, user: &UserRecord, credential: &BasicCredential) -> Option<[u8; 32]> {
        let mut mac = self.key.clone()?;
        for part in [
            credential.name(),
            credential.password().expose(),
            user.stored_hash()?.expose(),
        ] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Some(mac.finalize().into_bytes().into())
    }
}
