use super::nonces::Nonces;
use super::proofs::Proofs;
use super::seen_proofs::SeenProofs;
use crate::config::ConfigProblem;
use crate::key_set::{Algorithms, JwtAlgorithm, SigningKey, check_back_end};
use std::fmt;
use std::time::Duration;

/// Longer than that a proof is no proof that somebody has the key now.
const LONGEST_AGE: Duration = Duration::from_secs(600);
const LONGEST_NONCE: Duration = Duration::from_secs(24 * 60 * 60);

/// How proofs of possession are judged (DPoP, RFC 9449): for [`Jwt::dpop`](crate::Jwt::dpop).
///
/// ```text
/// GET /reports/ HTTP/1.1
/// Authorization: DPoP eyJhbGciOi…   a token whose cnf.jkt is the thumbprint of a key (RFC 7638)
/// DPoP: eyJ0eXAiOiJkcG9wK2p3d…      a JWS by that key: {"typ":"dpop+jwt","alg":"ES256","jwk":{…}}
///                                   {"jti":"…","htm":"GET","htu":"https://…/reports/",
///                                    "iat":…,"ath":"…"}
/// ```
///
/// A proof is good where:
///
/// - its `typ` is `dpop+jwt`, its `alg` one of [`algorithms`](Self::algorithms), its `jwk` a public
///   key without private members, whose thumbprint is what the token is bound to, and which
///   verifies its signature;
/// - `htm` is the method and `htu` the URL of the request, query and fragment apart. The URL is the
///   path below [`AuthLayerBuilder::public_url`](crate::layer::AuthLayerBuilder::public_url):
///   configure it. Without one it is below `https` (on this machine `http` too) and the request's
///   `Host`, which whoever sends the request chooses.
/// - `ath` is the base64url SHA-256 digest of the token;
/// - `iat` is not more than [`max_age`](Self::max_age) ago, nor more than
///   [`leeway`](Self::leeway) ahead;
/// - its `jti` did not come before, from that key and to that URL. Proofs are remembered until they
///   are too old ([`remembered`](Self::remembered)) by each layer that is built, so each node of
///   several accepts one once: let a [`nonce`](Self::nonce) or a short `max_age` bound that.
/// - no name in it is repeated, and nothing in its header asks for an extension (`crit`).
///
/// A request has one proof: without one, or with a wrong one, it is 401
/// ([`InvalidProof`](crate::RejectionKind::InvalidProof)), with two 400. A client that tries again
/// makes a new proof.
///
/// ```
/// use http::{Request, StatusCode};
/// use std::time::{Duration, SystemTime};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_auth::test_util::TokenMint;
/// use tower_auth::jwt::Dpop;
/// use tower_auth::{AuthLayer, Jwt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (issuer, client) = (TokenMint::es256(), TokenMint::es256());
/// let auth = AuthLayer::builder()
///     .public_url("https://api.example.com")
///     .accept(
///         Jwt::new()
///             .issuer("https://login.example.com")
///             .audience("reports")
///             .key(issuer.key())
///             .dpop(Dpop::new().required()),
///     )
///     .build()?;
/// let service = auth.layer(service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// }));
///
/// let now = SystemTime::now();
/// let expires = (now + Duration::from_secs(60)).duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
/// let token = issuer.sign(&serde_json::json!({
///     "iss": "https://login.example.com", "aud": "reports", "sub": "7", "exp": expires,
///     "cnf": {"jkt": client.thumbprint()},
/// }));
/// let proof = client.dpop_proof("GET", "https://api.example.com/reports/", &token, now);
/// let request = |scheme: &str| {
///     Request::get("/reports/?page=2")
///         .header("authorization", format!("{scheme} {token}"))
///         .header("dpop", &proof)
///         .body(())
/// };
/// let answer = service.clone().oneshot(request("DPoP")?).await?;
/// assert_eq!(answer.status(), StatusCode::OK);
///
/// // The same proof again, and the token without any.
/// let replayed = service.clone().oneshot(request("DPoP")?).await?;
/// assert_eq!(replayed.status(), StatusCode::UNAUTHORIZED);
/// let bearer = service.oneshot(request("Bearer")?).await?;
/// assert_eq!(bearer.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Dpop {
    algorithms: Vec<JwtAlgorithm>,
    max_age: Duration,
    leeway: Duration,
    is_required: bool,
    remembered: usize,
    nonce: Option<SigningKey>,
    nonce_lifetime: Duration,
}

