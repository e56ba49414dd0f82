use crate::principal::Principal;
use crate::reject::{LimitFields, Rejection};
use crate::scheme::{PendingAnswer, SchemeId};
use crate::throttle::{Passed, PendingVerdict};
use std::task::{Context, Poll};

/// What becomes of a request.
pub(crate) enum Decision {
    /// It goes to the inner service.
    Admit(Admitted),
    /// It does not.
    Refuse(Refusal),
    /// A store or a network has to be asked first.
    Ask(Question),
}

/// What goes on with a request that passes.
pub(crate) struct Admitted {
    /// What its answer tells of limits.
    pub(super) fields: Option<LimitFields>,
    pub(super) by: By,
}

/// By which scheme somebody got in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Scheme(SchemeId),
    /// By none: anonymous.
    Nobody,
    /// Another gate has decided it, and has told so.
    Before,
}

impl By {
    /// The place of its name among [`By::names`], if it is counted.
    #[inline]
    pub(super) fn place(self) -> Option<usize> {
        match self {
            Self::Nobody => Some(0),
            Self::Scheme(scheme) => Some(1 + scheme.index()),
            Self::Before => None,
        }
    }

    /// What the numbers call nobody, and all schemes, where these are the application's own.
    pub(crate) fn names(others: &[&'static str]) -> impl Iterator<Item = &'static str> {
        std::iter::once("none").chain(SchemeId::names(others))
    }

    #[inline]
    pub(super) fn scheme(scheme: Option<SchemeId>) -> Self {
        match scheme {
            Some(scheme) => Self::Scheme(scheme),
            None => Self::Nobody,
        }
    }
}

impl Admitted {
    #[inline]
    pub(super) fn uncounted(by: By) -> Self {
        Self { fields: None, by }
    }
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
