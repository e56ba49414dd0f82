//! Metrics: what a service that uses this crate can show on a dashboard, and alert on (feature
//! `metrics`).
//!
//! The numbers go through the facade of the [`metrics`](https://docs.rs/metrics) crate, to whatever
//! recorder the application installs: a Prometheus endpoint, StatsD, OpenTelemetry. Install it
//! **before the first service or layer of a realm is made**: a realm that is made without one
//! counts nothing, and costs nothing.
//!
//! ```
//! use metrics_exporter_prometheus::PrometheusBuilder;
//! use tower_auth::store::Memory;
//! use tower_auth::{ApiKeys, AuthLayer, Realm};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let prometheus = PrometheusBuilder::new().install_recorder()?; // first
//! let realm = Realm::new(Memory::new());
//! let auth = AuthLayer::builder().accept(&realm.api_keys(ApiKeys::prefix("egret"))).build()?;
//! let text = prometheus.render(); // what a route /metrics answers
//! # let _ = (auth, text);
//! # Ok(()) }
//! ```
//!
//! `examples/metrics.rs` is a server with such a route. What every request counts is counted on the
//! core that serves it and given to the recorder once a second, so the endpoint is up to a second
//! behind; a process that is killed loses that second. The recorder is told by a task, which needs
//! tokio with its timer.
//!
//! # What there is
//!
//! Names and labels are stable: a change of one is a breaking change. Every label has few values:
//! no name of a user, key or address is ever among them.
//!
//! | metric | type | labels | what it says |
//! |---|---|---|---|
//! | `tower_auth_decisions_total` | counter | `gate`, `scheme`, `kind` | what became of requests |
//! | `tower_auth_throttled_total` | counter | `rule`, `outcome` | how often a throttle's rule was over |
//! | `tower_auth_events_total` | counter | `action` | what happened: sign-ins, refreshes, reuse, keys made |
//! | `tower_auth_cache_lookups_total` | counter | `cache`, `found` | how often memory knew an API key or a token |
//! | `tower_auth_store_call_duration_seconds` | histogram | `outcome` | how long the store took |
//! | `tower_auth_limiter_call_duration_seconds` | histogram | `outcome` | how long a shared limiter took |
//! | `tower_auth_issuer_keys_load_duration_seconds` | histogram | `outcome` | how long it took to load an issuer's keys (JWKS) |
//! | `tower_auth_store_lag_seconds` | gauge | | how old the news of other nodes is |
//! | `tower_auth_token_cache_bytes` | gauge | | what verified tokens take in memory |
//! | `tower_auth_issuer_keys` | gauge | `issuer` | how many usable keys of an issuer are held |
//! | `tower_auth_password_hashes_waiting` | gauge | | how many passwords wait to be hashed |
//!
//! - `gate`: `authenticate` and `throttle` and `require` are the layers of these names, `endpoint`
//!   one whose credential is in its body, and `handler` what a handler refused.
//! - `scheme`: `Bearer`, `Api-Key`, `Basic`, `DPoP`, the name of a
//!   [`Scheme`](crate::scheme::Scheme) of the application's own, or `none`.
//! - `kind`: `admitted`, or the [code](crate::RejectionKind::code) of the refusal, such as
//!   `token_expired`. One request is decided on by each gate that it comes to.
//! - `rule`: the name of the [`Throttle`](crate::throttle::Throttle), behind that of its route
//!   (`upload:principal`); `outcome` there: `refused`, or `observed` where the rule only observes.
//! - `action`: the [name](crate::event::Action::name) of an event.
//! - `cache`: `api keys` or `tokens`; `found`: `yes` or `no`.
//! - `outcome` of calls: `answered`, be it with a no, `failed`, or `late`, which is what a store is
//!   that does not answer within [`Realm::store_deadline`](crate::Realm::store_deadline).
//! - `issuer`: where the keys come from.
//!
//! Only calls that a request waits for are counted. Answers from memory are not calls, and what
//! goes on beside requests (notes of last use, the audit, housekeeping) is not among them, nor is
//! introspection.
//!
//! # Queries for a dashboard
//!
//! In the language of Prometheus:
//!
//! ```text
//! # requests a second that were let in, by scheme
//! sum by (scheme) (rate(tower_auth_decisions_total{gate="authenticate",kind="admitted"}[5m]))
//! # refusals a second, by kind
//! sum by (kind) (rate(tower_auth_decisions_total{kind!="admitted"}[5m]))
//! # the share of tokens that were verified before
//! sum(rate(tower_auth_cache_lookups_total{cache="tokens",found="yes"}[5m]))
//!   / sum(rate(tower_auth_cache_lookups_total{cache="tokens"}[5m]))
//! # how long the slowest hundredth of the store's calls took
//! histogram_quantile(0.99, sum by (le) (rate(tower_auth_store_call_duration_seconds_bucket[5m])))
//! ```
//!
//! (The last one where the recorder is told to keep buckets; by default the Prometheus recorder
//! keeps quantiles: `tower_auth_store_call_duration_seconds{quantile="0.99"}`.)
//!
//! # What to alert on
//!
//! ```text
//! # nobody gets in: a store is down, or a limiter of a rule that refuses in an outage
//! rate(tower_auth_decisions_total{kind="unavailable"}[5m]) > 0
//! # a shared limiter does not answer: each node counts by itself
//! rate(tower_auth_limiter_call_duration_seconds_count{outcome!="answered"}[5m]) > 0
//! # a revocation that was made on another node may not be known here
//! tower_auth_store_lag_seconds > 5
//! # a stolen refresh token, most likely
//! increase(tower_auth_events_total{action="reuse detected"}[1h]) > 0
//! # somebody guesses passwords, or a client has lost its own
//! rate(tower_auth_decisions_total{kind="invalid_credentials"}[5m]) > 1
//! # the keys of an issuer cannot be loaded: its tokens are refused once the held ones are too old
//! increase(tower_auth_issuer_keys_load_duration_seconds_count{outcome!="answered"}[15m]) > 0
//! # sign-ins queue up
//! tower_auth_password_hashes_waiting > 100
//! ```
