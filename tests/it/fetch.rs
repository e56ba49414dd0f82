//! `HttpClient` against servers that do what they like, on the loopback interface.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_auth::fetch::{Fetch, FetchError, HttpClient, LearnedHost};

const LONGEST: usize = 64 * 1024;

/// What a server does once it has read a request.
#[derive(Clone)]
enum Does {
    /// Writes this, and closes.
    Writes(Vec<u8>),
    /// Writes this, and nothing more, ever.
    WritesAndHangs(Vec<u8>),
    /// Writes the first, and then the second over and over.
    WritesForEver(Vec<u8>, Vec<u8>),
}

struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        let requests = Arc::clone(&server.requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, does.clone(), Arc::clone(&requests)));
            }
        });
        server
    }

    /// One that answers with this status line, these fields and this body.
    async fn answering(status: &str, fields: &str, body: &str) -> Self {
        Self::start(Does::Writes(whole(status, fields, body))).await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn whole(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\n{fields}content-length: {length}\r\n\r\n{body}");
    text.into_bytes()
}

async fn serve(mut stream: TcpStream, does: Does, requests: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    requests.lock().unwrap().push(text);
    match does {
        Does::Writes(answer) => {
            let _ = stream.write_all(&answer).await;
        }
        Does::WritesAndHangs(answer) => {
            let _ = stream.write_all(&answer).await;
            std::future::pending().await
        }
        Does::WritesForEver(first, more) => {
            let _ = stream.write_all(&first).await;
            // Until the client has had enough.
            while stream.write_all(&more).await.is_ok() {}
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

fn learned(url: &str) -> Request<Bytes> {
    let mut request = get(url);
    request.extensions_mut().insert(LearnedHost);
    request
}

async fn fetched(request: Request<Bytes>) -> Result<Response<Bytes>, FetchError> {
    HttpClient::new().fetch(request, LONGEST).await
}

#[tokio::test]
async fn a_response_comes_as_it_is_whatever_its_status() {
    for (status, code) in [
        ("200 OK", 200),
        ("404 Not Found", 404),
        ("500 Oh", 500),
        ("401 No", 401),
    ] {
        let fields = "etag: \"1\"\r\ncache-control: max-age=9\r\n";
        let server = Server::answering(status, fields, "planted").await;
        let response = fetched(get(&server.url("/jwks?a=b"))).await.unwrap();
        assert_eq!(response.status().as_u16(), code);
        assert_eq!(response.headers()["etag"], "\"1\"");
        assert_eq!(response.headers()["cache-control"], "max-age=9");
        assert_eq!(response.body(), "planted");
        let request = server.requests.lock().unwrap()[0].clone();
        assert!(
            request.starts_with("GET /jwks?a=b HTTP/1.1\r\n"),
            "{request}"
        );
        assert!(request.contains("user-agent: tower-auth/"), "{request}");
        assert!(!request.contains("accept-encoding"), "{request}");
        assert!(!request.contains("referer"), "{request}");
    }
    let unchanged = Does::Writes(b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n".to_vec());
    let server = Server::start(unchanged).await;
    let mut request = get(&server.url("/"));
    let tag = "\"1\"".parse().unwrap();
    request.headers_mut().insert("if-none-match", tag);
    let response = fetched(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    let request = server.requests.lock().unwrap()[0].clone();
    assert!(request.contains("if-none-match: \"1\"\r\n"), "{request}");
}

#[tokio::test]
async fn a_form_is_posted_with_what_it_carries() {
    let server = Server::answering("200 OK", "", "{\"active\":false}").await;
    let request = Request::post(server.url("/introspect"))
        .header("authorization", "Basic dGVzdHM6b25seQ==")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(
            b"token=abc&token_type_hint=access_token",
        ))
        .unwrap();
    let response = fetched(request).await.unwrap();
    assert_eq!(response.body(), "{\"active\":false}");
    let request = server.requests.lock().unwrap()[0].clone();
    assert!(
        request.starts_with("POST /introspect HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("authorization: Basic dGVzdHM6b25seQ==\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\ntoken=abc&token_type_hint=access_token"),
        "{request}"
    );
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for status in ["301 A", "302 B", "303 C", "307 D", "308 E"] {
        let target = Server::answering("200 OK", "", "{}").await;
        let location = format!("location: {}\r\n", target.url("/elsewhere"));
        let server = Server::answering(status, &location, "").await;
        let response = fetched(get(&server.url("/"))).await.unwrap();
        assert!(response.status().is_redirection(), "{status}");
        assert_eq!(
            (server.connections(), target.connections()),
            (1, 0),
            "{status}"
        );
    }
}

/// How a body is put into a response.
type Form<'a> = &'a dyn Fn(&str) -> Vec<u8>;

#[tokio::test]
async fn a_body_may_have_its_length_and_not_a_byte_more() {
    let chunked = |body: &str| {
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n").into_bytes()
    };
    let closed = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
    let fits = "x".repeat(LONGEST);
    let exceeds = "x".repeat(LONGEST + 1);
    let forms: [(&str, Form<'_>); 3] = [
        ("content-length", &|body| whole("200 OK", "", body)),
        ("chunked", &chunked),
        ("until it is closed", &closed),
    ];
    for (name, form) in forms {
        let server = Server::start(Does::Writes(form(&fits))).await;
        let response = fetched(get(&server.url("/"))).await.unwrap();
        assert_eq!(response.body().len(), LONGEST, "{name}");
        let server = Server::start(Does::Writes(form(&exceeds))).await;
        let error = fetched(get(&server.url("/"))).await.unwrap_err();
        assert_eq!(error.to_string(), "the body is too long", "{name}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_left_when_it_is_too_long() {
    let head = |fields: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n").into_bytes();
    let filling = vec![b'x'; 4096];
    let chunk = [b"1000\r\n", filling.as_slice(), b"\r\n"].concat();
    let cases = [
        (
            "a length that is too long",
            head("content-length: 10000000000\r\n"),
            filling.clone(),
        ),
        ("chunks", head("transfer-encoding: chunked\r\n"), chunk),
        ("neither", head(""), filling),
    ];
    for (name, first, more) in cases {
        let server = Server::start(Does::WritesForEver(first, more)).await;
        let error = fetched(get(&server.url("/"))).await.unwrap_err();
        assert_eq!(error.to_string(), "the body is too long", "{name}");
    }
}

#[tokio::test]
async fn what_is_no_whole_response_is_an_error_that_repeats_nothing_of_it() {
    let cases = [
        ("nothing", Vec::new()),
        ("no HTTP", b"planted planted\r\n\r\n".to_vec()),
        ("SSH", b"SSH-2.0-planted\r\n".to_vec()),
        (
            "a head that is cut off",
            b"HTTP/1.1 200 OK\r\nplanted: pl".to_vec(),
        ),
        (
            "a body that is cut off",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nplanted".to_vec(),
        ),
        (
            "chunks that are cut off",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\nplanted\r\n".to_vec(),
        ),
        (
            "a chunk of no size",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nplanted\r\n".to_vec(),
        ),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 7\r\n\r\nplanted".to_vec(),
        ),
    ];
    for (name, answer) in cases {
        let server = Server::start(Does::Writes(answer)).await;
        let error = fetched(get(&server.url("/?secret=planted")))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "the request failed", "{name}");
        assert!(
            !format!("{error:?}").contains("planted"),
            "{name}: {error:?}"
        );
    }
    let head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let endless = Does::WritesForEver(head, b"planted: planted\r\n".to_vec());
    let server = Server::start(endless).await;
    assert!(
        fetched(get(&server.url("/"))).await.is_err(),
        "fields without end"
    );
}

/// With a paused clock time passes when nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_silent_at_any_point_is_left_after_five_seconds() {
    let cases: [(&str, &[u8]); 4] = [
        ("from the start", b""),
        ("in the head", b"HTTP/1.1 200 OK\r\ncontent"),
        (
            "after the head",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
        ),
        (
            "in the body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{",
        ),
    ];
    for (name, answer) in cases {
        let server = Server::start(Does::WritesAndHangs(answer.to_vec())).await;
        let began = tokio::time::Instant::now();
        assert!(fetched(get(&server.url("/"))).await.is_err(), "{name}");
        let waited = began.elapsed().as_secs();
        assert!((3..=5).contains(&waited), "{name}: {waited}");
    }
}

#[tokio::test]
async fn what_comes_compressed_stays_so() {
    for encoding in ["gzip", "br", "deflate", "zstd"] {
        let field = format!("content-encoding: {encoding}\r\n");
        let server = Server::answering("200 OK", &field, "no such stream").await;
        let response = fetched(get(&server.url("/"))).await.unwrap();
        assert_eq!(response.body(), "no such stream", "{encoding}");
    }
}

#[tokio::test]
async fn a_url_that_breaks_a_rule_is_not_connected_to() {
    let server = Server::answering("200 OK", "", "{}").await;
    let port = server.address.port();
    let urls = [
        "http://login.example.com/".to_owned(),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://anna@127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        "/relative".to_owned(),
    ];
    for url in urls {
        let error = fetched(get(&url)).await.unwrap_err().to_string();
        assert!(error.contains("URL"), "{url}: {error}");
    }
    assert_eq!(server.connections(), 0);
    // 0.0.0.0 is this machine, but says so to nobody else.
    let url = format!("http://0.0.0.0:{port}/");
    let said = HttpClient::new().dangerous();
    assert_eq!(said.fetch(get(&url), LONGEST).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_host_that_a_document_named_is_connected_to_at_public_addresses_alone() {
    let server = Server::answering("200 OK", "", "{}").await;
    let port = server.address.port();
    for host in ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "[::1]"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let error = fetched(learned(&url)).await.unwrap_err();
            let told = format!("{error:?}");
            assert!(told.contains("is not public"), "{url}: {told}");
        }
    }
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
    ] {
        let url = format!("https://{host}:{port}/");
        let told = format!("{:?}", fetched(learned(&url)).await.unwrap_err());
        assert!(told.contains("is not public"), "{url}: {told}");
    }
    assert_eq!(server.connections(), 0);
    // The same, where the operator named it.
    let url = format!("http://localhost:{port}/");
    assert_eq!(fetched(get(&url)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_speaks_no_tls_is_not_taken_for_https() {
    let server = Server::answering("200 OK", "", "{}").await;
    let url = format!("https://{}/", server.address);
    assert!(fetched(get(&url)).await.is_err());
}

/// In a process of its own, whose environment names a proxy at which nobody listens.
#[test]
fn no_proxy_of_the_environment_is_used() {
    let proxy = "http://127.0.0.1:1";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fetch::a_form_is_posted_with_what_it_carries"])
        .env("http_proxy", proxy)
        .env("HTTP_PROXY", proxy)
        .env("https_proxy", proxy)
        .env("HTTPS_PROXY", proxy)
        .env("all_proxy", proxy)
        .env("ALL_PROXY", proxy)
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output();
    let output = output.unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("1 passed"), "{told}");
}
