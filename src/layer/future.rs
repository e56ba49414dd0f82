use crate::pipeline::{Decision, Pipeline, Question};
use crate::reject::{Guarded, ResponseBody, Shape};
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The future of an [`AuthService`](crate::AuthService) and of a [`ThrottleService`](crate::ThrottleService).
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
    question: Question,
    ready: S,
    request: Request<B>,
    pipeline: Arc<Pipeline>,
}

impl<S, B, R> ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    /// Decides on a request, and carries that out. `inner` has been polled ready.
    #[inline(always)] // requests are large, and each call that is left moves one
    pub(crate) fn new(
        inner: &mut S,
        mut request: Request<B>,
        pipeline: &Arc<Pipeline>,
        decide: impl FnOnce(&mut Request<B>) -> Decision,
    ) -> Self {
        match decide(&mut request) {
            Decision::Admit(fields) => {
                let (responder, shape) = (
                    Arc::clone(&pipeline.responder),
                    Shape::of_http(request.method()),
                );
                Self {
                    state: State::Decided {
                        future: Guarded::told(inner.call(request), responder, shape, fields),
                    },
                }
            }
            Decision::Refuse(rejection) => {
                let shape = Shape::of(request.method(), request.headers());
                let response = pipeline.responder.respond(rejection, shape);
                Self {
                    state: State::Decided {
                        future: Guarded::refused(response),
                    },
                }
            }
            Decision::Ask(question) => {
                // The instance that was polled ready is the one to call; its clone has yet to be polled.
                let clone = inner.clone();
                let ready = mem::replace(inner, clone);
                let pipeline = Arc::clone(pipeline);
                Self {
                    state: State::Asking {
                        held: Some(Box::new(Held {
                            question,
                            ready,
                            request,
                            pipeline,
                        })),
                    },
                }
            }
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Decided { future } => return future.poll(cx),
                StateProjection::Asking { held } => {
                    let Some(waiting) = held else {
                        return Poll::Pending;
                    };
                    let reply = ready!(waiting.question.poll(cx));
                    let Some(held) = held.take() else {
                        return Poll::Pending;
                    };
                    let Held {
                        mut ready,
                        request,
                        pipeline,
                        ..
                    } = *held;
                    Self::new(&mut ready, request, &pipeline, |request| {
                        pipeline.resume(reply, request)
                    })
                }
            };
            self.set(next);
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
