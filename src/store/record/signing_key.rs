use std::fmt;
use std::time::SystemTime;

/// A key pair that an issuer signs its tokens with, in a row of such: nodes that sign together find
/// it here.
///
/// ```text
/// created ─── signs_from ──────────── signs_until ──────────── forgotten_at
/// published   signs                    verifies                 removed
/// ```
///
/// Its private half is sealed: who has the store alone, or a backup of it, can neither sign by it
/// nor put another one in its place.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SigningKeyRecord {
    /// The issuer whose key it is: the `iss` of the tokens that it signs.
    pub issuer: Box<str>,
    /// Its place in the row of this issuer's keys: 1, 2, 3, … Of two nodes that make the next key
    /// at once, one gets the place, and the other one takes its key.
    pub serial: u32,
    /// The `kid` of the tokens that it signs: the key's thumbprint (RFC 7638).
    pub id: Box<str>,
    /// The name of the algorithm that it signs with (RFC 7518 §3.1), such as `ES256`.
    pub algorithm: Box<str>,
    /// The private key, encrypted and authenticated, in a form that only who makes keys reads.
    pub sealed: Box<[u8]>,
    /// When it was made, and so published, to the second.
    pub created: SystemTime,
    /// From when on it signs.
    pub signs_from: SystemTime,
    /// Until when it signs, unless its successor begins later.
    pub signs_until: SystemTime,
    /// When the last token that it signed has expired.
    pub forgotten_at: SystemTime,
}

impl SigningKeyRecord {
    /// A key that was made at that time, signs from then on, and has no time to do so yet.
    #[must_use]
    pub fn new(
        issuer: impl Into<String>,
        serial: u32,
        id: impl Into<String>,
        algorithm: impl Into<String>,
        sealed: impl Into<Vec<u8>>,
        created: SystemTime,
    ) -> Self {
        Self {
            issuer: issuer.into().into_boxed_str(),
            serial,
            id: id.into().into_boxed_str(),
            algorithm: algorithm.into().into_boxed_str(),
            sealed: sealed.into().into_boxed_slice(),
            created,
            signs_from: created,
            signs_until: created,
            forgotten_at: created,
        }
    }

    /// The same key, which signs from then until then.
    #[must_use]
    pub fn signs(mut self, from: SystemTime, until: SystemTime) -> Self {
        self.signs_from = from;
        self.signs_until = until;
        self
    }

    /// The same key, which verifies until then.
    #[must_use]
    pub fn forgotten_at(mut self, at: SystemTime) -> Self {
        self.forgotten_at = at;
        self
    }
}

impl fmt::Debug for SigningKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeyRecord")
            .field("issuer", &self.issuer)
            .field("serial", &self.serial)
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("signs_from", &self.signs_from)
            .field("signs_until", &self.signs_until)
            .field("forgotten_at", &self.forgotten_at)
            .finish_non_exhaustive()
    }
}
