use super::entry::Kept;
use super::presented::Presented;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How many tokens have their place in one set. Their tags fill one cache line.
pub(super) const WAYS: usize = 16;

/// Where a few tokens have their place, each behind a lock of its own.
///
/// Tags are read without a lock. One that has changed meanwhile misleads nobody: the digest behind
/// it has the last word. All writers hold the cache's mutex, but for `seen`, where a lost write
/// makes a token wait for its third sight.
#[repr(align(64))]
pub(super) struct Set<T> {
    /// 0 stands for a free place.
    tags: [AtomicU32; WAYS],
    /// Tags of tokens that were verified once, in turn.
    seen: [AtomicU32; WAYS],
    slots: [Slot<T>; WAYS],
    /// Which of `seen` is written next.
    turn: AtomicU32,
}

/// A lock is held for a comparison or an assignment, which do not panic: a poisoned one is as good
/// as any other.
struct Slot<T>(RwLock<Option<Box<Kept<T>>>>);

impl<T> Set<T> {
    pub(super) fn new() -> Self {
        Self {
            tags: Default::default(),
            seen: Default::default(),
            slots: std::array::from_fn(|_| Slot(RwLock::new(None))),
            turn: AtomicU32::new(0),
        }
    }

    #[inline]
    pub(super) fn find(
        &self,
        tag: NonZeroU32,
        presented: &Presented<'_>,
        generation: u64,
    ) -> Option<Arc<T>> {
        for way in self.tagged(tag) {
            let digest = presented.digest();
            let found = self.read(way, |kept| match kept.is(digest) {
                true => kept.value(generation),
                false => None,
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Notes that a token was verified; whether it had been noted.
    pub(super) fn note(&self, tag: NonZeroU32) -> bool {
        if self.seen.iter().any(|seen| is(seen, tag)) {
            return true;
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        self.seen[turn as usize % WAYS].store(tag.get(), Ordering::Relaxed);
        false
    }

    /// Where a token is, if it is there.
    pub(super) fn way_of(&self, tag: NonZeroU32, presented: &Presented<'_>) -> Option<usize> {
        let digest = presented.digest();
        let is_there = |way: &usize| {
            self.read(*way, |kept| kept.is(digest).then_some(()))
                .is_some()
        };
        self.tagged(tag).find(is_there)
    }

    /// A free place, or that of the token that is least worth keeping.
    pub(super) fn way_for_another(&self, now: Duration) -> usize {
        let is_free = |tag: &AtomicU32| tag.load(Ordering::Relaxed) == 0;
        if let Some(free) = self.tags.iter().position(is_free) {
            return free;
        }
        // After one time round none counts as used.
        let mut twice = (0..WAYS).chain(0..WAYS);
        twice.find(|way| self.may_go(*way, now)).unwrap_or(0)
    }

    /// Whether there is a token that has ended, or was not used since this was asked last.
    pub(super) fn may_go(&self, way: usize, now: Duration) -> bool {
        let may_go = self.read(way, |kept| Some(kept.has_ended(now) || !kept.was_used()));
        may_go == Some(true)
    }

    /// How many bytes a place took that is now free.
    pub(super) fn clear(&self, way: usize) -> usize {
        self.tags[way].store(0, Ordering::Relaxed);
        match self.put(way, None) {
            Some(kept) => kept.bytes(),
            None => 0,
        }
    }

    /// Takes a place that is free.
    pub(super) fn fill(&self, way: usize, tag: NonZeroU32, kept: Box<Kept<T>>) {
        self.put(way, Some(kept));
        self.tags[way].store(tag.get(), Ordering::Relaxed);
    }

    /// What its places take.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        (0..WAYS)
            .filter_map(|way| self.read(way, |kept| Some(kept.bytes())))
            .sum()
    }

    #[inline]
    fn tagged(&self, tag: NonZeroU32) -> impl Iterator<Item = usize> {
        (0..WAYS).filter(move |way| is(&self.tags[*way], tag))
    }

    #[inline]
    fn read<R>(&self, way: usize, read: impl FnOnce(&Kept<T>) -> Option<R>) -> Option<R> {
        let Slot(lock) = &self.slots[way];
        let slot = lock.read().unwrap_or_else(PoisonError::into_inner);
        read(slot.as_deref()?)
    }

    /// What was there is dropped by whoever asked, outside of the lock.
    fn put(&self, way: usize, kept: Option<Box<Kept<T>>>) -> Option<Box<Kept<T>>> {
        let Slot(lock) = &self.slots[way];
        let mut slot = lock.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut slot, kept)
    }
}

#[inline]
fn is(kept: &AtomicU32, tag: NonZeroU32) -> bool {
    kept.load(Ordering::Relaxed) == tag.get()
}
