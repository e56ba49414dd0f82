use crate::throttle::limiter::{Key, Standing};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Of how many callers leases are kept; those of others are not, and each of their requests asks.
const MOST: usize = 16_384;

/// Requests that a server has granted in advance. It has counted them until the end of the time in
/// which they can be used, so that using one late admits nothing that would not have been admitted
/// then.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<Key, Lease>>);

#[derive(Debug)]
struct Lease {
    requests: u32,
    /// Steady.
    until: u64,
    /// What the rules said when it was granted.
    standings: Vec<Standing>,
}

impl Leases {
    /// Uses one request of a lease, if there is any, and tells what to say of the limits.
    pub(super) fn take(&self, key: Key, now: u64) -> Option<Vec<Standing>> {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = leases.get_mut(&key)?;
        if lease.requests == 0 || lease.until <= now {
            leases.remove(&key);
            return None;
        }
        lease.requests -= 1;
        let unused = lease.requests;
        let told = |standing: &Standing| Standing {
            left: standing.left.saturating_add(unused),
            ..*standing
        };
        Some(lease.standings.iter().map(told).collect())
    }

    /// Adds what was granted beyond the request that asked. Two leases end with the earlier of
    /// them.
    pub(super) fn add(
        &self,
        key: Key,
        requests: u32,
        until: u64,
        standings: &[Standing],
        now: u64,
    ) {
        let mut leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= MOST {
            leases.retain(|_, lease| lease.until > now);
        }
        if requests == 0 || leases.len() >= MOST {
            return;
        }
        let new = Lease {
            requests,
            until,
            standings: standings.to_vec(),
        };
        match leases
            .get_mut(&key)
            .filter(|lease| lease.until > now && lease.requests > 0)
        {
            Some(lease) => {
                lease.requests = lease.requests.saturating_add(new.requests);
                lease.until = lease.until.min(new.until);
                lease.standings = new.standings;
            }
            None => _ = leases.insert(key, new),
        }
    }
}
