//! Who is next, where more come than can be served at once.

#![cfg_attr(
    not(all(feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each of them waits for turns of its own")
)]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Who waits: as much of an address as counts; `None` are all whose address nobody tells.
pub(crate) type Source = Option<[u8; 16]>;

/// How many are served, and how many may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) served: usize,
    pub(crate) waiting_of_a_source: usize,
    pub(crate) waiting: usize,
}

/// Serves a bounded number at a time, and the sources of those who wait in turn, whatever each of
/// them sends:
///
/// ```text
/// A: a1 a2 a3 a4 …
/// B: b1                 →  a1 b1 c1 a2 c2 a3 a4 …
/// C: c1 c2
/// ```
///
/// So whoever comes from an address of its own waits for one of each address that waits, and not
/// for all that another one has sent. Where no more may wait, the last one of the source that has
/// most waiting gives way, or whoever comes where that is its own.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Shared>);

struct Shared {
    bounds: Bounds,
    // Held for a change in memory, never over an await. Nothing in it panics half-way.
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    served: usize,
    waiting: usize,
    /// The sources that wait, the one whose turn is next first.
    order: VecDeque<Source>,
    lines: HashMap<Source, VecDeque<Waiting>>,
    last_number: u64,
}

struct Waiting {
    number: u64,
    call: oneshot::Sender<Turn>,
}

/// Is served until it is dropped, which calls the next one.
pub(crate) struct Turn(Arc<Shared>);

/// Too many wait already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl Turns {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Shared {
            bounds,
            queue: Mutex::default(),
        }))
    }

    /// Waits for the turn of somebody from there. Who goes away in the meantime leaves nothing
    /// behind.
    pub(crate) async fn wait(&self, source: Source) -> Result<Turn, Crowded> {
        let (number, called) = match self.0.enter(source)? {
            Entered::Served => return Ok(Turn(Arc::clone(&self.0))),
            Entered::Waits { number, called } => (number, called),
        };
        let place = Place {
            shared: &self.0,
            source,
            number,
        };
        let turn = called.await.map_err(|_| Crowded);
        drop(place);
        turn
    }

    /// How many are served, and how many wait.
    #[cfg(test)]
    pub(crate) fn lengths(&self) -> (usize, usize) {
        let queue = self.0.queue();
        (queue.served, queue.waiting)
    }
}

enum Entered {
    Served,
    Waits {
        number: u64,
        called: oneshot::Receiver<Turn>,
    },
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, source: Source) -> Result<Entered, Crowded> {
        let mut queue = self.queue();
        if queue.served < self.bounds.served {
            queue.served += 1;
            return Ok(Entered::Served);
        }
        let own = queue.length_of(source);
        if own >= self.bounds.waiting_of_a_source {
            return Err(Crowded);
        }
        if queue.waiting >= self.bounds.waiting {
            queue.make_room(own)?;
        }
        let (call, called) = oneshot::channel();
        let number = queue.push(source, call);
        Ok(Entered::Waits { number, called })
    }
}

impl Queue {
    fn length_of(&self, source: Source) -> usize {
        self.lines.get(&source).map_or(0, VecDeque::len)
    }

    /// The last one of the longest line gives way to one whose line has that length.
    fn make_room(&mut self, own: usize) -> Result<(), Crowded> {
        let lines = self.lines.iter();
        let longest = lines.max_by_key(|(_, line)| line.len());
        match longest.map(|(source, line)| (*source, line.len())) {
            Some((source, length)) if length > own + 1 => {
                // Its call is dropped, which tells it.
                self.take_out(source, length - 1);
                Ok(())
            }
            _ => Err(Crowded),
        }
    }

    fn push(&mut self, source: Source, call: oneshot::Sender<Turn>) -> u64 {
        self.last_number += 1;
        let number = self.last_number;
        let line = self.lines.entry(source).or_default();
        if line.is_empty() {
            self.order.push_back(source);
        }
        line.push_back(Waiting { number, call });
        self.waiting += 1;
        number
    }

    /// Whose turn it is. Its source is the last one then, where it has more that wait.
    fn next(&mut self) -> Option<Waiting> {
        let source = self.order.pop_front()?;
        let line = self.lines.get_mut(&source)?;
        let next = line.pop_front()?;
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&source);
        } else {
            self.order.push_back(source);
        }
        Some(next)
    }

    /// Nothing where it was called or pushed out already.
    fn remove(&mut self, source: Source, number: u64) {
        let Some(line) = self.lines.get(&source) else {
            return;
        };
        if let Some(at) = line.iter().position(|waiting| waiting.number == number) {
            self.take_out(source, at);
        }
    }

    fn take_out(&mut self, source: Source, at: usize) {
        let Some(line) = self.lines.get_mut(&source) else {
            return;
        };
        if line.remove(at).is_none() {
            return;
        }
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&source);
            self.order.retain(|other| *other != source);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut queue = self.0.queue();
            let next = queue.next();
            if next.is_none() {
                queue.served -= 1;
            }
            next
        };
        if let Some(waiting) = next {
            // Should it have gone at this moment, its turn is dropped with it, and calls another.
            let _ = waiting.call.send(Self(Arc::clone(&self.0)));
        }
    }
}

