use super::Limiter;
#[cfg(feature = "redis")]
use super::RedisLimiter;
use std::sync::Arc;

/// The limiter on a Redis server, in that namespace if any, which so many nodes share.
#[cfg(feature = "redis")]
pub(crate) fn redis_at(url: &str, namespace: Option<&str>, nodes: u32) -> RedisLimiter {
    let limiter = RedisLimiter::new(url).nodes(nodes);
    match namespace {
        Some(name) => limiter.namespace(name),
        None => limiter,
    }
}

/// The limiter at a URL, as above; `None` where the feature of its kind is off.
#[cfg(feature = "redis")]
pub(crate) fn limiter_at(
    url: &str,
    namespace: Option<&str>,
    nodes: u32,
) -> Option<Arc<dyn Limiter>> {
    Some(Arc::new(redis_at(url, namespace, nodes)))
}

/// The limiter at a URL; `None` where the feature of its kind is off.
#[cfg(not(feature = "redis"))]
pub(crate) fn limiter_at(_: &str, _: Option<&str>, _: u32) -> Option<Arc<dyn Limiter>> {
    None
}
