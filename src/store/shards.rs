use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// More than there are threads that look something up at the same moment. A power of two.
const SHARDS: usize = 64;

/// One thing in many parts, each behind a lock of its own, so that requests for different things
/// write to different cache lines. A reader writes as well: it counts itself in.
///
/// A lock is held for a look-up or a change in memory, never over an await. A panic while it is
/// held cannot leave half a change: each is checked first and then made by calls that do not
/// panic. So a poisoned lock is as good as any other.
#[derive(Debug)]
pub(super) struct Shards<T>(Box<[Shard<T>; SHARDS]>);

/// Two cache lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard<T>(RwLock<T>);

impl<T> Shards<T> {
    /// The part that has what these bytes name, to be read.
    #[inline]
    pub(super) fn read(&self, name: &[u8]) -> RwLockReadGuard<'_, T> {
        let Shard(lock) = &self.0[shard(name)];
        lock.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part that has what these bytes name, to be changed.
    pub(super) fn write(&self, name: &[u8]) -> RwLockWriteGuard<'_, T> {
        let Shard(lock) = &self.0[shard(name)];
        lock.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self(Box::new(std::array::from_fn(|_| Shard::default())))
    }
}

/// Names spread well over the parts. Whoever chooses names that do not makes others wait for a
/// look-up in memory, and no more: in each part there is a hash that nobody can foresee.
#[inline]
fn shard(name: &[u8]) -> usize {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = name.as_chunks::<8>();
    let mut mixed = rest
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    for word in words {
        mixed = (mixed.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(MULTIPLIER);
    }
    let highest = mixed.wrapping_mul(MULTIPLIER) >> (u64::BITS - SHARDS.ilog2());
    highest as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_kind_are_spread() {
        type Name = fn(u32) -> String;
        let kinds: [(&str, Name); 4] = [
            ("numbers", |n| n.to_string()),
            ("addresses", |n| format!("user{n}@example.com")),
            ("ids", |n| format!("018f4e2a-0000-7000-8000-{n:012}")),
            ("long", |n| format!("{n:0>200}")),
        ];
        for (kind, name) in kinds {
            let mut counts = [0; SHARDS];
            for n in 0..6_400 {
                counts[shard(name(n).as_bytes())] += 1;
            }
            let most = counts.iter().max().unwrap();
            assert!(*most < 400, "{kind}: {most} of 6400 in one of {SHARDS}");
        }
    }

    #[test]
    fn every_part_has_cache_lines_of_its_own() {
        assert_eq!(align_of::<Shard<u8>>(), 128);
        assert_eq!(size_of::<Shard<u8>>(), 128);
    }
}
