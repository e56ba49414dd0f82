use crate::store::{Peek, StoreError};
use quick_cache::sync::Cache as Map;
use quick_cache::{Equivalent, Weighter};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What an entry costs besides its record: key, stamps, and its share of the table.
const ENTRY: usize = 160;
/// How many absent records are remembered, apart from those that were found: a flood of made-up
/// credentials takes no room from real ones.
const ABSENT: usize = 4_096;
/// For how long they are. What comes to be through this node is seen at once all the same.
const ABSENT_FOR: Duration = Duration::from_secs(2);
const SLOTS: usize = 1_024;

/// Records that were read lately, bounded in bytes, by a clock that nobody sets.
///
/// An entry counts as long as nothing in its slot was forgotten since the read of it began:
///
/// ```text
/// read begins ── forget(key) ── read ends    the entry is there, and counts for nothing
/// ```
///
/// So what a change forgets stays forgotten, whatever is under way.
pub(super) struct Cache<K, T> {
    found: Map<K, Found<T>, Bytes>,
    absent: Map<K, Stamp>,
    /// How often something was forgotten, by slot.
    slots: Box<[AtomicU64]>,
    life: Duration,
}

pub(super) trait Footprint {
    /// About how many bytes it takes.
    fn footprint(&self) -> usize;
}

struct Found<T> {
    record: Arc<T>,
    stamp: Stamp,
}

impl<T> Clone for Found<T> {
    fn clone(&self) -> Self {
        Self {
            record: Arc::clone(&self.record),
            stamp: self.stamp,
        }
    }
}

#[derive(Clone, Copy)]
struct Stamp {
    read: Instant,
    slot: u64,
}

#[derive(Clone)]
struct Bytes;

impl<K: AsRef<[u8]>, T: Footprint> Weighter<K, Found<T>> for Bytes {
    fn weight(&self, key: &K, found: &Found<T>) -> u64 {
        (ENTRY + key.as_ref().len() + found.record.footprint()) as u64
    }
}

impl<K: Hash + Eq + AsRef<[u8]>, T: Footprint> Cache<K, T> {
    /// At most so many bytes, each entry for so long.
    pub(super) fn new(bytes: u64, life: Duration) -> Self {
        // A guess at how many entries there will be, by which the map divides itself. What binds is
        // the number of bytes.
        let items = usize::try_from(bytes / 512)
            .unwrap_or(usize::MAX)
            .clamp(16, 1 << 20);
        Self {
            found: Map::with_weighter(items, bytes, Bytes),
            absent: Map::new(ABSENT),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            life,
        }
    }

    pub(super) fn peek<Q>(&self, key: &Q, now: Instant) -> Peek<T>
    where
        Q: Hash + Equivalent<K> + AsRef<[u8]> + ?Sized,
    {
        let slot = self.slot(key).load(Ordering::Acquire);
        if let Some(found) = self
            .found
            .get(key)
            .filter(|found| found.stamp.counts(slot, now, self.life))
        {
            return Peek::Found(found.record);
        }
        match self.absent.get(key) {
            Some(stamp) if stamp.counts(slot, now, ABSENT_FOR) => Peek::Absent,
            _ => Peek::Ask,
        }
    }

