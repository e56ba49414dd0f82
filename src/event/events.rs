#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each scheme needs a part of it")
)]

use super::{Action, Event, Facts, telemetry};
use crate::clock::Clock;
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

type Hook = dyn Fn(&Event<'_>) + Send + Sync;

/// Where events go. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Arc<Hook>>);

impl Events {
    pub(crate) fn to(hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Whether anybody would be told of a refusal of some kind: if not, nothing is kept of a
    /// request for that.
    #[inline]
    pub(crate) fn listen(&self) -> bool {
        self.0.is_some() || telemetry::listens()
    }

    /// Whether anybody would be told of a refusal of this kind: a flood of refusals mostly meets
    /// nobody who would.
    #[inline]
    pub(crate) fn listen_to(&self, kind: RejectionKind) -> bool {
        self.0.is_some() || telemetry::listens_to(kind)
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
        self.call(&Event {
            subject: Some(subject),
            id,
            ..Event::new(action, at)
        })
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
        self.call(&Event {
            id: Some(id),
            ..Event::new(action, at)
        })
    }

    /// Tells of a refusal, and gives it back, or a 500 where the application's hook panics.
    #[cold]
    pub(crate) fn refused(
        &self,
        rejection: Rejection,
        facts: &Facts,
        clock: &dyn Clock,
    ) -> Rejection {
        let event = Event::refused(&rejection, facts, clock.now());
        telemetry::refused(&rejection, &event);
        match self.call(&event) {
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
        if self.0.is_none() {
            return Ok(());
        }
        let id = if scope.is_empty() {
            rule.to_owned()
        } else {
            format!("{scope}:{rule}")
        };
        self.call(&Event {
            id: Some(&id),
            ..Event::new(Action::ThrottleWouldRefuse, clock.now())
        })
    }

    fn call(&self, event: &Event<'_>) -> Result<(), Rejection> {
        let Some(hook) = &self.0 else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| hook(event))).map_err(|_| {
            telemetry::hook_panicked(event.action);
            Rejection::new(RejectionKind::Failed, "event hook panicked")
        })
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}
