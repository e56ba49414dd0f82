//! What is wrong with a configuration, all of it at once.

use std::error::Error;
use std::fmt;

/// Why a layer could not be built: every mistake in its configuration, in the order of the
/// builder's calls.
///
/// ```
/// use tower_auth::{AuthLayer, ConfigProblem, Jwt};
///
/// let wrong = Jwt::hs256("too short").audience("api");
/// let error = AuthLayer::builder().accept(wrong).build().unwrap_err();
/// assert!(matches!(error.problems(), [ConfigProblem::Issuer, ConfigProblem::ShortSecret { .. }]));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError(Vec<ConfigProblem>);

impl ConfigError {
    /// `Ok` where there is no problem.
    pub(crate) fn check(problems: Vec<ConfigProblem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self(problems))
        }
    }

    pub(crate) fn of(problems: Vec<ConfigProblem>) -> Self {
        Self(problems)
    }

    /// The mistakes, one at least.
    #[must_use]
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration of the layer has mistakes:")?;
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

/// As `Display`: it is what `unwrap` in start-up code shows.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ConfigError {}

/// An absolute `http` or `https` URL without a fragment that can stand between quotes.
pub(crate) fn is_http_url(text: &str) -> bool {
    if !text.bytes().all(is_plain) {
        return false;
    }
    let Ok(uri) = text.parse::<http::Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
}

fn is_plain(b: u8) -> bool {
    matches!(b, 0x21..=0x7e) && !matches!(b, b'"' | b'\\' | b'#')
}

