#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::{Endpoint, SignInLandmark, SignsIn};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Show, pair_map, user_map};
use crate::issue::{TokenIssuer, TokenPair};
use crate::login;
use crate::password::PasswordPolicy;
use crate::reject::Rejection;
use crate::store::UserRecord;
use crate::users::Users;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use http::StatusCode;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// Signs in: `POST {email, password}` → 200 `{access, refresh}`; 401 where there is no such user or
/// the password is another.
#[derive(Clone)]
#[must_use]
pub struct SignIn {
    tokens: TokenIssuer,
    users: Users,
    name_field: String,
    password_field: String,
    user: Option<Show<UserRecord>>,
}

impl SignIn {
    /// The realm's users get these tokens. The fields are called `email` and `password`.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
            // Nobody chooses a password here, so any policy will do.
            users: tokens.realm().users(PasswordPolicy::new()),
            name_field: "email".into(),
            password_field: "password".into(),
            user: None,
        }
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
}

#[async_trait]
impl SignsIn for SignIn {
    async fn sign_in(
        &self,
        call: &Call,
        input: &mut Input,
    ) -> Result<(Arc<UserRecord>, TokenPair), Rejection> {
        let name = input.text(&self.name_field);
        let password = input.password(&self.password_field);
        input.check()?;
        let sign_in = login::SignIn {
            name: &name,
            password: &password,
        };
        let user = self.users.authenticate_from(call.peer, sign_in).await?;
        let grant = self.tokens.grant_for(&user)?;
        let pair = self.tokens.issue(grant).await?;
        let confirmed = self.users.confirm(call.peer, Arc::clone(&user), &password);
        confirmed.await?;
        Ok((user, pair))
    }
}

#[async_trait]
impl Handler for SignIn {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let (user, pair) = self.sign_in(call, &mut input).await?;
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

impl From<SignIn> for Endpoint {
    fn from(endpoint: SignIn) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.uses_users(endpoint.tokens.realm());
            mounting.landmarks.sign_in = Some(SignInLandmark {
                path: path.to_owned(),
                name_field: endpoint.name_field.clone(),
                password_field: endpoint.password_field.clone(),
                tokens: endpoint.tokens.clone(),
                by: Arc::new(endpoint.clone()),
            });
            mounting.post(path, Access::Anybody, endpoint);
        })
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("name_field", &self.name_field)
            .field("password_field", &self.password_field)
            .finish_non_exhaustive()
    }
}
