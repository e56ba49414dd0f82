use super::hash::{Check, Hasher};
use crate::login::password_form;
use crate::metrics::{Gauge, Meter};
use crate::reject::Rejection;
use crate::secret::Secret;
use crate::turns::{Bounds, Source, Turns};
use std::sync::Arc;
use std::time::Duration;

/// How many of one source, and of all, may wait for one that runs: beyond that, callers are told
/// to come back.
const WAITING_OF_A_SOURCE: usize = 64;
const WAITING: usize = 256;

/// Hashes and verifies passwords, a bounded number at a time: each takes a core and 19 MiB. Clones
/// share the bound. Where more come, the addresses they come from are served in turn.
#[derive(Clone)]
pub(crate) struct Passwords {
    hasher: Arc<Hasher>,
    turns: Turns,
}

impl Passwords {
    /// Half of the cores, one at least, hash at once.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // The other half of the cores goes on answering requests: a flood of sign-ins must not stop
        // everything else.
        let slots = (cores / 2).max(1);
        Self::with(Bounds {
            served: slots,
            waiting_of_a_source: slots * WAITING_OF_A_SOURCE,
            waiting: slots * WAITING,
        })
    }

    fn with(bounds: Bounds) -> Self {
        Self {
            hasher: Arc::default(),
            turns: Turns::new(bounds),
        }
    }

    /// Whether a password belongs to a stored hash. Without a hash, or with one that cannot be
    /// used, the work of a current one is done all the same, so that the time does not tell
    /// (and the answer is `Wrong`).
    pub(crate) async fn verify(
        &self,
        source: Source,
        stored: Option<Secret<String>>,
        password: Secret<String>,
    ) -> Result<Check, Rejection> {
        self.run(source, move |hasher| {
            let stored = stored.as_ref().map(|hash| hash.expose().as_str());
            hasher.check_typed(stored, password.expose())
        })
        .await
    }

    /// A hash to store, with current parameters and a random salt.
    pub(crate) async fn hash(
        &self,
        source: Source,
        password: Secret<String>,
    ) -> Result<Secret<String>, Rejection> {
        let hashed = self.run(source, move |hasher| {
            hasher.hash(&password_form(password.expose()))
        });
        match hashed.await? {
            Ok(hash) => Ok(Secret::new(hash)),
            Err(error) => Err(Rejection::unavailable("password hash", error)),
        }
    }

    /// Has a meter show how many wait.
    pub(crate) fn read_off(&self, meter: &Meter) {
        meter.read_off(Gauge::HashesWaiting, self.turns.waiting());
    }

    /// How often argon2 ran: a test that counts needs no stopwatch.
    #[cfg(feature = "test-util")]
    pub(crate) fn argon2_runs(&self) -> u64 {
        self.hasher.runs()
    }

    async fn run<T: Send + 'static>(
        &self,
        source: Source,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        let turn = self.turns.wait(source).await;
        // Too many wait already. A caller who is told so at once can come back, and one who waits
        // would only add to them.
        let turn = turn.map_err(|_| Rejection::throttled(Duration::from_secs(1)))?;
        let hasher = Arc::clone(&self.hasher);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn; // kept when the request is gone but the hash still runs
            work(&hasher)
        });
        done.await
            .map_err(|error| Rejection::unavailable("password hash", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reject::RejectionKind;
    use std::sync::{Mutex, mpsc};
    use tokio_test::task::{Spawn, spawn};

    const ONE_AT_A_TIME: Bounds = Bounds {
        served: 1,
        waiting_of_a_source: 3,
        waiting: 100,
    };

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    fn source(n: u8) -> Source {
        Some([n; 16])
    }

    #[tokio::test]
    async fn a_fresh_hash_fits_its_password_and_is_not_outdated() {
        let passwords = Passwords::new();
        let stored = passwords.hash(None, secret("correct horse")).await.unwrap();
        assert!(
            stored
                .expose()
                .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
        );
        let right = passwords
            .verify(None, Some(stored.clone()), secret("correct horse"))
            .await
            .unwrap();
        let wrong = passwords
            .verify(None, Some(stored), secret("correct hors"))
            .await
            .unwrap();
        assert_eq!((right, wrong), (Check::Fits, Check::Wrong));
    }

    /// Work that is done when its turn has come, which ends when it is told to.
    struct Held {
        end: mpsc::Sender<()>,
        task: Spawn<tokio::task::JoinHandle<Result<(), Rejection>>>,
    }

    impl Held {
        async fn begin(passwords: &Passwords, source: Source) -> Self {
            let (end, ended) = mpsc::channel();
            let (begin, begun) = tokio::sync::oneshot::channel();
            let passwords = passwords.clone();
            let task = tokio::spawn(async move {
                let work = move |_: &Hasher| {
                    let _ = begin.send(());
                    let _ = ended.recv();
                };
                passwords.run(source, work).await
            });
            begun.await.unwrap();
            Self {
                end,
                task: spawn(task),
            }
        }

        async fn end(self) {
            self.end.send(()).unwrap();
            self.task.into_inner().await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn the_addresses_that_wait_are_served_in_turn() {
        let passwords = Passwords::with(ONE_AT_A_TIME);
        let held = Held::begin(&passwords, source(1)).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        // One address sends without an end, and each hash of it calls for another one.
        let sent = ["flood 1", "flood 2", "flood 3", "anna", "ben"];
        let mut waiting = Vec::new();
        for (name, from) in sent.into_iter().zip([1, 1, 1, 2, 3]) {
            let (passwords, order) = (passwords.clone(), Arc::clone(&order));
            let work = move |_: &Hasher| order.lock().unwrap().push(name);
            waiting.push(tokio::spawn(async move {
                passwords.run(source(from), work).await
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.turns.lengths(), (1, 5));
        held.end().await;
        for task in waiting {
            task.await.unwrap().unwrap();
        }
        let order = order.lock().unwrap();
        assert_eq!(*order, ["anna", "ben", "flood 1", "flood 2", "flood 3"]);
    }

    #[tokio::test]
    async fn hashing_and_verifying_share_one_bound() {
        let passwords = Passwords::with(ONE_AT_A_TIME);
        let held = Held::begin(&passwords, source(1)).await;
        let wait = || spawn(passwords.verify(source(1), None, secret("correct horse")));
        let mut waiting: Vec<_> = (0..3).map(|_| wait()).collect();
        assert!(waiting.iter_mut().all(|task| task.poll().is_pending()));
        let hash = passwords.hash(source(1), secret("correct horse")).await;
        let verify = passwords
            .verify(source(1), None, secret("correct horse"))
            .await;
        for busy in [hash.unwrap_err(), verify.unwrap_err()] {
            assert_eq!(busy.kind(), RejectionKind::Throttled);
            assert_eq!(busy.retry_after(), Some(Duration::from_secs(1)));
        }
        drop(waiting);
        held.end().await;
    }

    #[tokio::test]
    async fn a_request_that_is_gone_leaves_no_place_behind_and_its_hash_runs_on() {
        let passwords = Passwords::with(ONE_AT_A_TIME);
        let held = Held::begin(&passwords, source(1)).await;
        let mut waiting = spawn(passwords.verify(source(1), None, secret("correct horse")));
        assert!(waiting.poll().is_pending());
        assert_eq!(passwords.turns.lengths(), (1, 1));
        drop(waiting);
        assert_eq!(passwords.turns.lengths(), (1, 0));
        held.task.into_inner().abort();
        assert_eq!(passwords.turns.lengths(), (1, 0), "it still runs");
        held.end.send(()).unwrap();
        passwords.run(source(2), |_| ()).await.unwrap();
    }
}
