//! A server on a loopback socket, and three ways to ask: raw bytes, HTTP/2 and a call of the
//! service itself.

use super::case::Case;
use crate::support::{Reply, reply};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tower::{Service, ServiceExt};
use tower_auth::{AuthLayer, Principal};
use tower_layer::Layer;

/// Answers with the caller's method and subject, counts its calls, and writes down all it can see.
#[derive(Clone, Default)]
pub(super) struct Witness {
    calls: Arc<AtomicUsize>,
    seen: Arc<Mutex<String>>,
}

impl Witness {
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The `Debug` of the header fields and the principals of all requests since the last call.
    pub(super) fn take_seen(&self) -> String {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl<B> Service<Request<B>> for Witness {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let caller = Principal::optional_from_extensions(request.extensions()).unwrap();
        let key = caller.as_ref().and_then(Principal::key);
        let (headers, extensions) = (request.headers(), request.extensions());
        writeln!(
            self.seen.lock().unwrap(),
            "{headers:?} {extensions:?} {caller:?} {key:?}"
        )
        .unwrap();
        let text = match caller {
            _ if request.method() == Method::HEAD => String::new(),
            Some(caller) => format!("{:?} {}", caller.method(), caller.subject()),
            None => String::from("anonymous"),
        };
        ready(Ok(Response::new(Full::from(text))))
    }
}

/// A server of HTTP/1 and HTTP/2 that ends with the test.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    accept: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Running {
    pub(super) async fn start(layer: &AuthLayer, witness: Witness) -> Self {
        let service = layer.layer(witness);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accept = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(service.clone());
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no failure of the server.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, accept }
    }

    /// Field lines as they are, on a connection of their own.
    pub(super) async fn http1(&self, method: &str, target: &str, headers: &[u8]) -> Reply {
        http1(self.address, method, target, headers).await
    }

    pub(super) async fn http2(&self) -> Http2 {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        Http2(
            client,
            tokio::spawn(async move { connection.await.unwrap() }),
        )
    }
}

pub(super) struct Http2(http2::SendRequest<Full<Bytes>>, JoinHandle<()>);

impl Drop for Http2 {
    fn drop(&mut self) {
        self.1.abort();
    }
}

impl Http2 {
    /// `None` where a field cannot be expressed, or the head is longer than a server takes over
    /// HTTP/2.
    pub(super) async fn ask(&mut self, case: &Case) -> Option<Reply> {
        let fits = case.headers.len() < 12_000 && case.target.starts_with('/');
        let request = case.request("http://localhost").filter(|_| fits)?;
        self.0.ready().await.unwrap();
        Some(reply(in_time(self.0.send_request(request)).await.unwrap()).await)
    }
}

/// Without any server. `None` where a field cannot be expressed.
pub(super) async fn direct(layer: &AuthLayer, witness: &Witness, case: &Case) -> Option<Reply> {
    let request: Request<Full<Bytes>> = case.request("")?;
    Some(reply(layer.layer(witness.clone()).oneshot(request).await.unwrap()).await)
}

pub(super) async fn http1(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[u8],
) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n").into_bytes();
    request.extend_from_slice(headers);
    request.extend_from_slice(b"Connection: close\r\n\r\n");
    let mut answer = Vec::new();
    let exchange = async {
        stream.write_all(&request).await?;
        stream.read_to_end(&mut answer).await
    };
    in_time(exchange).await.unwrap();
    parse(&answer)
}

/// A server that hangs is a failure, not a test that hangs.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work)
        .await
        .expect("an answer in time")
}

fn parse(answer: &[u8]) -> Reply {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole head");
    let (head, body) = (
        std::str::from_utf8(&answer[..end]).unwrap(),
        &answer[end + 4..],
    );
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let status = status.parse::<StatusCode>().unwrap();
    Reply {
        status,
        headers,
        body: Bytes::copy_from_slice(body),
    }
}
