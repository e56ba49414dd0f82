#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each scheme needs a part of it")
)]

use super::current::current;
use super::{Action, AuditLog, Event, Facts, telemetry};
use crate::clock::Clock;
use crate::metrics::Meter;
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

type Hook = dyn Fn(&Event<'_>) + Send + Sync;

/// A function of the application's own. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct EventHook(Option<Arc<Hook>>);

impl EventHook {
    pub(crate) fn new(hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }
}

/// Where events go. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Events {
    hook: EventHook,
    audit: Option<AuditLog>,
    meter: Meter,
}

impl Events {
    pub(crate) fn new(hook: EventHook, audit: Option<AuditLog>, meter: Meter) -> Self {
        Self { hook, audit, meter }
    }

    pub(crate) fn audit(&self) -> Option<&AuditLog> {
        self.audit.as_ref()
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Whether anybody would be told of a refusal of some kind: if not, nothing is kept of a
    /// request for that.
    #[inline]
    pub(crate) fn listen(&self) -> bool {
        self.want_requests() || telemetry::listens()
    }

    /// Whether anybody would be told of a refusal of this kind: a flood of refusals mostly meets
    /// nobody who would.
    #[inline]
    pub(crate) fn listen_to(&self, kind: RejectionKind) -> bool {
        let is_kept = match &self.audit {
            Some(audit) => audit.keeps(kind),
            None => false,
        };
        self.hook.0.is_some() || is_kept || telemetry::listens_to(kind)
    }

    /// Tells that something happened; 500 where the application's hook panics.
    pub(crate) fn tell(
        &self,
        action: Action,
        at: SystemTime,
        subject: &Subject,
        id: Option<&str>,
    ) -> Result<(), Rejection> {
        telemetry::happened(action, subject, id);
        self.meter.happened(action.name());
        self.call_within_request(Event::new(action, at).of(subject).about(id))
    }

    /// Tells that something became of a key that tokens of that issuer are signed with; 500 where
    /// the application's hook panics.
    #[cfg(feature = "jwt")]
    pub(crate) fn tell_of_signing_key(
        &self,
        action: Action,
        at: SystemTime,
        issuer: &str,
        id: &str,
    ) -> Result<(), Rejection> {
        telemetry::signing_key(action, issuer, id);
        self.meter.happened(action.name());
        // Not within a request: the one that is served here may need a key, but has not asked for
        // another.
        self.call(&Event::new(action, at).about(Some(id)))
    }

    /// Tells of a refusal, and gives it back, or a 500 where the application's hook panics.
    #[cold]
    pub(crate) fn refused(
        &self,
        rejection: Rejection,
        request: &dyn Facts,
        clock: &dyn Clock,
    ) -> Rejection {
        let event = Event::refused(&rejection, request, clock);
        telemetry::refused(&rejection, &event);
        match self.call_of_refusal(&event, rejection.kind()) {
            Ok(()) => rejection,
            Err(panicked) => panicked,
        }
    }

    /// Tells of a throttle's rule that only observes; 500 where the application's hook panics.
    #[cold]
    pub(crate) fn would_refuse(
        &self,
        scope: &str,
        rule: &str,
        clock: &dyn Clock,
    ) -> Result<(), Rejection> {
        telemetry::would_refuse(scope, rule);
        self.meter.would_throttle(scope, rule);
        if !self.want_requests() {
            return Ok(());
        }
        let id = if scope.is_empty() {
            rule.to_owned()
        } else {
            format!("{scope}:{rule}")
        };
        let event = Event::new(Action::ThrottleWouldRefuse, clock.now()).about(Some(&id));
        self.call_of_refusal(&event, RejectionKind::Throttled)
    }

    /// Whether it is told which scopes keys use.
    #[inline]
    pub(crate) fn want_scope_uses(&self) -> bool {
        self.audit.as_ref().is_some_and(AuditLog::keeps_scope_uses)
    }

    /// Tells that a key used a scope, unless that was told today.
    #[cold]
    pub(crate) fn scope_used(
        &self,
        owner: &Subject,
        key: &str,
        scope: &str,
        now: SystemTime,
    ) -> Result<(), Rejection> {
        let Some(audit) = &self.audit else {
            return Ok(());
        };
        if !audit.is_new_use(key, scope, now) {
            return Ok(());
        }
        let event = Event::new(Action::ScopeUsed, now).of(owner);
        self.call_within_request(event.about(Some(key)).with_scope(scope))
    }

    /// Whether those who are told want to know of the request within which something happens.
    #[inline]
    pub(crate) fn want_requests(&self) -> bool {
        self.hook.0.is_some() || self.audit.is_some()
    }

    fn call_within_request(&self, event: Event<'_>) -> Result<(), Rejection> {
        if !self.want_requests() {
            return Ok(());
        }
        match current() {
            Some(request) => self.call(&event.within(&*request)),
            None => self.call(&event),
        }
    }

    /// Of a request that was refused as of that kind, or would have been. Anybody can send many, so
    /// they are kept by choice.
    fn call_of_refusal(&self, event: &Event<'_>, kind: RejectionKind) -> Result<(), Rejection> {
        if let Some(audit) = &self.audit
            && audit.keeps(kind)
        {
            audit.add(event);
        }
        self.call_hook(event)
    }

    fn call(&self, event: &Event<'_>) -> Result<(), Rejection> {
        // Kept first: a hook that panics must not keep it from being written.
        if let Some(audit) = &self.audit {
            audit.add(event);
        }
        self.call_hook(event)
    }

    #[inline]
    fn call_hook(&self, event: &Event<'_>) -> Result<(), Rejection> {
        let Some(hook) = &self.hook.0 else {
            return Ok(());
        };
        catch_unwind(AssertUnwindSafe(|| hook(event))).map_err(|_| {
            telemetry::hook_panicked(event.action());
            Rejection::new(RejectionKind::Failed, "event hook panicked")
        })
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("hook", &self.hook.0.is_some())
            .field("audit", &self.audit)
            .field("meter", &self.meter)
            .finish()
    }
}
