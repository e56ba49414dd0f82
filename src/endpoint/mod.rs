//! Ready-made HTTP: sign-in, refresh, sign-out, users, API keys, private tokens, key sets, resource
//! metadata, and a page to manage keys on.
//!
//! ```text
//! request → route → caller (where the route needs one) → body, bounded, JSON → handler → answer
//!              └───────┴────────────────────────────────────┴────────────────────┘
//!                       every "no" is a Rejection, in the layer's format
//! ```
//!
//! [`Endpoints`] is one tower service: it needs no framework, and on axum it is merged into a
//! router by one call. It stands beside the layer, not behind it: each route authenticates its
//! callers itself, by the gates of the layer that it was made from.

#[cfg(feature = "openapi")]
mod about;
mod api_keys;
#[cfg(feature = "openapi")]
mod asked;
mod body_form;
mod builder;
mod call;
mod change_password;
#[cfg(feature = "openapi")]
mod describe;
mod in_time;
mod input;
mod introspect;
mod issuer_metadata;
mod jwks;
#[cfg(feature = "openapi")]
mod known_schema;
mod leak_reports;
mod member_form;
#[cfg(feature = "openapi")]
mod member_schema;
mod mount;
mod page;
mod partner_keys;
mod path;
mod private_tokens;
mod query;
mod refresh;
mod reply;
mod resource_metadata;
mod revoke;
mod route;
mod service;
mod shown;
#[cfg(feature = "openapi")]
mod shown_schema;
mod sign_in;
mod sign_out;
mod users;

pub use api_keys::KeysEndpoint;
pub use builder::EndpointsBuilder;
pub use call::Call;
pub use change_password::ChangePassword;
pub use input::Input;
pub use introspect::Introspect;
pub use issuer_metadata::IssuerMetadata;
pub use jwks::Jwks;
pub use leak_reports::LeakReports;
pub use mount::Endpoint;
pub use page::Page;
pub use private_tokens::PrivateTokensEndpoint;
pub use refresh::{Refresh, Verify};
pub use reply::EndpointBody;
pub use resource_metadata::ResourceMetadata;
pub use revoke::Revoke;
pub use service::{EndpointFuture, Endpoints};
pub use sign_in::SignIn;
pub use sign_out::{SignOut, SignOutEverywhere};
pub use users::UsersEndpoint;
