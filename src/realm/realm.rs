use crate::address::Addresses;
use crate::attempt::{AttemptLimits, Attempts};
use crate::clock::{Clock, SystemClock};
use crate::config::ConfigProblem;
use crate::event::{Audit, AuditLog, Event, EventHook, Events};
use crate::metrics::{Gauge, Meter};
#[cfg(feature = "basic")]
use crate::password::{Passwords, Remembered};
use crate::store::{Guard, Stores};
use crate::throttle::{Limiter, MemoryLimiter, SharedLimiter};
use std::fmt;
#[cfg(feature = "jwt")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What is protected together: stores, clock, deadline, events, attempts and counters, given once.
///
/// Services ([`Users`](crate::Users), [`TokenIssuer`](crate::TokenIssuer),
/// [`KeyIssuer`](crate::KeyIssuer)) and layers are made from a realm and behave alike wherever
/// their handle came from. Two layers over one realm share everything, attempts and counters
/// included, and a layer that is built anew over the same realm goes on counting where the old one
/// was: so secrets, issuers and limits can be replaced in a running process. (Where a rate is
/// replaced, requests under way are counted under the rate of the layer that they came through.)
///
/// A clone is the same realm. Each of the settings below makes another realm with counters of its
/// own, so give them all before the first service or layer is made.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let realm = Realm::new(Memory::new()).on_event(|event| println!("{}", event.action().name()));
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
///
/// let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci").scope("reports:read")).await?;
/// assert!(new.key.expose().starts_with("egret_")); // shown once, to its owner
///
/// // What belongs to another realm does not stand in the same layer.
/// let others = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("heron"));
/// assert!(AuthLayer::builder().accept(&keys).accept(&others).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct Realm(Arc<Parts>);

struct Parts {
    settings: Settings,
    live: OnceLock<Live>,
}

/// What the application has decided.
#[derive(Clone)]
struct Settings {
    name: String,
    stores: Stores,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    hook: EventHook,
    audit: Option<Audit>,
    attempts: AttemptLimits,
    addresses: Addresses,
    limiter: Option<Arc<dyn Limiter>>,
    #[cfg(feature = "jwt")]
    others_access: Duration,
}

/// What all services and layers of the realm share. It is made from the settings when the first of
/// them asks for it.
struct Live {
    events: Events,
    addresses: Arc<Addresses>,
    attempts: Arc<Attempts>,
    memory: Arc<MemoryLimiter>,
    limiter: Option<Arc<SharedLimiter>>,
    #[cfg(feature = "basic")]
    passwords: Passwords,
    #[cfg(feature = "basic")]
    remembered: Arc<Remembered>,
    /// The longest lifetime, in seconds, of the access tokens that any issuer of the realm makes:
    /// for so long the end of a session has to be remembered.
    #[cfg(feature = "jwt")]
    longest_access: AtomicU64,
    problems: Vec<ConfigProblem>,
}

impl Realm {
    /// A realm over these stores: a store that has all roles, such as
    /// [`Memory`](crate::store::Memory), or [`Stores`], each by its role.
    pub fn new(stores: impl Into<Stores>) -> Self {
        Self::of(Settings {
            name: String::from("api"),
            stores: stores.into(),
            clock: Arc::new(SystemClock),
            deadline: Duration::from_secs(2),
            hook: EventHook::default(),
            audit: None,
            attempts: AttemptLimits::new(),
            addresses: Addresses::new(),
            limiter: None,
            #[cfg(feature = "jwt")]
            others_access: Duration::ZERO,
        })
    }

    fn of(settings: Settings) -> Self {
        Self(Arc::new(Parts {
            settings,
            // Nothing is made before it is asked for: a setting that follows would throw it away,
            // and its tasks with it.
            live: OnceLock::new(),
        }))
    }

    fn changed(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = match Arc::try_unwrap(self.0) {
            Ok(parts) => parts.settings,
            // Somebody holds the realm as it was. This one is another realm from here on, with
            // counters and memory of its own.
            Err(shared) => shared.settings.clone(),
        };
        change(&mut settings);
        Self::of(settings)
    }

