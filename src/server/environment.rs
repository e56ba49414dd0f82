use super::Server;
use crate::config::{ConfigError, ConfigProblem};
use crate::issue::Tokens;
use crate::key_set::JwtKey;
use crate::random::{self, RandomError};
use crate::rate::Rate;
use crate::realm::Realm;
use crate::secret::Secret;
use crate::store::{Store, StoreError};
use crate::throttle::{AttemptLimits, Limiter, Throttle, limiter_at};
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const DEFAULT_RATE: &str = "2000/day";

/// What a server is told by its environment. A variable that is empty counts as unset.
///
/// | variable | meaning | unset |
/// |---|---|---|
/// | `ADDR` | where it listens; port 0 picks a free one | `127.0.0.1:3000` |
/// | `PUBLIC_URL` | how clients reach it, where that is another address: scheme and host, no `/` at the end | |
/// | `DATABASE_URL` | its store: `sqlite:PATH`, `postgres://…` | in memory |
/// | `REDIS_URL` | its throttles' store | in process |
/// | `REDIS_NAMESPACE` | keeps its counters there apart from those of other services | counted with whoever has none either |
/// | `JWT_SECRET` | what it signs tokens with, 32 random bytes or more | random at each start, with a warning |
/// | `JWT_SECRET_PREVIOUS` | what it signed with before: such tokens are good until they expire | |
/// | `ACCESS_TOKEN_LIFETIME`, `REFRESH_TOKEN_LIFETIME` | in seconds | the application's |
/// | `ROTATE_REFRESH_TOKENS` | `true`: a refresh token is good once | `false` |
/// | `THROTTLE_RATE` | such as `2000/day`, `5/min`, `10/s` | `2000/day` |
/// | `SIGN_IN_ATTEMPTS` | how often one account from one address may be wrong, such as `5/15min` | [`AttemptLimits::new`] |
///
/// ```no_run
/// use std::time::Duration;
/// use tower_auth::{AuthLayer, server::Environment};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let environment = Environment::read()?; // every mistake, listed
/// let server = environment.bind().await?;
/// let realm = environment.realm().await?;
/// let lifetimes = (Duration::from_secs(900), Duration::from_secs(86_400));
/// let tokens = environment.tokens(lifetimes.0, lifetimes.1)?;
/// let tokens = realm.tokens(tokens.issuer("https://api.example.com"));
/// let auth = AuthLayer::builder()
///     .accept(&tokens)
///     .throttle(environment.throttle())
///     .build()?;
/// server.run(axum::Router::new().layer(auth)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Environment {
    address: String,
    public_url: Option<String>,
    database_url: String,
    redis_url: Option<String>,
    redis_namespace: Option<String>,
    secret: Option<Secret<String>>,
    previous_secret: Option<Secret<String>>,
    access_lifetime: Option<Duration>,
    refresh_lifetime: Option<Duration>,
    rotates: bool,
    throttle_rate: String,
    sign_in_attempts: Option<Rate>,
}

impl Environment {
    /// Reads the variables above.
    ///
    /// # Errors
    ///
    /// All variables that cannot be read, at once: [`ConfigProblem::Environment`].
    pub fn read() -> Result<Self, ConfigError> {
        Self::of(|name| env::var_os(name))
    }

    fn of(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let mut variables = Variables {
            lookup,
            problems: Vec::new(),
        };
        let environment = Self {
            address: variables
                .text("ADDR")
                .unwrap_or_else(|| String::from("127.0.0.1:3000")),
            public_url: variables.text("PUBLIC_URL"),
            database_url: variables.text("DATABASE_URL").unwrap_or_default(),
            redis_url: variables.text("REDIS_URL"),
            redis_namespace: variables.text("REDIS_NAMESPACE"),
            secret: variables.text("JWT_SECRET").map(Secret::new),
            previous_secret: variables.text("JWT_SECRET_PREVIOUS").map(Secret::new),
            access_lifetime: variables.lifetime("ACCESS_TOKEN_LIFETIME"),
            refresh_lifetime: variables.lifetime("REFRESH_TOKEN_LIFETIME"),
            rotates: variables.switch("ROTATE_REFRESH_TOKENS"),
            throttle_rate: variables
                .text("THROTTLE_RATE")
                .unwrap_or_else(|| DEFAULT_RATE.into()),
            sign_in_attempts: variables.rate("SIGN_IN_ATTEMPTS"),
        };
        if environment.redis_url.is_some() && environment.limiter().is_none() {
            variables.problem("REDIS_URL", "unset, for the feature redis is off");
        }
        if environment.redis_namespace.is_some() && environment.redis_url.is_none() {
            variables.problem("REDIS_NAMESPACE", "unset where REDIS_URL is");
        }
        ConfigError::check(variables.problems)?;
        Ok(environment)
    }

