use super::algorithm::JwtAlgorithm;
use std::fmt;

/// A set of [`JwtAlgorithm`]s: what one key may verify, or what an issuer may sign with.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Algorithms(u16);

impl Algorithms {
    pub(crate) fn all() -> Self {
        JwtAlgorithm::ALL.into_iter().collect()
    }

    pub(crate) fn symmetric() -> Self {
        let all = JwtAlgorithm::ALL.into_iter();
        all.filter(|algorithm| algorithm.is_symmetric()).collect()
    }

    /// Those of RSA keys: a JWK that names no algorithm may be meant for any of them.
    pub(super) fn rsa() -> Self {
        use JwtAlgorithm as A;
        [A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512]
            .into_iter()
            .collect()
    }

    pub(crate) fn contains(self, algorithm: JwtAlgorithm) -> bool {
        self.0 & bit(algorithm) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those that are in this one alone.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that a secret of this many bytes is long enough for (RFC 7518 §3.2), or all where it
    /// is so for none, so that the key is refused by that rule.
    pub(super) fn with_hashes_of(self, length: usize) -> Self {
        let fitting: Self = self
            .iter()
            .filter(|algorithm| algorithm.hash_length() <= length)
            .collect();
        if fitting.is_empty() { self } else { fitting }
    }

    /// In the order of the type.
    pub(crate) fn iter(self) -> impl Iterator<Item = JwtAlgorithm> {
        let all = JwtAlgorithm::ALL.into_iter();
        all.filter(move |algorithm| self.contains(*algorithm))
    }
}

fn bit(algorithm: JwtAlgorithm) -> u16 {
    1 << algorithm as u16
}

impl From<JwtAlgorithm> for Algorithms {
    fn from(algorithm: JwtAlgorithm) -> Self {
        Self(bit(algorithm))
    }
}

impl FromIterator<JwtAlgorithm> for Algorithms {
    fn from_iter<I: IntoIterator<Item = JwtAlgorithm>>(algorithms: I) -> Self {
        let bits = algorithms.into_iter().map(bit);
        Self(bits.fold(0, |set, bit| set | bit))
    }
}

impl fmt::Debug for Algorithms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
