use super::accept::{Accept, Accepted};
use super::auth_layer::AuthLayer;
use crate::authorize::Demanded;
use crate::config::{ConfigError, ConfigProblem, is_http_url};
#[cfg(feature = "api-key")]
use crate::credential::AcceptedKeys;
use crate::credential::{Accepted as Forms, Reader, Source};
use crate::metrics::Decisions;
use crate::pipeline::{By, GATES, Mode, Pipeline, Preflight};
use crate::principal::{Accounts, LoadUser, Mark, Principal};
use crate::realm::Realm;
use crate::reject::format::{ErrorFormat, Problem};
use crate::reject::{Challenges, Responder};
#[cfg(feature = "jwt")]
use crate::scheme::Jwts;
#[cfg(feature = "jwt")]
use crate::scheme::jwt::Jwt;
use crate::scheme::{Chain, Own, Scheme};
use crate::store::Stores;
use crate::throttle::{QuotaFields, Stack, Surroundings, Throttle};
use http::HeaderValue;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A key of ours has about so many bytes, and a token more.
const SHORTEST_CREDENTIAL: usize = 64;

/// Configures an [`AuthLayer`]. Nothing is checked before [`build`](Self::build), which then
/// reports every mistake, also those in what it accepts.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::throttle::Throttle;
/// use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, Jwt, Realm};
///
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder()
///     .accept(&keys)
///     .throttle(Throttle::per_principal("2000/day"))
///     .public_url("https://api.example.com")
///     .build()?;
///
/// let error = AuthLayer::builder()
///     .accept(&keys)
///     .accept(Jwt::hs256("hunter2").issuer("https://login.example.com").audience("reports"))
///     .throttle(Throttle::per_principal("2000/month"))
///     .public_url("api.example.com")
///     .build()
///     .unwrap_err();
/// assert_eq!(error.problems().len(), 3);
/// assert!(error.problems().contains(&ConfigProblem::PublicUrl));
/// # drop(auth);
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[must_use]
pub struct AuthLayerBuilder {
    realm: Option<Realm>,
    accepted: Vec<Accept>,
    resource_metadata: Option<String>,
    public_url: Option<String>,
    format: Box<dyn ErrorFormat>,
    mode: Mode,
    preflight: Preflight,
    vary: bool,
    max_credential_len: usize,
    throttles: Vec<Throttle>,
    quota_fields: QuotaFields,
    load_user: Option<LoadUser>,
    remember_user: Duration,
}

impl AuthLayer {
    /// Starts a configuration.
    pub fn builder() -> AuthLayerBuilder {
        AuthLayerBuilder::new()
    }
}

impl AuthLayerBuilder {
    fn new() -> Self {
        Self {
            realm: None,
            accepted: Vec::new(),
            resource_metadata: None,
            public_url: None,
            format: Box::new(Problem),
            mode: Mode::Required,
            preflight: Preflight::Guarded,
            vary: false,
            max_credential_len: 8 * 1024,
            throttles: Vec::new(),
            quota_fields: QuotaFields::default(),
            load_user: None,
            remember_user: Duration::from_secs(60),
        }
    }

    /// The realm of the layer, where nothing that it accepts is of one: a layer that accepts only
    /// [`Jwt`](crate::Jwt)s or schemes of the application's own has clock, events and limits from
    /// here.
    ///
    /// Without it the realm is that of what the layer accepts, and where that has none, one of the
    /// layer's own without stores.
    pub fn realm(mut self, realm: &Realm) -> Self {
        self.realm = Some(realm.clone());
        self
    }

    /// Accepts what this verifies: the tokens of a [`TokenIssuer`](crate::TokenIssuer), the API
    /// keys of a [`KeyIssuer`](crate::KeyIssuer), [`Basic`](crate::Basic), the tokens of
    /// another issuer ([`Jwt`](crate::Jwt)), or a [`Scheme`] of the application's own. Call it
    /// once for each.
    ///
    /// A scheme that is named `Bearer` gets the Bearer tokens that nothing else claims (see
    /// [`Scheme`]).
    pub fn accept(mut self, what: impl Into<Accept>) -> Self {
        self.accepted.push(what.into());
        self
    }

