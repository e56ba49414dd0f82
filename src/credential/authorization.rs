//! `Authorization = auth-scheme 1*SP token68` (RFC 9110 §11.4 and §11.2). The form with parameters is not for any scheme here.

use crate::reject::RejectionKind;

/// Splits off the scheme, whatever it is.
pub(super) fn scheme(value: &[u8]) -> Result<(&[u8], &[u8]), RejectionKind> {
    let end = value.iter().position(|b| *b == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    match scheme {
        [] if rest.is_empty() => Err(RejectionKind::EmptyCredential),
        [] => Err(RejectionKind::MalformedCredential),
        _ if !scheme.is_ascii() => Err(RejectionKind::NonAsciiCredential),
        _ if scheme.iter().any(|b| !is_tchar(*b)) => Err(RejectionKind::MalformedCredential),
        _ => Ok((scheme, rest)),
    }
}

/// Reads what follows a scheme.
pub(super) fn token_after_scheme(rest: &[u8]) -> Result<&str, RejectionKind> {
    let start = rest.iter().position(|b| *b != b' ').unwrap_or(rest.len());
    token68(&rest[start..])
}

/// The one check of a credential's bytes; after it they are ASCII text.
pub(super) fn token68(bytes: &[u8]) -> Result<&str, RejectionKind> {
    if bytes.is_empty() {
        return Err(RejectionKind::EmptyCredential);
    }
    // One pass without a branch a byte, which the compiler turns into vector code.
    let bad = bytes.iter().fold(false, |bad, b| bad | !is_token68(*b));
    if bad {
        return Err(what_is_wrong(bytes));
    }
    std::str::from_utf8(bytes).map_err(|_| RejectionKind::NonAsciiCredential)
}

#[cold]
fn what_is_wrong(bytes: &[u8]) -> RejectionKind {
    if !bytes.is_ascii() {
        RejectionKind::NonAsciiCredential
    } else if bytes.contains(&b',') {
        // What a proxy makes of two lines (RFC 9110 §5.3).
        RejectionKind::JoinedCredentials
    } else {
        RejectionKind::MalformedCredential
    }
}

/// Where the `=` of a token68 stand is left to its reader: all of them check more than this grammar does.
fn is_token68(b: u8) -> bool {
    let letter = (b | 0x20).wrapping_sub(b'a') < 26;
    let dash_to_nine = b.wrapping_sub(b'-') < 13; // - . / 0-9
    letter | dash_to_nine | (b == b'_') | (b == b'~') | (b == b'+') | (b == b'=')
}

/// RFC 9110 §5.6.2.
fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token68_is_exactly_the_set_of_the_grammar() {
        let set = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
        for b in 0..=255_u8 {
            assert_eq!(is_token68(b), set.contains(&b), "{b:#x}");
        }
    }
}