    /// Tokens as the environment wants them, with these lifetimes where it names none: still
    /// without an issuer.
    ///
    /// Where it names one lifetime alone, the other gives way: an access token does not outlive its
    /// refresh token.
    ///
    /// # Errors
    ///
    /// There is no secret, and the system's source of randomness failed.
    pub fn tokens(&self, access: Duration, refresh: Duration) -> Result<Tokens, RandomError> {
        let mut tokens = Tokens::hs256(self.secret_or_random()?.expose());
        if let Some(previous) = &self.previous_secret {
            tokens = tokens.retired_key(JwtKey::hs256(previous.expose()));
        }
        let (access, refresh) = match (self.access_lifetime, self.refresh_lifetime) {
            (Some(access), Some(refresh)) => (access, refresh),
            (Some(access), None) => (access, refresh.max(access)),
            (None, Some(refresh)) => (access.min(refresh), refresh),
            (None, None) => (access, refresh),
        };
        let tokens = tokens.access_lifetime(access).refresh_lifetime(refresh);
        Ok(if self.rotates {
            tokens
        } else {
            tokens.without_rotation()
        })
    }

    fn secret_or_random(&self) -> Result<Secret<String>, RandomError> {
        if let Some(secret) = &self.secret {
            return Ok(secret.clone());
        }
        eprintln!("warning: JWT_SECRET is not set; tokens will not survive a restart");
        let mut secret = String::new();
        random::push_base62(&mut secret, 43, random::fill)?;
        Ok(Secret::new(secret))
    }

    /// A realm over the store at `DATABASE_URL`, whose tables are made or brought up to date, and
    /// whose throttles count at `REDIS_URL`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Invalid`](crate::store::StoreErrorKind::Invalid) where there is no such
    /// kind of store, or its feature is off;
    /// [`StoreErrorKind::Unavailable`](crate::store::StoreErrorKind::Unavailable) where it does not
    /// answer.
    pub async fn realm(&self) -> Result<Realm, StoreError> {
        let store = Store::connect(&self.database_url).await?;
        store.migrate().await?;
        let mut realm = Realm::new(store);
        if let Some(rate) = self.sign_in_attempts {
            let limits = AttemptLimits::new().per_account_and_address(rate);
            realm = realm.attempts(limits);
        }
        if let Some(limiter) = self.limiter() {
            realm = realm.limiter(limiter);
        }
        Ok(realm)
    }

    fn limiter(&self) -> Option<Arc<dyn Limiter>> {
        let url = self.redis_url.as_deref()?;
        limiter_at(url, self.redis_namespace.as_deref())
    }

    /// `THROTTLE_RATE`, whose mistakes the layer's `build()` reports.
    #[must_use]
    pub fn throttle_rate(&self) -> &str {
        &self.throttle_rate
    }

    /// `THROTTLE_RATE` for each principal: all keys of an owner together, anonymous requests by
    /// address.
    pub fn throttle(&self) -> Throttle {
        Throttle::per_principal(self.throttle_rate())
    }

    /// Listens at `ADDR`. Connections wait until the server runs.
    ///
    /// # Errors
    ///
    /// The address is none, or is taken.
    pub async fn bind(&self) -> io::Result<Server> {
        let listener = TcpListener::bind(&self.address).await?;
        let address = listener.local_addr()?;
        let url = self
            .public_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        Ok(Server::new(listener, address, url))
    }
}

struct Variables<L> {
    lookup: L,
    problems: Vec<ConfigProblem>,
}

impl<L: Fn(&str) -> Option<OsString>> Variables<L> {
    fn text(&mut self, name: &'static str) -> Option<String> {
        let text = (self.lookup)(name)?.into_string();
        let text = text.map_err(|_| self.problem(name, "UTF-8")).ok()?;
        Some(text).filter(|text| !text.is_empty())
    }

