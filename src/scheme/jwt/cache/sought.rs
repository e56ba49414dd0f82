use crate::key_set::Parts;
use sha2::{Digest, Sha256};
use std::cell::OnceCell;

/// SHA-256 of a signature, encoded as it came. As words, of which fewer are to be compared.
pub(super) type SignatureDigest = [u64; 4];

/// A token as somebody presents it, to be looked for among those that were verified.
///
/// It is found by the start of its signature, which costs nothing; the signature is hashed only
/// where that leads to a token that was verified.
pub(in crate::scheme::jwt) struct Sought<'t> {
    parts: Parts<'t>,
    digest: OnceCell<SignatureDigest>,
}

impl<'t> Sought<'t> {
    pub(in crate::scheme::jwt) fn new(parts: Parts<'t>) -> Self {
        Self {
            parts,
            digest: OnceCell::new(),
        }
    }

    #[inline]
    pub(in crate::scheme::jwt) fn parts(&self) -> &Parts<'t> {
        &self.parts
    }

    /// The start of the signature, as a number. No signature that verifies is shorter.
    #[inline]
    pub(super) fn start(&self) -> u128 {
        u128::from_le_bytes(
            self.parts
                .signature
                .first_chunk()
                .copied()
                .unwrap_or_default(),
        )
    }

    /// What was signed.
    #[inline]
    pub(super) fn message(&self) -> &[u8] {
        self.parts.message
    }

    /// Computed once, whoever asks.
    pub(super) fn digest(&self) -> &SignatureDigest {
        self.digest.get_or_init(|| {
            let digest: [u8; 32] = Sha256::digest(self.parts.signature).into();
            let (words, _) = digest.as_chunks::<8>();
            std::array::from_fn(|word| u64::from_ne_bytes(words[word]))
        })
    }

    #[cfg(test)]
    pub(super) fn is_hashed(&self) -> bool {
        self.digest.get().is_some()
    }
}
