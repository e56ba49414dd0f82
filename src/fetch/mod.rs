//! HTTP requests that a layer makes itself, to those who issue tokens: for their keys
//! ([`Jwt`](crate::Jwt)), and about their tokens.
//!
//! What makes them is a [`Fetch`]: [`HttpClient`] (feature `jwks`), or a client of the
//! application's own.
//!
//! ```text
//!  a URL ─ its rules (https; no user, no fragment) ─ Fetch ─ status, header, bounded body
//!                                                      └ a host that a document named: public
//!                                                        addresses alone
//! ```

mod client;
mod error;
mod fetch;
#[cfg(feature = "jwks")]
mod http_client;
mod http_url;
mod learned_host;
mod public_address;

pub use error::FetchError;
pub use fetch::Fetch;
#[cfg(feature = "jwks")]
pub use http_client::HttpClient;
pub use learned_host::LearnedHost;

pub(crate) use client::client;
pub(crate) use http_url::{HttpUrl, Trust};
