use super::cache_control::fresh_for;
use super::failure::Failure;
use super::remote::Remote;
use crate::event::keys_loaded;
use crate::fetch::HttpUrl;
use crate::key_set::{JwtKeys, KeySet, KeySourceError, Loaded};
use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

const ACCEPT: &str = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1";

/// The JWK set of an issuer, which is asked for again and again.
pub(super) struct PublishedKeys {
    remote: Remote,
    /// The set that is in use. Locked for a look, and not while it is fetched.
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    url: HttpUrl,
    etag: Option<HeaderValue>,
    digest: [u8; 32],
}

impl PublishedKeys {
    pub(super) fn new(remote: Remote) -> Self {
        Self {
            remote,
            kept: Mutex::new(None),
        }
    }

    /// The set at this URL; `name` is for the log.
    pub(super) async fn load(&self, url: &HttpUrl, name: &str) -> Result<Loaded, Failure> {
        let kept = self.kept(url);
        let etag = kept.as_ref().and_then(|kept| kept.etag.clone());
        let asks_for_changes = etag.is_some();
        let mut request = url.request();
        request
            .headers_mut()
            .extend(etag.map(|etag| (IF_NONE_MATCH, etag)));
        let response = self.remote.get(request, ACCEPT).await?;
        let fresh_for = fresh_for(response.headers());
        let keys = match response.status() {
            StatusCode::OK => self.changed(url, name, kept, &response)?,
            // Without a condition in the request this status means nothing: there is no set that
            // has not changed.
            StatusCode::NOT_MODIFIED if asks_for_changes => None,
            status => return Err(Failure::Status(status)),
        };
        Ok(Loaded { keys, fresh_for })
    }

    /// The set of a response, unless it is the one that is in use.
    fn changed(
        &self,
        url: &HttpUrl,
        name: &str,
        kept: Option<Kept>,
        response: &Response<Bytes>,
    ) -> Result<Option<KeySet>, KeySourceError> {
        let digest = Sha256::digest(response.body()).into();
        let is_same = kept.is_some_and(|kept| kept.digest == digest);
        let keys = if is_same {
            None
        } else {
            Some(self.read(name, response.body())?)
        };
        // Only now that the set is taken: were a broken one remembered, the same answer the next
        // time would pass for one that has not changed.
        self.keep(Kept {
            url: url.clone(),
            etag: response.headers().get(ETAG).cloned(),
            digest,
        });
        Ok(keys)
    }

    fn read(&self, name: &str, document: &[u8]) -> Result<KeySet, KeySourceError> {
        let known = self.remote.known.clone();
        let before = known.len();
        let keys = JwtKeys::published(document, self.remote.allowed, known);
        let keys = keys.map_err(|rule| KeySourceError::because("it is no JWK set", rule))?;
        let usable = keys.len() - before;
        keys_loaded(name, usable, keys.skipped());
        if usable == 0 {
            return Err(KeySourceError::new("it has no key that can be used"));
        }
        let keys = keys
            .into_keys()
            .map_err(|problem| KeySourceError::because("it is no JWK set", problem))?;
        let set = KeySet::build(&keys);
        set.map_err(|_| KeySourceError::new("its keys do not go together"))
    }

    /// What is in use, where it is from there.
    fn kept(&self, url: &HttpUrl) -> Option<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.url == *url).cloned()
    }

    fn keep(&self, kept: Kept) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }
}
