use super::Limiter;
use std::sync::Arc;

/// The limiter at a URL, in that namespace if any; `None` where the feature of its kind is off.
#[cfg(feature = "redis")]
pub(crate) fn limiter_at(url: &str, namespace: Option<&str>) -> Option<Arc<dyn Limiter>> {
    let mut limiter = super::RedisLimiter::new(url);
    if let Some(name) = namespace {
        limiter = limiter.namespace(name);
    }
    Some(Arc::new(limiter))
}

/// The limiter at a URL, in that namespace if any; `None` where the feature of its kind is off.
#[cfg(not(feature = "redis"))]
pub(crate) fn limiter_at(_: &str, _: Option<&str>) -> Option<Arc<dyn Limiter>> {
    None
}
