use std::fmt;

/// A key of a [JWK set](crate::jwt::JwtKeys) that is not used, and which rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    pub(super) position: usize,
    pub(super) id: Option<Box<str>>,
    pub(super) reason: &'static str,
}

impl SkippedKey {
    /// Where it stands in `keys`, from 0 on.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Its `kid`, where that is a string of at most 256 bytes.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Which rule it breaks, in fixed words.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "key {id:?}: {}", self.reason),
            None => write!(f, "key at position {}: {}", self.position, self.reason),
        }
    }
}
