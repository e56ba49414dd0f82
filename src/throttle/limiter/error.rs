use crate::chain::write_chain;
use std::error::Error;
use std::fmt;

/// A limiter does not answer. What then becomes of the request is for each rule to say
/// ([`Throttle::refuse_in_outage`](crate::throttle::Throttle::refuse_in_outage)).
pub struct LimiterError(Box<dyn Error + Send + Sync>);

impl LimiterError {
    /// For that reason, which is for logs.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the limiter does not answer")
    }
}

/// As `Display`, with its source: it is what a `main` prints that returns it.
impl fmt::Debug for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for LimiterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
