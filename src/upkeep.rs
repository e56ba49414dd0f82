//! Small writes that no request waits for: last uses, and keys found by an older digest.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// What may wait for one write; beyond that, uses are forgotten.
const MOST_WAITING: usize = 10_000;

/// How long one write may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Collects what is to be written, and writes it in one batch after another on the runtime, one at
/// a time.
///
/// Nothing is spawned before there is something to write, and the task ends when there is nothing
/// more. Outside of a runtime nothing is written.
pub(crate) struct Upkeep<K> {
    write: Box<Write<K>>,
    waiting: Mutex<Waiting<K>>,
}

type Batch<K> = Vec<(K, SystemTime)>;
type Write<K> = dyn Fn(Batch<K>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

struct Waiting<K> {
    uses: HashMap<K, SystemTime>,
    is_writing: bool,
}

impl<K: Eq + Hash + Send + 'static> Upkeep<K> {
    pub(crate) fn new<F>(write: impl Fn(Batch<K>) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let write = Box::new(move |batch| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(write(batch))
        });
        Arc::new(Self {
            write,
            waiting: Mutex::new(Waiting {
                uses: HashMap::new(),
                is_writing: false,
            }),
        })
    }

    #[cold]
    pub(crate) fn add(self: &Arc<Self>, what: K, at: SystemTime) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        // Held for a change in memory; a panic cannot leave half of one.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // A store that is down must not make this grow without end. A use that is forgotten is
        // noted the next time.
        if waiting.uses.len() < MOST_WAITING {
            waiting.uses.insert(what, at);
        }
        if !std::mem::replace(&mut waiting.is_writing, true) {
            // Unlocked before the task is spawned: a runtime that is ending drops it here and now,
            // and `Writing::drop` takes the lock.
            drop(waiting);
            runtime.spawn(
                Writing {
                    upkeep: Arc::clone(self),
                    is_done: false,
                }
                .run(),
            );
        }
    }

    /// The next batch; with none, the task is over.
    fn next(&self) -> Option<Batch<K>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let batch: Batch<K> = waiting.uses.drain().collect();
        // Set under the same lock under which the batch is taken: a use that comes now either is in
        // it or starts a task of its own.
        waiting.is_writing = !batch.is_empty();
        waiting.is_writing.then_some(batch)
    }
}

/// A store that hangs must not end the writing for good.
async fn within_deadline(mut write: Pin<Box<dyn Future<Output = ()> + Send>>) {
    // Polled once without a timer, which the runtime may not have: a store in memory is done at
    // once.
    let is_done = poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_ready())).await;
    if !is_done {
        let _ = timeout(DEADLINE, write).await;
    }
}

/// The task that writes. Should it panic or be cancelled, the next use starts another.
struct Writing<K> {
    upkeep: Arc<Upkeep<K>>,
    is_done: bool,
}

impl<K> Writing<K>
where
    K: Eq + Hash + Send + 'static,
{
    async fn run(mut self) {
        while let Some(batch) = self.upkeep.next() {
            within_deadline((self.upkeep.write)(batch)).await;
        }
        self.is_done = true;
    }
}

impl<K> Drop for Writing<K> {
    fn drop(&mut self) {
        if !self.is_done {
            self.upkeep
                .waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_writing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::UNIX_EPOCH;

    #[tokio::test]
    async fn what_waits_for_a_write_that_takes_its_time_is_bounded() {
        let written = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&written);
        let upkeep = Upkeep::new(move |batch: Batch<usize>| {
            counter.fetch_max(batch.len(), Ordering::SeqCst);
            async {}
        });
        // On this runtime nothing is written before this test waits.
        for n in 0..2 * MOST_WAITING {
            upkeep.add(n, UNIX_EPOCH);
        }
        while written.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(written.load(Ordering::SeqCst), MOST_WAITING);
    }

    #[test]
    fn a_runtime_that_has_ended_keeps_nobody_waiting() {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime");
        let handle = runtime.handle().clone();
        drop(runtime);
        let upkeep = Upkeep::new(|_: Batch<usize>| async {});
        let (added, is_added) = mpsc::channel();
        // On a thread of its own: a test that waits for itself would never fail.
        thread::spawn(move || {
            let _inside = handle.enter();
            upkeep.add(1, UNIX_EPOCH);
            upkeep.add(2, UNIX_EPOCH);
            added.send(())
        });
        assert_eq!(is_added.recv_timeout(Duration::from_secs(60)), Ok(()));
    }
}
