//! The way of a request. This file alone knows the order of the steps.
//!
//! ```text
//! request → credential → (attempts) → scheme → principal (and its account) → throttle → inner service
//!               └────────────┴───────────┴─────────┴─────────────────────────────┴─ every "no" leaves through reject
//! ```

use crate::account::Accounts;
use crate::clock::Clock;
use crate::credential::{Credential, Source};
use crate::event::Events;
use crate::principal::{Caller, Principal};
use crate::reject::{Presented, Rejection, RejectionKind, Responder};
use crate::scheme::{Answer, Chain, PendingAnswer};
use crate::throttle::{Attempts, Call, Passed, Stack, Surroundings, Verdict};
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request, StatusCode};
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

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
    /// It goes to the inner service.
    Admit(Admission),
    /// It does not.
    Refuse(Rejection),
    /// A store or a network has to be asked first.
    Ask(Question),
}

/// What goes with a request that is let through.
pub(crate) struct Admission {
    /// The mark of the layer; `None` where an outer one has left it.
    pub(crate) caller: Option<Caller>,
    pub(crate) passed: Passed,
}

/// What is asked, and of whom.
pub(crate) enum Question {
    /// A scheme: who it is.
    Identity(PendingAnswer),
    /// A limiter: how often.
    #[cfg(feature = "redis")]
    Quota(crate::throttle::PendingVerdict, Option<Caller>),
}

/// What was answered.
pub(crate) enum Reply {
    Identity(Result<Principal, Rejection>),
    #[cfg(feature = "redis")]
    Quota(Result<Passed, Rejection>, Option<Caller>),
}

impl Pipeline {
    #[inline]
    pub(crate) fn decide<B>(&self, mode: Mode, request: &mut Request<B>) -> Decision {
        let passes = self.preflight == Preflight::LetThrough && is_preflight(request);
        let found = match self.source.read(request.headers_mut()) {
            // It is not counted either: browsers send it on their own, and it does no work.
            _ if passes => return admit(Some(Caller(None)), Passed::default()),
            Ok(Some(found)) => found,
            Ok(None) if mode == Mode::Optional => return self.throttle(None, request),
            Ok(None) => return self.refuse(missing()),
            Err(rejection) => return self.refuse(rejection),
        };
        let (presented, now) = (found.presented, self.clock.now());
        let (answer, counted) = match found.credential {
            Credential::Basic(basic) => {
                let basic = Credential::Basic(basic.with_peer(self.peer(request)));
                (self.chain.authenticate(&basic, now), Counted::ByItsScheme)
            }
            credential => (self.chain.authenticate(&credential, now), Counted::Here),
        };
        match self.accounts.check(answer, now) {
            Answer::Verified(principal) => self.throttle(Some(principal), request),
            Answer::Refused(rejection) => self.refuse(rejection.presented(presented)),
            Answer::Pending(answer) => {
                let counted = (counted == Counted::Here).then(|| self.peer(request));
                self.ask(answer, presented, counted, now)
            }
            Answer::NotPresented => self.refuse(missing()),
        }
    }

    /// Asks about a credential. One that names no account counts here, by the address that it came from: it is not asked about
    /// where too many from there were wrong.
    fn ask(
        &self,
        answer: PendingAnswer,
        presented: Presented,
        counted: Option<Option<IpAddr>>,
        now: SystemTime,
    ) -> Decision {
        if let Some(Err(rejection)) = counted.map(|peer| self.attempts.check_address(peer)) {
            return self.refuse(rejection);
        }
        let (events, attempts) = (self.events.clone(), Arc::clone(&self.attempts));
        Decision::Ask(Question::Identity(Box::pin(async move {
            answer.await.map_err(|rejection| {
                if let (Some(peer), StatusCode::UNAUTHORIZED) = (counted, rejection.status()) {
                    attempts.count_address(peer);
                }
                events.refused(rejection.presented(presented), now)
            })
        })))
    }

