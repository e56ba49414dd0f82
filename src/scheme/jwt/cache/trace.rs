use super::sought::{SignatureDigest, Sought};

/// By what a token that was verified is found, without the token.
#[derive(Clone, Copy)]
pub(in crate::scheme::jwt) struct Trace {
    pub(super) start: u128,
    pub(super) digest: SignatureDigest,
}

impl Trace {
    pub(in crate::scheme::jwt) fn of(sought: &Sought<'_>) -> Self {
        Self {
            start: sought.start(),
            digest: *sought.digest(),
        }
    }
}
