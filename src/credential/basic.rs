use crate::login::LONGEST_TYPED_PASSWORD;
use crate::reject::RejectionKind;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 512;

/// A name and a password (RFC 7617).
#[derive(Clone)]
pub struct BasicCredential {
    /// `name:password` as it was presented, in one place: that is all there is to overwrite.
    text: Secret<String>,
    colon: usize,
}

impl BasicCredential {
    /// A name and a password, neither of them empty.
    pub(super) fn parse(token: &[u8]) -> Result<Self, RejectionKind> {
        let basic = Self::parse_any(token)?;
        if basic.expose_password().is_empty() {
            return Err(RejectionKind::EmptyCredential);
        }
        Ok(basic)
    }

    /// `token68 = base64(user-id ":" password)`, both UTF-8 without control characters (RFC 7617 §2
    /// and §2.1); the password may be empty.
    pub(super) fn parse_any(token: &[u8]) -> Result<Self, RejectionKind> {
        let malformed = RejectionKind::MalformedCredential;
        // Before it is decoded, which takes memory in proportion.
        if token.len() > (LONGEST_NAME + 1 + LONGEST_TYPED_PASSWORD).div_ceil(3) * 4 {
            return Err(RejectionKind::OversizedCredential);
        }
        let text = Secret::new(decoded(token).ok_or(malformed)?);
        // The first colon ends the name: a password may have more of them (RFC 7617 §2).
        let colon = text.expose().bytes().position(|b| b == b':');
        let colon = colon.ok_or(malformed)?;
        if has_control(text.expose()) {
            return Err(malformed);
        }
        let password = text.expose().len() - colon - 1;
        if colon > LONGEST_NAME || password > LONGEST_TYPED_PASSWORD {
            return Err(RejectionKind::OversizedCredential);
        }
        if colon == 0 {
            return Err(RejectionKind::EmptyCredential);
        }
        Ok(Self { text, colon })
    }

    /// The user's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text.expose()[..self.colon]
    }

    /// The password. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose_password(&self) -> &str {
        &self.text.expose()[self.colon + 1..]
    }
}

/// What is left where it is no text is overwritten.
fn decoded(token: &[u8]) -> Option<String> {
    let mut decoded = Zeroizing::new(vec![0; base64::decoded_len_estimate(token.len())]);
    let length = STANDARD.decode_slice(token, &mut decoded).ok()?;
    decoded.truncate(length);
    match String::from_utf8(std::mem::take(&mut *decoded)) {
        Ok(text) => Some(text),
        Err(error) => {
            // It may be a password all the same, so its memory is overwritten.
            drop(Zeroizing::new(error.into_bytes()));
            None
        }
    }
}

/// Most of what is typed is ASCII, of which a byte tells. All are looked at, without a branch, so
/// that the compiler makes vector code of it.
fn has_control(text: &str) -> bool {
    let mut has_control = false;
    let mut all = 0;
    for b in text.bytes() {
        has_control |= b.is_ascii_control();
        all |= b;
    }
    has_control || (!all.is_ascii() && text.chars().any(char::is_control))
}

impl fmt::Debug for BasicCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicCredential").finish_non_exhaustive()
    }
}
