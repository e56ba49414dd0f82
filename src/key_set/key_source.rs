use super::key_source_error::KeySourceError;
use super::set::KeySet;
use async_trait::async_trait;
use std::time::{Duration, SystemTime};

/// Where the keys of an issuer come from: its JWK set over HTTP, or the store in which nodes that
/// sign together keep theirs.
///
/// A source belongs to one [`LiveKeys`](super::LiveKeys), which asks it one question at a time and
/// gives up after ten seconds.
#[async_trait]
pub(crate) trait KeySource: Send + Sync + 'static {
    /// The keys that are valid now.
    async fn load(&self, now: SystemTime) -> Result<Loaded, KeySourceError>;

    /// What it is called in the log.
    fn name(&self) -> &str {
        "keys"
    }
}

/// What a source answers.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The whole set, in place of the former one; `None` where that has not changed.
    pub(crate) keys: Option<KeySet>,
    /// How long it may be used before the source is asked again; `None` leaves it to the default.
    pub(crate) fresh_for: Option<Duration>,
}