    /// From where a request came, as far as is known.
    fn peer<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        self.surroundings.addresses.client(request.headers(), request.extensions())
    }

    /// Counts an attempt at the password of an account.
    #[cfg(feature = "endpoints")]
    pub(crate) fn attempt(
        &self,
        name: &str,
        head: &http::request::Parts,
    ) -> Result<crate::throttle::Ticket, Rejection> {
        let peer = self.surroundings.addresses.client(&head.headers, &head.extensions);
        self.attempts.check(name, peer)
    }

    /// Tries a credential that names no account, unless too many from where it came were wrong.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn counted<T>(
        &self,
        head: &http::request::Parts,
        tried: impl Future<Output = Result<T, Rejection>>,
    ) -> Result<T, Rejection> {
        let peer = self.surroundings.addresses.client(&head.headers, &head.extensions);
        self.attempts.check_address(peer)?;
        tried.await.inspect_err(|rejection| {
            if rejection.status() == StatusCode::UNAUTHORIZED {
                self.attempts.count_address(peer);
            }
        })
    }

    /// Goes on where a question was asked.
    pub(crate) fn resume<B>(&self, reply: Reply, request: &Request<B>) -> Decision {
        match reply {
            Reply::Identity(Ok(principal)) => self.throttle(Some(principal), request),
            Reply::Identity(Err(told)) => Decision::Refuse(told),
            #[cfg(feature = "redis")]
            Reply::Quota(Ok(passed), caller) => admit(caller, passed),
            #[cfg(feature = "redis")]
            Reply::Quota(Err(rejection), _) => self.refuse(rejection),
        }
    }

    /// Decides on a request that is there until all questions are answered.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn decided<B>(
        &self,
        mode: Mode,
        request: &mut Request<B>,
    ) -> Result<Admission, Rejection> {
        let mut decision = self.decide(mode, request);
        loop {
            let mut question = match decision {
                Decision::Admit(admission) => return Ok(admission),
                Decision::Refuse(rejection) => return Err(rejection),
                Decision::Ask(question) => question,
            };
            let reply = std::future::poll_fn(|cx| question.poll(cx)).await;
            decision = self.resume(reply, request);
        }
    }

    #[inline]
    fn throttle<B>(&self, principal: Option<Principal>, request: &Request<B>) -> Decision {
        let Some(stack) = &self.throttles else { return admit(Some(Caller(principal)), Passed::default()) };
        let call = Call::new(request, principal.as_ref(), &self.surroundings.addresses);
        let verdict = stack.check(&call);
        self.pass(verdict, Some(Caller(principal)))
    }

    /// The throttles of a route, inside of the layer.
    pub(crate) fn throttle_route<B>(&self, stack: &Arc<Stack>, request: &Request<B>) -> Decision {
        let caller = match Caller::of(request.extensions()) {
            Ok(caller) => caller,
            Err(rejection) => return self.refuse(rejection),
        };
        let call = Call::new(request, caller.0.as_ref(), &self.surroundings.addresses);
        self.pass(stack.check(&call), None)
    }

    #[inline]
    fn pass(&self, verdict: Verdict, caller: Option<Caller>) -> Decision {
        match verdict {
            Verdict::Passed(passed) => admit(caller, passed),
            Verdict::Refused(rejection) => self.refuse(rejection),
            #[cfg(feature = "redis")]
            Verdict::Asked(verdict) => Decision::Ask(Question::Quota(verdict, caller)),
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

/// Where wrong credentials are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counted {
    Here,
    /// It knows the account as well.
    ByItsScheme,
}

impl Question {
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        match self {
            Self::Identity(answer) => answer.as_mut().poll(cx).map(Reply::Identity),
            #[cfg(feature = "redis")]
            Self::Quota(verdict, caller) => {
                verdict.as_mut().poll(cx).map(|verdict| Reply::Quota(verdict, caller.take()))
            }
        }
    }
}

#[inline]
fn admit(caller: Option<Caller>, passed: Passed) -> Decision {
    Decision::Admit(Admission { caller, passed })
}

fn missing() -> Rejection {
    Rejection::new(RejectionKind::MissingCredential, "none")
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
