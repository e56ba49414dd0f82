use super::schedule::Schedule;
use crate::config::ConfigProblem;
use crate::key_set::{JwtAlgorithm, LiveLimits, Seal, check_makes_pairs};
use crate::secret::Secret;
use std::fmt;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Shorter than this, caches and clocks would decide who knows a key in time.
const LEAST: Duration = Duration::from_secs(10 * 60);

/// Key pairs that [`Tokens`](crate::Tokens::rotating) makes, publishes, uses and removes by itself.
///
/// ```text
///        made, published        signs              verifies until its last token expires
/// key 1  ├──────────────────────┼──────────────────┼───────────────────────────────────┤ removed
/// key 2                 ├──────────────────────────┼──────────────────┼─────────── …
///                        published_before, or more         every
/// ```
///
/// - The nodes of a service agree on them in their store
///   ([`SigningKeyStore`](crate::store::SigningKeyStore)): of those that make the next key at once
///   one does, and all follow the times that are stored with it. Nothing has to be run: who issues
///   or verifies tokens looks at the store now and then.
/// - What is stored of a private key is sealed (ChaCha20-Poly1305) together with its times and its
///   place, under a secret that the store never sees: who can read the store cannot sign, and who
///   can write it can make no key that is accepted, nor keep one in use.
/// - A key that does not open is an error that names its id, never the reason for a new one.
/// - While the store cannot be reached, tokens are signed and verified with the keys that are held,
///   until the time of the last one is over: then the answer is 503.
/// - Another algorithm or other times count from the next key on.
///
/// To change the secret, first let all nodes open with the new one as well
/// ([`also_opened_with`](Self::also_opened_with)), and then seal with it and open with the former
/// one. That is needed no more when each node has looked at the store once, a quarter of
/// [`published_before`](Self::published_before) later at most: it seals anew what it finds.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::jwt::{JwtAlgorithm, KeyRotation};
/// use tower_auth::{AuthLayer, Grant, random_secret, Realm, Subject, Tokens};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let secret = random_secret()?; // a real service has it in its environment
/// let rotation = KeyRotation::new(JwtAlgorithm::Es256).sealed_with(secret.expose());
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::rotating(rotation).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
///
/// let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
/// assert!(tokens.verify(pair.access().expose()).await.is_ok());
/// let published = String::from_utf8(tokens.jwks().await?)?;
/// assert!(published.contains(r#""crv":"P-256""#));
///
/// // A secret that can be guessed is a mistake that `build()` names.
/// let guessable = KeyRotation::new(JwtAlgorithm::Es256).sealed_with("secret");
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::rotating(guessable).issuer("https://api.example.com"));
/// assert!(AuthLayer::builder().accept(&tokens).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct KeyRotation {
    algorithm: JwtAlgorithm,
    every: Duration,
    published_before: Duration,
    secret: Option<Secret<Vec<u8>>>,
    also: Vec<Secret<Vec<u8>>>,
}

impl KeyRotation {
    /// Key pairs for that algorithm: `Es256`, `Es384`, `EdDsa`, and with the back end `aws-lc-rs`
    /// the `Rs…` and `Ps…` (of 2048, 3072 and 4096 bits). It needs a secret to
    /// [seal](Self::sealed_with) them with.
    pub fn new(algorithm: JwtAlgorithm) -> Self {
        Self {
            algorithm,
            every: 30 * DAY,
            published_before: DAY,
            secret: None,
            also: Vec::new(),
        }
    }

    /// For how long a key signs; 30 days by default.
    pub fn every(mut self, time: Duration) -> Self {
        self.every = time;
        self
    }

    /// How long before it signs a key is published at least, so that whoever verifies knows it;
    /// a day by default, 10 minutes at least, and no longer than a key signs.
    ///
    /// Who caches the JWKS is told to do so for half of it, and an hour at most.
    pub fn published_before(mut self, time: Duration) -> Self {
        self.published_before = time;
        self
    }

    /// The secret that private keys are sealed with, at least 32 random bytes, the same on all
    /// nodes. Who has it and the store can sign; where it is lost, so are the keys.
    pub fn sealed_with(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(Secret::new(secret.as_ref().to_vec()));
        self
    }

    /// Another secret that keys may be sealed with: the former one, or the one to come. Keys that
    /// it opens are sealed anew.
    pub fn also_opened_with(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.also.push(Secret::new(secret.as_ref().to_vec()));
        self
    }

    /// All mistakes at once. `longest` is how long the longest-lived tokens live.
    pub(in crate::issue) fn build(
        &self,
        longest: Duration,
    ) -> Result<BuiltRotation, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        problems.extend(check_makes_pairs(self.algorithm).err());
        if self.published_before < LEAST || self.every < self.published_before {
            problems.push(ConfigProblem::RotationTimes);
        }
        let seal = match &self.secret {
            Some(secret) => Seal::build(secret, &self.also),
            None => Err(ConfigProblem::SealingSecret),
        };
        match seal {
            Ok(seal) if problems.is_empty() => Ok(BuiltRotation {
                algorithm: self.algorithm,
                schedule: Schedule::new(self.every, self.published_before, longest),
                seal,
            }),
            seal => {
                problems.extend(seal.err());
                Err(problems)
            }
        }
    }
}

impl fmt::Debug for KeyRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRotation")
            .field("algorithm", &self.algorithm)
            .field("every", &self.every)
            .field("published_before", &self.published_before)
            .finish_non_exhaustive()
    }
}

/// A [`KeyRotation`] that was found sound.
#[derive(Debug)]
pub(in crate::issue) struct BuiltRotation {
    pub(super) algorithm: JwtAlgorithm,
    pub(super) schedule: Schedule,
    pub(super) seal: Seal,
}

impl BuiltRotation {
    /// What is held verifies for as long as a token that it signed may live, however long the store
    /// is away: the times of the keys decide, and nothing that is loaded could take one back
    /// earlier.
    pub(in crate::issue) fn live_limits(&self) -> LiveLimits {
        LiveLimits {
            max_age: self.schedule.longest_held(),
            ..LiveLimits::default()
        }
    }
}
