use super::accepted::Accepted;
use super::source::Source;
use super::{ApiKeyCredential, Credential, TokenCredential};
use crate::intern;
use crate::reject::RejectionKind;

/// What a signed JWT has at least: the header `{"alg":"HS256"}`, the payload `{}` and a signature
/// of 32 bytes, each in base64url, and two dots. Most of what is presented at random is shorter,
/// and is refused without a look at the clock.
const SHORTEST_JWT: usize = 20 + 1 + 3 + 1 + 43;

/// What is read at one place, and so what a text there is.
///
/// ```text
/// PREFIX…    an API key, wherever it stands; at a place where keys of that prefix are not read it is refused
/// A.B.C      a JWT, where those are read
/// …          a bare API key, or for the application's own scheme, or what cannot be a JWT
/// ```
#[derive(Debug)]
pub(super) struct Takes {
    source: Source,
    /// Those of all keys of the layer: a key is not mistaken for anything else where it is not
    /// read.
    prefixes: Vec<Prefix>,
    unprefixed: Unprefixed,
}

#[derive(Debug)]
struct Prefix {
    /// With the `_` or `-` at its end.
    text: &'static [u8],
    is_read: bool,
}

/// What a text without a prefix is.
#[derive(Clone, Copy, Debug)]
enum Unprefixed {
    Token,
    BareKey,
    /// For a scheme of the application's own.
    Own,
    /// A token where it has the form of one, else a key.
    TokenOrBareKey,
    /// A token where it has the form of one, else for a scheme of the application's own.
    TokenOrOwn,
    /// Nothing that is read here.
    Nothing(RejectionKind),
}

