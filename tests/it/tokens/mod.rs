//! Which tokens are let in: a table of labelled ones, mistakes in keys and policies, and properties
//! of all tokens.

mod best_practices;
mod build_errors;
mod cases;
mod crafted;
mod forge;
pub(crate) mod keys;
mod policy;
mod properties;
mod providers;
mod published;
mod remembered;
mod table;
