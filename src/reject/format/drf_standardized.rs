use super::format::{ErrorFormat, json};
use crate::reject::Rejection;
use crate::reject::{FieldError, RejectionKind};
use serde::Serialize;

/// The form of drf-standardized-errors:
/// `{"type":"client_error","errors":[{"code":"…","detail":"…","attr":null,"extra":null}]}`; for
/// fields that are not valid the type is `validation_error` and `attr` the field.
#[derive(Clone, Copy, Debug, Default)]
pub struct DrfStandardized;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    errors: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    code: &'a str,
    detail: &'a str,
    attr: Option<&'a str>,
    extra: Option<&'a str>,
}

impl<'a> Item<'a> {
    fn of(field: &'a FieldError) -> Self {
        Self {
            code: field.code(),
            detail: field.detail(),
            attr: Some(field.field()),
            extra: None,
        }
    }
}

impl ErrorFormat for DrfStandardized {
    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        use RejectionKind as K;
        let kind = rejection.kind();
        let (code, detail) = match kind {
            K::InvalidToken | K::ExpiredToken | K::RevokedToken => {
                ("invalid_token", "The provided token is expired or invalid.")
            }
            K::InvalidApiKey | K::InvalidPassword => ("authentication_failed", kind.detail()),
            K::InsufficientScope => ("permission_denied", kind.detail()),
            K::InvalidInput => ("parse_error", kind.detail()),
            _ => (kind.code(), kind.detail()),
        };
        let fields = rejection.fields();
        if !fields.is_empty() {
            return json(&Body {
                r#type: "validation_error",
                errors: fields.iter().map(Item::of).collect(),
            });
        }
        let r#type = if rejection.status().is_server_error() {
            "server_error"
        } else {
            "client_error"
        };
        json(&Body {
            r#type,
            errors: vec![Item {
                code,
                detail,
                attr: None,
                extra: None,
            }],
        })
    }
}
