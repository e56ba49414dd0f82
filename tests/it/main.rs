//! One binary, a module a promise.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod allocations;
mod basic;
mod configuration;
mod contract;
mod databases;
mod described;
mod examples;
mod headers;
mod layer;
mod migration;
mod refusals;
mod stacks;
mod stores;
mod support;
mod systems;
mod throttle;
mod tokens;
