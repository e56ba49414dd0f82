use crate::throttle::limiter::{Expires, Key, Moment, Standing, Table};

/// Of how many callers leases are kept; those of others are not, and each of their requests asks.
const MOST: usize = 65_536;

/// Requests that a server has granted in advance. It has counted them until the end of the time in
/// which they can be used, so that using one late admits nothing that would not have been admitted
/// then.
///
/// They are kept as counters are: a new caller looks at a few places further on, so that however
/// many there are, nobody waits until all have been looked at.
#[derive(Debug)]
pub(super) struct Leases(Table<Lease>);

#[derive(Clone, Debug, Default)]
struct Lease {
    requests: u32,
    /// Steady.
    until: u64,
    /// What the rules said when it was granted.
    standings: Vec<Standing>,
}

impl Expires for Lease {
    fn is_idle(&self, now: Moment) -> bool {
        self.requests == 0 || self.until <= now.steady
    }
}

impl Leases {
    pub(super) fn new() -> Self {
        Self(Table::new(MOST))
    }

    /// Uses one request of a lease, if there is any, and tells what to say of the limits.
    pub(super) fn take(&self, key: Key, now: u64) -> Option<Vec<Standing>> {
        let now = at(now);
        let mut leases = self.0.shard(key);
        let lease = leases.own(key)?;
        if lease.is_idle(now) {
            leases.remove(key);
            return None;
        }
        lease.requests -= 1;
        let unused = lease.requests;
        let mut standings = lease.standings.clone();
        for standing in &mut standings {
            // The server has counted the whole lease already. What this node still holds of it is
            // left to the caller.
            standing.left = standing.left.saturating_add(unused);
        }
        if unused == 0 {
            leases.remove(key);
        }
        Some(standings)
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
        // A caller at its limit is granted nothing ahead, and must not take a place from others.
        if requests == 0 {
            return;
        }
        let now = at(now);
        let mut leases = self.0.shard(key);
        // Without a place the rest of the grant is lost: the server has counted it, so less is
        // admitted, never more.
        let Some(lease) = leases.own_or_new(key, now) else {
            return;
        };
        if lease.is_idle(now) {
            *lease = Lease {
                requests,
                until,
                standings: standings.to_vec(),
            };
            return;
        }
        lease.requests = lease.requests.saturating_add(requests);
        // The later end would let requests of the earlier grant pass after the server has ceased to
        // count them.
        lease.until = lease.until.min(until);
        lease.standings = standings.to_vec();
    }
}

fn at(steady: u64) -> Moment {
    Moment { steady, wall: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::limiter::Keys;

    const SECOND: u64 = 1_000_000_000;

    fn used(leases: &Leases, keys: &Keys, callers: u64, now: u64) -> usize {
        let keys = (0..callers).map(|who| keys.of(b'l', &[&who.to_le_bytes()]));
        keys.filter(|key| leases.take(*key, now).is_some()).count()
    }

    #[test]
    fn a_lease_is_used_up_and_ends_with_its_time() {
        let (leases, keys) = (Leases::new(), Keys::new());
        let key = keys.of(b'l', &[b"anna"]);
        let standings = [Standing {
            left: 7,
            ..Standing::default()
        }];
        leases.add(key, 2, SECOND, &standings, 0);
        leases.add(key, 1, 2 * SECOND, &standings, 0);
        let left = |now| Some(leases.take(key, now)?[0].left);
        assert_eq!([left(0), left(0), left(SECOND)], [Some(9), Some(8), None]);
        assert_eq!(left(0), None, "it has ended");
        leases.add(key, 1, SECOND, &standings, 0);
        assert_eq!([left(0), left(0)], [Some(7), None]);
        leases.add(key, 0, SECOND, &standings, 0);
        assert_eq!((left(0), leases.0.len()), (None, 0));
    }

    #[test]
    fn above_the_most_new_callers_have_none_until_others_have_ended() {
        let (leases, keys) = (Leases::new(), Keys::new());
        let add = |callers: std::ops::Range<u64>, now: u64| {
            for who in callers {
                let key = keys.of(b'l', &[&who.to_le_bytes()]);
                leases.add(key, 1, now + SECOND, &[], now);
            }
        };
        let twice = 2 * MOST as u64;
        add(0..twice, 0);
        assert!(leases.0.len() <= MOST);
        let kept = used(&leases, &keys, twice, 0);
        assert!(kept > MOST * 9 / 10, "{kept}");
        add(0..twice, 0);
        add(twice..2 * twice, SECOND);
        assert!(leases.0.len() <= MOST, "those that have ended make room");
        let kept = used(&leases, &keys, 2 * twice, SECOND);
        assert!(kept > MOST * 9 / 10, "{kept}");
    }
}
