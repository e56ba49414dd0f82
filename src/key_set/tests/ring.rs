//! A ring signs with one key and verifies with all.

use super::*;
use serde_json::Value;

#[tokio::test]
async fn a_ring_signs_with_the_active_key_and_verifies_with_every_one() {
    let es = || pair(Alg::Es256, keys::P256_PRIVATE).id("next");
    let old = pair(Alg::Es384, keys::P384_PRIVATE).build().unwrap();
    // The retired key has no id in the configuration either: its thumbprint is found again.
    let retired = JwtKey::ec(Alg::Es384, keys::P384_X, keys::P384_Y);
    let ring = KeyRing::build(ed(), vec![es()], vec![retired]).unwrap();
    let layer = verified_by(ring.verifying_keys());
    let token = issue(ring.active()).unwrap();
    assert!(
        header(&token).contains(r#""alg":"EdDSA""#),
        "{}",
        header(&token)
    );
    assert_eq!(caller(&layer, &token).await.as_deref(), Ok("anna"));
    for key in [es().build().unwrap(), old] {
        assert_eq!(
            caller(&layer, &issue(&key).unwrap()).await.as_deref(),
            Ok("anna"),
            "{key:?}"
        );
    }
    let stranger = pair(Alg::Es256, keys::P256_THEIRS_PRIVATE);
    for key in [
        stranger.clone(),
        stranger.id("next"),
        pair(Alg::Rs256, keys::RSA_PRIVATE),
    ] {
        assert_eq!(
            caller(&layer, &issue(&key.build().unwrap()).unwrap()).await,
            Err(401),
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn an_issuer_goes_from_a_secret_to_a_key_pair_and_signs_nobody_out() {
    let old = issue(&SigningKey::hs256(SECRET).build().unwrap()).unwrap();
    let ring = KeyRing::build(ed(), vec![], vec![JwtKey::hs256(SECRET)]).unwrap();
    let layer = verified_by(ring.verifying_keys());
    let new = issue(ring.active()).unwrap();
    for _ in 0..2 {
        for token in [&old, &new] {
            assert_eq!(caller(&layer, token).await.as_deref(), Ok("anna"));
        }
    }
    // What is public of the pair is no secret for anybody.
    let x = keys::ED_X.as_bytes();
    for secret in [x.to_vec(), bytes(keys::ED_X)] {
        let forged = issue(&SigningKey::hs256(secret).build().unwrap()).unwrap();
        assert_eq!(caller(&layer, &forged).await, Err(401));
    }
}

#[test]
fn a_ring_that_cannot_tell_its_keys_apart_is_refused() {
    let hs = SigningKey::hs256;
    let rsa = || pair(Alg::Rs256, keys::RSA_PRIVATE);
    let cases: Vec<(&str, Vec<Problem>, &[Problem])> = vec![
        (
            "a next secret without an id",
            problems(hs(SECRET).id("a"), vec![hs(OTHER_SECRET)], vec![]),
            &[Problem::MissingKeyId],
        ),
        (
            "an active secret without an id",
            problems(
                hs(SECRET),
                vec![],
                vec![JwtKey::hs256(OTHER_SECRET).id("a")],
            ),
            &[Problem::MissingKeyId],
        ),
        (
            "five secrets without an id",
            problems(
                hs(SECRET).id("a"),
                vec![],
                (0..5)
                    .map(|n| JwtKey::hs256(format!("{SECRET}{n}")))
                    .collect(),
            ),
            &[Problem::AmbiguousKeys("HS256")],
        ),
        (
            "the same id",
            problems(ed().id("a"), vec![rsa().id("a")], vec![]),
            &[Problem::DuplicateKeyId],
        ),
        (
            "the same key",
            problems(ed(), vec![ed()], vec![]),
            &[Problem::DuplicateKeyId],
        ),
        (
            "retired while it is active",
            problems(ed(), vec![], vec![JwtKey::ed25519(keys::ED_X)]),
            &[Problem::DuplicateKeyId],
        ),
        (
            "no key at all",
            problems(hs("x"), vec![], vec![]),
            &[Problem::ShortSecret {
                algorithm: "HS256",
                least: 32,
            }],
        ),
        (
            "several mistakes",
            problems(hs("x"), vec![ed().id("")], vec![JwtKey::hs512("y")]),
            &[
                Problem::ShortSecret {
                    algorithm: "HS256",
                    least: 32,
                },
                Problem::KeyId,
                Problem::ShortSecret {
                    algorithm: "HS512",
                    least: 64,
                },
            ],
        ),
    ];
    for (name, found, expected) in cases {
        assert_eq!(found, expected, "{name}");
    }
}

fn problems(active: SigningKey, next: Vec<SigningKey>, retired: Vec<JwtKey>) -> Vec<Problem> {
    KeyRing::build(active, next, retired).unwrap_err()
}

#[test]
fn a_key_set_publishes_the_public_keys_and_never_a_secret() {
    let published = |ring: &KeyRing| serde_json::from_slice::<Value>(&ring.jwks()).unwrap();
    let rsa = pair(Alg::Rs256, keys::RSA_PRIVATE).id("next");
    let retired = JwtKey::ec(Alg::Es256, keys::P256_X, keys::P256_Y).id("old");
    let ring = KeyRing::build(ed(), vec![rsa], vec![retired]).unwrap();
    let expected: Vec<Value> = ring
        .verifying_keys()
        .iter()
        .filter_map(JwtKey::public_jwk)
        .collect();
    assert_eq!(published(&ring), json!({ "keys": expected }));
    let members = |name: &str| {
        expected
            .iter()
            .map(|key| key[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(members("kty"), ["OKP", "RSA", "EC"]);
    assert_eq!(members("kid"), [ring.active().id().unwrap(), "next", "old"]);
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(
            expected.iter().all(|key| key.get(private).is_none()),
            "{private}"
        );
    }
    let secrets = SigningKey::hs256(SECRET).id("a");
    let ring = KeyRing::build(secrets, vec![], vec![JwtKey::hs384(OTHER_SECRET).id("b")]).unwrap();
    assert_eq!(published(&ring), json!({ "keys": [] }));
}
