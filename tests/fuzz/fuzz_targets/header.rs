//! Any header fields through a whole layer: no panic, and nobody is let through.

#![no_main]

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;
use std::sync::LazyLock;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use tower_auth::store::{Memory, Stores};
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::{ApiKeys, AuthLayer, Jwt, PasswordPolicy, Realm};
use tower_layer::Layer;

struct Bench {
    runtime: Runtime,
    /// Required and optional.
    layers: [AuthLayer; 2],
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    // Out of order: a name and a password of good form are 503 before a hash is computed, which
    // would take milliseconds.
    let users = Intercepted::new(Memory::new(), |_| Intercept::Fail);
    let realm = Realm::new(Stores::new().keys(Memory::new()).users(users));
    let jwt = Jwt::hs256("u4Zq7Kw2xRm90123456789abcdefghij").issuer("https://login.example.com");
    let required = AuthLayer::builder()
        .accept(jwt.audience("reports"))
        .accept(&realm.api_keys(ApiKeys::prefix("egret")))
        .accept(&realm.api_keys(ApiKeys::bare()))
        .accept(realm.users(PasswordPolicy::new()).basic())
        .allow_preflight()
        .build()
        .expect("a good configuration");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    Bench {
        runtime,
        layers: [required.clone(), required.optional()],
    }
});

/// Lines of `name: value`, separated by a zero byte, as the parser of a server would hand them over.
fn request(data: &[u8], method: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .body(Full::default())
        .expect("a request");
    for line in data.split(|b| *b == 0) {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        // Most lines would be refused by name: a short one stands for a field that matters.
        let name = match name {
            b"a" | b"" => Ok(http::header::AUTHORIZATION),
            b"k" => Ok(HeaderName::from_static("x-api-key")),
            b"c" => Ok(http::header::CONTENT_TYPE),
            b"p" => Ok(http::header::ACCESS_CONTROL_REQUEST_METHOD),
            name => HeaderName::from_bytes(name),
        };
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
            request.headers_mut().append(name, value);
        }
    }
    request
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let method = ["GET", "HEAD", "OPTIONS", "POST"][usize::from(first % 4)];
    let inner =
        tower::service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::from("inner"))));
    for (layer, optional) in BENCH.layers.iter().zip([false, true]) {
        let request = request(rest, method);
        let presented = request.headers().contains_key("authorization")
            || request.headers().contains_key("x-api-key");
        let preflight = method == "OPTIONS"
            && request
                .headers()
                .contains_key("access-control-request-method");
        let content_type = request.headers().get("content-type").cloned();
        let answer = BENCH.runtime.block_on(async {
            let (parts, body) = layer
                .layer(inner)
                .oneshot(request)
                .await
                .expect("an answer")
                .into_parts();
            Response::from_parts(parts, body.collect().await.expect("a body").to_bytes())
        });
        let reached = answer.body() == "inner";
        assert_eq!(reached, preflight || (optional && !presented));
        if reached {
            continue;
        }
        assert!(answer.body().is_empty() || !method.eq("HEAD"));
        match answer.status().as_u16() {
            200 => {
                let asked = content_type
                    .expect("gRPC asks for itself")
                    .as_bytes()
                    .to_ascii_lowercase();
                assert!(asked.starts_with(b"application/grpc") && answer.body().is_empty());
                assert!(
                    ["16", "14"]
                        .contains(&answer.headers()["grpc-status"].to_str().expect("ASCII"))
                );
            }
            400 | 401 => assert_eq!(
                answer.headers().get_all("www-authenticate").iter().count(),
                3
            ),
            503 => assert!(answer.headers().contains_key("retry-after")),
            other => panic!("{other}"),
        }
        let names = [
            "content-type",
            "content-length",
            "cache-control",
            "www-authenticate",
            "retry-after",
            "grpc-status",
            "grpc-message",
        ];
        assert!(
            answer
                .headers()
                .keys()
                .all(|name| names.contains(&name.as_str()))
        );
    }
});
