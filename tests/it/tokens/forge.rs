//! Makes tokens, right and wrong: texts are signed as they stand, whatever they say.

use super::keys;
use crate::support::{AUDIENCE, ISSUER, PUBLIC_KEYS, SECRET};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tower_auth::jwt::JwtAlgorithm as Alg;

/// 2027-01-15T08:00:00Z: now, in every policy that does not say otherwise.
pub(super) const NOW: u64 = 1_800_000_000;
/// Test values.
pub(super) const SECRET_384: &str = "u4Zq7Kw2xRm9for HS384 zyxwvutsrqponmlkjihgfedcba 0123456789";
pub(super) const SECRET_512: &str =
    "u4Zq7Kw2xRm9for HS512 zyxwvutsrqponmlkjihgfedcba 0123456789 ABCDEFGHIJKLMNOP";
/// Of nobody whom a policy trusts.
pub(super) const SECRET_THEIRS: &str = "u4Zq7Kw2xRm9theirs, 9876543210 jihgfedcba";

pub(super) const ALGORITHMS: [Alg; 12] = [
    Alg::Hs256,
    Alg::Hs384,
    Alg::Hs512,
    Alg::Rs256,
    Alg::Rs384,
    Alg::Rs512,
    Alg::Ps256,
    Alg::Ps384,
    Alg::Ps512,
    Alg::Es256,
    Alg::Es384,
    Alg::EdDsa,
];

/// Those of them that have keys in this build.
pub(super) fn usable(algorithms: impl IntoIterator<Item = Alg>) -> impl Iterator<Item = Alg> {
    let algorithms = algorithms.into_iter();
    algorithms.filter(|alg| PUBLIC_KEYS || is_of_secrets(*alg))
}

