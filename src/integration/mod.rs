//! Where a framework needs more than tower: extractors for axum, a status for tonic.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "tonic")]
mod tonic;
