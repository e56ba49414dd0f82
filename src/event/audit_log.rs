use super::audit::{Audit, Refusals};
use super::scope_uses::ScopeUses;
use super::telemetry::audit_not_written;
use super::{Action, Event};
use crate::clock::Clock;
use crate::principal::Subject;
use crate::reject::RejectionKind;
use crate::store::{AuditRecord, AuditStore, StoreError, caught_future};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What may wait to be written. Of refused requests, and of those that a rule would refuse, half as
/// many.
const MOST_WAITING: usize = 10_000;
/// What is written at once.
const BATCH: usize = 256;
/// How long a batch may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// For how long a store is left alone that has failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often old records are removed.
const PURGE_EVERY: Duration = Duration::from_secs(60 * 60);
/// How many old records are removed at once.
const PURGED_AT_ONCE: usize = 1_000;
/// How much of a text is kept that a client may choose, in bytes.
const LONGEST_TEXT: usize = 256;

/// Keeps what happens, without anybody waiting for it. Clones are the same.
#[derive(Clone)]
pub(crate) struct AuditLog(Arc<Shared>);

struct Shared {
    audit: Audit,
    store: Arc<dyn AuditStore>,
    clock: Arc<dyn Clock>,
    // Held for a change in memory, never over an await. A panic leaves no half of one.
    waiting: Mutex<Waiting>,
    scope_uses: ScopeUses,
    /// How many were written or given up.
    settled: watch::Sender<u64>,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<AuditRecord>,
    /// How many of them are refused requests, or would have been.
    refusals: usize,
    /// How many there was no room for.
    lost: u64,
    /// How many of those that wait came before the first of these.
    before_lost: usize,
    /// How many were told, those that were lost included.
    told: u64,
    is_writing: bool,
    /// Since when nothing old was removed.
    purged: Option<SystemTime>,
}

impl AuditLog {
    pub(crate) fn new(audit: Audit, store: Arc<dyn AuditStore>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            audit,
            store,
            clock,
            waiting: Mutex::default(),
            scope_uses: ScopeUses::new(),
            settled: watch::Sender::new(0),
        }))
    }

    /// Whether it is kept which scopes are used.
    #[inline]
    pub(super) fn keeps_scope_uses(&self) -> bool {
        self.0.audit.scope_uses
    }

    pub(super) fn is_new_use(&self, key: &str, scope: &str, now: SystemTime) -> bool {
        self.0.scope_uses.is_new(key, scope, now)
    }

    /// Whether refused requests of that kind are kept.
    #[inline]
    pub(super) fn keeps(&self, kind: RejectionKind) -> bool {
        match self.0.audit.refusals {
            Refusals::None => false,
            Refusals::OfSomebody => is_of_somebody(kind),
            Refusals::All => true,
        }
    }

    /// Has it written that something happened. Outside of a runtime it waits for somebody inside of
    /// one.
    pub(super) fn add(&self, event: &Event<'_>) {
        let record = record(event);
        let is_refusal = is_refusal(&record);
        let mut waiting = self.0.waiting();
        waiting.told += 1;
        // Anybody can have requests refused. So these get half of the room, and a flood of them
        // leaves the other half to the rest.
        let has_room = waiting.records.len() < MOST_WAITING
            && (!is_refusal || waiting.refusals < MOST_WAITING / 2);
        if has_room {
            waiting.refusals += usize::from(is_refusal);
            waiting.records.push_back(record);
        } else {
            if waiting.lost == 0 {
                waiting.before_lost = waiting.records.len();
            }
            waiting.lost += 1;
        }
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if !std::mem::replace(&mut waiting.is_writing, true) {
            // Unlocked before the task is spawned: a runtime that is ending drops it here and now,
            // and `Writer::drop` takes the lock.
            drop(waiting);
            let shared = Arc::clone(&self.0);
            runtime.spawn(
                Writer {
                    shared,
                    is_done: false,
                }
                .run(),
            );
        }
    }

    /// Waits until everything is written that was told before.
    pub(crate) async fn written(&self) {
        let told = self.0.waiting().told;
        let mut settled = self.0.settled.subscribe();
        // It ends with the log itself at the latest.
        let _ = settled.wait_for(|settled| *settled >= told).await;
    }
}

