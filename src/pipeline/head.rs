use super::gate::Gate;
use super::pipeline::Pipeline;
use super::route::route_of;
use crate::event::{Facts, KeptFacts};
use crate::principal::{Caller, Principal};
use crate::scheme::SchemeId;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request};
use std::net::IpAddr;

/// What a request is called by a layer outside of this one, or by a proxy.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Up to so many fields are cheaper to walk over than a name is to hash.
const FEW_FIELDS: usize = 8;

/// What is known of a request that is still at hand. Nothing is looked up before it is asked for,
/// so that a flood of refusals pays for what its audience reads, and for nothing else.
pub(super) struct Head<'r> {
    pipeline: &'r Pipeline,
    gate: &'r Gate,
    /// The scheme that has just refused its credential, if one has.
    scheme: Option<SchemeId>,
    method: &'r Method,
    headers: &'r HeaderMap,
    extensions: &'r Extensions,
}

impl<'r> Head<'r> {
    pub(super) fn new<B>(
        pipeline: &'r Pipeline,
        gate: &'r Gate,
        scheme: Option<SchemeId>,
        request: &'r Request<B>,
    ) -> Self {
        Self {
            pipeline,
            gate,
            scheme,
            method: request.method(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }

    /// The same for later, when the request is gone.
    pub(super) fn keep(&self) -> KeptFacts {
        let met = self.met();
        // Where there is nothing but the mark of the layer, no server has told of a peer and no
        // router of a route.
        let is_bare = self.extensions.len() <= usize::from(met.is_some());
        let (peer, route) = if is_bare {
            (None, None)
        } else {
            (self.peer(), self.route().map(Box::from))
        };
        // No line of a log shows it.
        let request_id = if self.pipeline.events.want_requests() {
            self.request_id().cloned()
        } else {
            None
        };
        KeptFacts {
            principal: self.principal_of(met).cloned(),
            scheme: self.scheme_of(met),
            peer,
            method: Some(self.method.clone()),
            route,
            request_id,
        }
    }

    /// What layers have left in the request so far.
    fn met(&self) -> Option<&'r Caller> {
        Caller::of(self.extensions).ok()
    }

    fn principal_of(&self, met: Option<&'r Caller>) -> Option<&'r Principal> {
        let caller = match self.gate {
            // A mark of another pipeline says nothing of whom this one refuses.
            Gate::Authenticate(_) => self.ours(met),
            _ => met,
        };
        caller?.principal.as_ref()
    }

    fn scheme_of(&self, met: Option<&'r Caller>) -> Option<&'static str> {
        let scheme = match self.scheme {
            Some(scheme) => scheme,
            None => self.ours(met)?.scheme?,
        };
        scheme.name(&self.pipeline.reader.accepted().others)
    }

    fn ours(&self, met: Option<&'r Caller>) -> Option<&'r Caller> {
        met.filter(|caller| caller.mark == self.pipeline.mark)
    }
}

impl Facts for Head<'_> {
    fn principal(&self) -> Option<&Principal> {
        self.principal_of(self.met())
    }

    fn scheme(&self) -> Option<&'static str> {
        self.scheme_of(self.met())
    }

    fn peer(&self) -> Option<IpAddr> {
        self.pipeline.peer(self.headers, self.extensions)
    }

    fn method(&self) -> Option<&Method> {
        Some(self.method)
    }

    fn route(&self) -> Option<&str> {
        route_of(self.extensions)
    }

    #[inline]
    fn request_id(&self) -> Option<&HeaderValue> {
        if self.headers.len() > FEW_FIELDS {
            return self.headers.get(REQUEST_ID);
        }
        let mut fields = self.headers.iter();
        fields.find_map(|(name, value)| (*name == REQUEST_ID).then_some(value))
    }
}
