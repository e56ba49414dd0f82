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
pub use users::UsersEndpoint;

use crate::principal::Principal;
use crate::reject::Rejection;
use crate::store::UserRecord;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What an answer shows of a record.
type Show<T> = Arc<dyn Fn(&T, &Call) -> Map<String, Value> + Send + Sync>;

/// The caller of a route that has one.
fn caller(call: &Call) -> Result<&Principal, Rejection> {
    call.verified()
}

/// The same, whose subject is one of ours: that of another issuer's token may be called like one of our users.
fn own(call: &Call) -> Result<&Principal, Rejection> {
    let caller = caller(call)?;
    if caller.is_foreign() { Err(Rejection::permission_denied("another issuer")) } else { Ok(caller) }
}

/// `id`, `names` are for the owner alone; so is the profile, whose members stand beside them.
fn user_map(user: &UserRecord, name_field: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("id".into(), user.id().id().into());
    map.insert(name_field.into(), user.names().next().unwrap_or_default().into());
    if let Some(profile) = user.profile::<Map<String, Value>>() {
        for (name, value) in profile {
            map.entry(name).or_insert(value);
        }
    }
    map
}
