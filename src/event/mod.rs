//! What happened, as one stream: to `tracing` (feature `tracing`), to a hook of the application
//! ([`Realm::on_event`](crate::Realm::on_event)), and to a store ([`Audit`]).
//!
//! An [`Event`] says what ([`Action`]), of whom, and what is known of the request: of one that is
//! refused, it is looked up when somebody asks; of one that is let through, it is kept until the
//! answer, because the inner service takes the request away.

mod action;
mod audit;
mod audit_log;
mod current;
mod event;
mod events;
mod facts;
mod kept_facts;
mod scope_uses;
mod telemetry;

pub use action::Action;
pub use audit::Audit;
pub(crate) use audit_log::AuditLog;
pub(crate) use current::Step;
#[cfg(feature = "endpoints")]
pub(crate) use current::for_this_request;
pub use event::Event;
pub(crate) use events::{EventHook, Events};
pub(crate) use facts::Facts;
pub(crate) use kept_facts::KeptFacts;
#[cfg(feature = "endpoints")]
pub(crate) use telemetry::in_this_span;
#[cfg(feature = "redis")]
pub(crate) use telemetry::limiter_may_forget;
#[cfg(feature = "jwt")]
pub(crate) use telemetry::{keys_loaded, keys_not_loaded, signing_keys_not_written};
pub(crate) use telemetry::{limiter_failed, peer_unknown};
