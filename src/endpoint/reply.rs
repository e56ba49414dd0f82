use crate::throttle::Fields;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
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
    body: Option<Vec<u8>>,
    quota: Option<Fields>,
}

impl Reply {
    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self::bytes(status, value.to_string().into_bytes())
    }

    pub(super) fn ok(members: Map<String, Value>) -> Self {
        Self::json(StatusCode::OK, &Value::Object(members))
    }

    pub(super) fn created(members: Map<String, Value>) -> Self {
        Self::json(StatusCode::CREATED, &Value::Object(members))
    }

    pub(super) fn nothing() -> Self {
        Self { status: StatusCode::NO_CONTENT, cache: "no-store", body: None, quota: None }
    }

    /// JSON that is alike for everybody, and may be kept for a while.
    pub(super) fn public(json: Vec<u8>) -> Self {
        Self { cache: "public, max-age=300", ..Self::bytes(StatusCode::OK, json) }
    }

    fn bytes(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, cache: "no-store", body: Some(body), quota: None }
    }

    /// What the caller is told of its limits.
    pub(super) fn with_quota(self, quota: Option<Fields>) -> Self {
        Self { quota, ..self }
    }

    pub(super) fn into_response(self) -> Response<EndpointBody> {
        let mut response = Response::new(EndpointBody(None));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.cache));
        if let Some(quota) = self.quota {
            quota.write(headers);
        }
        if let Some(body) = self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = EndpointBody(Some(body.into()));
        }
        response
    }
}
