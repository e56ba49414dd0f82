//! Rate limits: how often a caller may call, on a whole layer or on a route; beyond that the answer
//! is 429.
//!
//! A [`Throttle`] is a [`Rate`] and whom it counts. It stands on a whole layer
//! ([`AuthLayerBuilder::throttle`](crate::layer::AuthLayerBuilder::throttle)) or on a route
//! ([`AuthLayer::throttle`](crate::AuthLayer::throttle)). By default a [`MemoryLimiter`] decides,
//! in this process and without waiting; `RedisLimiter` counts together with other machines, and an
//! application can have a [`Limiter`] of its own.
//!
//! ```
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_auth::throttle::Throttle;
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let new = keys.issue(KeyRequest::new(Subject::user("7"), "ci")).await?;
//!
//! let few = Throttle::per_principal("2/min");
//! let auth = AuthLayer::builder().accept(&keys).throttle(few).build()?;
//! let hello = |_: Request<String>| async {
//!     Ok::<_, Infallible>(Response::new(String::from("hello")))
//! };
//! let service = ServiceBuilder::new().layer(auth).service(service_fn(hello));
//!
//! let request = || {
//!     let request = Request::get("/").header("x-api-key", new.key.expose());
//!     request.body(String::new())
//! };
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

#[cfg(feature = "test-util")]
mod bare_rule;
mod by;
mod call;
mod fields;
pub(crate) mod limiter;
mod rule;
mod settlement;
mod shared;
mod stack;

pub use crate::address::{Addresses, Peer};
pub use crate::attempt::AttemptLimits;
pub use crate::rate::{Rate, RateError};
pub use call::Call;
pub use fields::QuotaFields;
#[cfg(feature = "redis")]
pub use limiter::RedisLimiter;
pub use limiter::{
    CallerHash, Charge, Limiter, LimiterAnswer, LimiterError, MemoryLimiter, PendingLimiterAnswer,
    Receipt, RuleId, Standing,
};
pub use rule::{DangerousThrottle, Throttle};
pub use settlement::Settlement;

#[cfg(feature = "test-util")]
pub use bare_rule::BareRule;

#[cfg(feature = "server")]
pub(crate) use limiter::limiter_at;
#[cfg(all(feature = "server", feature = "redis"))]
pub(crate) use limiter::redis_at;
pub(crate) use shared::SharedLimiter;
pub(crate) use stack::{Passed, PendingVerdict, Stack, Surroundings, Verdict};
