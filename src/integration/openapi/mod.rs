//! A layer, its gates and its endpoints in an OpenAPI 3.1 document of `utoipa`.
//!
//! What a document says is asked of the same values that act: bodies of refusals are written by the
//! layer's own error format and looked at, header fields are those that its answers have, and scopes
//! are those of its requirements.

mod answers;
mod gate;
mod inferred;
#[cfg(feature = "endpoints")]
mod input;
mod operations;
mod security_schemes;

pub use security_schemes::SecuritySchemes;
#[cfg(feature = "endpoints")]
pub(crate) use {
    answers::{Answers, BAD_TOKEN, OF_BODIES, add_field},
    inferred::schema_of,
    operations::operation_ids,
};
