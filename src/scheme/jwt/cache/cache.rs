use super::entry::{Entry, Kept};
use super::set::Set;
use super::sought::Sought;
use super::tags::WAYS;
use super::trace::Trace;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU16;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// For so many bytes there is a set. A token takes some sixth of that, so that hardly a set is full
/// when the bytes are used up.
const BYTES_A_SET: usize = 4 << 10;
/// Four million tokens. More room would only make the table larger.
const MOST_SETS: usize = 1 << 18;

/// What was verified of one issuer's tokens, bounded in bytes.
///
/// - A hit writes to what belongs to that one token: the lock of its place, the count of those who
///   have its value. A miss writes nothing.
/// - Whoever inserts holds a mutex, and makes room: a hand goes round all places, and takes out
///   what was not used since it came by last, or has ended (CLOCK). So tokens that come once, many
///   as they may be, do not drive out those that come again.
pub(in crate::scheme::jwt) struct Cache<T> {
    /// Nobody foresees which tokens share a set.
    key: u64,
    most: usize,
    /// Made when they are first written.
    sets: Box<[OnceLock<Box<Set<T>>>]>,
    // Held for a few look-ups in memory, which do not panic: a poisoned one is as good as any other.
    ledger: Mutex<Ledger>,
}

/// What whoever writes has to know.
struct Ledger {
    bytes: usize,
    /// The place at which the hand stands.
    hand: usize,
}

impl<T> Cache<T> {
    /// At most so many bytes, its own table included.
    pub(in crate::scheme::jwt) fn new(bytes: usize) -> Self {
        let number = (bytes / BYTES_A_SET).clamp(1, MOST_SETS);
        let sets: Box<[_]> = std::iter::repeat_with(OnceLock::new).take(number).collect();
        let ledger = Ledger {
            bytes: size_of_val(&*sets),
            hand: 0,
        };
        Self {
            key: RandomState::new().hash_one(bytes),
            most: bytes,
            sets,
            ledger: Mutex::new(ledger),
        }
    }

    /// What was kept of exactly this token, if the keys of this generation verified it.
    #[inline]
    pub(in crate::scheme::jwt) fn find(
        &self,
        sought: &Sought<'_>,
        generation: u64,
    ) -> Option<Arc<T>> {
        let (set, tag) = self.place(sought.start());
        set.get()?.find(tag, sought, generation)
    }

    /// Notes that a token was verified; whether one was noted that is most likely the same.
    pub(in crate::scheme::jwt) fn note(&self, sought: &Sought<'_>, now: Duration) -> bool {
        let (set, tag) = self.place(sought.start());
        let set = match set.get() {
            Some(set) => set,
            None => {
                let mut ledger = self.ledger();
                let made = made(set, &mut ledger);
                self.make_room(0, &mut ledger, now);
                made
            }
        };
        set.note(tag)
    }

    /// Keeps what was verified, in the place of what was kept of the same token. What takes more
    /// than an eighth of all room is not kept.
    pub(in crate::scheme::jwt) fn keep(&self, sought: &Sought<'_>, entry: Entry<T>, now: Duration) {
        let kept = Box::new(Kept::new(sought, entry));
        let bytes = kept.bytes();
        if bytes > self.most / 8 {
            return;
        }
        let (set, tag) = self.place(sought.start());
        let mut ledger = self.ledger();
        let set = made(set, &mut ledger);
        // A token that is kept already is replaced where it is. With a second place the older one
        // could answer.
        let way = match set.way_of(tag, sought.digest()) {
            Some(way) => way,
            None => set.way_for_another(now),
        };
        ledger.bytes -= set.clear(way);
        if self.make_room(bytes, &mut ledger, now) {
            set.fill(way, tag, kept);
            ledger.bytes += bytes;
        }
    }

    /// Keeps a token no longer.
    #[cold]
    pub(in crate::scheme::jwt) fn forget(&self, token: Trace) {
        let (set, tag) = self.place(token.start);
        let Some(set) = set.get() else {
            return;
        };
        let mut ledger = self.ledger();
        if let Some(way) = set.way_of(tag, &token.digest) {
            ledger.bytes -= set.clear(way);
        }
    }

    /// How many bytes are used, the table included.
    pub(in crate::scheme::jwt) fn bytes(&self) -> usize {
        self.ledger().bytes
    }

