use super::sought::{SignatureDigest, Sought};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// What is kept of one token.
pub(in crate::scheme::jwt) struct Entry<T> {
    pub(in crate::scheme::jwt) value: Arc<T>,
    /// How many bytes the value takes, all that it points to included.
    pub(in crate::scheme::jwt) bytes: usize,
    /// Of the keys that verified it.
    pub(in crate::scheme::jwt) generation: u64,
    /// When the token ends, since 1970.
    pub(in crate::scheme::jwt) ends: Duration,
}

/// An entry at its place.
pub(super) struct Kept<T> {
    digest: SignatureDigest,
    /// What was signed.
    message: Box<[u8]>,
    entry: Entry<T>,
    /// Since the hand came by last.
    used: AtomicBool,
}

impl<T> Kept<T> {
    pub(super) fn new(sought: &Sought<'_>, entry: Entry<T>) -> Self {
        Self {
            digest: *sought.digest(),
            message: sought.message().into(),
            entry,
            used: AtomicBool::new(false),
        }
    }

    /// What it takes, with its value, the message and what an allocator adds to each of them.
    pub(super) fn bytes(&self) -> usize {
        const ALLOCATOR: usize = 16;
        size_of::<Self>() + self.entry.bytes + self.message.len() + 3 * ALLOCATOR
    }

    /// Whether it is of exactly this token. The message is no secret to whoever has its signature.
    #[inline]
    pub(super) fn is_of(&self, sought: &Sought<'_>) -> bool {
        self.has_digest(sought.digest()) && *self.message == *sought.message()
    }

    #[inline]
    pub(super) fn has_digest(&self, digest: &SignatureDigest) -> bool {
        self.digest.ct_eq(digest).into()
    }

    /// The value, if these keys verified it.
    #[inline]
    pub(super) fn value(&self, generation: u64) -> Option<Arc<T>> {
        if self.entry.generation != generation {
            return None;
        }
        // Written once for many uses: what is only read stays in the caches of all processors.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&self.entry.value))
    }

    /// Whether it was used since this was asked last.
    pub(super) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    pub(super) fn has_ended(&self, now: Duration) -> bool {
        self.entry.ends <= now
    }
}
