use super::by::By;
use super::call::Call;
use super::fields::Told;
use super::limiter::{Counter, MOST_KEYS, MemoryLimiter, RuleId};
use crate::clock::Clock;
use crate::config::ConfigProblem;
use crate::principal::Principal;
use crate::rate::{Rate, RateError};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A rate limit: a rule that says who is counted, and how often they may call.
///
/// - Given to [`AuthLayerBuilder::throttle`](crate::layer::AuthLayerBuilder::throttle) it counts
///   every request that the layer has authenticated; given to
///   [`AuthLayer::throttle`](crate::AuthLayer::throttle), those of a route.
/// - Several rules together are all-or-nothing: a request that one of them refuses is counted by
///   none.
/// - A rate can be a text, whose mistakes `build()` reports, or a [`Rate`].
///
/// ```
/// use tower_auth::throttle::Throttle;
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder()
///     .accept(&keys)
///     .throttle(Throttle::per_principal("2000/day"))
///     .throttle(Throttle::per_principal("2/min").name("peak"))
///     .build()?;
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # let new_key = async |user: &str| {
/// #     keys.issue(KeyRequest::new(Subject::user(user), "ci")).await.unwrap().key
/// # };
/// # let (anna, ben) = (new_key("7").await, new_key("8").await);
/// # let status = async |key: &tower_auth::Secret<String>| {
/// #     let request = http::Request::get("/").header("x-api-key", key.expose()).body(()).unwrap();
/// #     tower::ServiceExt::oneshot(service.clone(), request).await.unwrap().status()
/// # };
///
/// // `status` is that of a request with the key of one of two users.
/// assert_eq!([status(&anna).await, status(&anna).await, status(&anna).await], [200, 200, 429]);
/// assert_eq!(status(&ben).await, 200);
///
/// let monthly = Throttle::per_key("10/month");
/// let error = AuthLayer::builder().accept(&keys).throttle(monthly).build().unwrap_err();
/// assert!(error.to_string().contains("a month has no fixed length"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Throttle {
    by: By,
    rate: Result<Rate, RateError>,
    name: Option<String>,
    quota: Option<Quota>,
    cost: Option<Cost>,
    settled: bool,
    mode: Mode,
    most_keys: usize,
    outage: Outage,
}

type Quota = Arc<dyn Fn(&Principal) -> Option<Rate> + Send + Sync>;
type Cost = Arc<dyn Fn(&Call<'_>) -> u32 + Send + Sync>;

/// Whether a rule refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Enforced,
    /// It only says what it would have refused.
    Observed,
}

/// What a rule does while the limiter does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Refuse,
    LocalShare,
    Admit,
}

impl Throttle {
    /// Counts callers by their subject (and issuer, where a token is not ours): all keys of an
    /// owner together, and with them the tokens that we issued to that user. Anonymous requests
    /// are counted by address, and are a 500 where the server does not tell it.
    pub fn per_principal(rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self::new(By::Principal, rate)
    }

    /// Counts API keys, each on its own; a rotated key and its successor are one. Other callers are
    /// not counted.
    pub fn per_key(rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self::new(By::ApiKey, rate)
    }

    /// Counts users by their id, whatever they present and whoever issued it. Callers of other
    /// kinds are not counted.
    pub fn per_user(rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self::new(By::User, rate)
    }

    /// Counts by a member of an API key's metadata or of a token's claims, a text or a number:
    /// `tenant_id`, `org`. Callers without it are not counted.
    pub fn per_tenant(member: &str, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self::new(By::Tenant(member.into()), rate)
    }

    /// Counts addresses, as [`Addresses`](super::Addresses) find them. Where the server does not
    /// tell the peer's, every request is a 500 that says so in the log.
    pub fn per_address(rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self::new(By::Address, rate)
    }

