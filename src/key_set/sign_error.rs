/// The back end did not sign. It does not say why.
#[derive(Debug, thiserror::Error)]
#[error("the cryptographic back end did not sign")]
pub(crate) struct SignError;
