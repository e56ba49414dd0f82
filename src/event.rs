//! What happened, as one stream: to `tracing` (feature `tracing`) and to a hook of the application.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, unused_imports, reason = "each scheme needs a part of it")
)]

use crate::clock::Clock;
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use crate::telemetry;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::SystemTime;

/// Something that happened. It holds no secret: whatever is here may be stored.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What.
    pub action: Action,
    /// When.
    pub at: SystemTime,
    /// Whom or whose it concerns, where that is known.
    pub subject: Option<&'a Subject>,
    /// The id of the key, the private token or the family (`sid`) that it concerns, or the name of the throttle's rule
    /// (`principal`, `scope:principal`).
    pub id: Option<&'a str>,
    /// Why, where something was refused.
    pub rejection: Option<&'a Rejection>,
}

/// What can happen. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `request refused`
    Refused,
    /// `throttle would refuse`: a rule that only [observes](crate::throttle::Throttle::observe), once a request.
    ThrottleWouldRefuse,
    /// `signed in`
    SignedIn,
    /// `refreshed`: an access token for a refresh token, which goes on being the current one.
    Refreshed,
    /// `rotated`: the refresh token was replaced by its successor.
    Rotated,
    /// `reuse detected`: a refresh token that was rotated before came again; its family was revoked.
    ReuseDetected,
    /// `signed out`
    SignedOut,
    /// `signed out everywhere`
    SignedOutEverywhere,
    /// `token revoked`: one access token.
    TokenRevoked,
    /// `private token created`
    PrivateTokenCreated,
    /// `private token revoked`
    PrivateTokenRevoked,
    /// `user registered`
    UserRegistered,
    /// `user changed`
    UserChanged,
    /// `user disabled`
    UserDisabled,
    /// `user enabled`
    UserEnabled,
    /// `user removed`
    UserRemoved,
    /// `password changed`
    PasswordChanged,
    /// `password rehashed`: a hash of an older make was replaced at sign-in.
    PasswordRehashed,
    /// `key created`
    KeyCreated,
    /// `key renamed`
    KeyRenamed,
    /// `key rotated`
    KeyRotated,
    /// `key revoked`
    KeyRevoked,
}

impl Action {
    /// Its name, which does not change.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "request refused",
            Self::ThrottleWouldRefuse => "throttle would refuse",
            Self::SignedIn => "signed in",
            Self::Refreshed => "refreshed",
            Self::Rotated => "rotated",
            Self::ReuseDetected => "reuse detected",
            Self::SignedOut => "signed out",
            Self::SignedOutEverywhere => "signed out everywhere",
            Self::TokenRevoked => "token revoked",
            Self::PrivateTokenCreated => "private token created",
            Self::PrivateTokenRevoked => "private token revoked",
            Self::UserRegistered => "user registered",
            Self::UserChanged => "user changed",
            Self::UserDisabled => "user disabled",
            Self::UserEnabled => "user enabled",
            Self::UserRemoved => "user removed",
            Self::PasswordChanged => "password changed",
            Self::PasswordRehashed => "password rehashed",
            Self::KeyCreated => "key created",
            Self::KeyRenamed => "key renamed",
            Self::KeyRotated => "key rotated",
            Self::KeyRevoked => "key revoked",
        }
    }
}

type Hook = dyn Fn(&Event<'_>) + Send + Sync;

/// Where events go. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Arc<Hook>>);

impl Events {
    pub(crate) fn to(hook: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
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
            action,
            at,
            subject: Some(subject),
            id,
            rejection: None,
        })
    }

    /// Tells of a refusal, and gives it back, or a 500 where the hook panics.
    #[inline(always)]
    pub(crate) fn refused_now(&self, rejection: Rejection, clock: &dyn Clock) -> Rejection {
        if self.0.is_none() {
            telemetry::refused(&rejection);
            return rejection;
        }
        self.refused(rejection, clock.now())
    }

    /// The same, at that time.
    pub(crate) fn refused(&self, rejection: Rejection, at: SystemTime) -> Rejection {
        telemetry::refused(&rejection);
        let event = Event {
            action: Action::Refused,
            at,
            subject: None,
            id: None,
            rejection: Some(&rejection),
        };
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
        let action = Action::ThrottleWouldRefuse;
        self.call(&Event {
            action,
            at: clock.now(),
            subject: None,
            id: Some(&id),
            rejection: None,
        })
    }

    fn call(&self, event: &Event<'_>) -> Result<(), Rejection> {
        let Some(hook) = &self.0 else { return Ok(()) };
        catch_unwind(AssertUnwindSafe(|| hook(event)))
            .map_err(|_| Rejection::new(RejectionKind::Failed, "event hook panicked"))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Events").field(&self.0.is_some()).finish()
    }
}
