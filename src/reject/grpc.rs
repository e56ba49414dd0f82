use super::Rejection;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

/// Says which nonce a proof is to have (RFC 9449 §8.1).
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The content type to answer a gRPC request with, or `None` for any other request.
///
/// `application/grpc` may be followed by `+codec` or parameters; `application/grpc-web` is its form
/// for browsers. Anything else that merely begins alike is not gRPC.
pub(super) fn answer_type(headers: &HeaderMap) -> Option<&'static str> {
    const TYPES: [&str; 3] = [
        "application/grpc",
        "application/grpc-web",
        "application/grpc-web-text",
    ];
    let asked = headers.get(CONTENT_TYPE)?.as_bytes();
    TYPES.into_iter().find(|name| is_of_type(asked, name))
}

#[inline]
fn is_of_type(asked: &[u8], name: &str) -> bool {
    let Some((head, rest)) = asked.split_at_checked(name.len()) else {
        return false;
    };
    let ends = matches!(rest.first(), None | Some(b'+' | b';' | b' ' | b'\t'));
    ends && head.eq_ignore_ascii_case(name.as_bytes())
}

/// The header fields of a Trailers-Only answer
/// ([PROTOCOL-HTTP2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), "Responses").
pub(super) fn headers(rejection: &Rejection, content_type: &'static str) -> HeaderMap {
    let kind = rejection.kind();
    let fields = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            HeaderName::from_static("grpc-status"),
            HeaderValue::from(u16::from(kind.grpc_code())),
        ),
        // Fixed printable ASCII without '%', so percent-encoding would change nothing.
        (
            HeaderName::from_static("grpc-message"),
            HeaderValue::from_static(kind.detail()),
        ),
    ];
    let retry_after = rejection
        .retry_after()
        .and_then(|_| rejection.retry_after_seconds());
    let retry_after = retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds)));
    let nonce = rejection.nonce().cloned();
    let nonce = nonce.map(|nonce| (DPOP_NONCE, nonce));
    fields.into_iter().chain(retry_after).chain(nonce).collect()
}
