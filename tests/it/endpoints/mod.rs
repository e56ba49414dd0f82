//! The ready-made endpoints: what they answer, refuse and keep to themselves.

mod cases;
mod configured;
mod enumeration;
mod faults;
mod hostile;
mod leaks;
mod migration;
mod properties;
mod race;
mod revocation;
mod rights;
mod shapes;
pub(crate) mod world;
