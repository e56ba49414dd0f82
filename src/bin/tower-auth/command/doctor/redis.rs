use super::check::Check;
use crate::failure::whole_chain;
use std::time::Duration;
use tower_auth::server::Environment;
use tower_auth::throttle::Limiter;

/// Whether what counts for all nodes does, and keeps what it counted.
pub(super) async fn checks(environment: &Environment, patience: Duration) -> Vec<Check> {
    let Some(limiter) = environment.redis() else {
        let told = "REDIS_URL is not set: each process counts its limits by itself";
        return vec![Check::ok("redis", told)];
    };
    let problems = limiter.problems();
    if !problems.is_empty() {
        let told = problems
            .iter()
            .map(|problem| Check::fault("redis", problem.to_string()));
        return told.collect();
    }
    vec![match limiter.deadline(patience).may_forget().await {
        Err(error) => {
            let told = format!(
                "The server at REDIS_URL does not count: {}",
                whole_chain(&error)
            );
            Check::fault("redis", told)
        }
        Ok(Some(settings)) => Check::warning(
            "redis",
            format!(
                "The server at REDIS_URL may forget what it counted, and admit more than a rate \
                 allows: {settings}. Set maxmemory-policy noeviction and appendonly yes"
            ),
        ),
        Ok(None) => Check::ok(
            "redis",
            "The server at REDIS_URL answers and keeps what it counts",
        ),
    }]
}
