use super::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::store::caught_future;
use quick_cache::DefaultHashBuilder;
use quick_cache::sync::Cache;
use std::any::Any;
use std::error::Error;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// How many users are remembered.
const REMEMBERED: usize = 10_000;
/// Subjects that share a slot are loaded anew where one of them is forgotten. A power of two.
const SLOTS: usize = 1_024;

/// The application's own user, of a type that only the application knows.
type AnyUser = Arc<dyn Any + Send + Sync>;
type Loaded = Result<Option<AnyUser>, Box<dyn Error + Send + Sync>>;
type Load = dyn Fn(Principal) -> Pin<Box<dyn Future<Output = Loaded> + Send>> + Send + Sync;

/// Loads the application's own user for whoever was verified, by whatever credential.
#[derive(Clone)]
pub(crate) struct UserLoader(Arc<Loader>);

struct Loader {
    load: Box<Load>,
    remembered: Cache<Who, Remembered>,
    forgotten: Forgotten,
    remember_for: Duration,
    deadline: Duration,
}

/// A subject is unique within its issuer only (RFC 7519 §4.1.2).
#[derive(Clone, PartialEq, Eq, Hash)]
struct Who {
    issuer: Box<str>,
    kind: Box<str>,
    id: Box<str>,
}

#[derive(Clone)]
struct Remembered {
    user: AnyUser,
    /// How often somebody of the slot had been forgotten when the load began.
    slot: u64,
    since: SystemTime,
    until: SystemTime,
}

/// How often subjects were forgotten, by slot.
///
/// A user counts as long as nothing in the slot was forgotten since the load began:
///
/// ```text
/// load begins ── forget ── load ends    the user is there, and counts for nothing
/// ```
struct Forgotten {
    slots: Box<[AtomicU64]>,
    /// Keyed, so that nobody can choose ids that meet.
    hasher: DefaultHashBuilder,
}

impl Forgotten {
    fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Of a subject in whatever issuer's name.
    fn slot(&self, kind: &str, id: &str) -> &AtomicU64 {
        let slot = self.hasher.hash_one((kind, id)) as usize % SLOTS;
        &self.slots[slot]
    }

    fn of(&self, caller: &Principal) -> u64 {
        let subject = caller.subject();
        self.slot(subject.kind(), subject.id())
            .load(Ordering::Acquire)
    }
}

impl Who {
    fn of(caller: &Principal) -> Self {
        Self {
            issuer: caller.other_issuer().unwrap_or_default().into(),
            kind: caller.subject().kind().into(),
            id: caller.subject().id().into(),
        }
    }
}

/// What the application has decided about its users.
pub(crate) struct LoadUser {
    load: Box<Load>,
}

impl LoadUser {
    pub(crate) fn by<F, U, E>(load: impl Fn(Principal) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<U>, E>> + Send + 'static,
        U: Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let load: Box<Load> = Box::new(move |caller| {
            let loading = load(caller);
            Box::pin(async move {
                match loading.await {
                    Ok(Some(user)) => Ok(Some(Arc::new(user) as AnyUser)),
                    Ok(None) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            })
        });
        Self { load }
    }

    pub(crate) fn build(self, deadline: Duration, remember_for: Duration) -> UserLoader {
        UserLoader(Arc::new(Loader {
            load: self.load,
            remembered: Cache::new(REMEMBERED),
            forgotten: Forgotten::new(),
            remember_for,
            deadline,
        }))
    }
}

impl UserLoader {
    /// The caller's user, where one was loaded lately: that costs no future.
    pub(super) fn remembered(&self, caller: &Principal, now: SystemTime) -> Option<AnyUser> {
        let found = self.0.remembered.get(&Who::of(caller))?;
        // A clock that was set back makes nobody remembered for longer.
        let is_lately = found.since <= now && now < found.until;
        (is_lately && found.slot == self.0.forgotten.of(caller)).then_some(found.user)
    }

