use super::{Answer, PendingAnswer, Scheme, all_ready};
use crate::attempt::Attempt;
use crate::credential::Credential;
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The schemes of a layer, asked in the order of its builder's calls until one recognises the
/// credential.
pub(crate) struct Chain(Vec<Link>);

/// A scheme, and what it is asked about: a call that is not made costs nothing.
struct Link {
    scheme: Box<dyn Scheme>,
    about: About,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Tokens,
    ApiKeys,
    Passwords,
    /// One of the application's own says by itself what it recognises.
    Anything,
}

impl About {
    fn of(scheme: &dyn Scheme) -> Self {
        match scheme.name() {
            "Bearer" => Self::Tokens,
            "Api-Key" => Self::ApiKeys,
            "Basic" => Self::Passwords,
            _ => Self::Anything,
        }
    }

    #[inline]
    fn is(self, credential: &Credential<'_>) -> bool {
        match credential {
            Credential::Token(_) => matches!(self, Self::Tokens | Self::Anything),
            Credential::ApiKey(_) => matches!(self, Self::ApiKeys | Self::Anything),
            Credential::Basic(_) => matches!(self, Self::Passwords | Self::Anything),
            Credential::Other(_) => self == Self::Anything,
        }
    }
}

impl From<Box<dyn Scheme>> for Link {
    fn from(scheme: Box<dyn Scheme>) -> Self {
        Self {
            about: About::of(&*scheme),
            scheme,
        }
    }
}

impl Chain {
    pub(crate) fn new(schemes: Vec<Box<dyn Scheme>>) -> Self {
        Self(schemes.into_iter().map(Link::from).collect())
    }

    /// Never [`Answer::NotPresented`]: a credential that nobody recognises is refused.
    pub(crate) fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        match catch_unwind(AssertUnwindSafe(|| self.first_answer(attempt))) {
            // The future is polled elsewhere, so its panics are caught there.
            Ok(Answer::Pending(answer)) => Answer::Pending(Box::pin(Caught(answer))),
            Ok(answer) => answer,
            Err(_) => Answer::Refused(panicked()),
        }
    }

    /// Loads what its schemes need, all at once. The first that fails is the answer.
    pub(crate) async fn ready(&self) -> Result<(), Rejection> {
        all_ready(self.0.iter().filter_map(|link| link.scheme.ready())).await
    }

    fn first_answer(&self, attempt: &Attempt<'_>) -> Answer {
        for Link { scheme, about } in &self.0 {
            if !about.is(attempt.credential()) {
                continue;
            }
            match scheme.authenticate(attempt) {
                Answer::NotPresented => {}
                answer => return answer,
            }
        }
        Answer::Refused(unrecognised(attempt.credential()))
    }
}

fn unrecognised(credential: &Credential<'_>) -> Rejection {
    let kind = match credential {
        Credential::Token(_) => RejectionKind::InvalidToken,
        Credential::ApiKey(_) => RejectionKind::InvalidApiKey,
        // Nobody here takes these at all, which tells nothing of the credential.
        Credential::Basic(_) | Credential::Other(_) => RejectionKind::UnknownScheme,
    };
    Rejection::new(kind, "unrecognised")
}

fn panicked() -> Rejection {
    Rejection::new(RejectionKind::Failed, "scheme panicked")
}

/// A panic ends the request, not the connection's task.
pub(super) struct Caught(pub(super) PendingAnswer);

impl Future for Caught {
    type Output = Result<Principal, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(_) => Poll::Ready(Err(panicked())),
        }
    }
}
