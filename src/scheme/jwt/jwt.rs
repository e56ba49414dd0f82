use super::cache::Cache;
use super::claim_path::ClaimPath;
use super::claims::registered;
use super::issuer::{Issuer, Tenants};
use super::oidc::{JwksSource, OidcSource, Remote};
use super::ours::Ours;
use super::policy::{Keys, Policy, Profile, ReadClaims};
use super::reading::{MOST_NAMES, Reading};
use super::sender::{Dpop, Senders};
use super::token_facts::TokenFacts;
use crate::config::ConfigProblem;
use crate::credential::Source;
use crate::fetch::{Fetch, Trust, client};
use crate::key_set::{
    Algorithms, JwtAlgorithm, JwtKey, JwtKeys, KeySet, KeySource, LiveKeys, LiveLimits,
    check_back_end,
};
use crate::reject::Rejection;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Of what was verified, each issuer.
pub(crate) const CACHE_BYTES: u64 = 16 << 20;
const LONGEST_LEEWAY: Duration = Duration::from_secs(600);
const LEAST_COOLDOWN: Duration = Duration::from_secs(1);

/// Where an issuer publishes its keys.
#[derive(Clone)]
enum Published {
    /// Where its name leads.
    ByIssuer,
    /// Where this address leads, of an issuer that is called otherwise.
    At(String),
    /// At this URL.
    Jwks(String),
}

/// Which JWTs of one issuer are accepted: by which keys, for which audience, and what their claims
/// grant.
///
/// Required of every token: `iss` is the issuer, `aud` names an audience, `exp` is to come, `sub`
/// is there, and a key of the issuer verifies the signature under the key's own algorithm. Besides:
///
/// - `nbf` and `iat`, where present, are not in the future; [`leeway`](Self::leeway) forgives
///   clocks that differ, 60 seconds by default.
/// - `typ` is absent, `JWT` or `at+jwt`, or what [`token_type`](Self::token_type) says. A token
///   that calls itself something other than an access token (`token_type`, `token_use`, `typ`) is
///   refused.
/// - A token that is bound to whoever sends it (`cnf`, RFC 7800) is refused, unless a proof of its
///   key (`dpop`) or its certificate (`certificate_bound`, both with the feature `dpop`) is asked
///   for and comes with it.
/// - `crit`, compressed and nested tokens are refused. Keys that a token brings along are not
///   looked at.
/// - The scopes are those of `scope` (RFC 8693 §4.2; an array is read as well), the roles those of
///   `roles`; [`scope_claim`](Self::scope_claim) and [`role_claim`](Self::role_claim) name others.
///
/// ```
/// use tower_auth::test_util::TokenMint;
/// use tower_auth::{AuthLayer, ConfigProblem, Jwt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let login = TokenMint::eddsa(); // the issuer, which alone has the private key
/// let jwt = Jwt::new().issuer("https://login.example.com").key(login.key());
/// let auth = AuthLayer::builder().accept(jwt.clone().audience("reports")).build()?;
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # let status = async |audience: &str| {
/// #     let token = login.sign(&serde_json::json!({
/// #         "iss": "https://login.example.com", "aud": audience, "sub": "7", "exp": 4_000_000_000_u64,
/// #     }));
/// #     let request = http::Request::get("/").header("authorization", format!("Bearer {token}"));
/// #     tower::ServiceExt::oneshot(service.clone(), request.body(()).unwrap()).await.unwrap().status()
/// # };
///
/// // `status` is that of a request with a token of this issuer for this audience.
/// assert_eq!(status("reports").await, 200);
/// assert_eq!(status("billing").await, 401);
///
/// // Without an audience the tokens of every other service would pass.
/// let error = AuthLayer::builder().accept(jwt).build().unwrap_err();
/// assert_eq!(error.problems(), [ConfigProblem::Audience]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Jwt {
    issuer: String,
    tenants: Option<Tenants>,
    audiences: Vec<String>,
    instead_of_audience: Vec<(ClaimPath, String)>,
    keys: Vec<JwtKey>,
    key_sets: Vec<JwtKeys>,
    published: Option<Published>,
    fetch: Option<Arc<dyn Fetch>>,
    trust: Trust,
    limits: LiveLimits,
    algorithms: Option<Vec<JwtAlgorithm>>,
    leeway: Duration,
    max_age: Option<Duration>,
    token_type: Option<String>,
    profile: Profile,
    subject_claim: Option<ClaimPath>,
    scope_claims: Vec<ClaimPath>,
    role_claims: Vec<ClaimPath>,
    role_names: Vec<ClaimPath>,
    read_claims: Option<ReadClaims>,
    sources: Vec<Source>,
    cache_bytes: u64,
    dpop: Option<Dpop>,
    takes_certificates: bool,
}

