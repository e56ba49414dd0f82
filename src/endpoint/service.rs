use super::call::Call;
use super::in_time::in_time;
use super::input::{Input, slow};
use super::path::{Parameters, Path};
use super::reply::{EndpointBody, Reply};
use super::route::{Access, Route};
use crate::credential::check_same_origin;
use crate::event::{for_this_request, in_this_span};
use crate::layer::auth_layer::AuthLayer;
use crate::pipeline::{EndpointRoute, Gate, Mode};
use crate::principal::Caller;
use crate::reject::{Rejection, RejectionKind, ResponseBody};
use crate::store::caught_future;
use http::header::{
    ALLOW, AUTHORIZATION, CONTENT_LENGTH, COOKIE, Entry, HeaderMap, HeaderValue,
    PROXY_AUTHORIZATION, WWW_AUTHENTICATE,
};
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// The endpoints of a layer, as one tower service. Made by
/// [`AuthLayer::endpoints`](crate::AuthLayer::endpoints).
///
/// A path that no endpoint has is 404, a method that it does not know 405. With axum,
/// `Router::new().merge(endpoints)` mounts each of the paths, so that others stay with the router.
///
/// ```
/// use http::{Method, Request, StatusCode};
/// use http_body_util::Empty;
/// use tower::ServiceExt;
/// use tower_auth::endpoint::{SignIn, SignOut};
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, Realm, Tokens, random_secret};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoints = auth
///     .endpoints()
///     .mount("/token/", SignIn::of(&tokens))
///     .mount("/logout/", SignOut::of(&tokens))
///     .build()?;
/// assert!(endpoints.paths().eq(["/logout/", "/token/"]));
///
/// let status = async |method: Method, path: &str| {
///     let request = Request::builder().method(method).uri(path);
///     let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
///     endpoints.clone().oneshot(request).await.unwrap().status()
/// };
/// assert_eq!(status(Method::POST, "/logout/").await, StatusCode::UNAUTHORIZED); // who?
/// assert_eq!(status(Method::GET, "/token/").await, StatusCode::METHOD_NOT_ALLOWED);
/// assert_eq!(status(Method::GET, "/elsewhere/").await, StatusCode::NOT_FOUND);
///
/// let app: axum::Router = axum::Router::new().merge(endpoints); // or serve it as it is
/// # drop(app);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Endpoints(Arc<Mounted>);

pub(super) struct Shared {
    pub(super) auth: AuthLayer,
    pub(super) routes: Vec<Route>,
    pub(super) body_limit: usize,
    pub(super) body_within: Duration,
    pub(super) public_url: Option<String>,
}

/// Endpoints, and the gates before each.
struct Mounted {
    shared: Shared,
    /// Those of the route at the same place.
    gates: Vec<Gates>,
    /// For what no route is there, or what a route refuses before its gates.
    errors: AuthLayer,
}

struct Gates {
    /// Who calls, and how often.
    entrance: AuthLayer,
    /// What a caller has to be.
    requirement: AuthLayer,
    route: Arc<str>,
}

/// The future of [`Endpoints`].
pub type EndpointFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody<EndpointBody>>, Infallible>> + Send>>;

impl Endpoints {
    pub(super) fn new(shared: Shared) -> Self {
        let routes = shared.routes.iter();
        let gates = routes.map(|route| Gates::of(route, &shared.auth));
        Self(Arc::new(Mounted {
            gates: gates.collect(),
            errors: shared.auth.errors(),
            shared,
        }))
    }

    #[cfg(feature = "openapi")]
    pub(super) fn auth(&self) -> &AuthLayer {
        &self.0.shared.auth
    }

    #[cfg(feature = "openapi")]
    pub(super) fn routes(&self) -> &[Route] {
        &self.0.shared.routes
    }

    /// The paths that it answers, with parameters in braces.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let mut paths: Vec<&str> = self
            .0
            .shared
            .routes
            .iter()
            .map(|route| route.path.as_str())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths.into_iter()
    }
}

impl Gates {
    fn of(route: &Route, auth: &AuthLayer) -> Self {
        let entrance = match route.access {
            Access::File => auth.errors(),
            Access::Anybody | Access::Page => auth.with(Gate::Anonymous),
            Access::Caller(_) | Access::Cookies(..) => {
                auth.with(Gate::Authenticate(Mode::Required))
            }
        };
        let requirement = match route.access.requirement() {
            Some(requirement) => auth.require(requirement),
            None => auth.errors(),
        };
        Self {
            entrance,
            requirement,
            route: route.path.as_str().into(),
        }
    }
}

impl<B> Service<Request<B>> for Endpoints
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<ResponseBody<EndpointBody>>;
    type Error = Infallible;
    type Future = EndpointFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> EndpointFuture {
        let mounted = Arc::clone(&self.0);
        Box::pin(mounted.respond(request))
    }
}

