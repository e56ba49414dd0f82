#[cfg(any(feature = "jwt", feature = "api-key"))]
use crate::config::ConfigProblem;
#[cfg(any(feature = "jwt", feature = "api-key"))]
use http::HeaderName;
use std::fmt;

/// Where in a request a credential may stand: a header field, a cookie, a query parameter, a
/// WebSocket protocol.
///
/// Which of them a scheme reads is set per scheme: [`ApiKeys::sources`](crate::ApiKeys::sources),
/// [`Jwt::sources`](crate::Jwt::sources), [`Tokens::sources`](crate::Tokens::sources). API keys are
/// read in the three header forms by default, JWTs as Bearer. A credential anywhere else is refused
/// as an unknown one is, or not looked at.
///
/// | source | in a request | read by default |
/// |---|---|---|
/// | [`bearer`](Self::bearer) | `Authorization: Bearer CREDENTIAL` | keys, JWTs |
/// | [`api_key`](Self::api_key) | `Authorization: Api-Key CREDENTIAL` | keys |
/// | [`token`](Self::token) | `Authorization: Token CREDENTIAL` | |
/// | [`header`](Self::header) | `NAME: CREDENTIAL` | keys, as `X-API-Key` |
/// | [`basic`](Self::basic) | `Authorization: Basic base64(KEY:)` | |
/// | [`cookie`](Self::cookie) | `Cookie: NAME=CREDENTIAL` | |
/// | [`query`](Self::query) | `GET /path?NAME=CREDENTIAL` | |
/// | [`websocket`](Self::websocket) | `Sec-WebSocket-Protocol: chat, NAME.CREDENTIAL` | |
///
/// Tokens that are bound to a key of their sender's stand as `Authorization: DPoP CREDENTIAL`
/// besides, where a [`Jwt`](crate::Jwt) accepts them.
///
/// A request carries one credential: two of them, in whichever two places, are 400, and so is a
/// place that is filled twice.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::credential::Source;
/// use tower_auth::{ApiKeys, AuthLayer, Realm};
///
/// let realm = Realm::new(Memory::new());
/// let keys = ApiKeys::prefix("sk-live-")
///     .sources([Source::bearer(), Source::header("X-Acme-Key"), Source::query("api_key")]);
/// assert!(AuthLayer::builder().accept(&realm.api_keys(keys.clone())).build().is_ok());
///
/// // Another host could plant a cookie of this name.
/// let planted = keys.sources([Source::cookie("session")]);
/// assert!(AuthLayer::builder().accept(&realm.api_keys(planted)).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Source(pub(super) Place);

/// The kinds of places, each with its name.
#[derive(Clone)]
pub(crate) enum Place {
    Bearer,
    /// `Authorization: DPoP …`, where a proof comes with it.
    Dpop,
    ApiKey,
    Token,
    Basic,
    Header(Box<str>),
    Cookie(Box<str>),
    Query(Box<str>),
    WebSocket(Box<str>),
}

impl Source {
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    pub fn bearer() -> Self {
        Self(Place::Bearer)
    }

    /// `Authorization: DPoP …` (RFC 9449 §7.1): where a `Jwt` accepts tokens that are bound to a
    /// key.
    pub(crate) fn dpop() -> Self {
        Self(Place::Dpop)
    }

    /// `Authorization: Api-Key …`.
    pub fn api_key() -> Self {
        Self(Place::ApiKey)
    }

    /// `Authorization: Token …`, as clients of Django REST Framework's `TokenAuthentication` send
    /// it.
    pub fn token() -> Self {
        Self(Place::Token)
    }

    /// `Authorization: Basic …` (RFC 7617), the API key as the user's name and the password empty,
    /// for clients that know Basic alone:
    ///
    /// ```text
    /// curl -u KEY: https://api.example.com/          the colon ends the key: no password is asked for
    /// https://KEY:@api.example.com/                  in a configuration that takes nothing but a URL
    ///
    /// Authorization: Basic base64(KEY ":")           what is sent
    /// ```
    ///
    /// - Only API keys stand here, and only ones without a `:`, at which a user's name ends. A JWT
    ///   is longer than names are: `build()` refuses this source of [`Jwt`](crate::Jwt) and
    ///   [`Tokens`](crate::Tokens).
    /// - The empty password tells a key from a name. With any password it is refused like an
    ///   unknown key, or is a name and a password where [`Users::basic`](crate::Users::basic) is
    ///   accepted too. There only what begins with the prefix of a key is one, so `build()` refuses
    ///   keys [without a prefix](crate::ApiKeys::bare) beside it.
    /// - It counts as the same key elsewhere does: for attempts, limits and logs it is an API key.
    /// - A 401 has a Basic challenge, at which browsers ask for a name and a password. What is
    ///   typed there they send again with whatever request they make, whoever made them do so, as
    ///   they do with passwords.
    pub fn basic() -> Self {
        Self(Place::Basic)
    }

