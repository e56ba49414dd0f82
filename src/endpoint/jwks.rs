#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;

/// The key set: `GET` → the public keys that our tokens are verified with (RFC 7517 §5).
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
    async fn handle(&self, _: &Call, _: Input) -> Result<Reply, Rejection> {
        Ok(Reply::public(self.tokens.jwks()?))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "The public keys of tokens"))
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
