use crate::reject::{Rejection, RejectionKind};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LINK, SET_COOKIE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of an endpoint's answer.
#[derive(Clone, Debug, Default)]
pub struct EndpointBody(Option<Bytes>);

impl Body for EndpointBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |body| body.len() as u64))
    }
}

/// What an endpoint answers. Nothing of it is to be kept by a cache: it is one caller's.
pub(super) struct Reply {
    status: StatusCode,
    cache: &'static str,
    fields: Vec<(HeaderName, HeaderValue)>,
    content_type: &'static str,
    body: Option<Bytes>,
}

impl Reply {
    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self::with_body(status, "application/json", value.to_string().into())
    }

    pub(super) fn ok(members: Map<String, Value>) -> Self {
        Self::json(StatusCode::OK, &Value::Object(members))
    }

    pub(super) fn created(members: Map<String, Value>) -> Self {
        Self::json(StatusCode::CREATED, &Value::Object(members))
    }

    pub(super) fn nothing() -> Self {
        Self {
            body: None,
            ..Self::with_body(StatusCode::NO_CONTENT, "", Bytes::new())
        }
    }

    /// JSON that is alike for everybody, and may be kept for a while.
    pub(super) fn public(json: Vec<u8>) -> Self {
        Self {
            cache: "public, max-age=300",
            ..Self::with_body(StatusCode::OK, "application/json", json.into())
        }
    }

    /// A file that is compiled in.
    pub(super) fn file(content_type: &'static str, text: &'static str) -> Self {
        Self::with_body(
            StatusCode::OK,
            content_type,
            Bytes::from_static(text.as_bytes()),
        )
    }

    /// JSON that was made before.
    pub(super) fn made(json: Bytes) -> Self {
        Self::with_body(StatusCode::OK, "application/json", json)
    }

    fn with_body(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        Self {
            status,
            cache: "no-store",
            fields: Vec::new(),
            content_type,
            body: Some(body),
        }
    }

    /// A further header field.
    pub(super) fn field(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    /// Where the page after this one is (RFC 8288 §3).
    pub(super) fn next_page(self, target: &str) -> Result<Self, Rejection> {
        let wrong = |_| Rejection::new(RejectionKind::Failed, "link");
        let value = HeaderValue::try_from(format!("<{target}>; rel=\"next\"")).map_err(wrong)?;
        Ok(self.field(LINK, value))
    }

    /// A cookie. It is a secret, so no `Debug` shows it.
    pub(super) fn cookie(self, cookie: &str) -> Result<Self, Rejection> {
        let wrong = |_| Rejection::new(RejectionKind::Failed, "cookie");
        let mut value = HeaderValue::try_from(cookie).map_err(wrong)?;
        value.set_sensitive(true);
        Ok(self.field(SET_COOKIE, value))
    }

    pub(super) fn into_response(self) -> Response<EndpointBody> {
        let mut response = Response::new(EndpointBody(None));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache));
        // No browser takes JSON for a script or a page (Fetch §2.2.4).
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        for (name, value) in self.fields {
            headers.append(name, value);
        }
        if let Some(body) = self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            *response.body_mut() = EndpointBody(Some(body));
        }
        response
    }
}