pub(super) fn is_of_secrets(alg: Alg) -> bool {
    matches!(alg, Alg::Hs256 | Alg::Hs384 | Alg::Hs512)
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Of what `keys` holds in DER.
pub(super) fn der(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// The usual header.
pub(super) fn header(alg: Alg) -> String {
    header_and(alg, "")
}

/// The usual header with more text before its brace.
pub(super) fn header_and(alg: Alg, more: &str) -> String {
    format!(r#"{{"alg":"{}","typ":"JWT"{more}}}"#, alg.name())
}

fn usual() -> Vec<(String, String)> {
    let text = |text: &str| format!("\"{text}\"");
    vec![
        ("iss".into(), text(ISSUER)),
        ("sub".into(), text("anna")),
        ("aud".into(), text(AUDIENCE)),
        ("iat".into(), (NOW - 10).to_string()),
        ("exp".into(), (NOW + 600).to_string()),
    ]
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, json)| format!("\"{name}\":{json}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// The usual claims of anna.
pub(super) fn claims() -> String {
    object(&usual())
}

/// The usual claims but for one, which is this JSON.
pub(super) fn claims_with(name: &str, json: &str) -> String {
    claims_with_all(&[(name, json)])
}

pub(super) fn claims_with_all(others: &[(&str, &str)]) -> String {
    let mut members = usual();
    for (name, json) in others {
        members.retain(|(other, _)| other != name);
        members.push(((*name).into(), (*json).into()));
    }
    object(&members)
}

pub(super) fn claims_without(name: &str) -> String {
    let mut members = usual();
    members.retain(|(other, _)| other != name);
    object(&members)
}

/// The usual claims with more text before their brace.
pub(super) fn claims_and(more: &str) -> String {
    format!("{}{more}}}", claims().trim_end_matches('}'))
}

pub(super) fn message(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", encode(header), encode(payload))
}

pub(super) fn with_signature(message: &str, signature: impl AsRef<[u8]>) -> String {
    format!("{message}.{}", encode(signature))
}

/// A token of ours with this header and payload, whatever they say.
pub(super) fn token(alg: Alg, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let message = message(header, payload);
    let signature = signature(alg, message.as_bytes());
    with_signature(&message, signature)
}

/// The same under HS256.
pub(super) fn hs(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    token(Alg::Hs256, header, payload)
}

/// A right token of anna's.
pub(super) fn good(alg: Alg) -> String {
    token(alg, header(alg), claims())
}

pub(super) fn hmac_token(
    alg: Alg,
    secret: impl AsRef<[u8]>,
    header: impl AsRef<[u8]>,
    payload: impl AsRef<[u8]>,
) -> String {
    let message = message(header, payload);
    let signature = mac(alg, secret.as_ref(), message.as_bytes());
    with_signature(&message, signature)
}

fn mac(alg: Alg, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let hash = match alg {
        Alg::Hs384 => hmac::HMAC_SHA384,
        Alg::Hs512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::sign(&hmac::Key::new(hash, secret), message)
        .as_ref()
        .to_vec()
}

/// By the key of that algorithm that the policies trust.
pub(super) fn signature(alg: Alg, message: &[u8]) -> Vec<u8> {
    match alg {
        Alg::Hs384 => mac(alg, SECRET_384.as_bytes(), message),
        Alg::Hs512 => mac(alg, SECRET_512.as_bytes(), message),
        Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
            rsa(keys::RSA_PRIVATE, alg, message)
        }
        Alg::Es256 => ecdsa(
            keys::P256_PRIVATE,
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            message,
        ),
        Alg::Es384 => ecdsa(
            keys::P384_PRIVATE,
            &ECDSA_P384_SHA384_FIXED_SIGNING,
            message,
        ),
        Alg::EdDsa => ed25519(keys::ED_PRIVATE, message),
        _ => mac(alg, SECRET.as_bytes(), message),
    }
}

/// A token with a good signature by a key that no policy trusts.
pub(super) fn theirs(alg: Alg, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let text = message(header, payload);
    let bytes = text.as_bytes();
    let signature = match alg {
        Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => mac(alg, SECRET_THEIRS.as_bytes(), bytes),
        Alg::Es256 => ecdsa(
            keys::P256_THEIRS_PRIVATE,
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            bytes,
        ),
        Alg::EdDsa => ed25519(keys::ED_THEIRS_PRIVATE, bytes),
        _ => rsa(keys::RSA_THEIRS_PRIVATE, alg, bytes),
    };
    with_signature(&text, signature)
}

fn rsa(key: &str, alg: Alg, message: &[u8]) -> Vec<u8> {
    let encoding: &'static dyn RsaEncoding = match alg {
        Alg::Rs384 => &RSA_PKCS1_SHA384,
        Alg::Rs512 => &RSA_PKCS1_SHA512,
        Alg::Ps256 => &RSA_PSS_SHA256,
        Alg::Ps384 => &RSA_PSS_SHA384,
        Alg::Ps512 => &RSA_PSS_SHA512,
        _ => &RSA_PKCS1_SHA256,
    };
    let key = RsaKeyPair::from_pkcs8(&der(key)).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .unwrap();
    signature
}

fn ecdsa(key: &str, form: &'static EcdsaSigningAlgorithm, message: &[u8]) -> Vec<u8> {
    let key = EcdsaKeyPair::from_pkcs8(form, &der(key)).unwrap();
    key.sign(&SystemRandom::new(), message)
        .unwrap()
        .as_ref()
        .to_vec()
}

/// An ES256 signature in DER, as X.509 has it.
pub(super) fn p256_der_signature(message: &[u8]) -> Vec<u8> {
    ecdsa(keys::P256_PRIVATE, &ECDSA_P256_SHA256_ASN1_SIGNING, message)
}

fn ed25519(key: &str, message: &[u8]) -> Vec<u8> {
    let key = Ed25519KeyPair::from_pkcs8(&der(key)).unwrap();
    key.sign(message).as_ref().to_vec()
}

/// `BEGIN …` and lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8], newline: &str) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----{newline}");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).unwrap());
        pem.push_str(newline);
    }
    pem + &format!("-----END {label}-----{newline}")
}
