use std::time::Duration;

/// For how long a server waits for its clients, and how many it has at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientLimits {
    /// For the head of a request, from the end of the one before.
    pub(super) head: Duration,
    /// For the next part of a body.
    pub(super) body: Duration,
    /// With no request under way.
    pub(super) idle: Duration,
    pub(super) connections: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            connections: 10_000,
        }
    }
}
