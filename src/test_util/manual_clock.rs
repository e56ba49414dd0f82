use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock for tests, which stands still until it is moved. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::store::Memory;
/// use tower_auth::test_util::ManualClock;
/// use tower_auth::{Grant, Realm, RejectionKind, Subject, Tokens, random_secret};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new(1_700_000_000);
/// let realm = Realm::new(Memory::new()).clock(clock.clone());
/// # let secret = random_secret()?;
/// let tokens = Tokens::hs256(secret.expose()).issuer("https://api.example.com");
/// let tokens = realm.tokens(tokens.access_lifetime(Duration::from_secs(15 * 60)));
/// let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
///
/// clock.advance(Duration::from_secs(14 * 60));
/// assert!(tokens.verify(pair.access().expose()).await.is_ok());
/// clock.advance(Duration::from_secs(60 + 60));
/// let refusal = tokens.verify(pair.access().expose()).await.unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::ExpiredToken);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

/// In milliseconds.
#[derive(Debug, Default)]
struct Hands {
    wall: AtomicU64,
    steady: AtomicU64,
}

impl ManualClock {
    /// It stands at that time, in seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn new(unix_seconds: u64) -> Self {
        let clock = Self(Arc::default());
        clock.set(unix_seconds);
        clock
    }

    /// Steps it to a time, forwards or backwards, as an operator does: no time passes, so
    /// [`steady`](Clock::steady) stays.
    pub fn set(&self, unix_seconds: u64) {
        self.0
            .wall
            .store(unix_seconds.saturating_mul(1_000), Ordering::SeqCst);
    }

    /// Lets time pass, to the millisecond.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.wall.fetch_add(millis, Ordering::SeqCst);
        self.0.steady.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.wall.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.0.steady.load(Ordering::SeqCst))
    }
}
