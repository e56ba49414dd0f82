#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::member_form::MemberForm;
use super::mount::{Endpoint, signed_in};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::caller;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use crate::secret::Secret;
use crate::users::Users;
use async_trait::async_trait;

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

    /// The present password and the new one.
    fn read(&self, input: &mut Input) -> (Secret<String>, Secret<String>) {
        let least = self.users.least_password();
        let current = input.password("current_password");
        let new = input.password_as(MemberForm::NewPassword { least }, "new_password");
        (current, new)
    }
}

#[async_trait]
impl Handler for ChangePassword {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let (current, new) = self.read(&mut input);
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
        let about = About::new("change_password", "Change the password").reading(|input| {
            self.read(input);
        });
        let kinds = [RejectionKind::NotFound, RejectionKind::Throttled];
        Some(about.refusing(kinds).refusing([RejectionKind::Unavailable]))
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
