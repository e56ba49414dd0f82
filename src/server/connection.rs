use super::activity::{Activity, UnderWay};
use super::client_limits::ClientLimits;
use super::watched::Watched;
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
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};
use tower_service::Service;

/// How many requests of one HTTP/2 connection may be under way.
const MOST_STREAMS: u32 = 200;
/// hyper adds the time for a head to that of now, which must not overflow.
const LONGEST_HEAD: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Serves a connection until it ends, is idle for too long, or its client takes nothing any more.
pub(super) async fn serve<S>(
    stream: S,
    peer: SocketAddr,
    app: Router,
    limits: ClientLimits,
    graceful: Watcher,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
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
        .header_read_timeout(limits.head.min(LONGEST_HEAD));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MOST_STREAMS);
    let service = TowerToHyperService::new(service);
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let connection = builder.serve_connection_with_upgrades(stream, service);
    // Only a connection that is watched is told of a stop, so that it ends after the answer that is
    // under way.
    let connection = graceful.watch(connection.into_owned());
    tokio::select! {
        // An error is not told: how a connection ends is its client's business.
        _ = connection => {}
        () = activity.idle(limits.idle) => {}
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
            // The request is under way until its body is handed over, and what is written of it
            // after that is watched by the stream. A download may last longer than the time that an
            // idle connection has.
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use hyper_util::server::graceful::GracefulShutdown;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    const SIZE: usize = 8 * 1024 * 1024;

    /// A body whose parts never end.
    struct Endless;

    impl HttpBody for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'a'; 1024])))))
        }
    }

    async fn echo(body: Bytes) -> Bytes {
        body
    }

    /// A connection of which the network keeps 64 KiB.
    struct Connected {
        client: DuplexStream,
        serving: JoinHandle<()>,
        /// Its end would be a stop of the server.
        _graceful: GracefulShutdown,
    }

    fn connect(app: Router, limits: ClientLimits) -> Connected {
        let (client, stream) = duplex(64 * 1024);
        let graceful = GracefulShutdown::new();
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        Connected {
            client,
            serving: tokio::spawn(serve(stream, peer, app, limits, graceful.watcher())),
            _graceful: graceful,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_download_lasts_longer_than_an_idle_connection() {
        let app = Router::new().route("/", get(async || vec![b'a'; SIZE]));
        let limits = ClientLimits {
            idle: Duration::from_secs(1),
            ..ClientLimits::default()
        };
        let mut connected = connect(app, limits);
        connected.client.write_all(REQUEST).await.unwrap();
        let mut read = Vec::new();
        let mut part = vec![0; 64 * 1024];
        loop {
            let length = connected.client.read(&mut part).await.unwrap();
            if length == 0 {
                break;
            }
            read.extend_from_slice(&part[..length]);
            sleep(Duration::from_secs(10)).await;
        }
        let head = read.windows(4).position(|four| four == b"\r\n\r\n");
        assert_eq!(read.len() - head.unwrap() - 4, SIZE);
        // It is idle afterwards.
        connected.serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_of_an_answer_is_not_waited_for() {
        let whole = get(async || vec![b'a'; SIZE]);
        let streamed = get(async || Body::new(Endless));
        for (name, answer) in [("whole", whole), ("streamed", streamed)] {
            let limits = ClientLimits {
                idle: Duration::MAX,
                ..ClientLimits::default()
            };
            let mut connected = connect(Router::new().route("/", answer), limits);
            connected.client.write_all(REQUEST).await.unwrap();
            let ended = tokio::time::timeout(Duration::from_secs(300), connected.serving).await;
            ended.expect(name).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_times_are_times_without_an_end() {
        let app = Router::new().route("/", post(echo));
        let limits = ClientLimits {
            head: Duration::MAX,
            body: Duration::MAX,
            idle: Duration::MAX,
            ..ClientLimits::default()
        };
        let mut connected = connect(app, limits);
        for part in [
            "POST / HTTP/1.1\r\n",
            "host: a\r\ncontent-length: 5\r\n\r\n",
            "hello",
        ] {
            sleep(Duration::from_secs(100_000)).await;
            connected.client.write_all(part.as_bytes()).await.unwrap();
        }
        let mut answer = vec![0; 1024];
        let length = connected.client.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.ends_with("hello"), "{answer}");
    }
}
