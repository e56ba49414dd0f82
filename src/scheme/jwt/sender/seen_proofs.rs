use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The part of the memory that the proofs of one key may take.
const SHARE: usize = 8;

/// The proofs that were presented, until they are too old to be presented again, so that none is
/// accepted twice (RFC 9449 §11.1).
///
/// - It is bounded, and forgets none before its time: a proof for which there is no room is
///   refused.
/// - One key has an eighth of the room, so that whoever makes proofs without end keeps nobody else
///   out.
/// - A clock that steps back brings no proof back: what is not younger than one that was forgotten
///   is refused.
pub(super) struct SeenProofs {
    most: usize,
    // Held for a few look-ups in memory, which do not panic: a poisoned one is as good as any other.
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    proofs: HashSet<Mark>,
    /// By the second in which they are forgotten: the proof, and its key.
    by_end: BTreeMap<u64, Vec<(Mark, Mark)>>,
    of_keys: HashMap<Mark, usize>,
    /// None that is forgotten was to be remembered beyond this second.
    forgotten: u64,
}

/// Half of a SHA-256 digest: nobody makes one that another proof has.
type Mark = [u8; 16];

/// A proof that is good but for this.
pub(super) struct Sighting<'a> {
    /// The thumbprint of its key.
    pub(super) key: &'a str,
    pub(super) url: &'a str,
    pub(super) id: &'a str,
    /// The last time at which it is good, since 1970.
    pub(super) ends: Duration,
}

impl SeenProofs {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            seen: Mutex::default(),
        }
    }

    /// Remembers a proof, or says why it is not accepted.
    pub(super) fn add(&self, proof: &Sighting<'_>, now: Duration) -> Result<(), &'static str> {
        let key = mark(&[proof.key]);
        let mark = mark(&[proof.key, proof.url, proof.id]);
        // Rounded up to the next second: forgotten within the last one, the proof could come again.
        let forget_at = proof.ends.as_secs().saturating_add(1);
        let mut seen = self.seen();
        seen.forget(now.as_secs());
        if forget_at <= seen.forgotten {
            return Err("older than the memory of proofs");
        }
        if seen.proofs.contains(&mark) {
            return Err("seen before");
        }
        // Refused, where others would push out the oldest: a proof that is forgotten early could be
        // presented again.
        if seen.proofs.len() >= self.most {
            return Err("the memory of proofs is full");
        }
        let of_key = seen.of_keys.get(&key).copied().unwrap_or_default();
        if of_key >= self.most.div_ceil(SHARE) {
            return Err("the memory of proofs is full for this key");
        }
        seen.of_keys.insert(key, of_key + 1);
        seen.proofs.insert(mark);
        seen.by_end.entry(forget_at).or_default().push((mark, key));
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn forget(&mut self, now: u64) {
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() > now {
                return;
            }
            self.forgotten = self.forgotten.max(*first.key());
            for (mark, key) in first.remove() {
                self.proofs.remove(&mark);
                self.forget_one_of(key);
            }
        }
    }

    fn forget_one_of(&mut self, key: Mark) {
        let left = match self.of_keys.get(&key) {
            Some(count) => count - 1,
            None => return,
        };
        if left == 0 {
            self.of_keys.remove(&key);
        } else {
            self.of_keys.insert(key, left);
        }
    }
}

/// Each part with its length, so that no two lists of parts read alike.
fn mark(parts: &[&str]) -> Mark {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let (half, _) = digest.split_at(16);
    let mut mark = Mark::default();
    mark.copy_from_slice(half);
    mark
}

impl fmt::Debug for SeenProofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenProofs")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: u64 = 43_200;

    fn add(
        seen: &SeenProofs,
        key: &str,
        id: &str,
        ends: u64,
        now: u64,
    ) -> Result<(), &'static str> {
        let sighting = Sighting {
            key,
            url: "https://api.example.com/",
            id,
            ends: Duration::from_secs(ends),
        };
        seen.add(&sighting, Duration::from_secs(now))
    }

    #[test]
    fn a_proof_is_seen_once_until_it_ends_and_another_is_another() {
        let seen = SeenProofs::new(100);
        assert_eq!(add(&seen, "key", "1", NOON + 60, NOON), Ok(()));
        for now in [NOON, NOON + 59, NOON + 60] {
            let again = add(&seen, "key", "1", NOON + 60, now);
            assert_eq!(again, Err("seen before"), "{now}");
        }
        assert_eq!(add(&seen, "key", "2", NOON + 60, NOON), Ok(()));
        assert_eq!(add(&seen, "other", "1", NOON + 60, NOON), Ok(()));
        let elsewhere = Sighting {
            key: "key",
            url: "https://api.example.com/other",
            id: "1",
            ends: Duration::from_secs(NOON + 60),
        };
        assert_eq!(seen.add(&elsewhere, Duration::from_secs(NOON)), Ok(()));
    }

    #[test]
    fn a_clock_that_steps_back_brings_no_proof_back() {
        let seen = SeenProofs::new(100);
        assert_eq!(add(&seen, "key", "1", NOON + 60, NOON), Ok(()));
        assert_eq!(add(&seen, "key", "2", NOON + 200, NOON + 150), Ok(()));
        let again = add(&seen, "key", "1", NOON + 60, NOON);
        assert_eq!(again, Err("older than the memory of proofs"));
        assert_eq!(add(&seen, "key", "3", NOON + 210, NOON), Ok(()));
        // Nor does one that was wrong by a day keep everybody out for a day.
        let tomorrow = NOON + 86_400;
        assert_eq!(add(&seen, "key", "4", tomorrow + 60, tomorrow), Ok(()));
        let again = add(&seen, "key", "3", NOON + 210, NOON + 150);
        assert_eq!(again, Err("older than the memory of proofs"));
        assert_eq!(add(&seen, "key", "5", NOON + 211, NOON + 151), Ok(()));
    }

    #[test]
    fn a_full_memory_refuses_and_one_key_does_not_fill_it() {
        let seen = SeenProofs::new(80);
        let ids: Vec<String> = (0..20).map(|id| id.to_string()).collect();
        let of = |key: &str, now| {
            let added = ids
                .iter()
                .filter(|id| add(&seen, key, id, now + 60, now).is_ok());
            added.count()
        };
        assert_eq!(of("flood", NOON), 10);
        let full = add(&seen, "flood", "x", NOON + 60, NOON);
        assert_eq!(full, Err("the memory of proofs is full for this key"));
        let others: usize = (0..8).map(|key| of(&format!("key {key}"), NOON)).sum();
        assert_eq!(others, 70);
        let full = add(&seen, "one more", "x", NOON + 60, NOON);
        assert_eq!(full, Err("the memory of proofs is full"));
        // None was dropped to make room.
        assert_eq!(
            add(&seen, "flood", "0", NOON + 60, NOON),
            Err("seen before")
        );
        assert_eq!(of("flood", NOON + 61), 10, "all have ended");
        let seen = seen.seen();
        assert_eq!((seen.proofs.len(), seen.of_keys.len()), (10, 1));
        assert_eq!(seen.by_end.len(), 1);
    }
}
