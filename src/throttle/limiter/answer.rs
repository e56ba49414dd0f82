use super::error::LimiterError;
use std::fmt;
use std::pin::Pin;

/// What a [`Limiter`](super::Limiter) says: at once, or when another server has answered.
#[non_exhaustive]
pub enum LimiterAnswer<T> {
    /// It is known.
    Ready(Result<T, LimiterError>),
    /// Another server has to be asked.
    Pending(PendingLimiterAnswer<T>),
}

/// An answer of a limiter that has to be waited for.
pub type PendingLimiterAnswer<T> =
    Pin<Box<dyn Future<Output = Result<T, LimiterError>> + Send + 'static>>;

impl<T> fmt::Debug for LimiterAnswer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(Ok(_)) => "Ready(Ok(..))",
            Self::Ready(Err(_)) => "Ready(Err(..))",
            Self::Pending(_) => "Pending(..)",
        })
    }
}
