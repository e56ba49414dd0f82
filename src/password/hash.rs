#[cfg(feature = "django-hashes")]
use super::foreign::Foreign;
use crate::login::password_form;
use crate::random;
use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a stored hash may ask for. Verification obeys the hash, so a planted one could ask for
/// gigabytes.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;
/// What is hashed with where there is no hash to compare with. The answer is no in any case.
const NO_SALT: &[u8] = b"there is no user";

/// Hashes a password as a PHC string for
/// [`UserRecord::password_hash`](crate::store::UserRecord::password_hash): argon2id with 19 MiB,
/// two passes and one lane, and a random salt.
///
/// It takes some ten milliseconds of a core: call it from `tokio::task::spawn_blocking` in a
/// service.
///
/// # Errors
///
/// The password is longer than 4 GiB, or the system's source of randomness failed.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    Hasher::default().hash(&password_form(password))
}

/// Whether passwords can be verified against a stored hash: whether it is one of argon2, or with
/// feature `django-hashes` of another kind that Django wrote, is well-formed, and costs no more
/// than a server can bear. A user with any other hash needs a new password.
///
/// ```
/// use tower_auth::password::{hash_password, reads_password_hash};
///
/// assert!(reads_password_hash(&hash_password("correct-horse-battery")?));
/// assert!(!reads_password_hash("md5$salt$7cdd417da32b85f8d46700c0c23daf5c"));
/// # Ok::<(), tower_auth::password::PasswordError>(())
/// ```
#[must_use]
pub fn reads_password_hash(hash: &str) -> bool {
    Stored::read(hash).is_some()
}

/// A password could not be hashed.
#[derive(Clone, Copy, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct PasswordError;

/// As `Display`: it is what a `main` prints that returns it.
impl fmt::Debug for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a password is to a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Wrong,
    Fits,
    /// It fits a hash that is not argon2id with the parameters of new ones: store a new one.
    FitsOutdated,
}

/// Hashes and verifies here and now.
#[derive(Default)]
pub(super) struct Hasher {
    argon2_runs: AtomicU64,
    /// What current hashes filled, for the next ones: as many as ever ran at once. An allocator
    /// would keep 19 MiB for every thread that ever ran one.
    memory: Mutex<Vec<Vec<Block>>>,
}

impl Hasher {
    pub(super) fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        random::fill(&mut salt).map_err(|_| PasswordError)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&Params::DEFAULT).map_err(|_| PasswordError)?,
            salt: Some(Salt::new(&salt).map_err(|_| PasswordError)?),
            hash: Some(self.current(password, &salt)?),
        };
        Ok(hash.to_string())
    }

    /// A password as somebody typed it. Other software hashes it as it was typed, so where its one
    /// form is another, that is tried as well, whether or not there is a hash: one that fits then
    /// is outdated.
    pub(super) fn check_typed(&self, stored: Option<&str>, password: &str) -> Check {
        let form = password_form(password);
        let check = self.check(stored, &form);
        if check != Check::Wrong || form.as_str() == password {
            return check;
        }
        match self.check(stored, password) {
            Check::Wrong => Check::Wrong,
            Check::Fits | Check::FitsOutdated => Check::FitsOutdated,
        }
    }

    /// A refusal takes at least the work of a current hash, and exactly that where there is a
    /// current hash or none that can be used.
    pub(super) fn check(&self, stored: Option<&str>, password: &str) -> Check {
        let fits = match stored.and_then(Stored::read) {
            Some(Stored::Current(hash)) if self.fits_current(&hash, password) => {
                return Check::Fits;
            }
            Some(Stored::Current(_)) => return Check::Wrong,
            Some(Stored::Outdated(hash)) => self.fits(&hash, password),
            #[cfg(feature = "django-hashes")]
            Some(Stored::Foreign(hash)) => hash.fits(password),
            None => false,
        };
        if fits {
            return Check::FitsOutdated;
        }
        // An outdated hash may cost less than a current one. A wrong password takes the work of
        // both, so that the time does not tell who has an outdated hash.
        self.waste(password);
        Check::Wrong
    }

    #[cfg(feature = "test-util")]
    pub(super) fn runs(&self) -> u64 {
        self.argon2_runs.load(Ordering::Relaxed)
    }

    fn fits_current(&self, hash: &PasswordHash, password: &str) -> bool {
        // `==` compares two `Output`s in constant time.
        let output = hash
            .salt
            .as_ref()
            .and_then(|salt| self.current(password, salt).ok());
        output.is_some() && output == hash.hash
    }

    fn fits(&self, hash: &PasswordHash, password: &str) -> bool {
        self.count();
        Argon2::default()
            .verify_password(password.as_bytes(), hash)
            .is_ok()
    }

    /// The work of a current hash, for nothing.
    fn waste(&self, password: &str) {
        let _ = black_box(self.current(password, NO_SALT));
    }

    /// What a current hash of it is, with that salt.
    fn current(&self, password: &str, salt: &[u8]) -> Result<Output, PasswordError> {
        self.count();
        // Taken out while it is in use, and the lock is given back at once: no hash waits for
        // another.
        let kept = self.memory().pop();
        let mut memory = kept.unwrap_or_else(|| vec![Block::new(); Params::DEFAULT.block_count()]);
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
        let done = argon2.hash_password_into_with_memory(
            password.as_bytes(),
            salt,
            &mut output,
            &mut memory,
        );
        // Given back also where it failed, or the next hash would allocate anew.
        self.memory().push(memory);
        done.map_err(|_| PasswordError)?;
        Output::new(&output).map_err(|_| PasswordError)
    }

    /// Held to take and to give back: not while a hash is made.
    fn memory(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) {
        self.argon2_runs.fetch_add(1, Ordering::Relaxed);
    }
}

