//! Names and passwords as people type them, and the one form of each.

mod bounds;
#[cfg(feature = "basic")]
mod name_form;
#[cfg(feature = "basic")]
mod password_form;
#[cfg(feature = "basic")]
mod sign_in;

pub(crate) use bounds::LONGEST_TYPED_PASSWORD;
#[cfg(feature = "basic")]
pub(crate) use bounds::{LONGEST_NAME, LONGEST_PASSWORD};
#[cfg(feature = "basic")]
pub use name_form::name_form;
#[cfg(feature = "basic")]
pub(crate) use name_form::{folded, is_visible};
#[cfg(feature = "basic")]
pub(crate) use password_form::{is_longer_than_any, password_form};
#[cfg(feature = "basic")]
pub(crate) use sign_in::SignIn;
