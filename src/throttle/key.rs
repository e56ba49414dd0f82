//! By what a rule counts, and what that becomes in a table.

use super::address::Addresses;
use super::call::Call;
use crate::principal::{Method, Principal};
use crate::reject::{Rejection, RejectionKind};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a caller is counted by.
#[derive(Clone)]
pub(crate) enum By {
    Principal,
    ApiKey,
    User,
    Tenant(Box<str>),
    Address,
    Function(Arc<Function>),
}

type Function = dyn Fn(&Call<'_>) -> Option<String> + Send + Sync;

impl By {
    /// The name of a rule that was given none.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Principal => "principal",
            Self::ApiKey => "key",
            Self::User => "user",
            Self::Tenant(_) => "tenant",
            Self::Address => "address",
            Self::Function(_) => "function",
        }
    }

    /// The id of a user of ours, where users are who is counted: by far the commonest, with the least to hash.
    #[inline]
    pub(crate) fn our_user<'r>(&self, call: &Call<'r>) -> Option<&'r [u8]> {
        let principal = call
            .principal()
            .filter(|_| matches!(self, Self::Principal))?;
        let is_ours = principal.other_issuer().is_none() && principal.subject().kind() == "user";
        is_ours.then(|| principal.subject().id().as_bytes())
    }

    /// For all others: hands over the parts of the key and a letter that says what they are, so that no two kinds meet; `None` where the rule does
    /// not concern the request.
    pub(crate) fn parts<T>(
        &self,
        call: &Call<'_>,
        addresses: &Addresses,
        hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
    ) -> Result<Option<T>, Rejection> {
        let Some(principal) = call.principal() else {
            return match self {
                Self::Function(function) => by_function(&**function, call, hand_over),
                // Nobody is named: the address is all there is.
                Self::Principal | Self::Address => by_address(call, addresses, hand_over).map(Some),
                Self::ApiKey | Self::User | Self::Tenant(_) => Ok(None),
            };
        };
        let subject = principal.subject();
        let id = subject.id().as_bytes();
        Ok(match self {
            Self::Principal => {
                // A subject is unique within its issuer only (RFC 7519 §4.1.2). Tokens of ours are of our users, as keys are.
                let issuer = principal.other_issuer().unwrap_or_default();
                Some(hand_over(
                    b'p',
                    &[issuer.as_bytes(), subject.kind().as_bytes(), id],
                ))
            }
            Self::User if subject.kind() == "user" => Some(hand_over(b'u', &[id])),
            Self::User => None,
            Self::ApiKey => principal
                .key()
                .map(|record| hand_over(b'k', &[record.lineage().as_bytes()])),
            Self::Tenant(member) => {
                tenant(principal, member).map(|tenant| hand_over(b't', &[tenant.as_bytes()]))
            }
            Self::Address => Some(by_address(call, addresses, hand_over)?),
            Self::Function(function) => by_function(&**function, call, hand_over)?,
        })
    }
}

/// A text or a number among a key's metadata or a token's claims.
fn tenant(principal: &Principal, member: &str) -> Option<String> {
    let mut object: serde_json::Map<String, serde_json::Value> = match principal.method() {
        Method::ApiKey => principal.key()?.metadata()?,
        _ => principal.claims().ok()?,
    };
    match object.remove(member)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn by_address<T>(
    call: &Call<'_>,
    addresses: &Addresses,
    hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
) -> Result<T, Rejection> {
    let address = call.address().ok_or_else(no_address)?;
    Ok(match addresses.source(address) {
        IpAddr::V4(address) => hand_over(b'4', &[&address.octets()]),
        IpAddr::V6(address) => hand_over(b'6', &[&address.octets()]),
    })
}

/// A mistake of the program: had the rule been skipped, it would have protected nothing without anybody's knowing.
fn no_address() -> Rejection {
    Rejection::new(
        RejectionKind::Failed,
        "a throttle needs the peer's address: serve with connect info, or insert a Peer",
    )
}

fn by_function<T>(
    function: &Function,
    call: &Call<'_>,
    hand_over: impl FnOnce(u8, &[&[u8]]) -> T,
) -> Result<Option<T>, Rejection> {
    let key = hook(|| function(call))?;
    Ok(key.map(|key| hand_over(b'f', &[key.as_bytes()])))
}

/// Calls a function of the application's own; 500 when it panics.
pub(crate) fn hook<T>(call: impl FnOnce() -> T) -> Result<T, Rejection> {
    let called = catch_unwind(AssertUnwindSafe(call));
    called.map_err(|_| Rejection::new(RejectionKind::Failed, "a throttle's function panicked"))
}

impl fmt::Debug for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// 128 bits of a keyed hash: a table needs nothing else of who is counted, and nobody can choose what meets.
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
        ((u128::from(self.0[0]) * cells as u128) >> 64) as usize
    }
}

/// Makes keys, each process others.
///
/// Two lanes of folded multiplication under secret words. It is not for where its results can be seen; here nobody outside sees
/// one, and it costs a fifth of what SipHash does for parts as short as these.
#[derive(Debug)]
pub(crate) struct Keys([u64; 4]);

impl Keys {
    pub(crate) fn new() -> Self {
        // The standard library's hashes are keyed by the system's randomness.
        Self([0, 1, 2, 3].map(|n: u8| RandomState::new().hash_one(n)))
    }

    /// Each part ends with a word that tells how many bytes are left in it, and that is absorbed in a way of its own, lest two
    /// different keys read the same.
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
        Key([folded(a, with_b).max(1), folded(b, with_a)])
    }
}

/// Both halves of the product, so that every bit of it counts.
#[inline]
fn folded(a: u64, b: u64) -> u64 {
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
        _ => bytes
            .iter()
            .rfold(0, |value, byte| value << 8 | u64::from(*byte)),
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
