//! Troubleshooting: why is it 401, 400, 403, 429, 503 or 500, and what to do about it.
//!
//! # Why 401?
//!
//! A client learns little on purpose: a forged and an expired token are answered alike. The server
//! knows more, and tells it in four places. Look in this order:
//!
//! 1. **The answer.** The `code` of the body says what kind of refusal it is, and
//!    `WWW-Authenticate` has a line for each scheme that this layer accepts. A line with
//!    `error="invalid_token"` says that a Bearer token was read and refused; where no line has an
//!    `error`, no Bearer token was read.
//! 2. **The log.** Refusals are `tracing` events of target `tower_auth`, at `debug` where the
//!    client is to blame. Where nothing prints them yet: `cargo add tracing-subscriber --features
//!    env-filter`, `tracing_subscriber::fmt::init();` at the start of `main`, and run with
//!    `RUST_LOG=tower_auth=debug`. The field `reason` says in a word what was wrong.
//! 3. **[`AuthLayer::explain`](crate::AuthLayer::explain)** tells step by step what the layer makes
//!    of a request, in a test or on a page for administrators. It counts and writes nothing.
//! 4. **`tower-auth explain`** does so from a shell, for API keys, passwords and tokens of one's
//!    own (feature `cli`): `tower-auth explain < credential.txt`.
//!
//! The first two, for a token that has expired:
//!
//! ```text
//! HTTP/1.1 401 Unauthorized
//! www-authenticate: Bearer realm="api", error="invalid_token"
//!
//! {"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token is not valid.","code":"token_invalid"}
//! ```
//!
//! ```text
//! DEBUG tower_auth: request refused kind=ExpiredToken reason="exp" scheme="Bearer" method="GET"
//! ```
//!
//! The same reaches the application's own code by [`Realm::on_event`](crate::Realm::on_event), with
//! the caller where one was verified, the route, the peer and the id of the request
//! ([`Event`](crate::event::Event)):
//!
//! ```
//! use http::{Request, Response};
//! use serde_json::json;
//! use std::sync::{Arc, Mutex};
//! use tower::{ServiceExt, service_fn};
//! use tower_auth::test_util::TokenMint;
//! use tower_auth::{AuthLayer, Jwt, Realm, random_secret, store::Memory};
//! use tower_layer::Layer;
//! # use tracing_subscriber::{filter::LevelFilter, util::SubscriberInitExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (log, writer) = std::io::pipe()?;
//! # let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::DEBUG).with_ansi(false);
//! # let guard = subscriber.with_writer(Mutex::new(writer)).finish().set_default();
//! let reasons = Arc::new(Mutex::new(Vec::new()));
//! let told = Arc::clone(&reasons);
//! let realm = Realm::new(Memory::new()).on_event(move |event| {
//!     told.lock().unwrap().extend(event.rejection().map(|rejection| rejection.reason()));
//! });
//! let secret = random_secret()?; // a real service has it in its environment
//! let jwt = Jwt::hs256(secret.expose()).issuer("https://login.example.com").audience("reports");
//! let auth = AuthLayer::builder().realm(&realm).accept(jwt).build()?;
//! let handler = |_: Request<String>| async {
//!     Ok::<_, std::convert::Infallible>(Response::new(String::new()))
//! };
//! let app = auth.layer(service_fn(handler));
//! let expiring = |at: u64| {
//!     let token = TokenMint::hs256(secret.expose()).sign(&json!({
//!         "iss": "https://login.example.com", "aud": "reports", "sub": "anna", "exp": at,
//!     }));
//!     Request::get("/").header("authorization", format!("Bearer {token}")).body(String::new())
//! };
//!
//! assert_eq!(app.clone().oneshot(expiring(4_000_000_000)?).await?.status(), 200);
//! let refused = app.oneshot(expiring(1_000_000_000)?).await?;
//! assert_eq!(refused.status(), 401);
//! let challenge = &refused.headers()["www-authenticate"];
//! assert_eq!(challenge, r#"Bearer realm="api", error="invalid_token""#);
//! assert_eq!(*reasons.lock().unwrap(), ["exp"]);
//! # drop(guard);
//! # let log = std::io::read_to_string(log)?;
//! # let line = r#"DEBUG tower_auth: request refused kind=ExpiredToken reason="exp" scheme="Bearer" method="GET""#;
//! # assert!(log.contains(line), "{log}");
//! # Ok(()) }
//! ```
//!
//! The third, for a token that was issued to another service:
//!
//! ```
//! use serde_json::json;
//! use tower_auth::test_util::TokenMint;
//! use tower_auth::{AuthLayer, Jwt, RejectionKind, random_secret};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = random_secret()?; // a real service has it in its environment
//! let jwt = Jwt::hs256(secret.expose()).issuer("https://login.example.com").audience("reports");
//! let auth = AuthLayer::builder().accept(jwt).build()?;
//! let with_audience = |audience: &str| {
//!     let token = TokenMint::hs256(secret.expose()).sign(&json!({
//!         "iss": "https://login.example.com", "aud": audience, "sub": "anna",
//!         "exp": 4_000_000_000_u64,
//!     }));
//!     http::Request::get("/").header("authorization", format!("Bearer {token}")).body(())
//! };
//!
//! let (head, ()) = with_audience("invoices")?.into_parts();
//! let told = auth.explain(&head).await;
//! assert!(told.to_string().contains(r#"aud "invoices""#)); // what the token says
//! assert!(told.to_string().contains("Bearer: refused, token_invalid (aud)")); // why
//! assert_eq!(told.rejection().unwrap().kind(), RejectionKind::InvalidToken);
//!
//! let (head, ()) = with_audience("reports")?.into_parts();
//! assert!(auth.explain(&head).await.rejection().is_none());
//! # Ok(()) }
//! ```
//!
//! | `code` in the body | why | what to do |
//! |---|---|---|
//! | `not_authenticated` | No credential is where this layer reads one. | Look at the request as the server gets it: a proxy or a redirect to another host may have dropped `Authorization`. Cookies, query parameters and WebSocket protocols are read only where [`Source`](crate::credential::Source) says so. |
//! | `scheme_unknown` | `Authorization` names a scheme that is not accepted, such as `Token` or `Basic`, or has a token without `Bearer` before it. | `WWW-Authenticate` lists those that are; correct the client, `accept` the other scheme, or give it as a source. |
//! | `credential_malformed` | The field is not `Scheme credential`: quotes, or a space within the credential. | Send `Authorization: Bearer TOKEN`. |
//! | `credential_empty`, `credential_non_ascii`, `credential_oversized` | An unset variable in the client, a copied character that is not ASCII, or a field beyond [`max_credential_len`](crate::layer::AuthLayerBuilder::max_credential_len) (8 KiB by default). | Correct the client; for large tokens raise the length. |
//! | `token_invalid` | The token was read and refused. | The `reason` of the next table. |
//! | `api_key_invalid` | `checksum`: mistyped or cut off. `unknown`: not in this store, or another prefix or pepper. `revoked or expired`. `unrecognised`: nothing here accepts keys of this form. | `tower-auth key list`, or [`explain`](crate::AuthLayer::explain). |
//! | `invalid_credentials` | The name, the password or the state of the account; which of them, nobody is told. | `tower-auth user show NAME` |
//! | `dpop_proof_invalid`, `dpop_nonce_required` | The proof that belongs to the token is missing, wrong, used before, or needs the nonce of `DPoP-Nonce`. | Proofs are for the URL that the client sees: set [`public_url`](crate::layer::AuthLayerBuilder::public_url). |
//!
//! ```
//! use http::{HeaderValue, Request};
//! use tower_auth::store::Memory;
//! use tower_auth::{ApiKeys, AuthLayer, Jwt, KeyRequest, Realm, Subject, random_secret};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let secret = random_secret()?; // a real service has it in its environment
//! let jwt = Jwt::hs256(secret.expose()).issuer("https://login.example.com").audience("reports");
//! let auth = AuthLayer::builder().accept(jwt).accept(&keys).build()?;
//! let code = async |name: &'static str, value: &[u8]| {
//!     let value = HeaderValue::from_bytes(value).unwrap();
//!     let (head, ()) = Request::get("/").header(name, value).body(()).unwrap().into_parts();
//!     auth.explain(&head).await.rejection().map(|refused| refused.kind().code())
//! };
//!
//! assert_eq!(code("accept", b"*/*").await, Some("not_authenticated"));
//! assert_eq!(code("cookie", b"__Host-access=x").await, Some("not_authenticated"));
//! assert_eq!(code("authorization", b"Token x").await, Some("scheme_unknown"));
//! assert_eq!(code("authorization", b"Basic YTpi").await, Some("scheme_unknown"));
//! assert_eq!(code("authorization", b"egret_x").await, Some("scheme_unknown"));
//! assert_eq!(code("authorization", b"Bearer \"x\"").await, Some("credential_malformed"));
//! assert_eq!(code("authorization", b"Bearer x y").await, Some("credential_malformed"));
//! assert_eq!(code("authorization", b"Bearer ").await, Some("credential_empty"));
//! assert_eq!(code("x-api-key", b"").await, Some("credential_empty"));
//! assert_eq!(code("x-api-key", "k\u{e4}".as_bytes()).await, Some("credential_non_ascii"));
//! assert_eq!(code("x-api-key", &[b'x'; 10_000]).await, Some("credential_oversized"));
//! assert_eq!(code("authorization", b"Bearer a.b.c").await, Some("token_invalid"));
//! assert_eq!(code("authorization", b"Bearer opaque").await, Some("token_invalid"));
//! assert_eq!(code("authorization", b"Bearer egret_x").await, Some("api_key_invalid"));
//! assert_eq!(code("x-api-key", b"heron_x").await, Some("api_key_invalid"));
//! let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?.key;
//! assert_eq!(code("x-api-key", key.expose().as_bytes()).await, None);
//! # Ok(()) }
//! ```
//!
//! | `reason` of a token | why | what to do |
//! |---|---|---|
//! | `exp`, `max age` | It has expired, or says no end. | Refresh it. |
//! | `nbf`, `iat` | It is from the future by more than the leeway: a clock is wrong. `iat` is also one that is missing where [`Jwt::max_age`](crate::Jwt::max_age) or [`Jwt::rfc9068`](crate::Jwt::rfc9068) needs it. | Have both machines keep time by NTP; [`Jwt::leeway`](crate::Jwt::leeway) is 60 seconds by default, and 10 minutes at most. |
//! | `aud` | It was issued to another service, or says no audience. | Have the issuer write your API's name; where it cannot, there is [`Jwt::instead_of_audience`](crate::Jwt::instead_of_audience). |
//! | `iss` | Another issuer. They are compared byte by byte: a slash at the end counts. | Copy `iss` from a token that was issued. |
//! | `kid`, `signature` | No key of that id, or another key: another tenant, environment or secret. | Compare the issuer's JWKS URL with the `kid` that `explain` shows. |
//! | `typ`, `token_type`, `token_use` | An ID token or a refresh token. | Send the access token. |
//! | `segments`, `base64url`, `utf-8`, `header`, `claims`, `signature form` | It is no JWT. | Opaque tokens need [`Introspection`](crate::jwt::Introspection). |
//! | `sub`, `jti`, `sid`, `client_id` | A claim is missing that this issuer's tokens must have, or is no text. | Have the issuer write it; [`Jwt::subject_claim`](crate::Jwt::subject_claim) reads the subject elsewhere. |
//! | `cnf`, `not bound`, `certificate`, `no certificate` | A token that is bound to its sender came without that, or one that is not bound came where only bound ones are accepted. | [`Jwt::dpop`](../../struct.Jwt.html#method.dpop), [`Jwt::certificate_bound`](../../struct.Jwt.html#method.certificate_bound) |
//! | `revoked`, `account disabled` | Signed out, or the user was disabled. For a key, `account disabled` is its owner. | Sign in anew. |
//! | `inactive` | The issuer says so (RFC 7662). | Sign in anew. |
//! | `load_user knows no such user` | [`load_user`](crate::layer::AuthLayerBuilder::load_user) gave `None`. | Add the user to the application's own tables. |
//! | `source` | The token came in a place from which this issuer's tokens are not read. | [`Jwt::sources`](crate::Jwt::sources) |
//!
//! # 400
//!
//! `invalid_request` is a request with **two credentials**, in whichever two places: a cookie that
//! is a source beside a token, `X-API-Key` beside `Authorization`, or one field twice because a
//! proxy adds its own. None of them is tried, for whoever looks at the other one would see another
//! caller. Take one of them out, at the proxy for example. `validation_error` is about the body.
//!
//! ```
//! use http::Request;
//! use tower::{ServiceExt, service_fn};
//! use tower_auth::store::Memory;
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};
//! use tower_layer::Layer;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//! let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?;
//! let key = new.key.expose();
//! let hello = |_: Request<String>| async {
//!     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
//! };
//! let app = auth.layer(service_fn(hello));
//!
//! let one = Request::get("/").header("x-api-key", key).body(String::new())?;
//! assert_eq!(app.clone().oneshot(one).await?.status(), 200);
//! let two = Request::get("/").header("x-api-key", key);
//! let two = two.header("authorization", format!("Bearer {key}"));
//! assert_eq!(app.oneshot(two.body(String::new())?).await?.status(), 400);
//! # Ok(()) }
//! ```
//!
//! # 403
//!
//! | seen | why | what to do |
//! |---|---|---|
//! | `insufficient_scope` | The caller is known and lacks a scope: the member `scope` of the body and the challenge name it. | Grant it. If the token does have it, it stands in another claim: [`Jwt::scope_claim`](crate::Jwt::scope_claim). |
//! | `permission_denied` | A role, a method, a check or the handler itself refused. | `reason` in the log. |
//! | the same, `reason` is `no token` | A handler asked for claims ([`Principal::claims`](crate::Principal::claims)), and the caller presented a key or a password. | Accept tokens alone on that route, or read what keys have: their owner, their metadata. |
//! | the same, `reason` is `not from the page` | A cookie that another site's page sent, or a script that is no browser. | Set [`public_url`](crate::layer::AuthLayerBuilder::public_url); scripts send a token or a key. |
//!
//! A user who lost a right loses it in all their keys and tokens at once: `explain` says so at the
//! step `account`.
//!
//! # 429
//!
//! `Retry-After` says when to come again. There are three causes:
//!
//! - A [`Throttle`](crate::throttle::Throttle) is full, which `RateLimit` and `RateLimit-Policy`
//!   name.
//! - Too many credentials were wrong, or one address had too many passwords checked, right or
//!   wrong, or too many users registered ([`AttemptLimits`](crate::throttle::AttemptLimits) has the
//!   numbers).
//! - Too many passwords wait to be hashed, or too many look-ups of unknown keys are under way.
//!
//! If everybody is refused at once behind a proxy, all callers have the proxy's address: see below.
//!
//! # 503
//!
//! A store, a limiter, an issuer or `load_user` failed, panicked or did not answer in time. It is
//! never a 401 and never a pass. The event at `error` has the whole chain of errors as `source`.
//! The event `keys not loaded` is an issuer that cannot be reached: a wrong URL, a firewall, or a
//! certificate that is not trusted. Keys that are held serve on for a day; where there are none,
//! requests are refused with the `reason` `keys`. Tables that are missing want `tower-auth
//! migrate`, or [`Store::migrate`](crate::store::Store::migrate). `tower-auth doctor` looks for
//! what is wrong with the store, its tables, the clocks and Redis; it asks no issuer.
//!
//! # 500
//!
//! | `code` | why | what to do |
//! |---|---|---|
//! | `misconfigured` | No layer saw the request, and a handler or a gate asked for its caller. | Put the layer outside of it: the next section. |
//! | `internal_error` | A function of the application's own panicked: a hook, a check, a scheme. | The log has the panic. |
//! | the same, without a panic | A rule counts by address and the server tells none; the realm has no store for what was asked; or a token is too long for a cookie. | `reason` and `source` in the log. For the address, the section below. |
//!
//! # What `build()` says
//!
//! Every mistake in the configuration at once, each in a sentence that names the rule
//! ([`ConfigProblem`](crate::ConfigProblem)):
//!
//! ```
//! use tower_auth::{AuthLayer, ConfigProblem, Jwt, random_secret};
//!
//! let wrong = Jwt::hs256("short").issuer("https://login.example.com");
//! let error = AuthLayer::builder().accept(wrong).build().unwrap_err();
//! assert!(matches!(
//!     error.problems(),
//!     [ConfigProblem::Audience, ConfigProblem::ShortSecret { .. }],
//! ));
//! assert!(error.to_string().contains("a Jwt needs an audience that is not empty"));
//!
//! let right = Jwt::hs256(random_secret()?.expose()).issuer("https://login.example.com");
//! assert!(AuthLayer::builder().accept(right.audience("reports")).build().is_ok());
//! # Ok::<(), tower_auth::RandomError>(())
//! ```
//!
//! # What the compiler says
//!
//! | error | what to do |
//! |---|---|
//! | `could not find endpoint in tower_auth` | feature `endpoints` |
//! | `the trait Handler<_, _> is not implemented for` a handler that takes a `Principal` or answers a `Rejection` | feature `axum`; and axum 0.8, as [`features`](super::features) says |
//! | `the trait bound Router<_>: From<Endpoints> is not satisfied` | the same |
//! | `type annotations needed … NewError` (E0283) at a second `layer` of a method's route | `route_layer` in its place |
//! | `the trait From<Rejection> is not implemented for Status` | feature `tonic`, and tonic 0.14 |
//!
//! # The order of layers in axum
//!
//! `Router::layer` wraps the routes that are there *already*, and the last one that is added is the
//! outermost. So `require` comes first and the layer after it; a route that is added later is open,
//! and a handler there that takes a [`Principal`](crate::Principal) answers 500. `ServiceBuilder`
//! is the other way round: its first layer is the outermost.
//!
//! `layer` also wraps the fallback, so that an unknown path is 401 for callers without a
//! credential; `route_layer` wraps routes alone, and an unknown path is 404 for everybody (axum
//! 0.8).
//!
//! ```
//! # use http::Request;
//! # use tower::ServiceExt;
//! # use tower_auth::store::Memory;
//! # use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Principal, Realm, Scope, Subject};
//! use axum::{Router, body::Body, routing::get};
//!
//! async fn whoami(caller: Principal) -> String {
//!     caller.subject().to_string()
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! # let auth = AuthLayer::builder().accept(&keys).build()?;
//! # let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci").scope("admin")).await?;
//! # let status = async |app: &Router, path: &str, key: Option<&str>| {
//! #     let mut request = Request::get(path);
//! #     if let Some(key) = key { request = request.header("x-api-key", key) }
//! #     app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
//! # };
//! let key = Some(new.key.expose().as_str());
//! let right = Router::new()
//!     .route("/", get(whoami))
//!     .route_layer(auth.require(Scope::new("admin"))) // inside
//!     .layer(auth.clone()); // outside
//! assert_eq!(status(&right, "/", key).await, 200);
//! assert_eq!(status(&right, "/", None).await, 401);
//! assert_eq!(status(&right, "/nowhere", None).await, 401);
//!
//! let wrong = Router::new()
//!     .route("/", get(whoami))
//!     .route_layer(auth.clone()) // inside: the requirement sees no caller
//!     .layer(auth.require(Scope::new("admin")))
//!     .route("/late", get(whoami)); // no layer at all
//! assert_eq!(status(&wrong, "/", key).await, 500);
//! assert_eq!(status(&wrong, "/late", key).await, 500);
//!
//! let routes_alone = Router::new().route("/", get(whoami)).route_layer(auth);
//! assert_eq!(status(&routes_alone, "/nowhere", None).await, 404);
//! # Ok(()) }
//! ```
//!
//! # Other mistakes in the set-up
//!
//! | seen | why | what to do |
//! |---|---|---|
//! | The browser says "blocked by CORS", and the log has a 401 for `OPTIONS`. | A preflight never has a credential, and it met this layer first. | Add the CORS layer last, outside of this one; or [`allow_preflight`](crate::layer::AuthLayerBuilder::allow_preflight). |
//! | The browser says "blocked by CORS" for a refusal alone. | The refusal came from outside of the CORS layer. | The same order. |
//! | `peer unknown` in the log | The server does not tell from where a request comes, so attempts are counted by account alone. | axum: `into_make_service_with_connect_info::<SocketAddr>()`; elsewhere insert a [`Peer`](crate::throttle::Peer). |
//! | Behind a proxy 429 for everybody | All requests have the address of the proxy. | [`Addresses::trust`](crate::throttle::Addresses::trust) |
//! | Sign-in and Basic are slow while you develop. | argon2 is meant to be slow, and without optimisation it is many times slower. | In `Cargo.toml`: `[profile.dev.package.argon2]` and `[profile.dev.package.blake2]`, each with `opt-level = 3`. |
//! | Keys and users are gone after a restart. | [`Memory`](crate::store::Memory) ends with the process. | SQLite or PostgreSQL: [`stores`](super::stores) |
//! | A gRPC client sees `UNAUTHENTICATED` although it sent a token. | Its metadata key is not `authorization`, or the value lacks `Bearer `. | The same tables apply: a gRPC refusal is HTTP 200 with `grpc-status`, and the log has the `reason`. |
//! | A cookie is not read. | Its name does not begin with `__Host-`, or it is no source of the scheme. | [`Source::cookie`](crate::credential::Source::cookie) |
//! | A revoked key passes for a moment on another node. | Its news take up to [`StoreOptions::lag`](crate::store::StoreOptions::lag). | Alert on the lag: page [`metrics`](../metrics/index.html). |
