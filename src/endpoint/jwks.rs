use super::call::Call;
#[cfg(feature = "openapi")]
use super::describe::About;
use super::input::Input;
use super::reply::Reply;
use super::route::Handler;
use super::session::tokens;
use crate::layer::AuthLayer;
use crate::reject::Rejection;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;

/// `GET` → the public keys (RFC 7517 §5).
pub(super) struct Jwks;

#[async_trait]
impl Handler for Jwks {
    async fn handle(&self, auth: &AuthLayer, _: &Call, _: Input) -> Result<Reply, Rejection> {
        Ok(Reply::public(tokens(auth)?.jwks()))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "The public keys of tokens"))
    }
}
