use super::client_limits::ClientLimits;
use super::connection;
use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// How long a stop waits for the requests in flight.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a server that cannot accept (it has no file descriptors left, say) waits.
const BREATH: Duration = Duration::from_secs(1);

/// A server that has an address and does not answer yet. Made by
/// [`Environment::bind`](super::Environment::bind).
///
/// It waits for no client for ever: not for a head, the next part of a body or a request on an idle
/// connection.
#[derive(Debug)]
#[must_use]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    url: String,
    limits: ClientLimits,
}

impl Server {
    pub(super) fn new(listener: TcpListener, address: SocketAddr, url: String) -> Self {
        Self {
            listener,
            address,
            url,
            limits: ClientLimits::default(),
        }
    }

    /// How clients reach it: `PUBLIC_URL`, or `http://` and the address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How long the head of a request of HTTP/1 may take, counted from the end of the one before;
    /// 30 seconds by default. Then the connection is closed.
    pub fn head_within(mut self, time: Duration) -> Self {
        self.limits.head = time;
        self
    }

    /// How long the next part of a body may take; 30 seconds by default. Then whoever reads the
    /// body gets an error of kind [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn body_within(mut self, time: Duration) -> Self {
        self.limits.body = time;
        self
    }

    /// How long a connection may be without a request under way and with all answers sent; 75
    /// seconds by default. Then it is closed. So is one whose client takes nothing of an answer for
    /// 30 seconds.
    pub fn idle_for(mut self, time: Duration) -> Self {
        self.limits.idle = time;
        self
    }

    /// How many connections there may be at once; 10,000 by default. More wait until one ends.
    pub fn connections(mut self, most: usize) -> Self {
        self.limits.connections = most.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// Prints `listening on http://ADDRESS`, and serves until SIGTERM or Ctrl-C. Then it takes no
    /// more connections, finishes the requests in flight, for at most 30 seconds, and returns.
    ///
    /// # Errors
    ///
    /// The signals cannot be listened to.
    pub async fn run(self, app: Router) -> io::Result<()> {
        // The signals are listened to before the address is printed: whoever reads it may stop the
        // server at once.
        let stop = stop_signal()?;
        println!("listening on http://{}", self.address);
        self.serve(app, stop).await;
        Ok(())
    }

    async fn serve(self, app: Router, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                // OK because the semaphore is never closed.
                // First the place, then the connection. Those that must wait do so in the kernel's
                // queue, where they cost no file descriptor.
                let place = Arc::clone(&places).acquire_owned().await.ok();
                (accept(&self.listener).await, place)
            };
            let ((stream, peer), place) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            // Without this a small answer would wait until the one before it was acknowledged
            // (Nagle's algorithm). An error is ignored: then it waits.
            let _ = stream.set_nodelay(true);
            let served =
                connection::serve(stream, peer, app.clone(), self.limits, graceful.watcher());
            tokio::spawn(async move {
                served.await;
                drop(place);
            });
        }
        // Closed first, so that new clients go to another server while those here are served.
        drop(self.listener);
        // A stream that stays open must not keep the process alive.
        let _ = tokio::time::timeout(PATIENCE, graceful.shutdown()).await;
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {}
            // Without a pause the loop would spin: `accept` fails at once as long as there is no
            // descriptor.
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
}

/// Whether a connection ended before it was accepted, which says nothing of the next one.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const SOON: Duration = Duration::from_millis(200);
    const NEVER: Duration = Duration::from_secs(3_600);

    async fn upload(body: axum::body::Body) -> Result<String, String> {
        let read = axum::body::to_bytes(body, 1_000).await;
        read.map(|bytes| format!("{} bytes", bytes.len()))
            .map_err(|error| format!("broken: {error:?}"))
    }

    /// A server of these limits, which stops with the test.
    async fn start(limit: impl FnOnce(Server) -> Server) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(listener, address, String::new());
        let server = server.head_within(NEVER).body_within(NEVER).idle_for(NEVER);
        let app = Router::new()
            .route("/", get(async || "hello"))
            .route("/", post(upload));
        tokio::spawn(limit(server).serve(app, std::future::pending()));
        address
    }

    /// All that comes until the server closes the connection.
    async fn until_closed(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = stream.read_to_end(&mut answer);
        let closed = tokio::time::timeout(Duration::from_secs(60), closed).await;
        let _ = closed.expect("the server closes the connection");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn who_sends_nothing_or_half_a_head_is_not_waited_for() {
        let heads = start(|server| server.head_within(SOON)).await;
        let idle = start(|server| server.idle_for(SOON)).await;
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for (address, sent) in [
            (idle, ""),
            (idle, "P"),
            (idle, &preface[..10]),
            (idle, preface),
            (idle, "GET / HT"),
            (heads, "GET / HT"),
            (heads, "GET / HTTP/1.1\r\nhost: a\r\n"),
        ] {
            let answer = until_closed(address, sent).await;
            assert!(!answer.contains("hello"), "{sent:?}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_connection_without_a_request_is_closed_after_a_while() {
        let address = start(|server| server.idle_for(SOON)).await;
        let answer = until_closed(address, "GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(answer.ends_with("hello"), "{answer}");
    }

    #[tokio::test]
    async fn half_a_body_is_not_waited_for() {
        let address = start(|server| server.body_within(SOON)).await;
        let head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\n";
        let answer = until_closed(address, &format!("{head}half")).await;
        assert!(answer.contains("TimedOut"), "{answer}");
        let answer = until_closed(address, &format!("{head}0123456789")).await;
        assert!(answer.ends_with("10 bytes"), "{answer}");
    }

    #[tokio::test]
    async fn more_connections_than_there_may_be_wait_until_one_ends() {
        let address = start(|server| server.connections(1)).await;
        let first = TcpStream::connect(address).await.unwrap();
        let ask = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let mut second = tokio_test::task::spawn(until_closed(address, ask));
        for _ in 0..1_000 {
            assert!(second.poll().is_pending(), "it waits");
            tokio::task::yield_now().await;
        }
        drop(first);
        assert!(second.await.ends_with("hello"));
    }
}
