//! The way of a request. This file alone knows the order of the steps.
//!
//! ```text
//! request → credential → (attempts) → scheme → principal, account → throttle → inner service
//!               └────────────┴───────────┴─────────────┴──────────────┴─ every "no" leaves through reject
//! ```

use crate::account::Accounts;
use crate::clock::Clock;
use crate::credential::{Credential, Source};
use crate::event::Events;
use crate::principal::{Caller, Principal};
use crate::reject::{Presented, Rejection, RejectionKind, Responder};
use crate::scheme::{Answer, Chain, PendingAnswer};
use crate::throttle::{Attempts, Call, Fields, Passed, Stack, Surroundings, Verdict};
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;

/// Everything a layer and its clones share.
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) chain: Chain,
    pub(crate) accounts: Accounts,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) responder: Arc<Responder>,
    pub(crate) preflight: Preflight,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) throttles: Option<Arc<Stack>>,
    /// What the throttles of routes have in common with those of the layer.
    pub(crate) surroundings: Surroundings,
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
    /// It goes to the inner service, with the caller in its extensions. Its answer tells of these limits.
    Admit(Option<Fields>),
    /// It does not.
    Refuse(Rejection),
    /// A store or a network has to be asked first.
    Ask(Question),
}

/// What is asked, and of whom.
pub(crate) enum Question {
    /// A scheme: who it is.
    Identity(PendingAnswer),
    /// A limiter: how often.
    #[cfg(feature = "redis")]
    Quota(crate::throttle::PendingVerdict),
}

/// What was answered.
pub(crate) enum Reply {
    Identity(Result<Principal, Rejection>),
    #[cfg(feature = "redis")]
    Quota(Result<Passed, Rejection>),
}

impl Pipeline {
    #[inline]
    pub(crate) fn decide<B>(&self, mode: Mode, request: &mut Request<B>) -> Decision {
        let passes = self.preflight == Preflight::LetThrough && is_preflight(request);
        let found = match self.source.read(request.headers_mut()) {
            // It is not counted either: browsers send it on their own, and it does no work.
            _ if passes => return admit_uncounted(None, request),
            Ok(Some(found)) => found,
            Ok(None) if mode == Mode::Optional => return self.throttle(None, request),
            Ok(None) => return self.refuse(missing()),
            Err(rejection) => return self.refuse(rejection),
        };
        let (presented, now) = (found.presented, self.clock.now());
        let (answer, counts_itself) = match found.credential {
            Credential::Basic(basic) => {
                let basic = Credential::Basic(basic.sent_by(self.peer(request)));
                (self.chain.authenticate(&basic, now), true)
            }
            credential => (self.chain.authenticate(&credential, now), false),
        };
        match self.accounts.check(answer, now) {
            Answer::Verified(principal) => self.throttle(Some(principal), request),
            Answer::Refused(rejection) => self.refuse(rejection.presented(presented)),
            Answer::Pending(answer) if counts_itself => {
                let answer = async move {
                    answer
                        .await
                        .map_err(|rejection| rejection.presented(presented))
                };
                Decision::Ask(Question::Identity(Box::pin(answer)))
            }
            Answer::Pending(answer) => self.ask(answer, presented, self.peer(request)),
            Answer::NotPresented => self.refuse(missing()),
        }
    }

    /// Asks about a credential that names no account, unless too many from that address were wrong.
    fn ask(&self, answer: PendingAnswer, presented: Presented, peer: Option<IpAddr>) -> Decision {
        if let Err(rejection) = self.attempts.check_address(peer) {
            return self.refuse(rejection);
        }
        let attempts = Arc::clone(&self.attempts);
        Decision::Ask(Question::Identity(Box::pin(async move {
            let answer = answer.await;
            if answer
                .as_ref()
                .is_err_and(|rejection| rejection.status() == StatusCode::UNAUTHORIZED)
            {
                attempts.count_address(peer);
            }
            answer.map_err(|rejection| rejection.presented(presented))
        })))
    }

    /// From where a request comes, as far as the server tells.
    pub(crate) fn peer<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        self.surroundings
            .addresses
            .client(request.headers(), request.extensions())
    }

    /// Goes on where a question was asked.
    pub(crate) fn resume<B>(&self, reply: Reply, request: &mut Request<B>) -> Decision {
        match reply {
            Reply::Identity(Ok(principal)) => self.throttle(Some(principal), request),
            Reply::Identity(Err(rejection)) => self.refuse(rejection),
            #[cfg(feature = "redis")]
            Reply::Quota(Ok(passed)) => admit(passed, request),
            #[cfg(feature = "redis")]
            Reply::Quota(Err(rejection)) => self.refuse(rejection),
        }
    }

    /// A refusal that everybody who wants to know of it was told of. The time is read once more only where there is a hook.
    #[inline]
    pub(crate) fn told(&self, rejection: Rejection) -> Rejection {
        self.events.refused_now(rejection, &*self.clock)
    }

    #[inline]
    fn refuse(&self, rejection: Rejection) -> Decision {
        Decision::Refuse(self.told(rejection))
    }

    /// Step 4, for whoever was verified, or for nobody.
    #[inline]
    pub(crate) fn throttle<B>(
        &self,
        principal: Option<Principal>,
        request: &mut Request<B>,
    ) -> Decision {
        let Some(stack) = &self.throttles else {
            return admit_uncounted(principal, request);
        };
        let verdict = stack.check(&Call::new(
            request,
            principal.as_ref(),
            &self.surroundings.addresses,
        ));
        if !matches!(verdict, Verdict::Refused(_)) {
            request.extensions_mut().insert(Caller(principal));
        }
        self.pass(verdict, request)
    }

    /// The throttles of a route, inside of the layer.
    pub(crate) fn throttle_route<B>(
        &self,
        stack: &Arc<Stack>,
        request: &mut Request<B>,
    ) -> Decision {
        let caller = match Caller::of(request.extensions()) {
            Ok(caller) => caller,
            Err(rejection) => return self.refuse(rejection),
        };
        let call = Call::new(request, caller.0.as_ref(), &self.surroundings.addresses);
        let verdict = stack.check(&call);
        self.pass(verdict, request)
    }

    #[inline]
    fn pass<B>(&self, verdict: Verdict, request: &mut Request<B>) -> Decision {
        match verdict {
            Verdict::Passed(passed) => admit(passed, request),
            Verdict::Refused(rejection) => self.refuse(rejection),
            #[cfg(feature = "redis")]
            Verdict::Asked(verdict) => Decision::Ask(Question::Quota(verdict)),
        }
    }
}

impl Question {
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Reply> {
        match self {
            Self::Identity(answer) => answer.as_mut().poll(cx).map(Reply::Identity),
            #[cfg(feature = "redis")]
            Self::Quota(verdict) => verdict.as_mut().poll(cx).map(Reply::Quota),
        }
    }
}

#[inline]
fn admit_uncounted<B>(principal: Option<Principal>, request: &mut Request<B>) -> Decision {
    request.extensions_mut().insert(Caller(principal));
    Decision::Admit(None)
}

#[inline]
fn admit<B>(passed: Passed, request: &mut Request<B>) -> Decision {
    if let Some(settlement) = passed.settlement {
        request.extensions_mut().insert(settlement);
    }
    Decision::Admit(passed.fields)
}

fn missing() -> Rejection {
    Rejection::new(RejectionKind::MissingCredential, "none")
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
