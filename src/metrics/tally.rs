use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More shards than this only take room.
const MOST_SHARDS: usize = 16;

/// How many counts share a line of the cache, or two that are fetched together.
const COUNTS_A_LINE: usize = 16;

/// Counts that many threads write at once: each thread writes to a shard that it mostly has for
/// itself, so that no two cores contend for a line.
pub(super) struct Tally {
    shards: Box<[Box<[Line]>]>,
}

#[repr(align(128))]
#[derive(Default)]
struct Line([AtomicU64; COUNTS_A_LINE]);

impl Tally {
    /// So many counts.
    pub(super) fn new(counts: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = cores.next_power_of_two().min(MOST_SHARDS);
        let lines = counts.div_ceil(COUNTS_A_LINE);
        Self {
            shards: (0..shards).map(|_| shard(lines)).collect(),
        }
    }

    /// One more.
    #[inline]
    pub(super) fn add(&self, count: usize) {
        let shard = &self.shards[this_thread() % self.shards.len()];
        shard[count / COUNTS_A_LINE].0[count % COUNTS_A_LINE].fetch_add(1, Ordering::Relaxed);
    }

    /// Hands over what was counted since the last time, each count that is not 0.
    pub(super) fn take(&self, mut each: impl FnMut(usize, u64)) {
        let Some(first) = self.shards.first() else {
            return;
        };
        for count in 0..first.len() * COUNTS_A_LINE {
            let (line, place) = (count / COUNTS_A_LINE, count % COUNTS_A_LINE);
            let taken: u64 = self
                .shards
                .iter()
                .map(|shard| &shard[line].0[place])
                // Most counts are 0. A read leaves the cache line with the core that counts there,
                // and a swap would take it away.
                .filter(|counted| counted.load(Ordering::Relaxed) > 0)
                .map(|counted| counted.swap(0, Ordering::Relaxed))
                .sum();
            if taken > 0 {
                each(count, taken);
            }
        }
    }
}

fn shard(lines: usize) -> Box<[Line]> {
    (0..lines).map(|_| Line::default()).collect()
}

/// The number of this thread, from 0, in the order in which threads first count.
#[inline]
fn this_thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            // Threads are numbered in the order in which they come. By a hash of their ids two
            // workers could share a shard while another one is free.
            number.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(tally: &Tally) -> Vec<(usize, u64)> {
        let mut taken = Vec::new();
        tally.take(|count, n| taken.push((count, n)));
        taken
    }

    #[test]
    fn whatever_threads_count_is_taken_once() {
        let tally = Tally::new(40);
        std::thread::scope(|scope| {
            for thread in 0..40 {
                let tally = &tally;
                scope.spawn(move || (0..=thread).for_each(|count| tally.add(count)));
            }
        });
        let expected: Vec<_> = (0..40).map(|count| (count, 40 - count as u64)).collect();
        assert_eq!(taken(&tally), expected);
        assert_eq!(taken(&tally), []);
    }

    #[test]
    fn what_is_counted_while_it_is_taken_is_not_lost() {
        let tally = Tally::new(1);
        let mut sum = 0;
        std::thread::scope(|scope| {
            let counting = scope.spawn(|| (0..100_000).for_each(|_| tally.add(0)));
            while !counting.is_finished() {
                tally.take(|_, n| sum += n);
            }
        });
        tally.take(|_, n| sum += n);
        assert_eq!(sum, 100_000);
    }
}
