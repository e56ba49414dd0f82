use crate::clock::nanos;
use crate::throttle::limiter::{Expires, Moment};
use std::time::Duration;

/// For how long a key that was refused is believed to be still so, at first and at most.
const BELIEVED_FOR: Duration = Duration::from_secs(2);
const BELIEVED_AT_MOST: Duration = Duration::from_secs(60);

/// A key that was refused: it is not there, or revoked or expired, which makes no difference here.
///
/// ```text
/// refused ── believed ── asked about, refused ── believed twice as long ── …, at most a minute
/// ```
///
/// So one that was removed, and that somebody still presents every second, costs some twenty
/// look-ups in a quarter of an hour, and one that has come to be is soon accepted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrong {
    believed_until: u64,
    remembered_until: u64,
    believed_for: u64,
}

impl Wrong {
    pub(super) fn is_believed(&self, now: Moment) -> bool {
        now.steady < self.believed_until
    }

    /// It was refused once more.
    pub(super) fn note(&mut self, now: Moment) {
        let twice = self.believed_for.saturating_mul(2);
        self.believed_for = if self.is_idle(now) {
            nanos(BELIEVED_FOR)
        } else {
            // Longer each time, because somebody keeps on presenting it; but not for ever, because
            // a key of that digest may still be imported.
            twice.clamp(nanos(BELIEVED_FOR), nanos(BELIEVED_AT_MOST))
        };
        self.believed_until = now.steady.saturating_add(self.believed_for);
        self.remembered_until = self.believed_until.saturating_add(self.believed_for);
    }
}

impl Expires for Wrong {
    fn is_idle(&self, now: Moment) -> bool {
        self.remembered_until <= now.steady
    }
}
