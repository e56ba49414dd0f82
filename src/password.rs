//! Password hashes: argon2id, off the runtime's threads.

use crate::reject::Rejection;
use crate::secret::Secret;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, Params};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many verifications may wait for one that runs: beyond that, callers are told to come back.
const WAITING_PER_SLOT: usize = 16;
/// What a stored hash may ask for. Verification obeys the hash, so a planted one could ask for gigabytes.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;

/// Hashes a password as a PHC string for [`UserRecord::password_hash`](crate::store::UserRecord::password_hash):
/// argon2id with 19 MiB, two passes and one lane, and a random salt.
///
/// It takes some ten milliseconds of a core: call it from `tokio::task::spawn_blocking` in a service.
///
/// # Errors
///
/// The password is longer than 4 GiB, or the system's source of randomness failed.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| PasswordError)?;
    Ok(hash.to_string())
}

/// A password could not be hashed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct PasswordError;

/// Verifies passwords, a bounded number at a time: each takes a core and 19 MiB.
#[derive(Clone)]
pub(crate) struct Passwords {
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
            slots: Arc::new(Semaphore::new(slots)),
            queue: Arc::new(Semaphore::new(slots * (1 + WAITING_PER_SLOT))),
        }
    }

    /// Whether a password belongs to a stored hash. Without a hash, or with one that cannot be used, the same
    /// work is done on a dummy, so that the time does not tell (and the answer is no).
    pub(crate) async fn verify(
        &self,
        stored: Option<Secret<String>>,
        password: Secret<String>,
    ) -> Result<bool, Rejection> {
        let busy = || Rejection::throttled(Duration::from_secs(1));
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| busy())?;
        let work = move || {
            let _slot = slot; // kept when the request is gone but the hash still runs
            verify_now(stored.as_ref().map(|hash| hash.expose().as_str()), password.expose())
        };
        let verified = tokio::task::spawn_blocking(work).await;
        verified.map_err(|error| Rejection::unavailable("password hash", error))
    }
}

fn verify_now(stored: Option<&str>, password: &str) -> bool {
    let dummy = dummy(); // in any case, lest the first unknown user cost a hash more
    let usable = stored.and_then(usable);
    let genuine = usable.is_some();
    let hash = usable.or_else(|| PasswordHash::new(dummy).ok());
    let fits = hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    fits && genuine
}

/// A hash of argon2 whose cost is within bounds.
fn usable(stored: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let bounded =
        params.m_cost() <= MOST_MEMORY_KIB && params.t_cost() <= MOST_PASSES && params.p_cost() <= MOST_LANES;
    (bounded && hash.hash.is_some()).then_some(hash)
}

/// A hash of a password that nobody has, of the cost of new hashes.
fn dummy() -> &'static str {
    static DUMMY: OnceLock<String> = OnceLock::new();
    DUMMY.get_or_init(|| {
        let mut unguessable = [0; 32];
        // Should randomness fail, a known password still opens nothing: the answer is no in any case.
        let _ = getrandom::fill(&mut unguessable);
        Argon2::default().hash_password(&unguessable).map(|hash| hash.to_string()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_password_fits_its_hash() {
        let long = "a".repeat(1024);
        let hash = hash_password(&long).unwrap();
        assert!(verify_now(Some(&hash), &long));
        assert!(!verify_now(Some(&hash), &long[1..]));
        assert!(!verify_now(None, &long));
    }

    #[test]
    fn a_hash_that_cannot_be_used_or_costs_too_much_fits_no_password() {
        let good = hash_password("x").unwrap();
        assert!(usable(&good).is_some());
        let costly = ["m=19456", "t=2", "p=1"].into_iter().zip(["m=2097152", "t=1000", "p=255"]);
        let mut bad: Vec<String> = costly.map(|(from, to)| good.replace(from, to)).collect();
        bad.extend(
            [
                "",
                "x",
                "$argon2id$",
                "$2b$12$abcdefghijklmnopqrstuv",
                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
            ]
            .map(String::from),
        );
        for hash in bad {
            assert!(usable(&hash).is_none(), "{hash}");
        }
    }
}
