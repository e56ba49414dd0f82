//! Limits that several machines share, on a Redis or Valkey server.
//!
//! All rules of a request are one script, hence atomic and one round trip, on the server's clock. Its keys expire by themselves:
//!
//! ```text
//! tower-auth:{128 bits of SHA-256 of who is counted}:scope:rule:s|p|c
//! ```

mod breaker;
mod leases;
#[cfg(test)]
mod tests;

use self::breaker::Breaker;
use self::leases::Leases;
use super::algorithm::Receipt;
use super::key::Key;
use super::rule::{Mode, Outage};
use super::settlement::Entry;
use super::stack::{Outcome, Passed, Stack, Step, Verdict};
use crate::config::ConfigProblem;
use crate::rate::Form;
use crate::reject::Rejection;
use crate::telemetry;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError, Script};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

const MICRO: u64 = 1_000;
const TAKE: &str = concat!(include_str!("states.lua"), include_str!("take.lua"));
const SETTLE: &str = concat!(include_str!("states.lua"), include_str!("settle.lua"));
/// What a lease may be kept for, whatever the period.
const LONGEST_LEASE: u64 = 10_000_000;

/// A Redis or Valkey server on which several machines count together.
///
/// - It is asked once a request, for all rules together; those of different callers (per principal and per address) have keys in
///   different slots, so a cluster takes only rules that count by the same.
/// - It may take 20 ms ([`deadline`](Self::deadline)). After three failures in a row nobody waits for it: one request a
///   second tries.
/// - While it does not answer, each rule does what it says: by default, every node admits its share of the rate
///   ([`nodes`](Self::nodes)); [`Throttle::refuse_in_outage`](super::Throttle::refuse_in_outage) is 503.
/// - Who is counted is stored as a hash. The connection is made when it is first needed.
///
/// ```
/// use tower_auth::throttle::{RedisLimiter, Throttle};
/// use tower_auth::{ApiKeys, AuthLayer, store::Memory};
///
/// let auth = AuthLayer::builder()
///     .api_keys(ApiKeys::new(Memory::new()).prefix("egret"))
///     .throttle(Throttle::per_principal("2000/day"))
///     .limiter(RedisLimiter::new("redis://127.0.0.1:6379").nodes(4))
///     .build()?;
///
/// let wrong = RedisLimiter::new("no url");
/// assert!(AuthLayer::builder().api_keys(ApiKeys::new(Memory::new()).bare()).limiter(wrong).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct RedisLimiter {
    client: Result<Client, ConfigProblem>,
    nodes: u32,
    deadline: Duration,
    lease: u32,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connection: OnceLock<ConnectionManager>,
    breaker: Breaker,
    leases: Leases,
}

/// Who is counted, as it stands in a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SharedKey([u8; 16]);

impl RedisLimiter {
    /// On the server of that URL: `redis://[user:password@]host[:port][/database]`, with feature `redis-tls` also `rediss://…`.
    pub fn new(url: &str) -> Self {
        Self {
            client: Client::open(url).map_err(|_| ConfigProblem::RedisUrl),
            nodes: 1,
            deadline: Duration::from_millis(20),
            lease: 1,
            shared: Arc::default(),
        }
    }

