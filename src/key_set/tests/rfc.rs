//! Every published example of RFC 7515, 7517, 7519, 7638, 7797 and 8037 that concerns signatures
//! verifies or fails as printed; what is refused by choice is refused.

mod vectors;

use super::*;
use crate::key_set::algorithms::Algorithms;
use crate::key_set::{JwtKeys, KeySet, Parts};
use serde_json::Value;
use vectors::*;

/// What becomes of a token.
#[derive(Debug, PartialEq, Eq)]
enum Signature {
    Genuine,
    /// The key that the header names did not sign it.
    Wrong,
    /// No key is for what the header names.
    NoKey,
    /// It has not the compact form.
    NoToken,
}

fn oct() -> String {
    format!(r#"{{"kty":"oct","k":"{OCT_K}"}}"#)
}

fn rsa(n: &str, members: &str) -> String {
    format!(r#"{{"kty":"RSA",{members}"n":"{n}","e":"AQAB"}}"#)
}

fn ec(curve: &str, x: &str, y: &str, members: &str) -> String {
    format!(r#"{{"kty":"EC",{members}"crv":"{curve}","x":"{x}","y":"{y}"}}"#)
}

fn okp(curve: &str, x: &str, members: &str) -> String {
    format!(r#"{{"kty":"OKP",{members}"crv":"{curve}","x":"{x}"}}"#)
}

fn judged(jwk: &str, token: &str) -> Signature {
    let Ok(parts) = Parts::split(token.as_bytes()) else {
        return Signature::NoToken;
    };
    let header = parts.header().and_then(super::super::decoded);
    let Ok(header) = header else {
        return Signature::NoToken;
    };
    let header: Value = serde_json::from_str(&header).unwrap();
    let set = KeySet::build(&[JwtKey::jwk(jwk)]).unwrap();
    match set.choose(header["alg"].as_str(), header["kid"].as_str()) {
        Err(_) => Signature::NoKey,
        Ok(key) if key.verify(parts).is_ok() => Signature::Genuine,
        Ok(_) => Signature::Wrong,
    }
}

/// Another signature of the same form.
fn tampered(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{message}.{first}{}", &signature[1..])
}

/// Of the two signatures in §A.6 of RFC 7515, each as the compact form has it.
fn general(protected: &str, compact: &str) -> String {
    let (message, signature) = compact.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{protected}","signature":"{signature}"}}]}}"#
    )
}

#[test]
fn published_tokens_verify_or_fail_as_printed() {
    let p256 = ec("P-256", P256_X, P256_Y, "");
    let ed = okp("Ed25519", ED_X, "");
    let rs = rsa(RSA_N, "");
    let cases = [
        ("RFC 7515 §A.1", oct(), HS256, Signature::Genuine),
        ("RFC 7515 §A.2", rs.clone(), RS256, Signature::Genuine),
        ("RFC 7515 §A.3", p256.clone(), ES256, Signature::Genuine),
        (
            "RFC 7515 §A.4, ES512",
            p256.clone(),
            ES512,
            Signature::NoKey,
        ),
        ("RFC 7515 §A.5, none", oct(), NONE, Signature::NoKey),
        ("RFC 7515 §E, none and crit", oct(), CRIT, Signature::NoKey),
        (
            "RFC 7519 §A.1, encrypted",
            rs.clone(),
            JWE,
            Signature::NoKey,
        ),
        (
            "RFC 7519 §A.2, encrypted",
            rs.clone(),
            NESTED,
            Signature::NoKey,
        ),
        ("RFC 7797 §4.1", oct(), PLAIN, Signature::Genuine),
        (
            "RFC 7797 §4.2, detached",
            oct(),
            UNENCODED,
            Signature::Wrong,
        ),
        ("RFC 8037 §A.4", ed.clone(), ED25519, Signature::Genuine),
        // Each of another key.
        ("HS256, RSA key", rs, HS256, Signature::NoKey),
        ("ES256, Ed25519 key", ed, ES256, Signature::NoKey),
        (
            "RS256, another key",
            rsa(SET_N, ""),
            RS256,
            Signature::Wrong,
        ),
    ];
    for (name, jwk, token, expected) in cases {
        assert_eq!(judged(&jwk, token), expected, "{name}");
        if expected == Signature::Genuine {
            assert_eq!(judged(&jwk, &tampered(token)), Signature::Wrong, "{name}");
        }
    }
    for (name, compact) in [("RS256", RS256), ("ES256", ES256)] {
        let json = general(compact.split_once('.').unwrap().0, compact);
        assert_eq!(
            judged(&p256, &json),
            Signature::NoToken,
            "RFC 7515 §A.6: {name}"
        );
    }
}

/// The signature alone does not let a token in: its header may say what nothing here does.
#[tokio::test]
async fn published_tokens_whose_headers_are_refused_are_refused_with_the_right_key() {
    // RFC 7797 §4.2 with its payload: what is signed is `$.02` itself.
    let attached = UNENCODED.replace("..", ".$.02.");
    assert_eq!(judged(&oct(), &attached), Signature::Genuine);
    let tokens = [
        ("RFC 7515 §A.4, ES512", ES512.to_owned()),
        ("RFC 7515 §A.5, none", NONE.to_owned()),
        ("RFC 7515 §E, crit", CRIT.to_owned()),
        ("RFC 7519 §A.1, encrypted", JWE.to_owned()),
        // Who decrypted it would find a token that the key at hand has signed.
        ("RFC 7519 §A.2, encrypted", NESTED.to_owned()),
        ("RFC 7797 §4.2", UNENCODED.to_owned()),
        ("RFC 7797 §4.2, attached", attached),
        // What is no set of claims, and what expired in 2011.
        ("RFC 7797 §4.1", PLAIN.to_owned()),
        ("RFC 7515 §A.1", HS256.to_owned()),
        ("RFC 8037 §A.4", ED25519.to_owned()),
    ];
    let keys = [
        oct(),
        rsa(RSA_N, ""),
        ec("P-256", P256_X, P256_Y, ""),
        okp("Ed25519", ED_X, ""),
    ];
    let layer = verified_by(keys.iter().map(|jwk| JwtKey::jwk(jwk)));
    for (name, token) in tokens {
        assert_eq!(caller(&layer, &token).await, Err(401), "{name}");
    }
    // Its commas make it several credentials.
    let json = general("eyJhbGciOiJSUzI1NiJ9", RS256);
    assert_eq!(caller(&layer, &json).await, Err(400), "RFC 7515 §A.6");
}

#[test]
fn published_keys_are_read_or_skipped_as_they_say() {
    let enc = ec("P-256", SET_X, SET_Y, r#""use":"enc","kid":"1","#);
    let set = rsa(SET_N, r#""alg":"RS256","kid":"2011-04-29","#);
    let private = rsa(SET_N, r#""alg":"RS256","kid":"2011-04-29","d":"X4cTteJY","#);
    let x5c = rsa(X5C_N, r#""use":"sig","kid":"1b94c","x5c":["MIIDQjCC"],"#);
    let wrap = r#"{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}"#.to_owned();
    let cases: [(&str, String, Option<&[&str]>); 13] = [
        ("RFC 7515 §A.1", oct(), Some(&["HS256", "HS384", "HS512"])),
        (
            "RFC 7515 §A.3",
            ec("P-256", P256_X, P256_Y, ""),
            Some(&["ES256"]),
        ),
        ("RFC 7515 §A.4", ec("P-521", P521_X, P521_Y, ""), None),
        ("RFC 7517 §A.1, EC, for encryption", enc, None),
        (
            "RFC 7517 §A.1, EC, if it were not",
            ec("P-256", SET_X, SET_Y, ""),
            Some(&["ES256"]),
        ),
        ("RFC 7517 §A.1, RSA", set, Some(&["RS256"])),
        ("RFC 7517 §A.2, RSA, private", private, None),
        ("RFC 7517 §A.3, for wrapping keys", wrap, None),
        (
            "RFC 7517 §B",
            x5c,
            Some(&["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        ),
        (
            "RFC 8037 §A.1, private",
            okp("Ed25519", ED_X, &format!(r#""d":"{ED_D}","#)),
            None,
        ),
        ("RFC 8037 §A.2", okp("Ed25519", ED_X, ""), Some(&["EdDSA"])),
        (
            "RFC 8037 §A.6",
            okp("X25519", X25519_X, r#""kid":"Bob","#),
            None,
        ),
        (
            "RFC 8037 §A.7",
            okp("X448", X25519_X, r#""kid":"Dave","#),
            None,
        ),
    ];
    for (name, jwk, expected) in &cases {
        let built = JwtKey::jwk(jwk).build().ok();
        let names = built.map(|keys| {
            let algorithms = keys.iter().map(|key| key.algorithm().name());
            algorithms.collect::<Vec<_>>()
        });
        assert_eq!(names.as_deref(), *expected, "{name}");
    }
    // All of them published in one set: a shared secret is none there.
    let texts: Vec<&str> = cases.iter().map(|(_, jwk, _)| jwk.as_str()).collect();
    let document = format!(r#"{{"keys":[{}]}}"#, texts.join(","));
    let read = JwtKeys::published(document.as_bytes(), Algorithms::all(), vec![]).unwrap();
    let skipped: Vec<usize> = read.skipped().iter().map(|key| key.position()).collect();
    // The fifth is the second of two EC keys without a kid.
    assert_eq!(skipped, [0, 2, 3, 4, 6, 7, 9, 11, 12]);
}

#[test]
fn published_thumbprints_are_those_that_are_made() {
    let cases = [
        (
            "RFC 7638 §3.1",
            rsa(SET_N, r#""alg":"RS256","kid":"2011-04-29","#),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        ),
        (
            "RFC 8037 §A.3",
            okp("Ed25519", ED_X, ""),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ];
    for (name, jwk, thumbprint) in cases {
        let mut unnamed: Value = serde_json::from_str(&jwk).unwrap();
        unnamed.as_object_mut().unwrap().remove("kid");
        let key = JwtKey::jwk(&unnamed.to_string()).or_thumbprint();
        assert_eq!(key.key_id(), Some(thumbprint), "{name}");
    }
}

#[test]
fn the_published_private_key_signs_as_it_is_printed() {
    let prefix = bytes("MC4CAQAwBQYDK2VwBCIEIA");
    let key = SigningKey::pkcs8_der(Alg::EdDsa, &[prefix, bytes(ED_D)].concat());
    let (message, signature) = ED25519.rsplit_once('.').unwrap();
    let signed = key.build().unwrap().signature(message.as_bytes()).unwrap();
    assert_eq!(signed, bytes(signature), "RFC 8037 §A.4");
}
