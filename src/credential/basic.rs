use crate::login::LONGEST_PASSWORD;
use crate::reject::RejectionKind;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 512;

/// A name and a password (RFC 7617).
pub struct BasicCredential {
    name: String,
    password: Secret<String>,
}

impl BasicCredential {
    #[cfg(feature = "basic")]
    pub(crate) fn new(name: String, password: Secret<String>) -> Self {
        Self { name, password }
    }

    /// `token68 = base64(user-id ":" password)`, both UTF-8 without control characters (RFC 7617 §2
    /// and §2.1).
    pub(super) fn parse(token: &[u8]) -> Result<Self, RejectionKind> {
        let malformed = RejectionKind::MalformedCredential;
        if token.len() > (LONGEST_NAME + 1 + LONGEST_PASSWORD).div_ceil(3) * 4 {
            return Err(RejectionKind::OversizedCredential);
        }
        let decoded = Zeroizing::new(STANDARD.decode(token).map_err(|_| malformed)?);
        let text = std::str::from_utf8(&decoded).map_err(|_| malformed)?;
        let (name, password) = text.split_once(':').ok_or(malformed)?;
        if has_control(text) {
            return Err(malformed);
        }
        if name.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
            return Err(RejectionKind::OversizedCredential);
        }
        if name.is_empty() || password.is_empty() {
            return Err(RejectionKind::EmptyCredential);
        }
        Ok(Self {
            name: name.to_owned(),
            password: Secret::new(password.to_owned()),
        })
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The password.
    #[must_use]
    pub fn password(&self) -> &Secret<String> {
        &self.password
    }
}

/// Most of what is typed is ASCII, of which a byte tells.
fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|b| b.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

impl fmt::Debug for BasicCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredential").finish_non_exhaustive()
    }
}
