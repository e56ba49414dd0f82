use std::fmt;
use std::sync::Arc;

/// What a store keeps instead of an API key, and finds it by.
///
/// 32 bytes of a hash, tagged with how it was made, so that peppers can rotate:
///
/// ```text
/// algorithm        bytes
/// sha256           SHA-256(key)
/// hmac-sha256:ID   HMAC-SHA-256(pepper ID, key)
/// sha512           the first 32 bytes of SHA-512(key), for keys that another system made
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct KeyDigest {
    /// `None` is `sha256`, by far the commonest: then it takes no more than a pointer.
    algorithm: Option<Arc<Box<str>>>,
    bytes: [u8; 32],
}

impl KeyDigest {
    /// A digest that was stored before.
    #[must_use]
    pub fn new(algorithm: &str, bytes: [u8; 32]) -> Self {
        Self {
            algorithm: (algorithm != SHA256).then(|| Arc::new(algorithm.into())),
            bytes,
        }
    }

    /// The digest of a key that djangorestframework-api-key stored as `sha512$$` and 128
    /// hexadecimal digits; `None` where the text has another form. Verifying it takes
    /// [`ApiKeys::imported_sha512`](crate::ApiKeys::imported_sha512).
    #[must_use]
    pub fn from_django(hashed_key: &str) -> Option<Self> {
        let hex = hashed_key
            .strip_prefix("sha512$$")
            .filter(|hex| hex.len() == 128)?;
        let digit = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        bytes.first_chunk().map(|first| Self::new(SHA512, *first))
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn of(algorithm: Option<Arc<Box<str>>>, bytes: [u8; 32]) -> Self {
        Self { algorithm, bytes }
    }

    /// How it was made.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        match &self.algorithm {
            Some(algorithm) => algorithm,
            None => SHA256,
        }
    }

    /// The hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether it was made in the same way as another.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
    }

    /// Compares in a time that does not depend on where two digests differ.
    #[cfg(feature = "api-key")]
    pub(crate) fn matches(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        // By words: subtle compares a slice of bytes one by one, at the price of half a SHA-256.
        let (words, _) = self.bytes.as_chunks::<8>();
        let (others, _) = other.bytes.as_chunks::<8>();
        let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
        let different = words
            .iter()
            .zip(others)
            .fold(0, |different, (a, b)| different | (word(a) ^ word(b)));
        self.is_like(other) & bool::from(different.ct_eq(&0))
    }
}

const SHA256: &str = "sha256";
pub(crate) const SHA512: &str = "sha512";

/// A digest is no secret, but it is what an attacker would look for in a log.
impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({})", self.algorithm())
    }
}
