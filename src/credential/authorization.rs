//! `Authorization = auth-scheme 1*SP token68` (RFC 9110 §11.4 and §11.2). The form with parameters is not for any scheme here.

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
        // What a proxy makes of two lines (RFC 9110 §5.3), the first of them empty or a bare scheme.
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

/// The one check of a credential's bytes; after it they are ASCII text.
///
/// Where the `=` of a token68 stand is left to its reader: all of them check more than this grammar does.
pub(super) fn token68(bytes: &[u8]) -> Result<&[u8], RejectionKind> {
    if bytes.is_empty() {
        return Err(RejectionKind::EmptyCredential);
    }
    if is_common(bytes) || bytes.iter().copied().all(is_token68) {
        Ok(bytes)
    } else {
        Err(what_is_wrong(bytes))
    }
}

/// Whether they are those of a JWT or of an API key of ours, as they mostly are. Blocks without a branch: so the compiler
/// makes vector code of it, and a token has hundreds of bytes.
fn is_common(bytes: &[u8]) -> bool {
    const BLOCK: usize = 32;
    // The last block overlaps the one before it, which costs less than a remainder byte by byte.
    let Some(last) = bytes.last_chunk::<BLOCK>() else {
        return bytes.iter().copied().all(is_common_byte);
    };
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let mut uncommon = [0; BLOCK];
    for block in blocks {
        add_uncommon(&mut uncommon, *block);
    }
    add_uncommon(&mut uncommon, *last);
    let (words, _) = uncommon.as_chunks::<8>();
    words
        .iter()
        .fold(0, |any, word| any | u64::from_ne_bytes(*word))
        == 0
}

#[inline(always)]
fn add_uncommon<const N: usize>(uncommon: &mut [u8; N], block: [u8; N]) {
    for at in 0..N {
        uncommon[at] |= if is_common_byte(block[at]) {
            0
        } else {
            u8::MAX
        };
    }
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

fn is_token68(b: u8) -> bool {
    is_common_byte(b) || matches!(b, b'~' | b'+' | b'=')
}

#[inline]
fn is_common_byte(b: u8) -> bool {
    // Ranges from the least signed number on: SSE2 compares bytes as signed ones only.
    let from_least = |b: u8, first: u8| b.wrapping_sub(first).wrapping_add(0x80).cast_signed();
    let letter = from_least(b | 0x20, b'a') < i8::MIN + 26;
    let dash_to_nine = from_least(b, b'-') < i8::MIN + 13; // - . / 0-9
    letter | dash_to_nine | (b == b'_')
}

/// RFC 9110 §5.6.2.
fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token68_is_exactly_the_set_of_the_grammar_at_every_place() {
        let set = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
        for b in 0..=255_u8 {
            for (length, at) in [1, 31, 32, 33, 63, 64, 65, 100]
                .into_iter()
                .flat_map(|n| (0..n).map(move |at| (n, at)))
            {
                let mut text = vec![b'a'; length];
                text[at] = b;
                assert_eq!(
                    token68(&text).is_ok(),
                    set.contains(&b),
                    "{b:#x} at {at} of {length}"
                );
            }
        }
    }
}
