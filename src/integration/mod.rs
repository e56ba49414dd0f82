//! Where a framework needs more than tower: extractors for axum, a status for tonic.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(feature = "axum")]
pub(crate) use axum::axum_peer;
#[cfg(feature = "tonic")]
pub(crate) use tonic::tonic_peer;