    /// Counts by whatever a function makes of a request, bytes of it or bytes of its own; where
    /// that is `None` the request is not counted. A panic is a 500.
    ///
    /// ```
    /// use tower_auth::throttle::Throttle;
    ///
    /// // What is no text is counted too: a client could write it to get around the rule.
    /// let by_tenant = Throttle::per("100/min", |call| {
    ///     Some(call.headers().get("x-tenant")?.as_bytes().into())
    /// });
    /// let by_method = Throttle::per("100/min", |call| {
    ///     Some(call.method().to_string().into_bytes().into())
    /// });
    /// ```
    pub fn per(
        rate: impl TryInto<Rate, Error: Into<RateError>>,
        key: impl for<'r> Fn(&Call<'r>) -> Option<Cow<'r, [u8]>> + Send + Sync + 'static,
    ) -> Self {
        Self::new(By::Function(Arc::new(key)), rate)
    }

    fn new(by: By, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        Self {
            by,
            rate: rate.try_into().map_err(Into::into),
            name: None,
            quota: None,
            cost: None,
            settled: false,
            mode: Mode::Enforced,
            most_keys: MOST_KEYS,
            outage: Outage::LocalShare,
        }
    }

    /// What clients see it called in `RateLimit-Policy`; `principal`, `key`, `user`, `tenant`,
    /// `address` or `function` by default. It is 1 to 64 letters, digits, `-`, `_`, `.` and spaces.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another rate for some callers, as from a plan that a role or the application's own user
    /// names; `None` is the rule's own. A panic is a 500.
    ///
    /// Under each rate a caller has a count of their own: whoever changes plans begins anew, and a
    /// token and a key of one user that get different rates are counted apart. The roles of a key
    /// are those that it was made with, and need not be all of its user.
    pub fn quota(
        mut self,
        quota: impl Fn(&Principal) -> Option<Rate> + Send + Sync + 'static,
    ) -> Self {
        self.quota = Some(Arc::new(quota));
        self
    }

    /// The rate in the record of the key that was presented
    /// ([`KeyRecord::rate`](crate::store::KeyRecord::rate)), or with Basic in that of the user
    /// ([`UserRecord::rate`](crate::store::UserRecord::rate)); the rule's own where there is none.
    ///
    /// Of a user who presents a token the record is not read: use [`quota`](Self::quota), with a
    /// role or with the user that the application has loaded.
    pub fn record_quota(self) -> Self {
        self.quota(|caller| caller.own_rate())
    }

    /// How many of the rate a request takes; 1 by default, 0 is none. What costs more than the rate
    /// has is always refused. A panic is a 500.
    pub fn cost(mut self, cost: impl Fn(&Call<'_>) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Some(Arc::new(cost));
        self
    }

    /// The cost is known afterwards: a handler tells it to the request's
    /// [`Settlement`](super::Settlement). Until then it is what [`cost`](Self::cost) says.
    pub fn settled(mut self) -> Self {
        self.settled = true;
        self
    }

    /// A rehearsal: nothing is refused, and what would have been is an event
    /// ([`Action::ThrottleWouldRefuse`](crate::event::Action::ThrottleWouldRefuse)), which
    /// [`on_event`](crate::Realm::on_event) can count.
    pub fn observe(mut self) -> Self {
        self.mode = Mode::Observed;
        self
    }

    /// Of how many callers it keeps track at once, in this process; 1,000,000 by default. Beyond
    /// that the idle ones are forgotten, and where none is, new ones are counted together.
    pub fn most_keys(mut self, keys: usize) -> Self {
        self.most_keys = keys;
        self
    }

    /// While a shared limiter does not answer, requests are refused with 503. By default each node
    /// counts by itself, and admits its share of the rate: all of it, unless the limiter knows how
    /// many nodes there are (`RedisLimiter::nodes`).
    pub fn refuse_in_outage(mut self) -> Self {
        self.outage = Outage::Refuse;
        self
    }

    /// Whether it means nothing where nobody is verified.
    pub(crate) fn is_about_callers(&self) -> bool {
        self.quota.is_some() || self.by.is_about_callers()
    }

    /// The name of its own, or else what it counts by.
    pub(crate) fn shown_name(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => self.by.name().to_owned(),
        }
    }

    /// Settings that can open a door.
    pub fn dangerous(self) -> DangerousThrottle {
        DangerousThrottle(self)
    }

    /// Compiles it under a name of the rule's own or one that no rule before it has.
    pub(super) fn compile(
        self,
        scope: &str,
        taken: &[Rule],
        (memory, clock): (&MemoryLimiter, &dyn Clock),
        problems: &mut Vec<ConfigProblem>,
    ) -> Option<Rule> {
        let name = match self.name {
            Some(name) => {
                if !is_name(&name) {
                    // Goes on after a mistake, so that `build()` can list all of them at once.
                    problems.push(ConfigProblem::ThrottleName);
                } else if is_taken(&name, taken) {
                    problems.push(ConfigProblem::DuplicateThrottle(name.clone()));
                }
                name
            }
            // Clients tell rules apart by their names, so a second one of a kind gets a number.
            None => first_free(self.by.name(), taken),
        };
        if self.most_keys == 0 {
            problems.push(ConfigProblem::Zero("most_keys"));
        }
        let rate = self
            .rate
            .map_err(|error| problems.push(ConfigProblem::Rate(error)))
            .ok()?;
        let id = RuleId::new(scope, &name);
        Some(Rule {
            told: Told::new(&id.to_string(), &rate),
            counter: memory.rule(&id, rate, self.most_keys, clock),
            id,
            by: self.by,
            rate,
            quota: self.quota,
            cost: self.cost,
            settled: self.settled,
            mode: self.mode,
            outage: self.outage,
        })
    }
}

/// The settings of a [`Throttle`] that can open a door: made by [`Throttle::dangerous`].
#[derive(Clone, Debug)]
#[must_use]
pub struct DangerousThrottle(Throttle);

impl DangerousThrottle {
    /// While a shared limiter does not answer, nothing is counted and every request passes: whoever
    /// can stop that server can switch the rule off.
    pub fn admit_in_outage(mut self) -> Throttle {
        self.0.outage = Outage::Admit;
        self.0
    }
}

/// What may stand in a string of a structured field without a second look (RFC 9651 §3.3.3). No
/// colon: that stands between a scope and a name, wherever both are written as one.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_. ".contains(&b)
}

fn is_taken(name: &str, taken: &[Rule]) -> bool {
    taken.iter().any(|rule| rule.id.name() == name)
}

/// `principal`, `principal-2`, …
fn first_free(name: &str, taken: &[Rule]) -> String {
    let mut free = name.to_owned();
    let mut number = 1;
    while is_taken(&free, taken) {
        number += 1;
        free = format!("{name}-{number}");
    }
    free
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("by", &self.by)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// A rule that can be asked.
pub(super) struct Rule {
    pub(super) id: RuleId,
    pub(super) by: By,
    pub(super) rate: Rate,
    pub(super) quota: Option<Quota>,
    pub(super) cost: Option<Cost>,
    pub(super) settled: bool,
    pub(super) mode: Mode,
    pub(super) outage: Outage,
    pub(super) told: Told,
    pub(super) counter: Counter,
}
