//! Step 5: may it.
//!
//! A [`Requirement`] is an expression over scopes, roles, methods and the application's own checks.
//! It stands on a route as a gate ([`AuthLayer::require`](crate::AuthLayer::require)) or in a
//! handler ([`Principal::require`](crate::Principal::require)).

mod expression;
mod requirement;

pub use requirement::Requirement;