/// A stored hash that can be used: well-formed, and its cost is within bounds.
pub(super) enum Stored {
    /// As new ones are.
    Current(PasswordHash),
    /// Another argon2, or another cost.
    Outdated(PasswordHash),
    #[cfg(feature = "django-hashes")]
    Foreign(Foreign),
}

impl Stored {
    pub(super) fn read(text: &str) -> Option<Self> {
        if !text.starts_with('$') {
            return Self::django(text);
        }
        let hash = argon2(text)?;
        Some(if is_current(&hash) {
            Self::Current(hash)
        } else {
            Self::Outdated(hash)
        })
    }

    /// Django writes its name for the algorithm before what others write.
    #[cfg(feature = "django-hashes")]
    fn django(text: &str) -> Option<Self> {
        match text
            .strip_prefix("argon2")
            .filter(|rest| rest.starts_with('$'))
        {
            Some(phc) => argon2(phc).map(Self::Outdated),
            None => Foreign::read(text).map(Self::Foreign),
        }
    }

    #[cfg(not(feature = "django-hashes"))]
    fn django(_: &str) -> Option<Self> {
        None
    }
}

/// A PHC string of argon2d, argon2i or argon2id.
fn argon2(text: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(text).ok()?;
    Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let bounded = params.m_cost() <= MOST_MEMORY_KIB
        && params.t_cost() <= MOST_PASSES
        && params.p_cost() <= MOST_LANES;
    (bounded && hash.salt.is_some() && hash.hash.is_some()).then_some(hash)
}

