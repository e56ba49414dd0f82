//! Step 4: how often.
//!
//! A [`Throttle`] is a [`Rate`] and whom it counts. It stands on a whole layer
//! ([`AuthLayerBuilder::throttle`](crate::AuthLayerBuilder::throttle)) or on a route
//! ([`AuthLayer::throttle`](crate::AuthLayer::throttle)), and decides in this process, without waiting.
//!
//! ```
//! use tower::{ServiceExt, ServiceBuilder, service_fn};
//! use tower_auth::{ApiKeys, AuthLayer, Subject, store::{KeyStore, Memory}, throttle::Throttle};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (store, now) = (Memory::new(), std::time::UNIX_EPOCH);
//! let keys = ApiKeys::new(store.clone()).prefix("egret");
//! let new = keys.mint(Subject::user("7"), "ci", now)?;
//! store.insert_key(new.record, now).await?;
//!
//! let auth = AuthLayer::builder().api_keys(keys).throttle(Throttle::per_principal("2/min")).build()?;
//! let hello = |_: http::Request<String>| async { Ok::<_, std::convert::Infallible>(http::Response::new(String::from("hello"))) };
//! let service = ServiceBuilder::new().layer(auth).service(service_fn(hello));
//!
//! let request = || http::Request::get("/").header("x-api-key", new.key.expose()).body(String::new());
//! let response = service.clone().oneshot(request()?).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(response.headers()["ratelimit-policy"], r#""principal";q=2;w=60"#);
//! assert_eq!(response.headers()["ratelimit"], r#""principal";r=1;t=60"#);
//!
//! assert_eq!(service.clone().oneshot(request()?).await?.status(), 200);
//! let refused = service.oneshot(request()?).await?;
//! assert_eq!(refused.status(), 429);
//! assert_eq!(refused.headers()["retry-after"], "60");
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! ```

mod address;
mod algorithm;
mod attempts;
#[cfg(feature = "test-util")]
mod bare;
mod call;
mod fields;
mod key;
mod layer;

#[cfg(feature = "redis")]
mod redis;
mod rule;
mod settlement;
mod stack;
mod table;

pub use crate::rate::{Rate, RateError};
pub use address::{Addresses, Peer};
pub use attempts::AttemptLimits;
pub use call::Call;
pub use layer::{ThrottleLayer, ThrottleService};
#[cfg(feature = "redis")]
pub use redis::RedisLimiter;
#[cfg(feature = "redis")]
pub use rule::DangerousThrottle;
pub use rule::Throttle;
pub use settlement::Settlement;
pub use stack::QuotaFields;

#[cfg(feature = "test-util")]
pub use bare::Limiter;

pub(crate) use attempts::Attempts;
#[cfg(feature = "basic")]
pub(crate) use attempts::Ticket;
pub(crate) use fields::Fields;
#[cfg(feature = "redis")]
pub(crate) use stack::PendingVerdict;
pub(crate) use stack::{Passed, Stack, Surroundings, Verdict};
