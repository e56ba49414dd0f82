//! The way of a request. This file alone knows the order of the steps.
//!
//! ```text
//! request → credential → scheme → principal → inner service
//!               └──────────┴─ every "no" leaves through reject
//! ```

use crate::clock::Clock;
use crate::credential::Source;
use crate::principal::Caller;
use crate::reject::{Rejection, RejectionKind, Responder};
use crate::scheme::{Answer, Chain, PendingAnswer};
use crate::telemetry;
use http::header::ACCESS_CONTROL_REQUEST_METHOD;
use http::{Method, Request};
use std::sync::Arc;

/// Everything a layer and its clones share.
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) chain: Chain,
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
            Ok(None) => return refuse(Rejection::new(RejectionKind::MissingCredential, "none")),
            Err(rejection) => return refuse(rejection),
        };
        let presented = found.presented;
        match self.chain.authenticate(&found.credential, self.clock.now()) {
            Answer::Verified(principal) => Decision::Admit(Caller(Some(principal))),
            Answer::Refused(rejection) => refuse(rejection.presented(presented)),
            Answer::Pending(answer) => Decision::Ask(Box::pin(async move {
                answer.await.map_err(|rejection| {
                    let rejection = rejection.presented(presented);
                    telemetry::refused(&rejection);
                    rejection
                })
            })),
            Answer::NotPresented => refuse(Rejection::new(RejectionKind::MissingCredential, "none")),
        }
    }
}

#[inline]
fn refuse(rejection: Rejection) -> Decision {
    telemetry::refused(&rejection);
    Decision::Refuse(rejection)
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
