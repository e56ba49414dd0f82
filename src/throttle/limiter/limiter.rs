use super::answer::LimiterAnswer;
use super::charge::Charge;
use super::error::LimiterError;
use super::standing::{Receipt, Standing};
use crate::clock::Clock;
use crate::config::ConfigProblem;
use std::fmt;
use std::sync::Arc;

/// Counts requests and decides, for the rules ([`Throttle`](crate::throttle::Throttle)) of a layer:
/// a rate limiter.
///
/// [`MemoryLimiter`](super::MemoryLimiter) counts in this process and is what a layer has by
/// default; `RedisLimiter` (feature `redis`) counts together with other machines. An application
/// adds its own:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_auth::clock::Clock;
/// use tower_auth::store::Memory;
/// use tower_auth::throttle::{Charge, Limiter, LimiterAnswer, LimiterError, MemoryLimiter};
/// use tower_auth::throttle::{Receipt, Standing, Throttle};
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};
///
/// /// Counts in memory, unless an operator has switched it off.
/// #[derive(Clone, Debug, Default)]
/// struct Switched {
///     memory: Arc<MemoryLimiter>,
///     off: Arc<AtomicBool>,
/// }
///
/// impl Limiter for Switched {
///     fn count(
///         &self,
///         charges: &[Charge],
///         clock: &Arc<dyn Clock>,
///     ) -> LimiterAnswer<Vec<Standing>> {
///         if self.off.load(Ordering::Relaxed) {
///             return LimiterAnswer::Ready(Err(LimiterError::new("switched off")));
///         }
///         self.memory.count(charges, clock)
///     }
///
///     fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
///         self.memory.take(charge, clock)
///     }
///
///     fn give_back(
///         &self,
///         charge: &Charge,
///         receipt: Receipt,
///         clock: &Arc<dyn Clock>,
///     ) -> LimiterAnswer<()> {
///         self.memory.give_back(charge, receipt, clock)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let limiter = Switched::default();
/// let realm = Realm::new(Memory::new()).limiter(limiter.clone());
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder()
///     .accept(&keys)
///     .throttle(Throttle::per_principal("2/day").refuse_in_outage())
///     .build()?;
/// # let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?;
/// # let hello = |_: http::Request<String>| async { Ok::<_, std::convert::Infallible>(http::Response::new(String::new())) };
/// # let service = ServiceBuilder::new().layer(auth).service(service_fn(hello));
/// # let status = async || {
/// #     let request = http::Request::get("/").header("x-api-key", new.key.expose()).body(String::new()).unwrap();
/// #     service.clone().oneshot(request).await.unwrap().status()
/// # };
/// // `status` is that of a request with a key.
/// assert_eq!([status().await, status().await, status().await], [200, 200, 429]);
/// limiter.off.store(true, Ordering::Relaxed);
/// assert_eq!(status().await, 503);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
///
/// # Rules for implementations
///
/// - All or nothing: a request that one of the rules refuses is counted under none.
/// - Exactly: of requests at the same time, no more pass than a rate allows.
/// - `N per period` is never more than N in any window of that length, and nobody waits for longer
///   than a period.
/// - In time: an answer comes within a deadline of the limiter's own, or is a [`LimiterError`]. A
///   panic is one, too. What then becomes of the request is for each rule to say; a limiter lets
///   nothing pass that it has not counted.
pub trait Limiter: fmt::Debug + Send + Sync + 'static {
    /// Counts a request under all rules or under none, and says how the caller stands with each, in
    /// the order of the charges. The rules are different ones.
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>>;

    /// Counts a cost that came to light afterwards, even beyond the rate.
    fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt>;

    /// Takes the charge's cost back from what was entered under the receipt, as far as it has not
    /// run off.
    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()>;

    /// How many nodes count together: while there is no answer, each admits one so many-th of a
    /// rate by itself.
    fn node_count(&self) -> u32 {
        1
    }

    /// What is wrong with its configuration, for `build()` to report.
    fn problems(&self) -> Vec<ConfigProblem> {
        Vec::new()
    }
}

impl<L: Limiter + ?Sized> Limiter for Arc<L> {
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        (**self).count(charges, clock)
    }

    fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        (**self).take(charge, clock)
    }

    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()> {
        (**self).give_back(charge, receipt, clock)
    }

    fn node_count(&self) -> u32 {
        (**self).node_count()
    }

    fn problems(&self) -> Vec<ConfigProblem> {
        (**self).problems()
    }
}

impl<T> From<Result<T, LimiterError>> for LimiterAnswer<T> {
    fn from(result: Result<T, LimiterError>) -> Self {
        Self::Ready(result)
    }
}
