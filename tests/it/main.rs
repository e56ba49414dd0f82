//! One binary, a module a promise.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod allocations;
mod basic;
mod configuration;
mod contract;
mod endpoints;
mod examples;
mod headers;
mod issue;
mod layer;
mod migration;
mod refusals;
mod stacks;
mod stores;
mod support;
mod tokens;
mod watch;
