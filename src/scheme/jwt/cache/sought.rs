use crate::key_set::Parts;
use crate::sha256::{self, sha256};
use foldhash::{SharedSeed, quality::FoldHasher};
use std::cell::OnceCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// Of a signature, encoded as it came: SHA-256 of its head, and a number for its tail. As words, of
/// which fewer are to be compared.
pub(super) type SignatureDigest = [u64; 5];

/// Of so many characters SHA-256 makes one block.
///
/// They are 330 bits, which only whoever has seen the token knows; of HS256 they are all there is.
/// A signature of RSA is six to twelve times as long and would cost as many times more on each
/// request, so what follows goes into a cheaper hash.
const HEAD: usize = sha256::ONE_BLOCK;

/// Seeds of the tail's hash: numbers that no other process has and that nobody sees. So whoever has
/// found the head of a signature, in a log that cuts lines for instance, can but guess the 64 bits
/// of its tail, one request at a time.
static TAIL: LazyLock<(u64, SharedSeed)> = LazyLock::new(|| {
    let random = RandomState::new();
    (random.hash_one(0), SharedSeed::from_u64(random.hash_one(1)))
});

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
            let signature = self.parts.signature;
            let (head, tail) = signature.split_at(signature.len().min(HEAD));
            let digest = sha256(head);
            let (words, _) = digest.as_chunks::<8>();
            let tail = tail_number(tail);
            std::array::from_fn(|word| match words.get(word) {
                Some(bytes) => u64::from_ne_bytes(*bytes),
                None => tail,
            })
        })
    }

    #[cfg(test)]
    pub(super) fn is_hashed(&self) -> bool {
        self.digest.get().is_some()
    }
}

#[inline]
fn tail_number(tail: &[u8]) -> u64 {
    if tail.is_empty() {
        return 0;
    }
    let (seed, shared) = &*TAIL;
    let mut hasher = FoldHasher::with_seed(*seed, shared);
    hasher.write(tail);
    hasher.finish()
}
