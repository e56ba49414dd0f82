use super::about::About;
use super::breaker::Breaker;
use super::connection::Connection;
use super::cure::Cure;
use super::leases::Leases;
use super::link::{Link, Repeat};
use super::script::{self, Correction, Granted, MICRO, Wanted};
use crate::clock::{Clock, nanos};
use crate::config::ConfigProblem;
use crate::event::limiter_may_forget;
use crate::rate::Form;
use crate::throttle::limiter::{
    Charge, Key, Keys, Limiter, LimiterAnswer, LimiterError, Receipt, Standing,
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// With which all keys begin.
const PREFIX: &str = "tower-auth";

/// How long a start waits for the server.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// What a lease may be kept for, whatever the period.
const LONGEST_LEASE: u64 = 10_000_000;

/// A Redis or Valkey server on which several machines count together.
///
/// - It is asked once a request, for all rules together, in one script.
/// - It is one server, or one and its replicas, of which one counts at a time. A node of a Redis
///   Cluster is refused in words, by [`ready`](Self::ready) and as an outage by each request: its
///   counters are on many servers, which no script asks together.
/// - Where the server was replaced by another (a failover that moves a name or an address),
///   requests are asked again over a new connection as soon as the old one ends, says that it only
///   reads, or has not answered three times.
/// - It may take 20 ms ([`deadline`](Self::deadline)). After three failures in a row nobody waits
///   for it: one request a second tries.
/// - While it does not answer, each rule does what it says: by default, every node admits its share
///   of the rate ([`nodes`](Self::nodes));
///   [`Throttle::refuse_in_outage`](crate::throttle::Throttle::refuse_in_outage) is 503.
/// - Who is counted is stored as a hash. The connection is made when it is first needed.
/// - Services that share a server have a [`namespace`](Self::namespace) each.
///
/// # What the promise rests on
///
/// Never more than N are admitted for as long as the server keeps what it is given:
///
/// | setting | where it is otherwise |
/// |---|---|
/// | `maxmemory-policy noeviction` | counters that are live are forgotten when memory is short, also by `volatile-*`, because all of them have an end |
/// | `appendonly yes` | a restart forgets all counters, or those since the last snapshot; with `appendfsync everysec` those of a second |
/// | a failover waits for the replica (`WAIT`, `FAILOVER`) | replication is behind the answers: what the new server has not heard of is counted anew. `min-replicas-to-write` keeps one that is cut off from counting on |
/// | clocks of server and replica that agree | windows are of the server's clock: after a failover to one that is behind by a minute they last a minute longer, to one that is ahead they end a minute early |
/// | nobody else writes its keys (`FLUSHALL`, `DEL tower-auth:*`) | what is deleted is forgotten |
/// | ACL `+evalsha +script\|load +get +set +del +time +ping +info ~tower-auth*` | the limiter does not answer: without `+info` only the first two rows are not checked |
///
/// The first two are checked when a connection is made (`INFO`). A server that may forget is told
/// to the log once, as event `limiter may forget` at `warn`. With `noeviction` a server whose
/// memory is full says so (`OOM`), which is an outage.
///
/// ```
/// use tower_auth::throttle::{RedisLimiter, Throttle};
/// use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory};
///
/// let limiter = RedisLimiter::new("redis://127.0.0.1:6379").nodes(4);
/// let keys = Realm::new(Memory::new()).limiter(limiter).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder()
///     .accept(&keys)
///     .throttle(Throttle::per_principal("2000/day"))
///     .build()?;
///
/// let wrong = Realm::new(Memory::new()).limiter(RedisLimiter::new("no url"));
/// assert!(AuthLayer::builder().accept(&wrong.api_keys(ApiKeys::bare())).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisLimiter {
    settings: Arc<Settings>,
    shared: Arc<Shared>,
}

#[derive(Clone)]
struct Settings {
    client: Result<Client, ConfigProblem>,
    nodes: u32,
    deadline: Duration,
    lease: u32,
    /// With which its keys begin; without the namespace where that is none.
    prefix: String,
    namespace: Result<(), ConfigProblem>,
}