    /// Loads the application's own user for every verified caller, whatever was presented:
    /// [`Principal::user`] then gives it, in handlers and in a
    /// [`Requirement`](crate::Requirement) alike.
    ///
    /// - A user who was loaded is remembered for a minute, or as long as
    ///   [`remember_user`](Self::remember_user) says, and costs nothing meanwhile.
    /// - A caller for whom there is no user (`None`) is refused, as if the credential were revoked.
    /// - A function that fails, panics or is slower than the realm's deadline is a 503.
    /// - Compare whole subjects, not ids alone: the tenant 7 and the user 7 have one id. A subject
    ///   is unique within its issuer only: with tokens of other issuers look at
    ///   [`Principal::issuer`] as well, lest somebody else's user 7 be taken for this one.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use tower_auth::store::Memory;
    /// use tower_auth::{ApiKeys, AuthLayer, Principal, Realm, Requirement, Subject};
    ///
    /// struct Member {
    ///     plan: &'static str,
    /// }
    ///
    /// async fn member(caller: Principal) -> Result<Option<Member>, Infallible> {
    ///     // SELECT plan FROM members WHERE id = …
    ///     Ok((*caller.subject() == Subject::user("7")).then_some(Member { plan: "pro" }))
    /// }
    ///
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).load_user(member).build()?;
    /// let pro = auth.require(Requirement::check("on plan pro", |caller| {
    ///     caller.user::<Member>().is_some_and(|member| member.plan == "pro")
    /// }));
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    pub fn load_user<F, U, E>(
        mut self,
        load: impl Fn(Principal) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<U>, E>> + Send + 'static,
        U: Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.load_user = Some(LoadUser::by(load));
        self
    }

    /// How long a user who was loaded is remembered; 60 seconds by default, 0 for not at all.
    pub fn remember_user(mut self, time: Duration) -> Self {
        self.remember_user = time;
        self
    }

    /// Limits how often callers may call. Several are all-or-nothing: a request that one of them
    /// refuses is counted by none.
    pub fn throttle(mut self, throttle: Throttle) -> Self {
        self.throttles.push(throttle);
        self
    }

    /// Which fields tell callers what is left of their limits; [`QuotaFields::Standard`] by
    /// default.
    pub fn quota_fields(mut self, fields: QuotaFields) -> Self {
        self.quota_fields = fields;
        self
    }

    /// How the bodies of refusals look; [`Problem`] by default.
    pub fn format(mut self, format: impl ErrorFormat) -> Self {
        self.format = Box::new(format);
        self
    }

    /// Where the metadata of the protected resource are (RFC 9728 §5.1), for the parameter
    /// `resource_metadata` of the Bearer challenge: an absolute URL. An endpoint serves them.
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// The URL that browsers know this server by, `https://api.example.com`: a credential in a
    /// [cookie](crate::credential::Source::cookie) is taken from pages of exactly this origin.
    /// Endpoints use it too, unless they are given another one, and a proof of who sent a token
    /// (`Jwt::dpop`) is for a URL below it.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// A request without a credential passes as anonymous. A bad credential is refused all the
    /// same. For some routes only, see [`AuthLayer::optional`].
    pub fn optional(mut self) -> Self {
        self.mode = Mode::Optional;
        self
    }

    /// CORS preflights (`OPTIONS` with `Access-Control-Request-Method`) reach the inner service, as
    /// anonymous.
    ///
    /// Where a CORS layer stands outside of this one it answers them itself, and refusals get their
    /// CORS fields: that is the better order, and needs no such exemption.
    pub fn allow_preflight(mut self) -> Self {
        self.preflight = Preflight::LetThrough;
        self
    }

    /// Answers of the inner service say on which fields they depend (RFC 9110 §12.5.5): `Vary:
    /// Authorization`, and every other field in which a credential is read, such as `X-API-Key`
    /// or `Cookie`.
    ///
    /// For services with a shared cache before them and answers that it may keep: it does not know
    /// `X-API-Key` for a credential (RFC 9111 §3.5), nor that an answer to nobody is not for
    /// everybody. Refusals say `no-store` in any case.
    pub fn vary(mut self) -> Self {
        self.vary = true;
        self
    }

    /// The longest credential field that is looked at, in bytes; 8192 by default, 64 at least.
    pub fn max_credential_len(mut self, bytes: usize) -> Self {
        self.max_credential_len = bytes;
        self
    }

    /// Checks the configuration, that of the realm and of everything it accepts included. It reads
    /// no file, opens no connection and starts no task.
    ///
    /// # Errors
    ///
    /// All mistakes at once; [`ConfigProblem`] lists them.
    pub fn build(self) -> Result<AuthLayer, ConfigError> {
        let mut problems = Vec::new();
        let realm = self.own_realm(&mut problems);
        problems.extend_from_slice(realm.problems());
        if let Some(url) = &self.resource_metadata
            && !is_http_url(url)
        {
            problems.push(ConfigProblem::ResourceUrl);
        }
        if let Some(url) = &self.public_url
            && !is_http_url(url)
        {
            problems.push(ConfigProblem::PublicUrl);
        }
        if self.max_credential_len < SHORTEST_CREDENTIAL {
            problems.push(ConfigProblem::TooShort {
                what: "max_credential_len",
                least: SHORTEST_CREDENTIAL,
            });
        }
        let mut parts = Parts::new(self.max_credential_len, self.public_url);
        for accepted in self.accepted {
            parts.add(accepted.0, &mut problems);
        }
        #[cfg(feature = "jwt")]
        parts.finish_jwts(&realm, &mut problems);
        parts.finish_bearer(&mut problems);
        parts.check_token(&mut problems);
        parts.check_basic(&mut problems);
        // Where something that is accepted has a mistake, it is no scheme yet. To say as well that
        // there is none would only lead astray.
        if parts.schemes.is_empty() && problems.is_empty() {
            problems.push(ConfigProblem::NoScheme);
        }
        let surroundings = Surroundings {
            addresses: Arc::clone(realm.found_addresses()),
            clock: Arc::clone(realm.clock_handle()),
            shown: self.quota_fields,
            events: realm.events().clone(),
            memory: Arc::clone(realm.memory_limiter()),
            limiter: realm.shared_limiter().cloned(),
        };
        let throttles = if self.throttles.is_empty() {
            None
        } else {
            let surroundings = surroundings.clone();
            let stack = Stack::build("", self.throttles, surroundings, &mut problems);
            Some(Arc::new(stack))
        };
        let challenges = parts.forms.challenges(self.resource_metadata.as_deref());
        let challenges = Challenges::new(realm.challenge_name(), challenges);
        // A format that cannot be used leaves no responder, and without one nothing more can be
        // looked at.
        let Ok(responder) = Responder::new(self.format, challenges) else {
            problems.push(ConfigProblem::Format);
            return Err(ConfigError::of(problems));
        };
        let responder = match HeaderValue::try_from(parts.forms.fields()) {
            Ok(fields) if self.vary => responder.varying_by(fields),
            // A name that cannot stand in a field is among the problems.
            _ => responder,
        };
        ConfigError::check(problems)?;
        let loader = match self.load_user {
            Some(load) => Some(load.build(realm.guard().deadline, self.remember_user)),
            None => None,
        };
        let accounts = realm.stores().managed_user_store().cloned();
        let schemes = By::names(&parts.forms.others);
        let decisions = Decisions::new(realm.events().meter(), &GATES, schemes);
        let pipeline = Pipeline {
            reader: Reader::new(parts.forms),
            chain: Chain::new(parts.schemes),
            accounts: Accounts::of(accounts, realm.guard(), loader),
            decisions,
            events: realm.events().clone(),
            clock: Arc::clone(realm.clock_handle()),
            responder,
            preflight: self.preflight,
            attempts: Arc::clone(realm.attempt_guard()),
            throttles,
            surroundings,
            demanded: Demanded::default(),
            mark: Mark::new(),
            realm,
        };
        Ok(AuthLayer::new(pipeline, self.mode))
    }

    /// The one realm of all that it is made of.
    fn own_realm(&self, problems: &mut Vec<ConfigProblem>) -> Realm {
        let of_accepted = self.accepted.iter().filter_map(Accept::realm);
        let mut realms = self.realm.iter().chain(of_accepted);
        let Some(first) = realms.next() else {
            return Realm::new(Stores::new());
        };
        // Users, clock and limits are those of one realm. A caller of another one could pass for
        // the user here who has the same id.
        if realms.any(|other| !other.is(first)) {
            problems.push(ConfigProblem::TwoRealms);
        }
        first.clone()
    }
}

