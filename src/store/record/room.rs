use super::{KeyRecord, TokenRecord};
use std::time::{Duration, SystemTime};

/// For how long a key that has ended takes room still: so much, and no more, can be made and
/// revoked in a day.
const KEYS_TAKE_ROOM_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// How many keys or private tokens one owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// Those that are good.
    pub live: usize,
    /// All that take room: of keys also those that ended within the last 24 hours, of private
    /// tokens also those that were revoked and have not expired, because each of them is denied
    /// until then in the memory of every node.
    pub all: usize,
    /// The time by which they are judged.
    pub now: SystemTime,
}

impl Room {
    /// Room for so many that are good, and for ten times as many in all.
    #[must_use]
    pub fn new(live: usize, now: SystemTime) -> Self {
        Self {
            live,
            all: live.saturating_mul(10),
            now,
        }
    }

    /// For one that takes the place of another one: of those that are good none is too many.
    #[must_use]
    pub fn of_rotation(mut self) -> Self {
        self.live = usize::MAX;
        self
    }

    /// Since when a key has ended that takes no room any more.
    #[must_use]
    pub fn ended_since(&self) -> SystemTime {
        let since = self.now.checked_sub(KEYS_TAKE_ROOM_FOR);
        since.unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whether one more key can be added to these.
    #[must_use]
    pub fn has_place_among_keys<'k>(&self, keys: impl Iterator<Item = &'k KeyRecord>) -> bool {
        let mut live = 0;
        let mut all = 0;
        for key in keys.filter(|key| !key.ended_before(self.ended_since())) {
            all += 1;
            live += usize::from(key.is_active(self.now));
        }
        self.has_place(live, all)
    }

    /// Whether one more private token can be added to these.
    #[must_use]
    pub fn has_place_among_tokens<'t>(
        &self,
        tokens: impl Iterator<Item = &'t TokenRecord>,
    ) -> bool {
        let mut live = 0;
        let mut all = 0;
        // A revoked token takes room until it expires, because each node has to remember until then
        // that it is revoked.
        for token in tokens.filter(|token| self.now < token.expires) {
            all += 1;
            live += usize::from(token.revoked.is_none());
        }
        self.has_place(live, all)
    }

    /// Whether one more can be added, where there are so many.
    #[must_use]
    pub fn has_place(&self, live: usize, all: usize) -> bool {
        live < self.live && all < self.all
    }
}
