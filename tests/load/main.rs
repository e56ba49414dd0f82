//! The five systems under load, keys and tokens mixed: every answer is the expected one, and memory
//! does not grow.
//!
//! ```text
//! load [SECONDS [SYSTEM…]]      a minute each, unless told otherwise; `.ci/load` builds what it needs
//! ```
//!
//! Each of some connections signs in and makes a key, and then sends, one request after the other,
//! its key and its token by turns. Once in a while it refreshes its token. What a request was
//! answered first is what it has to be answered each time. Of memory the resident set is compared:
//! after a quarter of the time, when all that is bounded should be there, and at the end.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

#[expect(
    dead_code,
    reason = "of a process its start, its id and its end matter here"
)]
#[path = "../it/process.rs"]
mod process;

#[path = "../it/systems/paths.rs"]
mod paths;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use paths::{Paths, systems};
use process::Example;
use serde_json::{Value, json};
use std::num::NonZeroU64;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tower_auth::clock::{Clock, SystemClock};

const CONNECTIONS: usize = 16;
/// So many requests of a connection are sent with one access token.
const REFRESHED_AFTER: u64 = 1_000;
/// What the resident set may differ by, in kB: pages that the allocator came to need.
const GROWTH: u64 = 2_048;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds: NonZeroU64 = arguments
        .next()
        .as_deref()
        .unwrap_or("60")
        .parse()
        .expect("a number of seconds");
    let names: Vec<String> = arguments.collect();
    let mut systems = Vec::from(systems());
    if !names.is_empty() {
        systems.retain(|system| names.iter().any(|name| name == system.name));
        assert_eq!(systems.len(), names.len(), "an unknown system");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    println!("| system | requests | a second | errors | MB after warm-up | MB at the end |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut holds = true;
    for system in &systems {
        holds &= runtime.block_on(load(system, Duration::from_secs(seconds.get())));
    }
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn load(system: &Paths, duration: Duration) -> bool {
    let variables = [
        ("THROTTLE_RATE", "1000000000/day"),
        ("JWT_SECRET", "for a load only: 8Yw2nQpL0vKx7RzT"),
    ];
    let server = Example::start_with(system.name, &variables);
    let mut callers = Vec::new();
    for _ in 0..CONNECTIONS {
        callers.push(Caller::of(system, &server.url).await);
    }
    let start = Instant::now();
    let mut tasks: JoinSet<Tally> = callers
        .into_iter()
        .map(|caller| caller.call_until(start + duration))
        .collect();
    sleep_until(start + duration / 4).await;
    let warm = resident(&server);
    sleep_until(start + duration).await;
    let end = resident(&server);

    let mut tally = Tally::default();
    while let Some(ended) = tasks.join_next().await {
        tally.add(ended.unwrap());
    }
    let Tally {
        requests,
        errors,
        first,
    } = tally;
    let rate = requests / duration.as_secs();
    let [warm_mb, end_mb] = [warm, end].map(|kilobytes| kilobytes as f64 / 1_024.0);
    println!(
        "| {} | {requests} | {rate} | {errors} | {warm_mb:.1} | {end_mb:.1} |",
        system.name
    );
    if let Some(first) = first {
        println!("{}: {first}", system.name);
    }
    let grew = end > warm + GROWTH;
    if grew {
        println!("{}: {} kB more than after warm-up", system.name, end - warm);
    }
    server.terminate().success() && errors == 0 && !grew
}

/// Its resident set in kB.
fn resident(server: &Example) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[derive(Default)]
struct Tally {
    requests: u64,
    errors: u64,
    /// What was wrong first.
    first: Option<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.first = self.first.take().or(other.first);
    }

    fn count(&mut self, problem: Option<String>) {
        self.requests += 1;
        self.errors += u64::from(problem.is_some());
        self.first = self.first.take().or(problem);
    }
}

/// A connection, and what is sent on it.
struct Caller {
    connection: Connection,
    keyed: Ask,
    guarded: Ask,
    refresh: Ask,
}

struct Ask {
    path: &'static str,
    auth: String,
    body: Value,
    /// What it was answered first.
    expected: Bytes,
}

impl Caller {
    async fn of(system: &Paths, url: &str) -> Self {
        let mut connection = Connection::open(url).await;
        let (path, field, name) = system.sign_in;
        let sign_in = json!({ field: name, "password": "correct-horse-battery" });
        let pair = connection.made(path, "", sign_in, 200).await;
        let auth = bearer(&pair["access"]);
        let expires_at = SystemClock.now() + Duration::from_secs(30 * 24 * 60 * 60);
        let expires_at = jiff::Timestamp::try_from(expires_at).unwrap().to_string();
        let new = json!({ "name": "load", "expires_at": expires_at });
        let new = connection.made(system.keys, &auth, new, 201).await;
        let (path, body, before) = &system.keyed;
        let key = format!("{before}{}", new[system.key_field].as_str().unwrap());
        Self {
            keyed: connection.first(path, key, body.clone()).await,
            guarded: connection.first(system.guarded, auth, Value::Null).await,
            refresh: connection
                .first(
                    system.refresh,
                    String::new(),
                    json!({ "refresh": pair["refresh"] }),
                )
                .await,
            connection,
        }
    }

    async fn call_until(mut self, end: Instant) -> Tally {
        let mut tally = Tally::default();
        while Instant::now() < end {
            if tally.requests % REFRESHED_AFTER == REFRESHED_AFTER - 1 {
                tally.count(self.renew().await);
            }
            for ask in [&self.keyed, &self.guarded] {
                let (status, body) = self.connection.ask(ask).await;
                let is_expected = status == StatusCode::OK && body == ask.expected;
                tally.count((!is_expected).then(|| ask.got(status, &body)));
            }
        }
        tally
    }

    /// From then on it has another access token.
    async fn renew(&mut self) -> Option<String> {
        let (status, body) = self.connection.ask(&self.refresh).await;
        if status != StatusCode::OK {
            return Some(self.refresh.got(status, &body));
        }
        self.guarded.auth = bearer(&serde_json::from_slice::<Value>(&body).unwrap()["access"]);
        None
    }
}

impl Ask {
    fn got(&self, status: StatusCode, body: &Bytes) -> String {
        format!("{}: {status} {}", self.path, String::from_utf8_lossy(body))
    }
}

fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().unwrap())
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    async fn open(url: &str) -> Self {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        let stream = TcpStream::connect(&host).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, host }
    }

    /// What a request that makes something is answered.
    async fn made(&mut self, path: &'static str, auth: &str, body: Value, status: u16) -> Value {
        let ask = Ask {
            path,
            auth: auth.to_owned(),
            body,
            expected: Bytes::new(),
        };
        let (got, body) = self.ask(&ask).await;
        assert_eq!(got, status, "{}", ask.got(got, &body));
        serde_json::from_slice(&body).unwrap()
    }

    /// A request that was answered once.
    async fn first(&mut self, path: &'static str, auth: String, body: Value) -> Ask {
        let mut ask = Ask {
            path,
            auth,
            body,
            expected: Bytes::new(),
        };
        let (status, body) = self.ask(&ask).await;
        assert_eq!(status, 200, "{}", ask.got(status, &body));
        ask.expected = body;
        ask
    }

    async fn ask(&mut self, ask: &Ask) -> (StatusCode, Bytes) {
        let mut request = Request::builder().uri(ask.path).header("host", &self.host);
        if !ask.auth.is_empty() {
            request = request.header("authorization", &ask.auth);
        }
        let request = if ask.body.is_null() {
            request.body(Full::default())
        } else {
            let request = request
                .method("POST")
                .header("content-type", "application/json");
            let request = request.header("accept", "application/json, text/event-stream");
            request.body(Full::from(ask.body.to_string()))
        };
        let answer = self.sender.send_request(request.unwrap()).await.unwrap();
        let status = answer.status();
        (
            status,
            answer.into_body().collect().await.unwrap().to_bytes(),
        )
    }
}