/// What the log hears of a call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{cure}")]
struct Failure {
    cure: Cure,
    #[source]
    error: RedisError,
}

/// What all clones share.
struct Shared {
    link: Link,
    breaker: Breaker,
    leases: Leases,
    /// Of the leases.
    keys: Keys,
    /// Whether the log has heard of settings by which counters are forgotten.
    has_warned: AtomicBool,
}

impl Shared {
    /// Once: another connection has mostly the same to say.
    fn warn(&self, about: &About) {
        if let Some(settings) = about.forgets_by()
            && !self.has_warned.swap(true, Ordering::Relaxed)
        {
            limiter_may_forget(&settings);
        }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            link: Link::default(),
            breaker: Breaker::default(),
            leases: Leases::new(),
            keys: Keys::new(),
            has_warned: AtomicBool::new(false),
        }
    }
}

impl RedisLimiter {
    /// On the server of that URL: `redis://[user:password@]host[:port][/database]`, with feature
    /// `redis-tls` also `rediss://…`.
    pub fn new(url: &str) -> Self {
        let settings = Settings {
            client: Client::open(url).map_err(|_| ConfigProblem::RedisUrl),
            nodes: 1,
            deadline: Duration::from_millis(20),
            lease: 1,
            prefix: String::from(PREFIX),
            namespace: Ok(()),
        };
        Self {
            settings: Arc::new(settings),
            shared: Arc::default(),
        }
    }

