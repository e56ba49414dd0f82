//! Any Bearer value against an HS256 and an EdDSA policy.
//!
//! The first byte chooses: the rest is the value as it stands, which nobody can have signed, or
//! header and payload, separated by a zero byte, which are signed so that what comes after the
//! signature is reached.

#![no_main]

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::LazyLock;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use tower_auth::store::Stores;
use tower_auth::test_util::{ManualClock, TokenMint};
use tower_auth::jwt::JwtKey;
use tower_auth::{AuthLayer, Jwt, Principal, Realm};
use tower_layer::Layer;

const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij";
const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "reports";
const NOW: u64 = 2_000_000_000;
const LEEWAY: u64 = 60;

static LAYER: LazyLock<AuthLayer> = LazyLock::new(|| {
    // The public key of RFC 8037, appendix A.2.
    let key = JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let others = Jwt::new().key(key).issuer("https://other.example.com");
    AuthLayer::builder()
        .realm(&Realm::new(Stores::new()).clock(ManualClock::new(NOW)))
        .accept(Jwt::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE))
        .accept(others.audience(AUDIENCE))
        .build()
        .expect("a good configuration")
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
});

/// Status, and the subject where somebody was let through.
fn ask(bearer: &[u8]) -> Option<(u16, Option<String>)> {
    let inner = tower::service_fn(async |request: Request<Full<Bytes>>| {
        let caller = Principal::from_extensions(request.extensions()).expect("no one is anonymous");
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(caller);
        Ok::<_, Infallible>(response)
    });
    let value = HeaderValue::from_bytes(&[b"Bearer ", bearer].concat()).ok()?;
    let mut request = Request::new(Full::<Bytes>::default());
    request.headers_mut().insert("authorization", value);
    let answer = RUNTIME
        .block_on(LAYER.layer(inner).oneshot(request))
        .expect("an answer");
    let subject = answer
        .extensions()
        .get::<Principal>()
        .map(|caller| caller.subject().id().to_owned());
    Some((answer.status().as_u16(), subject))
}

/// Else nothing after the signature would ever be reached.
fn a_good_token_is_accepted() {
    let claims =
        serde_json::json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": NOW + 1 });
    let token = TokenMint::hs256(SECRET).sign(&claims);
    assert_eq!(
        ask(token.as_bytes()),
        Some((200, Some(String::from("anna"))))
    );
}

fuzz_target!(init: a_good_token_is_accepted(), |data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    if first % 2 == 0 {
        let Some((status, subject)) = ask(rest) else { return };
        assert!(matches!(status, 400 | 401) && subject.is_none());
        return;
    }
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (header, payload) = text.split_once('\0').unwrap_or((r#"{"alg":"HS256"}"#, text));
    let token = TokenMint::hs256(SECRET).sign_parts(header, payload);
    let (status, subject) = ask(token.as_bytes()).expect("base64url is a field value");
    let Some(subject) = subject else {
        assert_eq!(status, 401);
        return;
    };
    let header: Value = serde_json::from_str(header).expect("an accepted header is JSON");
    let claims: Value = serde_json::from_str(payload).expect("an accepted payload is JSON");
    assert_eq!(header["alg"], "HS256");
    assert!(header.get("crit").is_none() && header.get("kid").is_none_or(Value::is_string));
    assert_eq!((&claims["iss"], &claims["sub"]), (&Value::from(ISSUER), &Value::from(subject)));
    let audience = &claims["aud"];
    let audiences = audience.as_array().cloned().unwrap_or_else(|| vec![audience.clone()]);
    assert!(audiences.contains(&Value::from(AUDIENCE)));
    assert!(claims["exp"].as_u64().expect("exp is a number") > NOW - LEEWAY);
    assert!(
        ["nbf", "iat"]
            .iter()
            .all(|name| claims.get(name).is_none_or(|at| at.as_u64().expect("a time") <= NOW + LEEWAY))
    );
});