    /// The caller with the application's user.
    pub(super) async fn load(
        &self,
        mut caller: Principal,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        let loader = &*self.0;
        // Before the load begins: whoever is forgotten while being loaded is not remembered then.
        let slot = loader.forgotten.of(&caller);
        // Called within the future, so that a panic of the function itself is caught as well, and
        // not only one of what it returns.
        let loading = async { (loader.load)(caller.clone()).await };
        let loading = tokio::time::timeout(loader.deadline, loading);
        let user = match caught_future(loading).await {
            Err(panicked) => return Err(Rejection::unavailable("load_user panicked", panicked)),
            Ok(Err(elapsed)) => return Err(Rejection::unavailable("load_user too slow", elapsed)),
            Ok(Ok(Err(error))) => return Err(Rejection::unavailable("load_user failed", error)),
            Ok(Ok(Ok(user))) => user,
        };
        let Some(user) = user else {
            // Not remembered: whoever is added to the application's users is let in by the next
            // request.
            return Err(unknown(&caller));
        };
        if let Some(until) = now.checked_add(loader.remember_for) {
            let remembered = Remembered {
                user: Arc::clone(&user),
                slot,
                since: now,
                until,
            };
            loader.remembered.insert(Who::of(&caller), remembered);
        }
        caller.set_user(user);
        Ok(caller)
    }

    /// Whoever this is, in whatever issuer's name, is loaded anew by the next request.
    pub(crate) fn forget(&self, kind: &str, id: &str) {
        // The count comes first: what a load that is under way inserts afterwards does not count.
        let slot = self.0.forgotten.slot(kind, id);
        slot.fetch_add(1, Ordering::AcqRel);
        // Others of the slot are loaded anew, which costs them one load.
        self.0
            .remembered
            .retain(|who, _| *who.kind != *kind || *who.id != *id);
    }
}

/// The application does not know the caller: as if the credential had been revoked.
fn unknown(caller: &Principal) -> Rejection {
    let kind = if caller.key().is_some() {
        RejectionKind::InvalidApiKey
    } else {
        RejectionKind::InvalidToken
    };
    Rejection::new(kind, "load_user knows no such user")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Subject;
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::task::{Context, Waker};
    use std::time::UNIX_EPOCH;

    const FOR: Duration = Duration::from_secs(60);
    const NOW: SystemTime = UNIX_EPOCH;

    fn caller() -> Principal {
        Principal::builder(Subject::user("9")).build()
    }

    fn loader<F>(load: impl Fn(Principal) -> F + Send + Sync + 'static) -> UserLoader
    where
        F: Future<Output = Result<Option<&'static str>, Infallible>> + Send + 'static,
    {
        LoadUser::by(load).build(FOR, FOR)
    }

    #[tokio::test]
    async fn a_load_that_began_before_its_user_was_forgotten_is_not_remembered() {
        let (done, wait) = tokio::sync::oneshot::channel();
        let wait = Mutex::new(Some(wait));
        let loader = loader(move |_| {
            let wait = wait.lock().unwrap().take();
            async move {
                match wait {
                    // What the application had read when the right was taken away.
                    Some(wait) => Ok(wait.await.ok()),
                    None => Ok(Some("member")),
                }
            }
        });
        let mut loading = Box::pin(loader.load(caller(), NOW));
        let mut context = Context::from_waker(Waker::noop());
        assert!(loading.as_mut().poll(&mut context).is_pending());
        loader.forget("user", "9");
        done.send("administrator").unwrap();
        loading.await.unwrap();
        assert!(loader.remembered(&caller(), NOW).is_none());

        let loaded = loader.load(caller(), NOW).await.unwrap();
        assert_eq!(loaded.user::<&str>(), Some(&"member"));
        assert!(loader.remembered(&caller(), NOW).is_some());
        loader.forget("robot", "9");
        loader.forget("user", "9");
        assert!(loader.remembered(&caller(), NOW).is_none());
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_no_user_remembered_for_longer() {
        let loader = loader(async |_| Ok(Some("member")));
        let later = NOW + FOR;
        loader.load(caller(), later).await.unwrap();
        let last = later + FOR - Duration::from_nanos(1);
        for (now, is_remembered) in [
            (later, true),
            (last, true),
            (later + FOR, false),
            (NOW, false),
        ] {
            let found = loader.remembered(&caller(), now);
            assert_eq!(found.is_some(), is_remembered, "{now:?}");
        }
    }
}
