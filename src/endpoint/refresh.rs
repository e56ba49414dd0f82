#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::pair_map;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;
use serde_json::Map;

/// Refreshes: `POST {refresh}` → 200 `{access}`, and with rotation a new `refresh`; 401 where it is
/// no good.
#[derive(Clone, Debug)]
#[must_use]
pub struct Refresh {
    tokens: TokenIssuer,
}

impl Refresh {
    /// For refresh tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for Refresh {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let refresh = input.text("refresh");
        input.check()?;
        Ok(Reply::ok(pair_map(&self.tokens.refresh(&refresh).await?)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "Refresh an access token").text("refresh"))
    }
}

impl From<Refresh> for Endpoint {
    fn from(endpoint: Refresh) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.landmarks.refresh = Some(path.to_owned());
            mounting.post(path, Access::Anybody, endpoint);
        })
    }
}

/// Verifies: `POST {token}` → 200 `{}` where it is a token of ours that is good now; else 401.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verify {
    tokens: TokenIssuer,
}

impl Verify {
    /// For tokens of this issuer, of whatever use.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for Verify {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let token = input.text("token");
        input.check()?;
        self.tokens.verify(&token).await?;
        Ok(Reply::ok(Map::new()))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "Verify a token").text("token"))
    }
}

impl From<Verify> for Endpoint {
    fn from(endpoint: Verify) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.post(path, Access::Anybody, endpoint);
        })
    }
}
