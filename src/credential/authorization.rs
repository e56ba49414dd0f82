//! `Authorization = auth-scheme 1*SP token68` (RFC 9110 §11.4 and §11.2). The form with parameters
//! is not for any scheme here.

use super::text::token68;
use crate::reject::RejectionKind;

/// The bytes before the first space, and the rest.
pub(super) fn split_scheme(value: &[u8]) -> (&[u8], &[u8]) {
    let end = value.iter().position(|b| *b == b' ').unwrap_or(value.len());
    value.split_at(end)
}

/// What is wrong with a scheme that nobody accepts.
#[cold]
pub(super) fn not_accepted(scheme: &[u8], rest: &[u8]) -> RejectionKind {
    match scheme {
        [] if rest.is_empty() => RejectionKind::EmptyCredential,
        [] => RejectionKind::MalformedCredential,
        _ if !scheme.is_ascii() => RejectionKind::NonAsciiCredential,
        // What a proxy makes of two lines (RFC 9110 §5.3), the first of them empty or a bare
        // scheme.
        _ if scheme.contains(&b',') => RejectionKind::JoinedCredentials,
        _ if !scheme.iter().copied().all(is_tchar) => RejectionKind::MalformedCredential,
        _ => RejectionKind::UnknownScheme,
    }
}

/// Reads what follows a scheme.
pub(super) fn token_after_scheme(rest: &[u8]) -> Result<&[u8], RejectionKind> {
    let start = rest.iter().position(|b| *b != b' ').unwrap_or(rest.len());
    token68(&rest[start..])
}

/// RFC 9110 §5.6.2.
fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
