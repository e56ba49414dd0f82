use super::hash::{Check, Hasher};
use crate::reject::Rejection;
use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many may wait for one that runs: beyond that, callers are told to come back.
const WAITING_PER_SLOT: usize = 64;

/// Hashes and verifies passwords, a bounded number at a time: each takes a core and 19 MiB. Clones
/// share the bound.
#[derive(Clone)]
pub(crate) struct Passwords {
    hasher: Arc<Hasher>,
    slots: Arc<Semaphore>,
    /// Those that run or wait.
    queue: Arc<Semaphore>,
}

impl Passwords {
    /// Half of the cores, one at least, hash at once.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let slots = (cores / 2).max(1);
        Self {
            hasher: Arc::default(),
            slots: Arc::new(Semaphore::new(slots)),
            queue: Arc::new(Semaphore::new(slots * (1 + WAITING_PER_SLOT))),
        }
    }

    /// Whether a password belongs to a stored hash. Without a hash, or with one that cannot be
    /// used, the work of a current one is done all the same, so that the time does not tell
    /// (and the answer is `Wrong`).
    pub(crate) async fn verify(
        &self,
        stored: Option<Secret<String>>,
        password: Secret<String>,
    ) -> Result<Check, Rejection> {
        let check = move |hasher: &Hasher| {
            hasher.check(
                stored.as_ref().map(|hash| hash.expose().as_str()),
                password.expose(),
            )
        };
        self.run(check).await
    }

    /// A hash to store, with current parameters and a random salt.
    pub(crate) async fn hash(&self, password: Secret<String>) -> Result<Secret<String>, Rejection> {
        let hash = self
            .run(move |hasher| hasher.hash(password.expose()))
            .await?;
        hash.map(Secret::new)
            .map_err(|error| Rejection::unavailable("password hash", error))
    }

    /// How often argon2 ran: a test that counts needs no stopwatch.
    #[cfg(feature = "test-util")]
    pub(crate) fn argon2_runs(&self) -> u64 {
        self.hasher.runs()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        let busy = || Rejection::throttled(Duration::from_secs(1));
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let hasher = Arc::clone(&self.hasher);
        let work = move || {
            let _slot = slot; // kept when the request is gone but the hash still runs
            work(&hasher)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Rejection::unavailable("password hash", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::RejectionKind;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_fresh_hash_fits_its_password_and_is_not_outdated() {
        let passwords = Passwords::new();
        let stored = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(
            stored
                .expose()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        let right = passwords
            .verify(Some(stored.clone()), secret("correct horse"))
            .await
            .unwrap();
        let wrong = passwords
            .verify(Some(stored), secret("correct hors"))
            .await
            .unwrap();
        assert_eq!((right, wrong), (Check::Fits, Check::Wrong));
    }

    #[tokio::test]
    async fn hashing_and_verifying_share_one_bound() {
        let passwords = Passwords::new();
        let all = passwords.queue.available_permits();
        let _others = passwords
            .queue
            .acquire_many(u32::try_from(all).unwrap())
            .await
            .unwrap();
        let hash = passwords
            .clone()
            .hash(secret("correct horse"))
            .await
            .unwrap_err();
        let verify = passwords
            .verify(None, secret("correct horse"))
            .await
            .unwrap_err();
        for busy in [hash, verify] {
            assert_eq!(busy.kind(), RejectionKind::Throttled);
            assert_eq!(busy.retry_after(), Some(Duration::from_secs(1)));
        }
    }

    #[tokio::test]
    async fn a_request_that_is_gone_leaves_no_place_behind() {
        let passwords = Passwords::new();
        let all = passwords.queue.available_permits();
        let _slots = passwords
            .slots
            .acquire_many(passwords.slots.available_permits() as u32)
            .await
            .unwrap();
        let mut waiting = tokio_test::task::spawn(passwords.verify(None, secret("correct horse")));
        assert!(waiting.poll().is_pending());
        assert_eq!(passwords.queue.available_permits(), all - 1);
        drop(waiting);
        assert_eq!(passwords.queue.available_permits(), all);
    }
}
