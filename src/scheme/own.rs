use super::chain::Caught;
use super::{Answer, PendingAnswer, Readiness, Scheme};
use crate::attempt::Attempt;
use crate::credential::Credential;

/// A scheme of the application's own. Until it has answered, what it is asked about counts as an
/// attempt of the address that it comes from.
pub(crate) struct Own(Box<dyn Scheme>);

impl Own {
    pub(crate) fn new(scheme: Box<dyn Scheme>) -> Self {
        Self(scheme)
    }

    /// Not polled where too many from there were wrong.
    fn counted(&self, answer: PendingAnswer, attempt: &Attempt<'_>) -> Answer {
        let presented = match attempt.credential() {
            Credential::Token(token) => token.expose(),
            Credential::Other(other) => other.expose(),
            // Those are for nobody but the schemes that come with this crate.
            Credential::ApiKey(_) | Credential::Basic(_) => "",
        };
        let ticket = match attempt.origin().enter(self.name(), presented.as_bytes()) {
            Ok(ticket) => ticket,
            Err(throttled) => return Answer::Refused(throttled),
        };
        Answer::Pending(Box::pin(async move {
            let answer = Caught(answer).await;
            ticket.conclude(&answer);
            answer
        }))
    }
}

impl Scheme for Own {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        match self.0.authenticate(attempt) {
            Answer::Pending(answer) => self.counted(answer, attempt),
            answer => answer,
        }
    }

    fn ready(&self) -> Option<Readiness> {
        self.0.ready()
    }
}
