use super::call::Call;
#[cfg(feature = "openapi")]
use super::describe::About;
use super::input::{Input, named};
use super::reply::Reply;
use super::route::Handler;
use super::{Show, caller, user_map};
use crate::issue::{Grant, TokenIssuer, TokenPair};
use crate::layer::AuthLayer;
use crate::reject::{Rejection, RejectionKind};
use crate::store::UserRecord;
use crate::users::{Attempt, Users};
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// What a user's tokens are to say.
pub(super) type GrantOf = Arc<dyn Fn(&UserRecord, Grant) -> Result<Grant, Rejection> + Send + Sync>;

/// `POST {email, password}` → 200 `{access, refresh}`.
#[derive(Clone)]
#[must_use]
pub struct SignInEndpoint {
    pub(super) name_field: String,
    pub(super) password_field: String,
    user: Option<Show<UserRecord>>,
    grant: Option<GrantOf>,
}

impl Default for SignInEndpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl SignInEndpoint {
    /// With the fields `email` and `password`.
    pub fn new() -> Self {
        Self {
            name_field: "email".into(),
            password_field: "password".into(),
            user: None,
            grant: None,
        }
    }

    pub(super) fn granting(mut self, grant: Option<&GrantOf>) -> Self {
        self.grant = grant.cloned();
        self
    }

    /// What the field of the name is called.
    pub fn name_field(mut self, name: impl Into<String>) -> Self {
        self.name_field = name.into();
        self
    }

    /// What the field of the password is called.
    pub fn password_field(mut self, name: impl Into<String>) -> Self {
        self.password_field = name.into();
        self
    }

    /// Answers with `user` as well: the id, the name and the profile.
    pub fn with_user(self) -> Self {
        let field = self.name_field.clone();
        self.show_user(move |user, _| user_map(user, &field))
    }

    /// Answers with `user` as well, of the application's making.
    pub fn show_user(
        mut self,
        show: impl Fn(&UserRecord, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.user = Some(Arc::new(show));
        self
    }

    pub(super) async fn sign_in(
        &self,
        auth: &AuthLayer,
        call: &Call,
        input: &mut Input,
    ) -> Result<(Arc<UserRecord>, TokenPair), Rejection> {
        let name = input.text(&self.name_field);
        let password = input.password(&self.password_field);
        input.check()?;
        let attempt = Attempt {
            name: &name,
            password: &password,
            peer: call.peer,
        };
        let user = users(auth)?.authenticate_from(attempt, call.now).await?;
        let grant = granted(self.grant.as_ref(), &user)?;
        let pair = tokens(auth)?.issue(grant, call.now).await?;
        users(auth)?
            .confirm(Arc::clone(&user), &password, call.now)
            .await?;
        Ok((user, pair))
    }
}

#[async_trait]
impl Handler for SignInEndpoint {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let (user, pair) = self.sign_in(auth, call, &mut input).await?;
        let mut members = pair_map(&pair);
        if let Some(show) = &self.user {
            members.insert("user".into(), Value::Object(show(&user, call)));
        }
        Ok(Reply::ok(members))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(
            About::new(StatusCode::OK, "Sign in")
                .text(&self.name_field)
                .password(&self.password_field),
        )
    }
}

pub(super) fn granted(hook: Option<&GrantOf>, user: &UserRecord) -> Result<Grant, Rejection> {
    match hook {
        Some(hook) => hook(user, Grant::from(user)),
        None => Ok(Grant::from(user)),
    }
}

/// `POST {refresh}` → 200 `{access}`, and with rotation a new `refresh`.
pub(super) struct Refresh;

#[async_trait]
impl Handler for Refresh {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let refresh = input.text("refresh");
        input.check()?;
        Ok(Reply::ok(pair_map(
            &tokens(auth)?.refresh(&refresh, call.now).await?,
        )))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "Refresh an access token").text("refresh"))
    }
}

/// `POST {token}` → 200 `{}`, or 401.
pub(super) struct Verify;

#[async_trait]
impl Handler for Verify {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let token = input.text("token");
        input.check()?;
        tokens(auth)?.verify(&token, call.now).await?;
        Ok(Reply::ok(Map::new()))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "Verify a token").text("token"))
    }
}

/// `POST` with an access token → 204: it and its family's refresh token are dead.
pub(super) struct SignOut;

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        tokens(auth)?.sign_out(caller(call)?, call.now).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::NO_CONTENT, "Sign out"))
    }
}

/// `POST` with an access token → 204: all of the user's tokens are dead.
pub(super) struct SignOutEverywhere;

#[async_trait]
impl Handler for SignOutEverywhere {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        tokens(auth)?
            .sign_out_everywhere(caller(call)?.subject(), call.now)
            .await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::NO_CONTENT, "Sign out everywhere"))
    }
}

/// `POST {current_password, new_password}` with an access token → 204: all of the user's tokens are dead, the presented one too.
pub(super) struct ChangePassword;

#[async_trait]
impl Handler for ChangePassword {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let (current, new) = (
            input.password("current_password"),
            input.password("new_password"),
        );
        input.check()?;
        let subject = caller(call)?.subject();
        let users = users(auth)?;
        let changed = users
            .change_password_from(call.peer, subject, &current, new, call.now)
            .await;
        changed.map_err(|rejection| named(rejection, &[]))?;
        tokens(auth)?.sign_out_everywhere(subject, call.now).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new(StatusCode::NO_CONTENT, "Change the password");
        Some(about.password("current_password").password("new_password"))
    }
}

fn pair_map(pair: &TokenPair) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("access".into(), pair.access().expose().as_str().into());
    if let Some(refresh) = pair.refresh() {
        members.insert("refresh".into(), refresh.expose().as_str().into());
    }
    members
}

pub(super) fn tokens(auth: &AuthLayer) -> Result<&TokenIssuer, Rejection> {
    auth.tokens().ok_or_else(not_configured)
}

pub(super) fn users(auth: &AuthLayer) -> Result<&Users, Rejection> {
    auth.users().ok_or_else(not_configured)
}

/// The builder has checked that it is there.
pub(super) fn not_configured() -> Rejection {
    Rejection::new(RejectionKind::MissingLayer, "not configured")
}

impl fmt::Debug for SignInEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInEndpoint")
            .field("name_field", &self.name_field)
            .field("password_field", &self.password_field)
            .finish_non_exhaustive()
    }
}
