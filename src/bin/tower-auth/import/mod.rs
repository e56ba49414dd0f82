//! Moving in from other systems.

mod django;
mod import_command;

pub(crate) use django::KindReport;
pub(crate) use import_command::ImportCommand;
