//! One binary, a module a promise.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod contract;
mod layer;
mod stores;
mod support;
