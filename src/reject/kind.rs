use http::StatusCode;

/// What kind of refusal: the one table of what each means on the wire.
///
/// | kind | HTTP | gRPC | code |
/// |---|---|---|---|
/// | `MissingCredential` | 401 | 16 | `not_authenticated` |
/// | `MalformedCredential` | 401 | 16 | `credential_malformed` |
/// | `NonAsciiCredential` | 401 | 16 | `credential_non_ascii` |
/// | `EmptyCredential` | 401 | 16 | `credential_empty` |
/// | `OversizedCredential` | 401 | 16 | `credential_oversized` |
/// | `UnknownScheme` | 401 | 16 | `scheme_unknown` |
/// | `RepeatedField`, `JoinedCredentials`, `MultipleCredentials` | 400 | 16 | `invalid_request` |
/// | `InvalidToken` | 401 | 16 | `token_invalid` |
/// | `ExpiredToken` (format `Coded`; else as `InvalidToken`) | 401 | 16 | `token_expired` |
/// | `RevokedToken` (format `Coded`; else as `InvalidToken`) | 401 | 16 | `token_revoked` |
/// | `InvalidProof` | 401 | 16 | `dpop_proof_invalid` |
/// | `NonceRequired` | 401 | 16 | `dpop_nonce_required` |
/// | `InvalidApiKey` | 401 | 16 | `api_key_invalid` |
/// | `InvalidPassword` | 401 | 16 | `invalid_credentials` |
/// | `InsufficientScope` | 403 | 7 | `insufficient_scope` |
/// | `PermissionDenied` | 403 | 7 | `permission_denied` |
/// | `Throttled` | 429 | 8 | `throttled` |
/// | `Unavailable` | 503 | 14 | `unavailable` |
/// | `MissingLayer` | 500 | 13 | `misconfigured` |
/// | `Failed` | 500 | 13 | `internal_error` |
/// | `InvalidInput` | 400 | 3 | `validation_error` |
/// | `NotFound` | 404 | 5 | `not_found` |
/// | `MethodNotAllowed` | 405 | 12 | `method_not_allowed` |
/// | `OversizedBody` | 413 | 8 | `body_too_large` |
/// | `UnsupportedMediaType` | 415 | 3 | `unsupported_media_type` |
/// | `SlowBody` | 408 | 4 | `body_too_slow` |
///
/// ```
/// use tower_auth::{Rejection, RejectionKind};
///
/// let kind = Rejection::new(RejectionKind::InvalidApiKey, "unknown").kind();
/// assert_eq!((kind.status().as_u16(), kind.grpc_code(), kind.code()), (401, 16, "api_key_invalid"));
///
/// // Kinds may be added, so a `match` has an arm for the rest.
/// let is_worth_a_retry = |kind| match kind {
///     RejectionKind::Throttled | RejectionKind::Unavailable => true,
///     _ => false,
/// };
/// assert!(is_worth_a_retry(RejectionKind::Unavailable));
/// assert!(!is_worth_a_retry(kind));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectionKind {
    /// No credential was presented.
    MissingCredential,
    /// The field is not `scheme 1*SP token68` (RFC 9110 §11.4), or what it carries has no valid
    /// form.
    MalformedCredential,
    /// The field carries bytes outside of ASCII.
    NonAsciiCredential,
    /// The field, or the credential in it, is empty.
    EmptyCredential,
    /// The field, or a part of the credential, is longer than allowed.
    OversizedCredential,
    /// No scheme of that name is accepted here.
    UnknownScheme,
    /// A credential field came more than once.
    RepeatedField,
    /// One field line carries several credentials, joined by a comma.
    JoinedCredentials,
    /// Two credentials came in different fields.
    MultipleCredentials,
    /// The token is not valid here, for whatever reason.
    InvalidToken,
    /// The token is genuine but expired.
    ExpiredToken,
    /// The token is genuine but revoked.
    RevokedToken,
    /// The proof that came with a DPoP token is missing, wrong, or came before (RFC 9449 §4.3).
    InvalidProof,
    /// The proof has no nonce of the server's that is good now (RFC 9449 §9): the answer has one, in
    /// `DPoP-Nonce`.
    NonceRequired,
    /// The API key is malformed, unknown, revoked or expired.
    InvalidApiKey,
    /// No such user, a wrong password, or a disabled account.
    InvalidPassword,
    /// The caller lacks a scope.
    InsufficientScope,
    /// The caller may not do this.
    PermissionDenied,
    /// Too many requests.
    Throttled,
    /// A store or another service that the answer depends on failed, was too slow or panicked.
    Unavailable,
    /// No layer saw the request: a mistake of the program.
    MissingLayer,
    /// A hook of the application panicked.
    Failed,
    /// A body that an endpoint cannot accept: no JSON, or fields that are missing or wrong.
    InvalidInput,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// An endpoint does not know this method.
    MethodNotAllowed,
    /// A body longer than an endpoint reads.
    OversizedBody,
    /// A body that does not call itself JSON.
    UnsupportedMediaType,
    /// A body that has not come in time.
    SlowBody,
}

