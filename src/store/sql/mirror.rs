use crate::principal::Subject;
use crate::store::denials::{Denials, Kind};
use crate::store::{Known, TokenIds};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// What is denied, as the database said it last, and how long ago that was.
pub(super) struct Mirror {
    denials: Denials,
    disabled: Disabled,
    age: Age,
}

impl Mirror {
    pub(super) fn new(bound: Duration, outage: Duration) -> Self {
        Self {
            denials: Denials::default(),
            disabled: Disabled::default(),
            age: Age::new(bound, outage),
        }
    }

    pub(super) fn age(&self) -> &Age {
        &self.age
    }

    pub(super) fn disabled(&self) -> &Disabled {
        &self.disabled
    }

    pub(super) fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        if self.age.is_believed() {
            self.denials.peek(token, now)
        } else {
            Known::Ask
        }
    }

    pub(super) fn peek_disabled(&self, id: &Subject) -> Known {
        if self.age.is_believed() {
            self.disabled.holds(id).into()
        } else {
            Known::Ask
        }
    }

    /// Denies an id, through this node: by its next request.
    pub(super) fn deny(&self, kind: Kind, id: &str, until: SystemTime) {
        // Nothing is swept here: that is housekeeping's, by its own clock.
        self.denials.insert(kind, id, until, UNIX_EPOCH);
    }

    pub(super) fn sweep(&self, now: SystemTime) {
        self.denials.sweep(now, usize::MAX);
    }
}

/// How long ago the database was heard, by a clock that nobody sets.
///
/// ```text
/// heard ────────── bound ─────────────────── bound + outage ──────
///        believed         believed while the         not believed
///                         database is away
/// ```
pub(super) struct Age {
    start: Instant,
    /// In microseconds after `start`, and 1; 0 is never.
    heard: AtomicU64,
    is_away: AtomicBool,
    bound: Duration,
    outage: Duration,
}

impl Age {
    fn new(bound: Duration, outage: Duration) -> Self {
        Self {
            start: Instant::now(),
            heard: AtomicU64::new(0),
            is_away: AtomicBool::new(false),
            bound,
            outage,
        }
    }

    /// All that the database had said by that time is here.
    pub(super) fn hear(&self, at: Instant) {
        let since = at.saturating_duration_since(self.start).as_micros();
        let since = u64::try_from(since).unwrap_or(u64::MAX - 1);
        self.heard
            .fetch_max(since.saturating_add(1), Ordering::AcqRel);
        self.is_away.store(false, Ordering::Release);
    }

    /// The database did not answer.
    pub(super) fn miss(&self) {
        self.is_away.store(true, Ordering::Release);
    }

    pub(super) fn get(&self) -> Option<Duration> {
        let heard = Duration::from_micros(self.heard.load(Ordering::Acquire).checked_sub(1)?);
        Some(self.start.elapsed().saturating_sub(heard))
    }

    /// Whether what is here is as good as what the database would say.
    pub(super) fn is_fresh(&self) -> bool {
        self.get().is_some_and(|age| age < self.bound)
    }

    /// Whether what is here may answer for the database.
    pub(super) fn is_believed(&self) -> bool {
        let Some(age) = self.get() else { return false };
        age < self.bound
            || self.is_away.load(Ordering::Acquire) && age < self.bound.saturating_add(self.outage)
    }
}

/// Users who are disabled or were removed.
///
/// What one node writes and what it hears of others come in any order, so each change of a user has a version, and the latest
/// one counts. A user who is active again is remembered until no earlier news can be on its way.
#[derive(Default)]
pub(super) struct Disabled {
    count: AtomicUsize,
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    users: HashMap<Subject, Entry>,
    /// Who is active again.
    lately: Vec<Subject>,
    /// How many hearings have begun.
    hearing: u64,
}

impl Entries {
    fn set(&mut self, id: Subject, version: i64, is_active: bool) {
        if self
            .users
            .get(&id)
            .is_some_and(|known| known.version > version)
        {
            return;
        }
        if is_active {
            self.lately.push(id.clone());
        }
        self.users.insert(
            id,
            Entry {
                version,
                is_active,
                hearing: self.hearing,
            },
        );
    }
}

struct Entry {
    version: i64,
    is_active: bool,
    /// The hearing that had begun last when it was written.
    hearing: u64,
}

