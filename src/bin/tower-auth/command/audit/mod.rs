//! What happened, where the service keeps it ([`tower_auth::event::Audit`]).

mod audit_command;
mod tail;

pub(crate) use audit_command::AuditCommand;
