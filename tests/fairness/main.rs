//! Whether one address keeps others from signing in: while it registers or signs in 500 times a
//! second, 20 of 20 right sign-ins from elsewhere succeed, and the slowest takes at most twice what
//! one takes in a quiet server, and one hash for each address that waits.
//!
//! ```text
//! fairness      some ten seconds; `.ci/fairness` builds what it needs
//! ```
//!
//! Each row is a server of its own, so that no limit of an address is used up before. It says how
//! many requests of the flood were admitted: those were hashed beside the victim's.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

#[expect(dead_code, reason = "of a process its start and its end matter here")]
#[path = "../it/process.rs"]
mod process;

use process::Example;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

const SIGN_IN: &str = "/token/";
const REGISTER: &str = "/users/user/";
const SIGN_INS: usize = 20;
/// How many requests a flood sends in a second.
const A_SECOND: u32 = 500;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    println!(
        "| flood | addresses | sent a second | admitted | right sign-ins | slowest, quiet | slowest | at most |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut holds = true;
    for kind in [Kind::Registrations, Kind::SignIns] {
        for addresses in [1, 4] {
            holds &= runtime.block_on(is_fair(kind, addresses));
        }
    }
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Registrations,
    /// With right passwords of accounts of one's own.
    SignIns,
}

impl Kind {
    /// The `n`th request.
    fn request(self, n: u64) -> (&'static str, Value) {
        match self {
            Self::Registrations => {
                let email = format!("u{n}@example.com");
                let body = json!({ "email": email, "password": "Klammer-Heftung-7" });
                (REGISTER, body)
            }
            Self::SignIns => (SIGN_IN, credentials("other@example.com")),
        }
    }
}

fn credentials(email: &str) -> Value {
    json!({ "email": email, "password": "correct-horse-battery" })
}

async fn is_fair(kind: Kind, addresses: u8) -> bool {
    let server = Example::start("jina_connect");
    let victim = Caller::at(Ipv4Addr::new(127, 0, 0, 1), &server);
    let quiet = victim.sign_ins().await;
    let flood = Flood::start(kind, addresses, &server);
    // It is in the way before the first one comes.
    while flood.answered.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let flooded = victim.sign_ins().await;
    let Flooded { sent, admitted } = flood.end().await;

    let most = 2 * quiet.slowest + u32::from(addresses) * quiet.median;
    let [slow, slowest, most_ms] = [quiet.slowest, flooded.slowest, most].map(milliseconds);
    println!(
        "| {kind:?} | {addresses} | {sent:.0} | {admitted} | {} of {SIGN_INS} | {slow:.1} ms | {slowest:.1} ms | {most_ms:.1} ms |",
        flooded.right
    );
    let has_stopped = server.terminate().success();
    let all_succeed = quiet.right == SIGN_INS && flooded.right == SIGN_INS;
    has_stopped && all_succeed && flooded.slowest <= most
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// What became of the sign-ins of a victim.
struct SignIns {
    right: usize,
    median: Duration,
    slowest: Duration,
}

/// A client at an address of its own, of which this machine has many.
#[derive(Clone)]
struct Caller {
    http: Client,
    url: String,
}

impl Caller {
    fn at(address: Ipv4Addr, server: &Example) -> Self {
        let http = Client::builder().local_address(Some(address.into()));
        Self {
            http: http.build().unwrap(),
            url: server.url.clone(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> StatusCode {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let _ = answer.bytes().await.unwrap();
        status
    }

    async fn sign_ins(&self) -> SignIns {
        let body = credentials("user@example.com");
        let mut right = 0;
        let mut times = Vec::new();
        for _ in 0..SIGN_INS {
            let start = Instant::now();
            let status = self.post(SIGN_IN, &body).await;
            times.push(start.elapsed());
            right += usize::from(status == StatusCode::OK);
        }
        times.sort_unstable();
        SignIns {
            right,
            median: times[SIGN_INS / 2],
            slowest: times[SIGN_INS - 1],
        }
    }
}

/// Requests that are sent on and on, whether or not those before were answered.
struct Flood {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    sending: tokio::task::JoinHandle<Flooded>,
}

struct Flooded {
    /// In a second.
    sent: f64,
    admitted: u64,
}

impl Flood {
    fn start(kind: Kind, addresses: u8, server: &Example) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let callers: Vec<Caller> = (0..addresses)
            .map(|n| Caller::at(Ipv4Addr::new(127, 0, 1, n), server))
            .collect();
        let sending = flood(kind, callers, Arc::clone(&over), Arc::clone(&answered));
        Self {
            over,
            answered,
            sending: tokio::spawn(sending),
        }
    }

    async fn end(self) -> Flooded {
        self.over.store(true, Ordering::Relaxed);
        self.sending.await.unwrap()
    }
}

async fn flood(
    kind: Kind,
    callers: Vec<Caller>,
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
) -> Flooded {
    let mut next = interval(Duration::from_secs(1) / A_SECOND);
    // Late ones are sent all the same.
    next.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let start = Instant::now();
    let mut requests = JoinSet::new();
    let mut callers = callers.iter().cycle();
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) {
        next.tick().await;
        let caller = callers.next().unwrap().clone();
        let answered = Arc::clone(&answered);
        let (path, body) = kind.request(sent);
        sent += 1;
        requests.spawn(async move {
            let status = caller.post(path, &body).await;
            answered.fetch_add(1, Ordering::Relaxed);
            assert!(status.is_success() || status == StatusCode::TOO_MANY_REQUESTS);
            status.is_success()
        });
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut admitted = 0;
    while let Some(request) = requests.join_next().await {
        admitted += u64::from(request.unwrap());
    }
    Flooded {
        sent: sent as f64 / seconds,
        admitted,
    }
}
