use super::{ErrorFormat, Rejection, json};
use serde::Serialize;

/// Problem details (RFC 9457), the default.
///
/// `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"The token is not valid.","code":"token_invalid"}`;
/// for want of a scope also `"scope":"reports:write"`.
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
        })
    }
}

impl Rejection {
    /// The missing scopes, separated by spaces.
    pub(super) fn scope_list(&self) -> Option<String> {
        let names: Vec<&str> = self.missing_scopes().iter().map(|scope| scope.as_str()).collect();
        (!names.is_empty()).then(|| names.join(" "))
    }
}
