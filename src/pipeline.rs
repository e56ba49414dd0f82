//! The way of a request. This file alone knows the order of the steps.
//!
//! ```text
//! request → credential → scheme → principal (and its account) → inner service
//!               └──────────┴──────────┴─ every "no" leaves through reject
//! ```

use crate::account::Accounts;
use crate::clock::Clock;
use crate::credential::{Found, Source};
use crate::event::Events;
use crate::principal::Caller;
use crate::reject::{Rejection, RejectionKind, Responder};
use crate::scheme::{Answer, Chain, PendingAnswer};
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request};
use std::sync::Arc;

/// Everything a layer and its clones share.
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) chain: Chain,
    pub(crate) accounts: Accounts,
    pub(crate) events: Events,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) responder: Arc<Responder>,
    pub(crate) preflight: Preflight,
}

/// Whether every request needs a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No credential is refused.
    Required,
    /// No credential is anonymous. A bad one is refused all the same.
    Optional,
}

/// What becomes of a CORS preflight, which never carries a credential (Fetch §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preflight {
    /// It is treated like every request.
    Guarded,
    /// It reaches the inner service, as anonymous.
    LetThrough,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes to the inner service, with this mark.
    Admit(Caller),
    /// It does not.
    Refuse(Rejection),
    /// A store or a network has to be asked first.
    Ask(PendingAnswer),
}

impl Pipeline {
    #[inline]
    pub(crate) fn decide<B>(&self, mode: Mode, request: &mut Request<B>) -> Decision {
        let passes = self.preflight == Preflight::LetThrough && is_preflight(request);
        let found = match self.source.read(request.headers_mut()) {
            _ if passes => return Decision::Admit(Caller(None)),
            Ok(Some(found)) => found,
            Ok(None) if mode == Mode::Optional => return Decision::Admit(Caller(None)),
            Ok(None) => return self.refuse(missing()),
            Err(rejection) => return self.refuse(rejection),
        };
        self.verify(&found)
    }

    #[inline]
    fn verify(&self, found: &Found<'_>) -> Decision {
        let (presented, now) = (found.presented, self.clock.now());
        match self.accounts.check(self.chain.authenticate(&found.credential, now), now) {
            Answer::Verified(principal) => Decision::Admit(Caller(Some(principal))),
            Answer::Refused(rejection) => self.refuse(rejection.presented(presented)),
            Answer::Pending(answer) => {
                let events = self.events.clone();
                Decision::Ask(Box::pin(async move {
                    answer.await.map_err(|rejection| events.refused(rejection.presented(presented), now))
                }))
            }
            Answer::NotPresented => self.refuse(missing()),
        }
    }

    fn refuse(&self, rejection: Rejection) -> Decision {
        Decision::Refuse(self.told(rejection))
    }

    /// A refusal that everybody who wants to know of it was told of. The time is read once more only where there is a hook.
    pub(crate) fn told(&self, rejection: Rejection) -> Rejection {
        self.events.refused_now(rejection, &*self.clock)
    }
}

fn missing() -> Rejection {
    Rejection::new(RejectionKind::MissingCredential, "none")
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
