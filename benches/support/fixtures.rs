//! Keys, tokens and requests that the rows share. Keys are made anew in each process.

use super::harness::{Body, Field};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use tower_auth::jwt::{JwtAlgorithm, JwtKey};
use tower_auth::test_util::TokenMint;

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "api.example.com";
/// For benches only.
pub(crate) const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij";
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;

/// Seven claims, as an ordinary login service writes them; the token has 360 bytes or so.
pub(crate) fn claims() -> String {
    claims_of("user-0192f3a4b5")
}

/// The same number of bytes for each number.
pub(crate) fn claims_of_number(number: usize) -> String {
    claims_of(&format!("user-{number:010}"))
}

fn claims_of(subject: &str) -> String {
    format!(
        r#"{{"sub":"{subject}","iat":1700000000,"exp":4000000000,"iss":"{ISSUER}","aud":"{AUDIENCE}","jti":"5f0c2a4e-8f5b-4b57-9a0c-6a5de2b7d1f3","scope":"orders:read orders:write"}}"#
    )
}

pub(crate) fn hs256() -> String {
    TokenMint::hs256(SECRET).sign_parts(HEADER, &claims())
}

pub(crate) fn hs256_of_number(number: usize) -> String {
    TokenMint::hs256(SECRET).sign_parts(HEADER, &claims_of_number(number))
}

pub(crate) fn bearer(credential: &str) -> Field {
    ("authorization", format!("Bearer {credential}"))
}

/// Another character near the end of the signature.
pub(crate) fn forged(token: &str) -> String {
    let mut forged = token.to_owned();
    let last = forged.split_off(token.len() - 2);
    forged.push(if last.starts_with('A') { 'B' } else { 'A' });
    forged.push_str(&last[1..]);
    forged
}

/// Signs tokens of another algorithm, with the layer's key for it, and the library's.
pub(crate) struct PublicKey {
    signer: Signer,
    header: String,
    pub(crate) key: JwtKey,
    pub(crate) parsed: signature::ParsedPublicKey,
}

enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding = &signature::RSA_PKCS1_SHA256;
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

impl PublicKey {
    pub(crate) fn sign(&self, claims: &str) -> String {
        let (header, claims) = (self.header.as_bytes(), claims.as_bytes());
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.signer.sign(message.as_bytes());
        format!("{message}.{}", base64url(&signature))
    }
}

pub(crate) fn public_key(algorithm: JwtAlgorithm) -> PublicKey {
    let (signer, key, parsed) = match algorithm {
        JwtAlgorithm::Rs256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let public = pair.public_key();
            let n = base64url(public.modulus().big_endian_without_leading_zero());
            let e = base64url(public.exponent().big_endian_without_leading_zero());
            let der = public.as_der().unwrap();
            let parsed = signature::ParsedPublicKey::new(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                der.as_ref(),
            );
            (Signer::Rsa(pair), JwtKey::rsa(algorithm, &n, &e), parsed)
        }
        JwtAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            let point = pair.public_key().as_ref();
            let key = JwtKey::ec(
                algorithm,
                &base64url(&point[1..33]),
                &base64url(&point[33..]),
            );
            let parsed =
                signature::ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point);
            (Signer::Ec(pair), key, parsed)
        }
        _ => {
            let pair = Ed25519KeyPair::generate().unwrap();
            let public = pair.public_key().as_ref();
            let parsed = signature::ParsedPublicKey::new(&signature::ED25519, public);
            let key = JwtKey::ed25519(&base64url(public));
            (Signer::Ed(pair), key, parsed)
        }
    };
    PublicKey {
        signer,
        header: format!(r#"{{"alg":"{}","typ":"JWT","kid":"k1"}}"#, algorithm.name()),
        key: key.id("k1"),
        parsed: parsed.unwrap(),
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The fields of an ordinary request through a proxy, with one credential at most.
pub(crate) fn headers(credential: Option<&Field>) -> HeaderMap {
    let fields = [
        ("host", "api.example.com"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        ),
        ("accept", "application/json"),
        ("accept-encoding", "gzip, deflate, br"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-request-id", "5f0c2a4e"),
    ];
    let field = |(name, value): (&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    };
    let credential = credential.map(|(name, value)| (*name, value.as_str()));
    fields.into_iter().chain(credential).map(field).collect()
}

pub(crate) fn request(headers: HeaderMap) -> Request<Body> {
    let mut request = Request::new(Body::default());
    *request.uri_mut() = Uri::from_static("/v1/orders");
    *request.headers_mut() = headers;
    request
}
