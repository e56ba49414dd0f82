use super::cache_control::fresh_for;
use super::failure::Failure;
use super::remote::Remote;
use crate::clock::later;
use crate::fetch::{HttpUrl, Trust};
use crate::key_set::KeySourceError;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// How long what an issuer says of itself is believed, where it does not say.
const DEFAULT: Duration = Duration::from_secs(60 * 60);
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What is known of an issuer by its name alone (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
pub(super) struct Discovery {
    issuer: String,
    openid: HttpUrl,
    oauth: HttpUrl,
}

/// Where an issuer says that its keys are.
#[derive(Clone)]
pub(super) struct Discovered {
    pub(super) jwks: HttpUrl,
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

impl Discovery {
    /// At the issuer of this URL, of which the document must say exactly this name.
    pub(super) fn new(at: &str, issuer: &str, trust: Trust) -> Result<Self, &'static str> {
        let at = at.strip_suffix('/').unwrap_or(at);
        let url = HttpUrl::configured(at, trust)?;
        if url.uri().query().is_some() {
            return Err("an issuer has no query (RFC 8414 §2)");
        }
        let path = url.uri().path().trim_end_matches('/');
        // RFC 8414 §3.1 puts the well-known part between host and path, OpenID Connect puts it
        // after the path.
        let host = at.strip_suffix(path).unwrap_or(at);
        let openid = format!("{at}/.well-known/openid-configuration");
        let oauth = format!("{host}/.well-known/oauth-authorization-server{path}");
        Ok(Self {
            issuer: issuer.to_owned(),
            openid: HttpUrl::configured(&openid, trust)?,
            oauth: HttpUrl::configured(&oauth, trust)?,
        })
    }

    pub(super) async fn load(
        &self,
        remote: &Remote,
        now: SystemTime,
    ) -> Result<Discovered, KeySourceError> {
        let found = match self.read(remote, &self.openid, now).await {
            // An authorization server that does not speak OpenID Connect has no such document, but
            // may have the other one. Any other failure is a failure, and not a reason to look
            // elsewhere.
            Err(Failure::Status(StatusCode::NOT_FOUND)) => {
                self.read(remote, &self.oauth, now).await
            }
            found => found,
        };
        found.map_err(|failure| {
            let failure = KeySourceError::from(failure);
            KeySourceError::because("what the issuer says of itself cannot be read", failure)
        })
    }

    async fn read(
        &self,
        remote: &Remote,
        url: &HttpUrl,
        now: SystemTime,
    ) -> Result<Discovered, Failure> {
        let response = remote.get(url.request(), "application/json").await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status()));
        }
        let said = fresh_for(response.headers()).unwrap_or(DEFAULT);
        Ok(Discovered {
            jwks: self.keys_url(remote, url, &response)?,
            from: now,
            until: later(now, said.clamp(SHORTEST, LONGEST)),
        })
    }

    fn keys_url(
        &self,
        remote: &Remote,
        url: &HttpUrl,
        response: &Response<Bytes>,
    ) -> Result<HttpUrl, KeySourceError> {
        let document: Value = serde_json::from_slice(response.body())
            .map_err(|_| KeySourceError::new("it is no JSON"))?;
        // Otherwise one issuer could speak for another (OpenID Connect Discovery 1.0 §4.3).
        if document["issuer"].as_str() != Some(&*self.issuer) {
            return Err(KeySourceError::new(
                "its issuer is not the one that is asked for",
            ));
        }
        let Some(keys) = document["jwks_uri"].as_str() else {
            return Err(KeySourceError::new("it has no jwks_uri"));
        };
        url.learned(keys, remote.trust)
            .map_err(|rule| KeySourceError::because("its jwks_uri cannot be used", rule))
    }
}
