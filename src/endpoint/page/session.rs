use super::cookies::Cookies;
use crate::endpoint::call::Call;
use crate::endpoint::input::Input;
use crate::endpoint::mount::SignInLandmark;
use crate::endpoint::reply::Reply;
use crate::endpoint::route::Handler;
use crate::endpoint::shown::caller;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
use async_trait::async_trait;
use std::sync::Arc;

/// `POST {email, password}` → 204, with cookies.
pub(super) struct SignIn {
    pub(super) sign_in: SignInLandmark,
    pub(super) cookies: Arc<Cookies>,
}

#[async_trait]
impl Handler for SignIn {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        // Signed in by the endpoint that stands beside the page, so that both count attempts and
        // check passwords alike.
        let (_, pair) = self.sign_in.by.sign_in(call, &mut input).await?;
        self.cookies.set(Reply::nothing(), &pair)
    }
}

/// `POST` → 204, with new cookies.
pub(super) struct Refresh {
    pub(super) tokens: TokenIssuer,
    pub(super) cookies: Arc<Cookies>,
}

#[async_trait]
impl Handler for Refresh {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let token = self.cookies.refresh(&call.head.headers)?;
        let pair = self.tokens.refresh(token).await?;
        self.cookies.set(Reply::nothing(), &pair)
    }
}

/// `POST` → 204: the family is dead, and the cookies are gone.
pub(super) struct SignOut {
    pub(super) tokens: TokenIssuer,
    pub(super) cookies: Arc<Cookies>,
}

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        // The session ends before the cookies go. Where the store fails, the browser keeps them,
        // and the user can try again.
        self.tokens.sign_out(caller(call)?).await?;
        self.cookies.clear(Reply::nothing())
    }
}