impl Default for Jwt {
    fn default() -> Self {
        Self::new()
    }
}

impl Jwt {
    /// A policy without issuer, audience and keys, all of which it needs.
    pub fn new() -> Self {
        Self {
            issuer: String::new(),
            tenants: None,
            audiences: Vec::new(),
            instead_of_audience: Vec::new(),
            keys: Vec::new(),
            key_sets: Vec::new(),
            published: None,
            fetch: None,
            trust: Trust::None,
            limits: LiveLimits::default(),
            algorithms: None,
            leeway: Duration::from_secs(60),
            max_age: None,
            token_type: None,
            profile: Profile::Any,
            subject_claim: None,
            scope_claims: Vec::new(),
            role_claims: Vec::new(),
            role_names: Vec::new(),
            read_claims: None,
            sources: vec![Source::bearer()],
            cache_bytes: CACHE_BYTES,
            dpop: None,
            takes_certificates: false,
        }
    }

    /// Tokens of an OpenID provider or an OAuth authorization server, whose keys are found by its
    /// name alone.
    ///
    /// ```text
    /// {issuer}/.well-known/openid-configuration             OpenID Connect Discovery 1.0 §4,
    ///                                                       or where there is none
    /// {host}/.well-known/oauth-authorization-server{path}   RFC 8414 §3
    ///      └ issuer is exactly the one that was asked for, jwks_uri ─→ the keys (RFC 7517 §5)
    /// ```
    ///
    /// - The keys are loaded before the first token is judged; [`AuthLayer::ready`] waits for them.
    ///   They are loaded again when their `Cache-Control` says so (1 minute to 24 hours; 15 minutes
    ///   where it says nothing), and at once when a token names a key that is not among them,
    ///   though not twice within [`keys_cooldown`](Self::keys_cooldown).
    /// - After a failed load the keys are not requested again for
    ///   [`keys_cooldown`](Self::keys_cooldown). Each further failure doubles the wait, up to 30
    ///   seconds while there are no keys, and else up to 5 minutes.
    /// - While they cannot be loaded the held ones serve, for
    ///   [`keys_max_age`](Self::keys_max_age); then the answer is 503. So it is at once for a token
    ///   that names a key which is not among them: whether it is one of the issuer's is not known.
    ///   Keys that the issuer took out are gone with the next load.
    /// - URLs are `https`, except on this machine. The `jwks_uri` may name another host than the
    ///   issuer's, if its address is public.
    /// - The client is [`HttpClient`](crate::fetch::HttpClient) (feature `jwks`), or one of the
    ///   application's own ([`fetcher`](Self::fetcher)).
    ///
    /// ```
    /// use tower_auth::{AuthLayer, Jwt};
    ///
    /// let auth = AuthLayer::builder()
    ///     .accept(Jwt::oidc("https://login.example.com/realms/main").audience("reports"))
    ///     .build()?;
    ///
    /// let insecure = Jwt::oidc("http://login.example.com/realms/main").audience("reports");
    /// assert!(AuthLayer::builder().accept(insecure).build().is_err());
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    ///
    /// [`AuthLayer::ready`]: crate::AuthLayer::ready
    pub fn oidc(issuer: impl Into<String>) -> Self {
        Self {
            published: Some(Published::ByIssuer),
            ..Self::new().issuer(issuer)
        }
    }

