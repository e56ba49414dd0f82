use super::{ApiKeyCredential, Credential, TokenCredential};

/// Tells API keys from JWTs. The prefix decides alone; without one, only three base64url segments are a JWT
/// where bare keys are on.
pub(super) fn classify<'a>(
    token: &'a [u8],
    prefixes: &[Box<str>],
    bare_keys: bool,
) -> Credential<'a> {
    if let Some(prefix) = configured_prefix(token, prefixes) {
        return Credential::ApiKey(ApiKeyCredential {
            token,
            prefix: Some(prefix),
        });
    }
    if bare_keys && !is_compact_jws(token) {
        return Credential::ApiKey(ApiKeyCredential {
            token,
            prefix: None,
        });
    }
    Credential::Token(TokenCredential(token))
}

/// The longest configured prefix that is followed by a `_`.
pub(super) fn configured_prefix<'a>(token: &'a [u8], prefixes: &[Box<str>]) -> Option<&'a [u8]> {
    let mut longest: &[u8] = &[];
    for prefix in prefixes {
        let Some((start, [b'_', ..])) = token.split_at_checked(prefix.len()) else {
            continue;
        };
        // Looked at last: the `_` alone tells nearly all JWTs.
        if start.len() > longest.len() && *start == *prefix.as_bytes() {
            longest = start;
        }
    }
    (!longest.is_empty()).then_some(longest)
}

/// RFC 7515 §3.1, as far as bytes show: three segments of base64url, none of them empty.
fn is_compact_jws(token: &[u8]) -> bool {
    let mut segments = token.splitn(4, |b| *b == b'.');
    let mut next = || segments.next().is_some_and(is_base64url);
    next() && next() && next() && segments.next().is_none()
}

fn is_base64url(segment: &[u8]) -> bool {
    !segment.is_empty()
        && segment
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-' || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str, bare: bool) -> &'static str {
        let prefixes = ["egret".into(), "egret_live".into()];
        match classify(text.as_bytes(), &prefixes, bare) {
            Credential::Token(_) => "token",
            Credential::ApiKey(key) => match key.prefix() {
                None => "bare key",
                Some("egret") => "egret key",
                Some("egret_live") => "live key",
                Some(_) => "another",
            },
            _ => "neither",
        }
    }

    #[test]
    fn a_configured_prefix_decides_alone() {
        for bare in [false, true] {
            assert_eq!(class("egret_", bare), "egret key");
            assert_eq!(class("egret_a.b.c", bare), "egret key");
            assert_eq!(class("egret_live_x", bare), "live key");
            assert_eq!(class("egret_lively", bare), "egret key");
        }
    }

    #[test]
    fn without_a_prefix_three_segments_are_a_token_and_the_rest_is_a_bare_key_where_those_are_on() {
        for text in ["a.b.c", "eyJ.e-_9.x"] {
            assert_eq!(class(text, false), "token");
            assert_eq!(class(text, true), "token");
        }
        for text in [
            "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c=", "a.b+.c", "Egret_x", "egretx",
        ] {
            assert_eq!(class(text, false), "token", "{text}");
            assert_eq!(class(text, true), "bare key", "{text}");
        }
    }
}
