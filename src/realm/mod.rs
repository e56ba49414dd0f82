//! What is protected together (RFC 9110 §11.5): one set of stores, one clock, one stream of events,
//! one count of attempts.

#[cfg(any(feature = "jwt", feature = "api-key", feature = "basic"))]
mod calls;
mod realm;

pub use realm::Realm;
