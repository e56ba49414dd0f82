use crate::principal::{Principal, Subject};
use http::{HeaderValue, Method};
use std::net::IpAddr;

/// What is known of a request, for whoever is told that it was refused. It is gathered only where
/// somebody listens.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Who was verified before the request was refused.
    pub(crate) principal: Option<Principal>,
    /// The scheme that judged its credential.
    pub(crate) scheme: Option<&'static str>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) method: Option<Method>,
    /// The pattern of its route, never its path.
    pub(crate) route: Option<Box<str>>,
    /// What a layer outside of this one, a proxy or the client calls it.
    pub(crate) request_id: Option<HeaderValue>,
}

impl Facts {
    pub(super) fn subject(&self) -> Option<&Subject> {
        self.principal.as_ref().map(Principal::subject)
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        let key = self.principal.as_ref()?.key()?;
        Some(&key.id)
    }

    /// The id of the credential that was presented, where it has one: of an API key, or of a
    /// token.
    pub(super) fn credential_id(&self) -> Option<Box<str>> {
        self.principal.as_ref()?.credential_id()
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref()?.to_str().ok()
    }
}
