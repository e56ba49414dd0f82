//! Where a framework needs more than tower: extractors for axum, a status for tonic, documents for
//! OpenAPI.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(feature = "openapi")]
pub use openapi::SecuritySchemes;
#[cfg(all(feature = "openapi", feature = "endpoints"))]
pub(crate) use openapi::{Answers, BAD_TOKEN, OF_BODIES, add_field, operation_ids, schema_of};
