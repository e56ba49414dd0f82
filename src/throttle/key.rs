//! By what a rule counts, and what that becomes in a table.

use super::address::Addresses;
use super::call::Call;
use crate::principal::{Method, Principal};
use crate::reject::{Rejection, RejectionKind};
use crate::store::KeyRecord;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
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
    Function(Arc<dyn Fn(&Call<'_>) -> Option<String> + Send + Sync>),
}

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

    /// Hands the parts of the key over, or answers `None` where the rule does not concern the request. The first part says
    /// what the others are, so that no two kinds meet.
    pub(crate) fn parts<T>(
        &self,
        call: &Call<'_>,
        addresses: &Addresses,
        hand_over: impl FnOnce(&[&[u8]]) -> T,
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
                // A subject is unique within its issuer only (RFC 7519 §4.1.2).
                let issuer = principal.issuer().unwrap_or_default().as_bytes();
                Some(hand_over(&[b"p", issuer, subject.kind().as_bytes(), id]))
            }
            Self::User if subject.kind() == "user" => Some(hand_over(&[b"u", id])),
            Self::User => None,
            Self::ApiKey => principal.key().map(|record| hand_over(&[b"k", lineage(record).as_bytes()])),
            Self::Tenant(member) => {
                tenant(principal, member).map(|tenant| hand_over(&[b"t", tenant.as_bytes()]))
            }
            Self::Address => Some(by_address(call, addresses, hand_over)?),
            Self::Function(function) => by_function(&**function, call, hand_over)?,
        })
    }
}

/// What a key shares with those that it was rotated from and to.
fn lineage(record: &KeyRecord) -> &str {
    record.id()
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
    hand_over: impl FnOnce(&[&[u8]]) -> T,
) -> Result<T, Rejection> {
    let address = call.address().ok_or_else(no_address)?;
    Ok(match addresses.source(address) {
        IpAddr::V4(address) => hand_over(&[b"4", &address.octets()]),
        IpAddr::V6(address) => hand_over(&[b"6", &address.octets()]),
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
    function: &(dyn Fn(&Call<'_>) -> Option<String> + Send + Sync),
    call: &Call<'_>,
    hand_over: impl FnOnce(&[&[u8]]) -> T,
) -> Result<Option<T>, Rejection> {
    let key = hook(|| function(call))?;
    Ok(key.map(|key| hand_over(&[b"f", key.as_bytes()])))
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
        (u128::from(self.0[0]) * cells as u128 >> 64) as usize
    }
}

/// Makes keys, each process others.
#[derive(Debug)]
pub(crate) struct Keys([RandomState; 2]);

impl Keys {
    pub(crate) fn new() -> Self {
        Self([RandomState::new(), RandomState::new()])
    }

    /// Each part is preceded by its length, lest two different keys read the same.
    #[inline]
    pub(crate) fn of(&self, parts: &[&[u8]]) -> Key {
        let halves = self.0.each_ref().map(|state| {
            let mut hasher = state.build_hasher();
            for part in parts {
                hasher.write_usize(part.len());
                hasher.write(part);
            }
            hasher.finish()
        });
        Key([halves[0].max(1), halves[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_one_another() {
        let keys = Keys::new();
        let (a, b) = (keys.of(&[b"p", b"ab", b"c"]), keys.of(&[b"p", b"a", b"bc"]));
        assert!(a != b && a != keys.of(&[b"p", b"abc"]) && a == keys.of(&[b"p", b"ab", b"c"]));
        assert!(a != Keys::new().of(&[b"p", b"ab", b"c"]), "another process has other keys");
    }
}
