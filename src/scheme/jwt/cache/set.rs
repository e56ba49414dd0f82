use super::entry::Kept;
use super::sought::{SignatureDigest, Sought};
use super::tags::{Tags, WAYS};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Where a few tokens have their place, each behind a lock of its own.
///
/// Tags are read without a lock. One that has changed meanwhile misleads nobody: the digest behind
/// it has the last word. All writers hold the cache's mutex, but for `seen`, where a lost write
/// makes a token wait for its third sight.
#[repr(align(64))]
pub(super) struct Set<T> {
    /// 0 is a free place.
    tags: Tags,
    /// Of tokens that were verified once, in turn.
    seen: Tags,
    slots: [Slot<T>; WAYS],
    /// Which of `seen` is written next.
    turn: AtomicUsize,
}

/// A lock is held for a comparison or an assignment, which do not panic: a poisoned one is as good
/// as any other.
struct Slot<T>(RwLock<Option<Box<Kept<T>>>>);

impl<T> Set<T> {
    pub(super) fn new() -> Self {
        Self {
            tags: Tags::default(),
            seen: Tags::default(),
            slots: std::array::from_fn(|_| Slot(RwLock::new(None))),
            turn: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(super) fn find(
        &self,
        tag: NonZeroU16,
        sought: &Sought<'_>,
        generation: u64,
    ) -> Option<Arc<T>> {
        self.tags.find(tag.get()).find_map(|way| {
            self.read(way, |kept| match kept.is_of(sought) {
                true => kept.value(generation),
                false => None,
            })
        })
    }

    /// Notes that a token was verified; whether it had been noted.
    pub(super) fn note(&self, tag: NonZeroU16) -> bool {
        if self.seen.find(tag.get()).next().is_some() {
            return true;
        }
        let turn = self.turn.load(Ordering::Relaxed);
        self.turn.store(turn.wrapping_add(1), Ordering::Relaxed);
        self.seen.set(turn % WAYS, tag.get());
        false
    }

    /// Where a token that was verified is, if it is there.
    pub(super) fn way_of(&self, tag: NonZeroU16, digest: &SignatureDigest) -> Option<usize> {
        let mut tagged = self.tags.find(tag.get());
        tagged.find(|way| self.is_at(*way, digest))
    }

    #[inline]
    fn is_at(&self, way: usize, digest: &SignatureDigest) -> bool {
        let is_there = self.read(way, |kept| Some(kept.has_digest(digest)));
        is_there == Some(true)
    }

    /// A free place, or that of the token that is least worth keeping.
    pub(super) fn way_for_another(&self, now: Duration) -> usize {
        if let Some(free) = self.tags.find(0).next() {
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
        // The tag goes first: a reader that comes later does not even look here.
        self.tags.set(way, 0);
        match self.put(way, None) {
            Some(kept) => kept.bytes(),
            None => 0,
        }
    }

    /// Takes a place that is free.
    pub(super) fn fill(&self, way: usize, tag: NonZeroU16, kept: Box<Kept<T>>) {
        self.put(way, Some(kept));
        // The tag comes last: a reader that finds it finds the token as well.
        self.tags.set(way, tag.get());
    }

    /// What its places take.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        (0..WAYS)
            .filter_map(|way| self.read(way, |kept| Some(kept.bytes())))
            .sum()
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
