//! One binary, a module a promise.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod allocations;
mod basic;
mod browser;
mod configuration;
mod contract;
mod databases;
mod described;
mod dir;
mod endpoints;
mod examples;
mod headers;
mod issue;
mod layer;
mod migration;
mod page;
mod process;
mod refusals;
mod stacks;
mod stores;
mod support;
mod systems;
mod throttle;
mod tokens;
mod watch;
