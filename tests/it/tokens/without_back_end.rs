//! Without a cryptographic back end there are shared secrets. Whatever needs a key of another kind is
//! a mistake that `build()` names.

use super::forge::*;
use super::keys;
use super::policy::key;
use super::table::show;
use crate::endpoints::world::World;
use crate::support::{AUDIENCE, ISSUER, SECRET};
use tower_auth::endpoint::LeakReports;
use tower_auth::jwt::{Dpop, JwtAlgorithm as Alg, JwtKey, JwtKeys, KeyRotation, SigningKey};
use tower_auth::store::{Memory, Stores};
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, ConfigError, Jwt, Realm, Tokens};

const NEEDED: &str = "it needs the feature aws-lc-rs or rust-crypto";

fn ours() -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE)
}

fn accepting(jwt: Jwt) -> Result<AuthLayer, ConfigError> {
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    AuthLayer::builder().realm(&realm).accept(jwt).build()
}

fn issuing(tokens: Tokens) -> Result<AuthLayer, ConfigError> {
    let tokens = Realm::new(Memory::new()).tokens(tokens.issuer(ISSUER));
    AuthLayer::builder().accept(&tokens).build()
}

/// One problem, and that is the feature.
#[track_caller]
fn assert_names_the_features<T: std::fmt::Debug>(name: &str, built: Result<T, ConfigError>) {
    let error = built.expect_err(name);
    let [problem] = error.problems() else {
        panic!("{name}: {error}")
    };
    assert!(problem.to_string().ends_with(NEEDED), "{name}: {problem}");
}

fn pem(label: &str, base64: &str) -> String {
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

fn private(alg: Alg) -> SigningKey {
    let document = match alg {
        Alg::Es256 => keys::P256_PRIVATE,
        Alg::Es384 => keys::P384_PRIVATE,
        Alg::EdDsa => keys::ED_PRIVATE,
        _ => keys::RSA_PRIVATE,
    };
    SigningKey::pkcs8_der(alg, &der(document)).id("pair")
}

fn public_jwk() -> String {
    let x = keys::ED_X;
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"public","x":"{x}"}}"#)
}

fn pairs() -> impl Iterator<Item = Alg> {
    ALGORITHMS.into_iter().filter(|alg| !is_of_secrets(*alg))
}

#[test]
fn a_public_key_is_a_mistake_in_whichever_form_it_comes() {
    for alg in pairs() {
        assert_names_the_features(alg.name(), accepting(ours().key(key(alg))));
    }
    let forms = [
        ("a JWK", JwtKey::jwk(&public_jwk())),
        (
            "a PEM of RSA",
            JwtKey::pem(Alg::Rs256, &pem("PUBLIC KEY", keys::RSA_SPKI)),
        ),
        (
            "a PEM of Ed25519",
            JwtKey::pem(Alg::EdDsa, &pem("PUBLIC KEY", keys::ED_SPKI)),
        ),
    ];
    for (name, key) in forms {
        assert_names_the_features(name, accepting(ours().key(key)));
    }
}

#[test]
fn keys_that_would_be_loaded_are_a_mistake_before_anything_is_fetched() {
    let jwt = |jwt: Jwt| accepting(jwt.issuer(ISSUER).audience(AUDIENCE));
    let at = "https://login.example.com/keys";
    assert_names_the_features("a JWK set", jwt(Jwt::jwks(at)));
    assert_names_the_features("OpenID Connect", jwt(Jwt::oidc(ISSUER)));
}

#[tokio::test]
async fn of_a_jwk_set_the_secrets_are_used_and_the_public_keys_are_skipped() {
    let secret = encode(SECRET);
    let secret = format!(r#"{{"kty":"oct","alg":"HS256","k":"{secret}"}}"#);
    let set = JwtKeys::jwks(format!(r#"{{"keys":[{},{secret}]}}"#, public_jwk()));
    assert_eq!(set.len(), 1);
    let [skipped] = set.skipped() else {
        panic!("{:?}", set.skipped())
    };
    assert_eq!((skipped.id(), skipped.reason()), (Some("public"), NEEDED));
    let layer = accepting(ours().keys(set)).unwrap();
    let reply = show(&layer, good(Alg::Hs256).as_bytes()).await;
    assert_eq!(reply.text(), "Jwt anna");
    for alg in pairs() {
        let reply = show(&layer, good(alg).as_bytes()).await;
        assert_eq!(reply.status, 401, "{alg:?}");
    }

    let public = JwtKeys::jwks(format!(r#"{{"keys":[{}]}}"#, public_jwk()));
    let beside_a_secret = accepting(ours().keys(public).key(key(Alg::Hs256)));
    assert_names_the_features("a set of public keys alone", beside_a_secret);
}

#[tokio::test]
async fn tokens_are_signed_with_secrets_alone() {
    for alg in pairs() {
        assert_names_the_features(alg.name(), issuing(Tokens::new(private(alg))));
    }
    let pem = SigningKey::pem(Alg::EdDsa, &pem("PRIVATE KEY", keys::ED_PRIVATE));
    assert_names_the_features("a PEM", issuing(Tokens::new(pem)));
    let secret = || Tokens::new(SigningKey::hs256(SECRET).id("secret"));
    let next = secret().next_key(private(Alg::EdDsa));
    assert_names_the_features("the next key", issuing(next));
    let retired = secret().retired_key(key(Alg::Es256).id("retired"));
    assert_names_the_features("a retired key", issuing(retired));
    let rotation = KeyRotation::new(Alg::Es256).sealed_with(SECRET);
    assert_names_the_features("a rotation", issuing(Tokens::rotating(rotation)));
    let rotation = KeyRotation::new(Alg::Rs256).sealed_with(SECRET);
    assert_names_the_features("a rotation of RSA", issuing(Tokens::rotating(rotation)));
    assert!(issuing(secret()).is_ok());
}

#[test]
fn proofs_are_a_mistake_and_certificates_need_no_key() {
    let jwt = || ours().key(key(Alg::Hs256));
    assert_names_the_features("dpop", accepting(jwt().dpop(Dpop::new())));
    assert!(accepting(jwt().certificate_bound()).is_ok());
}

#[tokio::test]
async fn reports_of_leaked_keys_that_nobody_could_verify_are_a_mistake() {
    let world = World::new().await;
    let mounted = |reports: LeakReports| {
        let endpoints = world.auth.endpoints().mount("/leaked-keys", reports);
        endpoints.build()
    };
    let reports = || LeakReports::of(world.keys());
    let given = reports().partner_key("1", key(Alg::Es256));
    assert_names_the_features("a key that is given", mounted(given));
    let loaded = reports().partner_keys_at("https://api.example.com/keys", Unasked);
    assert_names_the_features("keys that are loaded", mounted(loaded));
}

/// Fetches nothing: mistakes are found before.
struct Unasked;

#[async_trait::async_trait]
impl tower_auth::fetch::Fetch for Unasked {
    async fn fetch(
        &self,
        _: http::Request<bytes::Bytes>,
        _: usize,
    ) -> Result<http::Response<bytes::Bytes>, tower_auth::fetch::FetchError> {
        panic!("nobody asks")
    }
}
