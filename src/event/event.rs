use super::{Action, Facts};
use crate::clock::Clock;
use crate::principal::{Principal, Subject};
use crate::reject::Rejection;
use http::Method;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

/// Something that happened: a credential was made or revoked, somebody signed in, a request was
/// refused. It holds no secret: whatever it says may be stored.
///
/// What a client may choose (a subject of another issuer, a method) is a text like any other:
/// whoever writes it into a log quotes it.
///
/// Of the request within which it happened, it says what it is asked for, and looks up nothing
/// else: a hook that counts refusals costs next to nothing while somebody sends many.
///
/// ```
/// use std::sync::mpsc;
/// use tower_auth::event::{Action, Event};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, RejectionKind, Subject};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (told, events) = mpsc::channel();
/// let realm = Realm::new(Memory::new()).on_event(move |event: &Event<'_>| {
///     let whose = event.subject().cloned();
///     let why = event.rejection().map(|rejection| rejection.kind());
///     let _ = told.send((event.action(), whose, why)); // a hook hands on, and never waits
/// });
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
///
/// let anna = Subject::user("7");
/// keys.issue(KeyRequest::new(anna.clone(), "ci")).await?;
/// assert_eq!(events.try_recv()?, (Action::KeyCreated, Some(anna), None));
///
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # tower::ServiceExt::oneshot(service, http::Request::new(())).await?;
/// // A request without a credential came.
/// let missing = Some(RejectionKind::MissingCredential);
/// assert_eq!(events.try_recv()?, (Action::Refused, None, missing));
/// assert!(events.try_recv().is_err()); // each is told once
/// # Ok(())
/// # }
/// ```
pub struct Event<'a> {
    action: Action,
    at: At<'a>,
    subject: Option<&'a Subject>,
    id: Option<&'a str>,
    scope: Option<&'a str>,
    rejection: Option<&'a Rejection>,
    request: Option<&'a dyn Facts>,
}

/// When it happened.
enum At<'a> {
    Known(SystemTime),
    /// When somebody first asks, which is at once. Most who are told of a refusal never do.
    Asked(&'a dyn Clock, OnceCell<SystemTime>),
}

impl<'a> Event<'a> {
    /// What.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        match &self.at {
            At::Known(at) => *at,
            At::Asked(clock, at) => *at.get_or_init(|| clock.now()),
        }
    }

    /// Whose it concerns, where that is known. Of a refused request: who was verified before it was
    /// refused.
    #[must_use]
    pub fn subject(&self) -> Option<&'a Subject> {
        match self.action {
            Action::Refused => self.actor(),
            _ => self.subject,
        }
    }

    /// The id of the key, the private token, the family (`sid`) or the signing key (`kid`) that it
    /// concerns, or the name of the throttle's rule (`principal`, `scope:principal`). Of a refused
    /// request: the id of the API key that it presented, once that was verified.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        match self.action {
            Action::Refused => {
                let key = self.caller()?.key()?;
                Some(&key.id)
            }
            _ => self.id,
        }
    }

    /// The scope that was used.
    #[must_use]
    pub fn scope(&self) -> Option<&'a str> {
        self.scope
    }

    /// Why, where something was refused.
    #[must_use]
    pub fn rejection(&self) -> Option<&'a Rejection> {
        self.rejection
    }

    /// Who asked for it: the verified caller of the request within which it happened. Nobody where
    /// the request needed no credential, as a sign-in, or where the application itself did it.
    #[must_use]
    pub fn actor(&self) -> Option<&'a Subject> {
        Some(self.caller()?.subject())
    }

    /// The id of the credential that the actor presented, where it has one: that of an API key, or
    /// `jti` of a token.
    #[must_use]
    pub fn credential(&self) -> Option<Cow<'a, str>> {
        self.caller()?.credential_id()
    }

    /// The scheme that judged the credential of the request, as challenges name it.
    #[must_use]
    pub fn scheme(&self) -> Option<&'a str> {
        self.request?.scheme()
    }

    /// From where the request came, as far as the server and trusted proxies tell.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.request?.peer()
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> Option<&'a Method> {
        self.request?.method()
    }

    /// The pattern of its route (`/reports/{id}`), where axum matched one (feature `axum`) or an
    /// endpoint has one. Never the path that was asked for, which a client chooses and which may
    /// hold what nobody should store.
    #[must_use]
    pub fn route(&self) -> Option<&'a str> {
        self.request?.route()
    }

    /// What the field `X-Request-Id` of the request says: that of a layer outside of this one, or
    /// of a proxy. Where neither sets it, a client may.
    #[must_use]
    pub fn request_id(&self) -> Option<&'a str> {
        self.request?.request_id()?.to_str().ok()
    }

    fn caller(&self) -> Option<&'a Principal> {
        self.request?.principal()
    }

    /// That happened at that time. All else is yet to be said.
    pub(super) fn new(action: Action, at: SystemTime) -> Self {
        Self {
            action,
            at: At::Known(at),
            subject: None,
            id: None,
            scope: None,
            rejection: None,
            request: None,
        }
    }

    pub(super) fn of(self, subject: &'a Subject) -> Self {
        Self {
            subject: Some(subject),
            ..self
        }
    }

    pub(super) fn about(self, id: Option<&'a str>) -> Self {
        Self { id, ..self }
    }

    pub(super) fn with_scope(self, scope: &'a str) -> Self {
        Self {
            scope: Some(scope),
            ..self
        }
    }

    /// It happened within a request of which this is known.
    pub(super) fn within(self, request: &'a dyn Facts) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }

    /// A request was refused, of which this is known.
    pub(super) fn refused(
        rejection: &'a Rejection,
        request: &'a dyn Facts,
        clock: &'a dyn Clock,
    ) -> Self {
        Self {
            action: Action::Refused,
            at: At::Asked(clock, OnceCell::new()),
            subject: None,
            id: None,
            scope: None,
            rejection: Some(rejection),
            request: Some(request),
        }
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("action", &self.action)
            .field("at", &self.at())
            .field("subject", &self.subject())
            .field("id", &self.id())
            .field("scope", &self.scope)
            .field("rejection", &self.rejection)
            .field("actor", &self.actor())
            .field("credential", &self.credential())
            .field("scheme", &self.scheme())
            .field("peer", &self.peer())
            .field("method", &self.method())
            .field("route", &self.route())
            .field("request_id", &self.request_id())
            .finish()
    }
}
