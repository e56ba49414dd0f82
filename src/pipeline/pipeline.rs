use super::decision::{Admitted, By, Decision, Question, Refusal, Reply};
use super::gate::Mode;
use crate::attempt::{Attempt, Attempts};
use crate::authorize::{Demanded, Requirement};
use crate::clock::Clock;
use crate::credential::{Precautions, Reader, Sight};
use crate::event::Events;
use crate::metrics::Decisions;
use crate::principal::{Accounts, Caller, Checked, Mark, Principal};
use crate::realm::Realm;
use crate::reject::{Presented, Rejection, RejectionKind, Responder};
use crate::scheme::{Answer, Chain, PendingAnswer, SchemeId};
use crate::throttle::{Call, Passed, Settlement, Stack, Surroundings, Verdict};
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Extensions, HeaderMap, Method, Request};
use std::future::ready;
use std::net::IpAddr;
use std::sync::Arc;

/// Everything that the gates of a layer share.
pub(crate) struct Pipeline {
    pub(crate) realm: Realm,
    pub(crate) reader: Reader,
    pub(crate) chain: Chain,
    pub(crate) accounts: Accounts,
    pub(crate) events: Events,
    /// What becomes of requests, by the numbers.
    pub(crate) decisions: Decisions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) responder: Responder,
    pub(crate) preflight: Preflight,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) throttles: Option<Arc<Stack>>,
    /// What the throttles of routes have in common with those of the layer.
    pub(crate) surroundings: Surroundings,
    /// What its routes demand.
    pub(crate) demanded: Demanded,
    /// What it leaves in the requests that it lets through.
    pub(crate) mark: Mark,
}

/// What becomes of a CORS preflight, which never carries a credential (Fetch §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preflight {
    /// It is treated like every request.
    Guarded,
    /// It reaches the inner service, as anonymous.
    LetThrough,
}

impl Pipeline {
    /// Steps 1 to 5: who it is, and how often.
    #[inline]
    pub(super) fn authenticate<B>(&self, mode: Mode, request: &mut Request<B>) -> Decision {
        let met = Caller::marked(self.mark, request.extensions());
        let is_known = match met {
            // A layer of this pipeline is around this one: whom it has verified and counted is
            // verified and counted.
            Some(caller) if caller.principal.is_some() => return admit_again(),
            Some(_) => true,
            None => false,
        };
        if self.preflight == Preflight::LetThrough && is_preflight(request) {
            // A browser sends no credential with it, but others may: it is read, so that no log
            // shows it. Nor is it counted, because browsers send it on their own, and it does no
            // work.
            let _ = self.reader.read(request, &mut None);
            return self.admit_uncounted(self.nobody(), request);
        }
        let peer = self.peer(request.headers(), request.extensions());
        // Most layers look at no senders: then there is none to make, and none to drop.
        let held;
        let sender = match self.reader.reads_senders() {
            true => {
                held = self.reader.sender(request, Sight::First);
                held.as_deref()
            }
            false => None,
        };
        let mut copied = None;
        let found = match self.reader.read(request, &mut copied) {
            Ok(Some(found)) => found,
            // The layer around this one has let it through as anonymous, and has counted it.
            Ok(None) if mode == Mode::Optional && is_known => return admit_again(),
            Ok(None) => return self.without_credential(mode, request),
            Err(rejection) => return refuse_unread(rejection),
        };
        let now = self.clock.now();
        let presented = found.presented;
        let scheme = SchemeId::of(&found.credential, &self.reader.accepted().others);
        let attempt = Attempt::new(&found.credential, now, &self.attempts, peer, sender);
        let answer = match self.chain.authenticate(&attempt) {
            Answer::Verified(mut principal) => match self.accounts.check(&mut principal, now) {
                Checked::Good => return self.throttle(self.caller(principal, scheme), request),
                Checked::Refused(rejection) => return refuse_judged(rejection, presented, scheme),
                Checked::Unknown => Box::pin(ready(Ok(principal))),
            },
            Answer::Pending(answer) => answer,
            Answer::Refused(rejection) => return refuse_judged(rejection, presented, scheme),
            Answer::NotPresented => return refuse(Rejection::missing()),
        };
        let answer = self.accounts.ask(answer, now);
        ask(answer, presented, scheme)
    }

