use super::shards::Shards;
use crate::principal::Subject;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The ids of users who are disabled or were removed, in memory.
#[derive(Debug, Default)]
pub(super) struct Disabled {
    /// How many there are: where there are none, which is mostly so, nothing is locked.
    count: AtomicUsize,
    ids: Shards<HashSet<Subject>>,
}

impl Disabled {
    #[inline]
    pub(super) fn holds(&self, id: &Subject) -> bool {
        if self.count.load(Ordering::Acquire) == 0 {
            return false;
        }
        self.ids.read(id.id().as_bytes()).contains(id)
    }

    pub(super) fn set(&self, id: &Subject, is_disabled: bool) {
        let mut ids = self.ids.write(id.id().as_bytes());
        if is_disabled {
            if ids.insert(id.clone()) {
                self.count.fetch_add(1, Ordering::AcqRel);
            }
        } else if ids.remove(id) {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