fn is_current(hash: &PasswordHash) -> bool {
    let Ok(params) = Params::try_from(hash) else {
        return false;
    };
    hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && params.m_cost() == Params::DEFAULT.m_cost()
        && params.t_cost() == Params::DEFAULT.t_cost()
        && params.p_cost() == Params::DEFAULT.p_cost()
        && params.output_len() == Some(Params::DEFAULT_OUTPUT_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher;

    fn check(stored: &str, password: &str) -> Check {
        Hasher::default().check(Some(stored), password)
    }

    #[test]
    fn only_the_whole_password_fits_its_hash() {
        let long = "a".repeat(1024);
        let hash = hash_password(&long).unwrap();
        assert_eq!(check(&hash, &long), Check::Fits);
        assert_eq!(check(&hash, &long[1..]), Check::Wrong);
        assert_eq!(Hasher::default().check(None, &long), Check::Wrong);
    }

    #[test]
    fn the_memory_of_one_hash_serves_the_next_and_changes_nothing() {
        let hasher = Hasher::default();
        let stored = ["first", "second"].map(|password| (password, hasher.hash(password).unwrap()));
        for (password, hash) in &stored {
            assert_eq!(hasher.check(Some(hash), password), Check::Fits);
            assert_eq!(hasher.check(Some(hash), "third"), Check::Wrong);
            let read = PasswordHash::new(hash).unwrap();
            assert!(
                Argon2::default()
                    .verify_password(password.as_bytes(), &read)
                    .is_ok()
            );
        }
        assert_eq!(hasher.memory().len(), 1);
    }

    #[test]
    fn a_password_is_any_text() {
        for password in [
            "tab\tand\nlines",
            "a\0b",
            "\0",
            "密码 пароль 🐎",
            "\u{202e}",
            " led and trailed ",
        ] {
            let hash = hash_password(password).unwrap();
            assert_eq!(check(&hash, password), Check::Fits, "{password:?}");
            let mut shorter = password.to_owned();
            shorter.pop();
            assert_eq!(check(&hash, &shorter), Check::Wrong, "{password:?}");
        }
    }

    #[test]
    fn other_kinds_and_costs_of_argon2_fit_but_are_outdated() {
        let cheap = |algorithm, version| {
            let params = Params::new(64, 1, 1, None).unwrap();
            let hasher = Argon2::new(algorithm, version, params);
            hasher.hash_password(b"correct horse").unwrap().to_string()
        };
        for hash in [
            cheap(Algorithm::Argon2d, Version::V0x13),
            cheap(Algorithm::Argon2i, Version::V0x13),
            cheap(Algorithm::Argon2id, Version::V0x13),
            cheap(Algorithm::Argon2id, Version::V0x10),
        ] {
            assert_eq!(check(&hash, "correct horse"), Check::FitsOutdated, "{hash}");
            assert_eq!(check(&hash, "correct hors"), Check::Wrong, "{hash}");
        }
    }

    #[test]
    fn a_hash_that_cannot_be_used_or_costs_too_much_fits_no_password() {
        let good = hash_password("x").unwrap();
        assert!(matches!(Stored::read(&good), Some(Stored::Current(_))));
        let costly = ["m=19456", "t=2", "p=1"]
            .into_iter()
            .zip(["m=2097152", "t=1000", "p=255"]);
        let mut bad: Vec<String> = costly.map(|(from, to)| good.replace(from, to)).collect();
        bad.push(good.replace("argon2id", "argon2x"));
        bad.push(good.replace("v=19", "v=99"));
        bad.push(format!("{good}$more"));
        bad.extend(
            [
                "",
                "x",
                "$",
                "$$$$$$",
                "$argon2id$",
                "$argon2id$v=19$m=19456,t=2,p=1",
                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
                "$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA",
                "$argon2id$v=19$m=7,t=1,p=16$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA",
                "$argon2id$v=19$m=4294967296,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA",
                "$2b$12$abcdefghijklmnopqrstuv",
                "$argon2id\0",
                "ß$ß$ß$ß",
            ]
            .map(String::from),
        );
        for hash in bad {
            let hasher = Hasher::default();
            assert_eq!(hasher.check(Some(&hash), "x"), Check::Wrong, "{hash}");
            assert!(hasher.argon2_runs.into_inner() >= 1, "{hash}");
        }
    }

    #[test]
    fn every_refusal_costs_argon2_as_often_as_that_of_an_unknown_user() {
        let runs = |stored: Option<&str>| {
            let hasher = Hasher::default();
            assert_eq!(hasher.check(stored, "wrong"), Check::Wrong);
            hasher.argon2_runs.into_inner()
        };
        let unknown = runs(None);
        assert_eq!(unknown, 1);
        assert_eq!(
            runs(Some(&hash_password("correct horse").unwrap())),
            unknown
        );
        assert_eq!(runs(Some("$argon2id$")), unknown);
        assert_eq!(runs(Some("scrypt$16$salt$8$5$hash")), unknown);
    }
}
