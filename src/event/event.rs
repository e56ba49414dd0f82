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
    /// Whom or whose it concerns, where that is known. Of a refused request: who was verified
    /// before it was refused.
    pub subject: Option<&'a Subject>,
    /// The id of the key, the private token, the family (`sid`) or the signing key (`kid`) that it
    /// concerns, or the name of the throttle's rule (`principal`, `scope:principal`). Of a refused request: the id of
    /// the API key that it presented, once that was verified.
    pub id: Option<&'a str>,
    /// Why, where something was refused.
    pub rejection: Option<&'a Rejection>,
    /// Of a refused request: the scheme that judged its credential, as challenges name it.
    pub scheme: Option<&'a str>,
    /// Of a refused request: from where it came, as far as the server and trusted proxies tell.
    pub peer: Option<IpAddr>,
    /// Of a refused request: its method.
    pub method: Option<&'a Method>,
    /// Of a refused request: the pattern of its route (`/reports/{id}`), where axum matched one
    /// (feature `axum`) or an endpoint has one. Never the path that was asked for, which a
    /// client chooses and which may hold what nobody should store.
    pub route: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// That happened at that time. All else is yet to be said.
    pub(super) fn new(action: Action, at: SystemTime) -> Self {
        Self {
            action,
            at,
            subject: None,
            id: None,
            rejection: None,
            scheme: None,
            peer: None,
            method: None,
            route: None,
        }
    }

    /// A request was refused, of which this is known.
    pub(super) fn refused(rejection: &'a Rejection, facts: &'a Facts, at: SystemTime) -> Self {
        Self {
            subject: facts.subject(),
            id: facts.key_id(),
            rejection: Some(rejection),
            scheme: facts.scheme,
            peer: facts.peer,
            method: facts.method.as_ref(),
            route: facts.route.as_deref(),
            ..Self::new(Action::Refused, at)
        }
    }
}
