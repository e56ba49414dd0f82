//! What a table knows of who is counted.

use crate::rate::{Form, Rate};
use std::hash::{BuildHasher, RandomState};

/// 128 bits of a keyed hash: a table needs nothing else of who is counted, and nobody can choose
/// what meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key([u64; 2]);

impl Key {
    /// No key is this one.
    pub(crate) const NONE: Self = Self([0, 0]);

    /// Of so many shards, a power of two.
    #[inline]
    pub(crate) fn shard(self, shards: usize) -> usize {
        self.0[1] as usize & (shards - 1)
    }

    /// Of so many cells, any number.
    #[inline]
    pub(crate) fn home(self, cells: usize) -> usize {
        // Scales the word down to the number of cells, which need not be a power of two. A
        // remainder would do the same by a division, which is slower.
        ((u128::from(self.0[0]) * cells as u128) >> 64) as usize
    }

    /// The same caller under another rate. It stays in its shard, so that one can be looked up
    /// beside the other.
    #[inline]
    pub(crate) fn under(self, salt: Salt) -> Self {
        Self([self.0[0] ^ salt.0, self.0[1]])
    }
}

/// What tells the keys of one rate from those of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Salt(u64);

impl Salt {
    /// What makes a key under this one a key under that one.
    pub(crate) fn towards(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

/// Makes keys, each process others.
///
/// Two lanes of folded multiplication under secret words. It is not for where its results can be
/// seen; here nobody outside sees one, and it costs a fifth of what SipHash does for parts as short
/// as these.
#[derive(Debug)]
pub(crate) struct Keys([u64; 4]);

impl Keys {
    pub(crate) fn new() -> Self {
        // The standard library's hashes are keyed by the system's randomness.
        Self([0, 1, 2, 3].map(|n: u8| RandomState::new().hash_one(n)))
    }

    /// Each part ends with a word that tells how many bytes are left in it, and that is absorbed in
    /// a way of its own, lest two different keys read the same.
    #[inline]
    pub(crate) fn of(&self, kind: u8, parts: &[&[u8]]) -> Key {
        let [mut a, mut b, with_a, with_b] = self.0;
        a ^= u64::from(kind);
        for part in parts {
            let (words, rest) = part.as_chunks::<8>();
            for word in words {
                let word = u64::from_le_bytes(*word);
                a = folded(a ^ word, with_a);
                b = folded(b.rotate_left(32) ^ word, with_b);
            }
            let last = last_word(rest);
            a = folded(a ^ last, with_b);
            b = folded(b.rotate_left(32) ^ last, with_a);
        }
        // Never `Key::NONE`, which marks a free cell.
        Key([folded(a, with_b).max(1), folded(b, with_a)])
    }

    /// Of a rate.
    pub(crate) fn salt(&self, rate: &Rate) -> Salt {
        let (form, burst) = match rate.form() {
            Form::Sliding => (0, 0),
            Form::Calendar => (1, 0),
            Form::Paced { burst } => (2, burst),
        };
        let [count, seconds, burst] = [rate.count(), rate.seconds(), burst].map(u32::to_le_bytes);
        let Key([salt, _]) = self.of(b'r', &[&[form], &count, &seconds, &burst]);
        Salt(salt)
    }
}

/// Both halves of the product, so that every bit of it counts.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
    // The odd factor keeps a secret word that happens to be 0 from wiping out all that was
    // absorbed.
    let product = u128::from(a) * u128::from(b | 1);
    product as u64 ^ (product >> 64) as u64
}

/// Up to seven bytes, least significant first, and above them how many they are.
#[inline]
fn last_word(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    let value = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first))
                | u64::from(u32::from_le_bytes(*last)) << (8 * (length - 4))
        }
        // Of up to three bytes, the first, the middle and the last are all that there are. No
        // branch on the length is needed.
        _ => match bytes {
            [] => 0,
            [first, ..] => {
                let middle = u64::from(bytes[length / 2]);
                let last = u64::from(bytes[length - 1]);
                u64::from(*first) | middle << 8 | last << 16
            }
        },
    };
    value | (length as u64) << 56
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn parts_do_not_run_into_one_another() {
        let keys = Keys::new();
        let (a, b) = (keys.of(b'p', &[b"ab", b"c"]), keys.of(b'p', &[b"a", b"bc"]));
        assert!(a != b && a != keys.of(b'p', &[b"abc"]) && a == keys.of(b'p', &[b"ab", b"c"]));
        assert!(a != keys.of(b'q', &[b"ab", b"c"]));
        // Eight bytes that read like the end of a part are not one.
        let end = 0_u64.to_le_bytes();
        assert!(keys.of(b'p', &[b"", &end]) != keys.of(b'p', &[&end, b""]));
        assert!(
            a != Keys::new().of(b'p', &[b"ab", b"c"]),
            "another process has other keys"
        );
    }

    #[test]
    fn rates_are_told_apart_by_all_that_they_are_and_stay_in_the_shard() {
        let keys = Keys::new();
        let texts = [
            "5/min",
            "5/day",
            "6/min",
            "5/min calendar",
            "5/min burst 5",
            "5/min burst 6",
        ];
        let salts: Vec<Salt> = texts.map(|text| keys.salt(&text.parse().unwrap())).into();
        for (at, salt) in salts.iter().enumerate() {
            assert!(!salts[..at].contains(salt), "{}", texts[at]);
        }
        let key = keys.of(b'p', &[b"anna"]);
        let (one, two) = (key.under(salts[0]), key.under(salts[1]));
        assert_eq!(one.under(salts[0].towards(salts[1])), two);
        assert_eq!((one.shard(64), one != two), (two.shard(64), true));
    }

    /// A bit anywhere changes about half of the bits, and no two of many keys meet.
    #[test]
    fn every_byte_counts_wherever_it_is() {
        let (keys, mut seen) = (Keys::new(), HashSet::new());
        for length in 1..40 {
            let text = vec![0; length];
            let plain = keys.of(b't', &[&text]);
            assert!(seen.insert(plain));
            for bit in 0..length * 8 {
                let mut other = text.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                let other = keys.of(b't', &[&other]);
                assert!(seen.insert(other), "{length} bytes, bit {bit}");
                let changed: u32 = (0..2)
                    .map(|half| (plain.0[half] ^ other.0[half]).count_ones())
                    .sum();
                assert!(
                    (20..108).contains(&changed),
                    "{changed} of 128 bits: {length} bytes, bit {bit}"
                );
            }
        }
        assert_eq!(
            (0..200_000_u64)
                .filter(|n| seen.insert(keys.of(b't', &[&n.to_le_bytes()])))
                .count(),
            200_000 - 19
        );
    }
}
