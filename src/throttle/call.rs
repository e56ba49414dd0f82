use crate::address::Addresses;
use crate::principal::Principal;
use http::{Extensions, HeaderMap, Method, Request, Uri};
use std::fmt;
use std::net::IpAddr;

/// A request as a rule sees it: for functions that say by what it is counted, or what it costs.
#[derive(Clone, Copy)]
pub struct Call<'r> {
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
    principal: Option<&'r Principal>,
    addresses: &'r Addresses,
}

impl<'r> Call<'r> {
    pub(crate) fn new<B>(
        request: &'r Request<B>,
        principal: Option<&'r Principal>,
        addresses: &'r Addresses,
    ) -> Self {
        let (method, uri) = (request.method(), request.uri());
        Self {
            method,
            uri,
            headers: request.headers(),
            extensions: request.extensions(),
            principal,
            addresses,
        }
    }

    /// Who calls; `None` on an anonymous request.
    #[must_use]
    pub fn principal(&self) -> Option<&'r Principal> {
        self.principal
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &'r Method {
        self.method
    }

    /// The request's target. Do not count by its path: `/a`, `//a` and `/%61` may be one route. A
    /// layer on the route ([`AuthLayer::throttle`](crate::AuthLayer::throttle)) counts what the
    /// router matched.
    #[must_use]
    pub fn uri(&self) -> &'r Uri {
        self.uri
    }

    /// The request's header fields.
    #[must_use]
    pub fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// The request's extensions.
    #[must_use]
    pub fn extensions(&self) -> &'r Extensions {
        self.extensions
    }

    /// From where the request came, as far as [`Addresses`] trust whoever says so; `None` where the
    /// server does not tell.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.addresses.client(self.headers, self.extensions)
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", self.method)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}
