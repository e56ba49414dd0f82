use super::call::Call;
use super::input::Input;
use super::reply::Reply;
use super::route::Handler;
use super::session::tokens;
use crate::layer::AuthLayer;
use crate::reject::Rejection;
use async_trait::async_trait;

/// `GET` → the public keys (RFC 7517 §5).
pub(super) struct Jwks;

#[async_trait]
impl Handler for Jwks {
    async fn handle(&self, auth: &AuthLayer, _: &Call, _: Input) -> Result<Reply, Rejection> {
        Ok(Reply::public(tokens(auth)?.jwks()))
    }
}
