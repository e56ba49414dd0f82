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
//! let search = auth.throttle("search", [Throttle::per_principal("10/s")])?; // a layer for routes
//! let sign_up = auth.throttle_public("sign-up", [Throttle::per_address("5/hour")])?; // for routes that need no caller
//! # Ok::<(), tower_auth::ConfigError>(())
//! ```
//!
//! - `N/period` is never more than N in *any* window of that length, under any concurrency; `burst`
//!   paces, `calendar` counts by UTC days.
//! - Several rules are all-or-nothing. A refusal is 429 with `Retry-After`, gRPC
//!   `RESOURCE_EXHAUSTED`; every answer tells what is left in `RateLimit` and `RateLimit-Policy`.
//! - In this process nothing waits and nothing has to be spawned; a cap bounds the keys, and a live
//!   limit is never forgotten. On several machines, `RedisLimiter` (feature `redis`) makes one
//!   round trip a request, or with leases one for many. Its docs say on which settings of the
//!   server the promise rests; `maxmemory-policy` and `appendonly` are looked at, and a warning
//!   says once what may forget. A failover costs no request, a Redis Cluster is refused in words. A
//!   rate limiter of your own is a `Limiter`.
//! - `.ci/races` has 64 threads hammer one key in memory, and four processes one Redis, without
//!   leases and with: in 50 runs of 10 seconds each, exactly N were admitted.
//! - Wrong passwords and keys are counted apart, per account and per address, before anything is
//!   hashed or asked (`AttemptLimits`), and nobody is kept out by a neighbour's: a key that was
//!   good lately is looked up all the same, and hashing goes by turns of address. It needs the
//!   peer's address: serve axum with `into_make_service_with_connect_info::<SocketAddr>()`, or
//!   insert a `Peer`. Behind a proxy, say so with `Addresses`, or all callers are one.
