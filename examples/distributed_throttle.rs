//! One limit on two machines: two servers that count together on one Redis.
//!
//! ```text
//! redis-server &
//! cargo run --example distributed_throttle
//! ```
//!
//! It prints `curl` lines ready to paste, each with the answer to expect: three requests a minute, whichever server they go to.
//! `REDIS_URL` (default `redis://127.0.0.1:6379`) says where the counters are, `ADDR` where the first server listens; the second
//! takes a free port beside it.

use axum::Router;
use axum::routing::get;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_auth::store::{KeyStore, Memory};
use tower_auth::throttle::{RedisLimiter, Throttle};
use tower_auth::{ApiKeys, AuthLayer, Clock, Principal, Subject, SystemClock};

/// What both servers have in common: the store of keys, here in memory, and where to count.
struct Shared {
    keys: ApiKeys,
    redis: String,
}

/// One of the servers. On two machines this is all there is.
fn app(shared: &Shared) -> Result<Router, Box<dyn Error>> {
    let limiter = RedisLimiter::new(&shared.redis)
        .nodes(2) // while Redis is away, each admits half
        .deadline(Duration::from_secs(2)); // 20 ms by default; a machine that also runs everything else may take longer
    let auth = AuthLayer::builder()
        .api_keys(shared.keys.clone())
        .throttle(Throttle::per_principal("3/min"))
        .limiter(limiter)
        .build()?;
    Ok(Router::new()
        .route(
            "/",
            get(async |caller: Principal| format!("hello {}\n", caller.subject())),
        )
        .layer(auth))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Memory::new();
    let keys = ApiKeys::new(store.clone()).prefix("demo");
    let now = SystemClock.now();
    // Another caller at each start, lest the last one's requests count.
    let owner = keys
        .mint(Subject::user(""), "", now)?
        .record
        .id()
        .to_owned();
    let new = keys.mint(Subject::user(owner), "two machines", now)?;
    store.insert_key(new.record, now).await?;
    let redis =
        std::env::var("REDIS_URL").unwrap_or_else(|_| String::from("redis://127.0.0.1:6379"));
    let shared = Shared { keys, redis };

    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let first = TcpListener::bind(address).await?;
    let second = TcpListener::bind((first.local_addr()?.ip(), 0)).await?;
    let urls =
        [first.local_addr()?, second.local_addr()?].map(|address| format!("http://{address}"));
    println!("listening on {}", urls[0]);
    println!("and on {}", urls[1]);
    for (at, status) in [200, 200, 200, 429, 429].into_iter().enumerate() {
        let (url, key) = (&urls[at % 2], new.key.expose());
        println!(
            "\n# request {}, to the {} server: {status}",
            at + 1,
            ["first", "second"][at % 2]
        );
        println!("curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'X-API-Key: {key}' {url}/");
    }

    let (first, second) = (
        axum::serve(first, app(&shared)?),
        axum::serve(second, app(&shared)?),
    );
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        served = first => served?,
        served = second => served?,
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
