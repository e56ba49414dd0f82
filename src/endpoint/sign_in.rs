#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
#[cfg(feature = "openapi")]
use super::known_schema::KnownSchema;
use super::mount::{Endpoint, SignInLandmark, SignsIn};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Show, pair_map, user_map};
#[cfg(feature = "openapi")]
use super::shown_schema::{pair_object, user_object};
use crate::issue::{TokenIssuer, TokenPair};
use crate::login;
use crate::password::policy::PasswordPolicy;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use crate::secret::Secret;
use crate::store::UserRecord;
use crate::users::Users;
use async_trait::async_trait;
#[cfg(feature = "openapi")]
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// The endpoint at which users sign in: `POST {email, password}` → 200 `{access, refresh}`; 401
/// where there is no such user or the password is another.
///
/// ```
/// use tower_auth::endpoint::SignIn;
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, NewUser, PasswordPolicy, Realm, Secret, Tokens, random_secret};
/// # use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoints = auth.endpoints().mount("/token/", SignIn::of(&tokens)).build()?;
///
/// let users = realm.users(PasswordPolicy::new());
/// let password = Secret::new(String::from("correct-horse-battery"));
/// users.register(NewUser::new("anna@example.com", password)).await?;
/// # let sign_in = async |password: &str| {
/// #     let body = serde_json::json!({ "email": "anna@example.com", "password": password });
/// #     let request = http::Request::post("/token/").header("content-type", "application/json");
/// #     let request = request.body(Full::new(bytes::Bytes::from(body.to_string()))).unwrap();
/// #     let answer = tower::ServiceExt::oneshot(endpoints.clone(), request).await.unwrap();
/// #     let status = answer.status().as_u16();
/// #     let body = answer.into_body().collect().await.unwrap().to_bytes();
/// #     (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
/// # };
///
/// // `sign_in` posts `{"email": "anna@example.com", "password": …}` to `/token/`.
/// let (status, body) = sign_in("correct-horse-battery").await;
/// assert_eq!(status, 200);
/// assert!(tokens.verify(body["access"].as_str().unwrap()).await.is_ok());
///
/// let (status, body) = sign_in("wrong").await;
/// assert_eq!((status, &body["code"]), (401, &"invalid_credentials".into()));
/// # Ok(())
/// # }
/// ```
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
            // Needed to check passwords alone: nobody chooses one here, so any policy will do.
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
    pub fn with_user(mut self) -> Self {
        let field = self.name_field.clone();
        #[cfg(feature = "openapi")]
        let schema = user_object(&field, &[]);
        let show = Show::new(move |user: &UserRecord, _| user_map(user, &field));
        #[cfg(feature = "openapi")]
        let show = show.known(schema);
        self.user = Some(show);
        self
    }

    /// Answers with `user` as well, of the application's making.
    pub fn show_user(
        mut self,
        show: impl Fn(&UserRecord, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.user = Some(Show::new(show));
        self
    }

    /// The same by a type, whose schema a document shows. Of one that is serialized as no object
    /// nothing is shown.
    #[cfg(feature = "openapi")]
    pub fn show_user_as<T: Serialize + ToSchema>(
        mut self,
        show: impl Fn(&UserRecord, &Call) -> T + Send + Sync + 'static,
    ) -> Self {
        self.user = Some(Show::typed(show));
        self
    }

    /// The name and the password.
    fn read(&self, input: &mut Input) -> (String, Secret<String>) {
        let name = input.text(&self.name_field);
        (name, input.password(&self.password_field))
    }
}

#[async_trait]
impl SignsIn for SignIn {
    async fn sign_in(
        &self,
        call: &Call,
        input: &mut Input,
    ) -> Result<(Arc<UserRecord>, TokenPair), Rejection> {
        let (name, password) = self.read(input);
        input.check()?;
        let sign_in = login::SignIn {
            name: &name,
            password: &password,
        };
        let user = self.users.authenticate_from(call.peer, sign_in).await?;
        let grant = self.tokens.grant_for(&user)?;
        let pair = self.tokens.issue(grant).await?;
        // Judged once more now that the tokens are written: a change of the password in between has
        // ended the tokens that it found, and these were not there yet.
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
            members.insert("user".into(), Value::Object(show.map(&user, call)));
        }
        Ok(Reply::ok(members))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let pair = pair_object().required("refresh");
        let answer = match &self.user {
            Some(show) => show.known.beside("user", pair),
            None => KnownSchema::new(pair),
        };
        let about = About::new("sign_in", "Sign in")
            .showing(answer)
            .reading(|input| {
                self.read(input);
            });
        use RejectionKind as K;
        Some(about.refusing([K::InvalidPassword, K::Throttled, K::Unavailable]))
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
