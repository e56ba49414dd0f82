//! Choosing: which credential for whom, which store, and where limits are counted.
//!
//! # Which credential
//!
//! | who calls | take | because |
//! |---|---|---|
//! | people who sign in with an identity provider (Keycloak, Auth0, Entra, …) | [`Jwt::oidc`] | passwords, second factors and registration are the provider's; nothing is kept here, and no store is needed |
//! | the same, and the provider's tokens are opaque, or are to end soon after they are revoked there | [`Introspection`] | the issuer is asked about each token, and its answer is believed for a minute by default |
//! | people who sign in with this service itself | [`Users`] and [`Tokens`] | short-lived access tokens, refresh tokens that are good once, sign-out that counts from the next request |
//! | programs of customers | [`ApiKeys`] | one line of configuration for them; scopes, rates and expiry per key, rotation with an overlap |
//! | a command line or a script of a user | [`ApiKeys`], or private tokens | keys are random and looked up; private tokens are JWTs that the owner names and revokes |
//! | services among each other | the client credentials of your provider and [`Jwt::oidc`], else [`ApiKeys`] | |
//! | clients that know nothing but a name and a password (WebDAV, old tools) | [`Basic`], or keys in it by [`Source::basic`] | each request carries the password; not where browsers come |
//! | clients from whom tokens may be stolen (banking, mobile, browsers) | [`Jwt::dpop`], or [`Jwt::certificate_bound`] where they have TLS certificates | a stolen token is worth nothing without its key; the issuer has to take part |
//! | clients of a Django REST service that is being replaced | the page [`migrating_from_django`](../migrating_from_django/index.html) | |
//! | something else | a [`Scheme`](crate::scheme::Scheme) of your own | |
//!
//! One layer takes any number of them, and each credential is judged by one scheme alone. Tokens
//! and keys, for people and for programs:
//!
//! ```
//! use http::Request;
//! use tower_auth::{ApiKeys, AuthLayer, Grant, KeyRequest, Method, Realm, Subject, Tokens};
//! use tower_auth::{random_secret, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = random_secret()?; // a real service has it in its environment
//! let realm = Realm::new(Memory::new());
//! let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
//! let keys = realm.api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
//!
//! let method = async |credential: &str| {
//!     let request = Request::get("/").header("authorization", format!("Bearer {credential}"));
//!     let (head, ()) = request.body(()).unwrap().into_parts();
//!     auth.explain(&head).await.caller().map(|caller| caller.method())
//! };
//! let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
//! let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?.key;
//! assert_eq!(method(pair.access().expose()).await, Some(Method::Jwt));
//! assert_eq!(method(key.expose()).await, Some(Method::ApiKey));
//! assert_eq!(method("egret_x").await, None); // a broken key is never tried as a token
//! # Ok(()) }
//! ```
//!
//! Tokens of an identity provider, in a service that keeps nothing (feature `jwks`):
//!
//! ```
//! use tower_auth::{AuthLayer, ConfigProblem, Jwt};
//!
//! let provider = Jwt::oidc("https://login.example.com");
//! let auth = AuthLayer::builder().accept(provider.clone().audience("reports")).build();
//! assert!(auth.is_ok());
//!
//! // Without an audience a token for any other service of that provider would pass here.
//! let error = AuthLayer::builder().accept(provider).build().unwrap_err();
//! assert_eq!(error.problems(), [ConfigProblem::Audience]);
//! ```
//!
//! ## JWT or API key?
//!
//! | | tokens (JWT) | API keys |
//! |---|---|---|
//! | lives | minutes; refreshed | as long as you say, or until it is revoked |
//! | kept by the server | for those of others nothing; for one's own what was revoked | a hash of each |
//! | verified | by a signature | by a look-up, which memory answers where the key was seen lately |
//! | ends early | one's own: at once; those of others: when they expire | at once |
//! | rights | in the token; of one's own without what was taken from the user since | of the key; where its owner is a user of the realm, without what was taken from that user |
//! | verified by other services | yes, by the public key | by asking this one |
//!
//! What a caller makes never has more than the caller. What the application makes itself
//! ([`KeyIssuer::issue`], [`TokenIssuer::issue`]) has what it is given, whether the user has it or
//! not.
//!
//! ## Secret or key pair for one's own tokens?
//!
//! [`Tokens::hs256`] where this service alone verifies its tokens. Where others verify them they
//! would need the secret, with which they could also sign: take a key pair, published as JWKS and
//! rotated by [`KeyRotation`]. Services that are to ask instead of verify use
//! [`endpoint::Introspect`].
//!
//! # Which store
//!
//! | | take it for | ends with | several nodes |
//! |---|---|---|---|
//! | none | tokens of other issuers alone | | each for itself |
//! | [`Memory`](crate::store::Memory) | tests, demos, what is made anew at each start | the process | no |
//! | [`Sqlite`] (feature `sqlite`) | one machine; nothing else to run | the file | processes of that machine |
//! | [`Postgres`] (feature `postgres`) | several nodes; 13 or later | the database | yes: a revocation is known to the others within a bound, a second by default |
//! | a store of your own | tables that are there already | | as you promise; [`store::conformance`] looks |
//!
//! Leave the choice to the environment with
//! [`Store::connect_with`](crate::store::Store::connect_with): nothing for memory, `sqlite:PATH`,
//! or `postgres://…`. A realm takes one store for all roles, or with
//! [`Stores`](crate::store::Stores) each role's own: users from your tables, keys in PostgreSQL.
//! The page [`stores`](super::stores) says what each promises.
//!
//! # Where limits are counted
//!
//! | | take it for | costs |
//! |---|---|---|
//! | memory (nothing to configure) | one node, or limits that may be multiplied by the number of nodes | no wait |
//! | [`RedisLimiter`] (feature `redis`) | one limit over all nodes, on Redis or Valkey | a round trip for a request; with leases one for many |
//! | a [`Limiter`](crate::throttle::Limiter) of your own | another server | as it does |
//!
//! Wrong passwords and keys are counted by each node in any case
//! ([`AttemptLimits`](crate::throttle::AttemptLimits)). Say by [`RedisLimiter::nodes`] how many
//! nodes there are: while Redis does not answer, each of them admits that share of a rate by
//! itself.
//!
//! ```
//! use tower_auth::throttle::{RedisLimiter, Throttle};
//! use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory};
//!
//! let layer = |limit: &str, redis: &str| {
//!     let realm = Realm::new(Memory::new()).limiter(RedisLimiter::new(redis).nodes(3));
//!     let keys = realm.api_keys(ApiKeys::prefix("egret"));
//!     AuthLayer::builder().accept(&keys).throttle(Throttle::per_key(limit)).build()
//! };
//! assert!(layer("100/min", "redis://127.0.0.1:6379").is_ok()); // it connects when it is needed
//! assert!(layer("100/min", "no url").is_err());
//! assert!(layer("lots", "redis://127.0.0.1:6379").is_err());
//! ```
//!
//! [`ApiKeys`]: ../../struct.ApiKeys.html
//! [`Basic`]: ../../struct.Basic.html
//! [`Introspection`]: ../../jwt/struct.Introspection.html
//! [`Jwt::certificate_bound`]: ../../struct.Jwt.html#method.certificate_bound
//! [`Jwt::dpop`]: ../../struct.Jwt.html#method.dpop
//! [`Jwt::oidc`]: ../../struct.Jwt.html#method.oidc
//! [`KeyIssuer::issue`]: ../../struct.KeyIssuer.html#method.issue
//! [`KeyRotation`]: ../../jwt/struct.KeyRotation.html
//! [`Postgres`]: ../../store/struct.Postgres.html
//! [`RedisLimiter::nodes`]: ../../throttle/struct.RedisLimiter.html#method.nodes
//! [`RedisLimiter`]: ../../throttle/struct.RedisLimiter.html
//! [`Source::basic`]: crate::credential::Source::basic
//! [`Sqlite`]: ../../store/struct.Sqlite.html
//! [`TokenIssuer::issue`]: ../../struct.TokenIssuer.html#method.issue
//! [`Tokens::hs256`]: ../../struct.Tokens.html#method.hs256
//! [`Tokens`]: ../../struct.Tokens.html
//! [`Users`]: ../../struct.Users.html
//! [`endpoint::Introspect`]: ../../endpoint/struct.Introspect.html
//! [`store::conformance`]: ../../store/conformance/index.html