    /// Tokens of an issuer that publishes its keys at this URL; everything else is as with
    /// [`oidc`](Self::oidc). The issuer has to be named.
    ///
    /// ```
    /// use tower_auth::{AuthLayer, Jwt};
    ///
    /// let auth = AuthLayer::builder()
    ///     .accept(
    ///         Jwt::jwks("https://login.example.com/keys.json")
    ///             .issuer("https://login.example.com")
    ///             .audience("reports"),
    ///     )
    ///     .build()?;
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    pub fn jwks(url: impl Into<String>) -> Self {
        Self {
            published: Some(Published::Jwks(url.into())),
            ..Self::new()
        }
    }

    /// Where the issuer of [`oidc`](Self::oidc) says what it publishes, without the
    /// `/.well-known/…` at the end: for one whose name is another than its address.
    ///
    /// For an issuer with `{tenantid}` it is the issuer with `common` in that place by default.
    pub fn discovery(mut self, url: impl Into<String>) -> Self {
        self.published = Some(Published::At(url.into()));
        self
    }

    /// The HTTP client that loads the keys, in the place of the one that comes with the feature
    /// `jwks`.
    pub fn fetcher(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// How long keys that were loaded serve while they cannot be loaded again; 24 hours by default.
    pub fn keys_max_age(mut self, age: Duration) -> Self {
        self.limits.max_age = age;
        self
    }

    /// The least time between two loads for tokens that name unknown keys, 1 second at least; 10
    /// seconds by default. A token of a key that was published within that time after such a load
    /// is refused until it is over.
    pub fn keys_cooldown(mut self, cooldown: Duration) -> Self {
        self.limits.cooldown = cooldown;
        self
    }

    /// Loads keys over plain `http` from any host, and from whatever address a document names:
    /// whoever is on the way can then sign tokens. For closed networks.
    pub fn dangerous(mut self) -> Self {
        self.trust = Trust::Dangerous;
        self
    }

    /// Tokens signed with HS256 under a shared secret of at least 32 bytes.
    pub fn hs256(secret: impl AsRef<[u8]>) -> Self {
        Self::new().key(JwtKey::hs256(secret))
    }

    /// The issuer: `iss` must be exactly this.
    ///
    /// A provider with an issuer for each tenant writes `{tenantid}` where its name stands, as
    /// Entra does; [`tenants`](Self::tenants) says which of them are accepted.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// The tenants whose tokens are accepted, where the issuer has a place for one. A token whose
    /// `tid` names another than its `iss` is refused. Other tenants of that provider may have a
    /// [`Jwt`] of their own beside this one.
    ///
    /// ```
    /// use tower_auth::jwt::JwtKey;
    /// use tower_auth::{AuthLayer, Jwt};
    ///
    /// let entra = Jwt::new()
    ///     .issuer("https://login.microsoftonline.com/{tenantid}/v2.0")
    ///     .tenants(["72f988bf-86f1-41af-91ab-2d7cd011db47"])
    ///     .audience("api://reports")
    ///     .key(JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    /// assert!(AuthLayer::builder().accept(entra).build().is_ok());
    /// ```
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        let tenants = tenants.into_iter().map(Into::into).collect();
        self.tenants = Some(Tenants::Listed(tenants));
        self
    }

    /// The same by a function, which is asked about genuine tokens alone. Each tenant that it lets
    /// in takes some bytes of memory for as long as the process runs. A tenant that has a [`Jwt`]
    /// of its own is judged by whichever of the two a layer was given first.
    pub fn tenants_if(mut self, is_one: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.tenants = Some(Tenants::Judged(Arc::new(is_one)));
        self
    }

    /// An audience: `aud` must name one of those given.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts a token that has no `aud` where another claim says that it is for this service:
    /// Cognito's access tokens have their `client_id` alone, Clerk's their `azp`. Of several, one
    /// has to fit. A token that has an `aud` must name an audience all the same.
    ///
    /// ```
    /// use tower_auth::jwt::JwtKey;
    /// use tower_auth::{AuthLayer, Jwt};
    ///
    /// let cognito = Jwt::new()
    ///     .issuer("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExAmPlE")
    ///     .instead_of_audience("client_id", "1example23456789")
    ///     .key(JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    /// assert!(AuthLayer::builder().accept(cognito).build().is_ok());
    /// ```
    pub fn instead_of_audience(
        mut self,
        claim: impl Into<ClaimPath>,
        value: impl Into<String>,
    ) -> Self {
        self.instead_of_audience.push((claim.into(), value.into()));
        self
    }

