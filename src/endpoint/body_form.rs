use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// The form in which a request to an endpoint brings what the endpoint reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyForm {
    /// A JSON object.
    Json,
    /// JSON of any kind, kept as it came: it is signed.
    Signed,
    /// The parameters of a form, as the endpoints of OAuth take them (RFC 6749 appendix B).
    Parameters,
}

impl BodyForm {
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Json | Self::Signed => "application/json",
            Self::Parameters => "application/x-www-form-urlencoded",
        }
    }

    /// Whether a request says, once, that its body has this form: in any case, with or without
    /// parameters (RFC 9110 §8.3.1).
    pub(super) fn is_said_by(self, headers: &HeaderMap) -> bool {
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        // Of two types one would have to be chosen, and a proxy that has looked at the body may
        // have chosen the other.
        let (Some(only), None) = (types.next(), types.next()) else {
            return false;
        };
        let mut parts = only.as_bytes().split(|b| *b == b';');
        let essence = parts.next().unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(self.media_type().as_bytes())
    }
}