/// Whether it is of a request that was refused, or that a rule would have refused that only
/// observes.
fn is_refusal(record: &AuditRecord) -> bool {
    let refusals = [Action::Refused, Action::ThrottleWouldRefuse];
    refusals
        .iter()
        .any(|action| *record.action == *action.name())
}

/// Whether a refusal says something of somebody: of whoever was verified, now or before their token
/// was revoked, or of an account that somebody has tried to get into.
fn is_of_somebody(kind: RejectionKind) -> bool {
    matches!(
        kind,
        RejectionKind::InvalidPassword
            | RejectionKind::InsufficientScope
            | RejectionKind::PermissionDenied
            | RejectionKind::RevokedToken
            | RejectionKind::Throttled
    )
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be written next, and how many that settles. It stays there until it is written.
    fn next_batch(&self) -> Option<(Vec<AuditRecord>, u64)> {
        let mut waiting = self.waiting();
        if waiting.records.is_empty() && waiting.lost == 0 {
            // Under the lock by which events are added: one that comes later finds that nobody
            // writes, and starts the next task.
            waiting.is_writing = false;
            return None;
        }
        // Copied, and taken out only when it is written: a task that is cancelled in between may
        // write it twice, but loses nothing.
        let mut batch: Vec<AuditRecord> = waiting.records.iter().take(BATCH).cloned().collect();
        let lost = waiting.lost;
        // Told once those are written that came before. Were it told when nothing else waits, a
        // load that lasts would keep it from being told.
        if lost > 0 && batch.len() >= waiting.before_lost {
            let mut record = AuditRecord::new("audit lost", self.clock.now());
            record.target = Some(lost.to_string().into());
            batch.push(record);
            return Some((batch, lost));
        }
        Some((batch, 0))
    }

    /// Takes out what was written.
    fn settle(&self, batch: &[AuditRecord], lost: u64) {
        let mut waiting = self.waiting();
        let written = batch.len() - usize::from(lost > 0);
        let refusals = waiting.records.drain(..written).filter(is_refusal).count();
        waiting.refusals -= refusals;
        // Not set to 0: more may have been lost during the write, and a later batch tells of these.
        waiting.lost -= lost;
        waiting.before_lost = match lost {
            0 => waiting.before_lost.saturating_sub(written),
            // Of what is left, all came before those.
            _ => waiting.records.len(),
        };
        drop(waiting);
        let settled = written as u64 + lost;
        self.settled.send_modify(|all| *all += settled);
    }

    async fn write(&self, batch: &[AuditRecord]) -> Result<(), StoreError> {
        let writing = self.store.insert_audit(batch);
        match caught_future(timeout(DEADLINE, writing)).await {
            Ok(Ok(written)) => written,
            Ok(Err(late)) => Err(StoreError::unavailable(late)),
            Err(panicked) => Err(StoreError::unavailable(panicked)),
        }
    }

    /// Removes what is too old, once in a while.
    async fn purge(&self) {
        let now = self.clock.now();
        {
            let mut waiting = self.waiting();
            let is_due = match waiting.purged.map(|purged| now.duration_since(purged)) {
                Some(Ok(since)) => since >= PURGE_EVERY,
                // Where the clock was set back, the hour is counted anew from now on. It would else
                // begin only when the clock has caught up.
                Some(Err(_)) | None => true,
            };
            if !is_due {
                return;
            }
            // Noted before and whatever comes of it: a store that cannot remove anything is not
            // asked to after every batch.
            waiting.purged = Some(now);
        }
        let Some(before) = now.checked_sub(self.audit.kept_for) else {
            return;
        };
        loop {
            let purging = self.store.purge_audit(before, PURGED_AT_ONCE);
            match caught_future(timeout(DEADLINE, purging)).await {
                Ok(Ok(Ok(purged))) if purged == PURGED_AT_ONCE => {}
                // What could not be removed now is removed later.
                _ => return,
            }
        }
    }
}

