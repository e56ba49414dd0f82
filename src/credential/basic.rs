use crate::reject::RejectionKind;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// The longest password that is looked at, in bytes: none is cut, a longer one is refused before it is hashed.
pub(crate) const LONGEST_PASSWORD: usize = 1024;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 512;

/// A name and a password (RFC 7617).
pub struct BasicCredential {
    name: String,
    password: Secret<String>,
    /// From where it came, as far as the server tells: for the count of attempts.
    peer: Option<IpAddr>,
}

impl BasicCredential {
    #[cfg(feature = "basic")]
    pub(crate) fn new(name: String, password: Secret<String>) -> Self {
        Self {
            name,
            password,
            peer: None,
        }
    }

    #[cfg(feature = "basic")]
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    pub(crate) fn sent_by(mut self, peer: Option<IpAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// `token68 = base64(user-id ":" password)`, both UTF-8 without control characters (RFC 7617 §2 and §2.1).
    pub(super) fn parse(token: &[u8]) -> Result<Self, RejectionKind> {
        let malformed = RejectionKind::MalformedCredential;
        if token.len() > (LONGEST_NAME + 1 + LONGEST_PASSWORD).div_ceil(3) * 4 {
            return Err(RejectionKind::OversizedCredential);
        }
        let decoded = Zeroizing::new(STANDARD.decode(token).map_err(|_| malformed)?);
        let text = std::str::from_utf8(&decoded).map_err(|_| malformed)?;
        let (name, password) = text.split_once(':').ok_or(malformed)?;
        if text.chars().any(char::is_control) {
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
            peer: None,
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

impl fmt::Debug for BasicCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredential").finish_non_exhaustive()
    }
}
