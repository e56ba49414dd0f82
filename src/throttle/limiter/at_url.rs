use super::Limiter;
#[cfg(feature = "redis")]
use super::RedisLimiter;
use std::sync::Arc;

/// The limiter on a Redis server, in that namespace if any.
#[cfg(feature = "redis")]
pub(crate) fn redis_at(url: &str, namespace: Option<&str>) -> RedisLimiter {
    let limiter = RedisLimiter::new(url);
    match namespace {
        Some(name) => limiter.namespace(name),
        None => limiter,
    }
}

/// The limiter at a URL, in that namespace if any; `None` where the feature of its kind is off.
#[cfg(feature = "redis")]
pub(crate) fn limiter_at(url: &str, namespace: Option<&str>) -> Option<Arc<dyn Limiter>> {
    Some(Arc::new(redis_at(url, namespace)))
}

/// The limiter at a URL, in that namespace if any; `None` where the feature of its kind is off.
#[cfg(not(feature = "redis"))]
pub(crate) fn limiter_at(_: &str, _: Option<&str>) -> Option<Arc<dyn Limiter>> {
    None
}
