use crate::chain::write_chain;
use std::error::Error;
use std::fmt;

/// Why a store did not do what it was asked.
///
/// Its `Debug` is its text with all sources, because that is what a `main` that returns it prints:
///
/// ```text
/// Error: the store is unavailable: the schema is missing: call migrate()
/// ```
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of [`StoreError`] it is, and with that what an endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// An identifying field is taken; nothing was written.
    Exists,
    /// There is no such record; nothing was written.
    Missing,
    /// The store cannot keep such a text: it holds a NUL, or is too long to be found by; nothing
    /// was written.
    Invalid,
    /// The credential by which it was to be changed ([`Warrant`](super::Warrant)) is good no more;
    /// nothing was written.
    Revoked,
    /// The owner has as many records as there may be ([`Room`](super::Room)); nothing was written.
    Full,
    /// The store failed, or cannot be reached. Whether something was written is not known.
    Unavailable,
}

impl StoreError {
    /// An error of that kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// The store failed, because of `source`.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            source: Some(source.into()),
        }
    }

    /// An error of that kind, because of `source`.
    pub(super) fn because(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// What kind of error.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Exists => "a record with that id, digest or name exists already",
            StoreErrorKind::Missing => "there is no such record",
            StoreErrorKind::Invalid => "the store cannot keep such a text",
            StoreErrorKind::Revoked => "the credential is good no more",
            StoreErrorKind::Full => "the owner has as many records as there may be",
            StoreErrorKind::Unavailable => "the store is unavailable",
        })
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
