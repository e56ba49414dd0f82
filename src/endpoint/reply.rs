use super::call::Call;
use crate::reject::{Rejection, RejectionKind};
use base64_simd::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// How long metadata may be kept: they change when the operator says so.
pub(super) const METADATA_FOR: Duration = Duration::from_secs(5 * 60);

/// The body of an endpoint's answer, whole in memory.
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
    cache: Cow<'static, str>,
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

    /// 200, and nothing to say.
    pub(super) fn done() -> Self {
        Self {
            status: StatusCode::OK,
            ..Self::nothing()
        }
    }

    /// JSON that is alike for everybody, and may be kept for so long; 304 without it where the
    /// request says that its client has it (RFC 9110 §13.1.2).
    pub(super) fn public(call: &Call, json: Vec<u8>, time: Duration) -> Result<Self, Rejection> {
        let tag = entity_tag(&json);
        let is_known = call
            .head
            .headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|known| names(known.as_bytes(), &tag));
        let whole = Self::with_body(StatusCode::OK, "application/json", json.into());
        let (status, body) = match is_known {
            true => (StatusCode::NOT_MODIFIED, None),
            false => (whole.status, whole.body),
        };
        let value = value_of(tag, "entity tag")?;
        let reply = Self {
            status,
            cache: format!("public, max-age={}", time.as_secs()).into(),
            fields: Vec::new(),
            content_type: whole.content_type,
            body,
        };
        Ok(reply.field(ETAG, value))
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
            // What is not said to be public is kept by no cache: most answers hold a credential or
            // somebody's data.
            cache: Cow::Borrowed("no-store"),
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
        let value = value_of(format!("<{target}>; rel=\"next\""), "link")?;
        Ok(self.field(LINK, value))
    }

    /// A cookie. It is a secret, so no `Debug` shows it.
    pub(super) fn cookie(self, cookie: &str) -> Result<Self, Rejection> {
        let mut value = value_of(cookie, "cookie")?;
        // The cookie holds a token, which no log may show.
        value.set_sensitive(true);
        Ok(self.field(SET_COOKIE, value))
    }

    pub(super) fn into_response(self) -> Response<EndpointBody> {
        let mut response = Response::new(EndpointBody(None));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        // OK because it is made of words and a number: what no field may hold is not kept.
        let cache = HeaderValue::try_from(&*self.cache);
        let cache = cache.unwrap_or_else(|_| HeaderValue::from_static("no-store"));
        headers.insert(CACHE_CONTROL, cache);
        // Without this a browser could take JSON for a script or a page (Fetch §2.2.4).
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

fn value_of(text: impl TryInto<HeaderValue>, what: &'static str) -> Result<HeaderValue, Rejection> {
    text.try_into()
        .map_err(|_| Rejection::new(RejectionKind::Failed, what))
}

/// A strong entity tag (RFC 9110 §8.8.3): other bytes have another one.
fn entity_tag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode_to_string(&digest[..16]))
}

/// Whether a line of `If-None-Match` names this tag, or any. Tags are compared weakly, as is right
/// for it (RFC 9110 §8.8.3.2). No tag of ours has a comma.
fn names(line: &[u8], tag: &str) -> bool {
    let mut known = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    known.any(|known| {
        // Weak comparison (RFC 9110 §13.1.2): a proxy that compresses marks the tag as weak.
        let strong = known.strip_prefix(b"W/").unwrap_or(known);
        known == b"*" || strong == tag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_in_any_list_and_in_no_other_tag() {
        let tag = entity_tag(b"{}");
        for (line, is_named) in [
            (tag.clone(), true),
            (format!("W/{tag}"), true),
            (format!("\"other\" , {tag}"), true),
            (String::from("*"), true),
            (String::new(), false),
            (tag.trim_matches('"').to_owned(), false),
            (entity_tag(b"{ }"), false),
            (format!("\"{tag}\""), false),
        ] {
            assert_eq!(names(line.as_bytes(), &tag), is_named, "{line}");
        }
    }
}
