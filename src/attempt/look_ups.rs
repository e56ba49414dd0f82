use super::until::Until;
use super::wrong::Wrong;
use crate::clock::nanos;
use crate::throttle::limiter::{Key, MOST_KEYS, Moment, Table};
use crate::turns::{Bounds, Crowded, Source, Turn, Turns};
use std::time::Duration;

/// How many look-ups of keys are under way at once, and how many of them wait. A pool of
/// connections has fewer.
const BOUNDS: Bounds = Bounds {
    served: 64,
    waiting_of_a_source: 4_096,
    waiting: 16_384,
};
/// For how long, and of how many credentials, it is known that they were good.
const GOOD_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
const MOST_GOOD: usize = MOST_KEYS;
const MOST_WRONG: usize = 100_000;

/// What stores are asked about, and what they have answered lately.
///
/// These are facts about credentials and no decisions: what was good is asked about without
/// waiting for anybody, and it is the store that says whether it still is.
pub(super) struct LookUps {
    turns: Turns,
    good: Table<Until>,
    wrong: Table<Wrong>,
}

impl LookUps {
    pub(super) fn new() -> Self {
        Self {
            turns: Turns::new(BOUNDS),
            good: Table::new(MOST_GOOD),
            wrong: Table::new(MOST_WRONG),
        }
    }

    pub(super) async fn turn(&self, source: Source) -> Result<Turn, Crowded> {
        self.turns.wait(source).await
    }

    pub(super) fn was_good(&self, credential: Key, now: Moment) -> bool {
        match self.good.shard(credential).peek(credential) {
            Some(good) => now.steady < good.0,
            None => false,
        }
    }

    pub(super) fn is_wrong(&self, credential: Key, now: Moment) -> bool {
        match self.wrong.shard(credential).peek(credential) {
            Some(wrong) => wrong.is_believed(now),
            None => false,
        }
    }

    pub(super) fn note_good(&self, credential: Key, now: Moment) {
        self.forget_wrong(credential);
        let mut shard = self.good.shard(credential);
        if let Some(good) = shard.own_or_new(credential, now) {
            *good = Until(now.steady.saturating_add(nanos(GOOD_FOR)));
        }
    }

    pub(super) fn note_wrong(&self, credential: Key, now: Moment) {
        // A credential is good or wrong. One that was revoked must wait for its turn from now on,
        // as any other.
        self.forget_good(credential);
        let mut shard = self.wrong.shard(credential);
        if let Some(wrong) = shard.own_or_new(credential, now) {
            wrong.note(now);
        }
    }

    pub(super) fn forget_good(&self, credential: Key) {
        self.good.shard(credential).remove(credential);
    }

    pub(super) fn forget_wrong(&self, credential: Key) {
        self.wrong.shard(credential).remove(credential);
    }
}
