//! Step 5: may it.
//!
//! A [`Requirement`] is an expression over scopes, roles, methods and the application's own checks.
//! It stands on a route as a gate ([`AuthLayer::require`](crate::AuthLayer::require)) or in a
//! handler ([`Principal::require`](crate::Principal::require)).

mod demanded;
mod expression;
mod requirement;
mod scope_gaps;

pub(crate) use demanded::Demanded;
pub use requirement::Requirement;
pub use scope_gaps::ScopeGaps;
