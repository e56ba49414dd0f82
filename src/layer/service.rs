use super::ResponseFuture;
use crate::pipeline::{Mode, Pipeline};
use crate::reject::ResponseBody;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service behind an [`AuthLayer`](crate::AuthLayer).
#[derive(Clone)]
#[must_use]
pub struct AuthService<S> {
    inner: S,
    pipeline: Arc<Pipeline>,
    mode: Mode,
}

impl<S> AuthService<S> {
    pub(super) fn new(inner: S, pipeline: Arc<Pipeline>, mode: Mode) -> Self {
        Self {
            inner,
            pipeline,
            mode,
        }
    }
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
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
        let Self {
            inner,
            pipeline,
            mode,
        } = self;
        ResponseFuture::new(inner, request, pipeline, |request| {
            pipeline.decide(*mode, request)
        })
    }
}

impl<S: fmt::Debug> fmt::Debug for AuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService")
            .field("inner", &self.inner)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
