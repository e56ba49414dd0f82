//! What may be wrong with a service, as far as its environment and its store tell.

mod check;
mod doctor;
mod environment;
mod findings;
mod redis;
mod store;

pub(crate) use check::Check;
pub(crate) use doctor::Doctor;
