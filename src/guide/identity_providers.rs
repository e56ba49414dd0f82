//! Tokens that others issue (OpenID Connect, OAuth): a resource server (feature `jwks`).
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
//!   is not among them, at most once in ten seconds, however many bad tokens arrive. While the
//!   issuer is away the held ones serve for a day, then the answer is 503.
//! - A token is not verified anew each time: what its signature proved is kept, bounded in bytes
//!   and without the signature. A token under public keys is kept when it comes for the first time,
//!   one under a shared secret, which is cheap to verify, at the second. Time, audience, revocation
//!   and account are judged on each request.
//! - A token that is bound to a key (`cnf`) is refused as a plain Bearer token; [`Jwt::dpop`] takes
//!   it with a proof of that key, which each node accepts once, and [`Jwt::certificate_bound`] one
//!   that is bound to a certificate.
//! - [`providers`] has the lines for Keycloak, Auth0, Entra, Okta, Cognito, Google, Firebase,
//!   Clerk, Zitadel and Supabase. `cargo run --example oidc_resource_server` serves; `.ci/oidc`
//!   runs it against a certified provider.
//! - Other services ask about tokens of ours, and end them, by [`Introspect`] (RFC 7662) and
//!   [`Revoke`] (RFC 7009).
//!
//! # Two issuers
//!
//! A token is judged by the [`Jwt`] of its issuer alone, so each has its own audience and claims.
//! Two things are for you to mind:
//!
//! - `sub` is unique within an issuer: user 7 of one is not user 7 of the other
//!   ([`Principal::issuer`](crate::Principal::issuer)).
//! - By default every issuer can grant scopes through `scope` and roles through `roles`. A role
//!   that only one of them may give is demanded together with its issuer.
//!
//! ```rust
//! use tower_auth::{AuthLayer, Jwt, Realm, Requirement, store::Stores};
//! # use serde_json::json;
//! # use tower_auth::test_util::TokenMint;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (staff_mint, customers_mint) = (TokenMint::es256(), TokenMint::es256());
//! let realm = Realm::new(Stores::new()).name("reports"); // nothing is stored; name, clock, events
//! let staff = Jwt::oidc("https://staff.example.com")
//!     .audience("reports")
//!     .role_claim(["realm_access", "roles"]);
//! let customers = Jwt::oidc("https://customers.example.com")
//!     .audience("reports")
//!     .scope_claim("permissions");
//! # let staff = Jwt::new().issuer("https://staff.example.com").audience("reports")
//! #     .role_claim(["realm_access", "roles"]).key(staff_mint.key());
//! # let customers = Jwt::new().issuer("https://customers.example.com").audience("reports")
//! #     .scope_claim("permissions").key(customers_mint.key());
//! let auth = AuthLayer::builder().realm(&realm).accept(staff).accept(customers).build()?;
//!
//! let of_staff = Requirement::check("of staff", |caller| {
//!     caller.issuer() == Some("https://staff.example.com")
//! });
//! let admin = Requirement::role("admin").and(of_staff); // for `auth.require(admin)`
//!
//! # let told = async |mint: &TokenMint, issuer: &str, more: serde_json::Value| {
//! #     let mut claims = json!({
//! #         "iss": issuer, "aud": "reports", "sub": "7", "exp": 4_000_000_000_u64,
//! #     });
//! #     for (name, value) in more.as_object().unwrap() { claims[name] = value.clone() }
//! #     let request = http::Request::get("/");
//! #     let request = request.header("authorization", format!("Bearer {}", mint.sign(&claims)));
//! #     auth.explain(&request.body(()).unwrap().into_parts().0).await
//! # };
//! # let staff = async |more| told(&staff_mint, "https://staff.example.com", more).await;
//! # let name = "https://customers.example.com";
//! # let customer = async |more| told(&customers_mint, name, more).await;
//! // Each with a token of the claims that are named here:
//! let nested = json!({ "realm_access": { "roles": ["admin"] } });
//! assert!(staff(nested).await.require(&admin).is_ok());
//! let flat = json!({ "roles": ["admin"] });
//! assert!(staff(flat.clone()).await.require(&admin).is_err()); // not where staff have them
//! let customer = customer(flat).await;
//! assert!(customer.caller().unwrap().has_role("admin")); // the default claim,
//! assert!(customer.require(&admin).is_err()); // and why the issuer is asked for
//! # Ok(()) }
//! ```
//!
//! [`Introspect`]: ../../endpoint/struct.Introspect.html
//! [`Jwt::certificate_bound`]: ../../struct.Jwt.html#method.certificate_bound
//! [`Jwt::dpop`]: ../../struct.Jwt.html#method.dpop
//! [`Jwt`]: ../../struct.Jwt.html
//! [`Revoke`]: ../../endpoint/struct.Revoke.html
//! [`providers`]: ../providers/index.html
