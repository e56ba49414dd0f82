use super::Server;
use crate::config::{ConfigError, ConfigProblem};
use crate::issue::Tokens;
use crate::key_set::{JwtKey, KeySet};
use crate::random::{self, RandomError};
use crate::rate::Rate;
use crate::realm::Realm;
use crate::scheme::api_key::ApiKeys;
use crate::secret::Secret;
use crate::store::{Store, StoreError, StoreOptions};
use crate::throttle::{AttemptLimits, Limiter, Throttle, limiter_at};
#[cfg(feature = "redis")]
use crate::throttle::{RedisLimiter, redis_at};
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const DEFAULT_RATE: &str = "2000/day";

/// What a secret is to be, where one is not.
const STRONG: &str =
    "32 random bytes or more: this one is short, published somewhere or follows a pattern";

/// What the variables of peppers are to be.
const PEPPER: &str = "an id of 1 to 64 letters, digits, - and _, a colon, and 32 bytes or more";

/// What a server is told by its environment. A variable that is empty counts as unset.
///
/// | variable | meaning | unset |
/// |---|---|---|
/// | `ADDR` | where it listens; port 0 picks a free one | `127.0.0.1:3000` |
/// | `PUBLIC_URL` | how clients reach it, where that is another address: scheme and host, no `/` at the end | |
/// | `DATABASE_URL` | its store: `sqlite:PATH`, `postgres://…` | in memory |
/// | `REDIS_URL` | its throttles' store | in process |
/// | `REDIS_NODES` | how many nodes share it: while it does not answer, each admits so many-th of a rate | 1 |
/// | `REDIS_NAMESPACE` | keeps its counters there apart from those of other services | counted with whoever has none either |
/// | `JWT_SECRET` | what it signs tokens with, 32 random bytes or more | random at each start, with a warning |
/// | `JWT_SECRET_PREVIOUS` | what it signed with before: such tokens are good until they expire | |
/// | `ACCESS_TOKEN_LIFETIME`, `REFRESH_TOKEN_LIFETIME` | in seconds | the application's |
/// | `ROTATE_REFRESH_TOKENS` | `true`: a refresh token is good once, and a stolen one is noticed | `false` |
/// | `API_KEY_PREFIX` | with which new API keys begin, such as `egret` | the application's |
/// | `API_KEY_PEPPER` | `ID:SECRET`: what new API keys are stored under ([`ApiKeys::pepper`]) | stored without one |
/// | `API_KEY_PEPPERS_PREVIOUS` | those before, which API keys are still stored under, with commas between them | |
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
    redis_nodes: Option<u32>,
    secret: Option<Secret<String>>,
    previous_secret: Option<Secret<String>>,
    access_lifetime: Option<Duration>,
    refresh_lifetime: Option<Duration>,
    rotates: bool,
    key_prefix: Option<String>,
    pepper: Option<Pepper>,
    previous_peppers: Vec<Pepper>,
    throttle_rate: String,
    sign_in_attempts: Option<Rate>,
}

