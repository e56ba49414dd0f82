use super::failure::Failure;
use crate::fetch::{Fetch, Trust};
use crate::key_set::{Algorithms, JwtKey, KeySourceError, LONGEST_JWKS};
use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long one answer may take, whoever fetches it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How the keys of an issuer are loaded, wherever they are.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) trust: Trust,
    /// What the issuer may sign with.
    pub(crate) allowed: Algorithms,
    /// Keys of the issuer that the operator gave: they are in each set, before what is loaded.
    pub(crate) known: Vec<JwtKey>,
}

impl Remote {
    /// A document, of whatever content type: what it is shows when it is read.
    pub(super) async fn get(
        &self,
        mut request: Request<Bytes>,
        accept: &'static str,
    ) -> Result<Response<Bytes>, Failure> {
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        let fetched = timeout(ANSWER_WITHIN, self.fetch.fetch(request, LONGEST_JWKS));
        let fetched = fetched
            .await
            .map_err(|late| KeySourceError::because("it did not answer in time", late))?;
        let response =
            fetched.map_err(|error| KeySourceError::because("it could not be fetched", error))?;
        // A fetcher of the application's own need not keep the bound that it was given.
        if response.body().len() > LONGEST_JWKS {
            return Err(KeySourceError::new("it has more than 512 KiB").into());
        }
        Ok(response)
    }
}
