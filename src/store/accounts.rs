use super::Account;
use super::shards::Shards;
use crate::principal::Subject;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The accounts from which something was taken, in memory: of all others there is nothing to know.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// How many there are: where there are none, which is mostly so, nothing is locked.
    count: AtomicUsize,
    by_id: Shards<HashMap<Subject, Account>>,
}

impl Accounts {
    #[inline]
    pub(super) fn get(&self, id: &Subject) -> Account {
        if self.count.load(Ordering::Acquire) == 0 {
            return Account::Whole;
        }
        let shard = self.by_id.read(id.id().as_bytes());
        shard.get(id).cloned().unwrap_or(Account::Whole)
    }

    pub(super) fn set(&self, id: &Subject, account: Account) {
        let mut shard = self.by_id.write(id.id().as_bytes());
        if account == Account::Whole {
            if shard.remove(id).is_some() {
                self.count.fetch_sub(1, Ordering::AcqRel);
            }
        } else if shard.insert(id.clone(), account).is_none() {
            self.count.fetch_add(1, Ordering::AcqRel);
        }
    }
}
