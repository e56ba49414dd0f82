use super::attempts::{Attempts, Counted};
use crate::reject::{Rejection, RejectionKind};
use crate::throttle::limiter::{Key, Receipt};
use http::StatusCode;
use std::sync::Arc;

/// An attempt that is under way, and counted until it has turned out well: whoever goes away in the
/// middle has tried.
#[must_use]
pub(crate) struct Ticket {
    attempts: Arc<Attempts>,
    entered: Vec<(Counted, Receipt)>,
    learns: Option<Learns>,
}

/// What is known once an attempt has turned out right.
#[derive(Clone, Copy)]
pub(super) enum Learns {
    /// The owner of an account has signed in from this place: later attempts there are theirs.
    Owner(Key),
    /// Whoever has that name has signed in from this place.
    Name(Key),
    /// The credential was good.
    Credential(Key),
}

impl Ticket {
    pub(super) fn new(attempts: &Arc<Attempts>, entered: Vec<(Counted, Receipt)>) -> Self {
        Self {
            attempts: Arc::clone(attempts),
            entered,
            learns: None,
        }
    }

    pub(super) fn learning(mut self, learns: Option<Learns>) -> Self {
        self.learns = learns;
        self
    }

    /// Ends an attempt: 401 is one that counts. What was right is given back, and what failed for a
    /// reason of the service's own, or was refused for another one, is too.
    pub(crate) fn conclude<T>(self, result: &Result<T, Rejection>) {
        match result {
            Ok(_) => self.succeeded(),
            Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => self.failed(),
            Err(_) => self.give_back(),
        }
    }

    /// Ends what took its time whatever came of it, and is given back only where nothing was done.
    pub(crate) fn conclude_work<T>(self, result: &Result<T, Rejection>) {
        if let Err(rejection) = result
            && (rejection.kind() == RejectionKind::Throttled
                || rejection.status().is_server_error())
        {
            self.give_back();
        }
    }

    fn succeeded(self) {
        self.give_back();
        match self.learns {
            // The owner's own mistakes there are forgiven as well. Those from elsewhere stay: they
            // are somebody else's.
            Some(Learns::Owner(place)) => {
                self.attempts.forget(Counted::Pair(place));
                self.attempts.remember(place);
            }
            Some(Learns::Name(place)) => self.attempts.remember(place),
            Some(Learns::Credential(credential)) => self.attempts.note_good(credential),
            None => {}
        }
    }

    fn failed(self) {
        if let Some(Learns::Credential(credential)) = self.learns {
            // It was refused, so it is not let past the limit of its address the next time.
            self.attempts.forget_good(credential);
        }
    }

    fn give_back(&self) {
        for (counted, receipt) in &self.entered {
            self.attempts.give_back(*counted, *receipt);
        }
    }
}