/// What the schemes add up to.
struct Parts {
    schemes: Vec<Box<dyn Scheme>>,
    forms: Forms,
    #[cfg(feature = "jwt")]
    jwts: Vec<Jwt>,
    #[cfg(feature = "jwt")]
    tokens: Vec<crate::issue::TokenIssuer>,
    /// The place of the first issuer among the schemes, and that of its mistakes among all.
    #[cfg(feature = "jwt")]
    jwts_stand_at: Option<(usize, usize)>,
    own_bearer: Option<Box<dyn Scheme>>,
}

impl Parts {
    fn new(max_len: usize, public_url: Option<String>) -> Self {
        Self {
            schemes: Vec::new(),
            forms: Forms {
                max_len,
                public_url,
                ..Forms::default()
            },
            #[cfg(feature = "jwt")]
            jwts: Vec::new(),
            #[cfg(feature = "jwt")]
            tokens: Vec::new(),
            #[cfg(feature = "jwt")]
            jwts_stand_at: None,
            own_bearer: None,
        }
    }

    fn add(&mut self, accepted: Accepted, problems: &mut Vec<ConfigProblem>) {
        match accepted {
            #[cfg(feature = "jwt")]
            Accepted::Tokens(tokens) => {
                let here = (self.schemes.len(), problems.len());
                self.jwts_stand_at.get_or_insert(here);
                self.tokens.push(tokens);
            }
            #[cfg(feature = "jwt")]
            Accepted::Jwt(jwt) => {
                let here = (self.schemes.len(), problems.len());
                self.jwts_stand_at.get_or_insert(here);
                self.jwts.push(*jwt);
            }
            #[cfg(feature = "jwt")]
            Accepted::Introspection(introspection) => match introspection.build() {
                Ok(introspector) => self.add_scheme(Box::new(introspector), problems),
                Err(found) => problems.extend(found),
            },
            #[cfg(feature = "api-key")]
            Accepted::Keys(keys) => self.add_keys(&keys, problems),
            #[cfg(feature = "basic")]
            Accepted::Basic(basic) => {
                if self.forms.basic {
                    problems.push(ConfigProblem::TwoBasic);
                }
                self.forms.basic = true;
                match basic.verifier() {
                    Ok(verifier) => self.schemes.push(Box::new(verifier)),
                    Err(problem) => problems.push(problem),
                }
            }
            Accepted::Scheme(scheme) => self.add_scheme(scheme, problems),
        }
    }

