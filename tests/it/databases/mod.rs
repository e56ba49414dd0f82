//! Stores in databases, against real servers: `tests/run` starts them.

mod basic_keys;
mod conformance;
mod contention;
mod deleted;
mod faults;
mod late;
mod look_ups;
mod migration;
mod names;
mod nodes;
mod proxy;
mod restored;
mod scale;
mod server;
mod signing_keys;
mod start;
pub(crate) mod support;
mod texts;
mod upkeep;
