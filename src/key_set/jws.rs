//! The compact form of what is signed (RFC 7515 §3.1).

use crate::reject::{Rejection, RejectionKind};
use base64_simd::{Out, URL_SAFE_NO_PAD};

/// The longest `kid` that is looked up, in bytes.
pub(crate) const LONGEST_KID: usize = 256;

/// What was signed and by what, still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// `header.payload`. Where one ends is looked for by whoever reads them: a token that was seen
    /// before is known by the whole.
    pub(crate) message: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(crate) fn split(token: &'a [u8]) -> Result<Self, Rejection> {
        let last = memchr::memrchr(b'.', token).ok_or_else(|| refused("segments"))?;
        Ok(Self {
            message: &token[..last],
            signature: &token[last + 1..],
        })
    }

    pub(crate) fn header(self) -> Result<&'a [u8], Rejection> {
        self.end_of_header().map(|end| &self.message[..end])
    }

    /// A fourth segment would leave a dot in it, which base64url does not know.
    pub(crate) fn payload(self) -> Result<&'a [u8], Rejection> {
        self.end_of_header().map(|end| &self.message[end + 1..])
    }

    fn end_of_header(self) -> Result<usize, Rejection> {
        memchr::memchr(b'.', self.message).ok_or_else(|| refused("segments"))
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
    // The decoder panics where the buffer is too small, and the length is the client's choice.
    let fits = segment.len().saturating_mul(3) / 4 <= buffer.len();
    let decoded = fits.then(|| URL_SAFE_NO_PAD.decode(segment, Out::from_slice(buffer)));
    decoded?.ok().map(|decoded| &*decoded)
}

/// The one answer to a token that is not accepted; the reason is for the log.
pub(crate) fn refused(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidToken, reason)
}