    fn lifetime(&mut self, name: &'static str) -> Option<Duration> {
        let seconds = self.text(name)?.parse().ok().filter(|seconds| *seconds > 0);
        if seconds.is_none() {
            self.problem(name, "a whole number of seconds, 1 or more");
        }
        seconds.map(Duration::from_secs)
    }

    fn rate(&mut self, name: &'static str) -> Option<Rate> {
        let rate = self.text(name)?.parse().ok();
        if rate.is_none() {
            self.problem(name, "a rate such as 5/15min");
        }
        rate
    }

    fn switch(&mut self, name: &'static str) -> bool {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(_) => {
                self.problem(name, "true or false");
                false
            }
        }
    }

    fn problem(&mut self, variable: &'static str, form: &'static str) {
        self.problems
            .push(ConfigProblem::Environment { variable, form });
    }
}

/// Never shows the secret, nor URLs, which may hold passwords.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Environment::of(|name| found(name).map(|(_, value)| value.into()))
    }

    #[test]
    fn what_is_unset_or_empty_has_its_default() {
        for variables in [
            &[][..],
            &[("ADDR", ""), ("THROTTLE_RATE", ""), ("JWT_SECRET", "")],
        ] {
            let environment = of(variables).unwrap();
            assert_eq!(environment.address, "127.0.0.1:3000");
            assert_eq!(environment.throttle_rate(), "2000/day");
            assert_eq!(environment.database_url, "");
            assert!(environment.secret.is_none() && !environment.rotates);
        }
    }

    #[test]
    fn every_variable_that_cannot_be_read_is_named_at_once() {
        let wrong = [
            ("ACCESS_TOKEN_LIFETIME", "1h"),
            ("REFRESH_TOKEN_LIFETIME", "0"),
            ("ROTATE_REFRESH_TOKENS", "perhaps"),
            ("SIGN_IN_ATTEMPTS", "10/month"),
        ];
        let error = of(&wrong).unwrap_err();
        assert_eq!(error.problems().len(), 4);
        for (name, value) in wrong {
            let shown = error.to_string();
            assert!(shown.contains(name) && !shown.contains(value), "{shown}");
        }
    }

    #[test]
    fn one_lifetime_alone_takes_the_other_with_it() {
        let debug = |variables: &[(&str, &str)]| {
            let secret = ("JWT_SECRET", "u4Zq7Kw2xRm90123456789abcdefghij");
            let variables: Vec<_> = variables.iter().copied().chain([secret]).collect();
            let tokens = of(&variables)
                .unwrap()
                .tokens(Duration::from_secs(60), Duration::from_secs(600));
            format!("{:?}", tokens.unwrap())
        };
        let has = |text: &str, access: &str, refresh: &str| {
            let lifetimes = format!("access_lifetime: {access}, refresh_lifetime: {refresh}");
            assert!(text.contains(&lifetimes), "{text}");
        };
        has(&debug(&[]), "60s", "600s");
        has(&debug(&[("REFRESH_TOKEN_LIFETIME", "5")]), "5s", "5s");
        has(&debug(&[("ACCESS_TOKEN_LIFETIME", "900")]), "900s", "900s");
        assert!(debug(&[("ROTATE_REFRESH_TOKENS", "true")]).contains("rotation: On"));
        assert!(debug(&[]).contains("rotation: Off"));
    }

    #[test]
    fn the_secret_changes_without_signing_anybody_out() {
        let tokens = of(&[
            ("JWT_SECRET", "u4Zq7Kw2xRm90123456789abcdefghij"),
            ("JWT_SECRET_PREVIOUS", "hV8nT3yQ6sLd0123456789abcdefghij"),
        ]);
        let (access, refresh) = (Duration::from_secs(60), Duration::from_secs(600));
        let tokens = tokens.unwrap().tokens(access, refresh).unwrap();
        let realm = Realm::new(crate::store::Memory::new());
        let issuer = realm.tokens(tokens.issuer("https://api.example.com"));
        let auth = crate::AuthLayer::builder().accept(&issuer).build();
        assert!(auth.is_ok(), "{auth:?}");
    }

    #[test]
    fn no_secret_is_shown() {
        let environment = of(&[
            ("JWT_SECRET", "hidden"),
            ("DATABASE_URL", "postgres://u:hidden@h/d"),
        ]);
        assert!(!format!("{:?}", environment.unwrap()).contains("hidden"));
    }
}
