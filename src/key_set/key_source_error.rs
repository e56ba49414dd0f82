use std::error::Error;
use std::fmt;

/// Why the keys of an issuer could not be loaded, in fixed words, and what failed. It has no secret
/// and no text that a server sent.
#[derive(Debug)]
pub(crate) struct KeySourceError {
    reason: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl KeySourceError {
    pub(crate) fn new(reason: &'static str) -> Self {
        Self {
            reason,
            source: None,
        }
    }

    pub(crate) fn because(
        reason: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            reason,
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl Error for KeySourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
