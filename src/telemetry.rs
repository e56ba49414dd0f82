//! What happened, as `tracing` events with stable names. The feature stands in this file alone.

use crate::event::Action;
use crate::principal::Subject;
use crate::reject::Rejection;

/// Event `request refused` of target `tower_auth`: `kind`, `reason` in fixed words, `source` where a store failed.
/// At `debug` for what a client did wrong, at `error` for what the service did.
#[cfg(feature = "tracing")]
#[inline]
pub(crate) fn refused(rejection: &Rejection) {
    if hears_of(rejection) {
        tell_refused(rejection);
    }
}

/// Whether anybody listens at its level: a flood of refusals mostly meets nobody who does.
#[cfg(feature = "tracing")]
#[inline]
fn hears_of(rejection: &Rejection) -> bool {
    use tracing::level_filters::LevelFilter;
    let level = if rejection.kind().is_fault() {
        LevelFilter::ERROR
    } else {
        LevelFilter::DEBUG
    };
    level <= LevelFilter::current()
}

#[cfg(feature = "tracing")]
#[cold]
fn tell_refused(rejection: &Rejection) {
    use std::error::Error;
    let (kind, reason) = (rejection.kind(), rejection.reason());
    if kind.is_fault() {
        let source = rejection.source().map(tracing::field::display);
        tracing::error!(target: "tower_auth", ?kind, reason, source, "request refused");
    } else {
        tracing::debug!(target: "tower_auth", ?kind, reason, "request refused");
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn refused(_: &Rejection) {}

/// An event of target `tower_auth` whose message is the action's name, at `info`; at `warn` where a refresh token was reused. Texts
/// are quoted, so that none of them can look like a line of its own.
#[cfg(feature = "tracing")]
pub(crate) fn happened(action: Action, subject: &Subject, id: Option<&str>) {
    let (kind, subject) = (subject.kind(), subject.id());
    if action == Action::ReuseDetected {
        tracing::warn!(target: "tower_auth", ?kind, ?subject, ?id, "{}", action.name());
    } else {
        tracing::info!(target: "tower_auth", ?kind, ?subject, ?id, "{}", action.name());
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) fn happened(_: Action, _: &Subject, _: Option<&str>) {}

/// Event `throttle would refuse` of target `tower_auth`, at `info`: a rule that only observes, by its scope and name.
#[cfg(feature = "tracing")]
pub(crate) fn would_refuse(scope: &str, throttle: &str) {
    tracing::info!(target: "tower_auth", scope, throttle, "throttle would refuse");
}

/// Event `limiter failed` of target `tower_auth`, at `error`: from now on throttles do what they do without it.
#[cfg(all(feature = "redis", feature = "tracing"))]
pub(crate) fn limiter_failed(error: &dyn std::fmt::Display) {
    tracing::error!(target: "tower_auth", error = tracing::field::display(error), "limiter failed");
}

#[cfg(all(feature = "redis", not(feature = "tracing")))]
pub(crate) fn limiter_failed(_: &dyn std::fmt::Display) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn would_refuse(_: &str, _: &str) {}
