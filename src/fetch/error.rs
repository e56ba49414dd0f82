use crate::chain::write_chain;
use std::error::Error;
use std::fmt;

/// Why a request had no response that can be used.
///
/// Its texts are for logs: they hold no secret, and nothing that a server sent.
pub struct FetchError {
    reason: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl FetchError {
    /// The request failed, because of `source`.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            reason: "the request failed",
            source: Some(source.into()),
        }
    }

    /// The body is longer than is read.
    #[must_use]
    pub fn too_long() -> Self {
        Self {
            reason: "the body is too long",
            source: None,
        }
    }

    /// It was not made, or its response is not taken, for this reason.
    #[cfg(feature = "jwks")]
    pub(super) fn refused(reason: &'static str) -> Self {
        Self {
            reason,
            source: None,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for FetchError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
