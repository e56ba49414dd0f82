use super::discovery::{Discovered, Discovery};
use super::failure::Failure;
use super::published_keys::PublishedKeys;
use super::remote::Remote;
use crate::clock::later;
use crate::config::ConfigProblem;
use crate::key_set::{KeySource, KeySourceError, Loaded};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The clocks of two requests may differ by this much; what is further back was set back.
const SKEW: Duration = Duration::from_secs(60);

/// The keys of an issuer that is known by its name: where they are is asked of itself.
pub(crate) struct OidcSource {
    name: String,
    remote: Remote,
    discovery: Discovery,
    keys: PublishedKeys,
    discovered: Mutex<Option<Discovered>>,
}

impl OidcSource {
    /// The issuer at this URL, which must call itself `issuer`: the same, or for a provider with
    /// many tenants the name with a place for theirs.
    pub(crate) fn new(at: &str, issuer: &str, remote: Remote) -> Result<Self, ConfigProblem> {
        let discovery = Discovery::new(at, issuer, remote.trust);
        Ok(Self {
            name: issuer.to_owned(),
            discovery: discovery.map_err(|rule| ConfigProblem::KeysUrl {
                url: at.to_owned(),
                rule,
            })?,
            keys: PublishedKeys::new(remote.clone()),
            remote,
            discovered: Mutex::new(None),
        })
    }

    async fn load_from(&self, found: &Discovered) -> Result<Loaded, Failure> {
        self.keys.load(&found.jwks, &self.name).await
    }

    async fn discover(&self, now: SystemTime) -> Result<Discovered, KeySourceError> {
        let found = self.discovery.load(&self.remote, now).await?;
        let mut discovered = self
            .discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *discovered = Some(found.clone());
        Ok(found)
    }

    /// What is believed yet.
    fn known(&self, now: SystemTime) -> Option<Discovered> {
        let discovered = self
            .discovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = discovered.as_ref()?;
        let was_set_back = later(now, SKEW) < known.from;
        (now < known.until && !was_set_back).then(|| known.clone())
    }
}

#[async_trait]
impl KeySource for OidcSource {
    async fn load(&self, now: SystemTime) -> Result<Loaded, KeySourceError> {
        if let Some(known) = self.known(now) {
            match self.load_from(&known).await {
                // The keys may have moved, so the issuer is asked where they are now. It is asked
                // once: where that does not help, this load has failed.
                Err(failure) if failure.is_of_client() => {}
                loaded => return loaded.map_err(KeySourceError::from),
            }
        }
        let found = self.discover(now).await?;
        let loaded = self.load_from(&found).await;
        loaded.map_err(KeySourceError::from)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
