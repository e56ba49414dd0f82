use super::attempts::Attempts;
use crate::reject::Rejection;
use crate::throttle::limiter::Key;
use crate::turns::Turn;
use http::StatusCode;
use std::sync::Arc;

/// A look-up of a key that is under way.
///
/// Nobody guesses 256 random bits: what is guarded here is the database. A key that is refused
/// counts against the address that it comes from, and so does whoever goes away before it is known;
/// one that is good does not, however many are looked up.
#[must_use]
pub(crate) struct LookUp {
    attempts: Arc<Attempts>,
    key: Key,
    /// By the address that is charged; `None` where the server does not tell it.
    source: Option<Key>,
    is_over: bool,
    /// What others wait for. None where the key was good lately, which waits for nobody.
    _turn: Option<Turn>,
}

impl LookUp {
    pub(super) fn new(
        attempts: &Arc<Attempts>,
        key: Key,
        source: Option<Key>,
        turn: Option<Turn>,
    ) -> Self {
        Self {
            attempts: Arc::clone(attempts),
            key,
            source,
            is_over: false,
            _turn: turn,
        }
    }

    /// Ends it: 401 is a key that is not there, or revoked or expired. What failed for a reason of
    /// the service's own is nobody's.
    pub(crate) fn conclude<T>(mut self, result: &Result<T, Rejection>) {
        // First of all: whatever happens below, `drop` must not charge the address as if somebody
        // had gone away.
        self.is_over = true;
        match result {
            Ok(_) => self.attempts.note_good(self.key),
            Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => {
                self.attempts.note_wrong(self.key);
                self.charge();
            }
            Err(_) => {}
        }
    }

    fn charge(&self) {
        if let Some(source) = self.source {
            self.attempts.charge(source);
        }
    }
}

impl Drop for LookUp {
    fn drop(&mut self) {
        if !self.is_over {
            self.charge();
        }
    }
}
