//! The compact form of what is signed (RFC 7515 §3.1).

use crate::reject::{Rejection, RejectionKind};
use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The longest `kid` that is looked up, in bytes.
pub(crate) const LONGEST_KID: usize = 256;

/// The three parts of a token, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// `header.payload`: what was signed.
    pub(crate) message: &'a [u8],
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn split(token: &'a [u8]) -> Result<Self, Rejection> {
        let last = memchr::memrchr(b'.', token).ok_or_else(|| refused("segments"))?;
        let (message, signature) = (&token[..last], &token[last + 1..]);
        // A fourth segment would leave a dot in the payload, which base64url does not know.
        let first = memchr::memchr(b'.', message).ok_or_else(|| refused("segments"))?;
        Ok(Self {
            message,
            header: &message[..first],
            payload: &message[first + 1..],
            signature,
        })
    }
}

/// base64url without padding and with canonical last bits (RFC 7515 §2), of UTF-8 text.
pub(crate) fn decoded(segment: &[u8]) -> Result<String, Rejection> {
    let bytes = URL_SAFE_NO_PAD
        .decode_to_vec(segment)
        .map_err(|_| refused("base64url"))?;
    String::from_utf8(bytes).map_err(|_| refused("utf-8"))
}

/// The same of bytes, into a buffer; `None` also where that is too small.
pub(crate) fn decoded_into<'b>(segment: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    // The decoder takes a buffer that is too small for a mistake of the program, and panics.
    let fits = segment.len().saturating_mul(3) / 4 <= buffer.len();
    let decoded = fits.then(|| URL_SAFE_NO_PAD.decode(segment, Out::from_slice(buffer)));
    decoded?.ok().map(|decoded| &*decoded)
}

/// The one answer to a token that is not accepted; the reason is for the log.
pub(crate) fn refused(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidToken, reason)
}
