//! Rate limits: how often callers may call, in one process or on many machines.
//!
//! ```rust
//! use tower_auth::throttle::{Addresses, Throttle};
//! use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory};
//!
//! let realm = Realm::new(Memory::new())
//!     .addresses(Addresses::new().trust("10.0.0.0/8")); // whose X-Forwarded-For is believed
//! let keys = realm.api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder()
//!     .accept(&keys)
//!     .throttle(Throttle::per_principal("2000/day")) // never more than that in any 24 hours
//!     .throttle(Throttle::per_key("100/hour burst 20"))
//!     .build()?;
//! // Layers for routes, the second for those that need no caller.
//! let search = auth.throttle("search", [Throttle::per_principal("10/s")])?;
//! let sign_up = auth.throttle_public("sign-up", [Throttle::per_address("5/hour")])?;
//! # Ok::<(), tower_auth::ConfigError>(())
//! ```
//!
//! # What is counted, and where
//!
//! - The rules of the layer count every request that it has verified, those to its endpoints
//!   included ([`KeysEndpoint`], [`ChangePassword`]). Where nobody is verified,
//!   [`AttemptLimits`](crate::throttle::AttemptLimits) counts sign-ins and registrations, and
//!   [`throttle_public`](crate::AuthLayer::throttle_public) counts where you put it. A refresh is
//!   counted by nothing else: its token is random and its session can be ended.
//! - The rules of one layer, or of one gate, are all-or-nothing. A gate on a route counts
//!   separately: the layer around it has already counted what the gate refuses. A limit also counts
//!   what a requirement inside it refuses.
//! - Each limit sends its own `RateLimit` line, the innermost first: `RateLimit:
//!   "create:principal";r=0;t=60`, then `RateLimit: "principal";r=3;t=60`. A client that reads one
//!   line sees the limit of the route.
//! - A request may cost more than one ([`Throttle::cost`](crate::throttle::Throttle::cost)), or
//!   what its handler says afterwards ([`Throttle::settled`](crate::throttle::Throttle::settled),
//!   as for the tokens of a model). A key or a user may have a rate of its own in its record
//!   ([`Throttle::record_quota`](crate::throttle::Throttle::record_quota)).
//! - All keys of a user and all their tokens are one principal. `per_key` counts each key.
//!
//! # Plans
//!
//! [`Throttle::quota`](crate::throttle::Throttle::quota) gives some callers another rate. Here a
//! role is the plan:
//!
//! ```rust
//! use tower_auth::throttle::{Rate, Throttle};
//! # use axum::{Router, body::Body, http::Request, routing::get};
//! # use tower::ServiceExt;
//! # use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject, store::Memory};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let pro: Rate = "1000/day".parse()?;
//! let quota = Throttle::per_principal("1/day")
//!     .quota(move |caller| caller.has_role("pro").then_some(pro));
//! let auth = AuthLayer::builder().accept(&keys).throttle(quota).build()?;
//! # let app: Router = Router::new().route("/", get(async || "")).layer(auth);
//! # let status = async |key: &str| {
//! #     let request = Request::get("/").header("x-api-key", key).body(Body::empty()).unwrap();
//! #     app.clone().oneshot(request).await.unwrap().status().as_u16()
//! # };
//!
//! let request = || KeyRequest::new(Subject::user("7"), "ci");
//! let plain = keys.issue(request()).await?.key;
//! let pro = keys.issue(request().role("pro")).await?.key;
//! assert_eq!(status(plain.expose()).await, 200);
//! assert_eq!(status(plain.expose()).await, 429);
//! assert_eq!(status(pro.expose()).await, 200); // another rate, another count
//! assert_eq!(status(pro.expose()).await, 200);
//! # Ok(()) }
//! ```
//!
//! A key has the roles that it was made with, which need not be all of its user: callers ask
//! [`KeysEndpoint`] for scopes alone, and [`KeysEndpoint::request`] adds roles of theirs. With
//! [`load_user`](crate::layer::AuthLayerBuilder::load_user) the plan is looked up in your own
//! tables, whatever was presented.
//!
//! # What is promised
//!
//! - `N/period` is never more than N in *any* window of that length, under any concurrency; `burst`
//!   paces, `calendar` counts by UTC days.
//! - A refusal is 429 with `Retry-After`, gRPC `RESOURCE_EXHAUSTED`; every answer tells what is
//!   left in `RateLimit` and `RateLimit-Policy`.
//! - In this process nothing waits and nothing has to be spawned; a cap bounds the keys, and a live
//!   limit is never forgotten. On several machines, [`RedisLimiter`] (feature `redis`) makes one
//!   round trip a request, or with leases one for many; tell it how many
//!   [`nodes`](crate::throttle::RedisLimiter::nodes) there are, for while the server is away each
//!   admits its share. Its docs say on which settings of the
//!   server the promise rests; `maxmemory-policy` and `appendonly` are looked at, and a warning
//!   says once what may forget. A failover costs no request, a Redis Cluster is refused in words. A
//!   rate limiter of your own is a [`Limiter`](crate::throttle::Limiter).
//! - `.ci/races` has 64 threads hammer one key in memory, and four processes one Redis, without
//!   leases and with: in 50 runs of 10 seconds each, exactly N were admitted.
//! - Wrong passwords and keys are counted apart, per account and per address, before anything is
//!   hashed or asked (`AttemptLimits`). Those who are known are not kept out by a neighbour's: a
//!   key that was good lately is looked up all the same, an owner may try from an address where
//!   they signed in within 30 days, and hashing goes by turns of address. An owner at a new address
//!   does wait while others guess at the account.
//! - Counting by address needs the peer's address: serve axum with
//!   `into_make_service_with_connect_info::<SocketAddr>()`, or insert a
//!   [`Peer`](crate::throttle::Peer). Behind a proxy, say so with
//!   [`Addresses`](crate::throttle::Addresses), or all callers are one.
//!
//! [`ChangePassword`]: ../../endpoint/struct.ChangePassword.html
//! [`KeysEndpoint::request`]: ../../endpoint/struct.KeysEndpoint.html#method.request
//! [`KeysEndpoint`]: ../../endpoint/struct.KeysEndpoint.html
//! [`RedisLimiter`]: ../../throttle/struct.RedisLimiter.html
