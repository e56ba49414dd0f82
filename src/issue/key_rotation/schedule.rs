use crate::clock::{later, unix_seconds};
use crate::store::SigningKeyRecord;
use std::borrow::Borrow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How much the clocks of two nodes may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// When keys are made, sign, and are forgotten. It reads stored times and holds none of its own:
/// whichever node looks, and whenever, it finds the same.
///
/// Keys come in the order of their serials, without those that are to be forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    every: Duration,
    published_before: Duration,
    /// How long the longest-lived tokens live.
    longest: Duration,
}

/// What has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next key, with its times.
    Make(Times),
    /// The key at that place signs for longer than was planned, or tokens that live longer.
    KeepUntil { at: usize, forgotten_at: SystemTime },
}

/// The times of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) created: SystemTime,
    pub(super) signs_from: SystemTime,
    pub(super) signs_until: SystemTime,
    pub(super) forgotten_at: SystemTime,
}

impl Schedule {
    pub(super) fn new(every: Duration, published_before: Duration, longest: Duration) -> Self {
        Self {
            every,
            published_before,
            longest,
        }
    }

    /// How long whoever verifies may keep the keys that are published: with the time in which
    /// every node has looked at the store, less than a key is published before it signs.
    pub(super) fn cached_for(&self) -> Duration {
        (self.published_before / 2).min(HOUR)
    }

    /// How long after it was made a key that signs at once may still verify.
    pub(super) fn longest_held(&self) -> Duration {
        self.every
            .saturating_add(self.longest)
            .saturating_add(CLOCKS_DIFFER)
    }

    /// How often a node looks at the store.
    fn look_every(&self) -> Duration {
        (self.published_before / 4).min(HOUR)
    }

    /// What has to be written now, if anything.
    pub(super) fn step<R: Borrow<SigningKeyRecord>>(
        &self,
        keys: &[R],
        now: SystemTime,
    ) -> Option<Step> {
        // Times are sealed together with the key as whole seconds. A fraction would make a record
        // seem changed.
        let now = whole_seconds(now);
        let Some(newest) = keys.last() else {
            // Nobody has a token of ours yet, or none that is good: it signs at once.
            return Some(self.make(now, now));
        };
        let planned_until = newest.borrow().signs_until;
        let published = later(now, self.published_before);
        // One look earlier than it must be: this may be the last one before the time comes.
        if later(published, self.look_every()) >= planned_until {
            // Where nobody looked in time, its predecessor goes on until it is known.
            return Some(self.make(now, planned_until.max(published)));
        }
        self.kept_too_short(keys, now)
    }

    fn make(&self, now: SystemTime, signs_from: SystemTime) -> Step {
        let signs_until = later(signs_from, self.every);
        Step::Make(Times {
            created: now,
            signs_from,
            signs_until,
            forgotten_at: self.forgotten_at(signs_until),
        })
    }

    /// When the last token of a key that signs until then has expired, by every node's clock.
    fn forgotten_at(&self, signs_until: SystemTime) -> SystemTime {
        later(later(signs_until, self.longest), CLOCKS_DIFFER)
    }

    /// A key that signs, or will, and would be forgotten before its last token expires.
    fn kept_too_short<R: Borrow<SigningKeyRecord>>(
        &self,
        keys: &[R],
        now: SystemTime,
    ) -> Option<Step> {
        for (at, key) in keys.iter().enumerate() {
            let until = signs_until(keys, at)?;
            let forgotten_at = self.forgotten_at(until);
            if now < until && key.borrow().forgotten_at < forgotten_at {
                return Some(Step::KeepUntil { at, forgotten_at });
            }
        }
        None
    }

    /// The place of the key that signs now; `None` where the time of all is over.
    pub(super) fn signing<R: Borrow<SigningKeyRecord>>(
        &self,
        keys: &[R],
        now: SystemTime,
    ) -> Option<usize> {
        let begun = keys.iter().rposition(|key| key.borrow().signs_from <= now);
        // The first of all may be of a node whose clock is ahead: nobody waits for that.
        let at = begun.unwrap_or(0);
        let key: &SigningKeyRecord = keys.get(at)?.borrow();
        let is_its_time = now < signs_until(keys, at)?;
        // A token that is signed now must expire before the key is forgotten. Lifetimes may have
        // been raised since the key was made.
        let is_kept = self.forgotten_at(whole_seconds(now)) <= key.forgotten_at;
        if is_its_time && is_kept {
            Some(at)
        } else {
            None
        }
    }

    /// How long these keys are used before the store is looked at again: until one of them begins
    /// or is to be forgotten, and never for long.
    pub(super) fn fresh_for<R: Borrow<SigningKeyRecord>>(
        &self,
        keys: &[R],
        now: SystemTime,
    ) -> Duration {
        let mut fresh_for = self.look_every();
        for key in keys {
            let key: &SigningKeyRecord = key.borrow();
            for time in [key.signs_from, key.forgotten_at] {
                if let Ok(wait) = time.duration_since(now)
                    && !wait.is_zero()
                {
                    fresh_for = fresh_for.min(wait);
                }
            }
        }
        fresh_for
    }
}

/// Until when the key at that place signs: until its successor does.
fn signs_until<R: Borrow<SigningKeyRecord>>(keys: &[R], at: usize) -> Option<SystemTime> {
    match keys.get(at + 1) {
        Some(successor) => Some(successor.borrow().signs_from),
        None => keys.get(at).map(|key| key.borrow().signs_until),
    }
}

