use super::Rejection;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// The response body of an [`AuthService`](crate::layer::AuthService): the inner service's, or
    /// a refusal.
    ///
    /// It asks nothing of the inner body but that its data are `Bytes` (axum's, tonic's and
    /// hyper's are), so a refusal can have a body on any stack.
    pub struct ResponseBody<B> {
        #[pin]
        body: Either<B>,
    }
}

pin_project! {
    #[project = EitherProjection]
    enum Either<B> {
        Inner { #[pin] body: B },
        Refused { body: Option<Bytes>, rejection: Rejection },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn inner(body: B) -> Self {
        Self {
            body: Either::Inner { body },
        }
    }

    pub(super) fn refused(body: Bytes, rejection: Rejection) -> Self {
        Self {
            body: Either::Refused {
                // An empty body is none, so that the stream has ended from the beginning and no
                // empty frame is sent.
                body: Some(body).filter(|body| !body.is_empty()),
                rejection,
            },
        }
    }

    /// The refusal, where the layer refused: for layers outside of it that log or count.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match &self.body {
            Either::Inner { .. } => None,
            Either::Refused { rejection, .. } => Some(rejection),
        }
    }
}

impl<B> ResponseBody<ResponseBody<B>> {
    /// The body of a service behind two layers, as that of one.
    #[cfg(feature = "endpoints")]
    pub(crate) fn flattened(self) -> ResponseBody<B> {
        match self.body {
            Either::Inner { body } => body,
            Either::Refused { body, rejection } => ResponseBody {
                body: Either::Refused { body, rejection },
            },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.project().body.project() {
            EitherProjection::Inner { body } => body.poll_frame(cx),
            EitherProjection::Refused { body, .. } => {
                Poll::Ready(body.take().map(|body| Ok(Frame::data(body))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Either::Inner { body } => body.is_end_stream(),
            Either::Refused { body, .. } => body.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Either::Inner { body } => body.size_hint(),
            Either::Refused { body, .. } => {
                SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64))
            }
        }
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::inner(B::default())
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("rejection", &self.rejection())
            .finish_non_exhaustive()
    }
}
