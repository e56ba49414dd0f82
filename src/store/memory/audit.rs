use crate::store::AuditRecord;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// A process keeps so many records; then the oldest one goes for each that comes.
const MOST: usize = 100_000;

#[derive(Default)]
pub(super) struct Audit(Mutex<Records>);

#[derive(Default)]
struct Records {
    last: u64,
    kept: VecDeque<AuditRecord>,
}

impl Audit {
    pub(super) fn insert(&self, records: &[AuditRecord]) {
        let mut all = self.all();
        for record in records {
            // Counted on and never taken from what is kept: no number is given twice, whatever was
            // removed.
            all.last += 1;
            let number = all.last;
            if all.kept.len() == MOST {
                all.kept.pop_front();
            }
            all.kept.push_back(AuditRecord {
                number,
                ..record.clone()
            });
        }
    }

    pub(super) fn list(&self, after: Option<u64>, most: usize) -> Vec<AuditRecord> {
        let all = self.all();
        let first = match after {
            Some(after) => all.kept.partition_point(|record| record.number <= after),
            None => all.kept.len().saturating_sub(most),
        };
        all.kept.range(first..).take(most).cloned().collect()
    }

    pub(super) fn purge(&self, before: SystemTime, most: usize) -> usize {
        let mut all = self.all();
        let mut left = most;
        all.kept.retain(|record| {
            let goes = left > 0 && record.at < before;
            left -= usize::from(goes);
            !goes
        });
        most - left
    }

    // Held for a look-up or a change in memory, never over an await. A panic cannot leave half a
    // record.
    fn all(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
