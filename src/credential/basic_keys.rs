use super::takes::Takes;
use super::text::visible;
use super::{Accepted, BasicCredential, Source};
use crate::reject::RejectionKind;
use zeroize::Zeroizing;

/// API keys as the user's name of Basic, with an empty password: `curl -u KEY:`.
///
/// Nobody's password is empty, so an empty one alone tells a key from a name. Where names and
/// passwords are read too, only what begins with the prefix of a key is one: whoever forgot to type
/// the password is told so, and no store is asked for a name as if it were a key.
#[derive(Debug)]
pub(super) struct BasicKeys {
    takes: Takes,
    /// Basic may also be a name and a password.
    beside_passwords: bool,
}

impl BasicKeys {
    /// `None` where no keys are read there.
    pub(super) fn of(accepted: &Accepted) -> Option<Self> {
        Some(Self {
            takes: Takes::at(&Source::basic(), accepted)?,
            beside_passwords: accepted.basic,
        })
    }

    pub(super) fn takes(&self) -> &Takes {
        &self.takes
    }

    /// The key; `None` where it is a name and a password.
    pub(super) fn key_in(
        &self,
        basic: &BasicCredential,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, RejectionKind> {
        let name = basic.name().as_bytes();
        if !basic.expose_password().is_empty() {
            return match self.beside_passwords {
                true => Ok(None),
                // Of whatever form the name is: a password is no part of any key.
                false => Err(RejectionKind::InvalidApiKey),
            };
        }
        if self.beside_passwords && !self.takes.has_prefix(name) {
            return Err(RejectionKind::EmptyCredential);
        }
        visible(name)?;
        Ok(Some(Zeroizing::new(name.to_vec())))
    }
}
