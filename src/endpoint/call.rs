use super::path::Parameters;
use super::query;
use crate::credential::host;
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use http::request::Parts;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

/// A request at an endpoint: what hooks get to see of it.
pub struct Call {
    pub(super) head: Parts,
    pub(super) parameters: Parameters,
    pub(super) caller: Option<Principal>,
    pub(super) peer: Option<IpAddr>,
    pub(super) now: SystemTime,
    pub(super) public_url: Option<String>,
}

impl Call {
    /// The verified caller; `None` on a route that needs none.
    #[must_use]
    pub fn caller(&self) -> Option<&Principal> {
        self.caller.as_ref()
    }

    /// The same, for hooks of routes that have one.
    ///
    /// # Errors
    ///
    /// 401 on a route that needs none.
    pub fn verified(&self) -> Result<&Principal, Rejection> {
        self.caller()
            .ok_or_else(|| Rejection::new(RejectionKind::MissingCredential, "anonymous"))
    }

    /// A parameter of the path: `id` of `/agents/{id}/`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, the first of that name, percent-decoded; `None` also where it is
    /// no UTF-8.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        query::parameter(self.head.uri.query()?, name)
    }

    /// The head of the request. Its credential fields are marked sensitive.
    #[must_use]
    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// From where the request comes, as far as the server tells.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// The time of the request.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.now
    }

    /// The absolute URL of a path on this server: below the
    /// [`public_url`](super::EndpointsBuilder::public_url), or below `http://` and the request's `Host`; the path alone where the
    /// request has no usable one.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        if let Some(base) = &self.public_url {
            return format!("{base}{path}");
        }
        match host(&self.head.headers, &self.head.uri) {
            Some(host) => format!("http://{host}{path}"),
            None => path.to_owned(),
        }
    }
}

/// Shows no field of the request and no query: a credential may stand there, on routes that read
/// none.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.head.method)
            .field("path", &self.head.uri.path())
            .field("parameters", &self.parameters)
            .field("caller", &self.caller)
            .field("peer", &self.peer)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn a_call_is_printed_without_what_may_be_a_credential() {
        let request = Request::post("/token/?key=wonderland")
            .header("authorization", "Bearer wonderland")
            .header("x-own-key", "wonderland")
            .header("cookie", "session=wonderland");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let call = Call {
            head,
            parameters: Vec::new(),
            caller: None,
            peer: None,
            now: SystemTime::UNIX_EPOCH,
            public_url: None,
        };
        let shown = format!("{call:?} {call:#?}");
        assert!(shown.contains("/token/"), "{shown}");
        assert!(!shown.contains("wonder"), "{shown}");
    }
}
