//! Tokens that others issue (OpenID Connect, OAuth): a resource server.
//!
//! ```rust
//! use tower_auth::{AuthLayer, Jwt};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let auth = AuthLayer::builder()
//!     .accept(
//!         Jwt::oidc("https://keycloak.example.com/realms/main") // the keys are found by this name
//!             .audience("reports")
//!             .role_claim(["realm_access", "roles"]),
//!     )
//!     .build()?;
//! # drop(auth);
//! # Ok(())
//! # }
//! ```
//!
//! - The keys are loaded before the first token is judged (`auth.ready().await`, for start and for
//!   probes), again when their `Cache-Control` says so, and at once when a token names a key that
//!   is not among them, though not twice in ten seconds, whoever sends junk. While the issuer is
//!   away the held ones serve for a day, then the answer is 503.
//! - A token is verified once: what its signature proved is kept, bounded in bytes and without the
//!   signature. Time, audience, revocation and account are judged on each request.
//! - A token that is bound to a key (`cnf`) is refused as a plain Bearer token; `Jwt::dpop` takes
//!   it with a proof of that key, once for each proof, and `Jwt::certificate_bound` one that is
//!   bound to a certificate.
//! - `guide::providers` has the lines for Keycloak, Auth0, Entra, Okta, Cognito, Google, Firebase,
//!   Clerk, Zitadel and Supabase. `cargo run --example oidc_resource_server` serves; `.ci/oidc`
//!   runs it against a certified provider.
//! - Other services ask about tokens of ours, and end them, by `Introspect` (RFC 7662) and `Revoke`
//!   (RFC 7009).