    #[cfg(feature = "api-key")]
    fn add_keys(&mut self, keys: &crate::issue::KeyIssuer, problems: &mut Vec<ConfigProblem>) {
        problems.extend(keys.problems());
        let prefix = keys.keys().configured_prefix();
        let known = &self.forms.api_keys;
        if known.iter().any(|other| other.prefix.as_deref() == prefix) {
            problems.push(match prefix {
                Some(prefix) => ConfigProblem::EqualPrefixes(prefix.to_owned()),
                None => ConfigProblem::TwoBareKeys,
            });
        }
        self.forms.api_keys.push(AcceptedKeys {
            prefix: prefix.map(Box::from),
            sources: keys.keys().read_at().to_vec(),
        });
        if let Some(verifier) = keys.verifier() {
            self.schemes.push(Box::new(verifier.clone()));
        }
    }

    /// All issuers are one scheme: the token says which of them is meant.
    #[cfg(feature = "jwt")]
    fn finish_jwts(&mut self, realm: &Realm, problems: &mut Vec<ConfigProblem>) {
        let Some((at, problems_at)) = self.jwts_stand_at else {
            return;
        };
        let mut found = Vec::new();
        let mut ours = Vec::new();
        for tokens in &self.tokens {
            found.extend_from_slice(tokens.problems());
            ours.extend(tokens.policies().map(crate::scheme::OurPolicy::shared));
        }
        let clock = Arc::clone(realm.clock_handle());
        let meter = realm.events().meter().clone();
        match Jwts::build(std::mem::take(&mut self.jwts), ours, clock, meter) {
            Ok(jwts) => {
                self.forms.read_tokens_at(jwts.sources());
                self.forms.certificates = jwts.reads_certificates();
                self.forms.proof_algorithms = jwts.proof_algorithms();
                let mut others = self.forms.others.iter();
                if let Some(own) = others.find(|name| name.eq_ignore_ascii_case("DPoP"))
                    && !self.forms.proof_algorithms.is_empty()
                {
                    found.push(ConfigProblem::SchemeName(own));
                }
                self.schemes.insert(at, Box::new(jwts));
            }
            Err(of_jwts) => found.extend(of_jwts),
        }
        // Issuers are built only when all of them are known. What is wrong with them is told all
        // the same where the first of them was accepted.
        problems.splice(problems_at..problems_at, found);
    }

