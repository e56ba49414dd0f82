use super::{AuthLayer, Services};
use crate::account::Accounts;
use crate::clock::{Clock, SystemClock};
use crate::config::{ConfigError, ConfigProblem, is_http_url};
use crate::credential::{Accepted, Source};
use crate::event::{Event, Events};
#[cfg(feature = "jwt")]
use crate::issue::{TokenIssuer, Tokens};
use crate::pipeline::{Mode, Pipeline, Preflight};
use crate::reject::format::{ErrorFormat, Problem};
use crate::reject::{Challenges, Responder};
#[cfg(feature = "api-key")]
use crate::scheme::ApiKeys;
#[cfg(feature = "basic")]
use crate::scheme::Basic;
use crate::scheme::{Chain, Scheme};
#[cfg(feature = "jwt")]
use crate::scheme::{Jwt, Jwts};
use crate::store::{Guard, UserStore};
#[cfg(feature = "redis")]
use crate::throttle::RedisLimiter;
use crate::throttle::{
    Addresses, AttemptLimits, Attempts, QuotaFields, Stack, Surroundings, Throttle,
};
#[cfg(feature = "basic")]
use crate::users::Users;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Configures an [`AuthLayer`]. Nothing is checked before [`build`](Self::build), which then reports every mistake.
#[must_use]
pub struct AuthLayerBuilder {
    #[cfg(feature = "jwt")]
    jwts: Vec<Jwt>,
    #[cfg(feature = "api-key")]
    api_keys: Vec<ApiKeys>,
    #[cfg(feature = "jwt")]
    tokens: Vec<Tokens>,
    #[cfg(feature = "basic")]
    basic: Vec<Basic>,
    #[cfg(feature = "basic")]
    users: Vec<Users>,
    #[cfg(feature = "api-key")]
    managed_api_keys: Vec<ApiKeys>,
    events: Events,
    others: Vec<Box<dyn Scheme>>,
    resource_metadata: Option<String>,
    format: Box<dyn ErrorFormat>,
    realm: String,
    mode: Mode,
    preflight: Preflight,
    vary: bool,
    max_credential_len: usize,
    store_deadline: Duration,
    clock: Arc<dyn Clock>,
    throttles: Vec<Throttle>,
    #[cfg(feature = "redis")]
    limiter: Option<RedisLimiter>,
    attempts: AttemptLimits,
    addresses: Addresses,
    quota_fields: QuotaFields,
}

impl AuthLayerBuilder {
    pub(super) fn new() -> Self {
        Self {
            #[cfg(feature = "jwt")]
            jwts: Vec::new(),
            #[cfg(feature = "api-key")]
            api_keys: Vec::new(),
            #[cfg(feature = "jwt")]
            tokens: Vec::new(),
            #[cfg(feature = "basic")]
            basic: Vec::new(),
            #[cfg(feature = "basic")]
            users: Vec::new(),
            #[cfg(feature = "api-key")]
            managed_api_keys: Vec::new(),
            events: Events::default(),
            others: Vec::new(),
            resource_metadata: None,
            format: Box::new(Problem),
            realm: String::from("api"),
            mode: Mode::Required,
            preflight: Preflight::Guarded,
            vary: false,
            max_credential_len: 8 * 1024,
            store_deadline: Duration::from_secs(2),
            clock: Arc::new(SystemClock),
            throttles: Vec::new(),
            #[cfg(feature = "redis")]
            limiter: None,
            attempts: AttemptLimits::new(),
            addresses: Addresses::new(),
            quota_fields: QuotaFields::default(),
        }
    }

    /// Accepts JWTs of an issuer. Call it once for each issuer.
    #[cfg(feature = "jwt")]
    pub fn jwt(mut self, jwt: Jwt) -> Self {
        self.jwts.push(jwt);
        self
    }

    /// Issues tokens and accepts them, beside those of other issuers.
    #[cfg(feature = "jwt")]
    pub fn tokens(mut self, tokens: Tokens) -> Self {
        self.tokens.push(tokens);
        self
    }

    /// Users of ours: API keys whose owner is a user, and tokens that we issue, are refused as soon as the user is disabled or
    /// removed, and endpoints sign them in. It accepts no credential by itself; see [`basic`](Self::basic).
    #[cfg(feature = "basic")]
    pub fn users(mut self, users: impl Into<Users>) -> Self {
        self.users.push(users.into());
        self
    }

    /// Is told everything that happens: refusals, sign-ins, what is issued and revoked. It should be quick, for it runs within the
    /// request; if it panics the answer is 500.
    pub fn on_event(mut self, hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.events = Events::to(hook);
        self
    }

