//! Moving in from jwt-authorizer: the same tokens of the same issuer, judged by this crate.
//!
//! What is said of jwt-authorizer here was read in the source of its version 0.15.0 and tried with
//! a small service on it. That version is for axum 0.7 and tonic 0.12; the features `axum` and
//! `tonic` of this crate are for axum 0.8 and tonic 0.14.
//!
//! # Before and after
//!
//! Before: claims are a type parameter, and one check stands on all routes.
//!
//! ```text
//! let validation = Validation::new().iss(&["https://login.example.com"]).aud(&["reports-api"]);
//! let auth: Authorizer<User> = JwtAuthorizer::from_oidc("https://login.example.com")
//!     .validation(validation)
//!     .check(|user: &User| user.scope.split(' ').any(|scope| scope == "reports:read"))
//!     .build()
//!     .await?;
//! let app = Router::new().route("/reports", get(reports)).layer(auth.into_layer());
//!
//! async fn reports(JwtClaims(user): JwtClaims<User>) -> String { … }
//! ```
//!
//! After: the layer has no type parameter, a handler takes the caller, and asks for claims where it
//! wants them. Scopes are read from the token, and each route says which it needs.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use serde::Deserialize;
//! use serde_json::json;
//! use tower::ServiceExt;
//! use tower_auth::test_util::TokenMint;
//! use tower_auth::{AuthLayer, Jwt, Principal, Rejection, Scope};
//!
//! #[derive(Deserialize)]
//! struct User {
//!     email: String,
//! }
//!
//! async fn reports(caller: Principal) -> Result<String, Rejection> {
//!     let user: User = caller.claims()?; // 401 where the token has no such claims
//!     Ok(format!("reports of {}, {}", caller.subject(), user.email))
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mint = TokenMint::es256().id("2026"); // for this test, in the place of the issuer
//! let jwt = Jwt::new().key(mint.key());
//! let jwt = jwt.issuer("https://login.example.com").audience("reports-api");
//! // In a service: Jwt::oidc("https://login.example.com").audience("reports-api")
//!
//! let auth = AuthLayer::builder().accept(jwt).build()?;
//! let app: Router = Router::new()
//!     .route("/reports", get(reports).layer(auth.require(Scope::new("reports:read"))))
//!     .layer(auth);
//!
//! let claims = json!({
//!     "iss": "https://login.example.com", "aud": "reports-api", "sub": "anna",
//!     "exp": 4_000_000_000_u64, "scope": "reports:read", "email": "anna@example.com",
//! });
//! let answer = async |lines: &[String]| {
//!     let mut request = Request::get("/reports");
//!     for line in lines {
//!         request = request.header("authorization", line);
//!     }
//!     let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
//!     let challenge = response.headers().get("www-authenticate");
//!     let challenge = challenge.map(|line| line.to_str().unwrap().to_owned());
//!     (response.status().as_u16(), challenge.unwrap_or_default())
//! };
//! let with = |name: &str, value: serde_json::Value| {
//!     let mut claims = claims.clone();
//!     claims[name] = value;
//!     vec![format!("Bearer {}", mint.sign(&claims))]
//! };
//! let without = |name: &str| {
//!     let mut claims = claims.clone();
//!     claims.as_object_mut().unwrap().remove(name);
//!     vec![format!("Bearer {}", mint.sign(&claims))]
//! };
//!
//! let good = with("sub", json!("anna"));
//! assert_eq!(answer(&good).await, (200, "".into()));
//! assert_eq!(answer(&[]).await, (401, r#"Bearer realm="api""#.into()));
//!
//! let invalid = (401, r#"Bearer realm="api", error="invalid_token""#.to_owned());
//! for refused in [
//!     with("exp", json!(1_000_000_000)),
//!     with("nbf", json!(3_999_999_999_u64)), // not yet good
//!     with("aud", json!("another-api")),
//!     without("aud"),
//!     without("iss"),
//!     without("sub"),
//!     without("email"), // here the handler refuses
//!     vec!["Bearer junk".to_owned()],
//! ] {
//!     assert_eq!(answer(&refused).await, invalid, "{refused:?}");
//! }
//!
//! let scope = r#"Bearer realm="api", error="insufficient_scope", scope="reports:read""#;
//! assert_eq!(answer(&without("scope")).await, (403, scope.into()));
//!
//! let two = [good[0].clone(), "Bearer junk".to_owned()];
//! assert_eq!(answer(&two).await.0, 400);
//! # Ok(()) }
//! ```
//!
//! # What becomes of what
//!
//! | jwt-authorizer | here | |
//! |---|---|---|
//! | `from_oidc(issuer)` | [`Jwt::oidc`](crate::Jwt::oidc) | `build()` asks nobody; [`AuthLayer::ready`](crate::AuthLayer::ready) waits for the keys, and fails where they cannot be loaded. |
//! | `from_jwks_url` | [`Jwt::jwks`](crate::Jwt::jwks) | with `.issuer(…)` |
//! | `from_jwks`, `from_jwks_text` | [`Jwt::keys`](crate::Jwt::keys) with [`JwtKeys::jwks`](crate::jwt::JwtKeys::jwks) | |
//! | `from_rsa_pem`, `from_ec_pem`, `from_ed_pem` | [`Jwt::key`](crate::Jwt::key) with [`JwtKey::pem`](crate::jwt::JwtKey) (feature `pem`) | for the one algorithm that is named: `JwtAlgorithm::Rs256`, not all six that an RSA key can do |
//! | `from_secret` | [`Jwt::hs256`](crate::Jwt::hs256) | 32 bytes at least; for HS384 and HS512 [`JwtKey::hs384`](crate::jwt::JwtKey::hs384), [`hs512`](crate::jwt::JwtKey::hs512) |
//! | `Validation::iss` with several | one [`Jwt`](crate::Jwt) for each, `.accept(one).accept(other)` | `iss` says which is meant, so each has its own keys and audience. |
//! | `Validation::aud` | [`audience`](crate::Jwt::audience), once for each | One of them must be there; for tokens without `aud` there is [`instead_of_audience`](crate::Jwt::instead_of_audience). |
//! | `Validation::nbf`, `exp` | nothing to say | Both are always held; `exp` must be there. |
//! | `leeway`, `algs` | [`leeway`](crate::Jwt::leeway), [`algorithms`](crate::Jwt::algorithms) | 60 seconds by default in both crates |
//! | `check(…)` | [`AuthLayer::require`](crate::AuthLayer::require) with [`Scope`](crate::Scope), [`Role`](crate::Role) or [`Requirement::check`](crate::Requirement::check) | a route at a time, 403 |
//! | the type of the claims, on all routes | [`Jwt::read_claims`](crate::Jwt::read_claims) | It sees a token when its signature is verified, which is not each time, and may refuse it, or grant roles by its claims. |
//! | `JwtClaims<User>` | [`Principal`](crate::Principal), [`Principal::claims`](crate::Principal::claims) | |
//! | `jwt_source(Cookie(…))` | [`Jwt::sources`](crate::Jwt::sources) with [`Source::cookie`](crate::credential::Source::cookie) | Its name begins with `__Host-`, and requests that pages of other origins send are refused: page [`browsers`](../browsers/index.html). |
//! | `[one, other].into_layer()` | `.accept(one).accept(other)` | The issuer decides which one judges, not the order. |
//! | `refresh(…)` | [`keys_cooldown`](crate::Jwt::keys_cooldown), [`keys_max_age`](crate::Jwt::keys_max_age) | |
//! | `http_client(…)` | [`Jwt::fetcher`](crate::Jwt::fetcher) | |
//! | `AuthError` in handlers | [`Rejection`](crate::Rejection) | |
//! | `disable_validation()` | nothing | Tests sign with a `TokenMint`, or need no token at all: page [`testing`](../testing/index.html). |
//!
//! # What clients will notice
//!
//! | presented | jwt-authorizer 0.15.0 | here |
//! |---|---|---|
//! | nothing | 401 `Bearer`, no body | 401 `Bearer realm="api"`, a body of [`format`](crate::format) |
//! | `Authorization: Basic …` | the same as nothing | 401, code `scheme_unknown` |
//! | a token that is expired, forged, for another audience | 401 `error="invalid_token"` | 401 `error="invalid_token"` |
//! | a token **without** `iss` or `aud`, though they are configured | **200** | 401 |
//! | a token with an `nbf` that is yet to come | 200, unless `nbf(true)` | 401 |
//! | a claim that the check wants is missing | 403 `error="insufficient_scope"` | 403 `error="insufficient_scope", scope="…"` |
//! | the same over gRPC | `UNAUTHENTICATED` | `PERMISSION_DENIED` |
//! | two `Authorization` fields | the first decides | 400 |
//! | a good token while the keys cannot be loaded | 500, then 401 for 10 seconds | 503 with `Retry-After`; keys that are held serve for a day |
//! | a token of a key that was just published | 401, where the keys were loaded within 10 minutes | The keys are loaded again at once, though not twice within 10 seconds. |
//!
//! The row in bold is the reason to look at real tokens before the change: whatever comes without
//! `iss` or `aud` was accepted, and no longer is. [`AuthLayer::explain`](crate::AuthLayer::explain)
//! says what would become of a request and why, so a test can hold a token of each client against
//! the new layer. The page [`troubleshooting`] has the reasons.
//!
//! A path that no route serves is 401 in both, where the layer stands around the whole router.
//!
//! # What there is besides
//!
//! The layer verifies API keys and Basic too, and counts: add
//! [`Throttle::per_principal`](crate::throttle::Throttle::per_principal). A handler's own
//! [`Rejection`](crate::Rejection) is answered in the same format. Each refusal is told once, with
//! its reason, to `tracing` and to [`Realm::on_event`](crate::Realm::on_event). What stays with
//! jwt-authorizer: it is a much smaller crate, and reads the claims once for all that come after
//! it, while [`Principal::claims`](crate::Principal::claims) parses them at each call.
//!
//! [`troubleshooting`]: ../troubleshooting/index.html