    /// Whose certificates a `rediss://` server may have, in PEM format, instead of those that the
    /// system trusts.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        if let Ok(client) = &settings.client {
            settings.client = trusting(client, pem.into());
        }
        self
    }

    /// Keeps the counters of one service apart from those of others on the same server: the nodes
    /// of a service have one namespace, 1 to 64 letters, digits, `-`, `_` and `.`. Without it,
    /// two services whose callers and rules have the same names count together.
    ///
    /// ```
    /// use tower_auth::throttle::RedisLimiter;
    ///
    /// // Its keys begin with `tower-auth:orders:`.
    /// let limiter = RedisLimiter::new("redis://127.0.0.1:6379").namespace("orders");
    /// ```
    pub fn namespace(mut self, name: &str) -> Self {
        let settings = Arc::make_mut(&mut self.settings);
        if is_namespace(name) {
            settings.prefix = format!("{PREFIX}:{name}");
        } else {
            settings.namespace = Err(ConfigProblem::RedisNamespace);
        }
        self
    }

    /// How many nodes share the limits: while the server does not answer, each admits one so
    /// many-th of a rate. 1 by default.
    pub fn nodes(mut self, nodes: u32) -> Self {
        Arc::make_mut(&mut self.settings).nodes = nodes;
        self
    }

    /// How long an answer may take.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        Arc::make_mut(&mut self.settings).deadline = deadline;
        self
    }

    /// A node takes so many requests of a caller at a time and asks again when they are used up or
    /// a 64th of the period (10 seconds at most) has gone by. What is not used by then is lost:
    /// never more than the rate is admitted, at times less. Paced rules, and stacks with one,
    /// are asked each time.
    pub fn leases(mut self, requests: u32) -> Self {
        Arc::make_mut(&mut self.settings).lease = requests;
        self
    }

    /// Whether one can count on the server: for start-up code that rather ends than runs without.
    ///
    /// ```no_run
    /// # use tower_auth::throttle::{LimiterError, RedisLimiter};
    /// # async fn start() -> Result<(), LimiterError> {
    /// let limiter = RedisLimiter::new("redis://127.0.0.1:6379");
    /// limiter.ready().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// It does not answer within five seconds, or it is a node of a Redis Cluster.
    pub async fn ready(&self) -> Result<(), LimiterError> {
        let greeted = async {
            let (mut connection, _) = self.shared.link.current(|| self.connect())?;
            connection.check().await?;
            // The greeting hides an error of `INFO`, so it does not tell whether the server answers
            // at all.
            let ping = redis::cmd("PING");
            ping.exec_async(&mut connection.manager).await
        };
        match tokio::time::timeout(READY_WITHIN, greeted).await {
            Ok(answer) => answer.map_err(failure),
            Err(elapsed) => Err(LimiterError::new(elapsed)),
        }
    }

    /// By which settings the server may forget counters that are live, in its own words
    /// (`maxmemory-policy allkeys-lru, appendonly no`); `None` where it keeps what it is given, or
    /// does not tell. What they mean stands [above](Self#what-the-promise-rests-on).
    ///
    /// # Errors
    ///
    /// It does not answer within five seconds, or it is a node of a Redis Cluster.
    pub async fn may_forget(&self) -> Result<Option<String>, LimiterError> {
        self.ready().await?;
        let (connection, _) = self
            .shared
            .link
            .current(|| self.connect())
            .map_err(failure)?;
        Ok(connection.forgets_by())
    }

    async fn ask(
        self,
        charges: Vec<Charge>,
        lease: Option<Key>,
        clock: Arc<dyn Clock>,
    ) -> Result<Vec<Standing>, LimiterError> {
        // Read before the server is asked, which begins to count only then: so a lease ends here
        // before it ends there. Counted from the answer on, it could outlive what the server has
        // entered.
        let sent = nanos(clock.steady());
        let wanted = match lease {
            Some(_) => Wanted {
                now: 0,
                requests: self.settings.lease,
                hold: hold(&charges),
            },
            None => Wanted {
                now: 0,
                requests: 1,
                hold: 0,
            },
        };
        let call = self.take_of(&charges, wanted);
        let granted = self.within_deadline(call, &*clock).await?;
        if let Some(lease) = lease {
            let until = sent.saturating_add(granted.hold.saturating_mul(MICRO));
            // One of them is for the request that asked.
            let more = granted.requests.saturating_sub(1);
            let now = nanos(clock.steady());
            self.shared
                .leases
                .add(lease, more, until, &granted.standings, now);
        }
        Ok(granted.standings)
    }

    pub(super) async fn take_of(
        &self,
        charges: &[Charge],
        wanted: Wanted,
    ) -> Result<Granted, RedisError> {
        let call = script::take(&self.settings.prefix, charges, wanted);
        let asked = self
            .shared
            .link
            .ask(&call, Repeat::Always, || self.connect());
        let numbers: Vec<u64> = asked.await?;
        script::granted(&numbers, charges.len())
    }

    async fn settle(self, charge: Charge, correction: Correction) -> Result<Receipt, LimiterError> {
        self.settle_of(&charge, correction).await.map_err(failure)
    }

    pub(super) async fn settle_of(
        &self,
        charge: &Charge,
        correction: Correction,
    ) -> Result<Receipt, RedisError> {
        let call = script::settle(&self.settings.prefix, charge, correction);
        // Asked again after an answer was lost, the server could give back twice, which would
        // forgive other requests of the caller.
        let repeat = match correction.back {
            (_, 0) => Repeat::Always,
            _ => Repeat::IfNotDone,
        };
        let asked = self.shared.link.ask(&call, repeat, || self.connect());
        asked.await.map(Receipt)
    }

    async fn within_deadline<T>(
        &self,
        call: impl Future<Output = Result<T, RedisError>>,
        clock: &dyn Clock,
    ) -> Result<T, LimiterError> {
        // Read before the call: if it fails, only the connection that it may have used is replaced,
        // and not one that another request has made meanwhile.
        let number = self.shared.link.number();
        let error = match tokio::time::timeout(self.settings.deadline, call).await {
            Ok(Ok(answer)) => {
                self.shared.breaker.succeeded();
                return Ok(answer);
            }
            // The server answers, and refuses this call alone: the breaker must not open for
            // others.
            Ok(Err(error)) if is_about_this_call(&error) => return Err(failure(error)),
            Ok(Err(error)) => failure(error),
            Err(elapsed) => LimiterError::new(elapsed),
        };
        if self.shared.breaker.failed(nanos(clock.steady())) {
            // A connection on which packets get lost tells of no error. So after three failures in
            // a row it is replaced, whatever they were.
            self.shared.link.replace(number);
        }
        Err(error)
    }

    /// `None` where each request has to ask.
    fn lease_key(&self, charges: &[Charge]) -> Option<Key> {
        if self.settings.lease == 1 || !charges.iter().all(can_be_leased) {
            return None;
        }
        // No text has this byte, which does not occur in UTF-8, and all other parts have a fixed
        // length. So no two lists of charges read the same.
        const END: u8 = 0xff;
        let mut text = Vec::new();
        text.extend_from_slice(self.settings.prefix.as_bytes());
        text.push(END);
        for charge in charges {
            let rate = charge.rate();
            text.extend_from_slice(charge.rule().scope().as_bytes());
            text.push(END);
            text.extend_from_slice(charge.rule().name().as_bytes());
            text.push(END);
            text.extend_from_slice(charge.caller().as_bytes());
            text.push(u8::from(rate.form() == Form::Calendar));
            // Under a rule that only observes, a lease is granted beyond the rate as well: one that
            // refuses must not use it.
            text.push(u8::from(charge.refuses()));
            for number in [rate.count(), rate.seconds(), charge.cost()] {
                text.extend_from_slice(&number.to_le_bytes());
            }
        }
        Some(self.shared.keys.of(b'l', &[&text]))
    }

    /// Describes a connection, which is made when it is first used.
    fn connect(&self) -> Result<Connection, RedisError> {
        let client = self
            .settings
            .client
            .clone()
            .map_err(|_| RedisError::from((redis::ErrorKind::InvalidClientConfig, "url")))?;
        #[cfg(feature = "redis-tls")]
        provide_cryptography();
        // A call gives up at its own deadline, whatever is set here. These settings bound the
        // attempt to connect that goes on without it.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(10))
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(self.settings.deadline));
        let manager = ConnectionManager::new_lazy_with_config(client, config)?;
        let shared = Arc::clone(&self.shared);
        Ok(Connection::greet(manager, move |about| shared.warn(about)))
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> ConnectionManager {
        let connection = self.shared.link.current(|| self.connect());
        connection.expect("a connection").0.manager
    }
}