    /// Accepts API keys. Call it once for each prefix.
    #[cfg(feature = "api-key")]
    pub fn api_keys(mut self, api_keys: ApiKeys) -> Self {
        self.api_keys.push(api_keys);
        self
    }

    /// Manages API keys that another layer accepts: endpoints of this one create, list and revoke them, and who presents one here
    /// is refused.
    #[cfg(feature = "api-key")]
    pub fn managed_api_keys(mut self, api_keys: ApiKeys) -> Self {
        self.managed_api_keys.push(api_keys);
        self
    }

    /// Accepts Basic.
    #[cfg(feature = "basic")]
    pub fn basic(mut self, basic: Basic) -> Self {
        self.basic.push(basic);
        self
    }

    /// Accepts a scheme of the application's own.
    pub fn scheme(mut self, scheme: impl Scheme) -> Self {
        self.others.push(Box::new(scheme));
        self
    }

    /// Limits how often callers may call. Several are all-or-nothing: a request that one of them refuses is counted by none.
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttles.push(throttle);
        self
    }

    /// Counts together with other machines, this layer's throttles and those of routes. By default they count in this process.
    #[cfg(feature = "redis")]
    pub fn limiter(mut self, limiter: RedisLimiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// How often credentials may be wrong; [`AttemptLimits::new`] by default.
    pub fn attempts(mut self, limits: AttemptLimits) -> Self {
        self.attempts = limits;
        self
    }

    /// How the address that a request came from is found; by default it is the peer's.
    pub fn addresses(mut self, addresses: Addresses) -> Self {
        self.addresses = addresses;
        self
    }

    /// Which fields tell callers what is left of their limits; [`QuotaFields::Standard`] by default.
    pub fn quota_fields(mut self, fields: QuotaFields) -> Self {
        self.quota_fields = fields;
        self
    }

    /// How the bodies of refusals look; [`Problem`] by default.
    pub fn format(mut self, format: impl ErrorFormat) -> Self {
        self.format = Box::new(format);
        self
    }

    /// The realm that challenges name (RFC 9110 §11.5), printable ASCII; `api` by default.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Where the metadata of the protected resource are (RFC 9728 §5.1), for the parameter `resource_metadata` of the Bearer
    /// challenge: an absolute URL. An endpoint serves them.
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// A request without a credential passes as anonymous. A bad credential is refused all the same. For some routes only, see
    /// [`AuthLayer::optional`].
    pub fn optional(mut self) -> Self {
        self.mode = Mode::Optional;
        self
    }

    /// CORS preflights (`OPTIONS` with `Access-Control-Request-Method`) reach the inner service, as anonymous.
    ///
    /// Where a CORS layer stands outside of this one it answers them itself, and refusals get their CORS fields: that is the
    /// better order, and needs no such exemption.
    pub fn allow_preflight(mut self) -> Self {
        self.preflight = Preflight::LetThrough;
        self
    }

    /// Answers of the inner service say `Vary: Authorization, X-API-Key`, the latter where API keys are accepted
    /// (RFC 9110 §12.5.5).
    ///
    /// For services with a shared cache before them and answers that it may keep: it does not know `X-API-Key` for a credential
    /// (RFC 9111 §3.5), nor that an answer to nobody is not for everybody. Refusals say `no-store` in any case.
    pub fn vary(mut self) -> Self {
        self.vary = true;
        self
    }

    /// The longest credential field that is looked at, in bytes; 8192 by default.
    pub fn max_credential_len(mut self, bytes: usize) -> Self {
        self.max_credential_len = bytes;
        self
    }

    /// How long a store may take to answer; 2 seconds by default. After that it is 503.
    pub fn store_deadline(mut self, deadline: Duration) -> Self {
        self.store_deadline = deadline;
        self
    }

    /// The source of now; the system's clock by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the configuration. It reads no file, opens no connection and starts no task.
    ///
    /// # Errors
    ///
    /// All mistakes at once; [`ConfigProblem`] lists them.
    pub fn build(self) -> Result<AuthLayer, ConfigError> {
        let mut problems = Vec::new();
        if self.realm.is_empty() || !self.realm.bytes().all(|b| matches!(b, 0x20..=0x7e)) {
            problems.push(ConfigProblem::Realm);
        }
        if self
            .resource_metadata
            .as_deref()
            .is_some_and(|url| !is_http_url(url))
        {
            problems.push(ConfigProblem::ResourceUrl);
        }
        if self.max_credential_len == 0 {
            problems.push(ConfigProblem::Zero("max_credential_len"));
        }
        if self.store_deadline.is_zero() {
            problems.push(ConfigProblem::Zero("store_deadline"));
        }
        #[cfg_attr(
            not(any(feature = "jwt", feature = "api-key", feature = "basic")),
            expect(unused_variables, reason = "no scheme has a store")
        )]
        let within = (self.store_deadline, &self.events);
        problems.extend_from_slice(self.addresses.problems());
        #[cfg(feature = "redis")]
        problems.extend(self.limiter.iter().flat_map(RedisLimiter::problems));
        let surroundings = Surroundings {
            addresses: Arc::new(self.addresses),
            clock: Arc::clone(&self.clock),
            shown: self.quota_fields,
            events: self.events.clone(),
            #[cfg(feature = "redis")]
            limiter: self.limiter.map(Arc::new),
        };
        let (addresses, clock) = (Arc::clone(&surroundings.addresses), Arc::clone(&self.clock));
        let attempts = Arc::new(Attempts::build(
            self.attempts,
            addresses,
            clock,
            &mut problems,
        ));
        let mut parts = Parts::new(self.max_credential_len);
        #[cfg(feature = "basic")]
        parts.add_users(self.users, within, &attempts, &mut problems);
        #[cfg(feature = "jwt")]
        parts.add_jwts(self.tokens, self.jwts, within, &mut problems);
        #[cfg(feature = "api-key")]
        parts.add_api_keys(self.api_keys, within, &mut problems);
        #[cfg(feature = "api-key")]
        parts.manage_api_keys(self.managed_api_keys, within, &mut problems);
        #[cfg(feature = "basic")]
        parts.add_basic(self.basic, within, &attempts, &mut problems);
        parts.add_others(self.others, &mut problems);
        if parts.schemes.is_empty() && problems.is_empty() {
            problems.push(ConfigProblem::NoScheme);
        }
        let throttles = (!self.throttles.is_empty()).then(|| {
            Arc::new(Stack::build(
                "",
                self.throttles,
                surroundings.clone(),
                &mut problems,
            ))
        });
        let challenges = Challenges::new(
            &self.realm,
            parts.challenges(self.resource_metadata.as_deref()),
        );
        let responder = Responder::new(self.format, challenges);
        let fields = if parts.accepted.api_keys {
            "Authorization, X-API-Key"
        } else {
            "Authorization"
        };
        let responder = responder.map(|made| {
            if self.vary {
                made.varying_by(fields)
            } else {
                made
            }
        });
        let Ok(responder) = responder.map_err(|_| problems.push(ConfigProblem::Format)) else {
            return Err(ConfigError::of(problems));
        };
        ConfigError::check(problems)?;
        let pipeline = Pipeline {
            source: Source::new(parts.accepted),
            chain: Chain::new(parts.schemes),
            accounts: Accounts::new(parts.accounts),
            events: self.events,
            clock: self.clock,
            responder: Arc::new(responder),
            preflight: self.preflight,
            attempts,
            throttles,
            surroundings,
        };
        Ok(AuthLayer::new(pipeline, parts.services, self.mode))
    }
}

