use crate::store::forward::forward_stores;
use crate::store::{KeyDigest, StoreError};
use std::fmt;
use std::sync::Arc;

/// A store whose calls a test counts, fails, delays or lets panic.
///
/// The hook is told the name of each call before it is made:
///
/// ```
/// use tower_auth::store::{KeyDigest, KeyStore, Memory, StoreErrorKind};
/// use tower_auth::test_util::{Intercept, Intercepted};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let broken = Intercepted::new(Memory::new(), |call| match call {
///     "find_key" => Intercept::Fail,
///     _ => Intercept::Pass,
/// });
/// let error = broken.find_key(&KeyDigest::new("sha256", [7; 32])).await.unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Unavailable);
/// # });
/// ```
#[derive(Clone)]
pub struct Intercepted<S> {
    store: S,
    hook: Arc<dyn Fn(&'static str) -> Intercept + Send + Sync>,
    found: Option<KeyDigest>,
}

/// What becomes of a call to an [`Intercepted`] store: it passes, fails, hangs or panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intercept {
    /// The store answers.
    Pass,
    /// The call fails. A synchronous one (`peek_…`) has no answer, so that the asynchronous one
    /// follows.
    Fail,
    /// As `Fail`, but the store has done what it was asked: an answer that was lost.
    FailAfter,
    /// The call never ends. A synchronous one has no answer.
    Hang,
    /// The call panics.
    Panic,
}

impl<S> Intercepted<S> {
    /// Calls of that store, each told to `hook` by its name.
    pub fn new(store: S, hook: impl Fn(&'static str) -> Intercept + Send + Sync + 'static) -> Self {
        Self {
            store,
            hook: Arc::new(hook),
            found: None,
        }
    }

    /// Whatever key is looked for, the one of this digest is found, as by a store with a broken
    /// index.
    #[must_use]
    pub fn finding(mut self, digest: KeyDigest) -> Self {
        self.found = Some(digest);
        self
    }

    fn peek<T>(&self, call: &'static str, answer: impl FnOnce() -> T, none: T) -> T {
        match (self.hook)(call) {
            Intercept::Pass => answer(),
            Intercept::Fail | Intercept::FailAfter | Intercept::Hang => none,
            Intercept::Panic => panic!("planted in {call}"),
        }
    }

    async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match (self.hook)(name) {
            Intercept::Pass => call.await,
            Intercept::Fail => Err(StoreError::unavailable("planted")),
            Intercept::FailAfter => {
                call.await?;
                Err(StoreError::unavailable("planted"))
            }
            Intercept::Hang => std::future::pending().await,
            Intercept::Panic => panic!("planted in {name}"),
        }
    }
}

/// A call that the hook is told of.
macro_rules! hooked {
    (peek $this:expr, $call:ident($($arg:ident),*), $none:expr) => {
        $this.peek(stringify!($call), || $this.store.$call($($arg),*), $none)
    };
    (tell $this:expr, $call:ident($($arg:ident),*)) => {
        $this.peek(stringify!($call), || $this.store.$call($($arg),*), ())
    };
    (read $this:expr, $call:ident()) => { $this.store.$call() };
    (call $this:expr, find_key($digest:ident)) => {
        $this.call("find_key", $this.store.find_key($this.found.as_ref().unwrap_or($digest))).await
    };
    (call $this:expr, $call:ident($($arg:ident),*)) => {
        $this.call(stringify!($call), $this.store.$call($($arg),*)).await
    };
}

forward_stores!(impl<S> for Intercepted<S>, |self| hooked!(self));

impl<S> fmt::Debug for Intercepted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercepted").finish_non_exhaustive()
    }
}