impl Limiter for RedisLimiter {
    /// At once where a lease or the breaker can tell.
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        let now = nanos(clock.steady());
        let lease = self.lease_key(charges);
        // Before the breaker is asked: a lease was counted when it was granted, so it may be used
        // while the server is silent.
        if let Some(standings) = lease.and_then(|lease| self.shared.leases.take(lease, now)) {
            return Ok(standings).into();
        }
        if !self.shared.breaker.admits(now) {
            return Err(LimiterError::new("the last three calls to Redis failed")).into();
        }
        let asked = self.clone().ask(charges.to_vec(), lease, Arc::clone(clock));
        LimiterAnswer::Pending(Box::pin(asked))
    }

    fn take(&self, charge: &Charge, _: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        let more = Correction {
            more: charge.cost(),
            ..Correction::default()
        };
        let taken = self.clone().settle(charge.clone(), more);
        LimiterAnswer::Pending(Box::pin(taken))
    }

    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        _: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()> {
        let back = Correction {
            back: (receipt, charge.cost()),
            ..Correction::default()
        };
        let given = self.clone().settle(charge.clone(), back);
        LimiterAnswer::Pending(Box::pin(async move { given.await.map(drop) }))
    }

    fn node_count(&self) -> u32 {
        self.settings.nodes
    }

    fn problems(&self) -> Vec<ConfigProblem> {
        let settings = &self.settings;
        let mut problems = Vec::new();
        problems.extend(settings.client.as_ref().err().cloned());
        problems.extend(settings.namespace.as_ref().err().cloned());
        let zero = [
            ("nodes", settings.nodes == 0),
            ("deadline", settings.deadline.is_zero()),
            ("leases", settings.lease == 0),
        ];
        for (name, is_zero) in zero {
            if is_zero {
                problems.push(ConfigProblem::Zero(name));
            }
        }
        problems
    }
}