    /// A header field of its own, such as `X-API-Key`. Its whole value is the credential, which may
    /// have any visible ASCII character (`!` to `~`), so that keys of whatever origin fit.
    ///
    /// `Authorization`, `Cookie` and other fields with a meaning of their own are no such field.
    pub fn header(name: impl Into<String>) -> Self {
        Self(Place::Header(name.into().into_boxed_str()))
    }

    /// A cookie, whose name begins with `__Host-`: browsers take such a one from this host alone,
    /// over a secure connection (RFC 6265bis §4.1.3.2), so that no other host of the domain can
    /// plant one. Set it `Secure`, `HttpOnly`, `Path=/` and `SameSite=Strict` or `Lax`.
    ///
    /// Browsers send a cookie with whatever request they make, whoever made them do so (cross-site
    /// request forgery, CSRF). So one that comes with an unsafe method (RFC 9110 §9.2.1), or with
    /// the handshake of a WebSocket, is refused with 403 unless a page of the same origin sent it:
    /// `Sec-Fetch-Site` says so, or else `Origin`. The origin is compared with its scheme where
    /// [`public_url`](crate::layer::AuthLayerBuilder::public_url) is configured, else by host and
    /// port alone. `GET` and the other safe methods must change nothing.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into().into_boxed_str()))
    }

    /// A query parameter, for clients that can set no header field (`EventSource`). Read of `GET`
    /// and `HEAD` alone, once, percent-decoded.
    ///
    /// A URL is written down in logs, histories and `Referer` fields. Take it only for what is
    /// short-lived or read-only, and keep it out of the logs of servers and proxies before
    /// this layer. The layer itself writes it nowhere and takes the parameter out of the URI
    /// that inner services see (but axum's `OriginalUri`, where that was made outside of the layer,
    /// still has it). Answers to such a request say `Referrer-Policy: no-referrer` and
    /// `Cache-Control: no-store`.
    pub fn query(name: impl Into<String>) -> Self {
        Self(Place::Query(name.into().into_boxed_str()))
    }

    /// A protocol of a WebSocket, the one field that a script in a browser can set at its
    /// handshake:
    ///
    /// ```text
    /// new WebSocket(url, ["chat", "bearer." + token])    for Source::websocket("bearer")
    ///
    /// Sec-WebSocket-Protocol: chat, bearer.eyJhbGciOi…   what the browser sends
    /// Sec-WebSocket-Protocol: chat                       what the inner service gets, and
    ///                                                    what the browser is answered
    /// ```
    ///
    /// What follows `NAME.` is the credential as it is: JWTs and keys made here consist of
    /// characters that a protocol may have (RFC 6455 §4.1), keys of another origin may not. The
    /// item is taken out before inner services see the field, so none can choose it.
    ///
    /// A browser that offered protocols closes the connection unless one of them is chosen. So
    /// clients offer another one beside the credential, and if the inner service chooses none,
    /// an answer that opens the socket chooses the first of those.
    pub fn websocket(name: impl Into<String>) -> Self {
        Self(Place::WebSocket(name.into().into_boxed_str()))
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn place(&self) -> &Place {
        &self.0
    }

    /// The header forms in which API keys are read by default.
    #[cfg(feature = "api-key")]
    pub(crate) fn of_keys() -> Vec<Self> {
        vec![Self::bearer(), Self::api_key(), Self::header("X-API-Key")]
    }

    #[inline]
    #[cfg(feature = "jwt")]
    pub(crate) fn is_bearer(&self) -> bool {
        matches!(self.0, Place::Bearer)
    }

    #[inline]
    pub(crate) fn is_dpop(&self) -> bool {
        matches!(self.0, Place::Dpop)
    }

    /// What is wrong with it, if anything.
    #[cfg(any(feature = "jwt", feature = "api-key"))]
    pub(crate) fn problem(&self) -> Option<ConfigProblem> {
        let rule = match &self.0 {
            Place::Bearer | Place::Dpop | Place::ApiKey | Place::Token | Place::Basic => {
                return None;
            }
            Place::Header(name) if is_free_field(name) => return None,
            Place::Header(_) => {
                "the name is not that of a header field, or of one with a meaning of its own"
            }
            Place::Cookie(name) if name.strip_prefix("__Host-").is_some_and(is_name) => {
                return None;
            }
            Place::Cookie(_) => {
                "the name of a cookie is __Host- and 1 to 64 letters, digits, '-' and '_'"
            }
            Place::Query(name) | Place::WebSocket(name) if is_name(name) => return None,
            Place::Query(_) => "the name of a parameter is 1 to 64 letters, digits, '-' and '_'",
            Place::WebSocket(_) => "the name of a protocol is 1 to 64 letters, digits, '-' and '_'",
        };
        Some(ConfigProblem::Source {
            place: self.to_string(),
            rule,
        })
    }
}

