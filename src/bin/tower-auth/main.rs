//! `tower-auth`: looks after the store of a service from a shell. `tower-auth help` says how, and
//! the page `guide::command` of the library's documentation.
//!
//! ```text
//! command_line ─→ command/… ─→ service (store, realm) ─→ console: a table, or lines of JSON
//!                    └ input: secrets, from stdin or a file, never an argument
//! ```
//!
//! Whatever changes something goes through what a program would use (`Users`, `KeyIssuer`,
//! `TokenIssuer`): the same checks, and other nodes hear of it in the same way.

#![forbid(unsafe_code)]

mod command;
mod command_line;
mod console;
mod exit;
mod failure;
mod import;
mod input;
mod service;
mod settings;
mod shown;

use clap::Parser;
use command_line::CommandLine;
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

fn run(line: CommandLine) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("The runtime did not start: {error}.")))?;
    runtime.block_on(line.run())
}
