use sha2::{Digest, Sha256};
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
/// django:HASH      SHA-256(what stands before the first dot of a key), for keys that Django
///                  hashed as passwords: HASH is what its hasher wrote, and what the whole key
///                  is held against
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

    /// The digest of a key of djangorestframework-api-key, given its columns `prefix` and
    /// `hashed_key`; `None` where that has another form than these:
    ///
    /// ```text
    /// sha512$$ and 128 hexadecimal digits           verified by ApiKeys::imported_sha512
    /// pbkdf2_sha256$…, argon2$…, bcrypt…$$2b$…      verified by ApiKeys::imported_password_hashes
    /// ```
    ///
    /// The second form is that of versions before 3, which hashed keys as Django hashes passwords.
    #[must_use]
    pub fn from_django(prefix: &str, hashed_key: &str) -> Option<Self> {
        let (hasher, _) = hashed_key.split_once('$')?;
        match hasher {
            "sha512" => Self::from_hex(hashed_key.strip_prefix("sha512$$")?),
            "pbkdf2_sha256" | "argon2" | "bcrypt_sha256" | "bcrypt" if !prefix.is_empty() => {
                let algorithm = format!("{DJANGO}{hashed_key}");
                Some(Self::new(&algorithm, Sha256::digest(prefix).into()))
            }
            _ => None,
        }
    }

    fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 128 {
            return None;
        }
        let mut bytes = [0; 64];
        for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
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

    /// What the whole key is held against, where it was hashed as a password.
    pub(crate) fn password_hash(&self) -> Option<&str> {
        self.algorithm().strip_prefix(DJANGO)
    }

    /// The hash.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether it was made in the same way as another.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            // A key that is presented has no such hash yet. It is looked for by its prefix, and
            // then the whole key is held against the hash that was found.
            || (self.password_hash().is_some() && other.password_hash().is_some())
    }

    /// Compares in a time that does not depend on where two digests differ.
    #[cfg(feature = "api-key")]
    pub(crate) fn matches(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        // By words: subtle compares a slice of bytes one by one, at the price of half a SHA-256.
        let (words, _) = self.bytes.as_chunks::<8>();
        let (others, _) = other.bytes.as_chunks::<8>();
        let mut different = 0;
        for (word, other) in words.iter().zip(others) {
            different |= u64::from_ne_bytes(*word) ^ u64::from_ne_bytes(*other);
        }
        self.is_like(other) & bool::from(different.ct_eq(&0))
    }
}

fn hex_digit(b: u8) -> Option<u8> {
    let digit = char::from(b).to_digit(16)?;
    u8::try_from(digit).ok()
}

const SHA256: &str = "sha256";
pub(crate) const SHA512: &str = "sha512";
pub(crate) const DJANGO: &str = "django:";

/// A digest is no secret, but it is what an attacker would look for in a log.
impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.password_hash() {
            Some(_) => f.write_str("KeyDigest(django)"),
            None => write!(f, "KeyDigest({})", self.algorithm()),
        }
    }
}
