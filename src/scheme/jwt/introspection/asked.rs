use crate::fetch::{Fetch, FetchError, HttpUrl};
use crate::reject::Rejection;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use form_urlencoded::{Serializer, byte_serialize};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// More than any issuer says of a token, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// The issuer, as the client that we are to it.
pub(super) struct Asked {
    url: HttpUrl,
    authorization: HeaderValue,
    fetch: Arc<dyn Fetch>,
}

/// Why an issuer did not say anything of a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("the issuer did not answer in time")]
    Late,
    #[error("the issuer could not be asked")]
    Fetch(#[source] FetchError),
    #[error("the issuer refuses the client that asks: its id or secret is wrong")]
    Client,
    #[error("the issuer answers with the status {0}")]
    Status(StatusCode),
    #[error("what the issuer answers is no answer of RFC 7662")]
    Form,
}

impl Asked {
    pub(super) fn new(
        url: HttpUrl,
        id: &str,
        secret: &Secret<String>,
        fetch: Arc<dyn Fetch>,
    ) -> Self {
        // RFC 6749 §2.3.1: each is encoded as in a form before Basic puts them together.
        let pair = format!("{}:{}", encoded(id), encoded(secret.expose()));
        let value = format!("Basic {}", STANDARD.encode(pair));
        // OK because base64 is made of visible ASCII.
        let mut authorization =
            HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(""));
        authorization.set_sensitive(true);
        Self {
            url,
            authorization,
            fetch,
        }
    }

    /// What the issuer says of a token: a JSON object.
    pub(super) async fn about(&self, token: &str) -> Result<String, Rejection> {
        let answer = self.answer(token).await;
        answer.map_err(|error| Rejection::unavailable("introspection failed", error))
    }

    async fn answer(&self, token: &str) -> Result<String, Unanswered> {
        let asking = self.fetch.fetch(self.question(token), LONGEST_ANSWER);
        let response = timeout(ANSWER_WITHIN, asking)
            .await
            .map_err(|_| Unanswered::Late)?
            .map_err(Unanswered::Fetch)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Unanswered::Client),
            other => return Err(Unanswered::Status(other)),
        }
        let body = response.into_body();
        // A client of the application's own need not keep the bound that it was given.
        if body.len() > LONGEST_ANSWER {
            return Err(Unanswered::Form);
        }
        String::from_utf8(body.into()).map_err(|_| Unanswered::Form)
    }

    /// RFC 7662 §2.1.
    fn question(&self, token: &str) -> Request<Bytes> {
        let form = Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("token_type_hint", "access_token")
            .finish();
        let mut request = self.url.request();
        *request.method_mut() = Method::POST;
        *request.body_mut() = form.into();
        let fields = request.headers_mut();
        fields.insert(AUTHORIZATION, self.authorization.clone());
        fields.insert(CONTENT_TYPE, FORM);
        fields.insert(ACCEPT, JSON);
        request
    }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// What is said is no answer.
pub(super) fn no_answer() -> Rejection {
    Rejection::unavailable("introspection failed", Unanswered::Form)
}
