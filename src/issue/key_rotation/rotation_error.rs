use crate::config::ConfigProblem;
use crate::key_set::{NewPairError, SealError};
use crate::reject::Rejection;

/// Why the keys of an issuer could not be read, or the next one not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum RotationError {
    #[error("the store of signing keys failed")]
    Store(#[source] Rejection),
    #[error(
        "the signing key {id:?} of {issuer:?} does not open: it was sealed with a secret that is not \
         known here, or was changed by hand"
    )]
    Sealed { issuer: String, id: String },
    #[error("the signing key {id:?} of {issuer:?} opens, and is none")]
    NoKey { issuer: String, id: String },
    #[error("no key pair was made")]
    NewPair(#[source] NewPairError),
    #[error("the new key pair is unsound")]
    Unsound(#[source] ConfigProblem),
    #[error("the task that makes a key pair ended")]
    Ended(#[source] tokio::task::JoinError),
    #[error("the new key pair was not sealed")]
    Seal(#[source] SealError),
    #[error("the keys were others each time that they were read")]
    Contended,
}
