//! Limits that several machines share, on a Redis or Valkey server.
//!
//! All rules of a request are one script, hence atomic and one round trip, on the server's clock.
//! Its keys expire by themselves:
//!
//! ```text
//! tower-auth[:namespace]:{128 bits of SHA-256 of who is counted}:scope:rule:s|p|c:count:seconds:burst
//! ```

mod about;
mod breaker;
mod connection;
mod cure;
mod leases;
mod link;
mod redis;
mod script;
#[cfg(test)]
mod tests;

pub use self::redis::RedisLimiter;