/// A place in a line, given up by whoever goes away.
struct Place<'a> {
    shared: &'a Shared,
    source: Source,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.queue().remove(self.source, self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Poll;
    use tokio_test::task::{Spawn, spawn};

    const BOUNDS: Bounds = Bounds {
        served: 1,
        waiting_of_a_source: 4,
        waiting: 8,
    };

    fn source(n: u8) -> Source {
        Some([n; 16])
    }

    type Wait<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Turn, Crowded>> + 'a>>;

    /// Somebody who has come, and been told to wait.
    fn waits<'a>(turns: &'a Turns, source: Source) -> Spawn<Wait<'a>> {
        let mut wait = spawn(Box::pin(turns.wait(source)) as Wait<'a>);
        assert!(wait.poll().is_pending());
        wait
    }

    fn is_crowded(turns: &Turns, source: Source) -> bool {
        let poll = spawn(turns.wait(source)).poll();
        matches!(poll, Poll::Ready(Err(Crowded)))
    }

    /// In which order those are served who wait.
    fn order(
        mut serving: Turn,
        mut waiting: Vec<(&'static str, Spawn<Wait<'_>>)>,
    ) -> Vec<&'static str> {
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(serving);
            let called =
                waiting
                    .iter_mut()
                    .enumerate()
                    .find_map(|(at, (_, wait))| match wait.poll() {
                        Poll::Ready(turn) => Some((at, turn.expect("not pushed out"))),
                        Poll::Pending => None,
                    });
            let (at, turn) = called.expect("somebody is called");
            order.push(waiting.remove(at).0);
            serving = turn;
        }
        order
    }

    fn served(turns: &Turns, source: Source) -> Turn {
        match spawn(turns.wait(source)).poll() {
            Poll::Ready(Ok(turn)) => turn,
            _ => panic!("nobody is there"),
        }
    }

    #[test]
    fn sources_are_served_in_turn_whatever_each_of_them_sends() {
        let turns = Turns::new(BOUNDS);
        let first = served(&turns, source(1));
        let names = [
            ("a1", 1),
            ("a2", 1),
            ("a3", 1),
            ("a4", 1),
            ("b1", 2),
            ("c1", 3),
            ("c2", 3),
        ];
        let waiting = names.map(|(name, n)| (name, waits(&turns, source(n))));
        let order = order(first, waiting.into());
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3", "a4"]);
        assert_eq!(turns.lengths(), (0, 0));
    }

    #[test]
    fn whoever_comes_from_elsewhere_waits_for_one_of_each_source_that_waits() {
        let turns = Turns::new(BOUNDS);
        let mut serving = served(&turns, source(1));
        let mut crowd: Vec<_> = (0..4).map(|_| waits(&turns, source(1))).collect();
        let mut other = waits(&turns, source(2));
        // The crowd fills up again behind each that is served.
        for _ in 0..2 {
            drop(serving);
            match other.poll() {
                Poll::Ready(turn) => return drop(turn.unwrap()),
                Poll::Pending => {
                    let Poll::Ready(Ok(turn)) = crowd.remove(0).poll() else {
                        panic!("the first of the crowd is next");
                    };
                    serving = turn;
                    crowd.push(waits(&turns, source(1)));
                }
            }
        }
        panic!("the other one still waits");
    }

    #[test]
    fn a_source_has_a_bound_and_where_all_is_full_the_longest_line_gives_way() {
        let turns = Turns::new(BOUNDS);
        let serving = served(&turns, source(1));
        let mut first: Vec<_> = (0..4).map(|_| waits(&turns, source(1))).collect();
        assert!(is_crowded(&turns, source(1)), "five of one source");
        let mut second: Vec<_> = (0..4).map(|_| waits(&turns, source(2))).collect();
        // Full: a third source takes the places of the last ones of the longer lines.
        let mut third: Vec<_> = (0..2).map(|_| waits(&turns, source(3))).collect();
        let of = |line: &mut [Spawn<Wait<'_>>]| {
            let pushed_out = |wait: &mut Spawn<Wait<'_>>| wait.poll().is_ready();
            line.iter_mut().map(pushed_out).collect::<Vec<_>>()
        };
        assert_eq!(of(&mut first), [false, false, false, true]);
        assert_eq!(of(&mut second), [false, false, false, true]);
        assert_eq!(of(&mut third), [false, false]);
        assert!(is_crowded(&turns, source(3)), "as long as the longest then");
        assert_eq!(turns.lengths(), (1, 8));
        drop(serving);
        assert_eq!(of(&mut first[..1]), [true]);
    }

    #[test]
    fn who_goes_away_leaves_no_place_behind() {
        let turns = Turns::new(BOUNDS);
        let serving = served(&turns, source(1));
        let gone = waits(&turns, source(1));
        let mut stays = waits(&turns, source(2));
        let called_and_gone = waits(&turns, source(3));
        assert_eq!(turns.lengths(), (1, 3));
        drop(gone);
        assert_eq!(turns.lengths(), (1, 2));
        drop(serving);
        let Poll::Ready(Ok(turn)) = stays.poll() else {
            panic!("its turn");
        };
        drop(turn); // calls the third, which does not look any more
        assert_eq!(turns.lengths(), (1, 0));
        drop(called_and_gone);
        assert_eq!(turns.lengths(), (0, 0));
    }
}