struct Row {
    status: StatusCode,
    grpc: u8,
    code: &'static str,
    detail: &'static str,
}

const fn row(status: StatusCode, grpc: u8, code: &'static str, detail: &'static str) -> Row {
    Row {
        status,
        grpc,
        code,
        detail,
    }
}

impl RejectionKind {
    /// All kinds, in the order of the table: the index of a kind is its discriminant.
    pub(crate) const ALL: [Self; 28] = {
        use RejectionKind as K;
        [
            K::MissingCredential,
            K::MalformedCredential,
            K::NonAsciiCredential,
            K::EmptyCredential,
            K::OversizedCredential,
            K::UnknownScheme,
            K::RepeatedField,
            K::JoinedCredentials,
            K::MultipleCredentials,
            K::InvalidToken,
            K::ExpiredToken,
            K::RevokedToken,
            K::InvalidProof,
            K::NonceRequired,
            K::InvalidApiKey,
            K::InvalidPassword,
            K::InsufficientScope,
            K::PermissionDenied,
            K::Throttled,
            K::Unavailable,
            K::MissingLayer,
            K::Failed,
            K::InvalidInput,
            K::NotFound,
            K::MethodNotAllowed,
            K::OversizedBody,
            K::UnsupportedMediaType,
            K::SlowBody,
        ]
    };

