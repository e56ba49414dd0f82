use super::{Action, Facts};
use crate::principal::Subject;
use crate::reject::Rejection;
use http::Method;
use std::net::IpAddr;
use std::time::SystemTime;

/// Something that happened. It holds no secret: whatever is here may be stored.
///
/// What a client may choose (a subject of another issuer, a method) is a text like any other:
/// whoever writes it into a log quotes it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What.
    pub action: Action,
    /// When.
    pub at: SystemTime,
    /// Whose it concerns, where that is known. Of a refused request: who was verified
    /// before it was refused.
    pub subject: Option<&'a Subject>,
    /// The id of the key, the private token, the family (`sid`) or the signing key (`kid`) that it
    /// concerns, or the name of the throttle's rule (`principal`, `scope:principal`). Of a refused request: the id of
    /// the API key that it presented, once that was verified.
    pub id: Option<&'a str>,
    /// The scope that was used.
    pub scope: Option<&'a str>,
    /// Why, where something was refused.
    pub rejection: Option<&'a Rejection>,
    /// Who asked for it: the verified caller of the request within which it happened. Nobody where
    /// the request needed no credential, as a sign-in, or where the application itself did it.
    pub actor: Option<&'a Subject>,
    /// The id of the credential that the actor presented, where it has one: that of an API key, or
    /// `jti` of a token.
    pub credential: Option<&'a str>,
    /// The scheme that judged the credential of the request, as challenges name it.
    pub scheme: Option<&'a str>,
    /// From where the request came, as far as the server and trusted proxies tell.
    pub peer: Option<IpAddr>,
    /// The method of the request.
    pub method: Option<&'a Method>,
    /// The pattern of its route (`/reports/{id}`), where axum matched one (feature `axum`) or an
    /// endpoint has one. Never the path that was asked for, which a client chooses and which may
    /// hold what nobody should store.
    pub route: Option<&'a str>,
    /// What the field `X-Request-Id` of the request says: that of a layer outside of this one, or
    /// of a proxy. Where neither sets it, a client may.
    pub request_id: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// That happened at that time. All else is yet to be said.
    pub(super) fn new(action: Action, at: SystemTime) -> Self {
        Self {
            action,
            at,
            subject: None,
            id: None,
            scope: None,
            rejection: None,
            actor: None,
            credential: None,
            scheme: None,
            peer: None,
            method: None,
            route: None,
            request_id: None,
        }
    }

    /// It happened within a request of which this is known. `credential` is the id of what its
    /// caller presented.
    pub(super) fn within(self, request: &'a Facts, credential: Option<&'a str>) -> Self {
        Self {
            actor: request.subject(),
            credential,
            scheme: request.scheme,
            peer: request.peer,
            method: request.method.as_ref(),
            route: request.route.as_deref(),
            request_id: request.request_id(),
            ..self
        }
    }

    /// A request was refused, of which this is known.
    pub(super) fn refused(rejection: &'a Rejection, facts: &'a Facts, at: SystemTime) -> Self {
        Self {
            subject: facts.subject(),
            id: facts.key_id(),
            rejection: Some(rejection),
            ..Self::new(Action::Refused, at)
        }
    }
}
