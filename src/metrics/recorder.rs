//! Names, units and descriptions, and what is said to the recorder.

use super::{Cache, Callee, Gauge, Outcome};
use metrics::Unit;
use std::time::Duration;

const DECISIONS: &str = "tower_auth_decisions_total";
const THROTTLED: &str = "tower_auth_throttled_total";
const EVENTS: &str = "tower_auth_events_total";
const CACHE_LOOKUPS: &str = "tower_auth_cache_lookups_total";
const STORE_CALL: &str = "tower_auth_store_call_duration_seconds";
const LIMITER_CALL: &str = "tower_auth_limiter_call_duration_seconds";
const KEYS_LOAD: &str = "tower_auth_issuer_keys_load_duration_seconds";
const STORE_LAG: &str = "tower_auth_store_lag_seconds";
const TOKEN_CACHE: &str = "tower_auth_token_cache_bytes";
const ISSUER_KEYS: &str = "tower_auth_issuer_keys";
const HASHES_WAITING: &str = "tower_auth_password_hashes_waiting";

/// Whether the process, or this thread, has a recorder.
///
/// The facade does not say so. The one that it calls where there is none has no state at all, which
/// no recorder does without that keeps what it is told.
pub(super) fn is_installed() -> bool {
    metrics::with_recorder(|recorder| size_of_val(recorder) > 0)
}

/// Tells the recorder what the numbers mean.
pub(super) fn describe() {
    metrics::describe_counter!(
        DECISIONS,
        "What became of requests, by gate, by scheme, and by kind: \"admitted\", or the code of the refusal."
    );
    metrics::describe_counter!(
        THROTTLED,
        "How often a throttle's rule was over: it refused, or only observes."
    );
    metrics::describe_counter!(EVENTS, "What happened, by the name of the event.");
    metrics::describe_counter!(
        CACHE_LOOKUPS,
        "How often memory was asked for an API key or a token, and whether it was there."
    );
    metrics::describe_histogram!(
        STORE_CALL,
        Unit::Seconds,
        "How long calls of the store took, by outcome."
    );
    metrics::describe_histogram!(
        LIMITER_CALL,
        Unit::Seconds,
        "How long the shared limiter took to answer, by outcome."
    );
    metrics::describe_histogram!(
        KEYS_LOAD,
        Unit::Seconds,
        "How long it took to load the keys of an issuer, by outcome."
    );
    metrics::describe_gauge!(
        STORE_LAG,
        Unit::Seconds,
        "How old the news of other nodes is: for so long a revocation made there may be unknown here."
    );
    metrics::describe_gauge!(
        TOKEN_CACHE,
        Unit::Bytes,
        "The memory that verified tokens take."
    );
    metrics::describe_gauge!(
        ISSUER_KEYS,
        Unit::Count,
        "How many usable keys of an issuer are held."
    );
    metrics::describe_gauge!(
        HASHES_WAITING,
        Unit::Count,
        "How many passwords wait to be hashed."
    );
}

pub(super) fn decided(gate: &'static str, scheme: &'static str, kind: &'static str, requests: u64) {
    metrics::counter!(DECISIONS, "gate" => gate, "scheme" => scheme, "kind" => kind)
        .increment(requests);
}

pub(super) fn happened(action: &'static str) {
    metrics::counter!(EVENTS, "action" => action).increment(1);
}

pub(super) fn throttled(scope: &str, rule: &str, outcome: &'static str) {
    let rule = if scope.is_empty() {
        rule.to_owned()
    } else {
        format!("{scope}:{rule}")
    };
    metrics::counter!(THROTTLED, "rule" => rule, "outcome" => outcome).increment(1);
}

pub(super) fn looked_up(cache: Cache, found: bool, times: u64) {
    let found = if found { "yes" } else { "no" };
    metrics::counter!(CACHE_LOOKUPS, "cache" => cache.name(), "found" => found).increment(times);
}

pub(super) fn called(callee: Callee, outcome: Outcome, took: Duration) {
    let name = match callee {
        Callee::Store => STORE_CALL,
        Callee::Limiter => LIMITER_CALL,
        Callee::Issuer => KEYS_LOAD,
    };
    metrics::histogram!(name, "outcome" => outcome.name()).record(took);
}

pub(super) fn stands_at(gauge: Gauge, value: f64) {
    match gauge {
        Gauge::StoreLag => metrics::gauge!(STORE_LAG).set(value),
        Gauge::TokenCache => metrics::gauge!(TOKEN_CACHE).set(value),
        Gauge::IssuerKeys(issuer) => {
            metrics::gauge!(ISSUER_KEYS, "issuer" => issuer.into_string()).set(value);
        }
        Gauge::HashesWaiting => metrics::gauge!(HASHES_WAITING).set(value),
    }
}