/// The task that writes, until there is nothing more. Should it end before, the next event starts
/// another.
struct Writer {
    shared: Arc<Shared>,
    is_done: bool,
}

impl Writer {
    async fn run(mut self) {
        while let Some((batch, lost)) = self.shared.next_batch() {
            match self.shared.write(&batch).await {
                Ok(()) => {
                    self.shared.settle(&batch, lost);
                    self.shared.purge().await;
                }
                Err(error) => {
                    audit_not_written(&error);
                    sleep(PAUSE).await;
                }
            }
        }
        self.is_done = true;
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_done {
            self.shared.waiting().is_writing = false;
        }
    }
}

fn record(event: &Event<'_>) -> AuditRecord {
    let mut record = AuditRecord::new(event.action().name(), event.at());
    record.actor = event.actor().map(cut_subject);
    record.credential = event.credential().map(|id| cut(&id));
    record.scheme = event.scheme().map(cut);
    record.subject = event.subject().map(cut_subject);
    record.target = event.id().map(cut);
    record.scope = event.scope().map(cut);
    record.peer = event.peer();
    record.method = event.method().map(|method| cut(method.as_str()));
    record.route = event.route().map(cut);
    record.request_id = event.request_id().map(cut);
    if let Some(rejection) = event.rejection() {
        record.kind = Some(rejection.kind().code().into());
        record.reason = Some(rejection.reason().into());
    }
    record
}

fn cut_subject(subject: &Subject) -> Subject {
    Subject::new(
        String::from(cut(subject.kind())),
        String::from(cut(subject.id())),
    )
}

/// A text that fills no disk, and that every database can keep.
fn cut(text: &str) -> Box<str> {
    let end = text.floor_char_boundary(LONGEST_TEXT);
    // PostgreSQL keeps no NUL in a text.
    text[..end].replace('\0', "\u{fffd}").into_boxed_str()
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog")
            .field("audit", &self.0.audit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::store::Memory;

    #[test]
    fn what_was_lost_is_told_while_more_and_more_comes() {
        let store = Arc::new(Memory::new());
        // Outside of a runtime nobody writes but this test.
        let log = AuditLog::new(Audit::new(), store, Arc::new(SystemClock));
        let add = |count: usize| {
            for _ in 0..count {
                log.add(&Event::new(Action::KeyCreated, SystemTime::UNIX_EPOCH));
            }
        };
        add(MOST_WAITING + 5);
        let mut written = 0;
        let told = loop {
            let (batch, lost) = log.0.next_batch().expect("a batch");
            assert!(batch.len() <= BATCH + 1);
            written += batch.len() - usize::from(lost > 0);
            // During the write as much comes as it writes, and one more, for which there is no
            // room.
            add(1);
            log.0.settle(&batch, lost);
            if lost > 0 {
                let last = batch.last().expect("a record");
                assert_eq!(
                    (&*last.action, last.target.as_deref()),
                    ("audit lost", Some(&*lost.to_string()))
                );
                break lost;
            }
            add(BATCH);
            assert!(written <= MOST_WAITING, "not told after {written} records");
        };
        assert!(told >= 5, "{told}");
        // All that was lost is told in the end, once.
        let mut all = told;
        while let Some((batch, lost)) = log.0.next_batch() {
            log.0.settle(&batch, lost);
            all += lost;
        }
        let all_lost = log.0.waiting().told - *log.0.settled.borrow();
        assert_eq!(all_lost, 0);
        assert!(all > told);
    }
}
