#![cfg_attr(
    not(any(feature = "aws-lc-rs", feature = "rust-crypto")),
    allow(dead_code, unused_imports, reason = "much of it is about public keys")
)]

#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod hostile;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod jwks;
mod live;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod rfc;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod ring;
mod secrets;
#[cfg(any(feature = "aws-lc-rs", feature = "rust-crypto"))]
mod signing;

use super::sign_error::SignError;
use super::signing_key::Signer;
use super::{KeyRing, SigningKey};
use crate::jwt::{JwtAlgorithm as Alg, JwtKey};
use crate::store::Stores;
use crate::test_util::ManualClock;
use crate::{AuthLayer, ConfigProblem as Problem, Jwt, Principal, Realm};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::convert::Infallible;
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../../tests/it/tokens/keys.rs"]
mod keys;

const ISSUER: &str = "https://api.example.com";
const NOW: u64 = 1_800_000_000;
/// Test values.
const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij ABCDEFGHIJ zyxwvutsrqponmlkjihgf";
const OTHER_SECRET: &str = "u4Zq7Kw2xRm9jihgfedcba9876543210 ABCDEFGHIJ zyxwvutsrqponmlkjih";

const PAIRS: [(Alg, &str); 9] = [
    (Alg::Rs256, keys::RSA_PRIVATE),
    (Alg::Rs384, keys::RSA_PRIVATE),
    (Alg::Rs512, keys::RSA_PRIVATE),
    (Alg::Ps256, keys::RSA_PRIVATE),
    (Alg::Ps384, keys::RSA_PRIVATE),
    (Alg::Ps512, keys::RSA_PRIVATE),
    (Alg::Es256, keys::P256_PRIVATE),
    (Alg::Es384, keys::P384_PRIVATE),
    (Alg::EdDsa, keys::ED_PRIVATE),
];

fn der(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

fn bytes(base64url: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(base64url).unwrap()
}

fn pem(label: &str, der: &[u8], newline: &str) -> String {
    let text = STANDARD.encode(der);
    let lines = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap());
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let lines: Vec<&str> = std::iter::once(&*begin)
        .chain(lines)
        .chain([&*end, ""])
        .collect();
    lines.join(newline)
}

fn pair(algorithm: Alg, base64: &str) -> SigningKey {
    SigningKey::pkcs8_der(algorithm, &der(base64))
}

fn ed() -> SigningKey {
    pair(Alg::EdDsa, keys::ED_PRIVATE)
}

/// The document of version 1 (RFC 5958 §2), in which a public key follows.
fn ed_with(public: &str) -> Vec<u8> {
    let document = &der(keys::ED_PRIVATE)[5..];
    [
        &[0x30, 0x51, 2, 1, 1],
        document,
        &[0x81, 0x21, 0],
        &bytes(public),
    ]
    .concat()
}

/// A key for each algorithm.
fn all() -> Vec<SigningKey> {
    let secrets = [
        SigningKey::hs256(SECRET),
        SigningKey::hs384(SECRET),
        SigningKey::hs512(SECRET),
    ];
    secrets
        .into_iter()
        .chain(PAIRS.map(|(algorithm, key)| pair(algorithm, key)))
        .collect()
}

fn claims() -> Vec<u8> {
    let claims = json!({ "iss": ISSUER, "aud": "api", "sub": "anna", "exp": NOW + 600 });
    claims.to_string().into_bytes()
}

fn issue(signer: &Signer) -> Result<String, SignError> {
    signer.sign("at+jwt", &claims())
}

fn verified_by(keys: impl IntoIterator<Item = JwtKey>) -> AuthLayer {
    let jwt = keys
        .into_iter()
        .fold(Jwt::new().issuer(ISSUER).audience("api"), Jwt::key);
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    AuthLayer::builder()
        .realm(&realm)
        .accept(jwt)
        .build()
        .unwrap()
}

/// The caller that a layer takes the token's bearer for, or the status.
async fn caller(layer: &AuthLayer, token: &str) -> Result<String, u16> {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let whoami = service_fn(|request: Request<Full<Bytes>>| async move {
        let caller = Principal::optional_from_extensions(request.extensions())
            .unwrap()
            .unwrap();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(
            caller.subject().to_string(),
        )))
    });
    let response = layer
        .layer(whoami)
        .oneshot(request.body(Full::default()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    if status == 200 {
        Ok(String::from_utf8(body.to_vec()).unwrap())
    } else {
        Err(status.as_u16())
    }
}

fn header(token: &str) -> String {
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    String::from_utf8(header).unwrap()
}
