use super::Requirement;
use crate::principal::Caller;
use crate::reject::{Guarded, Rejection, Responder, ResponseBody, Shape};
use crate::telemetry;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Holds the callers of a route against a [`Requirement`]. Made by [`AuthLayer::require`](crate::AuthLayer::require).
///
/// It belongs inside of an [`AuthLayer`](crate::AuthLayer): a request that came past none is a 500, and an anonymous one a 401.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireLayer {
    requirement: Arc<Requirement>,
    /// For requests that came past no layer, which have no responder with them.
    responder: Arc<Responder>,
}

impl RequireLayer {
    pub(crate) fn new(requirement: Requirement, responder: Arc<Responder>) -> Self {
        Self {
            requirement: Arc::new(requirement),
            responder,
        }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service behind a [`RequireLayer`].
#[derive(Clone)]
#[must_use]
pub struct RequireService<S> {
    inner: S,
    layer: RequireLayer,
}

impl<S> RequireService<S> {
    fn judge<B>(&self, request: &Request<B>) -> Result<(), Rejection> {
        let caller = Caller::of(request.extensions())?;
        self.layer.requirement.judge(caller.principal()?)
    }
}

impl<S, B, R> Service<Request<B>> for RequireService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let responder = &self.layer.responder;
        let future = match self.judge(&request) {
            Ok(()) => {
                let shape = Shape::of_http(request.method());
                Guarded::admitted(self.inner.call(request), Arc::clone(responder), shape)
            }
            Err(rejection) => {
                telemetry::refused(&rejection);
                let shape = Shape::of(request.method(), request.headers());
                Guarded::refused(responder.respond(rejection, shape))
            }
        };
        RequireFuture { future }
    }
}

impl<S: fmt::Debug> fmt::Debug for RequireService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of a [`RequireService`].
    pub struct RequireFuture<F, R> {
        #[pin]
        future: Guarded<F, R>,
    }
}

impl<F, R, E> Future for RequireFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx)
    }
}

impl<F, R> fmt::Debug for RequireFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