/// What the schemes add up to.
struct Parts {
    schemes: Vec<Box<dyn Scheme>>,
    accepted: Accepted,
    accounts: Option<(Arc<dyn UserStore>, Guard)>,
    services: Services,
}

/// How long stores may take, and who is told.
#[cfg_attr(
    not(any(feature = "jwt", feature = "api-key", feature = "basic")),
    expect(dead_code, reason = "no scheme has a store")
)]
type Within<'a> = (Duration, &'a Events);

impl Parts {
    fn new(max_len: usize) -> Self {
        Self {
            schemes: Vec::new(),
            accepted: Accepted {
                max_len,
                ..Accepted::default()
            },
            accounts: None,
            services: Services::default(),
        }
    }

    #[cfg(feature = "basic")]
    fn add_users(
        &mut self,
        users: Vec<Users>,
        within: Within<'_>,
        attempts: &Arc<Attempts>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        if users.len() > 1 {
            problems.push(ConfigProblem::Twice("users"));
        }
        for users in users {
            let users = users.within(within.0, within.1, attempts);
            self.accounts = Some((Arc::clone(users.store()), users.guard()));
            self.services.users = Some(users);
        }
    }

    #[cfg(feature = "jwt")]
    fn add_jwts(
        &mut self,
        tokens: Vec<Tokens>,
        jwts: Vec<Jwt>,
        within: Within<'_>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        if tokens.len() > 1 {
            problems.push(ConfigProblem::Twice("tokens"));
        }
        if tokens.is_empty() && jwts.is_empty() {
            return;
        }
        self.accepted.tokens = true;
        for tokens in tokens {
            match tokens.build(within.0, within.1) {
                Err(found) => problems.extend(found),
                Ok(issuer) => self.services.tokens = Some(self.with_accounts(issuer)),
            }
        }
        let ours = self
            .services
            .tokens
            .as_ref()
            .map(|issuer| issuer.policy().shared());
        match Jwts::build(jwts, ours) {
            Ok(jwts) => self.schemes.push(Box::new(jwts)),
            Err(found) => problems.extend(found),
        }
    }

    #[cfg(feature = "jwt")]
    fn with_accounts(&self, issuer: TokenIssuer) -> TokenIssuer {
        match &self.accounts {
            Some((users, _)) => issuer.for_users(Arc::clone(users)),
            None => issuer,
        }
    }

    #[cfg(feature = "api-key")]
    fn add_api_keys(
        &mut self,
        api_keys: Vec<ApiKeys>,
        within: Within<'_>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        for keys in api_keys {
            problems.extend(keys.problems());
            self.accepted.api_keys = true;
            match keys.configured_prefix() {
                Some(prefix)
                    if self
                        .accepted
                        .prefixes
                        .iter()
                        .any(|other| **other == *prefix) =>
                {
                    problems.push(ConfigProblem::EqualPrefixes(prefix.to_owned()));
                }
                Some(prefix) => self.accepted.prefixes.push(prefix.into()),
                None if self.accepted.bare_keys => problems.push(ConfigProblem::TwoBareKeys),
                None => self.accepted.bare_keys = true,
            }
            let keys = keys.within(within.0, within.1);
            self.services.api_keys.push(keys.clone());
            self.schemes.push(Box::new(keys));
        }
    }

    #[cfg(feature = "api-key")]
    fn manage_api_keys(
        &mut self,
        managed: Vec<ApiKeys>,
        within: Within<'_>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        for keys in managed {
            problems.extend(keys.problems());
            let prefix = keys.configured_prefix();
            if self
                .services
                .api_keys
                .iter()
                .any(|other| other.configured_prefix() == prefix)
            {
                let equal = |prefix: &str| ConfigProblem::EqualPrefixes(prefix.to_owned());
                problems.push(prefix.map_or(ConfigProblem::TwoBareKeys, equal));
            }
            self.services.api_keys.push(keys.within(within.0, within.1));
        }
    }

    #[cfg(feature = "basic")]
    fn add_basic(
        &mut self,
        basic: Vec<Basic>,
        within: Within<'_>,
        attempts: &Arc<Attempts>,
        problems: &mut Vec<ConfigProblem>,
    ) {
        problems.extend(Basic::problems(basic.len()));
        for basic in basic {
            self.accepted.basic = true;
            self.schemes
                .push(Box::new(basic.within(within.0, within.1, attempts)));
        }
    }

    fn add_others(&mut self, others: Vec<Box<dyn Scheme>>, problems: &mut Vec<ConfigProblem>) {
        for scheme in others {
            let name = scheme.name();
            let ours = ["Bearer", "Api-Key", "Basic"];
            let taken = |other: &&str| other.eq_ignore_ascii_case(name);
            let token =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !token || ours.iter().chain(&self.accepted.others).any(taken) {
                problems.push(ConfigProblem::SchemeName(name));
            }
            self.accepted.others.push(name);
            self.schemes.push(scheme);
        }
    }

    /// One challenge for each scheme that is accepted, whatever verifies it.
    fn challenges(&self, metadata: Option<&str>) -> Vec<(&'static str, String)> {
        let Accepted {
            tokens,
            api_keys,
            basic,
            others,
            ..
        } = &self.accepted;
        let metadata = metadata
            .map(|url| format!(", resource_metadata=\"{url}\""))
            .unwrap_or_default();
        let own = [
            (*tokens || *api_keys, ("Bearer", metadata)),
            (*api_keys, ("Api-Key", String::new())),
            // RFC 7617 §2.1: names and passwords are read as UTF-8.
            (*basic, ("Basic", String::from(", charset=\"UTF-8\""))),
        ];
        let own = own
            .into_iter()
            .filter(|(accepted, _)| *accepted)
            .map(|(_, challenge)| challenge);
        own.chain(others.iter().map(|name| (*name, String::new())))
            .collect()
    }
}

impl fmt::Debug for AuthLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayerBuilder")
            .field("mode", &self.mode)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}
