//! Beside other crates: what each does, and when not to take this one.
//!
//! Read in the source and documentation of these versions: jwt-authorizer 0.15.0,
//! oauth-resource-server 0.4.1, tower-oauth2-resource-server 0.12.5, axum-keycloak-auth 0.8.3,
//! axum-login 0.18.0, tower_governor 0.8.0, tower-http 0.7.1. Of these, jwt-authorizer, axum-login
//! and tower_governor were also tried with small services. Later versions may differ; a row that is
//! wrong is a fault of this page, to be reported like any other.
//!
//! # What each is for
//!
//! | crate | for | leaves to others |
//! |---|---|---|
//! | tower-auth | who calls, what they may and how often, in one layer: tokens of others and one's own, API keys, Basic, rate limits; issuing and revoking them | login pages, second factors, being an OAuth provider or client |
//! | jwt-authorizer | JWTs of one or several issuers, on axum and tonic, claims in a type of yours | scopes, limits, API keys, issuing |
//! | oauth-resource-server | JWT access tokens of an OAuth provider, fixed API keys beside them, scopes, metadata for clients (RFC 9728), tools of MCP servers | issuing, revocation, opaque tokens, limits |
//! | tower-oauth2-resource-server | JWTs of one or several OpenID providers, claims in a type of yours | scopes, limits, API keys, issuing |
//! | axum-keycloak-auth | JWTs of Keycloak on axum, with its roles | other providers, limits, API keys, issuing |
//! | axum-login | people who sign in by a form: sessions in cookies, a backend of yours | tokens, API keys, limits |
//! | tower_governor | rate limits, by address or by a key of yours | who calls |
//! | tower-http, `auth` and `validate_request` | a function of yours that judges each request | everything it judges by |
//!
//! # Tokens that others issue
//!
//! | | tower-auth | jwt-authorizer | oauth-resource-server | tower-oauth2-resource-server | axum-keycloak-auth |
//! |---|---|---|---|---|---|
//! | wraps | any tower service; axum 0.8 and tonic 0.14 by features | axum 0.7; tonic 0.12 by a feature | any tower service, axum 0.8; also without a layer | any tower service | axum 0.8 |
//! | keys | OpenID discovery, JWKS URL, files, PEM, secrets | the same | discovery or JWKS URL | discovery, JWKS URL, a JWK set | discovery of Keycloak |
//! | algorithms | HS, RS, PS, ES (256, 384), EdDSA | the same | all of these but HS | all but HS; HS by choice | those of the keys |
//! | `iss`, `aud` must be there | yes; another claim for `aud` by choice | no: compared where the token has them | yes | as configured; by default `iss` where it was discovered, and `aud` where one is named | no: `iss` is not compared, `aud` where the token has one |
//! | an unknown `kid` loads the keys again | at once, not twice in 10 s | once 10 minutes have passed since the last load | at once, not twice in a minute | no: they are loaded every minute | no: each key is tried, and they are loaded again where there is none or one is unusable |
//! | keys cannot be loaded | 503 | 500, then 401 | 401 | 401 | 401; requests wait for the first attempt |
//! | several issuers | yes | yes: tried one by one | one for each layer | yes | one for each layer |
//! | opaque tokens (RFC 7662) | yes | no | no | no | no |
//! | tokens bound to a sender (`cnf`) | verified (DPoP, TLS certificates), else refused | accepted as any other | refused | accepted as any other | accepted as any other |
//! | scopes and roles of a route | expressions of both, and of checks | one check for the layer | scopes | in the handler | roles, for the layer or in the handler |
//! | 401 has `WWW-Authenticate` | all schemes | yes | with the metadata's URL | where no Bearer was presented | no |
//! | two `Authorization` fields | 400 | the first counts | the first counts | the first counts | the first counts |
//! | metadata of the resource (RFC 9728) | [`endpoint::ResourceMetadata`] | no | yes | no | no |
//! | metrics | feature `metrics` | no | feature `metrics` | no | no |
//! | for tests | a token mint, a clock, callers without tokens | no | a provider that is made up | no | no |
//!
//! The column of this crate, as it is tested:
//!
//! ```
//! use http::{Request, Response};
//! use serde_json::{Value, json};
//! use std::convert::Infallible;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_auth::test_util::TokenMint;
//! use tower_auth::{AuthLayer, Jwt};
//!
//! async fn answer(jwt: &Jwt, lines: &[String]) -> (u16, String) {
//!     let auth = AuthLayer::builder().accept(jwt.clone()).build().unwrap();
//!     let hello = |_: Request<String>| async {
//!         Ok::<_, Infallible>(Response::new(String::new()))
//!     };
//!     let mut request = Request::get("/");
//!     for line in lines {
//!         request = request.header("authorization", line);
//!     }
//!     let request = request.body(String::new()).unwrap();
//!     let response = auth.layer(service_fn(hello)).oneshot(request).await.unwrap();
//!     let challenge = response.headers().get("www-authenticate");
//!     let challenge = challenge.map(|line| line.to_str().unwrap().to_owned());
//!     (response.status().as_u16(), challenge.unwrap_or_default())
//! }
//!
//! # #[tokio::main]
//! # async fn main() {
//! let mint = TokenMint::es256().id("2026");
//! let known = Jwt::new().issuer("https://login.example.com").audience("reports").key(mint.key());
//! let line = |change: &dyn Fn(&mut Value)| {
//!     let mut claims = json!({
//!         "iss": "https://login.example.com", "aud": "reports", "sub": "anna",
//!         "exp": 4_000_000_000_u64,
//!     });
//!     change(&mut claims);
//!     format!("Bearer {}", mint.sign(&claims))
//! };
//! let good = line(&|_| {});
//! assert_eq!(answer(&known, &[good.clone()]).await, (200, String::new()));
//! assert_eq!(answer(&known, &[]).await, (401, r#"Bearer realm="api""#.into()));
//! assert_eq!(answer(&known, &[good.clone(), good.clone()]).await.0, 400);
//!
//! let invalid = (401, r#"Bearer realm="api", error="invalid_token""#.to_owned());
//! let bound = json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" });
//! for refused in [
//!     line(&|claims| drop(claims.as_object_mut().unwrap().remove("iss"))),
//!     line(&|claims| drop(claims.as_object_mut().unwrap().remove("aud"))),
//!     line(&|claims| claims["cnf"] = bound.clone()),
//! ] {
//!     assert_eq!(answer(&known, &[refused]).await, invalid);
//! }
//!
//! // Nobody listens there.
//! let unknown = Jwt::jwks("http://127.0.0.1:1/keys").issuer("https://login.example.com");
//! assert_eq!(answer(&unknown.audience("reports"), &[good]).await.0, 503);
//! # }
//! ```
//!
//! # Sessions, limits, a function
//!
//! **axum-login** and this crate hardly overlap. It has what pages need: sessions that hold more
//! than an identity, stores for them (tower-sessions), redirects to a login page with the way back,
//! any backend. It has no tokens, keys or limits, and is for axum. Both can stand in one
//! application: page [`migrating_from_axum_login`].
//!
//! **tower_governor** limits any tower service and needs no set-up beside a period and a burst. Its
//! limits are in memory and paced (GCRA), keyed before anybody is verified. Here they count
//! verified callers, hold within any window, can be shared over Redis, and need an [`AuthLayer`];
//! the page [`migrating_from_tower_governor`] has the details, and
//! [`performance`](super::performance) what a check costs beside governor, the crate on which
//! tower_governor stands.
//!
//! **tower-http** calls a function or a type of yours (`AsyncRequireAuthorizationLayer`,
//! `ValidateRequestHeaderLayer::custom`). What it had for one fixed password or token is deprecated
//! since 0.6.7 as too basic for real applications. Its other layers, CORS, tracing, time-outs and
//! limits of bodies, stand around this crate's: page [`browsers`] has the order.
//!
//! # When not to take tower-auth
//!
//! - **Pages with forms and sessions** are axum-login's. This crate has no session store for a
//!   page's state, and no redirects.
//! - **Rate limits alone**, without anybody to verify: tower_governor. A layer that accepts no
//!   credential is refused by `build()`.
//! - **Login pages, second factors, passkeys, confirmed addresses, "forgot my password".** Nothing
//!   of this is here; [`Users::set_password`](crate::Users) is what a reset of your own would call.
//!   Run an identity provider and accept its tokens ([`Jwt::oidc`](crate::Jwt::oidc)), with this
//!   crate or another.
//! - **To be an OAuth provider or client.** There is no authorization endpoint, no consent and no
//!   code flow.
//! - **Policies in a language of their own** (Cedar, OPA, Casbin). A
//!   [`Requirement`](crate::Requirement) joins scopes, roles, methods and functions of yours, and
//!   no more.
//! - **Servers without tower** (actix-web, Rocket): oauth-resource-server can be called without a
//!   layer, and has an example for actix-web.
//! - **Tools of an MCP server, each with its own scopes**, read from the body of a request:
//!   oauth-resource-server. Here the body is not looked at.
//! - **Only one fixed secret before an internal page.** A function of ten lines with a comparison
//!   in constant time is enough.
//! - **Rust before 1.94 (1.91 without the databases, as [`features`](super::features) says), axum
//!   0.7, MySQL.** The first two are not supported; a store for the third is yours to write
//!   ([`store`](crate::store)).
//! - **Where a long history counts.** This is version 0.1, whose interfaces may still change; most
//!   of the others have many releases behind them.
//!
//! [`AuthLayer`]: crate::AuthLayer
//! [`browsers`]: ../browsers/index.html
//! [`endpoint::ResourceMetadata`]: ../../endpoint/struct.ResourceMetadata.html
//! [`migrating_from_axum_login`]: ../migrating_from_axum_login/index.html
//! [`migrating_from_tower_governor`]: ../migrating_from_tower_governor/index.html