impl Disabled {
    pub(super) fn holds(&self, id: &Subject) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        self.read()
            .users
            .get(id)
            .is_some_and(|entry| !entry.is_active)
    }

    pub(super) fn set(&self, id: Subject, version: i64, is_active: bool) {
        let mut entries = self.write();
        entries.set(id, version, is_active);
        self.count.store(entries.users.len(), Ordering::Release);
    }

    /// The database is about to be heard.
    pub(super) fn begin_hearing(&self) {
        let mut entries = self.write();
        entries.hearing = entries.hearing.saturating_add(1);
    }

    /// What was said in this hearing is here.
    pub(super) fn end_hearing(&self) {
        let mut entries = self.write();
        let hearing = entries.hearing;
        let Entries { users, lately, .. } = &mut *entries;
        lately.retain(|id| match users.get(id) {
            Some(entry) if entry.is_active && entry.hearing >= hearing => true,
            Some(entry) if entry.is_active => {
                users.remove(id);
                false
            }
            _ => false,
        });
        self.count.store(entries.users.len(), Ordering::Release);
    }

    /// All who are disabled, read in this hearing: others are not, unless this node wrote so since it began.
    pub(super) fn replace(&self, all: Vec<(Subject, i64)>) {
        // In one step, lest somebody pass in between.
        let mut entries = self.write();
        let hearing = entries.hearing;
        entries.users.retain(|_, entry| entry.hearing >= hearing);
        for (id, version) in all {
            entries.set(id, version, false);
        }
        self.count.store(entries.users.len(), Ordering::Release);
    }

    // Held for a look-up or a change in memory, never over an await.
    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn nothing_is_believed_before_the_first_hearing_nor_after_the_bound() {
        let mirror = Mirror::new(BOUND, Duration::ZERO);
        let peek = || mirror.peek_revoked(TokenIds::new("t", None), UNIX_EPOCH);
        mirror.deny(Kind::Token, "t", UNIX_EPOCH + BOUND);
        assert_eq!(peek(), Known::Ask);
        mirror.age().hear(Instant::now());
        assert_eq!(peek(), Known::Yes);
        tokio::time::advance(BOUND).await;
        mirror.age().miss();
        assert_eq!((peek(), mirror.age().get()), (Known::Ask, Some(BOUND)));
        assert_eq!(mirror.peek_disabled(&Subject::user("1")), Known::Ask);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_extends_belief_only_while_the_database_is_away() {
        let mirror = Mirror::new(BOUND, Duration::from_secs(10));
        mirror.age().hear(Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(
            !mirror.age().is_believed(),
            "it is there, so it can be asked"
        );
        mirror.age().miss();
        assert!(mirror.age().is_believed() && !mirror.age().is_fresh());
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(!mirror.age().is_believed(), "bounded");
    }

    #[test]
    fn news_that_comes_late_undoes_no_later_change() {
        let (disabled, anna) = (Disabled::default(), Subject::user("anna"));
        disabled.begin_hearing();
        disabled.set(anna.clone(), 1, false); // through this node
        disabled.set(anna.clone(), 2, true);
        disabled.set(anna.clone(), 1, false); // heard
        assert!(!disabled.holds(&anna));
        disabled.end_hearing();
        disabled.set(anna.clone(), 1, false);
        assert!(
            !disabled.holds(&anna),
            "written since the hearing began: earlier news may be on its way"
        );
        disabled.begin_hearing();
        disabled.end_hearing();
        assert_eq!(
            disabled.count.load(Ordering::SeqCst),
            0,
            "and forgotten after the next"
        );
        disabled.set(anna.clone(), 3, false);
        assert!(disabled.holds(&anna));
    }

    #[test]
    fn a_full_reading_replaces_what_was_known_but_not_what_was_written_since_it_began() {
        let disabled = Disabled::default();
        let [old, new, both] = ["old", "new", "both"].map(Subject::user);
        disabled.set(old.clone(), 1, false);
        disabled.set(both.clone(), 1, false);
        disabled.begin_hearing();
        disabled.set(new.clone(), 1, false);
        disabled.replace(vec![(both.clone(), 1)]);
        assert_eq!(
            [&old, &new, &both].map(|id| disabled.holds(id)),
            [false, true, true]
        );
    }
}
