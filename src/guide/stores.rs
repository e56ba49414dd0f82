//! Stores that last: SQLite and PostgreSQL.
//!
//! [`Memory`](crate::store::Memory) ends with the process. With feature `sqlite` everything is in
//! one file and there is no server to run; with feature `postgres` many nodes share a database
//! (PostgreSQL 13 or later). Each has all the roles that a realm asks for, and takes the
//! application's own sqlx pool as well.
//!
//! ```rust
//! use tower_auth::store::{Store, StoreOptions};
//! use tower_auth::{ApiKeys, Realm};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `sqlite:PATH`, `postgres://…`, or `memory:`, which ends with the process. In production an
//! // unset variable is better an error: here it is memory, as nothing at all would be.
//! let url = std::env::var("AUTH_STORE").unwrap_or_else(|_| "memory:".to_owned());
//! let store = Store::connect_with(&url, StoreOptions::new()).await?;
//! store.migrate().await?; // explicit, versioned, and safe when many nodes start at once
//! let keys = Realm::new(store).api_keys(ApiKeys::prefix("egret"));
//! # Ok(())
//! # }
//! ```
//!
//! - **Memory speed.** Keys and users that were read lately answer without a query (by default for
//!   60 s, at most 32 MiB each); many who ask for a cold one cause one query. The store remembers
//!   for 2 s that a record is missing, in memory of its own. The guard remembers a key that was
//!   refused for 2 s, and for up to a minute where it comes again and again. A new key works at
//!   once.
//! - **Revocation.** A change through this node is seen by its next request. Other nodes learn of
//!   it by `LISTEN`/`NOTIFY`, and by polling in any case: within
//!   [`StoreOptions::lag`](crate::store::StoreOptions::lag), 1 s by default, because memory that
//!   heard nothing for so long is not believed. Triggers write the changes down, so what an
//!   operator changes by hand is heard as well. `lag()` tells how old the news is: put an alarm on
//!   it.
//! - **Outages.** Each call has one deadline,
//!   [`StoreOptions::timeout`](crate::store::StoreOptions::timeout), 1 s by default; a request
//!   waits for a store of any kind no longer than
//!   [`Realm::store_deadline`](crate::Realm::store_deadline), 2 s. A server that is down, hung,
//!   slow, read-only or out of connections is 503 with `Retry-After`, and fine again when it is
//!   back. With [`StoreOptions::outage`](crate::store::StoreOptions::outage) credentials seen
//!   recently keep working during the outage, for the time that you set, except those that this
//!   node knows to be revoked.
//! - **Housekeeping.** Keys, families and tokens are removed a week after their end, in batches, by
//!   a task that ends with the last clone of the store.
//! - **Texts.** Ids, owners and names to sign in by have at most 512 bytes, and no text holds a
//!   NUL: else [`StoreErrorKind::Invalid`](crate::store::StoreErrorKind::Invalid), 400 at an
//!   endpoint. Times are kept to the microsecond. An application's own user (`with_app`) is not
//!   kept.
//!
//! After one node revoked a key, how long another node still accepted it, 1,000 tries each
//! (`tests/run --test it databases::nodes -- --nocapture`, two cores that others kept busy):
//!
//! | the other node hears by | median | p99 | longest |
//! |---|---:|---:|---:|
//! | `NOTIFY` | 9 ms | 60 ms | 207 ms |
//! | polling alone, its notices cut off all the time | 236 ms | 585 ms | 594 ms |
//!
//! `.ci/crash` kills 200 processes that create, rotate and revoke on each database: in the last run
//! all of 39,333 (SQLite) and 39,258 (PostgreSQL) answers held, and nothing was half-written.
