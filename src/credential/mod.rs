//! Step 1: what is presented.
//!
//! Header bytes become one [`Credential`], or a refusal, here and nowhere else; nothing is verified yet, and
//! nothing is allocated in proportion to what a client sends, but for Basic, whose length is bounded first.
//!
//! ```text
//! Authorization: Bearer PREFIX_…     an API key, where PREFIX is configured; nothing else is tried
//! Authorization: Bearer A.B.C        a JWT
//! Authorization: Bearer …            a bare API key where those are on, else a JWT (to be refused)
//! Authorization: Api-Key …           an API key
//! X-API-Key: …                       an API key
//! Authorization: Basic …             a name and a password
//! ```

#[cfg(feature = "api-key")]
pub(crate) mod api_key;
mod authorization;
mod basic;
mod bearer;
mod credential;
mod source;

pub use basic::BasicCredential;
#[cfg(feature = "basic")]
pub(crate) use basic::LONGEST_PASSWORD;
pub use credential::{ApiKeyCredential, Credential, OtherCredential, TokenCredential};
pub(crate) use source::{Accepted, Source};
