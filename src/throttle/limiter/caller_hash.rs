use sha2::{Digest, Sha256};
use std::fmt;

/// Who is counted: 128 bits of a SHA-256, the same on every machine. `Display` is 32 hexadecimal
/// digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerHash([u8; 16]);

impl CallerHash {
    /// That hash, for tests of a limiter.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Of these parts; each is preceded by its length, lest two different callers read the same.
    pub(crate) fn of(kind: u8, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix([kind]);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for CallerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CallerHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallerHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_one_another() {
        let hash = |kind, parts: &[&[u8]]| CallerHash::of(kind, parts);
        assert_ne!(hash(b'p', &[b"ab", b"c"]), hash(b'p', &[b"a", b"bc"]));
        assert_ne!(hash(b'p', &[b"a"]), hash(b'u', &[b"a"]));
        assert_eq!(
            CallerHash::new([0xa0; 16]).to_string(),
            "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
        );
    }
}
