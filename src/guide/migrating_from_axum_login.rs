//! Moving in from axum-login: users keep their passwords, and clients present a token instead of a
//! session's cookie.
//!
//! What is said of axum-login here was read in the source of its version 0.18.0 and tried with a
//! small service on it, with tower-sessions 0.14.
//!
//! # Which of the two
//!
//! The two crates are made for different clients.
//!
//! | clients | take |
//! |---|---|
//! | browsers that pages of your own host serve, with forms, redirects to a login page and sessions that hold more than who it is | axum-login: this crate has no sessions of that kind, no `next`, and no redirects |
//! | single-page and mobile applications, scripts, other services | this crate: tokens, API keys, limits, sign-in by JSON |
//! | both | both, on routes apart: see the end of this page |
//!
//! # Before and after
//!
//! Before: a backend finds users, a session remembers who has signed in.
//!
//! ```text
//! impl AuthnBackend for Backend { … }      // authenticate, get_user
//! impl AuthzBackend for Backend { … }      // get_user_permissions
//!
//! let sessions = SessionManagerLayer::new(store).with_expiry(Expiry::OnInactivity(one_hour));
//! let app = Router::new()
//!     .route("/reports", get(reports).layer(login_required!(Backend)))
//!     .route("/users", get(users).layer(permission_required!(Backend, "users:write")))
//!     .route("/login", post(login))        // session.authenticate(…), session.login(&user)
//!     .route("/logout", post(logout))      // session.logout()
//!     .layer(AuthManagerLayerBuilder::new(backend, sessions).build());
//! ```
//!
//! After: users are in the store, their rights are scopes and roles, and sign-in, refresh and
//! sign-out are ready-made.
//!
//! ```
//! use axum::{Router, body::{Body, to_bytes}, http::Request, routing::get};
//! use serde_json::{Value, json};
//! use tower::ServiceExt;
//! use tower_auth::endpoint::{Refresh, SignIn, SignOut};
//! use tower_auth::store::{ManagedUserStore, Memory, UserChange, UserRecord};
//! use tower_auth::{AuthLayer, PasswordPolicy, Principal, Realm, Scope, Secret, Subject, Tokens};
//! use tower_auth::password::reads_password_hash;
//! use tower_auth::random_secret;
//!
//! async fn reports(caller: Principal) -> String {
//!     format!("reports of {}", caller.subject())
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A row of the former table: the id, the name, and a hash that the crate password-auth wrote.
//! // For tests only: the password is "tests only: hunter2".
//! let hash = "$argon2id$v=19$m=19456,t=2,p=1$fNsQYiQBq9RKoQIAX8U57A\
//!     $xSSic78s7vYDaF5tC13pRJQ1LEilW3szRitbTDX9T2M";
//! assert!(reads_password_hash(hash));
//! let anna = UserRecord::new(Subject::user("7"), "anna").password_hash(hash);
//! let anna = anna.scope("reports:read");
//! let store = Memory::new(); // a real service has a database
//! store.insert_user(anna).await?;
//!
//! let secret = random_secret()?; // a real service has it in its environment
//! let realm = Realm::new(store);
//! let users = realm.users(PasswordPolicy::new());
//! let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
//! let auth = AuthLayer::builder().accept(&tokens).build()?;
//! let endpoints = auth
//!     .endpoints()
//!     .mount("/login", SignIn::of(&tokens).name_field("name"))
//!     .mount("/refresh", Refresh::of(&tokens))
//!     .mount("/logout", SignOut::of(&tokens))
//!     .build()?;
//! let app: Router = Router::new()
//!     .route("/reports", get(reports))
//!     .route("/users", get(async || "users").layer(auth.require(Scope::new("users:write"))))
//!     .layer(auth)
//!     .merge(endpoints);
//!
//! let send = async |request: Request<Body>| {
//!     let response = app.clone().oneshot(request).await.unwrap();
//!     let status = response.status().as_u16();
//!     let body = to_bytes(response.into_body(), 10_000).await.unwrap();
//!     (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
//! };
//! let post = |path: &str, body: Value| {
//!     let request = Request::post(path).header("content-type", "application/json");
//!     request.body(Body::from(body.to_string())).unwrap()
//! };
//! let bearing = |method: &str, path: &str, access: &str| {
//!     let request = Request::builder().method(method).uri(path);
//!     let request = request.header("authorization", format!("Bearer {access}"));
//!     request.body(Body::empty()).unwrap()
//! };
//! let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
//!
//! // The password is the former one.
//! let credentials = json!({ "name": "anna", "password": "tests only: hunter2" });
//! let (status, pair) = send(post("/login", credentials.clone())).await;
//! let access = text(&pair["access"]);
//! assert_eq!(status, 200);
//! assert_eq!(send(bearing("GET", "/reports", &access)).await.0, 200);
//! assert_eq!(send(bearing("GET", "/users", &access)).await.0, 403);
//! assert_eq!(send(Request::get("/reports").body(Body::empty())?).await.0, 401);
//!
//! let wrong = json!({ "name": "anna", "password": "tests only: hunter3" });
//! assert_eq!(send(post("/login", wrong)).await.0, 401);
//! assert_eq!(send(post("/login", json!({ "name": "anna" }))).await.0, 400); // names the field
//! let form = Request::post("/login").header("content-type", "application/x-www-form-urlencoded");
//! let form = form.body(Body::from("name=anna&password=tests+only:+hunter2"))?;
//! assert_eq!(send(form).await.0, 415); // JSON alone
//!
//! // What is given to a user comes with the next sign-in.
//! let mut change = UserChange::default();
//! change.scopes = Some(["reports:read", "users:write"].into_iter().collect());
//! users.change(&Subject::user("7"), change).await?;
//! let (status, pair) = send(post("/refresh", json!({ "refresh": pair["refresh"] }))).await;
//! let access = text(&pair["access"]);
//! assert_eq!(status, 200);
//! assert_eq!(send(bearing("GET", "/users", &access)).await.0, 403);
//! let later = text(&send(post("/login", credentials.clone())).await.1["access"]);
//! assert_eq!(send(bearing("GET", "/users", &later)).await.0, 200);
//!
//! // A sign-out, or another password, ends the session from the next request on.
//! assert_eq!(send(bearing("POST", "/logout", &access)).await.0, 204);
//! assert_eq!(send(bearing("GET", "/reports", &access)).await.0, 401);
//! assert_eq!(send(post("/refresh", json!({ "refresh": pair["refresh"] }))).await.0, 401);
//! let access = text(&send(post("/login", credentials.clone())).await.1["access"]);
//! let new = Secret::from("tests only: hunter2 and more".to_string());
//! users.set_password(&Subject::user("7"), new).await?;
//! assert_eq!(send(bearing("GET", "/reports", &access)).await.0, 401);
//! assert_eq!(send(post("/login", credentials)).await.0, 401);
//! # Ok(()) }
//! ```
//!
//! # Users, or a table of your own
//!
//! Move each user once, with [`ManagedUserStore::insert_user`](crate::store::ManagedUserStore), as
//! above. Their id is the one that your other tables know: [`Subject::user`](crate::Subject::user)
//! with the former primary key. (A user who registers here has a random UUID, unless
//! [`NewUser::id`](crate::NewUser::id) says another.) Argon2 hashes in PHC form are read, which is
//! what password-auth writes by default; who has another kind needs a new password, and
//! [`reads_password_hash`](crate::password::reads_password_hash) tells which they are. There is no
//! sign-in without a password: who signs in by OAuth, as in axum-login's example, gets tokens of
//! the provider, which [`Jwt`](crate::Jwt) accepts, or your callback issues a pair with
//! [`TokenIssuer::issue`](crate::TokenIssuer::issue).
//!
//! What `get_user` loaded on every request, and what `get_user_permissions` asked your own tables,
//! stays where it is: [`AuthLayerBuilder::load_user`](crate::layer::AuthLayerBuilder::load_user)
//! loads it for whatever was presented, and remembers it for a minute, or not at all.
//!
//! ```
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Principal, Realm, Requirement, Subject};
//! use tower_auth::store::Memory;
//!
//! struct User {
//!     permissions: Vec<&'static str>,
//! }
//!
//! async fn load(caller: Principal) -> Result<Option<User>, Infallible> {
//!     // SELECT permission FROM users_permissions WHERE user_id = …
//!     let subject = caller.subject();
//!     Ok(match (subject.kind(), subject.id()) {
//!         ("user", "7") => Some(User { permissions: vec!["users:write"] }),
//!         ("user", "8") => Some(User { permissions: vec![] }),
//!         _ => None, // 401, as for a credential that was revoked
//!     })
//! }
//!
//! fn permission(name: &'static str) -> Requirement {
//!     Requirement::check(name, move |caller| {
//!         caller.user::<User>().is_some_and(|user| user.permissions.contains(&name))
//!     })
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).load_user(load).remember_user(Duration::ZERO);
//! let auth = auth.build()?;
//! let users = |_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) };
//! let app = auth.layer(auth.require(permission("users:write")).layer(service_fn(users)));
//!
//! for (id, expected) in [("7", 200), ("8", 403), ("9", 401)] {
//!     let new = keys.issue(KeyRequest::new(Subject::user(id), "ci")).await?;
//!     let request = Request::get("/").header("x-api-key", new.key.expose());
//!     let response = app.clone().oneshot(request.body(String::new())?).await?;
//!     assert_eq!(response.status(), expected, "{id}");
//! }
//! # Ok(()) }
//! ```
//!
//! # What becomes of what
//!
//! | axum-login | here | |
//! |---|---|---|
//! | `AuthnBackend::authenticate` | [`SignIn`](crate::endpoint::SignIn), or [`Users::authenticate`](crate::Users::authenticate) in a handler of your own | hashed off the runtime's threads; wrong ones are limited by account and, at `SignIn`, by address: put [`throttle_public`](crate::AuthLayer::throttle_public) around a handler of your own |
//! | `AuthnBackend::get_user` | [`load_user`](crate::layer::AuthLayerBuilder::load_user) | |
//! | `AuthzBackend`, `permission_required!` | [`Scope`](crate::Scope) and [`Role`](crate::Role) of the user's record, [`AuthLayer::require`](crate::AuthLayer::require) | What is taken away counts from the next request; what is given, from the next sign-in. |
//! | `login_required!` | the layer itself: everything inside of it needs a caller | |
//! | routes without it | outside of the layer, or [`AuthLayer::optional`](crate::AuthLayer::optional) | |
//! | `AuthSession`, `session.user` | [`Principal`](crate::Principal), [`Principal::user`](crate::Principal::user) | |
//! | `session.login(&user)` | [`TokenIssuer::issue`](crate::TokenIssuer::issue) | |
//! | `session.logout()` | [`SignOut`](crate::endpoint::SignOut), [`SignOutEverywhere`](crate::endpoint::SignOutEverywhere) | |
//! | `session_auth_hash` | nothing to write | Another password ends all sessions and private tokens of the user in the same step. |
//! | `Expiry::OnInactivity` | [`Tokens::access_lifetime`](crate::Tokens::access_lifetime), [`refresh_lifetime`](crate::Tokens::refresh_lifetime) | A refresh token is replaced at each refresh; a session lives 90 days at most, or as long as one refresh token where that is longer. |
//! | `tower_sessions` stores | [`store`](crate::store): memory, SQLite, PostgreSQL | What else was in the session needs a place of its own. |
//! | `login_url`, `next` | nothing | The page sees a 401 and goes to its own login. |
//!
//! # What clients will notice
//!
//! | | axum-login 0.18.0 | here |
//! |---|---|---|
//! | nothing presented | 401 without `WWW-Authenticate` and body, or 307 to `login_url` | 401 with both |
//! | nothing presented, where a permission is required | 403, or 307 | 401 |
//! | a permission is missing | 403 without body | 403, and which scope is missing |
//! | signed in | `Set-Cookie: id=…`, the answer is the handler's | JSON `{"access", "refresh"}`, `Cache-Control: no-store` |
//! | a form (`application/x-www-form-urlencoded`) | as the handler reads it | **415** at `SignIn`, which reads JSON alone; 400 names a field that is missing |
//! | signed out | the session's cookie | the **access token** in `Authorization`; a refresh token alone is not enough |
//! | the store of sessions fails | 500; a backend that fails in `permission_required!` is 403 | 503 with `Retry-After` |
//!
//! # Both beside each other
//!
//! A site with pages can keep axum-login for them and give the API to this crate: two routers, each
//! under its own layer, merged. A user has one id in both, so a handler of the site may hand out
//! an API key. Nothing bounds how many an application makes itself, so count them there:
//!
//! ```
//! use tower_auth::{ApiKeys, KeyIssuer, KeyRequest, Realm, Rejection, Subject, store::Memory};
//!
//! /// The site's handler calls it with `session.user`, and shows the key once.
//! async fn new_key(keys: &KeyIssuer, user_id: i64, name: &str) -> Result<String, Rejection> {
//!     let owner = Subject::user(user_id.to_string());
//!     let new = keys.issue(KeyRequest::new(owner, name).scope("reports:read")).await?;
//!     Ok(new.key.expose().clone())
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! assert!(new_key(&keys, 7, "ci").await?.starts_with("egret_"));
//! assert_eq!(new_key(&keys, 7, "").await.unwrap_err().status(), 400); // a key has a name
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```
//!
//! The layer of this crate does not read the session's cookie, and that of axum-login reads no
//! tokens, so a route is behind one of them. The page [`browsers`](super::browsers) says how a page
//! of the API's own host keeps a token in a cookie, and what then protects it from forged requests.
