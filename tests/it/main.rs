//! One binary, a module a promise.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

mod allocations;
mod audit;
mod basic;
mod browser;
mod command;
mod configuration;
mod contract;
mod databases;
mod described;
mod dir;
mod django;
mod doors;
mod endpoints;
mod examples;
mod explained;
mod fetch;
mod headers;
mod introspection;
mod issue;
mod layer;
mod leaked;
mod measured;
mod migration;
mod minimal;
mod page;
mod process;
mod reader;
mod refusals;
mod signed_in;
mod simplejwt;
mod stacks;
mod stores;
mod structure;
mod support;
mod systems;
mod throttle;
mod tokens;
mod watch;
