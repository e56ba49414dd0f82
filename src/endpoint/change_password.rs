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
use crate::users::Users;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;

/// Changes the password: `POST {current_password, new_password}` with an access token → 204. All
/// tokens of the user, the presented one too, are refused from now on.
#[derive(Clone, Debug)]
#[must_use]
pub struct ChangePassword {
    users: Users,
    tokens: TokenIssuer,
}

impl ChangePassword {
    /// For these users, under their policy, whose tokens are of this issuer.
    pub fn of(users: &Users, tokens: &TokenIssuer) -> Self {
        Self {
            users: users.clone(),
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for ChangePassword {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let current = input.password("current_password");
        let new = input.password("new_password");
        input.check()?;
        let caller = caller(call)?;
        self.users
            .on_behalf_of(caller)
            .change_password_from(call.peer, caller.subject(), &current, new)
            .await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new(StatusCode::NO_CONTENT, "Change the password");
        Some(about.password("current_password").password("new_password"))
    }
}

impl From<ChangePassword> for Endpoint {
    fn from(endpoint: ChangePassword) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.uses_users(endpoint.users.realm());
            mounting.post(path, Access::Caller(signed_in()), endpoint);
        })
    }
}