    /// The set in which a token has its place, and its tag there.
    #[inline]
    fn place(&self, start: u128) -> (&OnceLock<Box<Set<T>>>, NonZeroU16) {
        let mixed = mixed(start, self.key);
        let (half, tag) = (mixed & u64::from(u32::MAX), (mixed >> 48) as u16);
        let set = ((half * self.sets.len() as u64) >> 32) as usize;
        // A tag is never 0, which marks a free place. Its lowest bit is given away for that.
        (&self.sets[set], NonZeroU16::MIN | tag)
    }

    /// Takes tokens out until so many bytes are free. `false` where the table alone takes them.
    fn make_room(&self, bytes: usize, ledger: &mut Ledger, now: Duration) -> bool {
        let places = self.sets.len() * WAYS;
        // After one time round none counts as used, and after two none is left.
        let mut left = 2 * places;
        while ledger.bytes + bytes > self.most {
            if left == 0 {
                return false;
            }
            let (set, way) = (ledger.hand / WAYS, ledger.hand % WAYS);
            let Some(set) = self.sets[set].get() else {
                ledger.hand = (ledger.hand + WAYS) % places;
                left = left.saturating_sub(WAYS);
                continue;
            };
            ledger.hand = (ledger.hand + 1) % places;
            left -= 1;
            if set.may_go(way, now) {
                ledger.bytes -= set.clear(way);
            }
        }
        true
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that is spread evenly, and that nobody who lacks the key foresees: both halves,
/// multiplied and folded.
#[inline]
fn mixed(start: u128, key: u64) -> u64 {
    let (first, second) = (start as u64, (start >> 64) as u64);
    let product = u128::from(first ^ key) * u128::from(second ^ key.rotate_left(32));
    product as u64 ^ (product >> 64) as u64
}

/// Shows no token, and nothing that one says.
impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

/// The set at that place. A new one is counted.
fn made<'s, T>(set: &'s OnceLock<Box<Set<T>>>, ledger: &mut Ledger) -> &'s Set<T> {
    set.get_or_init(|| {
        ledger.bytes += size_of::<Set<T>>();
        Box::new(Set::new())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_set::Parts;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};

    const NOON: Duration = Duration::from_secs(43_200);
    const ONE: Duration = Duration::from_secs(46_800);
    const ENTRY: usize = 1_000;

    /// A token of that number, with a signature as long and as evenly spread as real ones are.
    fn token(number: u64) -> Vec<u8> {
        use base64::Engine as _;
        use base64::prelude::BASE64_URL_SAFE_NO_PAD;
        use sha2::{Digest, Sha256};
        let message = format!("header.{number}");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&message));
        format!("{message}.{signature}").into_bytes()
    }

    fn sought(token: &[u8]) -> Sought<'_> {
        Sought::new(Parts::split(token).unwrap())
    }

    fn keep(cache: &Cache<u64>, number: u64) {
        keep_as(cache, number, 1, ONE, NOON);
    }

    fn keep_as(cache: &Cache<u64>, number: u64, generation: u64, ends: Duration, now: Duration) {
        let entry = Entry {
            value: Arc::new(number),
            bytes: ENTRY,
            generation,
            ends,
        };
        cache.keep(&sought(&token(number)), entry, now);
    }

    fn find(cache: &Cache<u64>, number: u64) -> Option<u64> {
        let found = cache.find(&sought(&token(number)), 1)?;
        Some(*found)
    }

    fn bytes(cache: &Cache<u64>) -> usize {
        cache.ledger().bytes
    }

    /// What the ledger should say.
    fn counted(cache: &Cache<u64>) -> usize {
        let made: Vec<_> = cache.sets.iter().filter_map(OnceLock::get).collect();
        let kept: usize = made.iter().map(|set| set.bytes()).sum();
        size_of_val(&*cache.sets) + made.len() * size_of::<Set<u64>>() + kept
    }

    #[test]
    fn what_was_kept_is_found_and_nothing_else_is() {
        let cache = Cache::new(1 << 20);
        assert_eq!(find(&cache, 1), None, "nothing was kept");
        keep(&cache, 1);
        assert_eq!(find(&cache, 1), Some(1));
        assert_eq!(find(&cache, 2), None);
        for (at, _) in token(1).iter().enumerate() {
            for bit in 0..8 {
                let mut altered = token(1);
                altered[at] ^= 1 << bit;
                if altered[at] != b'.' && token(1)[at] != b'.' {
                    let found = cache.find(&sought(&altered), 1);
                    assert!(found.is_none(), "bit {bit} of byte {at}");
                }
            }
        }
    }

    #[test]
    fn every_character_of_a_signature_counts_however_long_it_is() {
        let lengths = [22, 43, 54, 55, 56, 64, 71, 72, 86, 342, 683];
        for length in lengths {
            let cache = Cache::new(1 << 20);
            let signature: Vec<u8> = (0..length).map(|at| b'A' + at as u8 % 26).collect();
            let genuine = [b"a.message.", signature.as_slice()].concat();
            let entry = Entry {
                value: Arc::new(1),
                bytes: ENTRY,
                generation: 1,
                ends: ONE,
            };
            cache.keep(&sought(&genuine), entry, NOON);
            assert!(cache.find(&sought(&genuine), 1).is_some(), "{length}");
            for at in genuine.len() - length..genuine.len() {
                let mut altered = genuine.clone();
                altered[at] ^= 1;
                let found = cache.find(&sought(&altered), 1);
                assert!(found.is_none(), "{length}: character {at}");
            }
            let shorter = &genuine[..genuine.len() - 1];
            let longer = [genuine.as_slice(), b"A"].concat();
            assert!(cache.find(&sought(shorter), 1).is_none(), "{length}");
            assert!(cache.find(&sought(&longer), 1).is_none(), "{length}");
        }
    }

    #[test]
    fn of_two_tokens_with_one_place_each_is_itself() {
        let cache = Cache::new(1 << 20);
        let (left, right) = (
            b"a.message.0123456789abcdef#1",
            b"a.message.0123456789abcdef#2",
        );
        let entry = |value| Entry {
            value: Arc::new(value),
            bytes: ENTRY,
            generation: 1,
            ends: ONE,
        };
        cache.keep(&sought(left), entry(1), NOON);
        assert!(cache.find(&sought(right), 1).is_none());
        cache.keep(&sought(right), entry(2), NOON);
        assert_eq!(cache.find(&sought(left), 1).as_deref(), Some(&1));
        assert_eq!(cache.find(&sought(right), 1).as_deref(), Some(&2));
        cache.forget(Trace::of(&sought(left)));
        assert!(cache.find(&sought(left), 1).is_none());
        assert_eq!(cache.find(&sought(right), 1).as_deref(), Some(&2));
    }

    #[test]
    fn a_token_that_nobody_verified_is_not_even_hashed() {
        let cache = Cache::new(1 << 20);
        keep(&cache, 1);
        let (forged, genuine) = (token(2), token(1));
        let (forged, genuine) = (sought(&forged), sought(&genuine));
        assert!(cache.find(&forged, 1).is_none() && !forged.is_hashed());
        assert!(cache.find(&genuine, 1).is_some() && genuine.is_hashed());
    }

    #[test]
    fn an_entry_ends_with_the_keys_that_verified_it() {
        let cache = Cache::new(1 << 20);
        keep_as(&cache, 1, 1, ONE, NOON);
        let token = token(1);
        assert!(cache.find(&sought(&token), 2).is_none());
        keep_as(&cache, 1, 2, ONE, NOON);
        assert!(cache.find(&sought(&token), 2).is_some());
        assert!(cache.find(&sought(&token), 1).is_none());
        assert_eq!(bytes(&cache), counted(&cache), "the former one is gone");
    }

    #[test]
    fn what_is_forgotten_is_gone_and_its_bytes_are_free() {
        let cache = Cache::new(1 << 20);
        cache.forget(Trace::of(&sought(&token(1))));
        keep(&cache, 1);
        keep(&cache, 2);
        let before = bytes(&cache);
        cache.forget(Trace::of(&sought(&token(1))));
        assert_eq!((find(&cache, 1), find(&cache, 2)), (None, Some(2)));
        assert!(bytes(&cache) < before && bytes(&cache) == counted(&cache));
        cache.forget(Trace::of(&sought(&token(1))));
        assert_eq!(bytes(&cache), counted(&cache));
    }

    #[test]
    fn the_second_sight_of_a_token_is_told_from_its_first_and_a_first_one_takes_no_room() {
        let cache = Cache::<u64>::new(1 << 20);
        let first = (0..1_000).filter(|number| cache.note(&sought(&token(*number)), NOON));
        // Another one of the same set has the tag of one in 30,000.
        assert!(first.count() <= 4);
        let second = (0..1_000).filter(|number| cache.note(&sought(&token(*number)), NOON));
        assert_eq!(second.count(), 1_000);
        for number in 1_000..50_000 {
            cache.note(&sought(&token(number)), NOON);
        }
        let (made, most) = (counted(&cache), bytes(&cache));
        assert_eq!((made, size_of_val(&*cache.sets) + 256 * 512), (most, most));
        assert!(!cache.note(&sought(&token(1)), NOON), "that is long ago");
    }

    #[test]
    fn the_bytes_are_bounded_and_counted_rightly() {
        for most in [0, 1, 600, 10_000, 100_000, 1 << 20] {
            let cache = Cache::new(most);
            let empty = bytes(&cache);
            for number in 0..5_000 {
                cache.note(&sought(&token(number)), NOON);
                keep(&cache, number);
                let set = size_of::<Set<u64>>();
                assert!(
                    bytes(&cache) <= most.max(empty + set),
                    "{most}: {}",
                    bytes(&cache)
                );
            }
            assert_eq!(bytes(&cache), counted(&cache), "{most}");
            let kept = (0..5_000)
                .filter(|number| find(&cache, *number).is_some())
                .count();
            let least = most / ENTRY * 3 / 4;
            assert!(kept >= least.saturating_sub(10), "{most}: {kept} are kept");
        }
    }

    #[test]
    fn what_takes_more_than_an_eighth_of_the_room_is_not_kept() {
        let cache = Cache::new(8 * ENTRY);
        keep(&cache, 1);
        assert_eq!(find(&cache, 1), None);
    }

    #[test]
    fn nearly_all_of_as_many_tokens_as_there_is_room_for_are_kept() {
        let cache = Cache::new(16 << 20);
        for number in 0..10_000 {
            keep(&cache, number);
        }
        let lost = (0..10_000)
            .filter(|number| find(&cache, *number).is_none())
            .count();
        assert!(lost <= 10, "{lost} of 10000 were lost");
    }

    #[test]
    fn tokens_that_come_once_do_not_drive_out_those_that_come_again() {
        let cache = Cache::new(1 << 20);
        let often = 0..200;
        often.clone().for_each(|number| keep(&cache, number));
        for number in 1_000..20_000 {
            keep(&cache, number);
            if number % 100 == 0 {
                for number in often.clone() {
                    find(&cache, number);
                }
            }
        }
        let left = often
            .filter(|number| find(&cache, *number).is_some())
            .count();
        assert!(left >= 195, "{left} of 200");
    }

    #[test]
    fn tokens_that_have_ended_make_room_however_often_they_come() {
        let cache = Cache::new(1 << 20);
        let ended = 0..500;
        ended.clone().for_each(|number| keep(&cache, number));
        for number in 1_000..3_000 {
            for number in ended.clone() {
                find(&cache, number);
            }
            keep_as(&cache, number, 1, 2 * ONE, ONE);
        }
        let left = ended
            .filter(|number| find(&cache, *number).is_some())
            .count();
        assert_eq!(left, 0);
    }

    #[test]
    fn many_threads_at_once_find_what_was_kept_of_exactly_their_tokens() {
        let cache = Cache::new(200_000);
        let hits = AtomicU64::new(0);
        let start = Barrier::new(4);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let (cache, hits, start) = (&cache, &hits, &start);
                scope.spawn(move || {
                    start.wait();
                    for turn in 0..20_000_u64 {
                        let number = (turn * 7 + thread * 13) % 300;
                        match find(cache, number) {
                            Some(found) => {
                                assert_eq!(found, number);
                                hits.fetch_add(1, Ordering::Relaxed);
                            }
                            None => keep(cache, number),
                        }
                        if turn % 11 == 0 {
                            cache.forget(Trace::of(&sought(&token(number))));
                        }
                    }
                });
            }
        });
        assert!(hits.into_inner() > 0);
        assert_eq!(bytes(&cache), counted(&cache));
        assert!(bytes(&cache) <= 200_000);
    }

    #[test]
    fn neither_a_token_nor_what_it_says_is_shown() {
        let cache = Cache::new(1 << 20);
        keep(&cache, 4_711);
        assert_eq!(format!("{cache:?}"), "Cache { most: 1048576, .. }");
    }

    #[test]
    fn a_place_costs_little_more_than_a_pointer() {
        assert_eq!(size_of::<Set<u64>>(), 512);
    }
}
