//! Users, tokens, API keys: what a service issues, refreshes and revokes, and the endpoints for it
//! (features `endpoints`, and `axum` for a `Router`).
//!
//! ```rust
//! use tower_auth::endpoint::{ChangePassword, KeysEndpoint, Refresh};
//! use tower_auth::endpoint::{SignIn, SignOut, UsersEndpoint};
//! use tower_auth::{ApiKeys, AuthLayer, PasswordPolicy, Realm, Tokens, store::Memory};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = tower_auth::random_secret()?;
//! # let secret = secret.expose();
//! let realm = Realm::new(Memory::new());
//! let users = realm.users(PasswordPolicy::new()); // a disabled user is refused at once
//! let tokens = realm.tokens(Tokens::hs256(secret).issuer("https://api.example.com"));
//! let keys = realm.api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
//!
//! let endpoints = auth
//!     .endpoints()
//!     .mount("/users/", UsersEndpoint::of(&users)) // register, look at oneself, change oneself
//!     .mount("/token/", SignIn::of(&tokens)) // {email, password} → {access, refresh}
//!     .mount("/refresh/", Refresh::of(&tokens))
//!     .mount("/logout/", SignOut::of(&tokens))
//!     .mount("/password/", ChangePassword::of(&users, &tokens))
//!     .mount("/api-keys/", KeysEndpoint::of(&keys)) // create, list, rename, rotate, revoke
//!     .build()?;
//!
//! // Or use it as the tower service that it is.
//! let app: axum::Router = axum::Router::new().merge(endpoints);
//! # drop(app);
//! # Ok(())
//! # }
//! ```
//!
//! `cargo run --example sign_in` runs the whole life of a credential.
//!
//! - A refresh token is good once. Within a grace of 10 seconds its predecessor gets the same
//!   successor again (two tabs, a lost answer); after that, or once the successor was used, a
//!   predecessor that comes again revokes the whole family (RFC 9700 §4.14.2).
//! - A sign-out, a password change or a revocation is known to the next request, from memory. A
//!   credential that has ended creates nothing: a key, a private token or a change of a user is
//!   written only while the credential that asks for it is still good. With one store the check and
//!   the write are one step; with several, the credential is checked again after the write.
//! - A scope or role that is taken from a user is taken from all keys and tokens of that user by
//!   the next request. Given back, it is there again at once. A right that is new to the user comes
//!   with the next sign-in and to new keys. What a key makes does not outlive it, has no more
//!   rights, and counts with it; by default keys make no keys.
//! - Private tokens are long-lived JWTs that their owner names, lists with their last use, rotates
//!   and revokes: `.mount("/private-tokens/", PrivateTokensEndpoint::of(&tokens))`
//!   ([`PrivateTokensEndpoint`]).
//! - The first administrator is made at start: [`Users::ensure`] adds a user with a role where
//!   there is none of that name, and so does `tower-auth user add NAME --role admin`.
//!   [`UsersEndpoint::administrator`] says which role sees and changes all users.
//! - An API key is shown once, and rotates with an overlap of the caller's choice. It never has
//!   more scopes than its creator. One that rotates itself and loses the answer asks again within
//!   10 seconds. Callers make at most 100 for one owner, and as many private tokens.
//! - `.mount("/settings/api-keys/", Page::new())` adds a page on which users make, list, rotate and
//!   revoke their keys: by keyboard, with a screen reader, light or dark, on a phone. A new key has
//!   the scopes that they tick among their own, and a rate where [`KeysEndpoint::rates`] offers
//!   some. The page loads nothing from elsewhere under a strict Content-Security-Policy, and keeps
//!   tokens in its memory, or by choice in `__Host-` cookies that no script reads and no other
//!   route takes.
//! - Our own key pairs are made, published and replaced by a schedule:
//!   `Tokens::rotating(KeyRotation::new(JwtAlgorithm::Es256).sealed_with(secret))`. A key is in the
//!   JWKS a day before it signs, and until its last token has expired; all nodes agree on it in
//!   their store, where it is sealed. [`Jwks`] and [`IssuerMetadata`] let other services verify by
//!   the issuer's name.
//! - What is stored cannot be presented: hashes, ids and times, and private keys sealed by a secret
//!   that the store never sees.
//! - A Django REST service moves in ([`migrating_from_django`]): `tower-auth import django`
//!   moves its users, tokens and API keys, with feature `django-hashes` their hashes are read, and
//!   stored anew at their first use, and what simplejwt issued is accepted until it expires. Nobody
//!   signs in anew, and no key changes: `.ci/django` moves 10,000 users and 20,000 keys out of the
//!   databases of a real Django 5.2, killed in the middle once, and repeats what its clients had
//!   asked for.
//! - Everything that happens is one stream of events, for `tracing` and for a hook of yours, each
//!   refusal once. No secret is in it.
//!
//! # Sign-up and administration by routes of your own
//!
//! No endpoint gives rights, or disables somebody. These are functions of [`Users`], for routes
//! whose requirement says who may:
//!
//! ```rust
//! use axum::extract::{Path, State};
//! use axum::{Json, Router, http::StatusCode, routing::{post, put}};
//! use tower_auth::store::UserChange;
//! use tower_auth::throttle::Throttle;
//! use tower_auth::{NewUser, Principal, Rejection, Requirement, Secret, Subject, Users};
//! # use axum::{body::Body, http::Request, routing::get};
//! # use std::net::IpAddr;
//! # use tower::ServiceExt;
//! # use tower_auth::throttle::Peer;
//! # use tower_auth::{ApiKeys, AuthLayer, KeyRequest, PasswordPolicy, Realm, Scope, Tokens};
//! # use tower_auth::store::Memory;
//!
//! #[derive(serde::Deserialize)]
//! struct SignUp {
//!     name: String,
//!     password: String,
//! }
//!
//! async fn sign_up(
//!     State(users): State<Users>,
//!     Json(SignUp { name, password }): Json<SignUp>,
//! ) -> Result<StatusCode, Rejection> {
//!     users.register(NewUser::new(name, Secret::new(password)).scope("reports:read")).await?;
//!     Ok(StatusCode::CREATED)
//! }
//!
//! async fn disable(
//!     admin: Principal,
//!     State(users): State<Users>,
//!     Path(id): Path<String>,
//! ) -> Result<StatusCode, Rejection> {
//!     users.on_behalf_of(&admin).disable(&Subject::user(id)).await?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! async fn set_scopes(
//!     admin: Principal,
//!     State(users): State<Users>,
//!     Path(id): Path<String>,
//!     Json(scopes): Json<Vec<String>>,
//! ) -> Result<StatusCode, Rejection> {
//!     let mut change = UserChange::default();
//!     change.scopes = Some(scopes.iter().map(String::as_str).collect());
//!     users.on_behalf_of(&admin).change(&Subject::user(id), change).await?;
//!     Ok(StatusCode::NO_CONTENT)
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = tower_auth::random_secret()?;
//! # let realm = Realm::new(Memory::new());
//! # let users = realm.users(PasswordPolicy::new());
//! # let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
//! # let keys = realm.api_keys(ApiKeys::prefix("egret"));
//! # let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
//! let few = auth.throttle_public("sign-up", [Throttle::per_address("5/hour")])?;
//! let admins = Router::new()
//!     .route("/users/{id}/disable", post(disable))
//!     .route("/users/{id}/scopes", put(set_scopes))
//!     .route_layer(auth.require(Requirement::role("admin")));
//! let public = Router::new().route("/sign-up", post(sign_up)).layer(few);
//! let app = Router::new()
//!     .nest("/admin", admins)
//! #     .route("/reports", get(async || "all").layer(auth.require(Scope::new("reports:read"))))
//!     .layer(auth)
//!     .merge(public)
//!     .with_state(users.clone());
//! # let send = async |method: &str, path: &str, key: &str, body: &str| {
//! #     let request = Request::builder().method(method).uri(path).header("x-api-key", key);
//! #     let request = request.header("content-type", "application/json");
//! #     let request = request.extension(Peer(IpAddr::from([192, 0, 2, 7])));
//! #     let request = request.body(Body::from(body.to_owned())).unwrap();
//! #     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! # };
//! # let body = r#"{"name": "anna", "password": "tests only: a heron"}"#;
//! # assert_eq!(send("POST", "/sign-up", "", body).await, 201);
//! # assert_eq!(send("POST", "/sign-up", "", body).await, 400); // taken
//!
//! let anna = users.list(None, 1).await?.remove(0).id.clone();
//! let user = keys.issue(KeyRequest::new(anna.clone(), "ci").scope("reports:read")).await?.key;
//! let admin = KeyRequest::new(Subject::user("admin"), "console").role("admin");
//! let admin = keys.issue(admin).await?.key;
//! let (user, admin) = (user.expose(), admin.expose());
//! let scopes = format!("/admin/users/{anna}/scopes");
//! let disable = format!("/admin/users/{anna}/disable");
//! assert_eq!(send("GET", "/reports", user, "").await, 200);
//! assert_eq!(send("PUT", &scopes, user, "[]").await, 403); // no administrator
//! assert_eq!(send("PUT", &scopes, admin, "[]").await, 204);
//! assert_eq!(send("GET", "/reports", user, "").await, 403); // the key has it no more
//! assert_eq!(send("PUT", &scopes, admin, r#"["reports:read"]"#).await, 204);
//! assert_eq!(send("GET", "/reports", user, "").await, 200);
//! assert_eq!(send("POST", &disable, admin, "").await, 204);
//! assert_eq!(send("GET", "/reports", user, "").await, 401);
//! # Ok(()) }
//! ```
//!
//! A limit by address needs the peer's address: serve with `into_make_service_with_connect_info`,
//! and say which proxies are yours ([`deploying`](super::deploying)), or all visitors share the
//! five an hour. A refusal of `register` names the fields `name` and `password`. If your body uses
//! other names, build a new [`Rejection::invalid`] from its `fields` under your names.
//! [`format`](crate::format) shows what to do about bodies that are no JSON.
//!
//! [`IssuerMetadata`]: ../../endpoint/struct.IssuerMetadata.html
//! [`Jwks`]: ../../endpoint/struct.Jwks.html
//! [`PrivateTokensEndpoint`]: ../../endpoint/struct.PrivateTokensEndpoint.html
//! [`Users::ensure`]: ../../struct.Users.html#method.ensure
//! [`UsersEndpoint::administrator`]: ../../endpoint/struct.UsersEndpoint.html#method.administrator
//! [`KeysEndpoint::rates`]: ../../endpoint/struct.KeysEndpoint.html#method.rates
//! [`Rejection::invalid`]: crate::Rejection::invalid
//! [`Users`]: ../../struct.Users.html
//! [`migrating_from_django`]: ../migrating_from_django/index.html
