use crate::key_set::KeySourceError;
use http::StatusCode;

/// Why a document was not read.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was answered with another status than 200.
    Status(StatusCode),
    Other(KeySourceError),
}

impl Failure {
    /// Whether the server says that the mistake is ours: there is nothing there, most likely.
    pub(super) fn is_of_client(&self) -> bool {
        matches!(self, Self::Status(status) if status.is_client_error())
    }
}

/// The status, without the reason that the server gives.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.as_u16())]
struct Answered(StatusCode);

impl From<KeySourceError> for Failure {
    fn from(error: KeySourceError) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for KeySourceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Status(status) => Self::because("its status is not 200", Answered(status)),
            Failure::Other(error) => error,
        }
    }
}