impl Mounted {
    async fn respond<B>(
        self: Arc<Self>,
        mut request: Request<B>,
    ) -> Result<Response<ResponseBody<EndpointBody>>, Infallible>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let response = match self.enter(&mut request) {
            Ok((at, parameters)) => {
                let Gates {
                    entrance,
                    requirement,
                    ..
                } = &self.gates[at];
                let endpoint = AtRoute {
                    mounted: Arc::clone(&self),
                    at,
                    parameters,
                };
                let guarded = requirement.layer(endpoint);
                let response = entrance.layer(guarded).call(request).await?;
                response.map(ResponseBody::flattened)
            }
            Err(rejection) => self.errors.layer(Refuses(rejection)).call(request).await?,
        };
        Ok(self.finished(response, &method, &path))
    }

    /// Finds the route of a request, and sees to what it demands of a browser. In the extensions it
    /// leaves what tells of the route.
    fn enter<B>(&self, request: &mut Request<B>) -> Result<(usize, Parameters), Rejection> {
        let found = self.shared.route(request.method(), request.uri().path());
        let route = match &found {
            Ok((at, _)) => Some(Arc::clone(&self.gates[*at].route)),
            Err(_) => None,
        };
        request.extensions_mut().insert(EndpointRoute(route));
        hide_credentials(request.headers_mut());
        let (at, parameters) = found?;
        let access = &self.shared.routes[at].access;
        if access.is_for_pages() {
            // Before the cookies become a credential: a browser sends them along with what any page
            // makes it request.
            check_same_origin(request, self.shared.public_url.as_deref())?;
        }
        if let Access::Cookies(cookies, _) = access {
            cookies.present(request.headers_mut())?;
        }
        Ok((at, parameters))
    }

    /// What an answer says besides, by the path and the method that were asked for.
    fn finished(
        &self,
        mut response: Response<ResponseBody<EndpointBody>>,
        method: &Method,
        path: &str,
    ) -> Response<ResponseBody<EndpointBody>> {
        let refused = response.body().rejection().map(Rejection::kind);
        let is_whole = response.status() != StatusCode::NOT_MODIFIED;
        if refused.is_none() && is_whole && *method == Method::HEAD {
            // The length is that of the answer to GET (RFC 9110 §8.6).
            let length = response.body().size_hint().exact().unwrap_or_default();
            response
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(length));
            *response.body_mut() = ResponseBody::default();
        }
        if refused.is_some() && self.shared.is_for_pages(path) {
            drop_prompts(response.headers_mut());
        }
        // A 405 lists the methods that there are (RFC 9110 §15.5.6).
        if refused == Some(RejectionKind::MethodNotAllowed)
            && let Ok(allowed) = HeaderValue::try_from(self.shared.allowed(path))
        {
            response.headers_mut().insert(ALLOW, allowed);
        }
        response
    }
}

impl Mounted {
    /// What a route answers to a request that has passed its gates.
    async fn answer<B>(
        self: Arc<Self>,
        at: usize,
        parameters: Parameters,
        request: Request<B>,
    ) -> Result<Reply, Rejection>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // A hook of the application that panics must not take the connection with it.
        let reading = caught_future(self.shared.read(at, parameters, request)).await;
        let (call, input) = reading.map_err(|_| panicked())??;
        let only_reads = self.shared.routes[at].method == Method::GET;
        let handling = async move {
            let route = &self.shared.routes[at];
            caught_future(route.handler.handle(&call, input)).await
        };
        if only_reads {
            return handling.await.map_err(|_| panicked())?;
        }
        // In a task of its own: what has begun to change something ends even if the client goes,
        // and no half of it is left.
        match tokio::spawn(in_this_span(for_this_request(handling))).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => Err(panicked()),
            // The task was cancelled, which only a runtime that ends does.
            Err(error) => Err(Rejection::unavailable("endpoint stopped", error)),
        }
    }
}

fn panicked() -> Rejection {
    Rejection::new(RejectionKind::Failed, "endpoint hook panicked")
}

impl Shared {
    /// The place of a route, and the parameters of its path.
    fn route(&self, method: &Method, path: &str) -> Result<(usize, Parameters), Rejection> {
        // HEAD is GET without the body (RFC 9110 §9.3.2).
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let Some((pattern, parameters)) = self.pattern(path) else {
            return Err(Rejection::new(RejectionKind::NotFound, "route"));
        };
        let mut routes = self.routes.iter();
        match routes.position(|route| route.path == *pattern && route.method == *method) {
            Some(at) => Ok((at, parameters)),
            None => Err(Rejection::new(RejectionKind::MethodNotAllowed, "route")),
        }
    }

    /// The pattern that a path means, and the parameters in it. Of several that fit it is the one
    /// that says more where they first differ, as in axum's router: else an endpoint at `/users/`
    /// would take what is for another one at `/users/keys/`.
    fn pattern(&self, path: &str) -> Option<(&Path, Parameters)> {
        let fitting = self.routes.iter().filter_map(|route| {
            let parameters = route.path.matches(path)?;
            Some((&route.path, parameters))
        });
        fitting.min_by(|(one, _), (other, _)| one.compare(other))
    }

