//! Ready-made HTTP: sign-in, refresh, sign-out, users, API keys, private tokens, key sets, resource metadata, and a page to manage
//! keys on.
//!
//! ```text
//! request → route → caller (where the route needs one) → body, bounded, JSON → handler → answer
//!              └───────┴────────────────────────────────────┴────────────────────┴─ every "no" leaves through reject
//! ```
//!
//! [`Endpoints`] is one tower service: it needs no framework, and on axum it is merged into a router by one call. It stands beside the
//! layer, not behind it: each route authenticates its callers itself, with the layer that it was made from.

mod api_keys;
mod builder;
mod call;
#[cfg(feature = "openapi")]
mod describe;
mod input;
mod jwks;
mod page;
mod private_tokens;
mod reply;
mod resource_metadata;
mod route;
mod service;
mod session;
mod shown;
mod users;

pub use api_keys::KeysEndpoint;
pub use builder::EndpointsBuilder;
pub use call::Call;
pub use input::Input;
pub use page::Page;
pub use private_tokens::PrivateTokensEndpoint;
pub use reply::EndpointBody;
pub use resource_metadata::ResourceMetadata;
pub use service::{EndpointFuture, Endpoints};
pub use session::SignInEndpoint;
use shown::{Show, caller, own, user_map};
pub use users::UsersEndpoint;
