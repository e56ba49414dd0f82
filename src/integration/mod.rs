//! Where a framework needs more than tower: extractors for axum, a status for tonic, security
//! schemes for OpenAPI.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(feature = "openapi")]
pub use openapi::SecuritySchemes;
