use crate::secret::Secret;
use std::time::SystemTime;

/// An access token, and mostly a refresh token.
#[derive(Debug)]
#[must_use]
pub struct TokenPair {
    pub(super) access: Secret<String>,
    pub(super) refresh: Option<Secret<String>>,
    pub(super) access_expires: SystemTime,
}

impl TokenPair {
    /// The access token, for `Authorization: Bearer`.
    #[must_use]
    pub fn access(&self) -> &Secret<String> {
        &self.access
    }

    /// The refresh token; `None` after a refresh without rotation, which leaves the former one
    /// good.
    #[must_use]
    pub fn refresh(&self) -> Option<&Secret<String>> {
        self.refresh.as_ref()
    }

    /// When the access token expires.
    #[must_use]
    pub fn access_expires(&self) -> SystemTime {
        self.access_expires
    }
}
