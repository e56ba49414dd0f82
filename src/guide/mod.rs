//! How to do it, page by page: what a service needs beyond the reference of each item.
//!
//! - [`providers`]: tokens of Keycloak, Auth0, Entra, Okta, Cognito, Google, Firebase, Clerk,
//!   Zitadel and Supabase.

#[cfg(feature = "jwt")]
pub mod providers;