    /// Reads a request that has passed the gates of its route.
    async fn read<B>(
        &self,
        at: usize,
        parameters: Parameters,
        request: Request<B>,
    ) -> Result<(Call, Input), Rejection>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let route = &self.routes[at];
        let pipeline = self.auth.pipeline();
        let (head, body) = request.into_parts();
        let (input, has_waited) = match route.body {
            None => (Ok(Input::none()), false),
            Some(form) => {
                let reading = Input::read(form, &head.headers, body, self.body_limit);
                let read = in_time(self.body_within, reading).await;
                read.ok_or_else(slow)?
            }
        };
        let mut request = Request::from_parts(head, ());
        // The body has taken its time, in which the credential may have expired or been revoked. So
        // the caller is judged once more before anything is changed.
        if has_waited {
            let requirement = route.access.requirement();
            pipeline
                .authenticate_again(requirement, &mut request)
                .await?;
        }
        // Only now: a caller whose credential died meanwhile is told that, and not what is wrong
        // with the body.
        let input = input?;
        let (head, ()) = request.into_parts();
        let caller = match Caller::of(&head.extensions) {
            Ok(caller) => caller.principal.clone(),
            // A file has no gate that would look for one.
            Err(_) => None,
        };
        let peer = pipeline.peer(&head.headers, &head.extensions);
        if peer.is_none() && route.body.is_some() {
            pipeline.attempts.tell_of_no_peer();
        }
        let call = Call {
            parameters,
            peer,
            caller,
            head,
            now: pipeline.clock.now(),
            public_url: self.public_url.clone(),
        };
        Ok((call, input))
    }

    /// All routes of the pattern that a path means.
    fn fitting(&self, path: &str) -> impl Iterator<Item = &Route> {
        let pattern = self.pattern(path).map(|(pattern, _)| pattern);
        self.routes
            .iter()
            .filter(move |route| Some(&route.path) == pattern)
    }

    fn is_for_pages(&self, path: &str) -> bool {
        self.fitting(path).any(|route| route.access.is_for_pages())
    }

    fn allowed(&self, path: &str) -> String {
        let mut methods: Vec<&str> = self
            .fitting(path)
            .map(|route| route.method.as_str())
            .collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.sort_unstable();
        methods.dedup();
        methods.join(", ")
    }
}

/// The endpoint of a route, behind its gates.
#[derive(Clone)]
struct AtRoute {
    mounted: Arc<Mounted>,
    at: usize,
    parameters: Parameters,
}

impl<B> Service<Request<B>> for AtRoute
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<EndpointBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self {
            mounted,
            at,
            parameters,
        } = self.clone();
        Box::pin(async move {
            let answered = mounted.answer(at, parameters, request).await;
            Ok(match answered {
                Ok(reply) => reply.into_response(),
                Err(rejection) => refusing(rejection),
            })
        })
    }
}

/// Where there is no endpoint, or where it refuses before its gates.
#[derive(Clone)]
struct Refuses(Rejection);

impl<B> Service<Request<B>> for Refuses {
    type Response = Response<EndpointBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(refusing(self.0.clone())))
    }
}

/// What the gate around it answers and tells.
fn refusing(rejection: Rejection) -> Response<EndpointBody> {
    let mut response = Response::new(EndpointBody::default());
    response.extensions_mut().insert(rejection);
    response
}

/// What carries a credential mostly, whether or not this layer reads it there, is shown by no
/// `Debug`: hooks get to see the head of a request.
fn hide_credentials(headers: &mut HeaderMap) {
    const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
    for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, X_API_KEY] {
        if let Entry::Occupied(mut lines) = headers.entry(name) {
            lines.iter_mut().for_each(|line| line.set_sensitive(true));
        }
    }
}

/// To a challenge of Basic a browser answers itself, with a prompt over the page; and on a page's
/// routes no Basic is accepted.
fn drop_prompts(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter(|line| !is_basic(line))
        .cloned()
        .collect();
    headers.remove(WWW_AUTHENTICATE);
    headers.extend(lines.into_iter().map(|line| (WWW_AUTHENTICATE, line)));
}

fn is_basic(challenge: &HeaderValue) -> bool {
    let challenge = challenge.as_bytes().to_ascii_lowercase();
    challenge.starts_with(b"basic")
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoints")
            .field(&self.paths().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_carry_credentials_are_not_shown() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "proxy-authorization",
            "cookie",
            "cookie",
            "x-api-key",
        ] {
            headers.append(name, HeaderValue::from_static("wonderland"));
        }
        hide_credentials(&mut headers);
        let shown = format!("{headers:?}");
        assert!(!shown.contains("wonder"), "{shown}");
    }
}
