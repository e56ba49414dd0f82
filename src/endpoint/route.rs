#[cfg(feature = "openapi")]
use super::about::About;
use super::body_form::BodyForm;
use super::call::Call;
use super::input::Input;
use super::page::Cookies;
use super::path::Path;
use super::reply::Reply;
use crate::authorize::Requirement;
use crate::reject::Rejection;
use async_trait::async_trait;
use http::Method;
use std::sync::Arc;

/// One method on one path.
pub(super) struct Route {
    pub(super) path: Path,
    pub(super) method: Method,
    pub(super) access: Access,
    /// The form of the body that it reads.
    pub(super) body: Option<BodyForm>,
    pub(super) handler: Box<dyn Handler>,
}

/// Who may call a route.
pub(super) enum Access {
    /// Anybody, as often as they like: a file, the same bytes for everybody.
    File,
    /// Anybody: what they present in the body is their credential.
    Anybody,
    /// A verified caller for whom this holds.
    Caller(Requirement),
    /// Anybody, from a page of the same origin: it takes or gives cookies.
    Page,
    /// A verified caller for whom this holds, who presents a cookie, from a page of the same
    /// origin.
    Cookies(Arc<Cookies>, Requirement),
}

impl Access {
    /// Whether it is for pages alone.
    pub(super) fn is_for_pages(&self) -> bool {
        matches!(self, Self::Page | Self::Cookies(..))
    }

    /// What a caller has to be; `None` where there need be no caller.
    pub(super) fn requirement(&self) -> Option<&Requirement> {
        match self {
            Self::File | Self::Anybody | Self::Page => None,
            Self::Caller(requirement) | Self::Cookies(_, requirement) => Some(requirement),
        }
    }
}

#[async_trait]
pub(super) trait Handler: Send + Sync {
    async fn handle(&self, call: &Call, input: Input) -> Result<Reply, Rejection>;

    /// For a document that describes it; `None` where it is no part of an API.
    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        None
    }
}
