//! What happened, as one stream: to `tracing` (feature `tracing`) and to a hook of the application.
//!
//! [`Events`] tells both. An [`Event`] says what ([`Action`]), of whom, and for a refusal what is
//! known of the request ([`Facts`]).

mod action;
mod audit;
mod audit_log;
mod event;
mod events;
mod facts;
mod request;
mod scope_uses;
mod telemetry;

pub use action::Action;
pub use audit::Audit;
pub(crate) use audit_log::AuditLog;
pub use event::Event;
pub(crate) use events::{EventHook, Events};
pub(crate) use facts::Facts;
#[cfg(feature = "endpoints")]
pub(crate) use request::for_this_request;
pub(crate) use request::within;
#[cfg(feature = "endpoints")]
pub(crate) use telemetry::in_this_span;
#[cfg(feature = "redis")]
pub(crate) use telemetry::limiter_may_forget;
#[cfg(feature = "jwt")]
pub(crate) use telemetry::{keys_loaded, keys_not_loaded, signing_keys_not_written};
pub(crate) use telemetry::{limiter_failed, peer_unknown};
