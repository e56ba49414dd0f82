//! Testing an application: its handlers behind the layer, without a network, a real issuer or a
//! sleep (feature `test-util`).
//!
//! ```toml
//! [dev-dependencies]
//! tower-auth = { version = "0.1", features = ["test-util"] }
//! tower = { version = "0.5", features = ["util"] }
//! ```
//!
//! Keep the feature out of `[dependencies]`: with it a service can be told who calls.
//!
//! | wanted in a test | there is |
//! |---|---|
//! | a caller, without any credential | [`SignedIn`](crate::test_util::SignedIn) |
//! | a token of another issuer, good or bad | [`TokenMint`](crate::test_util::TokenMint) |
//! | an API key, a token of one's own | the same as in the service, over [`Memory`](crate::store::Memory) |
//! | an identity provider, as discovery finds it | [`Jwks`](crate::endpoint::Jwks) and [`IssuerMetadata`](crate::endpoint::IssuerMetadata), see below |
//! | time that passes | [`ManualClock`](crate::test_util::ManualClock) |
//! | a store that fails, hangs or panics | [`Intercepted`](crate::test_util::Intercepted) |
//! | users to sign in as | [`demo_users`](crate::test_util::demo_users) |
//! | proof that a store of one's own is right | [`store::conformance`](crate::store::conformance) |
//! | why a request is refused | [`AuthLayer::explain`](crate::AuthLayer::explain) |
//!
//! A router is a tower service, so `tower::ServiceExt::oneshot` sends it a request in process.
//! Write the application as a function of what it needs, `fn app(auth: &AuthLayer) -> Router`, and
//! have `main` and the tests call it.
//!
//! # Who calls
//!
//! Most tests are about a handler and its rights, not about credentials. `SignedIn` stands outside
//! of the whole application; its layers count the request and hold it against their requirements as
//! ever. Test the refusals too, or you will not notice when the protection stops
//! working.
//!
//! ```
//! use axum::{Router, body::Body, routing::get};
//! use http::Request;
//! use tower::ServiceExt;
//! use tower_auth::test_util::SignedIn;
//! use tower_auth::{ApiKeys, AuthLayer, Principal, Realm, Scope, Subject, store::Memory};
//!
//! fn app(auth: &AuthLayer) -> Router {
//!     let reports = async |caller: Principal| format!("reports of {}", caller.subject());
//!     Router::new()
//!         .route("/reports", get(reports).layer(auth.require(Scope::new("reports:read"))))
//!         .layer(auth.clone())
//! }
//!
//! async fn status(app: Router) -> u16 {
//!     let request = Request::get("/reports").body(Body::empty()).unwrap();
//!     app.oneshot(request).await.unwrap().status().as_u16()
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//!
//! let anna = Principal::builder(Subject::user("anna"));
//! let reader = SignedIn::new(anna.scope("reports:read").build());
//! assert_eq!(status(app(&auth).layer(reader)).await, 200);
//! let nothing_granted = SignedIn::new(Principal::builder(Subject::user("anna")).build());
//! assert_eq!(status(app(&auth).layer(nothing_granted)).await, 403);
//! assert_eq!(status(app(&auth)).await, 401);
//! # Ok(()) }
//! ```
//!
//! # Tokens of another issuer, and time
//!
//! A mint signs what it is given, so a test can have a token that the real issuer would not make.
//! The clock stands still until it is moved. It is given to a realm, and a layer that accepts only
//! tokens of others takes its realm by
//! [`AuthLayerBuilder::realm`](crate::layer::AuthLayerBuilder::realm).
//!
//! ```
//! use http::{Request, Response};
//! use serde_json::json;
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use tower::{ServiceExt, service_fn};
//! use tower_auth::test_util::{ManualClock, TokenMint};
//! use tower_auth::{AuthLayer, Jwt, Realm, store::Memory};
//! use tower_layer::Layer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! const NOW: u64 = 1_800_000_000;
//! let clock = ManualClock::new(NOW);
//! let realm = Realm::new(Memory::new()).clock(clock.clone());
//! let mint = TokenMint::es256(); // what the service would load from the issuer's JWKS URL
//! let jwt = Jwt::new().issuer("https://login.example.com").audience("reports").key(mint.key());
//! let auth = AuthLayer::builder().realm(&realm).accept(jwt).build()?;
//! let handler = |_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) };
//! let app = auth.layer(service_fn(handler));
//! let status = async |token: &str| {
//!     let request = Request::get("/").header("authorization", format!("Bearer {token}"));
//!     let request = request.body(String::new()).unwrap();
//!     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! };
//!
//! let mut claims = json!({
//!     "iss": "https://login.example.com", "aud": "reports", "sub": "anna", "exp": NOW + 300,
//! });
//! let token = mint.sign(&claims);
//! assert_eq!(status(&token).await, 200);
//! assert_eq!(status(&TokenMint::es256().sign(&claims)).await, 401); // signed by somebody else
//! claims["aud"] = json!("invoices");
//! assert_eq!(status(&mint.sign(&claims)).await, 401); // for another service
//!
//! clock.advance(Duration::from_secs(359)); // a leeway of 60 seconds is allowed
//! assert_eq!(status(&token).await, 200);
//! clock.advance(Duration::from_secs(1));
//! assert_eq!(status(&token).await, 401);
//! # Ok(()) }
//! ```
//!
//! # An identity provider
//!
//! [`TokenMint::jwks`](crate::test_util::TokenMint::jwks) is the document that a provider serves.
//! To have the service find the keys as it does in production, by [`Jwt::oidc`](crate::Jwt::oidc),
//! let a realm of the test be the provider: its endpoints publish the keys, and a
//! [`Fetch`](crate::fetch::Fetch) hands them over without a network. Or serve them on `127.0.0.1`,
//! where `http` is good, and give no fetcher. After a load for an unknown key, or one that failed,
//! the provider is not asked again for 10 seconds of the realm's clock.
//!
//! ```
//! use async_trait::async_trait;
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full, Limited};
//! use serde_json::json;
//! use tower::ServiceExt;
//! use tower_auth::endpoint::{Endpoints, IssuerMetadata, Jwks};
//! use tower_auth::fetch::{Fetch, FetchError};
//! use tower_auth::store::Memory;
//! use tower_auth::jwt::{JwtAlgorithm, KeyRotation};
//! use tower_auth::{AuthLayer, Grant, Jwt, Realm, Subject, Tokens};
//! use tower_auth::{TokenIssuer, random_secret};
//!
//! const ISSUER: &str = "https://login.example.com";
//!
//! struct InProcess(Endpoints);
//!
//! #[async_trait]
//! impl Fetch for InProcess {
//!     async fn fetch(
//!         &self,
//!         request: Request<Bytes>,
//!         longest: usize,
//!     ) -> Result<Response<Bytes>, FetchError> {
//!         let Ok(response) = self.0.clone().oneshot(request.map(Full::new)).await;
//!         let (head, body) = response.into_parts();
//!         let body = Limited::new(body, longest).collect().await.map_err(FetchError::new)?;
//!         Ok(Response::from_parts(head, body.to_bytes()))
//!     }
//! }
//!
//! fn provider(audience: &str) -> Result<(TokenIssuer, Endpoints), Box<dyn std::error::Error>> {
//!     let keys = KeyRotation::new(JwtAlgorithm::Es256).sealed_with(random_secret()?.expose());
//!     let tokens = Tokens::rotating(keys).issuer(ISSUER).audience(audience);
//!     let tokens = Realm::new(Memory::new()).tokens(tokens);
//!     let endpoints = AuthLayer::builder().accept(&tokens).build()?.endpoints();
//!     let endpoints = endpoints
//!         .mount("/.well-known/openid-configuration", IssuerMetadata::of(&tokens))
//!         .mount("/.well-known/jwks.json", Jwks::of(&tokens));
//!     Ok((tokens, endpoints.build()?))
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (tokens, endpoints) = provider("reports")?;
//! let jwt = Jwt::oidc(ISSUER).audience("reports").role_claim(["realm_access", "roles"]);
//! let auth = AuthLayer::builder().accept(jwt.fetcher(InProcess(endpoints))).build()?;
//! auth.ready().await?;
//!
//! let grant = Grant::new(Subject::user("anna"));
//! let grant = grant.claim("realm_access", &json!({ "roles": ["editor"] }))?;
//! # let judge = async |tokens: &TokenIssuer, grant: Grant| {
//! #     let pair = tokens.issue(grant).await.unwrap();
//! #     let bearer = format!("Bearer {}", pair.access().expose());
//! #     let request = Request::get("/").header("authorization", bearer).body(()).unwrap();
//! #     auth.explain(&request.into_parts().0).await
//! # };
//! // What the layer makes of the access token that an issuer gives for this grant:
//! let told = judge(&tokens, grant.clone()).await;
//! assert!(told.caller().unwrap().has_role("editor"));
//! let (somebody_else, _) = provider("reports")?; // the same name, other keys
//! assert_eq!(judge(&somebody_else, grant).await.rejection().unwrap().status(), 401);
//! # Ok(()) }
//! ```
//!
//! # A store that fails
//!
//! To test an outage, use a store that fails on command. The hook
//! gets the name of each call; `Intercept::Hang` is a store that is too slow, which
//! [`Realm::store_deadline`](crate::Realm::store_deadline) ends.
//!
//! ```
//! use http::Request;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use tower_auth::test_util::{Intercept, Intercepted};
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
//! # use http::Response;
//! # use std::convert::Infallible;
//! # use tower::{ServiceExt, service_fn};
//! # use tower_layer::Layer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let is_down = Arc::new(AtomicBool::new(false));
//! let seen = Arc::clone(&is_down);
//! let store = Intercepted::new(Memory::new(), move |_call| {
//!     if seen.load(Ordering::Relaxed) { Intercept::Fail } else { Intercept::Pass }
//! });
//! let keys = Realm::new(store).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//! let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?.key;
//! # let handler = |_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) };
//! # let app = auth.layer(service_fn(handler));
//! # let status = async || {
//! #     let request = Request::get("/").header("x-api-key", key.expose()).body(String::new()).unwrap();
//! #     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! # };
//! assert_eq!(status().await, 200); // sends the key to the application
//! is_down.store(true, Ordering::Relaxed);
//! assert_eq!(status().await, 503); // never 401, and never a pass
//! # Ok(()) }
//! ```
//!
//! # SQLite in tests
//!
//! `Memory` keeps the promises of the databases, and is enough where the store is not the matter.
//! `Sqlite` refuses `:memory:`: give each test a file in a directory of its own, and call
//! `migrate`. The realm's clock decides what expires. That of
//! [`StoreOptions`](crate::store::StoreOptions) says when what has ended is removed, ten minutes
//! after the start for the first time.
//!
//! # A store of one's own
//!
//! Each role of a store has a suite that checks what its documentation promises, on stores that the
//! test makes; the page of [`store::conformance`](crate::store::conformance) has a line for each
//! role. `examples/custom_store.rs` is a store over two tables of an application.
//!
//! # What is told
//!
//! [`Realm::on_event`](crate::Realm::on_event) hears of every refusal, sign-in and change, so a
//! test can collect the names and compare them. Layers outside of this one find the refusal by
//! [`ResponseBody::rejection`](crate::layer::ResponseBody::rejection), where the router has not
//! boxed the body.