    /// Once more who calls, and whether it is what the route requires: a body may come hours after
    /// its head, and whoever is dead by then changes nothing. Nothing is counted again.
    #[cfg(feature = "endpoints")]
    pub(crate) async fn authenticate_again(
        &self,
        requirement: Option<&Requirement>,
        request: &mut Request<()>,
    ) -> Result<(), Rejection> {
        let met = Caller::marked(self.mark, request.extensions());
        // Whoever came without a credential has none that could have died meanwhile.
        let Some(scheme) = met.and_then(|caller| caller.scheme) else {
            return Ok(());
        };
        let (answer, presented) = self.judge_again(request)?;
        let principal = answer.await;
        let principal = principal.map_err(|rejection| rejection.presented(presented))?;
        if let Some(requirement) = requirement {
            requirement.judge(&principal)?;
        }
        // This one lacks the rights that the user has lost since the head came.
        let caller = self.caller(principal, scheme);
        request.extensions_mut().insert(caller);
        Ok(())
    }

    #[cfg(feature = "endpoints")]
    fn judge_again(
        &self,
        request: &mut Request<()>,
    ) -> Result<(PendingAnswer, Presented), Rejection> {
        let peer = self.peer(request.headers(), request.extensions());
        let now = self.clock.now();
        let sender = self.reader.sender(request, Sight::Again);
        let mut copied = None;
        let found = self
            .reader
            .read(request, &mut copied)?
            .ok_or_else(Rejection::missing)?;
        let attempt = Attempt::new(
            &found.credential,
            now,
            &self.attempts,
            peer,
            sender.as_deref(),
        );
        let answer = self.chain.authenticate(&attempt).into_pending();
        Ok((self.accounts.ask(answer, now), found.presented))
    }

    #[inline]
    fn without_credential<B>(&self, mode: Mode, request: &mut Request<B>) -> Decision {
        #[cfg(feature = "test-util")]
        if let Some(assumed) = request.extensions().get::<crate::principal::Assumed>() {
            let caller = Caller {
                principal: Some(assumed.0.clone()),
                ..self.nobody()
            };
            return self.throttle(caller, request);
        }
        match mode {
            Mode::Optional => self.throttle(self.nobody(), request),
            Mode::Required => refuse(Rejection::missing()),
        }
    }

    /// Notes in the request what the answer to it says because of where its credential stands.
    #[inline(always)] // few layers read a credential anywhere but in a field of its own
    pub(super) fn note_precautions<B>(&self, request: &mut Request<B>) {
        // A layer inside of this one finds the URL without its credential. What was noted before
        // stays.
        if self.reader.reads_elsewhere()
            && let Some(precautions) = self.reader.precautions(request)
        {
            request.extensions_mut().insert(precautions);
        }
    }

    /// What was noted.
    #[inline]
    pub(super) fn precautions<B>(&self, request: &Request<B>) -> Option<Box<Precautions>> {
        if self.reader.reads_elsewhere() {
            request.extensions().get().cloned()
        } else {
            None
        }
    }

