//! Who counts: [`MemoryLimiter`] in this process, `RedisLimiter` for several, or a [`Limiter`] of
//! the application's own.
//!
//! ```text
//! memory     the counters of each rule, kept for as long as the limiter is
//! counter    a rule's place among them · counters: its tables · tally: one request of one caller in them
//! table      many callers' states: sharded, bounded, without a task that cleans up
//! algorithm/ what is remembered of one caller under one rate, as pure functions
//! redis/     the same on a server
//! ```
//!
//! It knows nothing of rules, requests and callers but what a [`Charge`] says, so that attempts are
//! counted here too.

mod algorithm;
mod answer;
#[cfg(feature = "server")]
mod at_url;
mod caller_hash;
mod charge;
mod counter;
mod counters;
mod error;
mod key;
mod limiter;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod rule_id;
mod standing;
mod table;
mod tally;

#[cfg(feature = "redis")]
pub use self::redis::RedisLimiter;
pub(crate) use algorithm::{Expires, Moment};
pub use answer::{LimiterAnswer, PendingLimiterAnswer};
#[cfg(feature = "server")]
pub(crate) use at_url::limiter_at;
#[cfg(all(feature = "server", feature = "redis"))]
pub(crate) use at_url::redis_at;
pub use caller_hash::CallerHash;
pub use charge::Charge;
pub(crate) use counter::Counter;
pub(crate) use counters::Counters;
pub use error::LimiterError;
pub(crate) use key::{Key, Keys};
pub use limiter::Limiter;
pub(crate) use memory::MOST_KEYS;
pub use memory::MemoryLimiter;
pub use rule_id::RuleId;
pub use standing::{Receipt, Standing};
pub(crate) use table::{Lineage, Table};
pub(crate) use tally::{Tally, enter_all};
