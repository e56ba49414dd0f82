use crate::pipeline::{Decision, Door, Question, Refused, Visit};
use crate::reject::ResponseBody;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The future of an [`AuthService`](crate::layer::AuthService).
    pub struct ResponseFuture<F, S, B> {
        #[pin]
        state: State<F, S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, S, B> {
        Admitted { #[pin] future: F, door: Arc<Door>, visit: Visit },
        // Its answer is made when it is asked for: it is larger than what it is made of.
        Refused { refused: Option<(Refused, Arc<Door>)> },
        // Boxed, lest every request pay for the size of the few that wait.
        Asking { held: Option<Box<Held<S, B>>> },
    }
}

/// A request that waits for an answer, and what is to have it.
struct Held<S, B> {
    question: Question,
    ready: S,
    request: Request<B>,
    door: Arc<Door>,
}

impl<S, B, R> ResponseFuture<S::Future, S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    /// Carries out what was decided on a request. `inner` has been polled ready.
    #[inline(always)] // requests are large, and each call that is left moves one
    pub(super) fn new(
        inner: &mut S,
        request: Request<B>,
        door: &Arc<Door>,
        decision: Decision,
    ) -> Self {
        match decision {
            Decision::Admit(admitted) => {
                let mut visit = door.visit(&request, admitted);
                let inside = door.inside(&mut visit);
                let future = inner.call(request);
                drop(inside);
                Self::admitted(future, door, visit)
            }
            Decision::Refuse(refusal) => {
                let refused = door.refuse(refusal, &request);
                Self {
                    state: State::Refused {
                        refused: Some((refused, Arc::clone(door))),
                    },
                }
            }
            Decision::Ask(question) => {
                // The instance that was polled ready is the one to call; its clone has yet to be
                // polled.
                let clone = inner.clone();
                let ready = mem::replace(inner, clone);
                let door = Arc::clone(door);
                Self {
                    state: State::Asking {
                        held: Some(Box::new(Held {
                            question,
                            ready,
                            request,
                            door,
                        })),
                    },
                }
            }
        }
    }

    /// Of a request that has gone to the inner service.
    #[inline(always)] // as `new`
    pub(super) fn admitted(future: S::Future, door: &Arc<Door>, visit: Visit) -> Self {
        Self {
            state: State::Admitted {
                future,
                door: Arc::clone(door),
                visit,
            },
        }
    }

    /// What comes of a request once its question is answered; never, where that was told before.
    #[cold]
    fn resumed(held: &mut Option<Box<Held<S, B>>>, cx: &mut Context<'_>) -> Poll<Self> {
        let Some(waiting) = held else {
            return Poll::Pending;
        };
        let reply = ready!(waiting.question.poll(cx));
        let Some(held) = held.take() else {
            return Poll::Pending;
        };
        let Held {
            mut ready,
            mut request,
            door,
            ..
        } = *held;
        let decision = door.resume(reply, &mut request);
        Poll::Ready(Self::new(&mut ready, request, &door, decision))
    }
}

impl<S, B, R> Future for ResponseFuture<S::Future, S, B>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    #[inline(always)] // responses are large, and each call that is left moves one
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project().state.project() {
                StateProjection::Admitted {
                    future,
                    door,
                    visit,
                } => {
                    let inside = door.inside(visit);
                    let polled = future.poll(cx);
                    drop(inside);
                    let response = ready!(polled)?;
                    return Poll::Ready(Ok(door.answered(response, visit)));
                }
                StateProjection::Refused { refused } => {
                    return match refused.take() {
                        Some((refused, door)) => Poll::Ready(Ok(door.refused(refused))),
                        // Polled again after it was ready, which the contract of `Future` leaves
                        // open.
                        None => Poll::Pending,
                    };
                }
                StateProjection::Asking { held } => ready!(Self::resumed(held, cx)),
            };
            // Polled at once: nothing has the waker of this task yet, so nobody would wake it for
            // the new state.
            self.set(next);
        }
    }
}

impl<F, S, B> fmt::Debug for ResponseFuture<F, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
