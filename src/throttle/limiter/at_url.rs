use super::Limiter;
use std::sync::Arc;

/// The limiter at a URL; `None` where the feature of its kind is off.
#[cfg(feature = "redis")]
pub(crate) fn limiter_at(url: &str) -> Option<Arc<dyn Limiter>> {
    Some(Arc::new(super::RedisLimiter::new(url)))
}

/// The limiter at a URL; `None` where the feature of its kind is off.
#[cfg(not(feature = "redis"))]
pub(crate) fn limiter_at(_: &str) -> Option<Arc<dyn Limiter>> {
    None
}
