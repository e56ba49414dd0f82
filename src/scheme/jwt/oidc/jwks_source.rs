use super::published_keys::PublishedKeys;
use super::remote::Remote;
use crate::config::ConfigProblem;
use crate::fetch::HttpUrl;
use crate::key_set::{KeySource, KeySourceError, Loaded};
use async_trait::async_trait;
use std::time::SystemTime;

/// The JWK set at a URL that the operator wrote.
pub(crate) struct JwksSource {
    name: String,
    url: HttpUrl,
    keys: PublishedKeys,
}

impl JwksSource {
    pub(crate) fn new(url: &str, remote: Remote) -> Result<Self, ConfigProblem> {
        let configured = HttpUrl::configured(url, remote.trust);
        Ok(Self {
            name: url.to_owned(),
            url: configured.map_err(|rule| ConfigProblem::KeysUrl {
                url: url.to_owned(),
                rule,
            })?,
            keys: PublishedKeys::new(remote),
        })
    }
}

#[async_trait]
impl KeySource for JwksSource {
    async fn load(&self, _: SystemTime) -> Result<Loaded, KeySourceError> {
        let loaded = self.keys.load(&self.url, &self.name).await;
        loaded.map_err(KeySourceError::from)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
