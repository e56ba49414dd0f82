//! Moving in from tower_governor: rate limits by address and by API key.
//!
//! What is said of tower_governor here was read in the source of its version 0.8.0 and tried with a
//! small service on it. It limits rates and nothing else, of any tower service, without
//! authentication; where that is all that is wanted, stay with it. This page is for a service that
//! wants to know whom it counts.
//!
//! # Before and after
//!
//! Before, on two routes: three searches at once from an address and then one every half second,
//! and reports by the key that a client sends.
//!
//! ```text
//! let by_address = GovernorConfigBuilder::default()
//!     .per_millisecond(500)
//!     .burst_size(3)
//!     .key_extractor(SmartIpKeyExtractor)
//!     .use_headers()
//!     .finish()
//!     .unwrap();
//! let by_key = GovernorConfigBuilder::default()
//!     .per_second(20) // one every 20 seconds
//!     .burst_size(2)
//!     .key_extractor(ApiKeyHeader) // a KeyExtractor that reads x-api-key
//!     .finish()
//!     .unwrap();
//! let limiter = by_address.limiter().clone();
//! std::thread::spawn(move || loop {
//!     std::thread::sleep(Duration::from_secs(60));
//!     limiter.retain_recent();
//! });
//! ```
//!
//! After: a rate is a text, keys are verified before they are counted, and nothing has to be
//! spawned.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::{get, post}};
//! use std::time::Duration;
//! use tower::ServiceExt;
//! use tower_auth::test_util::ManualClock;
//! use tower_auth::throttle::{Addresses, Peer, Throttle};
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new(1_800_000_000); // for this test: it stands still
//! let realm = Realm::new(Memory::new())
//!     .clock(clock.clone())
//!     .addresses(Addresses::new().trust("10.0.0.0/8")); // whose X-Forwarded-For is read
//! let keys = realm.api_keys(ApiKeys::prefix("egret"));
//! let by_key = Throttle::per_key("3/min burst 2");
//! let auth = AuthLayer::builder().accept(&keys).throttle(by_key).build()?;
//! let by_address = auth.throttle_public("search", [Throttle::per_address("2/s burst 3")])?;
//!
//! let app: Router = Router::new()
//!     .route("/reports", post(async || "made"))
//!     .layer(auth)
//!     .route("/search", get(async || "found").layer(by_address));
//!
//! let answer = async |request: Request<Body>| {
//!     let response = app.clone().oneshot(request).await.unwrap();
//!     let wait = response.headers().get("retry-after");
//!     let wait = wait.map(|seconds| seconds.to_str().unwrap().to_owned());
//!     (response.status().as_u16(), wait.unwrap_or_default())
//! };
//! let search = |peer: &str, forwarded_for: &str| {
//!     let peer = Peer(peer.parse().unwrap()); // the feature `axum` finds that of axum's server
//!     let request = Request::get("/search").header("x-forwarded-for", forwarded_for);
//!     request.extension(peer).body(Body::empty()).unwrap()
//! };
//! let passed = (200, String::new());
//! for _ in 0..3 {
//!     assert_eq!(answer(search("192.0.2.7", "")).await, passed);
//! }
//! assert_eq!(answer(search("192.0.2.7", "")).await, (429, "1".into()));
//! // Whoever makes an address up is counted by their own all the same,
//! assert_eq!(answer(search("192.0.2.7", "203.0.113.1")).await.0, 429);
//! // and clients of our proxy by theirs, whatever they write before it.
//! for _ in 0..3 {
//!     assert_eq!(answer(search("10.0.0.1", "203.0.113.1, 192.0.2.8")).await, passed);
//! }
//! assert_eq!(answer(search("10.0.0.1", "203.0.113.2, 192.0.2.8")).await.0, 429);
//! clock.advance(Duration::from_millis(500));
//! assert_eq!(answer(search("192.0.2.7", "")).await, passed);
//! assert_eq!(answer(search("192.0.2.7", "")).await.0, 429);
//!
//! let report = |key: &str| {
//!     Request::post("/reports").header("x-api-key", key).body(Body::empty()).unwrap()
//! };
//! let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?;
//! let key = new.key.expose();
//! assert_eq!(answer(report(key)).await, passed);
//! assert_eq!(answer(report(key)).await, passed);
//! assert_eq!(answer(report(key)).await, (429, "20".into()));
//! assert_eq!(answer(report("egret_made_up")).await.0, 401); // no counter of its own
//! let none = Request::post("/reports").body(Body::empty())?;
//! assert_eq!(answer(none).await.0, 401);
//! # Ok(()) }
//! ```
//!
//! # Which rate is which
//!
//! `per_second(20)` of tower_governor is not twenty in a second, but one every twenty seconds: its
//! functions say after how long one request is forgiven. A [`Rate`](crate::throttle::Rate) says how
//! many a period has. With `burst` it is the same algorithm, so many at once and then one by one;
//! without, it is stricter: never more than the number in *any* window of that length.
//!
//! | tower_governor | the same here |
//! |---|---|
//! | the default: a period of 500 ms, a burst of 8 | `2/s burst 8` |
//! | `GovernorConfig::secure()`: 4 s, a burst of 2 | `1/4s burst 2` |
//! | `per_second(60)`, `burst_size(10)` | `1/min burst 10` |
//! | `per_millisecond(100)`, `burst_size(1)` | `10/s burst 1` |
//! | nothing | `100/hour`: at no time more than 100 within an hour |
//! | nothing | `2000/day calendar`: by UTC days, for quotas that are billed so |
//!
//! A rate that is none is a mistake that `build()` reports:
//!
//! ```
//! use tower_auth::throttle::Rate;
//!
//! for same in ["2/s burst 8", "1/4s burst 2", "1/min burst 10", "10/s burst 1"] {
//!     assert!(same.parse::<Rate>().is_ok(), "{same}");
//! }
//! for none in ["1/500ms", "0/s", "3/s burst 0", "10/month"] {
//!     assert!(none.parse::<Rate>().is_err(), "{none}");
//! }
//! ```
//!
//! # What becomes of what
//!
//! | tower_governor | here | |
//! |---|---|---|
//! | `PeerIpKeyExtractor` | [`Throttle::per_address`](crate::throttle::Throttle::per_address) | IPv6 addresses are counted by their first 64 bits. |
//! | `SmartIpKeyExtractor` | the same, with [`Addresses`](crate::throttle::Addresses) in the realm | Fields of trusted proxies are read, and no others. |
//! | `GlobalKeyExtractor` | [`Throttle::per`](crate::throttle::Throttle::per) with a fixed key | |
//! | a `KeyExtractor` of one's own | `Throttle::per` | `None` is not counted; an extractor that fails was a 500. |
//! | one that reads an API key | [`Throttle::per_key`](crate::throttle::Throttle::per_key), [`per_principal`](crate::throttle::Throttle::per_principal), [`per_tenant`](crate::throttle::Throttle::per_tenant) | after the key was verified |
//! | `methods(…)` | [`Throttle::cost`](crate::throttle::Throttle::cost), 0 for the others; or the layer on one method's route | |
//! | `use_headers()` | nothing to say | [`QuotaFields`](crate::throttle::QuotaFields) chooses. |
//! | `error_handler(…)` | [`AuthLayerBuilder::format`](crate::layer::AuthLayerBuilder::format) | Status and `Retry-After` stay as they are. |
//! | a layer on the whole router | [`AuthLayerBuilder::throttle`](crate::layer::AuthLayerBuilder::throttle) | counts whom the layer let in |
//! | a layer on some routes | [`AuthLayer::throttle`](crate::AuthLayer::throttle) inside of the layer, [`throttle_public`](crate::AuthLayer::throttle_public) anywhere | |
//! | `retain_recent()` in a thread | nothing | What is idle is forgotten by itself; [`most_keys`](crate::throttle::Throttle::most_keys) bounds the rest. |
//!
//! One limit for all callers together, on `POST` alone, told in the fields of old:
//!
//! ```
//! use http::{Method, Request, Response};
//! use std::convert::Infallible;
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_auth::throttle::{QuotaFields, Throttle};
//! use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).quota_fields(QuotaFields::Legacy).build()?;
//! let everybody = Throttle::per("2/min", |_| Some(b"everybody".into()))
//!     .cost(|call| u32::from(call.method() == Method::POST));
//! let together = auth.throttle_public("sign-up", [everybody])?;
//! let hello = |_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) };
//! let service = together.layer(service_fn(hello));
//!
//! let post = || Request::post("/").body(String::new());
//! for left in ["1", "0"] {
//!     let response = service.clone().oneshot(post()?).await?;
//!     assert_eq!(response.status(), 200);
//!     assert_eq!(response.headers()["x-ratelimit-limit"], "2");
//!     assert_eq!(response.headers()["x-ratelimit-remaining"], left);
//! }
//! assert_eq!(service.clone().oneshot(post()?).await?.status(), 429);
//! let get = Request::get("/").body(String::new())?;
//! assert_eq!(service.oneshot(get).await?.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # What clients will notice
//!
//! | | tower_governor 0.8.0 | here |
//! |---|---|---|
//! | refused | 429, text `Too Many Requests! Wait for 0s` | 429, a body of [`format`](crate::format), code `throttled`; gRPC `RESOURCE_EXHAUSTED` in both |
//! | `Retry-After` | whole seconds, rounded **down**: half a second is `0` | rounded up, so who waits as told is not early |
//! | fields | `X-RateLimit-Limit`, `-Remaining`, with `use_headers()` | `RateLimit` and `RateLimit-Policy`, or the same as before with `-Reset` |
//! | a made-up `X-Forwarded-For` | a fresh limit for each, with `SmartIpKeyExtractor` | the limit of the address that sent it, or of the one that a trusted proxy saw |
//! | a made-up API key | a limit of its own | 401; how often the store is asked about such keys is limited as well ([`AttemptLimits`](crate::throttle::AttemptLimits)) |
//! | no key | 500 `Unable To Extract Key!` | 401 |
//! | several limits on a request | Each layer counts for itself. | all or nothing, where they stand in one layer |
//! | several machines | each for itself | the same, or together on Redis: [`Realm::limiter`](crate::Realm::limiter) |
//!
//! # What to look at
//!
//! - **Proxies.** Without [`Addresses::trust`](crate::throttle::Addresses::trust) all clients of a
//!   proxy are one address. Say which proxies are yours before the change, or everybody shares a
//!   limit.
//! - **The peer's address** has to be told: axum's
//!   `into_make_service_with_connect_info::<SocketAddr>()` as before (feature `axum`), tonic's
//!   connect info (feature `tonic`), or a [`Peer`](crate::throttle::Peer). Where it is not, a rule
//!   by address is a 500 that says so in the log.
//! - **Rehearse it.** [`Throttle::observe`](crate::throttle::Throttle::observe) refuses nothing and
//!   tells what would have been refused.
//! - **Nobody to verify.** A layer that accepts no credential at all is a mistake that `build()`
//!   reports, so a service without authentication has no use for this crate.
