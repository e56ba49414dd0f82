use super::{Presented, Rejection, RejectionKind};
use http::HeaderValue;
use std::fmt::Display;

/// The `WWW-Authenticate` lines of a layer: one for each scheme it accepts (RFC 9110 §11.6.1).
pub(crate) struct Challenges(Vec<Challenge>);

/// `scheme realm="…"`, and parameters that a scheme adds of its own.
struct Challenge {
    scheme: &'static str,
    text: String,
}

impl Challenges {
    /// `realm` is printable ASCII; the builder has checked it.
    pub(crate) fn new<P: Display>(
        realm: &str,
        schemes: impl IntoIterator<Item = (&'static str, P)>,
    ) -> Self {
        // A quoted-string escapes these two (RFC 9110 §5.6.4). Left as they are they would end the
        // realm early.
        let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
        let mut challenges = Vec::new();
        for (scheme, parameters) in schemes {
            let text = format!("{scheme} realm=\"{realm}\"{parameters}");
            challenges.push(Challenge { scheme, text });
        }
        Self(challenges)
    }

    /// The lines of one refusal. `error` stands on Bearer or DPoP alone, and only where that was
    /// presented (RFC 6750 §3.1: a request without credentials gets no error code). Which scopes
    /// are lacking is said on both.
    pub(super) fn lines(&self, rejection: &Rejection) -> impl Iterator<Item = HeaderValue> {
        // A 403 for want of a scope has a challenge too (RFC 6750 §3.1), though only of schemes
        // whose tokens have scopes.
        let asks = rejection.kind().is_challenged();
        let names_scope = rejection.kind() == RejectionKind::InsufficientScope;
        let error = rejection
            .kind()
            .oauth_error()
            .filter(|_| names_scope || rejection.presented != Presented::Other)
            .map(|error| format!(", error=\"{error}\"{}", scope_parameter(rejection)))
            .unwrap_or_default();
        self.0
            .iter()
            .filter(move |challenge| asks || (names_scope && challenge.is_for_tokens()))
            .filter_map(move |challenge| {
                // The error is about what was presented. On the challenge of another scheme it
                // would read as if that one had been tried.
                let is_meant = match rejection.presented {
                    _ if names_scope => challenge.is_for_tokens(),
                    Presented::Bearer => challenge.scheme == "Bearer",
                    Presented::Dpop => challenge.scheme == "DPoP",
                    Presented::Other => false,
                };
                let error = if is_meant { error.as_str() } else { "" };
                HeaderValue::try_from(format!("{}{error}", challenge.text)).ok()
            })
    }
}

impl Challenge {
    fn is_for_tokens(&self) -> bool {
        matches!(self.scheme, "Bearer" | "DPoP")
    }
}

/// `, scope="a b"`. A text that is no scope-token (RFC 6749 §3.3) is left out: it could break the
/// quotes.
fn scope_parameter(rejection: &Rejection) -> String {
    let names: Vec<&str> = rejection
        .missing_scopes()
        .iter()
        .filter(|scope| scope.is_token())
        .map(|scope| scope.as_str())
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(", scope=\"{}\"", names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Scope;

    fn lines(rejection: &Rejection) -> Vec<String> {
        let challenges = Challenges::new(
            r#"a "b" \"#,
            [("Bearer", ""), ("Basic", ", charset=\"UTF-8\"")],
        );
        challenges
            .lines(rejection)
            .map(|line| String::from_utf8(line.as_bytes().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn realm_is_escaped_and_each_scheme_has_its_line() {
        let missing = Rejection::new(RejectionKind::MissingCredential, "");
        let expected = [
            r#"Bearer realm="a \"b\" \\""#,
            r#"Basic realm="a \"b\" \\", charset="UTF-8""#,
        ];
        assert_eq!(lines(&missing), expected);
    }

    #[test]
    fn error_stands_on_bearer_and_only_where_a_bearer_was_presented() {
        let bad = Rejection::new(RejectionKind::InvalidToken, "");
        assert!(lines(&bad).iter().all(|line| !line.contains("error")));
        let shown = lines(&bad.presented(Presented::Bearer));
        assert!(shown[0].ends_with(r#", error="invalid_token""#));
        assert!(!shown[1].contains("error"));
    }

    #[test]
    fn a_scope_that_would_break_out_of_its_quotes_is_left_out() {
        let names = ["ok:1", "x\", error=\"y", "a\r\nb", "ok:2"].map(Scope::from);
        let shown = lines(&Rejection::insufficient_scope(names));
        assert_eq!(
            shown,
            [r#"Bearer realm="a \"b\" \\", error="insufficient_scope", scope="ok:1 ok:2""#]
        );
    }
}
