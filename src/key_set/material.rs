use super::public_key::PublicKeyForm;
use crate::secret::Secret;

/// What a key to verify with is made of.
#[derive(Clone)]
pub(super) enum Material {
    Secret(Secret<Vec<u8>>),
    Public(PublicKeyForm),
    /// Nothing: it was no key, for this reason.
    Broken(&'static str),
}