    /// Whose certificates a `rediss://` server may have, in PEM format, instead of those that the system trusts.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        let pem = pem.into();
        self.client = self.client.and_then(|client| {
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
        });
        self
    }

    /// How many nodes share the limits: while the server does not answer, each admits one so many-th of a rate. 1 by default.
    pub fn nodes(mut self, nodes: u32) -> Self {
        self.nodes = nodes;
        self
    }

    /// How long an answer may take.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// A node takes so many requests of a caller at a time and asks again when they are used up or a 64th of the period (10
    /// seconds at most) has gone by. What is not used by then is lost: never more than the rate is admitted, at times less.
    /// Paced rules, and stacks with one, are asked each time.
    pub fn leases(mut self, requests: u32) -> Self {
        self.lease = requests;
        self
    }

    pub(crate) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems: Vec<_> = self.client.as_ref().err().cloned().into_iter().collect();
        let zero = [
            ("nodes", self.nodes == 0),
            ("deadline", self.deadline.is_zero()),
            ("leases", self.lease == 0),
        ];
        problems.extend(
            zero.into_iter()
                .filter(|(_, is_zero)| *is_zero)
                .map(|(name, _)| ConfigProblem::Zero(name)),
        );
        problems
    }

    pub(super) fn key(&self, kind: u8, parts: &[&[u8]]) -> SharedKey {
        let mut hash = Sha256::new_with_prefix([kind]);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        SharedKey(std::array::from_fn(|at| digest[at]))
    }

    /// Decides on a request: at once where a lease or the breaker can tell.
    pub(super) fn decide(self: &Arc<Self>, stack: &Arc<Stack>, steps: &[Step]) -> Verdict {
        let now = stack.now(&[]).steady;
        let lease = self.lease_key(stack, steps);
        if let Some(outcomes) = lease.and_then(|lease| self.shared.leases.take(lease, now)) {
            return stack
                .conclude(steps, &outcomes)
                .map_or_else(Verdict::Refused, Verdict::Passed);
        }
        if !self.shared.breaker.admits(now) {
            return self
                .without(stack, steps)
                .map_or_else(Verdict::Refused, Verdict::Passed);
        }
        let (limiter, stack, steps) = (Arc::clone(self), Arc::clone(stack), steps.to_vec());
        Verdict::Asked(Box::pin(
            async move { limiter.ask(&stack, &steps, lease).await },
        ))
    }

    async fn ask(
        &self,
        stack: &Arc<Stack>,
        steps: &[Step],
        lease: Option<Key>,
    ) -> Result<Passed, Rejection> {
        let sent = stack.now(&[]).steady;
        let (wanted, hold) = if lease.is_some() {
            (self.lease, hold(steps))
        } else {
            (1, 0)
        };
        let call = self.take(stack, steps, Times { now: 0, hold }, wanted);
        let answer = match tokio::time::timeout(self.deadline, call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return self.failed(stack, steps, &error),
            Err(elapsed) => return self.failed(stack, steps, &elapsed),
        };
        self.shared.breaker.succeeded();
        if let Some(lease) = lease {
            let until = sent.saturating_add(answer.hold.saturating_mul(MICRO));
            let more = answer.granted.saturating_sub(1);
            self.shared
                .leases
                .add(lease, more, until, &answer.outcomes, stack.now(&[]).steady);
        }
        stack.conclude(steps, &answer.outcomes)
    }

    fn failed(
        &self,
        stack: &Arc<Stack>,
        steps: &[Step],
        error: &dyn fmt::Display,
    ) -> Result<Passed, Rejection> {
        if self.shared.breaker.failed(stack.now(&[]).steady) {
            telemetry::limiter_failed(error);
        }
        self.without(stack, steps)
    }

    /// What the rules say while the server does not answer.
    fn without(&self, stack: &Arc<Stack>, steps: &[Step]) -> Result<Passed, Rejection> {
        let outage = |step: &&Step| stack.rule(step.rule).outage;
        let refuses = |step: &&Step| {
            outage(step) == Outage::Refuse && stack.rule(step.rule).mode == Mode::Enforced
        };
        if steps.iter().any(|step| refuses(&step)) {
            return Err(Rejection::unavailable(
                "limiter failed",
                "the limiter that nodes share does not answer",
            ));
        }
        let local = steps
            .iter()
            .filter(|step| outage(step) == Outage::LocalShare);
        let local: Vec<Step> = local
            .map(|step| Step {
                rate: step.rate.share(self.nodes),
                ..*step
            })
            .collect();
        if local.is_empty() {
            Ok(Passed::default())
        } else {
            stack.decide_here(&local)
        }
    }

    /// `None` where each request has to ask.
    fn lease_key(&self, stack: &Stack, steps: &[Step]) -> Option<Key> {
        let leased = |step: &Step| {
            !matches!(step.rate.form(), Form::Paced { .. }) && !stack.rule(step.rule).settled
        };
        if self.lease == 1 || !steps.iter().all(leased) {
            return None;
        }
        let mut text = String::new();
        for step in steps {
            let _ = write!(
                text,
                "{}:{:?}:{}:{};",
                step.rule, step.shared, step.rate, step.cost
            );
        }
        Some(
            stack
                .keys()
                .of(b'l', &[stack.scope.as_bytes(), text.as_bytes()]),
        )
    }

    async fn connection(&self) -> Result<ConnectionManager, RedisError> {
        if let Some(connection) = self.shared.connection.get() {
            return Ok(connection.clone());
        }
        let client = self
            .client
            .clone()
            .map_err(|_| RedisError::from((redis::ErrorKind::InvalidClientConfig, "url")))?;
        #[cfg(feature = "redis-tls")]
        provide_cryptography();
        // Calls have a deadline of their own; what goes on without them is one attempt to connect.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(10))
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(self.deadline));
        let connection = ConnectionManager::new_lazy_with_config(client, config)?;
        Ok(self.shared.connection.get_or_init(|| connection).clone())
    }

    async fn take(
        &self,
        stack: &Stack,
        steps: &[Step],
        times: Times,
        wanted: u32,
    ) -> Result<Answer, RedisError> {
        static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TAKE));
        let mut connection = self.connection().await?;
        let mut call = SCRIPT.prepare_invoke();
        call.arg(times.now).arg(wanted).arg(times.hold);
        for step in steps {
            let rule = stack.rule(step.rule);
            call.key(name(stack, step));
            rate(&mut call, step);
            call.arg(step.cost)
                .arg(u8::from(rule.mode == Mode::Enforced));
        }
        let numbers: Vec<u64> = call.invoke_async(&mut connection).await?;
        Answer::of(&numbers, steps.len()).ok_or_else(|| {
            RedisError::from((
                redis::ErrorKind::UnexpectedReturnType,
                "the script's answer",
            ))
        })
    }

    /// In the background: nobody waits for it, and where the server does not answer what was charged stands.
    pub(super) fn settle(
        self: &Arc<Self>,
        stack: &Arc<Stack>,
        entry: &Entry,
        cost: u32,
    ) -> Option<tokio::task::JoinHandle<Result<(), RedisError>>> {
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let (limiter, stack, step) = (Arc::clone(self), Arc::clone(stack), entry.step);
        let (back, more) = (
            entry.charged.saturating_sub(cost),
            cost.saturating_sub(entry.charged),
        );
        let receipt = entry.receipt;
        Some(runtime.spawn(async move {
            static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SETTLE));
            let mut connection = limiter.connection().await?;
            let mut call = SCRIPT.prepare_invoke();
            call.key(name(&stack, &step)).arg(0);
            rate(&mut call, &step);
            call.arg(receipt.0)
                .arg(back)
                .arg(more)
                .invoke_async::<()>(&mut connection)
                .await
        }))
    }
}

