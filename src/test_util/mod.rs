//! For tests of services behind a layer: a clock that is moved by hand, a mint of tokens, stores that fail as told, and users to try
//! things out with.
//!
//! Nothing here is for production: in particular, [`TokenMint`] signs whatever it is given.

mod intercept;

pub use intercept::{Intercept, Intercepted};

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use crate::store::LOOK_UPS;

use crate::clock::Clock;
#[cfg(feature = "basic")]
use crate::secret::Secret;
#[cfg(feature = "basic")]
use crate::users::NewUser;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(feature = "jwt")]
pub use mint::TokenMint;

pub use crate::throttle::Limiter;

/// A clock that stands still until it is moved. Clones are the same clock.
///
/// ```
/// use tower_auth::{Clock, test_util::ManualClock};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let clock = ManualClock::new(1_700_000_000);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(1_700_000_060));
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

    /// Steps it to a time, forwards or backwards, as an operator does: no time passes, so [`steady`](Clock::steady) stays.
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

/// The users that demos begin with: `user@example.com` (also `user`), `other@example.com` (also `other`), and `admin@example.com`
/// (also `hubadmin`) with the role `admin`. Their password is no secret: the environment's `DEMO_PASSWORD`, or
/// `correct-horse-battery`.
#[cfg(feature = "basic")]
pub fn demo_users() -> [NewUser; 3] {
    let password =
        std::env::var("DEMO_PASSWORD").unwrap_or_else(|_| String::from("correct-horse-battery"));
    let user =
        |email: &str, name: &str| NewUser::new(email, Secret::new(password.clone())).name(name);
    [
        user("user@example.com", "user"),
        user("other@example.com", "other"),
        user("admin@example.com", "hubadmin").role("admin"),
    ]
}

#[cfg(feature = "jwt")]
mod mint {
    use crate::secret::Secret;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hmac::{Hmac, KeyInit, Mac};
    use serde::Serialize;
    use sha2::{Sha256, Sha384, Sha512};
    use std::fmt;

    /// Signs JWTs with a shared secret, as a login service would.
    ///
    /// ```
    /// use tower_auth::test_util::TokenMint;
    ///
    /// let mint = TokenMint::hs256("tests only: 0123456789abcdefghij");
    /// let token = mint.sign(&serde_json::json!({ "sub": "anna", "exp": 4_000_000_000_u64 }));
    /// assert_eq!(token.split('.').count(), 3);
    /// ```
    #[derive(Clone)]
    #[must_use]
    pub struct TokenMint {
        algorithm: &'static str,
        secret: Secret<Vec<u8>>,
        id: Option<String>,
    }

    impl TokenMint {
        /// Signs with HS256.
        pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
            Self::new("HS256", secret.as_ref())
        }

        /// Signs with HS384.
        pub fn hs384(secret: impl AsRef<[u8]>) -> Self {
            Self::new("HS384", secret.as_ref())
        }

        /// Signs with HS512.
        pub fn hs512(secret: impl AsRef<[u8]>) -> Self {
            Self::new("HS512", secret.as_ref())
        }

        fn new(algorithm: &'static str, secret: &[u8]) -> Self {
            Self {
                algorithm,
                secret: Secret::new(secret.to_vec()),
                id: None,
            }
        }

        /// Writes this `kid`.
        pub fn id(mut self, id: impl Into<String>) -> Self {
            self.id = Some(id.into());
            self
        }

        /// A token with these claims, and a header of `alg`, `typ` and perhaps `kid`.
        ///
        /// # Panics
        ///
        /// The claims cannot be written as JSON.
        #[must_use]
        pub fn sign(&self, claims: &impl Serialize) -> String {
            let mut header = serde_json::Map::new();
            header.insert("alg".into(), self.algorithm.into());
            header.insert("typ".into(), "JWT".into());
            if let Some(id) = &self.id {
                header.insert("kid".into(), id.as_str().into());
            }
            let json = |value: serde_json::Result<String>| value.expect("claims are JSON"); // OK because it is a test's
            self.sign_parts(
                &json(serde_json::to_string(&header)),
                &json(serde_json::to_string(claims)),
            )
        }

        /// A token with exactly this header and this payload, whatever they say.
        #[must_use]
        pub fn sign_parts(&self, header: &str, payload: &str) -> String {
            let message = format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(header),
                URL_SAFE_NO_PAD.encode(payload)
            );
            let secret = self.secret.expose();
            let signature = match self.algorithm {
                "HS384" => mac::<Hmac<Sha384>>(secret, &message),
                "HS512" => mac::<Hmac<Sha512>>(secret, &message),
                _ => mac::<Hmac<Sha256>>(secret, &message),
            };
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn mac<M: Mac + KeyInit>(secret: &[u8], message: &str) -> Vec<u8> {
        // OK because HMAC takes keys of any length (RFC 2104 §2).
        let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.chain_update(message).finalize().into_bytes().to_vec()
    }

    impl fmt::Debug for TokenMint {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("TokenMint")
                .field("algorithm", &self.algorithm)
                .finish_non_exhaustive()
        }
    }
}
