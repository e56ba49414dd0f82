use super::format::{ErrorFormat, json};
use crate::reject::FieldError;
use crate::reject::Rejection;
use serde::Serialize;
use std::collections::BTreeMap;

/// Problem details (RFC 9457), the default.
///
/// ```json
/// {"type":"about:blank","title":"Unauthorized","status":401,
///  "detail":"The token is not valid.","code":"token_invalid"}
/// ```
///
/// For want of a scope there is `"scope":"reports:write"` besides, and for a body that is not valid
/// `"errors":[{"pointer":"#/email","code":"required","detail":"…"}]` (pointers: RFC 6901 §6).
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem;

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldBody<'a>>,
}

#[derive(Serialize)]
struct FieldBody<'a> {
    pointer: String,
    code: &'a str,
    detail: &'a str,
}

impl<'a> FieldBody<'a> {
    fn of(field: &'a FieldError) -> Self {
        let name = field.field().replace('~', "~0").replace('/', "~1");
        Self {
            pointer: format!("#/{name}"),
            code: field.code(),
            detail: field.detail(),
        }
    }
}

impl ErrorFormat for Problem {
    fn content_type(&self) -> &'static str {
        "application/problem+json"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        let status = rejection.status();
        json(&Body {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: rejection.kind().detail(),
            code: rejection.kind().code(),
            scope: rejection.scope_list(),
            errors: rejection.fields().iter().map(FieldBody::of).collect(),
        })
    }
}

impl Rejection {
    /// What is wrong with each field, in the order of the fields.
    pub(super) fn field_details(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut fields = BTreeMap::<_, Vec<_>>::new();
        for field in self.fields() {
            fields
                .entry(field.field())
                .or_default()
                .push(field.detail());
        }
        fields
    }

    /// The missing scopes, separated by spaces.
    pub(super) fn scope_list(&self) -> Option<String> {
        let names: Vec<&str> = self
            .missing_scopes()
            .iter()
            .map(|scope| scope.as_str())
            .collect();
        if names.is_empty() {
            return None;
        }
        Some(names.join(" "))
    }
}