    /// The record as it was read lately, or as `read` reads it now: once for all who wait for it.
    pub(super) async fn get<Q>(
        &self,
        key: &Q,
        now: Instant,
        read: impl Future<Output = Result<Option<Arc<T>>, StoreError>>,
    ) -> Result<Option<Arc<T>>, StoreError>
    where
        Q: Hash + Equivalent<K> + ToOwned<Owned = K> + AsRef<[u8]> + ?Sized,
    {
        let guard = loop {
            match self.found.get_value_or_guard_async(key).await {
                Ok(found) => {
                    let slot = self.slot(key).load(Ordering::Acquire);
                    if found.stamp.counts(slot, now, self.life) {
                        return Ok(Some(found.record));
                    }
                    // Only that very entry: somebody else may have read the record anew since it
                    // was looked at.
                    self.found.remove_if(key, |kept| kept.stamp.is(found.stamp));
                }
                Err(guard) => break guard,
            }
        };
        // Before the read begins: a record that is forgotten while it is being read gets a stamp
        // that does not count any more.
        let slot = self.slot(key).load(Ordering::Acquire);
        if self
            .absent
            .get(key)
            .is_some_and(|stamp| stamp.counts(slot, now, ABSENT_FOR))
        {
            return Ok(None);
        }
        let stamp = Stamp { read: now, slot };
        let record = read.await?;
        match &record {
            // The map refuses it where it was forgotten meanwhile, or is too large. The caller has
            // the record all the same.
            Some(record) => drop(guard.insert(Found {
                record: Arc::clone(record),
                stamp,
            })),
            None => self.absent.insert(key.to_owned(), stamp),
        }
        Ok(record)
    }

    /// The record that was read last, in whatever state.
    pub(super) fn kept<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<Arc<T>> {
        self.found.peek(key).map(|found| found.record)
    }

    /// Keeps a record no longer. It has not changed, so what is being read of it now is as good as
    /// before, and the others in its slot are.
    pub(super) fn let_go<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.found.remove(key);
    }

    pub(super) fn forget<Q>(&self, key: &Q)
    where
        Q: Hash + Equivalent<K> + AsRef<[u8]> + ?Sized,
    {
        // The count comes first: what a read that is under way inserts after the removal does not
        // count then.
        self.slot(key).fetch_add(1, Ordering::AcqRel);
        self.found.remove(key);
        self.absent.remove(key);
    }

    pub(super) fn forget_all(&self) {
        for slot in &self.slots {
            slot.fetch_add(1, Ordering::AcqRel);
        }
        self.found.clear();
        self.absent.clear();
    }

    fn slot(&self, key: &(impl AsRef<[u8]> + ?Sized)) -> &AtomicU64 {
        // Any mixing will do, and nobody gains by choosing keys that share a slot: one is read anew
        // when the other one is forgotten.
        let mut slot: usize = 0;
        for byte in key.as_ref() {
            slot = slot.wrapping_mul(31).wrapping_add(usize::from(*byte));
        }
        &self.slots[slot % SLOTS]
    }
}

impl Stamp {
    fn counts(self, slot: u64, now: Instant, life: Duration) -> bool {
        self.slot == slot && now.saturating_duration_since(self.read) < life
    }

