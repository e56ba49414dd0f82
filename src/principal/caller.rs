use super::Principal;
use crate::reject::{Rejection, RejectionKind};

/// The mark that a layer leaves in the extensions of every request it lets through: who calls, or `None` for an anonymous
/// request (optional mode, or a preflight that was let through).
///
/// It is one value, because the first insertion into empty extensions is most of what a verified request allocates.
#[derive(Clone)]
pub(crate) struct Caller(pub(crate) Option<Principal>);

impl Caller {
    pub(crate) fn of(extensions: &http::Extensions) -> Result<&Self, Rejection> {
        extensions
            .get()
            .ok_or_else(|| Rejection::new(RejectionKind::MissingLayer, "no layer"))
    }

    pub(crate) fn principal(&self) -> Result<&Principal, Rejection> {
        self.0
            .as_ref()
            .ok_or_else(|| Rejection::new(RejectionKind::MissingCredential, "anonymous"))
    }
}

impl Principal {
    /// The caller of a request that came through an [`AuthLayer`](crate::AuthLayer), for handlers on any stack:
    /// pass `request.extensions()` of an `http::Request` or a `tonic::Request`.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::MissingCredential`] (401) on an anonymous request, which only optional mode lets
    /// through; [`RejectionKind::MissingLayer`] (500) when no layer saw the request.
    pub fn from_extensions(extensions: &http::Extensions) -> Result<Self, Rejection> {
        Caller::of(extensions)?.principal().cloned()
    }

    /// As [`from_extensions`](Self::from_extensions), where an anonymous request is `None`.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::MissingLayer`] (500) when no layer saw the request.
    pub fn optional_from_extensions(
        extensions: &http::Extensions,
    ) -> Result<Option<Self>, Rejection> {
        Ok(Caller::of(extensions)?.0.clone())
    }
}