#[derive(Clone)]
struct Pepper {
    id: String,
    secret: Secret<String>,
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
            redis_nodes: variables.count("REDIS_NODES"),
            secret: variables.text("JWT_SECRET").map(Secret::new),
            previous_secret: variables.text("JWT_SECRET_PREVIOUS").map(Secret::new),
            access_lifetime: variables.lifetime("ACCESS_TOKEN_LIFETIME"),
            refresh_lifetime: variables.lifetime("REFRESH_TOKEN_LIFETIME"),
            rotates: variables.switch("ROTATE_REFRESH_TOKENS"),
            key_prefix: variables.text("API_KEY_PREFIX"),
            pepper: variables.pepper("API_KEY_PEPPER"),
            previous_peppers: variables.peppers("API_KEY_PEPPERS_PREVIOUS"),
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
        if environment.redis_nodes.is_some() && environment.redis_url.is_none() {
            variables.problem("REDIS_NODES", "unset where REDIS_URL is");
        }
        if environment.has_pepper_twice() {
            variables.problem("API_KEY_PEPPERS_PREVIOUS", "peppers of ids that differ");
        }
        ConfigError::check(variables.problems)?;
        Ok(environment)
    }

    fn has_pepper_twice(&self) -> bool {
        let peppers = self.pepper.iter().chain(&self.previous_peppers);
        let mut ids: Vec<&str> = peppers.map(|pepper| &*pepper.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        ids.len() < all
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
        let (access, refresh) = self.lifetimes(access, refresh);
        let tokens = tokens.access_lifetime(access).refresh_lifetime(refresh);
        Ok(if self.rotates {
            tokens
        } else {
            tokens.without_rotation()
        })
    }

    fn lifetimes(&self, access: Duration, refresh: Duration) -> (Duration, Duration) {
        match (self.access_lifetime, self.refresh_lifetime) {
            (Some(access), Some(refresh)) => (access, refresh),
            // Only one of the two is given. The other one gives way, so that an access token never
            // outlives its refresh token, which `build()` would refuse.
            (Some(access), None) => (access, refresh.max(access)),
            (None, Some(refresh)) => (access.min(refresh), refresh),
            (None, None) => (access, refresh),
        }
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
        let store = self.store(StoreOptions::new()).await?;
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

    /// The store at `DATABASE_URL`, whose tables are left as they are: for programs that look after
    /// it. In memory where that is unset.
    ///
    /// # Errors
    ///
    /// As [`realm`](Self::realm).
    pub async fn store(&self, options: StoreOptions) -> Result<Store, StoreError> {
        Store::connect_with(&self.database_url, options).await
    }

    /// These API keys, stored under `API_KEY_PEPPER`; those that are stored under the previous ones
    /// go on working.
    ///
    /// ```
    /// use tower_auth::{ApiKeys, server::Environment};
    ///
    /// let environment = Environment::read()?;
    /// let prefix = environment.api_key_prefix().unwrap_or("egret");
    /// let keys = environment.peppered(ApiKeys::prefix(prefix));
    /// # drop(keys);
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    pub fn peppered(&self, keys: ApiKeys) -> ApiKeys {
        let keys = match &self.pepper {
            Some(pepper) => keys.pepper(&pepper.id, pepper.secret.expose()),
            None => keys,
        };
        self.previous_peppers.iter().fold(keys, |keys, pepper| {
            keys.previous_pepper(&pepper.id, pepper.secret.expose())
        })
    }

    /// `API_KEY_PREFIX`, whose mistakes the layer's `build()` reports.
    #[must_use]
    pub fn api_key_prefix(&self) -> Option<&str> {
        self.key_prefix.as_deref()
    }

    /// The ids of its peppers, that of new keys first, where there is one for new keys.
    #[must_use]
    pub fn pepper_ids(&self) -> Vec<&str> {
        let peppers = self.pepper.iter().chain(&self.previous_peppers);
        peppers.map(|pepper| &*pepper.id).collect()
    }

    /// The variables whose secrets are too short, published somewhere or follow a pattern: each a
    /// [`ConfigProblem::Environment`]. Signing with such a secret is a mistake that the layer's
    /// `build()` reports too; of peppers that are long enough nothing else tells.
    #[must_use]
    pub fn weak_secrets(&self) -> Vec<ConfigProblem> {
        let mut secrets = Vec::new();
        let current = self.pepper.iter().map(|pepper| &pepper.secret);
        let previous = self.previous_peppers.iter().map(|pepper| &pepper.secret);
        secrets.extend(self.secret.iter().map(|secret| ("JWT_SECRET", secret)));
        let former = self.previous_secret.iter();
        secrets.extend(former.map(|secret| ("JWT_SECRET_PREVIOUS", secret)));
        secrets.extend(current.map(|secret| ("API_KEY_PEPPER", secret)));
        secrets.extend(previous.map(|secret| ("API_KEY_PEPPERS_PREVIOUS", secret)));
        let mut weak = Vec::new();
        for (variable, secret) in secrets {
            let form = STRONG;
            if KeySet::build(&[JwtKey::hs256(secret.expose())]).is_err() {
                weak.push(ConfigProblem::Environment { variable, form });
            }
        }
        weak
    }

    /// Whether there is a `JWT_SECRET`, or tokens are signed with another one at each start.
    #[must_use]
    pub fn has_jwt_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The limiter at `REDIS_URL`.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(&self) -> Option<RedisLimiter> {
        let url = self.redis_url.as_deref()?;
        let namespace = self.redis_namespace.as_deref();
        Some(redis_at(url, namespace, self.redis_nodes.unwrap_or(1)))
    }

    fn limiter(&self) -> Option<Arc<dyn Limiter>> {
        let url = self.redis_url.as_deref()?;
        let namespace = self.redis_namespace.as_deref();
        limiter_at(url, namespace, self.redis_nodes.unwrap_or(1))
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

impl Pepper {
    fn read(text: &str) -> Option<Self> {
        let (id, secret) = text.trim().split_once(':')?;
        let keys = ApiKeys::bare().pepper(id, secret);
        if !keys.problems().is_empty() {
            return None;
        }
        Some(Self {
            id: id.to_owned(),
            secret: Secret::new(secret.to_owned()),
        })
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

    fn count(&mut self, name: &'static str) -> Option<u32> {
        let count = self.text(name)?.parse().ok().filter(|count| *count > 0);
        if count.is_none() {
            self.problem(name, "a whole number, 1 or more");
        }
        count
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

    fn pepper(&mut self, name: &'static str) -> Option<Pepper> {
        let text = Secret::new(self.text(name)?);
        let pepper = Pepper::read(text.expose());
        if pepper.is_none() {
            self.problem(name, PEPPER);
        }
        pepper
    }

    /// Several, with commas between them.
    fn peppers(&mut self, name: &'static str) -> Vec<Pepper> {
        let Some(text) = self.text(name).map(Secret::new) else {
            return Vec::new();
        };
        let read: Option<Vec<Pepper>> = text.expose().split(',').map(Pepper::read).collect();
        if read.is_none() {
            self.problem(name, PEPPER);
        }
        read.unwrap_or_default()
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
            ("REDIS_NODES", "none"),
        ];
        let error = of(&wrong).unwrap_err();
        assert_eq!(error.problems().len(), wrong.len());
        for (name, value) in wrong {
            let shown = error.to_string();
            assert!(shown.contains(name) && !shown.contains(value), "{shown}");
        }
    }

    #[cfg(feature = "redis")]
    #[test]
    fn the_nodes_that_share_a_limit_are_told_to_the_limiter() {
        use crate::throttle::Limiter;

        for (nodes, told) in [("", 1), ("3", 3)] {
            let url = ("REDIS_URL", "redis://127.0.0.1:6379");
            let environment = of(&[url, ("REDIS_NODES", nodes)]).unwrap();
            assert_eq!(environment.redis().unwrap().node_count(), told);
        }
        let alone = of(&[("REDIS_NODES", "3")]).unwrap_err().to_string();
        assert!(alone.contains("REDIS_NODES"), "{alone}");
    }

    #[test]
    fn peppers_are_read_each_with_its_id_and_a_bad_one_is_named() {
        let (one, two) = (
            "u4Zq7Kw2xRm90123456789abcdefghij",
            "9Xc2Vb5Nm8Qw1Er4Ty7Ui0Op3As6Df9G",
        );
        let previous = format!("2025:{one}, 2024:{two}");
        let environment = of(&[
            ("API_KEY_PEPPER", &format!("2026:{two}")),
            ("API_KEY_PEPPERS_PREVIOUS", &previous),
        ])
        .unwrap();
        assert_eq!(environment.pepper_ids(), ["2026", "2025", "2024"]);
        let keys = format!("{:?}", environment.peppered(ApiKeys::bare()));
        let order = "\"hmac-sha256:2026\", \"sha256\", \"hmac-sha256:2025\", \"hmac-sha256:2024\"";
        assert!(keys.contains(order), "{keys}");
        for wrong in [
            "2026",
            "2026:short",
            &format!(":{one}"),
            &format!("a b:{one}"),
        ] {
            for name in ["API_KEY_PEPPER", "API_KEY_PEPPERS_PREVIOUS"] {
                let error = of(&[(name, wrong)]).unwrap_err().to_string();
                assert!(error.contains(name) && !error.contains(one), "{error}");
            }
        }
        let twice = [
            ("API_KEY_PEPPER", &*format!("2025:{two}")),
            ("API_KEY_PEPPERS_PREVIOUS", &*previous),
        ];
        assert_eq!(of(&twice).unwrap_err().problems().len(), 1);
    }

    #[test]
    fn every_secret_that_is_published_is_named_by_its_variable() {
        let published = "a-string-secret-at-least-256-bits-long";
        let strong = "u4Zq7Kw2xRm90123456789abcdefghij";
        let named = |secret: &str| {
            let pepper = format!("one:{secret}");
            let previous = format!("two:{strong},three:{secret}");
            let environment = of(&[
                ("JWT_SECRET", secret),
                ("JWT_SECRET_PREVIOUS", secret),
                ("API_KEY_PEPPER", &pepper),
                ("API_KEY_PEPPERS_PREVIOUS", &previous),
            ]);
            environment.unwrap().weak_secrets()
        };
        assert_eq!(named(strong), []);
        let weak = named(published);
        assert_eq!(weak.len(), 4);
        for (problem, variable) in weak.iter().zip([
            "JWT_SECRET ",
            "JWT_SECRET_PREVIOUS",
            "API_KEY_PEPPER ",
            "API_KEY_PEPPERS_PREVIOUS",
        ]) {
            let told = problem.to_string();
            assert!(
                told.contains(variable) && !told.contains(published),
                "{told}"
            );
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
