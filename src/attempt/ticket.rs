use super::attempts::{Attempts, Counted};
use crate::reject::Rejection;
use crate::throttle::limiter::{Key, Receipt};
use http::StatusCode;
use std::sync::Arc;

/// An attempt that is under way, and counted until it has turned out well: whoever goes away in the
/// middle has tried.
#[must_use]
pub(crate) struct Ticket {
    attempts: Arc<Attempts>,
    entered: Vec<(Counted, Receipt)>,
    /// The account and where the attempt comes from, to be remembered if its owner it is.
    place: Option<Key>,
}

impl Ticket {
    pub(super) fn new(attempts: &Arc<Attempts>, entered: Vec<(Counted, Receipt)>) -> Self {
        Self {
            attempts: Arc::clone(attempts),
            entered,
            place: None,
        }
    }

    pub(super) fn at(mut self, place: Option<Key>) -> Self {
        self.place = place;
        self
    }

    /// Ends an attempt: 401 is one that counts. What was right is given back, and what failed for a
    /// reason of the service's own, or was refused for another one, is too.
    pub(crate) fn conclude<T>(self, result: &Result<T, Rejection>) {
        match result {
            Ok(_) => self.succeeded(),
            Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => {}
            Err(_) => self.give_back(),
        }
    }

    /// What the owner mistyped before is forgiven as well, and the account is known from there.
    fn succeeded(self) {
        self.give_back();
        if let Some(place) = self.place {
            self.attempts.forget(Counted::Pair(place));
            self.attempts.remember(place);
        }
    }

    fn give_back(&self) {
        for (counted, receipt) in &self.entered {
            self.attempts.give_back(*counted, *receipt);
        }
    }
}