    /// The name that challenges show (RFC 9110 §11.5), printable ASCII; `api` by default.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.changed(|settings| settings.name = name.into())
    }

    /// The source of now; the system's clock by default.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.changed(|settings| settings.clock = Arc::new(clock))
    }

    /// How long a store may take to answer; 2 seconds by default. After that the answer is 503.
    pub fn store_deadline(self, deadline: Duration) -> Self {
        self.changed(|settings| settings.deadline = deadline)
    }

    /// Is told everything that happens: refusals, sign-ins, what is issued and revoked. It should
    /// be quick, for it runs within the request; if it panics the answer is 500.
    pub fn on_event(self, hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.changed(|settings| settings.hook = EventHook::new(hook))
    }

    /// Keeps what happens, in the store of the realm ([`Stores::audit`], where it is of several).
    pub fn audit(self, audit: Audit) -> Self {
        self.changed(|settings| settings.audit = Some(audit))
    }

    /// Waits until everything is in the store that happened before, and was to be kept
    /// ([`Realm::audit`]): for a server that stops. While the store fails it waits, so give it a
    /// time-out.
    pub async fn audit_written(&self) {
        if let Some(audit) = self.live().events.audit() {
            audit.written().await;
        }
    }

    /// How often credentials may be wrong; [`AttemptLimits::new`] by default.
    pub fn attempts(self, limits: AttemptLimits) -> Self {
        self.changed(|settings| settings.attempts = limits)
    }

    /// How the address that a request came from is found; by default it is the peer's.
    pub fn addresses(self, addresses: Addresses) -> Self {
        self.changed(|settings| settings.addresses = addresses)
    }

    /// Who counts what throttles count: `RedisLimiter` (feature `redis`) does so together with
    /// other machines, and an application may bring a [`Limiter`] of its own. By default they
    /// count in this process ([`MemoryLimiter`]).
    pub fn limiter(self, limiter: impl Limiter) -> Self {
        self.changed(|settings| settings.limiter = Some(Arc::new(limiter)))
    }

    /// How long access tokens live at most that other programs issue over the same stores. What
    /// this realm revokes (a session, all of a user's, with a new password) stays denied for as
    /// long; the lifetimes of its own issuers it knows. None by default.
    ///
    /// A program that manages users and issues no tokens has to say it: otherwise an access token
    /// of a session that it ended would be good again after a minute.
    #[cfg(feature = "jwt")]
    pub fn others_access_lifetime(self, lifetime: Duration) -> Self {
        self.changed(|settings| settings.others_access = lifetime)
    }

    fn live(&self) -> &Live {
        self.0.live.get_or_init(|| self.0.settings.live())
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// All mistakes in the settings.
    pub(crate) fn problems(&self) -> &[ConfigProblem] {
        &self.live().problems
    }

    pub(crate) fn challenge_name(&self) -> &str {
        &self.0.settings.name
    }

    pub(crate) fn stores(&self) -> &Stores {
        &self.0.settings.stores
    }

    pub(crate) fn clock_handle(&self) -> &Arc<dyn Clock> {
        &self.0.settings.clock
    }

    pub(crate) fn guard(&self) -> Guard {
        Guard {
            deadline: self.0.settings.deadline,
            meter: self.live().events.meter().clone(),
        }
    }

    pub(crate) fn events(&self) -> &Events {
        &self.live().events
    }

    pub(crate) fn found_addresses(&self) -> &Arc<Addresses> {
        &self.live().addresses
    }

    pub(crate) fn attempt_guard(&self) -> &Arc<Attempts> {
        &self.live().attempts
    }

    pub(crate) fn memory_limiter(&self) -> &Arc<MemoryLimiter> {
        &self.live().memory
    }

    /// The limiter that the application has given.
    pub(crate) fn shared_limiter(&self) -> Option<&Arc<SharedLimiter>> {
        self.live().limiter.as_ref()
    }

    #[cfg(feature = "basic")]
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.live().passwords
    }

    #[cfg(feature = "basic")]
    pub(crate) fn remembered(&self) -> &Arc<Remembered> {
        &self.live().remembered
    }

    /// An issuer of this realm makes access tokens that live so long.
    #[cfg(feature = "jwt")]
    pub(crate) fn issues_access_for(&self, lifetime: Duration) {
        let seconds = lifetime.as_secs();
        self.live()
            .longest_access
            // The longest of all issuers, also of one that is gone: its tokens live on.
            .fetch_max(seconds, Ordering::Relaxed);
    }

    /// How long the longest-lived access tokens of any of its issuers live.
    #[cfg(feature = "jwt")]
    pub(crate) fn longest_access(&self) -> Duration {
        Duration::from_secs(self.live().longest_access.load(Ordering::Relaxed))
    }
}

impl Settings {
    fn live(&self) -> Live {
        let mut problems = Vec::new();
        if self.name.is_empty() || !self.name.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            problems.push(ConfigProblem::Realm);
        }
        if self.deadline.is_zero() {
            problems.push(ConfigProblem::Zero("store_deadline"));
        }
        problems.extend_from_slice(self.addresses.problems());
        if let Some(limiter) = &self.limiter {
            problems.extend(limiter.problems());
        }
        let audit = self.audit_log(&mut problems);
        let addresses = Arc::new(self.addresses.clone());
        let attempts = Attempts::build(
            self.attempts.clone(),
            Arc::clone(&addresses),
            Arc::clone(&self.clock),
            &mut problems,
        );
        let meter = Meter::of_recorder(&self.clock);
        let stores = self.stores.clone();
        meter.read_off(Gauge::StoreLag, move || Some(stores.lag()?.as_secs_f64()));
        #[cfg(feature = "basic")]
        let passwords = Passwords::new();
        #[cfg(feature = "basic")]
        passwords.read_off(&meter);
        Live {
            events: Events::new(self.hook.clone(), audit, meter),
            addresses,
            attempts: Arc::new(attempts),
            memory: Arc::new(MemoryLimiter::new()),
            limiter: self.limiter.clone().map(shared),
            #[cfg(feature = "basic")]
            passwords,
            #[cfg(feature = "basic")]
            remembered: Arc::new(Remembered::new()),
            #[cfg(feature = "jwt")]
            // Other programs over the same stores issue tokens that live so long, and what is
            // revoked here has to outlast those too.
            longest_access: AtomicU64::new(self.others_access.as_secs()),
            problems,
        }
    }
}

impl Settings {
    fn audit_log(&self, problems: &mut Vec<ConfigProblem>) -> Option<AuditLog> {
        let audit = self.audit.clone()?;
        if audit.keeps_nothing() {
            problems.push(ConfigProblem::Zero("audit.keep"));
        }
        let Some(store) = self.stores.audit_store() else {
            problems.push(ConfigProblem::NoStore("audit"));
            return None;
        };
        let clock = Arc::clone(&self.clock);
        Some(AuditLog::new(audit, Arc::clone(store), clock))
    }
}

fn shared(limiter: Arc<dyn Limiter>) -> Arc<SharedLimiter> {
    Arc::new(SharedLimiter::new(Box::new(limiter)))
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm")
            .field("name", &self.0.settings.name)
            .field("stores", &self.0.settings.stores)
            .finish_non_exhaustive()
    }
}
