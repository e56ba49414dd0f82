#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::{Endpoint, signed_in};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::caller;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use async_trait::async_trait;

/// Signs out: `POST` with an access token → 204. That token and its refresh token are refused from
/// now on.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignOut {
    tokens: TokenIssuer,
}

impl SignOut {
    /// For access tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        self.tokens.sign_out(caller(call)?).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("sign_out", "Sign out");
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

impl From<SignOut> for Endpoint {
    fn from(endpoint: SignOut) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.landmarks.sign_out = Some(path.to_owned());
            mounting.act(path, Access::Caller(signed_in()), endpoint);
        })
    }
}

/// Signs out everywhere: `POST` with an access token → 204. All tokens of the user, private ones
/// too, are refused from now on.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignOutEverywhere {
    tokens: TokenIssuer,
}

impl SignOutEverywhere {
    /// For access tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for SignOutEverywhere {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let subject = caller(call)?.subject();
        self.tokens.sign_out_everywhere(subject).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("sign_out_everywhere", "Sign out everywhere");
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

impl From<SignOutEverywhere> for Endpoint {
    fn from(endpoint: SignOutEverywhere) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.act(path, Access::Caller(signed_in()), endpoint);
        })
    }
}
