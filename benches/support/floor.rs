//! The yardstick: straight-line code that does only what an answer cannot do without. It keeps none
//! of the layer's promises.

use super::fixtures::{AUDIENCE, HEADER, ISSUER, SECRET, base64url};
use super::harness::Body;
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;
use subtle::ConstantTimeEq;
use tower::Service;

/// The inner service of every row.
#[derive(Clone)]
pub(crate) struct Hello;

impl Service<Request<Body>> for Hello {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(request);
        ready(Ok(Response::new(Body::from("hello"))))
    }
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Answers with the two fields of a limit.
pub(crate) struct Tells {
    left: u32,
    policy: HeaderValue,
}

impl Tells {
    pub(crate) fn new() -> Self {
        Self {
            left: 99_000_000,
            policy: HeaderValue::from_static("\"principal\";q=100000000;w=86400"),
        }
    }
}

impl Service<Request<Body>> for Tells {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        drop(request);
        self.left -= 1;
        let mut text = String::with_capacity(64);
        text.push_str("\"principal\";r=");
        text.push_str(itoa::Buffer::new().format(self.left));
        text.push_str(";t=");
        text.push_str(itoa::Buffer::new().format(self.left % 100_000));
        let mut response = Response::new(Body::from("hello"));
        let headers = response.headers_mut();
        headers.append(RATE_LIMIT, HeaderValue::from_str(&text).unwrap());
        headers.append(RATE_LIMIT_POLICY, self.policy.clone());
        ready(Ok(response))
    }
}

/// Admits a request, or answers 401.
pub(crate) struct Floor<F>(pub(crate) F);

impl<F: FnMut(&mut Request<Body>) -> Option<()>> Service<Request<Body>> for Floor<F> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Hello as Service<Request<Body>>>::poll_ready(&mut Hello, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if (self.0)(&mut request).is_some() {
            return Hello.call(request);
        }
        let mut refused = Response::new(Body::default());
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        ready(Ok(refused))
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

#[derive(Clone)]
struct Known(#[expect(dead_code, reason = "it is what a handler would read")] Arc<str>);

/// Keys found by their SHA-256 and compared in constant time.
pub(crate) fn api_key(keys: Vec<String>) -> impl FnMut(&mut Request<Body>) -> Option<()> {
    let entry = |key: &String| {
        (
            <[u8; 32]>::from(Sha256::digest(key)),
            Known(key.as_str().into()),
        )
    };
    let known: HashMap<[u8; 32], Known> = keys.iter().map(entry).collect();
    move |request| {
        let digest: [u8; 32] = Sha256::digest(bearer(request.headers())?).into();
        let (stored, known) = known.get_key_value(&digest)?;
        let same: bool = stored.ct_eq(&digest).into();
        same.then(|| _ = request.extensions_mut().insert(known.clone()))
    }
}

#[derive(Clone, Deserialize)]
struct Claims {
    #[expect(dead_code, reason = "it is what a handler would read")]
    sub: String,
    exp: u64,
    iss: String,
    aud: String,
    #[expect(dead_code, reason = "it is what a handler would read")]
    scope: String,
}

/// Signature, base64, JSON and claims of a token with exactly the expected header.
fn jwt(
    header: String,
    genuine: impl Fn(&[u8], &[u8]) -> bool,
) -> impl FnMut(&mut Request<Body>) -> Option<()> {
    let header = format!("{}.", base64url(header.as_bytes()));
    move |request| {
        let (message, signature) = bearer(request.headers())?.rsplit_once('.')?;
        let payload = message.strip_prefix(&header)?;
        let mut buffer = [0; 512];
        let length = URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer).ok()?;
        if !genuine(message.as_bytes(), &buffer[..length]) {
            return None;
        }
        let length = URL_SAFE_NO_PAD.decode_slice(payload, &mut buffer).ok()?;
        let claims: Claims =
            serde_json::from_str(std::str::from_utf8(&buffer[..length]).ok()?).ok()?;
        let now = std::time::UNIX_EPOCH.elapsed().ok()?.as_secs();
        let good = claims.exp > now && claims.iss == ISSUER && claims.aud == AUDIENCE;
        good.then(|| _ = request.extensions_mut().insert(Arc::new(claims)))
    }
}

pub(crate) fn hs256() -> impl FnMut(&mut Request<Body>) -> Option<()> {
    let key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    jwt(HEADER.to_owned(), move |message, mac| {
        key.clone().chain_update(message).verify_slice(mac).is_ok()
    })
}

pub(crate) fn public_key(
    algorithm: &str,
    key: ParsedPublicKey,
) -> impl FnMut(&mut Request<Body>) -> Option<()> {
    let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT","kid":"k1"}}"#);
    jwt(header, move |message, signature| {
        key.verify_sig(message, signature).is_ok()
    })
}

/// One GCRA cell that is known: the time, and one compare-and-swap.
pub(crate) fn throttle() -> impl FnMut(&mut Request<Body>) -> Option<()> {
    const PERIOD: u64 = 1;
    const TOLERANCE: u64 = 1_000_000_000;
    #[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
    let start = Instant::now();
    let arrival = AtomicU64::new(0);
    move |_| {
        let now = start.elapsed().as_nanos() as u64;
        let admitted = |then: u64| {
            let earliest = then.max(now);
            (earliest - now <= TOLERANCE).then_some(earliest + PERIOD)
        };
        let order = Ordering::Relaxed;
        arrival
            .fetch_update(order, order, admitted)
            .ok()
            .map(|_| ())
    }
}

/// Says no as completely as the layer does: three challenges, `no-store` and a body, made before
/// and cloned.
pub(crate) struct Refuses(Response<Body>);

impl Refuses {
    pub(crate) fn new() -> Self {
        let mut response = Response::new(Body::from(Bytes::from(vec![b'x'; 142])));
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        let line = |text: &str| HeaderValue::try_from(text.to_owned()).unwrap();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for scheme in [
            "Bearer realm=\"api\"",
            "Api-Key realm=\"api\"",
            "Basic realm=\"api\", charset=\"UTF-8\"",
        ] {
            headers.append(header::WWW_AUTHENTICATE, line(scheme));
        }
        Self(response)
    }
}

impl Service<Request<Body>> for Refuses {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Hello as Service<Request<Body>>>::poll_ready(&mut Hello, cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut response = Response::new(self.0.body().clone());
        *response.status_mut() = self.0.status();
        if !request.headers().contains_key(header::AUTHORIZATION) {
            *response.headers_mut() = self.0.headers().clone();
        }
        ready(Ok(response))
    }
}