/// Times of keys are whole seconds, which every store keeps.
fn whole_seconds(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_seconds(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const DAY: u64 = 24 * 60 * MINUTE;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * DAY)
    }

    /// 30 days, a day before, and tokens of 10 days.
    fn schedule() -> Schedule {
        Schedule::new(days(30), days(1), days(10))
    }

    fn key(serial: u32, from: u64, until: u64, forgotten_at: u64) -> SigningKeyRecord {
        SigningKeyRecord::new("issuer", serial, "id", "ES256", [], at(from))
            .signs(at(from), at(until))
            .forgotten_at(at(forgotten_at))
    }

    fn made(step: Option<Step>) -> Times {
        match step {
            Some(Step::Make(times)) => times,
            other => panic!("nothing was made: {other:?}"),
        }
    }

    /// Does what has to be done, until nothing has.
    fn settled(schedule: Schedule, keys: &mut Vec<SigningKeyRecord>, now: SystemTime) {
        keys.retain(|key| key.forgotten_at > now);
        while let Some(step) = schedule.step(keys, now) {
            match step {
                Step::Make(times) => {
                    let serial = keys.last().map_or(1, |newest| newest.serial + 1);
                    let next = SigningKeyRecord::new("i", serial, "k", "a", [], times.created)
                        .signs(times.signs_from, times.signs_until)
                        .forgotten_at(times.forgotten_at);
                    keys.push(next);
                }
                Step::KeepUntil { at, forgotten_at } => keys[at].forgotten_at = forgotten_at,
            }
        }
    }

    #[test]
    fn the_first_key_signs_at_once_and_each_next_one_is_published_before_it_does() {
        let schedule = schedule();
        let first = made(schedule.step::<SigningKeyRecord>(&[], at(5)));
        assert_eq!((first.created, first.signs_from), (at(5), at(5)));
        assert_eq!(first.signs_until, at(5 + 30 * DAY));
        assert_eq!(first.forgotten_at, at(5 + 40 * DAY + MINUTE));
        let keys = [key(1, 0, 30 * DAY, 40 * DAY + MINUTE)];
        let due = 29 * DAY - 60 * MINUTE;
        assert_eq!(schedule.step(&keys, at(due - 1)), None);
        let next = made(schedule.step(&keys, at(due)));
        assert_eq!(next.signs_from, at(30 * DAY), "when the former one ends");
        let next = made(schedule.step(&keys, at(29 * DAY + 7)));
        assert_eq!(next.signs_from, at(30 * DAY + 7), "a day after it is made");
    }

    #[test]
    fn a_key_that_goes_on_because_nobody_looked_is_kept_for_its_last_token() {
        let schedule = schedule();
        let mut keys = vec![key(1, 0, 30 * DAY, 40 * DAY + MINUTE)];
        let now = at(35 * DAY);
        assert_eq!(schedule.signing(&keys, now), None, "its time is over");
        settled(schedule, &mut keys, now);
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[1].signs_from, at(36 * DAY));
        assert_eq!(keys[0].forgotten_at, at(46 * DAY + MINUTE));
        assert_eq!(schedule.signing(&keys, now), Some(0));
        assert_eq!(schedule.signing(&keys, at(36 * DAY)), Some(1));
    }

    #[test]
    fn a_key_signs_no_token_that_outlives_it_though_lifetimes_grew() {
        let longer = Schedule::new(days(30), days(1), days(300));
        let mut keys = vec![key(1, 0, 30 * DAY, 40 * DAY + MINUTE)];
        assert_eq!(longer.signing(&keys, at(DAY)), None);
        settled(longer, &mut keys, at(DAY));
        assert_eq!(keys[0].forgotten_at, at(330 * DAY + MINUTE));
        assert_eq!(longer.signing(&keys, at(DAY)), Some(0));
        // Where they shrank, what was signed before stays good.
        let shorter = Schedule::new(days(30), days(1), days(1));
        assert_eq!(shorter.step(&keys, at(DAY)), None);
        assert_eq!(shorter.signing(&keys, at(30 * DAY)), None);
    }

    #[test]
    fn a_node_whose_clock_is_behind_signs_with_the_first_key() {
        let keys = [key(1, 30, 30 * DAY, 41 * DAY)];
        assert_eq!(schedule().signing(&keys, at(0)), Some(0));
    }

    /// Whatever the times between two looks, from an hour to half a year.
    #[test]
    fn at_any_time_one_key_signs_and_every_token_outlives_no_key() {
        let schedule = schedule();
        let mut keys = Vec::new();
        let mut signed: Vec<(u32, SystemTime)> = Vec::new();
        let mut now = at(1_000);
        for n in 0..3_000_u64 {
            let serial_before = keys.last().map(|newest: &SigningKeyRecord| newest.serial);
            settled(schedule, &mut keys, now);
            if let Some(newest) = keys.last()
                && Some(newest.serial) != serial_before
                && keys.len() > 1
            {
                assert!(newest.signs_from >= now + days(1), "not published in time");
            }
            let signing = schedule.signing(&keys, now).expect("one signs");
            signed.push((keys[signing].serial, now + days(10)));
            signed.retain(|(_, expires)| *expires > now);
            for (serial, _) in &signed {
                assert!(
                    keys.iter().any(|key| key.serial == *serial),
                    "{serial} is gone"
                );
            }
            let pause = match n % 7 {
                0 => 60 * MINUTE,
                1 => 13 * 60 * MINUTE + 7,
                2 => 3 * DAY,
                3 => MINUTE,
                4 => 9 * DAY + 11,
                5 => n % 180 * DAY,
                _ => 25 * 60 * MINUTE,
            };
            now += Duration::from_secs(pause);
        }
    }
}
