//! What several promises need: a service to guard, requests and answers.

use base64::Engine;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::convert::Infallible;
use tower::ServiceExt;
use tower_auth::test_util::TokenMint;
use tower_auth::{Jwt, KeyIssuer, KeyRequest, Principal, Subject};
use tower_layer::Layer;

/// For tests only.
pub(crate) const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij";
pub(crate) const ISSUER: &str = "https://login.example.com";
pub(crate) const AUDIENCE: &str = "reports";
/// 2033-05-18T03:33:20Z.
pub(crate) const FAR: u64 = 2_000_000_000;

/// Whether there are public keys: without a cryptographic back end there are secrets alone, and what
/// is about others has nothing to show.
pub(crate) const PUBLIC_KEYS: bool = cfg!(any(feature = "aws-lc-rs", feature = "rust-crypto"));

pub(crate) fn jwt() -> Jwt {
    Jwt::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE)
}

pub(crate) fn token_for(subject: &str) -> String {
    token_with(serde_json::json!({ "sub": subject }))
}

/// A good token with further claims.
pub(crate) fn token_with(mut claims: serde_json::Value) -> String {
    for (name, value) in [
        ("iss", ISSUER.into()),
        ("aud", AUDIENCE.into()),
        ("exp", serde_json::Value::from(FAR)),
    ] {
        claims[name] = value;
    }
    TokenMint::hs256(SECRET).sign(&claims)
}

/// The key with another last character, so that its checksum is wrong whatever it was.
pub(crate) fn mistyped(key: &str) -> String {
    let end = if key.ends_with('a') { 'b' } else { 'a' };
    format!("{}{end}", &key[..key.len() - 1])
}

/// A new key of a user.
pub(crate) async fn key_of(keys: &KeyIssuer, owner: &str) -> String {
    let request = KeyRequest::new(Subject::user(owner), "ci");
    keys.issue(request).await.unwrap().key.expose().clone()
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn challenges(&self) -> Vec<&str> {
        self.headers
            .get_all("www-authenticate")
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request through a layer to a handler that names its caller.
pub(crate) async fn send<L>(layer: &L, request: Request<Full<Bytes>>) -> Reply
where
    L: Layer<Whoami>,
    L::Service: tower::Service<
            Request<Full<Bytes>>,
            Response = Response<tower_auth::layer::ResponseBody<Full<Bytes>>>,
        >,
    <L::Service as tower::Service<Request<Full<Bytes>>>>::Error: std::fmt::Debug,
{
    reply(layer.layer(Whoami).oneshot(request).await.unwrap()).await
}

pub(crate) async fn reply<B>(response: Response<B>) -> Reply
where
    B: http_body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = response.into_parts();
    Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// `GET /` with these header fields.
pub(crate) fn get(fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    request("GET", fields)
}

pub(crate) fn request(method: &str, fields: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method(method).uri("/");
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::default()).unwrap()
}

pub(crate) fn bearer(token: &str) -> Request<Full<Bytes>> {
    get(&[("authorization", &format!("Bearer {token}"))])
}

/// Basic with this name and password.
pub(crate) fn basic(name: &str, password: &str) -> Request<Full<Bytes>> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    get(&[("authorization", &format!("Basic {encoded}"))])
}

/// Answers with the caller's method and subject, or `anonymous`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whoami;

impl<B> tower::Service<Request<B>> for Whoami {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let text = match Principal::optional_from_extensions(request.extensions()).unwrap() {
            Some(caller) => format!("{:?} {}", caller.method(), caller.subject()),
            None => String::from("anonymous"),
        };
        std::future::ready(Ok(Response::new(Full::from(text))))
    }
}
