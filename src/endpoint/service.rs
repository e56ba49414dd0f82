use super::call::Call;
use super::input::Input;
use super::page::check_same_origin;
use super::reply::{EndpointBody, Reply};
use super::route::{Access, Parameters, Route, TakesBody};
use crate::layer::AuthLayer;
use crate::pipeline::{Decision, Mode};
use crate::principal::{Caller, Principal};
use crate::reject::{Rejection, RejectionKind, ResponseBody, Shape};
use crate::store::caught_future;
use crate::throttle::Fields;
use http::header::{ALLOW, CONTENT_LENGTH, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Method, Request, Response};
use http_body::Body;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// The endpoints of a layer, as one tower service. Made by [`AuthLayer::endpoints`](crate::AuthLayer::endpoints).
///
/// A path that no endpoint has is 404, a method that it does not know 405. With axum, `Router::new().merge(endpoints)` mounts each of
/// the paths, so that others stay with the router.
#[derive(Clone)]
#[must_use]
pub struct Endpoints(Arc<Shared>);

pub(super) struct Shared {
    pub(super) auth: AuthLayer,
    pub(super) routes: Vec<Route>,
    pub(super) body_limit: usize,
    pub(super) public_url: Option<String>,
}

/// The future of [`Endpoints`].
pub type EndpointFuture =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody<EndpointBody>>, Infallible>> + Send>>;

impl Endpoints {
    pub(super) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    #[cfg(feature = "openapi")]
    pub(super) fn routes(&self) -> &[Route] {
        &self.0.routes
    }

    /// The paths that it answers, with parameters in braces.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let mut paths: Vec<&str> = self
            .0
            .routes
            .iter()
            .map(|route| route.path.as_str())
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths.into_iter()
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
        let shared = Arc::clone(&self.0);
        Box::pin(async move { Ok(shared.respond(request).await) })
    }
}

impl Shared {
    async fn respond<B>(
        self: Arc<Self>,
        request: Request<B>,
    ) -> Response<ResponseBody<EndpointBody>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let shape = Shape::of_http(request.method());
        let allowed = self.allowed(request.uri().path());
        let is_for_pages = self
            .fitting(request.uri().path())
            .any(|route| route.access.is_for_pages());
        let (head, body) = request.into_parts();
        let answered = self.answer(Request::from_parts(head, ()), body);
        // A hook of the application that panics must not take the connection with it.
        let panicked = |_| {
            Err(Rejection::new(
                RejectionKind::Failed,
                "endpoint hook panicked",
            ))
        };
        let answer = caught_future(answered).await.unwrap_or_else(panicked);
        match answer {
            Ok(reply) => {
                let mut response = reply.into_response();
                if shape == Shape::Head {
                    // RFC 9110 §8.6: as long as the answer to GET.
                    let length = response.body().size_hint().exact().unwrap_or_default();
                    response
                        .headers_mut()
                        .insert(CONTENT_LENGTH, HeaderValue::from(length));
                    *response.body_mut() = EndpointBody::default();
                }
                response.map(ResponseBody::inner)
            }
            Err(rejection) => {
                let is_method = rejection.kind() == RejectionKind::MethodNotAllowed;
                let mut response = self.auth.pipeline().responder.respond(rejection, shape);
                if is_for_pages {
                    drop_prompts(response.headers_mut());
                }
                // RFC 9110 §15.5.6: a 405 lists the methods that there are.
                if let (true, Ok(allowed)) = (is_method, HeaderValue::try_from(allowed)) {
                    response.headers_mut().insert(ALLOW, allowed);
                }
                response
            }
        }
    }

    async fn answer<B>(&self, head: Request<()>, body: B) -> Result<Reply, Rejection>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let told = |rejection| self.auth.pipeline().told(rejection);
        let (route, parameters) = self.route(&head).map_err(told)?;
        let (head, quota) = self.admitted(route, head).await?;
        let input = match route.body {
            TakesBody::Yes => Input::read(head.headers(), body, self.body_limit)
                .await
                .map_err(told)?,
            TakesBody::No => Input::none(),
        };
        let call = Call {
            parameters,
            peer: self.auth.pipeline().peer(&head),
            caller: Principal::optional_from_extensions(head.extensions())?,
            head: head.into_parts().0,
            now: self.auth.pipeline().clock.now(),
            public_url: self.public_url.clone(),
        };
        let answer = route.handler.handle(&self.auth, &call, input).await;
        match answer {
            Ok(reply) => Ok(reply.with_quota(quota)),
            Err(rejection) => Err(told(rejection).under_quota(quota)),
        }
    }

    fn route(&self, head: &Request<()>) -> Result<(&Route, Parameters), Rejection> {
        let path = head.uri().path();
        // RFC 9110 §9.3.2: HEAD is GET without the body.
        let method = if head.method() == Method::HEAD {
            &Method::GET
        } else {
            head.method()
        };
        let mut known = false;
        for route in &self.routes {
            let Some(parameters) = route.path.matches(path) else {
                continue;
            };
            if route.method == *method {
                return Ok((route, parameters));
            }
            known = true;
        }
        let kind = if known {
            RejectionKind::MethodNotAllowed
        } else {
            RejectionKind::NotFound
        };
        Err(Rejection::new(kind, "route"))
    }

    /// The way through the layer: a caller where the route needs one, and the throttles in any case.
    async fn admitted(
        &self,
        route: &Route,
        mut head: Request<()>,
    ) -> Result<(Request<()>, Option<Fields>), Rejection> {
        let pipeline = self.auth.pipeline();
        if route.access.is_for_pages() {
            check_same_origin(&head, self.public_url.as_deref()).map_err(|no| pipeline.told(no))?;
        }
        if let Access::Cookies(cookies, _) = &route.access {
            cookies
                .present(head.headers_mut())
                .map_err(|no| pipeline.told(no))?;
        }
        if let Access::File = route.access {
            head.extensions_mut().insert(Caller(None));
            return Ok((head, None));
        }
        let requirement = route.access.requirement();
        let mut decision = match requirement {
            None => pipeline.throttle(None, &mut head),
            Some(_) => pipeline.decide(Mode::Required, &mut head),
        };
        let quota = loop {
            decision = match decision {
                Decision::Admit(quota) => break quota,
                Decision::Refuse(rejection) => return Err(rejection),
                Decision::Ask(mut question) => {
                    let reply = poll_fn(|cx| question.poll(cx)).await;
                    pipeline.resume(reply, &mut head)
                }
            };
        };
        if let Some(requirement) = requirement {
            let caller = Caller::of(head.extensions()).and_then(Caller::principal);
            caller
                .and_then(|caller| requirement.judge(caller))
                .map_err(|no| pipeline.told(no))?;
        }
        Ok((head, quota))
    }

    fn fitting(&self, path: &str) -> impl Iterator<Item = &Route> {
        self.routes
            .iter()
            .filter(move |route| route.path.matches(path).is_some())
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

/// To a challenge of Basic a browser answers itself, with a prompt over the page; and on a page's routes no Basic is accepted.
fn drop_prompts(headers: &mut HeaderMap) {
    let is_basic = |line: &HeaderValue| line.as_bytes().to_ascii_lowercase().starts_with(b"basic");
    let lines: Vec<HeaderValue> = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter(|line| !is_basic(line))
        .cloned()
        .collect();
    headers.remove(WWW_AUTHENTICATE);
    headers.extend(lines.into_iter().map(|line| (WWW_AUTHENTICATE, line)));
}

impl fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoints")
            .field(&self.paths().collect::<Vec<_>>())
            .finish()
    }
}
