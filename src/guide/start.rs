//! A service with users, tokens, API keys, limits and ready-made endpoints, in one piece; then what
//! each part of it does.
//!
//! # Set-up
//!
//! A [`Realm`](crate::Realm) groups what is protected together: stores, clock, events and counts of
//! attempts. You give it plain configuration, and it makes the services of it ([`Users`],
//! [`TokenIssuer`], [`KeyIssuer`]). A layer accepts these, and `build()` reports every mistake of
//! all of them.
//!
//! ```text
//! cargo add tower-auth --features axum,endpoints
//! ```
//!
//! ```rust
//! use axum::{Router, body::Body, routing::{get, post}};
//! use http::Request;
//! use std::time::Duration;
//! use tower::ServiceExt;
//! use tower_auth::endpoint::{KeysEndpoint, SignIn};
//! use tower_auth::{ApiKeys, AuthLayer, Jwt, KeyRequest, PasswordPolicy, Principal, Realm};
//! use tower_auth::{Scope, Subject, Tokens, random_secret, store::Memory, throttle::Throttle};
//!
//! async fn list(caller: Principal) -> String {
//!     format!("reports of {}", caller.subject())
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // A real service has its secrets in its environment.
//!     let (secret, login_secret) = (random_secret()?, random_secret()?);
//!
//!     // Memory, or Sqlite, Postgres, or stores of one's own, each by its role.
//!     let realm = Realm::new(Memory::new())
//!         .on_event(|event| println!("{}", event.action().name()));
//!
//!     let users = realm.users(PasswordPolicy::new());
//!     let tokens = Tokens::hs256(secret.expose()).issuer("https://api.example.com");
//!     let tokens = realm.tokens(tokens.access_lifetime(Duration::from_secs(30 * 60)));
//!     let keys = realm.api_keys(ApiKeys::prefix("egret"));
//!     // Tokens that others issue.
//!     let others = Jwt::hs256(login_secret.expose())
//!         .issuer("https://login.example.com")
//!         .audience("api");
//!
//!     let auth = AuthLayer::builder()
//!         .accept(&tokens)
//!         .accept(&keys)
//!         .accept(users.basic())
//!         .accept(others)
//!         .throttle(Throttle::per_principal("2000/day"))
//!         .build()?; // every configuration mistake of all of them, listed, here
//!     let endpoints = auth
//!         .endpoints()
//!         .mount("/token/", SignIn::of(&tokens))
//!         .mount("/api-keys/", KeysEndpoint::of(&keys))
//!         .build()?;
//!
//!     let app: Router = Router::new()
//!         .route("/reports/", get(list))
//!         .route("/reports/new/", post(list).layer(auth.require(Scope::new("reports:write"))))
//!         .layer(auth) // everything above needs a credential
//!         .merge(endpoints); // the endpoints know what they need
//!
//!     // An API key: the raw key is shown once, the store keeps a hash.
//!     let wanted = KeyRequest::new(Subject::user("7"), "ci").scope("reports:write");
//!     let new = keys.issue(wanted).await?;
//!
//!     let request = |key: &str| {
//!         let request = Request::get("/reports/").header("X-API-Key", key);
//!         request.body(Body::empty())
//!     };
//!     assert_eq!(app.clone().oneshot(request(new.key.expose())?).await?.status(), 200);
//!     assert_eq!(app.clone().oneshot(request("egret_guess")?).await?.status(), 401);
//!     Ok(())
//! }
//! ```
//!
//! In a debug build, hashing one password takes more than a second. If your service hashes
//! passwords, add this to `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package.argon2]
//! opt-level = 3
//! [profile.dev.package.blake2]
//! opt-level = 3
//! ```
//!
//! # Serving it
//!
//! Limits by address and the guards against guessing need the address of whoever connects, so serve
//! with connect info:
//!
//! ```rust,no_run
//! use std::net::SocketAddr;
//!
//! # async fn serve(app: axum::Router) -> std::io::Result<()> {
//! let app = app.into_make_service_with_connect_info::<SocketAddr>();
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! axum::serve(listener, app).await
//! # }
//! ```
//!
//! - Without it a rule that counts by address answers 500, and sign-ins are limited by account
//!   alone. Behind a proxy, [say which proxies are yours](super::deploying).
//! - Why a request was refused is an event of `tracing`: with the crate `tracing-subscriber`,
//!   `tracing_subscriber::fmt::init()` at the start of `main` and `RUST_LOG=tower_auth=debug` print
//!   it.
//! - [`server`](crate::server) (feature `server`) does all of this and stops without cutting off
//!   requests; its `Environment` reads addresses, secrets and limits from variables.
//!
//! # Rights and limits of a route
//!
//! Two methods of one path, each with a scope of its own, and a limit on one of them:
//!
//! ```rust
//! use axum::{Router, routing::{get, post}};
//! # use axum::{body::Body, http::Request};
//! # use tower::ServiceExt;
//! # use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Scope, Subject};
//! # use tower_auth::{store::Memory, throttle::Throttle};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! # let auth = AuthLayer::builder().accept(&keys).build()?;
//! let few = auth.throttle("create", [Throttle::per_principal("2/day")])?;
//! let list = get(async || "all").route_layer(auth.require(Scope::new("reports:read")));
//! let create = post(async || "made")
//!     .route_layer(auth.require(Scope::new("reports:write")))
//!     .route_layer(few); // the last is the outermost: asked first
//! let app: Router = Router::new().route("/reports", list.merge(create)).layer(auth);
//!
//! # let status = async |method: &str, key: &str| {
//! #     let request = Request::builder().method(method).uri("/reports").header("x-api-key", key);
//! #     let request = request.body(Body::empty()).unwrap();
//! #     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! # };
//! let owner = || KeyRequest::new(Subject::user("7"), "ci").scope("reports:read");
//! let reader = keys.issue(owner()).await?.key;
//! let writer = keys.issue(owner().scope("reports:write")).await?.key;
//! assert_eq!(status("GET", reader.expose()).await, 200);
//! assert_eq!(status("POST", reader.expose()).await, 403); // counted: the limit stands outside
//! assert_eq!(status("POST", writer.expose()).await, 200);
//! assert_eq!(status("POST", writer.expose()).await, 429); // both keys are of one caller
//! assert_eq!(status("GET", writer.expose()).await, 200);
//! # Ok(()) }
//! ```
//!
//! Take `route_layer` here: after two calls of `layer` the compiler cannot infer the type of the
//! error (E0283). [`format`](crate::format) shows how every refusal gets a body of your own form,
//! and [`throttling`](super::throttling) what counts against which limit.
//!
//! # The way of a request
//!
//! ```text
//! request → credential → attempt → scheme → principal → throttle → authorize → inner service
//!               └───────────┴─────────┴─────────┴───────────┴──────────┘
//!                       every "no" is a Rejection, answered and told in one place
//! ```
//!
//! | presented as | verified by | notes |
//! |---|---|---|
//! | `Authorization: Bearer A.B.C` | [`Tokens`] | what the layer itself issues; by choice what simplejwt issued before ([`SimpleJwt`]) |
//! | the same | [`Jwt`] | what others issue: HS256/384/512, RS, PS, ES, EdDSA; keys that the issuer publishes, or local ones; several issuers; `iss`, `aud`, `exp` required |
//! | `Authorization: DPoP A.B.C`, with a proof in `DPoP` | [`Jwt::dpop`] | tokens bound to a key that the sender holds (RFC 9449): a stolen token alone is worth nothing |
//! | `Authorization: Bearer A.B.C`, over TLS with the client's certificate | [`Jwt::certificate_bound`] | tokens that are bound to it (RFC 8705); what ends TLS puts it into the request |
//! | `Authorization: Bearer …`, opaque | [`Introspection`] | the issuer is asked (RFC 7662), and its answer remembered for a minute |
//! | `Authorization: Bearer PREFIX_…` | [`ApiKeys`] | the prefix decides alone: a broken key is never tried as a JWT |
//! | `Authorization: Bearer …` | [`ApiKeys`] | bare keys, where switched on |
//! | `Authorization: Api-Key …`, `X-API-Key: …` | [`ApiKeys`] | |
//! | `Authorization: Token …` | [`ApiKeys`] | where their `sources` have `Source::token()`, for clients of Django REST Framework |
//! | `Authorization: Basic …` | [`Basic`] | argon2id off the runtime's threads, remembered for 60 seconds |
//! | the same, a key as the user's name (`curl -u KEY:`) | [`ApiKeys`] | where their `sources` have `Source::basic()`; beside passwords, keys with a prefix |
//! | a header, cookie, query parameter or WebSocket protocol of your choice | [`ApiKeys`], [`Tokens`], [`Jwt`] | each where its `sources` say ([`Source`]), with the precautions of the place |
//! | a scheme of your own, `Bearer` too | [`Scheme`] | sessions, for example: for Bearer tokens that no other one claims |
//!
//! A handler takes a [`Principal`](crate::Principal): an extractor on axum,
//! [`Principal::from_extensions`](crate::Principal::from_extensions) anywhere else. Routes that
//! need more than a verified caller take [`AuthLayer::require`](crate::AuthLayer::require) or call
//! [`Principal::require`](crate::Principal::require), with scopes, roles, methods and checks of
//! your own joined by `and`, `or` and `not`; your own user is loaded once by
//! [`AuthLayerBuilder::load_user`](crate::layer::AuthLayerBuilder::load_user) and is there as
//! `principal.user::<MyUser>()`. Public routes take
//! [`AuthLayer::errors`](crate::AuthLayer::errors), which refuses nothing: what their handlers
//! refuse is answered and logged like everything else. Routes on which a credential is a choice
//! take [`AuthLayer::optional`](crate::AuthLayer::optional). A handler or a gate that asks for its
//! caller where no layer saw the request answers a 500 that says so. A handler that asks for nobody
//! is served to everybody, so put the layer around it.
//!
//! [`ApiKeys`]: ../../struct.ApiKeys.html
//! [`Basic`]: ../../struct.Basic.html
//! [`Introspection`]: ../../jwt/struct.Introspection.html
//! [`Jwt::certificate_bound`]: ../../struct.Jwt.html#method.certificate_bound
//! [`Jwt::dpop`]: ../../struct.Jwt.html#method.dpop
//! [`Jwt`]: ../../struct.Jwt.html
//! [`KeyIssuer`]: ../../struct.KeyIssuer.html
//! [`Scheme`]: crate::scheme::Scheme
//! [`SimpleJwt`]: ../../jwt/struct.SimpleJwt.html
//! [`Source`]: crate::credential::Source
//! [`TokenIssuer`]: ../../struct.TokenIssuer.html
//! [`Tokens`]: ../../struct.Tokens.html
//! [`Users`]: ../../struct.Users.html
