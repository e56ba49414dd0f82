use super::shards::Shards;
use super::{Known, TokenIds};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How many ended entries an insertion removes: more than one, so that they never pile up.
const SWEPT: usize = 4;

/// What is revoked, in memory: ids of tokens and of families, each until the last token that it
/// concerns is expired.
///
/// Nothing else makes it forget one.
#[derive(Debug, Default)]
pub(super) struct Denials {
    /// How many there are: where there are none, which is mostly so, nothing is locked.
    count: AtomicUsize,
    until: Shards<Until>,
    /// Who changes something has this, from its first look to its last write.
    by_end: Mutex<ByEnd>,
}

type ByEnd = BTreeSet<(SystemTime, Kind, Box<str>)>;

/// By id, until when it is denied.
#[derive(Debug, Default)]
struct Until {
    tokens: HashMap<Box<str>, SystemTime>,
    families: HashMap<Box<str>, SystemTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Token,
    Family,
}

impl Denials {
    #[inline]
    pub(super) fn peek(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        if self.count.load(Ordering::Acquire) == 0 {
            return Known::No;
        }
        let is_denied = self.holds(Kind::Token, token.token, now)
            || token
                .family
                .is_some_and(|family| self.holds(Kind::Family, family, now));
        is_denied.into()
    }

    fn holds(&self, kind: Kind, id: &str, now: SystemTime) -> bool {
        let until = self.until.read(id.as_bytes()).of(kind).get(id).copied();
        until.is_some_and(|until| now < until)
    }

    /// Denies an id until a time. A later time that is known already stays.
    pub(super) fn insert(&self, kind: Kind, id: &str, until: SystemTime, now: SystemTime) {
        let mut by_end = self.by_end();
        self.forget(&mut by_end, now, SWEPT);
        let mut shard = self.until.write(id.as_bytes());
        let known = shard.of(kind).get(id).copied();
        if known.is_none_or(|known| known < until) {
            shard.of_mut(kind).insert(id.into(), until);
            if let Some(known) = known {
                by_end.remove(&(known, kind, id.into()));
            }
            by_end.insert((until, kind, id.into()));
        }
        self.count.store(by_end.len(), Ordering::Release);
    }

    /// Forgets at most so many whose time is over, and says how many.
    pub(super) fn sweep(&self, now: SystemTime, most: usize) -> usize {
        let mut by_end = self.by_end();
        let swept = self.forget(&mut by_end, now, most);
        self.count.store(by_end.len(), Ordering::Release);
        swept
    }

    fn forget(&self, by_end: &mut ByEnd, now: SystemTime, most: usize) -> usize {
        let mut swept = 0;
        while swept < most && by_end.first().is_some_and(|(until, ..)| *until <= now) {
            if let Some((_, kind, id)) = by_end.pop_first() {
                self.until.write(id.as_bytes()).of_mut(kind).remove(&id);
            }
            swept += 1;
        }
        swept
    }

    pub(super) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    // Held for a change in memory, never over an await. A panic cannot leave half a change that
    // would let a revoked id pass: the map is written before the order.
    fn by_end(&self) -> MutexGuard<'_, ByEnd> {
        self.by_end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Until {
    fn of(&self, kind: Kind) -> &HashMap<Box<str>, SystemTime> {
        match kind {
            Kind::Token => &self.tokens,
            Kind::Family => &self.families,
        }
    }

    fn of_mut(&mut self, kind: Kind) -> &mut HashMap<Box<str>, SystemTime> {
        match kind {
            Kind::Token => &mut self.tokens,
            Kind::Family => &mut self.families,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_id_is_denied_until_its_end_and_in_its_own_kind_alone() {
        let denials = Denials::default();
        denials.insert(Kind::Family, "a", at(100), at(0));
        denials.insert(Kind::Family, "a", at(50), at(0)); // does not shorten
        let peek = |token, family, now| denials.peek(TokenIds::new(token, family), at(now));
        assert_eq!(peek("t", Some("a"), 99), Known::Yes);
        assert_eq!(peek("t", Some("a"), 100), Known::No);
        assert_eq!(
            peek("a", None, 0),
            Known::No,
            "a family's id denies no token of that id"
        );
        assert_eq!(peek("t", Some("b"), 0), Known::No);
    }

    #[test]
    fn only_what_has_ended_is_forgotten_however_many_there_are() {
        let denials = Denials::default();
        for n in 0..10_000 {
            denials.insert(Kind::Token, &n.to_string(), at(1_000 + n), at(0));
        }
        assert_eq!(denials.len(), 10_000);
        assert_eq!(denials.sweep(at(1_099), usize::MAX), 100);
        assert_eq!(
            denials.peek(TokenIds::new("100", None), at(1_099)),
            Known::Yes
        );
        denials.insert(Kind::Token, "new", at(9_000), at(1_999));
        assert_eq!(
            denials.len(),
            9_900 - SWEPT + 1,
            "an insertion sweeps a few"
        );
    }
}
