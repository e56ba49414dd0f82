//! The ready-made endpoints: what they answer, refuse and keep to themselves.

mod bounds;
mod cases;
mod configured;
mod document;
mod enumeration;
mod faults;
mod hostile;
mod late;
mod leaks;
pub(crate) mod migration;
mod oauth;
mod properties;
mod race;
mod revocation;
mod rights;
mod shapes;
mod taken;
pub(crate) mod world;
