//! Step 5: may it.
//!
//! A [`Requirement`] is an expression over scopes, roles, methods and the application's own checks. It stands on a route as a
//! layer ([`AuthLayer::require`](crate::AuthLayer::require)) or in a handler ([`Principal::require`]).

mod layer;
mod requirement;

pub use layer::{RequireFuture, RequireLayer, RequireService};
pub use requirement::Requirement;
