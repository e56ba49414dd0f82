//! How to do it, page by page: what a service needs beyond the reference of each item.
//!
//! - [`command`]: the command `tower-auth`, by which an operator looks after users, keys and tokens.
//! - `deploying`: proxies, TLS, several nodes, backups, and the rotation of what is secret.
//! - [`providers`]: tokens of Keycloak, Auth0, Entra, Okta, Cognito, Google, Firebase, Clerk,
//!   Zitadel and Supabase.
//! - `metrics` (feature `metrics`): numbers for a dashboard, and what to alert on.

#[cfg(feature = "cli")]
pub mod command;
#[cfg(all(feature = "api-key", feature = "jwt", feature = "endpoints"))]
pub mod deploying;
#[cfg(all(feature = "metrics", feature = "api-key"))]
pub mod metrics;
#[cfg(feature = "jwt")]
pub mod providers;
