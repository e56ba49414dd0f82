use super::format::{ErrorFormat, json};
use crate::reject::Rejection;
use crate::reject::RejectionKind;
use serde::Serialize;

/// The form of Django REST Framework with simplejwt: `{"detail": "…", "code": "…"}`; for fields
/// that are not valid `{"email": ["This field is required."]}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drf;

#[derive(Serialize)]
struct Body<'a> {
    detail: &'a str,
    code: &'a str,
}

impl ErrorFormat for Drf {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        use RejectionKind as K;
        let kind = rejection.kind();
        if !rejection.fields().is_empty() {
            return json(&rejection.field_details());
        }
        let code = match kind {
            K::InvalidToken | K::ExpiredToken | K::RevokedToken => "token_not_valid",
            K::InvalidApiKey | K::InvalidPassword => "authentication_failed",
            K::InsufficientScope => "permission_denied",
            K::Failed | K::MissingLayer => "error",
            K::InvalidInput => "parse_error",
            _ => kind.code(),
        };
        let wait;
        let detail = match (kind, rejection.retry_after_seconds()) {
            (K::Throttled, Some(seconds)) => {
                wait = format!("Request was throttled. Expected available in {seconds} seconds.");
                &wait
            }
            _ => kind.detail(),
        };
        json(&Body { detail, code })
    }
}
