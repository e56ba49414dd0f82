//! What a key signs, its public half verifies, here and elsewhere.

use super::*;
use aws_lc_rs::signature::{
    self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

#[tokio::test]
async fn what_any_key_signs_its_verifying_key_admits_and_no_other() {
    for key in all() {
        for key in [key.clone(), key.id("2026")] {
            let signer = key.build().unwrap();
            let layer = verified_by([signer.verifying_key()]);
            let token = issue(&signer).unwrap();
            let name = signer.algorithm().name();
            assert_eq!(
                caller(&layer, &token).await.as_deref(),
                Ok("anna"),
                "{name}"
            );
            for other in all() {
                let other = if signer.id() == Some("2026") {
                    other.id("2026")
                } else {
                    other
                }
                .build()
                .unwrap();
                let theirs = issue(&other).unwrap();
                let own = other.algorithm() == signer.algorithm();
                assert_eq!(
                    caller(&layer, &theirs).await.is_ok(),
                    own,
                    "{} by {name}",
                    other.algorithm().name()
                );
            }
        }
    }
    let theirs = pair(Alg::Es256, keys::P256_THEIRS_PRIVATE)
        .id("2026")
        .build()
        .unwrap();
    let ours = pair(Alg::Es256, keys::P256_PRIVATE)
        .id("2026")
        .build()
        .unwrap();
    assert_eq!(
        caller(
            &verified_by([ours.verifying_key()]),
            &issue(&theirs).unwrap()
        )
        .await,
        Err(401)
    );
}

#[test]
fn the_header_of_a_pair_says_its_algorithm_and_its_id() {
    let token = ed().id("e").build().unwrap().sign("JWT", b"{}").unwrap();
    assert_eq!(header(&token), r#"{"typ":"JWT","alg":"EdDSA","kid":"e"}"#);
}

#[test]
fn other_implementations_verify_what_any_key_signs() {
    for key in all() {
        let signer = key.build().unwrap();
        let name = signer.algorithm().name();
        let jwk = signer.public_jwk();
        let token = issue(&signer).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut signature = bytes(signature);
        assert!(
            jsonwebtoken_verifies(name, jwk.clone(), message, &signature),
            "{name}"
        );
        assert!(
            jwk.as_ref()
                .is_none_or(|jwk| aws_verifies(jwk, message, &signature)),
            "{name}"
        );
        signature[7] ^= 1;
        assert!(
            !jsonwebtoken_verifies(name, jwk.clone(), message, &signature),
            "{name}: a flipped bit"
        );
        assert!(
            jwk.is_none_or(|jwk| !aws_verifies(&jwk, message, &signature)),
            "{name}: a flipped bit"
        );
    }
}

/// By RustCrypto where it is there, even though AWS-LC signs.
fn jsonwebtoken_verifies(name: &str, jwk: Option<Value>, message: &str, signature: &[u8]) -> bool {
    #[cfg(not(feature = "rust-crypto"))]
    use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(feature = "rust-crypto")]
    use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
    use jsonwebtoken::{Algorithm, DecodingKey, jwk::Jwk};
    let algorithm: Algorithm = name.parse().unwrap();
    let key = match jwk {
        None => DecodingKey::from_secret(SECRET.as_bytes()).unwrap(),
        Some(jwk) => DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(jwk).unwrap()).unwrap(),
    };
    let verifier = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).unwrap();
    verifier
        .verify(message.as_bytes(), &signature.to_vec())
        .is_ok()
}

/// By AWS-LC, even where RustCrypto signs.
fn aws_verifies(jwk: &Value, message: &str, signed: &[u8]) -> bool {
    let number = |name: &str| bytes(jwk[name].as_str().unwrap());
    let rsa = |form| {
        let key = RsaPublicKeyComponents {
            n: number("n"),
            e: number("e"),
        };
        key.verify(form, message.as_bytes(), signed).is_ok()
    };
    let raw = |form: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
        UnparsedPublicKey::new(form, key)
            .verify(message.as_bytes(), signed)
            .is_ok()
    };
    let point = || [vec![4], number("x"), number("y")].concat();
    match jwk["alg"].as_str().unwrap() {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        "ES256" => raw(&signature::ECDSA_P256_SHA256_FIXED, point()),
        "ES384" => raw(&signature::ECDSA_P384_SHA384_FIXED, point()),
        _ => raw(&signature::ED25519, number("x")),
    }
}

