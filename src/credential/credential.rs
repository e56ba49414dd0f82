use super::BasicCredential;
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

/// What may be a JWT: a token68 (RFC 9110 §11.2).
#[derive(Clone, Copy)]
pub struct TokenCredential<'a>(pub(super) &'a [u8]);

/// What may be an API key.
#[derive(Clone, Copy)]
pub struct ApiKeyCredential<'a> {
    pub(super) token: &'a [u8],
    pub(super) prefix: Option<&'a [u8]>,
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
        text(self.0)
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> ApiKeyCredential<'a> {
    /// The whole key, its prefix included.
    #[must_use]
    pub fn expose(&self) -> &'a str {
        text(self.token)
    }

    /// The configured prefix that it begins with.
    #[must_use]
    pub fn prefix(&self) -> Option<&'a str> {
        self.prefix.map(text)
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.token
    }

    #[cfg(feature = "api-key")]
    pub(crate) fn has_prefix(&self, prefix: Option<&str>) -> bool {
        self.prefix == prefix.map(str::as_bytes)
    }
}

impl<'a> OtherCredential<'a> {
    /// The scheme's name, as [`Scheme::name`](crate::Scheme::name) gives it.
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

/// A token68 is ASCII. It is kept as bytes, because those who verify it need no text.
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
    use crate::credential::{Accepted, Source};
    use http::HeaderMap;

    #[test]
    fn no_credential_has_a_printable_form() {
        let accepted = Accepted {
            tokens: true,
            api_keys: true,
            prefixes: vec!["egret".into()],
            basic: true,
            others: vec!["Badge"],
            max_len: 100,
            ..Accepted::default()
        };
        let source = Source::new(accepted);
        // The last one is `anna:wonderland`.
        for text in [
            "Bearer wonderland",
            "Api-Key wonderland",
            "Badge wonderland",
            "Basic YW5uYTp3b25kZXJsYW5k",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("authorization", text.parse().unwrap());
            let found = source.read(&mut headers).unwrap().unwrap();
            let shown = format!("{found:?} {found:#?} {:?}", found.credential);
            assert!(!shown.contains("wonder"), "{shown}");
            assert!(shown.contains("Credential"), "{shown}");
        }
    }
}
