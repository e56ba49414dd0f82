use sha2::{Digest, Sha256};
use std::cell::OnceCell;

/// SHA-256 of a whole token.
pub(super) type TokenDigest = [u8; 32];

/// A token as somebody presents it, to be looked for among those that were verified.
///
/// It is found by the start of its signature, which costs nothing, and hashed only where that
/// leads to a token that was verified.
pub(in crate::scheme::jwt) struct Presented<'t> {
    token: &'t [u8],
    start: [u64; 2],
    digest: OnceCell<TokenDigest>,
}

impl<'t> Presented<'t> {
    pub(in crate::scheme::jwt) fn new(token: &'t [u8], signature: &[u8]) -> Self {
        // None that verifies is shorter.
        let start: [u8; 16] = signature.first_chunk().copied().unwrap_or_default();
        let start = u128::from_le_bytes(start);
        Self {
            token,
            start: [start as u64, (start >> 64) as u64],
            digest: OnceCell::new(),
        }
    }

    /// A number that is spread evenly, and that nobody who lacks the key foresees: 96 bits of the
    /// signature, multiplied and folded.
    #[inline]
    pub(super) fn mixed(&self, key: u64) -> u64 {
        let [first, second] = self.start;
        let product = u128::from(first ^ key) * u128::from(second ^ key.rotate_left(32));
        let (low, high) = (product as u64, (product >> 64) as u64);
        low ^ high
    }

    /// Computed once, whoever asks.
    pub(super) fn digest(&self) -> &TokenDigest {
        self.digest
            .get_or_init(|| Sha256::digest(self.token).into())
    }

    #[cfg(test)]
    pub(super) fn is_hashed(&self) -> bool {
        self.digest.get().is_some()
    }
}