    /// A scheme of the application's own for Bearer tokens is the last to be asked, and only for
    /// what nobody else claims.
    fn finish_bearer(&mut self, problems: &mut Vec<ConfigProblem>) {
        let Some(scheme) = self.own_bearer.take() else {
            return;
        };
        let bearer = Source::bearer();
        let mut keys = self.forms.api_keys.iter();
        // A bare key has no prefix by which it could be told from the tokens of that scheme.
        if keys.any(|keys| keys.prefix.is_none() && keys.sources.contains(&bearer)) {
            problems.push(ConfigProblem::TwoBearers);
        }
        self.schemes.push(scheme);
    }

    /// After the word `Token` there are credentials of ours, or those of a scheme of the
    /// application's own, and never both.
    fn check_token(&self, problems: &mut Vec<ConfigProblem>) {
        let mut others = self.forms.others.iter();
        let own = others.find(|name| name.eq_ignore_ascii_case("Token"));
        if let Some(own) = own
            && self.forms.reads(&Source::token())
        {
            problems.push(ConfigProblem::SchemeName(own));
        }
    }

    /// After the word `Basic` there are names with passwords, and keys where they can be told from
    /// names.
    fn check_basic(&self, problems: &mut Vec<ConfigProblem>) {
        let basic = Source::basic();
        if self.forms.tokens.contains(&basic) {
            problems.push(ConfigProblem::Source {
                place: basic.to_string(),
                rule: "only API keys do, and names with passwords",
            });
        }
        let mut keys = self.forms.api_keys.iter();
        // A bare key has no prefix, and so nothing by which it could be told from a name.
        let has_bare = keys.any(|keys| keys.prefix.is_none() && keys.sources.contains(&basic));
        if has_bare && self.forms.basic {
            problems.push(ConfigProblem::BareKeysInBasic);
        }
    }

    fn add_scheme(&mut self, scheme: Box<dyn Scheme>, problems: &mut Vec<ConfigProblem>) {
        let scheme: Box<dyn Scheme> = Box::new(Own::new(scheme));
        let name = scheme.name();
        // A second scheme of that name is refused below, as is any name that is taken.
        if name.eq_ignore_ascii_case("Bearer") && self.own_bearer.is_none() {
            self.forms.own_bearer = true;
            self.own_bearer = Some(scheme);
            return;
        }
        // `Token` and `DPoP` are free where nothing of ours is read there. That is known only when
        // all is accepted, and is looked at then.
        let ours = ["Bearer", "Api-Key", "Basic"];
        let mut taken = ours.iter().chain(&self.forms.others);
        let is_taken = taken.any(|other| other.eq_ignore_ascii_case(name));
        let is_token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_taken || !is_token {
            problems.push(ConfigProblem::SchemeName(name));
        }
        self.forms.others.push(name);
        self.schemes.push(scheme);
    }
}

impl fmt::Debug for AuthLayerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayerBuilder")
            .field("mode", &self.mode)
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}