#[cfg(feature = "redis-tls")]
fn has_certificates(pem: &[u8]) -> bool {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let mut found = CertificateDer::pem_slice_iter(pem).peekable();
    found.peek().is_some() && found.all(|certificate| certificate.is_ok())
}

/// The connection takes the process's provider and panics where there is none. An application that chooses one has done so when the
/// first request comes.
#[cfg(feature = "redis-tls")]
fn provide_cryptography() {
    use rustls::crypto::{CryptoProvider, aws_lc_rs};
    if CryptoProvider::get_default().is_none() {
        // An error says that somebody else was quicker.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

/// In microseconds.
struct Times {
    /// 0 is the server's.
    now: u64,
    hold: u64,
}

struct Answer {
    granted: u32,
    hold: u64,
    outcomes: Vec<Outcome>,
}

impl Answer {
    fn of(numbers: &[u64], steps: usize) -> Option<Self> {
        let ([granted, hold], rest) = numbers.split_first_chunk()?;
        let (each, []) = rest.as_chunks::<4>() else {
            return None;
        };
        let outcomes = each.iter().map(|[wait, left, full_in, receipt]| Outcome {
            wait: wait.saturating_mul(MICRO),
            left: u32::try_from(*left).unwrap_or(u32::MAX),
            full_in: full_in.saturating_mul(MICRO),
            receipt: Receipt(*receipt),
        });
        let granted = u32::try_from(*granted).ok()?;
        (each.len() == steps).then(|| Self {
            granted,
            hold: *hold,
            outcomes: outcomes.collect(),
        })
    }
}

/// How long a lease may be kept: a 64th of the shortest period, so that it costs no more than a sub-window does.
fn hold(steps: &[Step]) -> u64 {
    let parts = steps
        .iter()
        .map(|step| u64::from(step.rate.seconds()) * 1_000_000 / 64);
    parts.min().unwrap_or(0).min(LONGEST_LEASE)
}

fn name(stack: &Stack, step: &Step) -> String {
    let mut name = String::from("tower-auth:{");
    for byte in step.shared.0 {
        let _ = write!(name, "{byte:02x}");
    }
    let _ = write!(
        name,
        "}}:{}:{}:{}",
        stack.scope,
        stack.rule(step.rule).name,
        form(step)
    );
    name
}

fn form(step: &Step) -> &'static str {
    match step.rate.form() {
        Form::Sliding => "s",
        Form::Paced { .. } => "p",
        Form::Calendar => "c",
    }
}

fn rate(call: &mut redis::ScriptInvocation<'_>, step: &Step) {
    call.arg(form(step))
        .arg(step.rate.count())
        .arg(step.rate.seconds())
        .arg(step.rate.most());
}

/// Shows neither the URL, which may have a password, nor who is counted.
impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter")
            .field("nodes", &self.nodes)
            .field("deadline", &self.deadline)
            .field("leases", &self.lease)
            .finish_non_exhaustive()
    }
}
