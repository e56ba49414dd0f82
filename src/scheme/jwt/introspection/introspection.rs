use super::asked::Asked;
use super::introspector::Introspector;
use crate::config::ConfigProblem;
use crate::fetch::{Fetch, HttpUrl, Trust, client};
use crate::reject::Rejection;
use crate::scheme::jwt::claim_path::ClaimPath;
use crate::scheme::jwt::jwt::Jwt;
use crate::scheme::jwt::token_facts::TokenFacts;
use crate::secret::Secret;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest that an answer may be believed.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Opaque Bearer tokens of an issuer that is asked about each (RFC 7662, token introspection).
///
/// It is for the Bearer tokens that nothing else of the layer claims: those with the prefix of an
/// API key are claimed, and so are JWTs where any are accepted.
///
/// - Required of an answer: `active` is true, `aud` names an audience, and `sub` is there. `iss`,
///   `exp`, `nbf` and `iat` are judged where they are there, and a token that is bound to a key
///   (`cnf`) or says that it is for another use is refused, as with a [`Jwt`].
/// - What the issuer says of a token is believed for [`remembered`](Self::remembered) and never
///   beyond its `exp`: so long can a token that is revoked there pass here. That it is not active
///   is believed for two seconds.
/// - An issuer that fails, or does not answer within five seconds, is a 503, and so is one that
///   refuses the credentials of this service, which its log says.
/// - A token that is not active counts as an attempt of where it comes from.
///
/// ```
/// use tower_auth::jwt::Introspection;
/// use tower_auth::{AuthLayer, Secret};
///
/// # let client_secret = String::from("test value");
/// let auth = AuthLayer::builder()
///     .accept(
///         Introspection::at("https://login.example.com/oauth2/introspect")
///             .client("reports", Secret::new(client_secret))
///             .audience("https://api.example.com"),
///     )
///     .build()?;
///
/// let nobody = Introspection::at("https://login.example.com/oauth2/introspect").audience("a");
/// assert!(AuthLayer::builder().accept(nobody).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Introspection {
    url: String,
    client: Option<(String, Secret<String>)>,
    claims: Jwt,
    remembered: Duration,
    fetch: Option<Arc<dyn Fetch>>,
    trust: Trust,
}

impl Introspection {
    /// The issuer's introspection endpoint, `https` except on this machine.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            client: None,
            claims: Jwt::new().introspected(),
            remembered: Duration::from_secs(60),
            fetch: None,
            trust: Trust::None,
        }
    }

    /// As whom the issuer is asked: the id and the secret of a client of its own (RFC 6749 §2.3.1).
    pub fn client(mut self, id: impl Into<String>, secret: Secret<String>) -> Self {
        self.client = Some((id.into(), secret));
        self
    }

    /// The issuer that [`Principal::issuer`](crate::Principal::issuer) names, and which an answer
    /// that has an `iss` must name; the URL of the endpoint by default.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.claims = self.claims.issuer(issuer);
        self
    }

    /// An audience: `aud` must name one of those given.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.claims = self.claims.audience(audience);
        self
    }

    /// As [`Jwt::instead_of_audience`]: most issuers say a `client_id` (RFC 7662 §2.2), and many no
    /// `aud`.
    pub fn instead_of_audience(
        mut self,
        claim: impl Into<ClaimPath>,
        value: impl Into<String>,
    ) -> Self {
        self.claims = self.claims.instead_of_audience(claim, value);
        self
    }

    /// As [`Jwt::leeway`].
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.claims = self.claims.leeway(leeway);
        self
    }

    /// As [`Jwt::subject_claim`]: `username` or `client_id` for issuers that say no `sub`.
    pub fn subject_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.claims = self.claims.subject_claim(claim);
        self
    }

    /// As [`Jwt::scope_claim`].
    pub fn scope_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.claims = self.claims.scope_claim(claim);
        self
    }

    /// As [`Jwt::role_claim`].
    pub fn role_claim(mut self, claim: impl Into<ClaimPath>) -> Self {
        self.claims = self.claims.role_claim(claim);
        self
    }

    /// As [`Jwt::read_claims`].
    pub fn read_claims(
        mut self,
        read: impl Fn(&mut TokenFacts<'_>) -> Result<(), Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.claims = self.claims.read_claims(read);
        self
    }

    /// For how long it is believed that a token is active, an hour at most; 60 seconds by default,
    /// and zero asks for each request.
    pub fn remembered(mut self, time: Duration) -> Self {
        self.remembered = time;
        self
    }

    /// The HTTP client that asks, in the place of the one that comes with the feature `jwks`.
    pub fn fetcher(mut self, fetch: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(fetch));
        self
    }

    /// Asks over plain `http` from any host: whoever is on the way sees tokens, and can answer. For
    /// closed networks.
    pub fn dangerous(mut self) -> Self {
        self.trust = Trust::Dangerous;
        self
    }

    pub(crate) fn build(mut self) -> Result<Introspector, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        if !self.claims.has_issuer() {
            self.claims = self.claims.issuer(self.url.clone());
        }
        let url = HttpUrl::configured(&self.url, self.trust);
        if let Err(rule) = &url {
            problems.push(ConfigProblem::KeysUrl {
                url: self.url.clone(),
                rule,
            });
        }
        match &self.client {
            Some((id, secret)) if !id.is_empty() && !secret.expose().is_empty() => {}
            _ => problems.push(ConfigProblem::IntrospectionClient),
        }
        if self.remembered > LONGEST {
            problems.push(ConfigProblem::IntrospectionRemembered);
        }
        let fetch = client(self.fetch.as_ref(), self.trust);
        if fetch.is_none() {
            problems.push(ConfigProblem::NoFetcher);
        }
        let policy = match self.claims.build(None) {
            Ok(policy) => Some(policy),
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        match (url, self.client, fetch, policy) {
            (Ok(url), Some((id, secret)), Some(fetch), Some(policy)) if problems.is_empty() => {
                let asked = Asked::new(url, &id, &secret, fetch);
                Ok(Introspector::new(asked, policy, self.remembered))
            }
            _ => Err(problems),
        }
    }
}

/// Never shows the secret.
impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection")
            .field("url", &self.url)
            .field("client", &self.client.as_ref().map(|(id, _)| id))
            .finish_non_exhaustive()
    }
}