impl Default for Dpop {
    fn default() -> Self {
        Self::new()
    }
}

impl Dpop {
    /// Tokens that are bound to a key are accepted with a proof of it; others as they were.
    pub fn new() -> Self {
        use JwtAlgorithm as A;
        Self {
            algorithms: vec![A::Es256, A::Es384, A::EdDsa, A::Ps256, A::Rs256],
            max_age: Duration::from_secs(60),
            leeway: Duration::from_secs(5),
            is_required: false,
            remembered: 1 << 18,
            nonce: None,
            nonce_lifetime: Duration::from_secs(300),
        }
    }

    /// Tokens that are bound to nobody are refused. Bearer is not read at all then, unless tokens
    /// that are bound to a certificate are accepted
    /// ([`Jwt::certificate_bound`](crate::Jwt::certificate_bound)).
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The algorithms of proofs, which challenges name (`algs`); ES256, ES384, EdDSA, PS256 and
    /// RS256 by default. Each has a public key.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = JwtAlgorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How old a proof may be, 1 second to 10 minutes; 60 seconds by default.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// How far the clock of a client may be ahead, at most 10 minutes; 5 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How many proofs are remembered at once, at most some 150 bytes each; 262,144 by default, 8
    /// at least.
    ///
    /// A key has an eighth of them. When its part or the whole is full a further proof is refused,
    /// until earlier ones are too old to come again: so of one key come at most 32,768 requests in
    /// [`max_age`](Self::max_age) and [`leeway`](Self::leeway), 500 a second.
    pub fn remembered(mut self, proofs: usize) -> Self {
        self.remembered = proofs;
        self
    }

    /// Proofs have a nonce of the server's (RFC 9449 §9), so that none can be made in advance: a
    /// good proof without one that is fresh is 401 `use_dpop_nonce`, and the field `DPoP-Nonce` of
    /// the answer says which to use until the next such answer. Pages of other origins read it
    /// where CORS exposes it.
    ///
    /// The secret, 32 random bytes at least, signs the nonces, so that none has to be kept. Nodes
    /// that serve the same clients have the same one.
    pub fn nonce(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.nonce = Some(SigningKey::hs256(secret));
        self
    }

    /// How long a nonce is good, 1 second to 24 hours; 5 minutes by default.
    pub fn nonce_lifetime(mut self, lifetime: Duration) -> Self {
        self.nonce_lifetime = lifetime;
        self
    }

    pub(in crate::scheme::jwt) fn is_required(&self) -> bool {
        self.is_required
    }

    pub(in crate::scheme::jwt) fn problems(&self) -> Vec<ConfigProblem> {
        let second = Duration::from_secs(1);
        let mut rules = Vec::new();
        rules.extend(check_back_end().err());
        // A proof brings its key along. By a shared secret it would prove nothing, and give the
        // secret away.
        if self.algorithms.is_empty() || !self.allowed().and(Algorithms::symmetric()).is_empty() {
            rules.push("its algorithms are some, all with public keys");
        }
        if !(second..=LONGEST_AGE).contains(&self.max_age) || self.leeway > LONGEST_AGE {
            rules.push("its max_age is 1 second to 10 minutes, its leeway at most that");
        }
        if self.remembered < 8 {
            rules.push("8 proofs are remembered at least");
        }
        if !(second..=LONGEST_NONCE).contains(&self.nonce_lifetime) {
            rules.push("its nonce_lifetime is 1 second to 24 hours");
        }
        let mut problems: Vec<_> = rules.into_iter().map(ConfigProblem::Dpop).collect();
        problems.extend(self.nonce.as_ref().and_then(|secret| secret.build().err()));
        problems
    }

    /// Only of a configuration without problems.
    pub(in crate::scheme::jwt) fn build(&self) -> Proofs {
        let signer = self.nonce.as_ref().and_then(|secret| secret.build().ok());
        Proofs {
            algorithms: self.allowed(),
            max_age: self.max_age,
            leeway: self.leeway,
            is_required: self.is_required,
            seen: SeenProofs::new(self.remembered),
            nonces: signer.map(|signer| Nonces::new(signer, self.nonce_lifetime)),
        }
    }

    fn allowed(&self) -> Algorithms {
        self.algorithms.iter().copied().collect()
    }
}

impl fmt::Debug for Dpop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("algorithms", &self.algorithms)
            .field("max_age", &self.max_age)
            .field("is_required", &self.is_required)
            .finish_non_exhaustive()
    }
}
