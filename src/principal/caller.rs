use super::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::SchemeId;
use std::sync::atomic::{AtomicU32, Ordering};

/// The mark that a layer leaves in the extensions of every request it lets through: who calls, and
/// which layer says so.
///
/// It is one value of 24 bytes, because the first insertion into empty extensions is most of what a
/// verified request allocates.
#[derive(Clone)]
pub(crate) struct Caller {
    /// `None` for an anonymous request (optional mode, or a preflight that was let through).
    pub(crate) principal: Option<Principal>,
    /// Whose mark it is.
    pub(crate) mark: Mark,
    /// Which of that layer's schemes verified it.
    pub(crate) scheme: Option<SchemeId>,
}

/// Tells the pipelines of a process from each other. An address would not do: a later pipeline may
/// get that of one that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u32);

impl Mark {
    /// One that nobody has: no process builds four thousand million layers.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Whom a test says that a request is from, for the layers that it meets without a credential.
#[cfg(feature = "test-util")]
#[derive(Clone)]
pub(crate) struct Assumed(pub(crate) Principal);

impl Caller {
    pub(crate) fn of(extensions: &http::Extensions) -> Result<&Self, Rejection> {
        extensions
            .get()
            .ok_or_else(|| Rejection::new(RejectionKind::MissingLayer, "no layer"))
    }

    /// What a layer of this pipeline left there.
    #[inline]
    pub(crate) fn marked(mark: Mark, extensions: &http::Extensions) -> Option<&Self> {
        let caller: &Self = extensions.get()?;
        // The mark of another layer says that others have verified the caller, perhaps by
        // credentials that are not accepted here.
        (caller.mark == mark).then_some(caller)
    }

    pub(crate) fn principal(&self) -> Result<&Principal, Rejection> {
        self.principal
            .as_ref()
            .ok_or_else(|| Rejection::new(RejectionKind::MissingCredential, "anonymous"))
    }
}

impl Principal {
    /// The caller of a request that came through an [`AuthLayer`](crate::AuthLayer), for handlers
    /// on any stack: pass `request.extensions()` of an `http::Request` or a `tonic::Request`.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::MissingCredential`] (401) on an anonymous request, which only optional mode
    /// lets through; [`RejectionKind::MissingLayer`] (500) when no layer saw the request.
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
        Ok(Caller::of(extensions)?.principal.clone())
    }
}