/// Neither braces, which say what of a key decides its place in a cluster, nor colons, which end
/// it.
fn is_namespace(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-_.".contains(&b)
}

/// Whether the server, which answers, has said no to this call alone.
fn is_about_this_call(error: &RedisError) -> bool {
    matches!(Cure::of(error), Cure::AnotherNode | Cure::Never)
}

fn failure(error: RedisError) -> LimiterError {
    LimiterError::new(Failure {
        cure: Cure::of(&error),
        error,
    })
}

/// A paced rule would let its burst pass twice, and a lease has one receipt for many requests.
fn can_be_leased(charge: &Charge) -> bool {
    !matches!(charge.rate().form(), Form::Paced { .. }) && !charge.is_corrected_later()
}

/// How long a lease may be kept: a 64th of the shortest period, so that it costs no more than a
/// sub-window does.
fn hold(charges: &[Charge]) -> u64 {
    let parts = charges
        .iter()
        .map(|charge| u64::from(charge.rate().seconds()) * 1_000_000 / 64);
    parts.min().unwrap_or(0).min(LONGEST_LEASE)
}

/// The same server, whose certificates may be these.
#[cfg(feature = "redis-tls")]
fn trusting(client: &Client, pem: Vec<u8>) -> Result<Client, ConfigProblem> {
    let info = client.get_connection_info().clone();
    let has_tls = matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. });
    if !has_tls || !has_certificates(&pem) {
        return Err(ConfigProblem::RedisCertificates);
    }
    let certificates = redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(pem),
    };
    Client::build_with_tls(info, certificates).map_err(|_| ConfigProblem::RedisCertificates)
}

#[cfg(feature = "redis-tls")]
fn has_certificates(pem: &[u8]) -> bool {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let mut found = CertificateDer::pem_slice_iter(pem).peekable();
    found.peek().is_some() && found.all(|certificate| certificate.is_ok())
}

/// The connection takes the process's provider and panics where there is none. An application that
/// chooses one has done so when the first request comes.
#[cfg(feature = "redis-tls")]
fn provide_cryptography() {
    use rustls::crypto::{CryptoProvider, aws_lc_rs};
    if CryptoProvider::get_default().is_none() {
        // An error means that another thread has installed a provider meanwhile, and that one is
        // used.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

/// Shows neither the URL, which may have a password, nor who is counted.
impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter")
            .field("nodes", &self.settings.nodes)
            .field("deadline", &self.settings.deadline)
            .field("leases", &self.settings.lease)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Rate;
    use crate::throttle::limiter::{CallerHash, RuleId};

    #[test]
    fn a_lease_serves_no_charge_but_those_that_it_was_granted_for() {
        let limiter = RedisLimiter::new("redis://127.0.0.1:6379").leases(8);
        let charge = |scope: &str, caller: u8, rate: &str, cost: u32| {
            let rate: Rate = rate.parse().unwrap();
            Charge::new(
                RuleId::new(scope, "key"),
                CallerHash::new([caller; 16]),
                rate,
                cost,
            )
        };
        let granted = limiter.lease_key(&[charge("", 1, "10/min", 1)]);
        assert!(granted.is_some());
        assert_eq!(limiter.lease_key(&[charge("", 1, "10/min", 1)]), granted);
        let others = [
            ("only observed", charge("", 1, "10/min", 1).observed()),
            ("another scope", charge("search", 1, "10/min", 1)),
            ("another caller", charge("", 2, "10/min", 1)),
            ("another count", charge("", 1, "11/min", 1)),
            ("another period", charge("", 1, "10/h", 1)),
            ("another cost", charge("", 1, "10/min", 2)),
        ];
        for (name, other) in others {
            let key = limiter.lease_key(&[other]);
            assert!(key.is_some() && key != granted, "{name}");
        }
    }
}
