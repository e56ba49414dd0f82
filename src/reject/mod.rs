//! The way out for every "no".
//!
//! A step that refuses makes a [`Rejection`]; [`Responder`] turns it into an answer. What a kind
//! means on the wire (status, gRPC code, OAuth error, machine code, text) stands in one table,
//! [`kind`], and how the body looks is one [`ErrorFormat`](format::ErrorFormat), so that every
//! route of a service refuses alike.

mod body;
mod challenge;
mod field;
pub mod format;
mod grpc;
mod kind;
mod limit_fields;
mod rejection;
mod respond;

pub use body::ResponseBody;
pub(crate) use challenge::Challenges;
pub(crate) use field::FieldError;
pub use kind::RejectionKind;
pub(crate) use limit_fields::{
    LegacyFields, LimitFields, ManyFields, RuleStanding, StandardFields, limit_item, limit_value,
};
pub(crate) use rejection::Presented;
pub use rejection::Rejection;
pub(crate) use respond::{Responder, Shape};