/// One mistake in the configuration of a layer or an endpoint. The text names the rule that is
/// broken, never a key or a secret.
///
/// ```
/// use tower_auth::{AuthLayer, ConfigProblem, Jwt, random_secret};
///
/// let built = |secret: &str| {
///     let jwt = Jwt::hs256(secret).issuer("https://login.example.com").audience("reports");
///     AuthLayer::builder().accept(jwt).build()
/// };
/// assert!(built(random_secret()?.expose()).is_ok());
///
/// let error = built("hunter2").unwrap_err();
/// assert!(matches!(error.problems(), [ConfigProblem::ShortSecret { least: 32, .. }]));
/// let text = error.problems()[0].to_string();
/// assert_eq!(text, "a secret for HS256 needs at least 32 bytes (RFC 7518 §3.2)");
/// # Ok::<(), tower_auth::RandomError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// Nothing would ever be accepted.
    #[error("nothing is accepted: call accept")]
    NoScheme,
    /// A `Jwt` without an issuer, or with an empty one.
    #[error("a Jwt needs an issuer that is not empty: tokens are accepted from it alone")]
    Issuer,
    /// `Tokens` without an issuer, or with an empty one.
    #[error("Tokens need an issuer that is not empty: it is the iss that they say")]
    TokensIssuer,
    /// `Tokens` with an empty audience.
    #[error("the audience of Tokens is not empty: leave it out where there is none")]
    TokensAudience,
    /// Two `Jwt` with the same issuer, or one that lists a tenant whose issuer another one has.
    #[error(
        "two Jwt have the issuer {0:?}: give one of them both keys, or leave it out of the tenants of the other"
    )]
    DuplicateIssuer(String),
    /// An issuer with a place for a tenant but no tenants, or the other way round.
    #[error(
        "the issuer {0:?} and its tenants do not fit: {{tenantid}} stands in it once where tenants or tenants_if say which are accepted, and not otherwise"
    )]
    Tenants(String),
    /// A `Jwt` without an audience, or with an empty one.
    #[error(
        "a Jwt needs an audience that is not empty: a token for another service must not pass here"
    )]
    Audience,
    /// A `Jwt` without a key.
    #[error("a Jwt needs a key")]
    NoKey,
    /// A key, a set of keys or keys that are published by which no token may be verified.
    #[error(
        "the algorithms of a Jwt leave out all that one of its keys or sets of keys is for, or all that published keys may be for"
    )]
    Algorithms,
    /// Times of a `Jwt` by which its keys could not be loaded in a sensible way.
    #[error("the keys_cooldown of a Jwt is a second at least, and its keys_max_age at least that")]
    KeyTimes,
    /// An issuer whose keys are to be loaded, and no client to load them with.
    #[error("the keys of a Jwt are to be loaded: enable the feature `jwks`, or give it a fetcher")]
    NoFetcher,
    /// An `Introspection` that does not say who asks.
    #[error(
        "an Introspection needs the id and the secret of a client: RFC 7662 §2.1 lets nobody ask without"
    )]
    IntrospectionClient,
    /// Answers that would be believed for too long.
    #[error("an Introspection believes an answer for an hour at most")]
    IntrospectionRemembered,
    /// Proofs that could not be judged in a sensible way.
    #[error("the dpop of a Jwt: {0}")]
    Dpop(&'static str),
    /// A leeway that makes expiry meaningless.
    #[error("a leeway may be at most 10 minutes")]
    Leeway,
    /// An age below the second that times in tokens are counted in.
    #[error("a max_age is at least a second")]
    MaxAge,
    /// A required `typ` that no token could have.
    #[error("a token_type must not be empty")]
    TokenType,
    /// A claim that could not be read as what it is to say.
    #[error(
        "scope_claim, role_claim, subject_claim and instead_of_audience name different claims, not empty and not registered ones (RFC 7519 §4.1), 40 at most"
    )]
    ClaimName,
    /// A path where the name of a claim stands: it would never be found.
    #[error(
        "{0:?} is the name of no claim: a path into an object is written as its names, [\"realm_access\", \"roles\"]"
    )]
    ClaimPath(String),
    /// A secret shorter than its hash (RFC 7518 §3.2).
    #[error("a secret for {algorithm} needs at least {least} bytes (RFC 7518 §3.2)")]
    ShortSecret {
        /// The algorithm.
        algorithm: &'static str,
        /// Its least length in bytes.
        least: usize,
    },
    /// A secret that can be guessed, or that is the text of a key.
    #[error(
        "a secret for {0} is a published example, the text of a key, or follows a pattern: take random bytes"
    )]
    WeakSecret(&'static str),
    /// A public or private key that cannot be used.
    #[error("a key for {algorithm} cannot be used: {reason}")]
    Key {
        /// The algorithm.
        algorithm: &'static str,
        /// Which rule it breaks.
        reason: &'static str,
    },
    /// A JWK (RFC 7517 §4) that cannot be used.
    #[error("a JWK cannot be used: {0}")]
    Jwk(&'static str),
    /// A JWK set (RFC 7517 §5) that cannot be used.
    #[error("a JWK set cannot be used: {0}")]
    Jwks(&'static str),
    /// Leak reports of which nobody could be the author: the endpoint knows no key of a partner.
    #[error("the endpoint for leak reports has no key by which it could believe one")]
    NoPartnerKey,
    /// A URL at which the keys of an issuer are not looked for.
    #[error("the keys of an issuer cannot be loaded from {url:?}: {rule}")]
    KeysUrl {
        /// The URL as it was configured.
        url: String,
        /// The rule for such URLs that it breaks, as a sentence.
        rule: &'static str,
    },
    /// Two keys of one `Jwt` with the same id and algorithm, or two of one key ring with the same
    /// id.
    #[error("two keys of one issuer have the same id")]
    DuplicateKeyId,
    /// Keys that a token cannot choose between.
    #[error(
        "an issuer has several keys without an id for {0}: a token could not say which is meant (secrets may be up to four)"
    )]
    AmbiguousKeys(&'static str),
    /// A key id that no token could have.
    #[error("the id of a key to sign with is 1 to 256 bytes long")]
    KeyId,
    /// A key ring whose tokens would not say which key signed them.
    #[error(
        "of several keys in a ring, each to sign with needs an id: a secret has none but the one it is given"
    )]
    MissingKeyId,
    /// A secret that keys cannot be sealed with.
    #[error(
        "a KeyRotation seals its keys with a secret of at least 32 random bytes: give it one by sealed_with"
    )]
    SealingSecret,
    /// Times by which keys would not be known before they sign.
    #[error(
        "a KeyRotation publishes a key at least 10 minutes before it signs, and no longer before than a key signs"
    )]
    RotationTimes,
    /// A next key beside those that a rotation makes.
    #[error("the next key of a KeyRotation is one that it makes: leave next_key out")]
    NextKeyOfRotation,
    /// A place where no credential can stand.
    #[error("a credential cannot stand in {place:?}: {rule}")]
    Source {
        /// The place.
        place: String,
        /// Which rule it breaks.
        rule: &'static str,
    },
    /// A scheme that reads nowhere.
    #[error("the sources of {0} are empty: nothing would ever be accepted")]
    NoSource(&'static str),
    /// Bare keys and a scheme of the application's own that are both read as Bearer.
    #[error(
        "bare API keys and a scheme named Bearer both take every Bearer token that is no JWT: read the keys elsewhere"
    )]
    TwoBearers,
    /// A public URL that cannot be one.
    #[error(
        "a public URL is absolute, http or https, without a fragment and without a slash at its end"
    )]
    PublicUrl,
    /// A prefix that could not be told from other credentials.
    #[error(
        "an API-key prefix is 1 to 32 letters, digits, '-' and '_', and begins with a letter but not with \"ey\" as JWTs do"
    )]
    Prefix,
    /// Two `ApiKeys` with the same prefix.
    #[error("two ApiKeys have the prefix {0:?}")]
    EqualPrefixes(String),
    /// Two `ApiKeys` without a prefix.
    #[error("two ApiKeys have no prefix: no one could say which is meant")]
    TwoBareKeys,
    /// A pepper that does not protect.
    #[error(
        "a pepper needs at least 32 bytes, and an id of 1 to 64 letters, digits, '-' and '_' that no other has"
    )]
    Pepper,
    /// Keys without a prefix where names stand.
    #[error(
        "bare API keys cannot be told from users' names: read them as Basic only where no passwords are accepted"
    )]
    BareKeysInBasic,
    /// Basic configured twice.
    #[error("Basic is configured twice")]
    TwoBasic,
    /// A realm that lacks the store that a part of it needs.
    #[error("the realm has no store of {0}: give it one by Realm::new")]
    NoStore(&'static str),
    /// Parts of two realms in one layer.
    #[error("what a layer accepts, and its endpoints, are of one realm: these are of two")]
    TwoRealms,
    /// Lifetimes that contradict each other.
    #[error("an access token may not outlive its refresh token")]
    Lifetimes,
    /// A page that lacks something.
    #[error("a page needs {0}")]
    PageNeeds(&'static str),
    /// A name that no cookie has.
    #[error("the name {0:?} of a page's cookies is not 1 to 64 letters, digits, '-' and '_'")]
    CookieName(String),
    /// A URL of a protected resource, or of its metadata, that cannot be one.
    #[error(
        "the URL of a protected resource and those in its metadata are absolute, http or https, without a fragment"
    )]
    ResourceUrl,
    /// An issuer whose metadata nobody would find, or that say no good URL of its keys.
    #[error(
        "the metadata of an issuer need an issuer that is an absolute URL, http or https, without a query and a fragment, and \
         such a URL of its keys"
    )]
    IssuerUrl,
    /// A path that is none.
    #[error(
        "the path {0:?} of an endpoint does not begin with a slash, has braces that do not enclose a whole segment, names a \
         parameter twice, or has a segment that begins with ':' or '*'"
    )]
    Path(String),
    /// A path that has others below it, and does not end with a slash.
    #[error(
        "the path {0:?} of an endpoint with several routes ends with a slash: write {0:?} with one"
    )]
    PathEnd(String),
    /// Two endpoints that one request could mean, or whose paths differ in the names of their
    /// parameters alone.
    #[error("two endpoints are at {0:?}")]
    TwoEndpoints(String),
    /// A variable of the environment that cannot be read.
    #[error("the environment variable {variable} must be {form}")]
    Environment {
        /// Its name.
        variable: &'static str,
        /// What it has to be.
        form: &'static str,
    },
    /// A scheme of the application's own whose name cannot be used.
    #[error("the scheme name {0:?} is taken, or is no token (RFC 9110 §5.6.2)")]
    SchemeName(&'static str),
    /// A realm that cannot stand in a header.
    #[error("a realm is printable ASCII")]
    Realm,
    /// A limit that refuses everything.
    #[error("{0} must be more than zero")]
    Zero(&'static str),
    /// A length that no key and no token has.
    #[error("{what} is {least} bytes at least: nothing would ever be accepted")]
    TooShort {
        /// Which length.
        what: &'static str,
        /// What it is at least.
        least: usize,
    },
    /// A text that is no rate.
    #[error(transparent)]
    Rate(crate::rate::RateError),
    /// Two throttles of a layer with the same name.
    #[error("two throttles are called {0:?}: clients could not tell them apart")]
    DuplicateThrottle(String),
    /// A name that cannot stand in a header, or that has a colon, which stands between the two.
    #[error(
        "the name of a throttle or of a route's throttles is 1 to 64 letters, digits, '-', '_', '.' and spaces"
    )]
    ThrottleName,
    /// A rule about verified callers on routes where nobody is verified.
    #[error(
        "the throttle {0:?} on public routes is about verified callers: count by address or by a function there"
    )]
    PublicThrottle(String),
    /// A URL that no Redis server could have.
    #[error(
        "the URL of a RedisLimiter looks like redis://host:6379; rediss:// needs the feature redis-tls"
    )]
    RedisUrl,
    /// A name that cannot begin the keys of a limiter.
    #[error("the namespace of a RedisLimiter is 1 to 64 letters, digits, '-', '_' and '.'")]
    RedisNamespace,
    /// Certificates that cannot be read, or for a server without TLS.
    #[error(
        "the root certificates of a RedisLimiter are a text in PEM format, and its URL is rediss://…"
    )]
    RedisCertificates,
    /// A text that is no network.
    #[error("{0:?} is no network: write 10.0.0.0/8, fd00::/8 or a single address")]
    Network(String),
    /// An IPv6 prefix that is everybody or nobody.
    #[error("an ipv6_prefix is 32 to 128 bits")]
    Ipv6Prefix,
    /// The error format panicked, or its content type is no header value.
    #[error("the error format panics, or its content type is no header value")]
    Format,
}
