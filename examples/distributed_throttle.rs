//! One limit on two machines: two servers that count together on one Redis.
//!
//! ```text
//! redis-server &
//! cargo run --example distributed_throttle
//! ```
//!
//! It prints `curl` lines ready to paste, each with the answer to expect: three requests a minute,
//! whichever server they go to; and of a second key, whose record says so, two a day.
//! `REDIS_URL` (default `redis://127.0.0.1:6379`) says where the counters are, `ADDR` where the
//! first server listens; the second takes a free port beside it.

use axum::Router;
use axum::routing::get;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_auth::store::Memory;
use tower_auth::throttle::{RedisLimiter, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, KeyIssuer, KeyRequest, Principal, Realm, Subject, random_secret,
};

/// One of the servers, over a store that both have. On two machines this is all there is.
fn server(store: &Memory, redis: &str) -> Result<(Router, KeyIssuer), Box<dyn Error>> {
    let limiter = RedisLimiter::new(redis)
        .nodes(2) // while Redis is away, each admits half
        // 20 ms by default; a machine that also runs everything else may take longer
        .deadline(Duration::from_secs(2));
    let realm = Realm::new(store.clone()).limiter(limiter);
    let keys = realm.api_keys(ApiKeys::prefix("demo"));
    let auth = AuthLayer::builder()
        .accept(&keys)
        // A key whose record has a rate of its own is counted by that, and by itself.
        .throttle(Throttle::per_principal("3/min").record_quota())
        .build()?;
    let hello = async |caller: Principal| format!("hello {}\n", caller.subject());
    let app = Router::new().route("/", get(hello)).layer(auth);
    Ok((app, keys))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Memory::new();
    let redis = std::env::var("REDIS_URL");
    let redis = redis.unwrap_or_else(|_| String::from("redis://127.0.0.1:6379"));
    let (first_app, keys) = server(&store, &redis)?;
    let (second_app, _) = server(&store, &redis)?;
    // Another caller at each start, lest the last one's requests count.
    let owner = Subject::user(random_secret()?.expose().as_str());
    let plain = keys.issue(KeyRequest::new(owner.clone(), "two machines"));
    let plain = plain.await?.key;
    let planned = KeyRequest::new(owner, "two a day").rate("2/day");
    let planned = keys.issue(planned).await?.key;

    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let first = TcpListener::bind(address).await?;
    let second = TcpListener::bind((first.local_addr()?.ip(), 0)).await?;
    let urls =
        [first.local_addr()?, second.local_addr()?].map(|address| format!("http://{address}"));
    println!("listening on {}", urls[0]);
    println!("and on {}", urls[1]);
    let expected = [200, 200, 200, 429, 429].map(|status| (&plain, status));
    let of_the_second = [200, 200, 429, 429].map(|status| (&planned, status));
    for (at, (key, status)) in expected.iter().chain(&of_the_second).enumerate() {
        let (url, key) = (&urls[at % 2], key.expose());
        println!(
            "\n# request {}, to the {} server: {status}",
            at + 1,
            ["first", "second"][at % 2]
        );
        println!("curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'X-API-Key: {key}' {url}/");
    }

    // With connect info, so that wrong keys are counted by the address that they come from.
    let first_app = first_app.into_make_service_with_connect_info::<SocketAddr>();
    let second_app = second_app.into_make_service_with_connect_info::<SocketAddr>();
    let first = axum::serve(first, first_app);
    let second = axum::serve(second, second_app);
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        served = first => served?,
        served = second => served?,
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}
