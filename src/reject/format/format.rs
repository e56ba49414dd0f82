use crate::reject::Rejection;
use serde::Serialize;

/// Writes the body of a refusal.
///
/// A layer asks once for each kind when it is built, and again only for refusals that carry details
/// ([`missing_scopes`](Rejection::missing_scopes), [`fields`](Rejection::fields),
/// [`retry_after`](Rejection::retry_after), [`expired_at`](Rejection::expired_at)). Status,
/// challenges, `Retry-After` and `Cache-Control` are the layer's affair. A format that panics later
/// gives an empty body and the same status. [The module](crate::format) has a whole form.
///
/// ```
/// use tower_auth::{Rejection, RejectionKind, format::ErrorFormat};
///
/// struct Plain;
///
/// impl ErrorFormat for Plain {
///     fn content_type(&self) -> &'static str {
///         "text/plain"
///     }
///
///     fn body(&self, rejection: &Rejection) -> Vec<u8> {
///         rejection.kind().detail().as_bytes().to_vec()
///     }
/// }
///
/// let refusal = Rejection::new(RejectionKind::InvalidToken, "signature");
/// assert_eq!(Plain.body(&refusal), b"The token is not valid.");
/// ```
pub trait ErrorFormat: Send + Sync + 'static {
    /// The `Content-Type` of the bodies.
    fn content_type(&self) -> &'static str;

    /// The body.
    fn body(&self, rejection: &Rejection) -> Vec<u8>;

    /// Whether the body may tell a genuine token that it is expired or revoked. Otherwise such a
    /// refusal is shown to the format as [`InvalidToken`](crate::RejectionKind::InvalidToken),
    /// like that of a forged one.
    fn tells_token_state(&self) -> bool {
        false
    }
}

pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // OK because the formats are structs of strings, numbers and nulls: nothing in them can fail to
    // serialize.
    serde_json::to_vec(value).unwrap_or_default()
}