#[cfg(any(feature = "jwt", feature = "api-key"))]
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Whether a field of that name can carry a credential and nothing else.
#[cfg(any(feature = "jwt", feature = "api-key"))]
fn is_free_field(name: &str) -> bool {
    const TAKEN: [&str; 18] = [
        "accept",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "forwarded",
        "host",
        "origin",
        "proxy-authorization",
        "referer",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
    ];
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return false;
    };
    // Fields that begin with `Sec-` are set by the browser alone and tell which page sent a
    // request, so none of them may hold a credential.
    !name.as_str().starts_with("sec-") && !TAKEN.contains(&name.as_str())
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Place::Bearer, Place::Bearer)
            | (Place::Dpop, Place::Dpop)
            | (Place::ApiKey, Place::ApiKey)
            | (Place::Token, Place::Token)
            | (Place::Basic, Place::Basic) => true,
            // RFC 9110 §5.1: names of fields are compared without regard to case.
            (Place::Header(one), Place::Header(other)) => one.eq_ignore_ascii_case(other),
            (Place::Cookie(one), Place::Cookie(other))
            | (Place::Query(one), Place::Query(other))
            | (Place::WebSocket(one), Place::WebSocket(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Source {}

/// As it is written in a request, without the credential.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Bearer => f.write_str("Authorization: Bearer"),
            Place::Dpop => f.write_str("Authorization: DPoP"),
            Place::ApiKey => f.write_str("Authorization: Api-Key"),
            Place::Token => f.write_str("Authorization: Token"),
            Place::Basic => f.write_str("Authorization: Basic"),
            Place::Header(name) => f.write_str(name),
            Place::Cookie(name) => write!(f, "cookie {name}"),
            Place::Query(name) => write!(f, "query parameter {name}"),
            Place::WebSocket(name) => write!(f, "Sec-WebSocket-Protocol: {name}.…"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_mistaken_for_something_else_is_no_source() {
        let good = [
            Source::bearer(),
            Source::api_key(),
            Source::token(),
            Source::basic(),
            Source::header("X-API-Key"),
            Source::header("x_acme.key"),
            Source::cookie("__Host-access"),
            Source::query("access_token"),
            Source::websocket("bearer"),
        ];
        for source in good {
            assert_eq!(source.problem(), None, "{source}");
        }
        let bad = [
            Source::header(""),
            Source::header("a b"),
            Source::header("AUTHORIZATION"),
            Source::header("Cookie"),
            Source::header("Sec-WebSocket-Protocol"),
            Source::header("X-Forwarded-For"),
            Source::cookie("session"),
            Source::cookie("__Secure-session"),
            Source::cookie("__host-session"),
            Source::cookie("__Host-"),
            Source::cookie("__Host-a;b"),
            Source::query(""),
            Source::query("a&b"),
            Source::query("a%20"),
            Source::websocket("a.b"),
            Source::websocket("a,b"),
        ];
        for source in bad {
            assert!(source.problem().is_some(), "{source}");
        }
    }

    #[test]
    fn names_of_fields_alone_are_compared_without_regard_to_case() {
        assert_eq!(Source::header("X-API-Key"), Source::header("x-api-key"));
        assert_ne!(Source::cookie("__Host-a"), Source::cookie("__Host-A"));
        assert_ne!(Source::query("a"), Source::query("A"));
        assert_ne!(Source::query("a"), Source::websocket("a"));
        assert_ne!(Source::bearer(), Source::api_key());
        assert_ne!(Source::basic(), Source::api_key());
    }
}
