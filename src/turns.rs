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

/// Of how many new sources one is served before one that had a turn.
const MOST_NEW_IN_A_ROW: u32 = 2;

/// Serves a bounded number at a time, and the sources of those who wait in turn, whatever each of
/// them sends. A source that comes while nobody from there waits or is served is new, and goes
/// before those that have had a turn. While A is served:
///
/// ```text
/// A: a1 a2 a3 a4 …
/// B: b1                 →  b1 c1 a1 c2 a2 a3 a4 …
/// C: c1 c2
/// ```
///
/// So whoever comes from an address of its own waits for whom is served, and for others who are as
/// new; not for those who keep on sending, be they many. That there is always somebody new keeps
/// nobody waiting for ever: after [`MOST_NEW_IN_A_ROW`] one of the others is served. Where no more may wait, the last one of the source that has
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
    /// The sources of those who are served.
    served: Vec<Source>,
    waiting: usize,
    /// The sources that wait and have had no turn yet, in the order in which they came.
    new: VecDeque<Source>,
    /// The sources that wait and have had one, the one whose turn is next first.
    order: VecDeque<Source>,
    new_in_a_row: u32,
    lines: HashMap<Source, VecDeque<Waiting>>,
    last_number: u64,
}

struct Waiting {
    number: u64,
    call: oneshot::Sender<Turn>,
}

/// Is served until it is dropped, which calls the next one.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    source: Source,
}

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
            Entered::Served => {
                let shared = Arc::clone(&self.0);
                return Ok(Turn { shared, source });
            }
            Entered::Waits { number, called } => (number, called),
        };
        let place = Place {
            shared: &self.0,
            source,
            number,
        };
        // A turn that comes when nobody waits for it any more is dropped with `called`, and calls
        // the next one.
        let turn = called.await.map_err(|_| Crowded);
        drop(place);
        turn
    }

    /// How many wait, read whenever somebody asks; `None` when the turns are gone.
    pub(crate) fn waiting(&self) -> impl Fn() -> Option<f64> + Send + Sync + 'static {
        let shared = Arc::downgrade(&self.0);
        move || Some(shared.upgrade()?.queue().waiting as f64)
    }

    /// How many are served, and how many wait.
    #[cfg(test)]
    pub(crate) fn lengths(&self) -> (usize, usize) {
        let queue = self.0.queue();
        (queue.served.len(), queue.waiting)
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
        // A free place means that nobody waits: whoever has been served hands the place on in one
        // step.
        if queue.served.len() < self.bounds.served {
            queue.served.push(source);
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
            // Longer than the line of the newcomer will be. Of two lines of one length, each would
            // otherwise push out the other's last one in turn.
            Some((source, length)) if length > own + 1 => {
                // Its call is dropped with it, by which whoever waits hears that there is no room.
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
            if self.served.contains(&source) {
                self.order.push_back(source);
            } else {
                self.new.push_back(source);
            }
        }
        line.push_back(Waiting { number, call });
        self.waiting += 1;
        number
    }

    /// Whose turn it is, and from where. Its source is the last one then, where it has more that
    /// wait.
    fn next(&mut self) -> Option<(Source, Waiting)> {
        let source = self.next_source()?;
        let line = self.lines.get_mut(&source)?;
        let next = line.pop_front()?;
        self.waiting -= 1;
        if line.is_empty() {
            self.lines.remove(&source);
        } else {
            self.order.push_back(source);
        }
        Some((source, next))
    }

    fn next_source(&mut self) -> Option<Source> {
        let others_are_due = self.new_in_a_row >= MOST_NEW_IN_A_ROW;
        if (!others_are_due || self.order.is_empty())
            && let Some(new) = self.new.pop_front()
        {
            self.new_in_a_row += 1;
            return Some(new);
        }
        self.new_in_a_row = 0;
        self.order.pop_front()
    }

    /// Whoever was served from there is served no longer.
    fn end(&mut self, source: Source) {
        if let Some(at) = self.served.iter().position(|other| *other == source) {
            self.served.swap_remove(at);
        }
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
            self.new.retain(|other| *other != source);
            self.order.retain(|other| *other != source);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            // The lock ends with this block: a turn that cannot be handed over is dropped below,
            // and takes it again.
            let mut queue = self.shared.queue();
            queue.end(self.source);
            let next = queue.next();
            if let Some((source, _)) = &next {
                queue.served.push(*source);
            }
            next
        };
        if let Some((source, waiting)) = next {
            let shared = Arc::clone(&self.shared);
            // Whoever waited may have gone at this moment. Then the turn is dropped here, and calls
            // another one.
            let _ = waiting.call.send(Self { shared, source });
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
        assert_eq!(order, ["b1", "c1", "a1", "c2", "a2", "a3", "a4"]);
        assert_eq!(turns.lengths(), (0, 0));
    }

    #[test]
    fn whoever_comes_from_elsewhere_waits_for_nobody_who_keeps_on_sending() {
        let turns = Turns::new(BOUNDS);
        let serving = served(&turns, source(1));
        let names = [("a1", 1), ("b1", 2), ("b2", 2), ("c1", 3), ("c2", 3)];
        let waiting = names.map(|(name, n)| (name, waits(&turns, source(n))));
        let mut waiting = Vec::from(waiting);
        // Each of the others has a turn, so that none of them is new any more.
        drop(serving);
        let Poll::Ready(Ok(serving)) = waiting.remove(1).1.poll() else {
            panic!("b is new");
        };
        drop(serving);
        let at = waiting.iter().position(|(name, _)| *name == "c1").unwrap();
        let Poll::Ready(Ok(serving)) = waiting.remove(at).1.poll() else {
            panic!("c is new");
        };
        waiting.push(("victim", waits(&turns, source(4))));
        assert_eq!(order(serving, waiting), ["a1", "victim", "b2", "c2"]);
    }

    #[test]
    fn however_many_are_new_one_in_three_is_not() {
        let turns = Turns::new(Bounds {
            waiting: 40,
            ..BOUNDS
        });
        let serving = served(&turns, source(1));
        let mut waiting = vec![
            ("old", waits(&turns, source(1))),
            ("old", waits(&turns, source(1))),
        ];
        for n in 2..10 {
            waiting.push(("new", waits(&turns, source(n))));
        }
        let order = order(serving, waiting);
        let expected = ["new", "new", "old", "new", "new", "old"];
        assert_eq!(order[..6], expected);
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
        assert_eq!(of(&mut second[..1]), [true], "it is new");
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
