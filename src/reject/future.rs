use super::{Rejection, Responder, ResponseBody, Shape};
use crate::throttle::Fields;
use http::Response;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A request behind a step that may refuse: the inner service's future, or the refusal.
    pub(crate) struct Guarded<F, B> {
        #[pin]
        state: State<F, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, B> {
        Admitted { #[pin] future: F, responder: Arc<Responder>, shape: Shape, fields: Option<Fields> },
        Refused { response: Option<Response<ResponseBody<B>>> },
    }
}

impl<F, B> Guarded<F, B> {
    /// `shape` is that of an HTTP refusal: a gRPC handler refuses by a status of its own.
    pub(crate) fn admitted(future: F, responder: Arc<Responder>, shape: Shape) -> Self {
        Self::told(future, responder, shape, None)
    }

    /// As [`admitted`](Self::admitted); the answer, whatever it is, tells how the caller stands with the throttles.
    #[inline(always)] // the future may be large
    pub(crate) fn told(
        future: F,
        responder: Arc<Responder>,
        shape: Shape,
        fields: Option<Fields>,
    ) -> Self {
        Self {
            state: State::Admitted {
                future,
                responder,
                shape,
                fields,
            },
        }
    }

    #[inline(always)]
    pub(crate) fn refused(response: Response<ResponseBody<B>>) -> Self {
        Self {
            state: State::Refused {
                response: Some(response),
            },
        }
    }
}

impl<F, B, E> Future for Guarded<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted {
                future,
                responder,
                shape,
                fields,
            } => {
                let response = ready!(future.poll(cx))?;
                let mut response = render_handlers_refusal(response, responder, *shape);
                if let Some(fields) = fields {
                    fields.write(response.headers_mut());
                }
                Poll::Ready(Ok(response))
            }
            StateProjection::Refused { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Polled again after it was ready, which the contract of `Future` leaves open.
                None => Poll::Pending,
            },
        }
    }
}

/// A handler that returns a [`Rejection`] leaves it in the response's extensions; here it gets the layer's
/// format and challenges.
fn render_handlers_refusal<B>(
    mut response: Response<B>,
    responder: &Responder,
    shape: Shape,
) -> Response<ResponseBody<B>> {
    let refusal = if response.extensions().is_empty() {
        None
    } else {
        response.extensions_mut().remove::<Rejection>()
    };
    match refusal {
        None => {
            responder.add_vary(response.headers_mut());
            response.map(ResponseBody::inner)
        }
        Some(rejection) => responder.respond(rejection, shape),
    }
}
