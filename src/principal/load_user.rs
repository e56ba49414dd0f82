use super::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::store::caught_future;
use quick_cache::sync::Cache;
use std::any::Any;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How many users are remembered.
const REMEMBERED: usize = 10_000;

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
    until: SystemTime,
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
            remember_for,
            deadline,
        }))
    }
}

impl UserLoader {
    /// The caller's user, where one was loaded lately: that costs no future.
    pub(super) fn remembered(&self, caller: &Principal, now: SystemTime) -> Option<AnyUser> {
        let found = self.0.remembered.get(&Who::of(caller))?;
        (now < found.until).then_some(found.user)
    }

    /// The caller with the application's user.
    pub(super) async fn load(
        &self,
        mut caller: Principal,
        now: SystemTime,
    ) -> Result<Principal, Rejection> {
        let loader = &*self.0;
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
                until,
            };
            loader.remembered.insert(Who::of(&caller), remembered);
        }
        caller.set_user(user);
        Ok(caller)
    }

    /// Whoever this is, in whatever issuer's name, is loaded anew by the next request.
    pub(crate) fn forget(&self, kind: &str, id: &str) {
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
