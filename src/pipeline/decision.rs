use crate::principal::Principal;
use crate::reject::{LimitFields, Rejection};
use crate::scheme::{PendingAnswer, SchemeId};
use crate::throttle::{Passed, PendingVerdict};
use std::task::{Context, Poll};

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes to the inner service. Its answer tells of these limits.
    Admit(Option<LimitFields>),
    /// It does not.
    Refuse(Refusal),
    /// A store or a network has to be asked first.
    Ask(Question),
}

/// Why a request does not pass, and what its extensions do not say of it.
pub(crate) struct Refusal {
    pub(super) rejection: Rejection,
    /// The scheme that judged its credential.
    pub(super) scheme: Option<SchemeId>,
}

impl From<Rejection> for Refusal {
    #[inline]
    fn from(rejection: Rejection) -> Self {
        Self {
            rejection,
            scheme: None,
        }
    }
}

/// What is asked, and of whom.
pub(crate) enum Question {
    /// A scheme: who it is.
    Identity {
        answer: PendingAnswer,
        scheme: SchemeId,
    },
    /// A limiter: how often.
    Quota(PendingVerdict),
}

/// What was answered.
pub(crate) enum Reply {
    Identity {
        answer: Result<Principal, Rejection>,
        scheme: SchemeId,
    },
    Quota(Result<Passed, Rejection>),
}

impl Question {
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        match self {
            Self::Identity { answer, scheme } => {
                let scheme = *scheme;
                let identity = |answer| Reply::Identity { answer, scheme };
                answer.as_mut().poll(cx).map(identity)
            }
            Self::Quota(verdict) => verdict.as_mut().poll(cx).map(Reply::Quota),
        }
    }
}
