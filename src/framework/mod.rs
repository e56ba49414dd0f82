//! What the servers and routers of axum and tonic leave in the extensions of requests and answers.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(all(feature = "axum", feature = "dpop"))]
pub(crate) use axum::axum_uri;
#[cfg(feature = "axum")]
pub(crate) use axum::{axum_peer, axum_route};
#[cfg(feature = "tonic")]
pub(crate) use tonic::{tonic_peer, tonic_rejection};
