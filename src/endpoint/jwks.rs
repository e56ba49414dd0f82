#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
#[cfg(feature = "openapi")]
use super::shown_schema::key_set;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
use async_trait::async_trait;

/// The key set: `GET` → the public keys that our tokens are verified with (RFC 7517 §5), the one
/// that signs next included.
///
/// It may be kept for 5 minutes (`Cache-Control`), or with a
/// [`KeyRotation`](crate::jwt::KeyRotation) for half of the time for which a key is published
/// before it signs, an hour at most; and it has an `ETag`, by which who has it already gets 304.
/// Where others look for it says [`IssuerMetadata`](super::IssuerMetadata).
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, StatusCode};
/// use http_body_util::Full;
/// use tower::ServiceExt;
/// use tower_auth::endpoint::{IssuerMetadata, Jwks};
/// use tower_auth::store::Memory;
/// use tower_auth::jwt::{JwtAlgorithm, KeyRotation};
/// use tower_auth::{AuthLayer, random_secret, Realm, Tokens};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let secret = random_secret()?; // a real service has it in its environment
/// let rotation = KeyRotation::new(JwtAlgorithm::Es256).sealed_with(secret.expose());
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::rotating(rotation).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoints = auth
///     .endpoints()
///     .mount("/.well-known/jwks.json", Jwks::of(&tokens))
///     .mount("/.well-known/openid-configuration", IssuerMetadata::of(&tokens))
///     .mount("/.well-known/oauth-authorization-server", IssuerMetadata::of(&tokens))
///     .build()?;
///
/// let get = |path: &str| Request::get(path).body(Full::<Bytes>::default());
/// let keys = endpoints.clone().oneshot(get("/.well-known/jwks.json")?).await?;
/// assert_eq!(keys.status(), StatusCode::OK);
/// assert_eq!(keys.headers()["cache-control"], "public, max-age=3600");
///
/// let mut again = get("/.well-known/jwks.json")?;
/// again.headers_mut().insert("if-none-match", keys.headers()["etag"].clone());
/// let again = endpoints.clone().oneshot(again).await?;
/// assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
///
/// let nowhere = endpoints.oneshot(get("/.well-known/keys")?).await?;
/// assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Jwks {
    tokens: TokenIssuer,
}

impl Jwks {
    /// The keys of this issuer; none where it signs with a secret.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for Jwks {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let published = self.tokens.published().await?;
        Reply::public(call, published.jwks, published.cached_for)
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("key_set", "The public keys of tokens").public(key_set());
        Some(about.refusing(self.tokens.refusals_of_keys()))
    }
}

impl From<Jwks> for Endpoint {
    fn from(endpoint: Jwks) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.get(path, Access::Anybody, endpoint);
        })
    }
}
