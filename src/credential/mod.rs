//! What a request presents ([`Credential`]) and where it stands ([`Source`]), not yet verified: the
//! first step of a request.
//!
//! Header bytes become one [`Credential`], or a refusal, here and nowhere else; nothing is verified
//! yet, and nothing is allocated in proportion to what a client sends, but for Basic, whose length
//! is bounded first.
//!
//! ```text
//! Authorization: Bearer PREFIX…      an API key, where PREFIX is configured; nothing else is tried
//! Authorization: Bearer A.B.C        a JWT
//! Authorization: Bearer …            a bare API key where those are on, else a JWT (to be refused)
//! Authorization: DPoP A.B.C          a JWT that is bound to a key, where any may be
//! Authorization: Api-Key …           an API key
//! X-API-Key: …                       an API key
//! Authorization: Basic …             a name and a password
//! ```
//!
//! That is the default. Each scheme says where it reads ([`Source`]).

// A place that few layers read has a file of its own (`basic_keys`, `cookie`, `query`,
// `websocket`), and `elsewhere` brings them together.
//
// Accepted ─ build ─ Reader ─┬─ Authorization, one field ──────────┬─ Takes: what is it, and is
//                            └─ Elsewhere, where anything is read ─┘  it read here?

mod accepted;
#[cfg(feature = "api-key")]
pub(crate) mod api_key;
mod authorization;
mod basic;
mod basic_keys;
#[cfg_attr(
    not(feature = "dpop"),
    allow(dead_code, unreachable_pub, reason = "no scheme asks for it then")
)]
mod client_certificate;
#[cfg_attr(
    not(feature = "dpop"),
    allow(dead_code, unreachable_pub, reason = "no scheme asks for it then")
)]
mod comparable_url;
mod cookie;
mod credential;
mod elsewhere;
mod origin;
mod precautions;
mod query;
mod reader;
#[cfg_attr(
    not(feature = "dpop"),
    allow(dead_code, unreachable_pub, reason = "no scheme asks for it then")
)]
mod sender;
mod source;
mod takes;
mod text;
mod websocket;

pub(crate) use accepted::Accepted;
#[cfg(any(feature = "api-key", test))]
pub(crate) use accepted::AcceptedKeys;
pub use basic::BasicCredential;
#[cfg(feature = "dpop")]
pub use client_certificate::ClientCertificate;
#[cfg(feature = "endpoints")]
pub(crate) use cookie::{cookie, hide_cookies};
pub use credential::{ApiKeyCredential, Credential, OtherCredential, TokenCredential};
#[cfg(feature = "endpoints")]
pub(crate) use origin::{check_same_origin, host};
pub(crate) use precautions::Precautions;
#[cfg(feature = "endpoints")]
pub(crate) use query::decoded as percent_decoded;
pub(crate) use reader::Reader;
#[cfg(feature = "jwt")]
pub(crate) use sender::Proof;
pub(crate) use sender::{Sender, Sight};
#[cfg(feature = "openapi")]
pub(crate) use source::Place;
pub use source::Source;