impl Takes {
    /// What those schemes read at that place; `None` where nobody reads it.
    pub(super) fn at(source: &Source, accepted: &Accepted) -> Option<Self> {
        if !accepted.reads(source) {
            return None;
        }
        let is_bearer = *source == Source::bearer();
        let tokens = accepted.tokens.contains(source);
        let own = accepted.own_bearer && is_bearer;
        let mut bare_keys = false;
        let mut prefixes = Vec::new();
        for keys in &accepted.api_keys {
            let is_read = keys.sources.contains(source);
            match &keys.prefix {
                Some(text) => prefixes.push(Prefix {
                    text: intern::bytes(text.as_bytes()),
                    is_read,
                }),
                None => bare_keys |= is_read,
            }
        }
        let unprefixed = match (tokens, bare_keys, own) {
            (true, true, _) => Unprefixed::TokenOrBareKey,
            (true, false, true) => Unprefixed::TokenOrOwn,
            (true, false, false) => Unprefixed::Token,
            (false, true, _) => Unprefixed::BareKey,
            (false, false, true) => Unprefixed::Own,
            (false, false, false) if is_bearer => Unprefixed::Nothing(RejectionKind::InvalidToken),
            (false, false, false) => Unprefixed::Nothing(RejectionKind::InvalidApiKey),
        };
        Some(Self {
            source: source.clone(),
            prefixes,
            unprefixed,
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Tells API keys from JWTs. The prefix decides alone.
    #[inline]
    pub(super) fn read<'a>(&'a self, token: &'a [u8]) -> Result<Credential<'a>, RejectionKind> {
        if let Some(prefix) = self.prefix_of(token) {
            if !prefix.is_read {
                // By its prefix it is a key, so no other scheme is asked about it, though keys are
                // not read here.
                return Err(RejectionKind::InvalidApiKey);
            }
            let prefix = Some(prefix.text);
            return Ok(Credential::ApiKey(ApiKeyCredential { token, prefix }));
        }
        let bare_key = ApiKeyCredential {
            token,
            prefix: None,
        };
        match self.unprefixed {
            Unprefixed::Token if token.len() < SHORTEST_JWT => Err(RejectionKind::InvalidToken),
            Unprefixed::Token => Ok(self.token(token, false)),
            Unprefixed::BareKey => Ok(Credential::ApiKey(bare_key)),
            Unprefixed::Own => Ok(self.token(token, true)),
            Unprefixed::TokenOrBareKey if is_compact_jws(token) => Ok(self.token(token, false)),
            Unprefixed::TokenOrBareKey => Ok(Credential::ApiKey(bare_key)),
            Unprefixed::TokenOrOwn => Ok(self.token(token, !is_compact_jws(token))),
            Unprefixed::Nothing(kind) => Err(kind),
        }
    }

    /// Whether it begins with the prefix of a key of the layer, read here or not.
    pub(super) fn has_prefix(&self, token: &[u8]) -> bool {
        self.prefix_of(token).is_some()
    }

    fn token<'a>(&'a self, token: &'a [u8], is_own: bool) -> Credential<'a> {
        Credential::Token(TokenCredential {
            token,
            source: &self.source,
            is_own,
        })
    }

    /// The longest one that the text begins with.
    fn prefix_of(&self, token: &[u8]) -> Option<&Prefix> {
        let mut longest: Option<&Prefix> = None;
        for prefix in &self.prefixes {
            let text = prefix.text;
            // Its last character is looked at first: the `_` alone tells nearly all JWTs.
            if token.get(text.len() - 1) != text.last() || !token.starts_with(text) {
                continue;
            }
            // One prefix may begin with another one. The longer one says more.
            if longest.is_none_or(|longest| longest.text.len() < text.len()) {
                longest = Some(prefix);
            }
        }
        longest
    }
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
    use super::super::accepted::AcceptedKeys;
    use super::*;

    fn at(source: &Source, tokens: &[Source], keys: &[(Option<&str>, &[Source])]) -> Takes {
        let api_keys = keys.iter().map(|(prefix, sources)| AcceptedKeys {
            prefix: prefix.map(Box::from),
            sources: sources.to_vec(),
        });
        let accepted = Accepted {
            tokens: tokens.to_vec(),
            api_keys: api_keys.collect(),
            ..Accepted::default()
        };
        Takes::at(source, &accepted).unwrap()
    }

    fn class(takes: &Takes, text: &str) -> String {
        match takes.read(text.as_bytes()) {
            Ok(Credential::Token(token)) if token.is_own => "own".into(),
            Ok(Credential::Token(_)) => "token".into(),
            Ok(Credential::ApiKey(key)) => key.prefix().unwrap_or("bare").into(),
            Ok(_) => "neither".into(),
            Err(kind) => kind.code().into(),
        }
    }

    #[test]
    fn a_configured_prefix_decides_alone() {
        let here = [Source::bearer()];
        for bare in [&here[..], &[]] {
            let keys = [
                (Some("egret_"), &here[..]),
                (Some("egret_live_"), &here),
                (Some("sk-live-"), &here),
                (None, bare),
            ];
            let takes = at(&here[0], &here, &keys);
            assert_eq!(class(&takes, "egret_"), "egret_");
            assert_eq!(class(&takes, "egret_a.b.c"), "egret_");
            assert_eq!(class(&takes, "egret_live_x"), "egret_live_");
            assert_eq!(class(&takes, "egret_lively"), "egret_");
            assert_eq!(class(&takes, "sk-live-x"), "sk-live-");
        }
    }

    #[test]
    fn a_key_where_its_prefix_is_not_read_is_nothing_else_either() {
        let (bearer, field) = (Source::bearer(), Source::header("X-Key"));
        let both = [bearer.clone(), field.clone()];
        let keys = [(Some("egret_"), &both[1..]), (None, &both[..])];
        let takes = at(&bearer, &both, &keys);
        assert_eq!(class(&takes, "egret_x"), "api_key_invalid");
        assert_eq!(class(&takes, "a.b.c"), "token");
        assert_eq!(class(&takes, "x"), "bare");
        assert_eq!(class(&at(&field, &[], &keys), "egret_x"), "egret_");
        let prefixed = at(
            &field,
            &[],
            &[(Some("egret_"), &both[1..]), (None, &both[..1])],
        );
        assert_eq!(class(&prefixed, "x"), "api_key_invalid");
    }

    #[test]
    fn without_a_prefix_three_segments_are_a_token_and_the_rest_is_a_bare_key_where_those_are_on() {
        let here = [Source::bearer()];
        let tokens = at(&here[0], &here, &[(Some("egret_"), &here)]);
        let both = at(&here[0], &here, &[(Some("egret_"), &here), (None, &here)]);
        let long = format!("eyJ.{}.x", "e-_9".repeat(20));
        assert_eq!(class(&tokens, &long), "token");
        for text in ["a.b.c", "eyJ.e-_9.x", &long] {
            assert_eq!(class(&both, text), "token");
        }
        for text in [
            "a", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d", "a.b.c=", "a.b+.c", "Egret_x", "egretx",
        ] {
            assert_eq!(class(&tokens, text), "token_invalid", "{text}");
            assert_eq!(class(&both, text), "bare", "{text}");
        }
    }

    #[test]
    fn a_scheme_of_ones_own_gets_the_bearer_tokens_that_nobody_else_claims() {
        let here = [Source::bearer()];
        let own = |tokens: &[Source]| {
            let keys = AcceptedKeys {
                prefix: Some("egret_".into()),
                sources: vec![Source::header("X-Key")],
            };
            let accepted = Accepted {
                tokens: tokens.to_vec(),
                api_keys: vec![keys],
                own_bearer: true,
                ..Accepted::default()
            };
            Takes::at(&here[0], &accepted).unwrap()
        };
        assert_eq!(class(&own(&[]), "a.b.c"), "own");
        assert_eq!(class(&own(&here), "a.b.c"), "token");
        for tokens in [&here[..], &[]] {
            assert_eq!(class(&own(tokens), "opaque"), "own");
            assert_eq!(class(&own(tokens), "egret_x"), "api_key_invalid");
        }
    }
}