/// RFC 7638 §3.1, and RFC 8037 §A.3.
#[test]
fn a_key_pair_without_an_id_has_its_thumbprint_for_one() {
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
        oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu\
        6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa\
        pJzKnqDKgw";
    let rsa = JwtKey::rsa(Alg::Rs256, n, "AQAB").or_thumbprint();
    assert_eq!(
        rsa.key_id(),
        Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    );
    let ed = JwtKey::ed25519("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").or_thumbprint();
    assert_eq!(
        ed.key_id(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
    assert_eq!(rsa.id("mine").or_thumbprint().key_id(), Some("mine"));

    // RFC 8037 §A.1: the same key, both halves.
    let d = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let pkcs8 = [&der(keys::ED_PRIVATE)[..16], &d].concat();
    let signer = SigningKey::pkcs8_der(Alg::EdDsa, &pkcs8).build().unwrap();
    assert_eq!(
        signer.id(),
        Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    );
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "use": "sig", "alg": "EdDSA", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    });
    assert_eq!(signer.public_jwk(), Some(jwk));
    assert_eq!(
        SigningKey::hs256(SECRET).build().unwrap().id(),
        None,
        "a secret's would be a hash of it"
    );
}

#[test]
fn a_jwk_is_the_public_key_and_nothing_of_the_private_one() {
    let cases = [
        (
            Alg::Ps256,
            keys::RSA_PRIVATE,
            json!({ "kty": "RSA", "n": keys::RSA_N, "e": "AQAB" }),
        ),
        (
            Alg::Es256,
            keys::P256_PRIVATE,
            json!({ "kty": "EC", "crv": "P-256", "x": keys::P256_X, "y": keys::P256_Y }),
        ),
        (
            Alg::Es384,
            keys::P384_PRIVATE,
            json!({ "kty": "EC", "crv": "P-384", "x": keys::P384_X, "y": keys::P384_Y }),
        ),
        (
            Alg::EdDsa,
            keys::ED_PRIVATE,
            json!({ "kty": "OKP", "crv": "Ed25519", "x": keys::ED_X }),
        ),
    ];
    for (algorithm, key, mut jwk) in cases {
        for (name, value) in [("use", "sig"), ("alg", algorithm.name()), ("kid", "k")] {
            jwk[name] = value.into();
        }
        assert_eq!(
            pair(algorithm, key).id("k").build().unwrap().public_jwk(),
            Some(jwk)
        );
    }
}

#[test]
fn a_pem_is_the_same_key_as_its_document() {
    for (algorithm, key) in PAIRS {
        for newline in ["\n", "\r\n"] {
            let text = pem("PRIVATE KEY", &der(key), newline);
            let signer = SigningKey::pem(algorithm, &text).build().unwrap();
            assert_eq!(
                signer.public_jwk(),
                pair(algorithm, key).build().unwrap().public_jwk(),
                "{algorithm:?}"
            );
            issue(&signer).unwrap();
        }
    }
    // The public half, in the form that a retired key has.
    let spki = pem("PUBLIC KEY", &der(keys::P384_SPKI), "\n");
    let retired = JwtKey::pem(Alg::Es384, &spki).or_thumbprint();
    assert_eq!(
        retired.public_jwk(),
        pair(Alg::Es384, keys::P384_PRIVATE)
            .build()
            .unwrap()
            .public_jwk()
    );
    let spki = pem("PUBLIC KEY", &der(keys::RSA_SPKI), "\n");
    let retired = JwtKey::pem(Alg::Rs512, &spki).or_thumbprint();
    assert_eq!(
        retired.public_jwk(),
        pair(Alg::Rs512, keys::RSA_PRIVATE)
            .build()
            .unwrap()
            .public_jwk()
    );
}

#[test]
fn an_ed25519_document_may_bring_its_public_key() {
    let signer = SigningKey::pkcs8_der(Alg::EdDsa, &ed_with(keys::ED_X))
        .build()
        .unwrap();
    assert_eq!(signer.public_jwk(), ed().build().unwrap().public_jwk());
}
