use super::stack::Stack;
use crate::layer::ResponseFuture;
use crate::pipeline::Pipeline;
use crate::reject::ResponseBody;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Counts the requests of a route. Made by [`AuthLayer::throttle`](crate::AuthLayer::throttle).
///
/// It belongs inside of an [`AuthLayer`](crate::AuthLayer): a request that came past none is a 500. Clones count together.
#[derive(Clone)]
#[must_use]
pub struct ThrottleLayer {
    stack: Arc<Stack>,
    pipeline: Arc<Pipeline>,
}

impl ThrottleLayer {
    pub(crate) fn new(stack: Stack, pipeline: Arc<Pipeline>) -> Self {
        Self {
            stack: Arc::new(stack),
            pipeline,
        }
    }
}

impl<S> Layer<S> for ThrottleLayer {
    type Service = ThrottleService<S>;

    fn layer(&self, inner: S) -> ThrottleService<S> {
        ThrottleService {
            inner,
            layer: self.clone(),
        }
    }
}

impl fmt::Debug for ThrottleLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleLayer")
            .field("throttles", &self.stack)
            .finish_non_exhaustive()
    }
}

/// A service behind a [`ThrottleLayer`].
#[derive(Clone)]
#[must_use]
pub struct ThrottleService<S> {
    inner: S,
    layer: ThrottleLayer,
}

impl<S, B, R> Service<Request<B>> for ThrottleService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let ThrottleLayer { stack, pipeline } = &self.layer;
        ResponseFuture::new(&mut self.inner, request, pipeline, |request| {
            pipeline.throttle_route(stack, request)
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for ThrottleService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
