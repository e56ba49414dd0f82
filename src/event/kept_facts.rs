use super::Facts;
use crate::principal::Principal;
use http::{HeaderValue, Method};
use std::net::IpAddr;

/// What is known of a request that has gone to the inner service, where nobody can look any more.
/// It is gathered only where somebody listens.
#[derive(Clone, Default)]
pub(crate) struct KeptFacts {
    pub(crate) principal: Option<Principal>,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) method: Option<Method>,
    pub(crate) route: Option<Box<str>>,
    pub(crate) request_id: Option<HeaderValue>,
}

impl Facts for KeptFacts {
    fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    fn scheme(&self) -> Option<&'static str> {
        self.scheme
    }

    fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    fn route(&self) -> Option<&str> {
        self.route.as_deref()
    }

    fn request_id(&self) -> Option<&HeaderValue> {
        self.request_id.as_ref()
    }
}
