//! Which tokens are let in: a table of labelled ones, mistakes in keys and policies, and properties
//! of all tokens.

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod best_practices;
mod build_errors;
mod cases;
mod crafted;
mod forge;
pub(crate) mod keys;
mod policy;
mod properties;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod providers;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod published;
mod remembered;
mod table;
#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
mod without_back_end;