    /// A key: of those of the token's algorithm, the one whose id is the token's `kid` where any
    /// has an id; else the only one. A secret and public keys may stand side by side, as an issuer
    /// that moves from one to the other needs them: each is for its own algorithm alone.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// The keys of a JWK set (RFC 7517 §5), from a file for example; those of it that cannot be
    /// used are left out ([`JwtKeys::skipped`]).
    pub fn keys(mut self, keys: JwtKeys) -> Self {
        self.key_sets.push(keys);
        self
    }

    /// The algorithms that are accepted; by default each that a key of the issuer is for.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// How much the issuer's clock may differ, at most 10 minutes; 60 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Tokens issued longer ago are refused, and so are those without `iat`.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// The `typ` that a token must have (RFC 8725 §3.11), such as `at+jwt` (RFC 9068 §2.1).
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.token_type = Some(typ.into());
        self
    }

    /// Tokens of the profile of RFC 9068 alone: their `typ` is `at+jwt`, and `iat`, `jti` and
    /// `client_id` are there besides what every token needs (§2.2).
    pub fn rfc9068(mut self) -> Self {
        self.profile = Profile::Rfc9068;
        self
    }

    /// The claim that says who it is, `sub` by default: a text or a whole number.
    pub fn subject_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.subject_claim = Some(claim.into());
        self
    }

    /// A claim that holds scopes: a text in which spaces separate them, or an array. Of several
    /// their union is granted. The first one takes the place of `scope`, which is the default.
    pub fn scope_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.scope_claims.push(claim.into());
        self
    }

    /// A claim that holds roles: a text for one, or an array. Of several their union is given. The
    /// first one takes the place of `roles`, which is the default: an issuer of which nothing is
    /// said can give roles by a claim of that name.
    ///
    /// ```
    /// use tower_auth::Jwt;
    ///
    /// let keycloak = Jwt::new()
    ///     .role_claim(["realm_access", "roles"])
    ///     .role_claim(["resource_access", "reports", "roles"]);
    /// ```
    pub fn role_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.role_claims.push(claim.into());
        self
    }

    /// A claim whose members have the names of the roles, each an object, as Zitadel writes them:
    /// `{"urn:zitadel:iam:org:project:roles": {"admin": {"1": "example.com"}}}`.
    pub fn role_names(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.role_names.push(claim.into());
        self
    }

    /// A function for what no path reaches: it sees the claims of a genuine token, and may grant,
    /// make it another subject, or refuse it. It is asked when a token is verified, and what it
    /// says is remembered with the token ([`cache_bytes`](Self::cache_bytes)), so it looks at
    /// nothing but the token.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_auth::Jwt;
    ///
    /// #[derive(Deserialize)]
    /// struct Plan {
    ///     #[serde(rename = "https://example.com/plan")]
    ///     plan: String,
    /// }
    ///
    /// let jwt = Jwt::new().read_claims(|token| {
    ///     let Plan { plan } = token.claims()?; // a token without a plan is refused
    ///     token.grant_role(format!("plan:{plan}").as_str());
    ///     Ok(())
    /// });
    /// ```
    pub fn read_claims(
        mut self,
        read: impl Fn(&mut TokenFacts<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.read_claims = Some(Arc::new(read));
        self
    }

    /// Where tokens of this issuer are read; as [`Source::bearer`] alone by default. Anywhere else
    /// they are refused.
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// How much memory may be taken by what tokens say that were verified, so that each is verified
    /// once; 16 MiB by default, and 0 verifies each whenever it comes. A token of 360 bytes takes
    /// some 930.
    ///
    /// Whether a token is still good is judged each time. Its signature, without which it is
    /// nothing, is not kept. One under a secret is kept when it comes for the second time.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Tokens that are bound to a key of their sender's are accepted with a proof of it (DPoP, RFC
    /// 9449), so that whoever steals one can do nothing with it: see [`Dpop`].
    ///
    /// They are read as `Authorization: DPoP …` besides the [`sources`](Self::sources), where one
    /// that is bound to a key stays refused; and a token that is bound to none is refused there.
    #[cfg(feature = "dpop")]
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Tokens that are bound to the certificate of their sender's TLS connection (RFC 8705 §3) are
    /// accepted where it is there, as a [`ClientCertificate`](crate::credential::ClientCertificate)
    /// in the extensions of the request. Without one, or with another one, they are refused.
    #[cfg(feature = "dpop")]
    pub fn certificate_bound(mut self) -> Self {
        self.takes_certificates = true;
        self
    }

    /// What is wrong with it, its keys apart. For tokens that we issue an audience is a choice.
    pub(crate) fn problems_but_keys(&self, ours: bool) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        if self.issuer.is_empty() {
            problems.push(match ours {
                true => ConfigProblem::TokensIssuer,
                false => ConfigProblem::Issuer,
            });
        } else if Issuer::new(&self.issuer, self.tenants.clone()).is_none() {
            problems.push(ConfigProblem::Tenants(self.issuer.clone()));
        }
        // A token that is for another service of the same issuer must not pass here (RFC 8725
        // §3.9). Our own tokens are made for this service, so they may do without.
        let has_none = self.audiences.is_empty() && self.instead_of_audience.is_empty();
        if (has_none && !ours) || self.audiences.iter().any(String::is_empty) {
            problems.push(match ours {
                true => ConfigProblem::TokensAudience,
                false => ConfigProblem::Audience,
            });
        }
        if self.leeway > LONGEST_LEEWAY {
            problems.push(ConfigProblem::Leeway);
        }
        if self.max_age.is_some_and(|age| age < Duration::from_secs(1)) {
            problems.push(ConfigProblem::MaxAge);
        }
        if self.token_type.as_deref() == Some("") {
            problems.push(ConfigProblem::TokenType);
        }
        problems.extend(self.dpop.iter().flat_map(Dpop::problems));
        problems.extend(self.claim_problems());
        problems.extend(self.sources.iter().filter_map(Source::problem));
        if self.sources.is_empty() {
            problems.push(ConfigProblem::NoSource(match ours {
                true => "a Tokens",
                false => "a Jwt",
            }));
        }
        problems
    }

    /// Of opaque tokens, about which their issuer is asked: it has no keys, and what is remembered
    /// is its answers.
    pub(super) fn introspected(mut self) -> Self {
        self.profile = Profile::Introspected;
        // What is remembered of an opaque token are its issuer's answers, and for a short time
        // only. `Answers` does that.
        self.cache_bytes = 0;
        self
    }

    /// Of djangorestframework-simplejwt.
    pub(crate) fn simplejwt(mut self) -> Self {
        self.profile = Profile::SimpleJwt;
        self
    }

    pub(super) fn has_issuer(&self) -> bool {
        !self.issuer.is_empty()
    }

    fn claim_problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let scopes = self.scope_claims();
        let roles = self.role_claims();
        let others = self.instead_of_audience.iter().map(|(claim, _)| claim);
        let paths: Vec<&ClaimPath> = scopes
            .iter()
            .chain(&roles)
            .chain(&self.role_names)
            .chain(&self.subject_claim)
            .chain(others)
            .collect();
        // One claim would grant the same word as a scope and as a role.
        let is_both = scopes.iter().any(|claim| roles.contains(claim));
        let says_nothing = self
            .instead_of_audience
            .iter()
            .any(|(_, value)| value.is_empty());
        if is_both || says_nothing || !are_sound(&paths) {
            problems.push(ConfigProblem::ClaimName);
        }
        let mistaken = paths.iter().filter_map(|path| path.mistaken());
        problems.extend(mistaken.map(|path| ConfigProblem::ClaimPath(path.to_owned())));
        problems
    }

    fn scope_claims(&self) -> Vec<ClaimPath> {
        or_default(&self.scope_claims, "scope")
    }

    /// `roles`, unless something else is named.
    fn role_claims(&self) -> Vec<ClaimPath> {
        if !self.role_names.is_empty() {
            return self.role_claims.clone();
        }
        or_default(&self.role_claims, "roles")
    }

    /// Which claims are read. Only of a configuration without problems.
    fn reading(&self, issuer: &Issuer, ours: bool) -> Reading {
        let mut reading = Reading::new(ours);
        if self.profile == Profile::SimpleJwt {
            reading.takes_number_for_sub = true;
            // What such a token grants is read from its user, so whatever else it claims must grant
            // nothing.
            if let Some(claim) = &self.subject_claim {
                reading.subject(claim);
            }
            return reading;
        }
        for claim in self.scope_claims() {
            reading.scopes(&claim);
        }
        for claim in self.role_claims() {
            reading.roles(&claim);
        }
        for claim in &self.role_names {
            reading.role_names(claim);
        }
        if let Some(claim) = &self.subject_claim {
            reading.subject(claim);
        }
        for (claim, value) in &self.instead_of_audience {
            reading.instead_of_audience(claim, value);
        }
        // A token whose `tid` names another tenant than its `iss` is refused, so it has to be read.
        if matches!(issuer, Issuer::EachTenants { .. }) {
            reading.tenant(&ClaimPath::from("tid"));
        }
        if self.profile == Profile::Rfc9068 {
            reading.client(&ClaimPath::from("client_id"));
        }
        reading
    }

    fn allowed(&self) -> Algorithms {
        match &self.algorithms {
            Some(algorithms) => algorithms.iter().copied().collect(),
            None => Algorithms::all(),
        }
    }

    /// The keys that the operator gave, for the algorithms that are accepted.
    fn given_keys(&self, problems: &mut Vec<ConfigProblem>) -> Vec<JwtKey> {
        let allowed = self.allowed();
        let mut keys = Vec::new();
        for key in &self.keys {
            // A key that is good for nothing is a problem of its own, which is told when the keys
            // are built.
            let algorithms = key.algorithms();
            if !algorithms.is_empty() && algorithms.and(allowed).is_empty() {
                problems.push(ConfigProblem::Algorithms);
            }
            keys.push(key.clone().only_for(allowed));
        }
        for set in &self.key_sets {
            match set.clone().into_keys() {
                Ok(set) => {
                    let set = set.into_iter().map(|key| key.only_for(allowed));
                    let set: Vec<JwtKey> = set.collect();
                    // A published set may have keys for other algorithms, which is no mistake of
                    // the operator's as long as one is left.
                    if set.iter().all(|key| key.algorithms().is_empty()) {
                        problems.push(ConfigProblem::Algorithms);
                    }
                    keys.extend(set);
                }
                Err(problem) => problems.push(problem),
            }
        }
        keys
    }

    /// The keys of tokens, whichever way they come.
    fn built_keys(&self, problems: &mut Vec<ConfigProblem>) -> Keys {
        if self.profile == Profile::Introspected {
            return Keys::Fixed(KeySet::default());
        }
        let given = self.given_keys(problems);
        let Some(published) = &self.published else {
            let keys = KeySet::build(&given).unwrap_or_else(|found| {
                problems.extend(found);
                KeySet::default()
            });
            return Keys::Fixed(keys);
        };
        // Built only to hear what is wrong with them: those that serve are built with the loaded
        // ones.
        if !given.is_empty() {
            problems.extend(KeySet::build(&given).err().into_iter().flatten());
        }
        if self.limits.cooldown < LEAST_COOLDOWN || self.limits.max_age < self.limits.cooldown {
            problems.push(ConfigProblem::KeyTimes);
        }
        // Secrets that are published count for nothing, so no token could ever be accepted.
        if self.allowed().iter().all(JwtAlgorithm::is_symmetric) {
            problems.push(ConfigProblem::Algorithms);
        }
        problems.extend(check_back_end().err().map(ConfigProblem::Jwks));
        match self.source(published, given) {
            Ok(source) => Keys::Live(LiveKeys::new(source, self.limits)),
            Err(problem) => {
                problems.push(problem);
                Keys::Fixed(KeySet::default())
            }
        }
    }

    fn source(
        &self,
        published: &Published,
        known: Vec<JwtKey>,
    ) -> Result<Arc<dyn KeySource>, ConfigProblem> {
        let remote = Remote {
            fetch: client(self.fetch.as_ref(), self.trust).ok_or(ConfigProblem::NoFetcher)?,
            trust: self.trust,
            allowed: self.allowed(),
            known,
        };
        let at = match published {
            Published::Jwks(url) => return Ok(Arc::new(JwksSource::new(url, remote)?)),
            Published::At(url) => url,
            Published::ByIssuer => &Issuer::common(&self.issuer),
        };
        Ok(Arc::new(OidcSource::new(at, &self.issuer, remote)?))
    }

    /// `ours` makes it the policy of tokens that we issue.
    pub(super) fn build(self, ours: Option<Ours>) -> Result<Policy, Vec<ConfigProblem>> {
        let mut problems = self.problems_but_keys(ours.is_some());
        let keys = self.built_keys(&mut problems);
        self.policy(keys, ours, problems)
    }

    /// The same with keys that are loaded.
    pub(super) fn build_live(
        self,
        keys: Arc<LiveKeys>,
        ours: Option<Ours>,
    ) -> Result<Policy, Vec<ConfigProblem>> {
        let problems = self.problems_but_keys(ours.is_some());
        self.policy(Keys::Live(keys), ours, problems)
    }

    /// Where its tokens are read: as DPoP where they may be bound to a key, and as Bearer unless
    /// none could be accepted there.
    fn read_at(&self) -> Vec<Source> {
        let mut sources = self.sources.clone();
        let Some(dpop) = &self.dpop else {
            return sources;
        };
        // A bearer token is bound to nothing, so none could be accepted there. Then challenges do
        // not offer `Bearer`.
        if dpop.is_required() && !self.takes_certificates {
            sources.retain(|source| *source != Source::bearer());
        }
        sources.push(Source::dpop());
        sources
    }

    /// The policy, where nothing is wrong.
    fn policy(
        self,
        keys: Keys,
        ours: Option<Ours>,
        problems: Vec<ConfigProblem>,
    ) -> Result<Policy, Vec<ConfigProblem>> {
        let issuer = Issuer::new(&self.issuer, self.tenants.clone());
        let Some(issuer) = issuer.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let reading = self.reading(&issuer, ours.is_some());
        let sources = self.read_at();
        Ok(Policy {
            issuer,
            audiences: self.audiences,
            takes_subject_elsewhere: self.subject_claim.is_some(),
            keys,
            leeway: self.leeway,
            max_age: self.max_age,
            token_type: self.token_type,
            profile: self.profile,
            reading,
            read_claims: self.read_claims,
            reads_bearer: sources.contains(&Source::bearer()),
            sources,
            ours,
            cache: match usize::try_from(self.cache_bytes).unwrap_or(usize::MAX) {
                0 => None,
                bytes => Some(Cache::new(bytes)),
            },
            senders: Senders {
                proofs: self.dpop.as_ref().map(Dpop::build),
                certificates: self.takes_certificates,
            },
        })
    }
}

/// Whether every path leads to a claim that means nothing else.
fn are_sound(paths: &[&ClaimPath]) -> bool {
    paths.len() <= MOST_NAMES && paths.iter().all(|path| is_sound(path))
}

fn is_sound(path: &ClaimPath) -> bool {
    let names = path.names();
    match names.first() {
        // A registered claim is read as what RFC 7519 says, so a path that begins with its name
        // would never be found.
        Some(first) if registered(first).is_some() => false,
        Some(_) => names.iter().all(|name| !name.is_empty()),
        None => false,
    }
}

fn or_default(claims: &[ClaimPath], name: &str) -> Vec<ClaimPath> {
    if claims.is_empty() {
        vec![ClaimPath::from(name)]
    } else {
        claims.to_vec()
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
