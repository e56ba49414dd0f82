use super::format::{ErrorFormat, json};
use crate::clock::rfc3339;
use crate::reject::Rejection;
use crate::reject::RejectionKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// A machine-readable code first:
/// `{"error":"token_expired","message":"…","details":{"expired_at":"2024-01-15T10:30:00Z"}}`.
///
/// The one built-in format that tells a genuine token that it is expired or revoked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coded;

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
    details: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(flatten)]
    fields: BTreeMap<&'a str, Vec<&'a str>>,
}

impl ErrorFormat for Coded {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        let kind = rejection.kind();
        let error = match kind {
            RejectionKind::InsufficientScope => RejectionKind::PermissionDenied.code(),
            _ => kind.code(),
        };
        let details = Details {
            expired_at: rejection.expired_at().and_then(rfc3339),
            retry_after: rejection.retry_after_seconds(),
            scope: rejection.scope_list(),
            fields: rejection.field_details(),
        };
        json(&Body {
            error,
            message: kind.detail(),
            details,
        })
    }

    fn tells_token_state(&self) -> bool {
        true
    }
}
