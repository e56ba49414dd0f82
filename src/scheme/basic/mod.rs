//! Basic: whose name and password these are.

mod judge;
mod verifier;

pub(crate) use judge::{Judge, wrong_password};
pub(crate) use verifier::BasicVerifier;
