use super::ResponseFuture;
use crate::pipeline::{Decision, Door};
use crate::reject::ResponseBody;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// A service behind an [`AuthLayer`](crate::AuthLayer).
///
/// Keep one for each thread or connection, as servers do: from its second request on, an instance
/// counts its requests under way by itself, so that no two threads write the same counter.
#[must_use]
pub struct AuthService<S> {
    inner: S,
    door: Arc<Door>,
    served: Served,
}

/// How many requests an instance has served: what a clone for one request costs, as axum makes
/// them, must not be more than an `Arc`.
enum Served {
    /// None. The door is that of whatever this was cloned from.
    None,
    /// One, and the door is still shared.
    One,
    /// More, and the door is this instance's own: nobody else touches its counter.
    More,
}

impl<S> AuthService<S> {
    pub(super) fn new(inner: S, door: Arc<Door>) -> Self {
        Self {
            inner,
            door,
            served: Served::None,
        }
    }

    #[cold]
    fn count(&mut self) {
        self.served = match self.served {
            Served::None => Served::One,
            Served::One | Served::More => {
                // A request under way holds the door, and counts in its `Arc`. Were that shared,
                // all threads would write the one counter.
                self.door = Arc::new(Door::clone(&self.door));
                Served::More
            }
        };
    }
}

impl<S: Clone> Clone for AuthService<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.door))
    }
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !matches!(self.served, Served::More) {
            self.count();
        }
        let Self { inner, door, .. } = self;
        match door.decide(&mut request) {
            // Not left to `ResponseFuture::new`: a request is large, and each function that it is
            // handed to copies it.
            Decision::Admit(admitted) => {
                let mut visit = door.visit(&request, admitted);
                // A gate that stands directly in this one decides, and tells, while it is called.
                let inside = door.inside(&mut visit);
                let future = inner.call(request);
                drop(inside);
                ResponseFuture::admitted(future, door, visit)
            }
            decision => ResponseFuture::new(inner, request, door, decision),
        }
    }
}

/// A server of tonic takes it as the service that it is around.
#[cfg(feature = "tonic")]
impl<S: tonic::server::NamedService> tonic::server::NamedService for AuthService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: fmt::Debug> fmt::Debug for AuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService")
            .field("inner", &self.inner)
            .field("door", &self.door)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Attempt;
    use crate::layer::auth_layer::AuthLayer;
    use crate::scheme::{Answer, Scheme};
    use tower_layer::Layer;

    struct Nobody;

    impl Scheme for Nobody {
        fn name(&self) -> &'static str {
            "Nobody"
        }

        fn authenticate(&self, _: &Attempt<'_>) -> Answer {
            Answer::NotPresented
        }
    }

    #[derive(Clone)]
    struct Never;

    impl Service<Request<()>> for Never {
        type Response = Response<()>;
        type Error = std::convert::Infallible;
        type Future = std::future::Pending<Result<Response<()>, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            std::future::pending()
        }
    }

    #[test]
    fn from_its_second_request_on_an_instance_counts_by_itself() {
        let auth = AuthLayer::builder().accept(Nobody).optional().build();
        let mut service = auth.unwrap().layer(Never);
        let shared = Arc::clone(&service.door);
        let before = Arc::strong_count(&shared);

        let first = service.call(Request::new(()));
        assert_eq!(Arc::strong_count(&shared), before + 1);
        let later: Vec<_> = (0..3).map(|_| service.call(Request::new(()))).collect();
        // What the service had of the shared one is given back.
        assert_eq!(Arc::strong_count(&shared), before);
        assert_eq!(Arc::strong_count(&service.door), 1 + later.len());

        drop(first);
        drop(later);
        drop(service);
        assert_eq!(Arc::strong_count(&shared), before - 1);
    }
}
