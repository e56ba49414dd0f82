//! Opaque tokens, about which their issuer is asked (RFC 7662).
//!
//! ```text
//!  token ─ Answers: what the issuer said lately ─ Asked: POST token, as the client that we are
//!                                                   └ active, and the claims: judged as a JWT's are
//! ```

mod answers;
mod asked;
mod introspection;
mod introspector;

pub use introspection::Introspection;
