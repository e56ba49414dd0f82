use super::client_limits::ClientLimits;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use pin_project_lite::pin_project;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower_service::Service;

/// How many requests of one HTTP/2 connection may be under way.
const MOST_STREAMS: u32 = 200;

/// Serves a connection until it ends, or is idle for too long.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    limits: ClientLimits,
    graceful: Watcher,
) {
    let activity = Arc::new(Activity::new());
    let service = PerConnection {
        app,
        peer,
        body: limits.body,
        activity: Arc::clone(&activity),
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        // hyper has a time for the heads of HTTP/1 alone. A connection of HTTP/2 that sends no head
        // is idle, and ends by `Activity`.
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS);
    let service = TowerToHyperService::new(service);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    // Only a connection that is watched is told of a stop, so that it ends after the answer that is
    // under way.
    let connection = graceful.watch(connection.into_owned());
    tokio::select! {
        // An error is not told: how a connection ends is its client's business.
        _ = connection => {}
        () = activity.idle(limits.idle) => {}
    }
}

/// Whether requests of a connection are under way, and since when none is.
struct Activity(Mutex<Latest>);

struct Latest {
    under_way: usize,
    since: Instant,
}

impl Activity {
    fn new() -> Self {
        Self(Mutex::new(Latest {
            under_way: 0,
            since: Instant::now(),
        }))
    }

    fn begin(self: &Arc<Self>) -> UnderWay {
        self.latest().under_way += 1;
        UnderWay(Arc::clone(self))
    }

    /// Returns once no request has been under way for so long: a head that does not come is none.
    async fn idle(&self, most: Duration) {
        loop {
            let end = {
                let latest = self.latest();
                let since = match latest.under_way {
                    0 => latest.since,
                    // While one is under way the connection cannot become idle before it has ended
                    // and this time has passed, so nobody looks earlier.
                    _ => Instant::now(),
                };
                since + most
            };
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }

    // Held for a look or a change, never over an await.
    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way, until its answer is written or given up.
struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut latest = self.0.latest();
        latest.under_way = latest.under_way.saturating_sub(1);
        latest.since = Instant::now();
    }
}

/// The application, for the requests of one connection.
#[derive(Clone)]
struct PerConnection {
    app: Router,
    peer: SocketAddr,
    body: Duration,
    activity: Arc<Activity>,
}

impl<B> Service<Request<B>> for PerConnection
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Counted before the first poll: between the head of a request and its handler the
        // connection must not look idle.
        let under_way = self.activity.begin();
        let within = self.body;
        let mut request = request.map(|body| Body::new(Arriving::new(body, within)));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        // A router is always ready.
        let answered = self.app.call(request);
        Box::pin(async move {
            let response = answered.await?;
            // The request is under way until its body is sent. A download may last longer than the
            // time that an idle connection has.
            Ok(response.map(|body| Body::new(Leaving { body, under_way })))
        })
    }
}

pin_project! {
    /// The body of a request, whose next part comes in time or not at all.
    struct Arriving<B> {
        #[pin]
        body: B,
        within: Duration,
        #[pin]
        end: Option<Sleep>,
    }
}

impl<B> Arriving<B> {
    fn new(body: B, within: Duration) -> Self {
        Self {
            body,
            within,
            end: None,
        }
    }
}

impl<B> HttpBody for Arriving<B>
where
    B: HttpBody<Data = Bytes>,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(cx) {
            this.end.set(None);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        // Each part of the body has the whole time. A timer that is set once would cut off a large
        // upload that makes progress.
        if this.end.is_none() {
            this.end.set(Some(sleep(*this.within)));
        }
        let over = this.end.as_pin_mut().map(|end| end.poll(cx));
        match over {
            Some(Poll::Ready(())) => {
                let late = io::Error::new(io::ErrorKind::TimedOut, "the body did not come in time");
                Poll::Ready(Some(Err(late.into())))
            }
            _ => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project! {
    /// The body of an answer, with which its request ends.
    struct Leaving {
        #[pin]
        body: Body,
        under_way: UnderWay,
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