    /// From where a request comes, as far as the server tells.
    pub(crate) fn peer(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<IpAddr> {
        self.surroundings.addresses.client(headers, extensions)
    }

    /// Goes on where a question was asked.
    pub(super) fn resume<B>(&self, reply: Reply, request: &mut Request<B>) -> Decision {
        match reply {
            Reply::Identity { answer, scheme } => match answer {
                Ok(principal) => self.throttle(self.caller(principal, scheme), request),
                Err(rejection) => Decision::Refuse(Refusal {
                    rejection,
                    scheme: Some(scheme),
                }),
            },
            Reply::Quota(Ok(passed)) => {
                let by = self.by(request.extensions());
                admit(passed, by, request)
            }
            Reply::Quota(Err(rejection)) => refuse(rejection),
        }
    }

    /// Step 5 for nobody, whatever the request presents.
    pub(super) fn admit_anonymous<B>(&self, request: &mut Request<B>) -> Decision {
        // Nobody is verified by it, but no log shows it either.
        let _ = self.reader.read(request, &mut None);
        match Caller::marked(self.mark, request.extensions()) {
            // A layer of this pipeline is around this one, and has counted. Whom it has verified is
            // taken out: such a route knows nobody, as it does without that layer.
            Some(_) => {
                request.extensions_mut().insert(self.nobody());
                admit_again()
            }
            None => self.throttle(self.nobody(), request),
        }
    }

    /// Step 5, for whoever calls.
    #[inline]
    fn throttle<B>(&self, caller: Caller, request: &mut Request<B>) -> Decision {
        let Some(stack) = &self.throttles else {
            return self.admit_uncounted(caller, request);
        };
        let principal = caller.principal.as_ref();
        let addresses = &self.surroundings.addresses;
        let verdict = stack.check(&Call::new(request, principal, addresses));
        let by = By::scheme(caller.scheme);
        // Inserted whatever the verdict is: those who are told of a refusal learn who was refused.
        request.extensions_mut().insert(caller);
        pass(verdict, by, request)
    }

    /// The throttles of a route, inside of the layer.
    pub(super) fn throttle_route<B>(
        &self,
        stack: &Arc<Stack>,
        request: &mut Request<B>,
    ) -> Decision {
        let caller = match Caller::of(request.extensions()) {
            Ok(caller) => caller,
            Err(rejection) => return refuse(rejection),
        };
        let principal = caller.principal.as_ref();
        let addresses = &self.surroundings.addresses;
        let verdict = stack.check(&Call::new(request, principal, addresses));
        let by = By::scheme(caller.scheme);
        pass(verdict, by, request)
    }

    /// The throttles of public routes, wherever the layer is. Nobody is verified, and what the
    /// request presents is left to whoever verifies it, but no log shows it.
    #[inline]
    pub(super) fn throttle_public<B>(
        &self,
        stack: &Arc<Stack>,
        request: &mut Request<B>,
    ) -> Decision {
        self.reader.hide(request.headers_mut());
        let caller = Caller::of(request.extensions()).ok();
        let principal = caller.and_then(|caller| caller.principal.as_ref());
        let addresses = &self.surroundings.addresses;
        let verdict = stack.check(&Call::new(request, principal, addresses));
        let by = By::scheme(caller.and_then(|caller| caller.scheme));
        pass(verdict, by, request)
    }

    /// Step 6, inside of the layer.
    #[inline]
    pub(super) fn require<B>(&self, requirement: &Requirement, request: &Request<B>) -> Decision {
        let caller = match Caller::of(request.extensions()) {
            Ok(caller) => caller,
            Err(rejection) => return refuse(rejection),
        };
        let judged = caller
            .principal()
            .and_then(|principal| requirement.judge(principal));
        match judged {
            Ok(()) if self.events.want_scope_uses() => {
                let by = By::scheme(caller.scheme);
                match self.tell_of_scopes(requirement, caller) {
                    Ok(()) => Decision::Admit(Admitted::uncounted(by)),
                    Err(panicked) => refuse(panicked),
                }
            }
            Ok(()) => Decision::Admit(Admitted::uncounted(By::scheme(caller.scheme))),
            Err(rejection) => refuse(rejection),
        }
    }

    /// Tells which scopes of a key the requirement that it has passed names.
    #[cold]
    fn tell_of_scopes(&self, requirement: &Requirement, caller: &Caller) -> Result<(), Rejection> {
        let Some(key) = caller.principal.as_ref().and_then(Principal::key) else {
            return Ok(());
        };
        let now = self.clock.now();
        let mut told = Ok(());
        requirement.visit_scopes(&mut |scope| {
            let scope = scope.as_str();
            // Where one of several scopes is enough, a requirement names some that the key lacks.
            if told.is_ok() && key.scopes.contains(scope) {
                told = self.events.scope_used(&key.owner, &key.id, scope, now);
            }
        });
        told
    }

    /// By which scheme somebody was verified, by this layer or by the one around it.
    #[cold]
    fn by(&self, extensions: &Extensions) -> By {
        By::scheme(Caller::of(extensions).ok().and_then(|caller| caller.scheme))
    }

    #[inline]
    fn admit_uncounted<B>(&self, caller: Caller, request: &mut Request<B>) -> Decision {
        let by = By::scheme(caller.scheme);
        request.extensions_mut().insert(caller);
        Decision::Admit(Admitted::uncounted(by))
    }

    #[inline]
    fn caller(&self, principal: Principal, scheme: SchemeId) -> Caller {
        Caller {
            principal: Some(principal),
            mark: self.mark,
            scheme: Some(scheme),
        }
    }

    #[inline]
    fn nobody(&self) -> Caller {
        Caller {
            principal: None,
            mark: self.mark,
            scheme: None,
        }
    }
}

#[inline]
fn pass<B>(verdict: Verdict, by: By, request: &mut Request<B>) -> Decision {
    match verdict {
        Verdict::Known(Ok(passed)) => admit(passed, by, request),
        Verdict::Known(Err(rejection)) => refuse(rejection),
        Verdict::Asked(verdict) => Decision::Ask(Question::Quota(verdict)),
    }
}

#[inline]
fn admit<B>(passed: Passed, by: By, request: &mut Request<B>) -> Decision {
    if let Some(settlement) = passed.settlement {
        leave(settlement, request.extensions_mut());
    }
    Decision::Admit(Admitted {
        fields: passed.fields,
        by,
    })
}

/// For the handler. A request has one settlement: that of the rules around these, of this layer or
/// of another, goes into it. Replaced, it would leave them with what they have charged.
#[cold]
fn leave(settlement: Settlement, extensions: &mut Extensions) {
    let settlement = match extensions.remove::<Settlement>() {
        Some(around) => settlement.within(around),
        None => settlement,
    };
    extensions.insert(settlement);
}

/// Whom a layer of this pipeline around this one has let in.
#[inline]
fn admit_again() -> Decision {
    Decision::Admit(Admitted::uncounted(By::Before))
}

#[inline]
fn refuse(rejection: Rejection) -> Decision {
    Decision::Refuse(rejection.into())
}

/// Whatever judged the credential, a client learns no more than that it is refused.
#[inline]
fn refuse_judged(rejection: Rejection, presented: Presented, scheme: SchemeId) -> Decision {
    Decision::Refuse(Refusal {
        rejection: rejection.presented(presented),
        scheme: Some(scheme),
    })
}

/// What looks like no token or key is told like one that its scheme has refused: how short garbage
/// is makes no difference.
#[cold]
fn refuse_unread(rejection: Rejection) -> Decision {
    let scheme = if rejection.kind() == RejectionKind::InvalidToken {
        Some(match rejection.was_presented() {
            Presented::Dpop => SchemeId::DPOP,
            Presented::Bearer | Presented::Other => SchemeId::BEARER,
        })
    } else if rejection.kind() == RejectionKind::InvalidApiKey {
        Some(SchemeId::API_KEY)
    } else {
        None
    };
    Decision::Refuse(Refusal { rejection, scheme })
}

/// Waits for what a scheme says of a credential. How often it may be asked is the scheme's affair.
fn ask(answer: PendingAnswer, presented: Presented, scheme: SchemeId) -> Decision {
    let answer = async move {
        let answer = answer.await;
        answer.map_err(|rejection| rejection.presented(presented))
    };
    Decision::Ask(Question::Identity {
        answer: Box::pin(answer),
        scheme,
    })
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
