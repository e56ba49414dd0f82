use crate::principal::{Caller, Principal};
use crate::reject::{Guarded, Rejection, Responder, ResponseBody, Shape};
use crate::scheme::PendingAnswer;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The future of an [`AuthService`](crate::AuthService).
    pub struct ResponseFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B, R>
    where
        S: Service<Request<B>>,
    {
        Decided { #[pin] future: Guarded<S::Future, R> },
        // Boxed, lest every request pay for the size of the few that wait.
        Asking { held: Option<Box<Held<S, B>>> },
    }
}

/// A request that waits for an answer, and what is to have it.
struct Held<S, B> {
    answer: PendingAnswer,
    ready: S,
    request: Request<B>,
    responder: Arc<Responder>,
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
{
    pub(super) fn admitted(future: S::Future, responder: Arc<Responder>, shape: Shape) -> Self {
        Self { state: State::Decided { future: Guarded::admitted(future, responder, shape) } }
    }

    pub(super) fn refused(response: Response<ResponseBody<R>>) -> Self {
        Self { state: State::Decided { future: Guarded::refused(response) } }
    }

    pub(super) fn asking(
        answer: PendingAnswer,
        ready: S,
        request: Request<B>,
        responder: Arc<Responder>,
    ) -> Self {
        Self { state: State::Asking { held: Some(Box::new(Held { answer, ready, request, responder })) } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let future = match self.as_mut().project().state.project() {
                StateProjection::Decided { future } => return future.poll(cx),
                StateProjection::Asking { held } => {
                    let Some(waiting) = held else { return Poll::Pending };
                    let answer = ready!(waiting.answer.as_mut().poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    held.proceed(answer)
                }
            };
            self.as_mut().project().state.set(State::Decided { future });
        }
    }
}

impl<S, B, R> Held<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    fn proceed(self, answer: Result<Principal, Rejection>) -> Guarded<S::Future, R> {
        let Self { mut ready, mut request, responder, .. } = self;
        match answer {
            Ok(principal) => {
                request.extensions_mut().insert(Caller(Some(principal)));
                let shape = Shape::of_http(request.method());
                Guarded::admitted(ready.call(request), responder, shape)
            }
            Err(rejection) => {
                let shape = Shape::of(request.method(), request.headers());
                Guarded::refused(responder.respond(rejection, shape))
            }
        }
    }
}

impl<S, B, R> fmt::Debug for ResponseFuture<S, B, R>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
