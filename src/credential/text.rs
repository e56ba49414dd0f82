//! The bytes of a credential.

use crate::reject::RejectionKind;

/// The one check of a credential's bytes; after it they are ASCII text.
///
/// Where the `=` of a token68 stand is left to its reader: all of them check more than this grammar
/// does.
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

/// The check of a place that is a credential as a whole: any visible ASCII, `!` to `~`, for keys of
/// whatever origin.
pub(super) fn visible(bytes: &[u8]) -> Result<&[u8], RejectionKind> {
    if bytes.is_empty() {
        return Err(RejectionKind::EmptyCredential);
    }
    if is_common(bytes) || bytes.iter().all(u8::is_ascii_graphic) {
        Ok(bytes)
    } else {
        Err(what_is_wrong(bytes))
    }
}

/// Whether they are those of a JWT or of an API key of ours, as they mostly are.
fn is_common(bytes: &[u8]) -> bool {
    match bytes.len() {
        32.. => are_common_blocks::<32>(bytes),
        16.. => are_common_blocks::<16>(bytes),
        8.. => are_common_blocks::<8>(bytes),
        _ => bytes.iter().copied().all(is_common_byte),
    }
}

/// Blocks without a branch: so the compiler makes vector code of it, and a token has hundreds of
/// bytes.
fn are_common_blocks<const BLOCK: usize>(bytes: &[u8]) -> bool {
    // The last block overlaps the one before it, which costs less than a remainder byte by byte.
    let Some(last) = bytes.last_chunk::<BLOCK>() else {
        return false;
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
        uncommon[at] |= excess(block[at]);
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
    excess(b) == 0
}

/// 0 for a byte that is common. Saturating differences, of which SSE2 takes the least, are fewer
/// steps than comparisons, which it has of signed bytes alone.
#[inline]
fn excess(b: u8) -> u8 {
    let letter = (b | 0x20).wrapping_sub(b'a').saturating_sub(25);
    let dash_to_nine = b.wrapping_sub(b'-').saturating_sub(12); // - . / 0-9
    let underscore = b ^ b'_';
    letter.min(dash_to_nine).min(underscore)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_character_stands_where_a_place_is_a_credential_as_a_whole() {
        for b in 0..=255_u8 {
            for length in [1, 8, 9, 16, 17, 32, 33, 100] {
                let mut text = vec![b'a'; length];
                text[length - 1] = b;
                assert_eq!(visible(&text).is_ok(), (0x21..=0x7e).contains(&b), "{b:#x}");
            }
        }
        assert_eq!(visible(b""), Err(RejectionKind::EmptyCredential));
        assert_eq!(visible(b"a, b"), Err(RejectionKind::JoinedCredentials));
    }

    #[test]
    fn token68_is_exactly_the_set_of_the_grammar_at_every_place() {
        let set = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
        for b in 0..=255_u8 {
            for (length, at) in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100]
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