    fn is(self, other: Self) -> bool {
        self.slot == other.slot && self.read == other.read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Footprint for u32 {
        fn footprint(&self) -> usize {
            size_of::<Self>()
        }
    }

    type Numbers = Cache<String, u32>;

    /// So many seconds after a time that is the same in the whole thread of a test.
    fn at(seconds: u64) -> Instant {
        thread_local! {
            static START: Instant = Instant::now();
        }
        START.with(|start| *start + Duration::from_secs(seconds))
    }

    fn cache() -> Numbers {
        Cache::new(1 << 20, Duration::from_secs(60))
    }

    async fn get(cache: &Numbers, key: &str, now: u64, value: Option<u32>) -> Option<u32> {
        let read = async { Ok(value.map(Arc::new)) };
        cache
            .get(key, at(now), read)
            .await
            .unwrap()
            .map(|number| *number)
    }

    #[tokio::test]
    async fn an_entry_answers_until_its_time_is_over() {
        let cache = cache();
        assert_eq!(get(&cache, "a", 100, Some(1)).await, Some(1));
        assert_eq!(get(&cache, "a", 159, Some(2)).await, Some(1));
        assert!(matches!(cache.peek("a", at(159)), Peek::Found(one) if *one == 1));
        assert!(matches!(cache.peek("a", at(160)), Peek::Ask));
        assert_eq!(get(&cache, "a", 160, Some(3)).await, Some(3));
    }

    #[tokio::test]
    async fn what_was_forgotten_while_it_was_read_does_not_count_found_or_not() {
        for value in [Some(1), None] {
            let cache = cache();
            let read = async {
                cache.forget("a");
                Ok(value.map(Arc::new))
            };
            cache.get("a", at(0), read).await.unwrap();
            assert!(matches!(cache.peek("a", at(0)), Peek::Ask), "{value:?}");
            assert_eq!(get(&cache, "a", 0, Some(2)).await, Some(2), "{value:?}");
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cause_one_read_of_what_is_there_and_of_what_is_not() {
        for value in [Some(1), None] {
            let (cache, reads) = (Arc::new(cache()), Arc::new(AtomicU64::new(0)));
            let (open, gate) = tokio::sync::watch::channel(false);
            let tasks: Vec<_> = (0..50)
                .map(|_| {
                    let (cache, reads, mut gate) =
                        (Arc::clone(&cache), Arc::clone(&reads), gate.clone());
                    tokio::spawn(async move {
                        let read = async {
                            reads.fetch_add(1, Ordering::SeqCst);
                            gate.wait_for(|open| *open).await.unwrap();
                            Ok(value.map(Arc::new))
                        };
                        cache
                            .get("a", at(0), read)
                            .await
                            .unwrap()
                            .map(|number| *number)
                    })
                })
                .collect();
            tokio::task::yield_now().await;
            open.send(true).unwrap();
            for task in tasks {
                assert_eq!(task.await.unwrap(), value);
            }
            assert_eq!(reads.load(Ordering::SeqCst), 1, "{value:?}");
        }
    }

    #[tokio::test]
    async fn made_up_keys_take_no_room_from_real_ones_and_a_new_one_is_seen_at_once() {
        let cache = cache();
        assert_eq!(get(&cache, "real", 0, Some(1)).await, Some(1));
        for n in 0..50_000 {
            assert_eq!(get(&cache, &format!("made up {n}"), 0, None).await, None);
        }
        assert!(cache.absent.len() <= ABSENT);
        assert!(matches!(cache.peek("real", at(0)), Peek::Found(_)));
        assert!(matches!(cache.peek("made up 49999", at(1)), Peek::Absent));
        assert!(
            matches!(cache.peek("made up 49999", at(2)), Peek::Ask),
            "absence is not believed for long"
        );
        cache.forget("made up 49999");
        assert_eq!(
            get(&cache, "made up 49999", 0, Some(7)).await,
            Some(7),
            "it was inserted"
        );
    }

    #[tokio::test]
    async fn the_bytes_are_bounded_and_a_failed_read_leaves_nothing() {
        let cache: Numbers = Cache::new(100_000, Duration::from_secs(60));
        for n in 0..10_000 {
            get(&cache, &format!("{n}"), 0, Some(n)).await;
        }
        assert!(cache.found.weight() <= 100_000);
        let failed = cache
            .get("x", at(0), async {
                Err(StoreError::unavailable("planted"))
            })
            .await;
        assert!(failed.is_err() && matches!(cache.peek("x", at(0)), Peek::Ask));
    }

    #[test]
    fn an_entry_costs_at_most_160_bytes_besides_its_record() {
        let cache: Cache<[u8; 32], u32> = Cache::new(64 << 20, Duration::from_secs(60));
        let record = Arc::new(1);
        let before = cache.found.memory_used().total();
        for n in 0..50_000_u64 {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            cache.found.insert(
                key,
                Found {
                    record: Arc::clone(&record),
                    stamp: Stamp {
                        read: at(0),
                        slot: 0,
                    },
                },
            );
        }
        let each = (cache.found.memory_used().total() - before) / cache.found.len();
        assert!(each <= ENTRY, "{each} bytes an entry");
    }
}