    fn row(self) -> &'static Row {
        use RejectionKind as K;
        const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;
        const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
        const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
        const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;
        const INTERNAL: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;
        macro_rules! rows {
            ($($kind:ident: $status:ident, $grpc:literal, $code:literal, $detail:literal;)*) => {
                match self { $(K::$kind => { const ROW: Row = row($status, $grpc, $code, $detail); &ROW })* }
            };
        }
        const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
        const NO_METHOD: StatusCode = StatusCode::METHOD_NOT_ALLOWED;
        const TOO_LARGE: StatusCode = StatusCode::PAYLOAD_TOO_LARGE;
        const NO_JSON: StatusCode = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        const TIMEOUT: StatusCode = StatusCode::REQUEST_TIMEOUT;
        const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;
        rows! {
            MissingCredential: UNAUTHORIZED, 16, "not_authenticated", "Authentication credentials were not provided.";
            MalformedCredential: UNAUTHORIZED, 16, "credential_malformed", "The credential is malformed.";
            NonAsciiCredential: UNAUTHORIZED, 16, "credential_non_ascii", "The credential has bytes outside of ASCII.";
            EmptyCredential: UNAUTHORIZED, 16, "credential_empty", "The credential is empty.";
            OversizedCredential: UNAUTHORIZED, 16, "credential_oversized", "The credential is too long.";
            UnknownScheme: UNAUTHORIZED, 16, "scheme_unknown", "The authentication scheme is not accepted here.";
            RepeatedField: BAD_REQUEST, 16, "invalid_request", "A credential field was sent more than once.";
            JoinedCredentials: BAD_REQUEST, 16, "invalid_request", "A field carries more than one credential.";
            MultipleCredentials: BAD_REQUEST, 16, "invalid_request", "More than one credential was sent.";
            InvalidToken: UNAUTHORIZED, 16, "token_invalid", "The token is not valid.";
            ExpiredToken: UNAUTHORIZED, 16, "token_expired", "The token is expired.";
            RevokedToken: UNAUTHORIZED, 16, "token_revoked", "The token is revoked.";
            InvalidProof: UNAUTHORIZED, 16, "dpop_proof_invalid", "The DPoP proof is not valid.";
            NonceRequired: UNAUTHORIZED, 16, "dpop_nonce_required", "The DPoP proof needs a nonce from the server.";
            InvalidApiKey: UNAUTHORIZED, 16, "api_key_invalid", "The API key is not valid.";
            InvalidPassword: UNAUTHORIZED, 16, "invalid_credentials", "The user name or the password is wrong.";
            InsufficientScope: FORBIDDEN, 7, "insufficient_scope", "The credential lacks a required scope.";
            PermissionDenied: FORBIDDEN, 7, "permission_denied", "You do not have permission to do this.";
            Throttled: TOO_MANY, 8, "throttled", "Too many requests.";
            Unavailable: UNAVAILABLE, 14, "unavailable", "Authentication is not available at the moment.";
            MissingLayer: INTERNAL, 13, "misconfigured", "No AuthLayer covers this route.";
            Failed: INTERNAL, 13, "internal_error", "An internal error occurred.";
            InvalidInput: BAD_REQUEST, 3, "validation_error", "The input is not valid.";
            NotFound: NOT_FOUND, 5, "not_found", "Not found.";
            MethodNotAllowed: NO_METHOD, 12, "method_not_allowed", "The method is not allowed here.";
            OversizedBody: TOO_LARGE, 8, "body_too_large", "The body is too large.";
            UnsupportedMediaType: NO_JSON, 3, "unsupported_media_type", "The body must be application/json.";
            SlowBody: TIMEOUT, 4, "body_too_slow", "The body did not come in time.";
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().status
    }

    /// The gRPC status code
    /// ([`google.rpc.Code`](https://github.com/grpc/grpc/blob/master/doc/statuscodes.md)).
    #[must_use]
    pub fn grpc_code(self) -> u8 {
        self.row().grpc
    }

    /// The machine-readable code in bodies.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The text for people in bodies and `grpc-message`: fixed words, ASCII.
    #[must_use]
    pub fn detail(self) -> &'static str {
        self.row().detail
    }

    /// Whether the answer lists the schemes that are accepted: what was presented was not a good
    /// credential, or none was.
    pub(crate) fn is_challenged(self) -> bool {
        self.status() == StatusCode::UNAUTHORIZED || self.oauth_error() == Some("invalid_request")
    }

    /// The `error` of a Bearer challenge (RFC 6750 §3.1), or of a DPoP challenge (RFC 9449 §7.1).
    pub(crate) fn oauth_error(self) -> Option<&'static str> {
        match self.status() {
            _ if matches!(self, Self::MissingCredential | Self::InvalidInput) => None,
            _ if self == Self::InvalidProof => Some("invalid_dpop_proof"),
            _ if self == Self::NonceRequired => Some("use_dpop_nonce"),
            StatusCode::BAD_REQUEST => Some("invalid_request"),
            StatusCode::UNAUTHORIZED => Some("invalid_token"),
            StatusCode::FORBIDDEN => Some("insufficient_scope"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_kinds_is_in_the_order_of_their_discriminants() {
        for (index, kind) in RejectionKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
    }

    #[test]
    fn details_can_stand_in_a_header_and_in_json_unescaped() {
        for kind in RejectionKind::ALL {
            let plain = |b: u8| matches!(b, 0x20..=0x7e) && !matches!(b, b'%' | b'"' | b'\\');
            assert!(kind.detail().bytes().all(plain), "{kind:?}");
        }
    }
}
