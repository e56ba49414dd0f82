use super::{BasicCredential, Source};
/// A credential as it was presented: unverified.
#[derive(Debug)]
#[non_exhaustive]
pub enum Credential<'a> {
    /// What may be a JWT.
    Token(TokenCredential<'a>),
    /// What may be an API key.
    ApiKey(ApiKeyCredential<'a>),
    /// A name and a password.
    Basic(BasicCredential),
    /// The token68 of a scheme of the application's own.
    Other(OtherCredential<'a>),
}

/// What may be a JWT. As a Bearer it is a token68 (RFC 9110 §11.2), elsewhere it may have any
/// visible ASCII character.
#[derive(Clone, Copy)]
pub struct TokenCredential<'a> {
    pub(super) token: &'a [u8],
    pub(super) source: &'a Source,
    #[cfg_attr(
        not(feature = "jwt"),
        allow(dead_code, reason = "all are its own then")
    )]
    pub(super) is_own: bool,
}

/// What may be an API key, before a store was asked.
#[derive(Clone, Copy)]
pub struct ApiKeyCredential<'a> {
    pub(super) token: &'a [u8],
    pub(super) prefix: Option<&'static [u8]>,
}

/// What was presented under a scheme of the application's own.
#[derive(Clone, Copy)]
pub struct OtherCredential<'a> {
    pub(super) scheme: &'static str,
    pub(super) token: &'a [u8],
}

impl<'a> TokenCredential<'a> {
    /// The token.
    #[must_use]
    pub fn expose(&self) -> &'a str {
        text(self.token)
    }

    /// Where it stood.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.token
    }

    /// Whether it is for a scheme of the application's own alone.
    #[cfg(feature = "jwt")]
    pub(crate) fn is_own(&self) -> bool {
        self.is_own
    }
}

impl<'a> ApiKeyCredential<'a> {
    /// The whole key, its prefix included.
    #[must_use]
    pub fn expose(&self) -> &'a str {
        text(self.token)
    }

    /// The configured prefix that it begins with, the `_` or `-` at its end included.
    #[must_use]
    pub fn prefix(&self) -> Option<&'a str> {
        self.prefix.map(text)
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.token
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn has_prefix(&self, prefix: Option<&'static [u8]>) -> bool {
        // Prefixes are interned, so equal ones have one address.
        match (self.prefix, prefix) {
            (Some(own), Some(other)) => std::ptr::eq(own, other),
            (own, other) => own == other,
        }
    }
}

impl<'a> OtherCredential<'a> {
    /// The scheme's name, as [`Scheme::name`](crate::scheme::Scheme::name) gives it.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// What followed it.
    #[must_use]
    pub fn expose(&self) -> &'a str {
        text(self.token)
    }
}

/// A credential is ASCII. It is kept as bytes, because those who verify it need no text.
fn text(token: &[u8]) -> &str {
    std::str::from_utf8(token).unwrap_or_default()
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        /// Never shows what was presented.
        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(TokenCredential, ApiKeyCredential, OtherCredential);

#[cfg(test)]
mod tests {
    use super::super::{Accepted, AcceptedKeys, Reader};
    use super::*;
    use http::Request;

    #[test]
    fn no_credential_has_a_printable_form() {
        let everywhere = vec![
            Source::bearer(),
            Source::api_key(),
            Source::basic(),
            Source::header("x-key"),
            Source::query("key"),
        ];
        let keys = AcceptedKeys {
            prefix: Some("wonder_".into()),
            sources: everywhere.clone(),
        };
        let reader = Reader::new(Accepted {
            tokens: everywhere,
            api_keys: vec![keys],
            basic: true,
            others: vec!["Badge"],
            max_len: 100,
            ..Accepted::default()
        });
        // Of the two that are Basic the one is `anna:wonderland`, the other `wonder_land:`.
        // As long as a JWT.
        let token = "wonder".repeat(12);
        let in_query = format!("/?key={token}");
        for (uri, field, text) in [
            ("/", "authorization", &*format!("Bearer {token}")),
            ("/", "authorization", "Bearer wonder_land"),
            ("/", "authorization", "Api-Key wonder_land"),
            ("/", "authorization", "Badge wonderland"),
            ("/", "authorization", "Basic YW5uYTp3b25kZXJsYW5k"),
            ("/", "authorization", "Basic d29uZGVyX2xhbmQ6"),
            ("/", "x-key", "wonder_land"),
            (&in_query, "accept", "*/*"),
        ] {
            let request = Request::get(uri).header(field, text);
            let mut request = request.body(()).unwrap();
            let mut copied = None;
            let found = reader.read(&mut request, &mut copied).unwrap().unwrap();
            let shown = format!("{found:?} {found:#?} {:?}", found.credential);
            assert!(!shown.contains("wonder"), "{shown}");
            assert!(shown.contains("Credential"), "{shown}");
        }
    }
}
