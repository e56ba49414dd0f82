//! Issuers that publish their keys, and what is tried at a layer that loads them.

use super::forge::{NOW, claims_with, encode, header_and, hmac_token, theirs, token};
use super::keys;
use super::table::show;
use crate::support::{AUDIENCE, ISSUER};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::JwtAlgorithm as Alg;
use tower_auth::store::Stores;
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, Jwt, Realm};

const URL: &str = "https://login.example.com/keys";
const COOLDOWN: Duration = Duration::from_secs(10);

/// An issuer whose set is written by the test, and who counts how often it is read.
#[derive(Clone, Default)]
struct Publisher(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// `None` while it is down.
    document: Option<String>,
    asked: Vec<String>,
}

#[async_trait]
impl Fetch for Publisher {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let mut state = self.0.lock().unwrap();
        state.asked.push(request.uri().to_string());
        match &state.document {
            Some(document) => Ok(Response::new(document.clone().into())),
            None => Err(FetchError::new("planted")),
        }
    }
}

impl Publisher {
    fn publishes(&self, keys: &[String]) {
        self.publishes_text(format!(r#"{{"keys":[{}]}}"#, keys.join(",")));
    }

    fn publishes_text(&self, document: impl Into<String>) {
        self.0.lock().unwrap().document = Some(document.into());
    }

    fn goes_down(&self) {
        self.0.lock().unwrap().document = None;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }
}

struct World {
    issuer: Publisher,
    clock: ManualClock,
    layer: AuthLayer,
}

impl World {
    /// An issuer with an RSA key `rsa` that names no algorithm, a P-256 key `ec` and, beside them,
    /// keys that nobody can use.
    fn new() -> Self {
        let issuer = Publisher::default();
        issuer.publishes(&[junk(), rsa("rsa"), ec("ec")]);
        let clock = ManualClock::new(NOW);
        let realm = Realm::new(Stores::new()).clock(clock.clone());
        let jwt = Jwt::jwks(URL)
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .fetcher(issuer.clone());
        let layer = AuthLayer::builder().realm(&realm).accept(jwt).build();
        Self {
            issuer,
            clock,
            layer: layer.unwrap(),
        }
    }

    async fn status(&self, token: &str) -> u16 {
        show(&self.layer, token.as_bytes()).await.status.as_u16()
    }

    /// Lets tasks of the layer end.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

fn rsa(kid: &str) -> String {
    format!(
        r#"{{"kty":"RSA","kid":"{kid}","n":"{}","e":"AQAB"}}"#,
        keys::RSA_N
    )
}

fn ec(kid: &str) -> String {
    let point = format!(r#""x":"{}","y":"{}""#, keys::P256_X, keys::P256_Y);
    format!(r#"{{"kty":"EC","kid":"{kid}","crv":"P-256",{point}}}"#)
}

fn ed(kid: &str) -> String {
    let x = keys::ED_X;
    format!(r#"{{"kty":"OKP","kid":"{kid}","crv":"Ed25519","x":"{x}"}}"#)
}

/// Elements of a set, none of which is a key for signatures.
fn junk() -> String {
    let short = keys::RSA_1024_N;
    let elements = [
        "7".to_owned(),
        "{}".to_owned(),
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#.to_owned(),
        r#"{"kty":"RSA","kid":5,"n":"AQAB","e":"AQAB"}"#.to_owned(),
        format!(r#"{{"kty":"RSA","kid":"rsa","n":"{short}","e":"AQAB"}}"#),
        r#"{"kty":"EC","kid":"ec","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
        r#"{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"AA"}"#.to_owned(),
        format!(r#"{{"kty":"oct","kid":"oct","k":"{}"}}"#, encode([7; 64])),
    ];
    elements.join(",")
}

fn payload() -> String {
    claims_with("exp", "1900000000")
}

fn by(alg: Alg, kid: &str) -> String {
    token(
        alg,
        header_and(alg, &format!(r#","kid":"{kid}""#)),
        payload(),
    )
}

#[tokio::test]
async fn what_cannot_be_used_in_a_set_costs_no_key_beside_it() {
    let world = World::new();
    let statuses = [
        world.status(&by(Alg::Rs256, "rsa")).await,
        world.status(&by(Alg::Ps512, "rsa")).await,
        world.status(&by(Alg::Es256, "ec")).await,
    ];
    assert_eq!(statuses, [200; 3]);
    assert_eq!(world.issuer.asked(), 1);
}

#[tokio::test]
async fn a_key_of_a_set_is_no_secret_and_stands_for_no_other_algorithm() {
    let world = World::new();
    assert_eq!(world.status(&by(Alg::Rs256, "rsa")).await, 200);
    let header = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
    let secrets = [rsa("rsa"), keys::RSA_N.to_owned(), ec("ec")];
    for secret in secrets {
        for kid in ["rsa", "ec", "oct"] {
            let forged = hmac_token(Alg::Hs256, &secret, header("HS256", kid), payload());
            assert_eq!(world.status(&forged).await, 401, "{kid}");
        }
    }
    // The secret that the issuer published, by mistake, for everybody.
    let forged = hmac_token(Alg::Hs512, [7; 64], header("HS512", "oct"), payload());
    assert_eq!(world.status(&forged).await, 401);
    for (alg, named, kid) in [
        (Alg::Rs256, "ES256", "rsa"),
        (Alg::Rs256, "RS384", "rsa"),
        (Alg::Rs256, "none", "rsa"),
        (Alg::Rs256, "RS256", "ec"),
        (Alg::Es256, "ES384", "ec"),
        (Alg::EdDsa, "EdDSA", "ed"),
    ] {
        let forged = token(alg, header(named, kid), payload());
        assert_eq!(world.status(&forged).await, 401, "{named} {kid}");
    }
}

#[tokio::test]
async fn ten_thousand_tokens_with_unknown_keys_load_the_set_once_a_cooldown() {
    let world = World::new();
    let good = by(Alg::Es256, "ec");
    assert_eq!(world.status(&good).await, 200);
    for n in 0..10_000 {
        let junk = format!(r#","kid":"{n}""#);
        let junk = hmac_token(Alg::Hs256, "x", header_and(Alg::Es256, &junk), payload());
        let status = world.status(&junk).await;
        assert!(matches!(status, 401 | 429), "{status}");
        if n % 100 == 0 {
            assert_eq!(world.status(&good).await, 200);
        }
    }
    assert_eq!(world.issuer.asked(), 2, "at the start, and for all of them");
    // A rotation is found as soon as the cooldown is over.
    world.issuer.publishes(&[ed("new")]);
    world.clock.advance(COOLDOWN);
    assert_eq!(world.status(&by(Alg::EdDsa, "new")).await, 200);
    assert_eq!(world.issuer.asked(), 3);
}

#[tokio::test]
async fn a_rotated_key_is_accepted_by_the_first_request_and_a_removed_one_by_none() {
    let world = World::new();
    let old = by(Alg::Es256, "ec");
    assert_eq!(world.status(&old).await, 200);
    world.issuer.publishes(&[ed("new")]);
    assert_eq!(world.status(&by(Alg::EdDsa, "new")).await, 200);
    assert_eq!(world.status(&old).await, 401, "it was taken out");
    // Taken out without another key being named: at the next refresh.
    world.issuer.publishes(&[rsa("rsa")]);
    let new = by(Alg::EdDsa, "new");
    assert_eq!(world.status(&new).await, 200);
    world.clock.advance(Duration::from_secs(15 * 60));
    world.status(&new).await;
    world.settle().await;
    assert_eq!(world.status(&new).await, 401);
    assert_eq!(world.status(&by(Alg::Rs256, "rsa")).await, 200);
}

#[tokio::test]
async fn an_issuer_that_is_down_or_publishes_junk_is_not_seen_until_its_keys_are_too_old() {
    for junk in ["", "<html>", "[]", r#"{"keys":[]}"#, r#"{"keys":[{}]}"#] {
        let world = World::new();
        let good = by(Alg::Es256, "ec");
        assert_eq!(world.status(&good).await, 200, "{junk:?}");
        match junk {
            "" => world.issuer.goes_down(),
            junk => world.issuer.publishes_text(junk),
        }
        for _ in 0..24 * 60 / 10 - 1 {
            world.clock.advance(Duration::from_secs(600));
            assert_eq!(world.status(&good).await, 200, "{junk:?}");
            world.settle().await;
        }
        world.clock.advance(Duration::from_secs(600));
        let refused = show(&world.layer, good.as_bytes()).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{junk:?}");
        let retry_after = refused.headers["retry-after"].to_str().unwrap();
        let retry_after: u64 = retry_after.parse().unwrap();
        assert!((1..=30).contains(&retry_after), "{retry_after}");
        // A forged token is not told from a good one meanwhile.
        let forged = theirs(Alg::Es256, header_and(Alg::Es256, ""), payload());
        assert_eq!(world.status(&forged).await, 503, "{junk:?}");
        world.issuer.publishes(&[ec("ec")]);
        world.clock.advance(Duration::from_secs(retry_after));
        assert_eq!(world.status(&good).await, 200, "{junk:?}: it is back");
    }
}

#[tokio::test]
async fn tokens_of_a_new_key_are_503_and_count_for_nothing_while_the_issuer_is_down() {
    let world = World::new();
    let old = by(Alg::Es256, "ec");
    assert_eq!(world.status(&old).await, 200);
    world.issuer.goes_down();
    let new = by(Alg::EdDsa, "new");
    for n in 0..300 {
        let refused = show(&world.layer, new.as_bytes()).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{n}");
        assert_eq!(refused.headers["retry-after"], "10", "{n}");
    }
    assert_eq!(world.status(&old).await, 200, "that key is held");
    assert_eq!(world.issuer.asked(), 2, "at the start, and for all of them");
    world.issuer.publishes(&[ed("new")]);
    world.clock.advance(COOLDOWN);
    assert_eq!(world.status(&new).await, 200);
}

#[tokio::test]
async fn no_header_of_a_token_has_anything_fetched() {
    let world = World::new();
    assert_eq!(world.status(&by(Alg::Rs256, "rsa")).await, 200);
    let elsewhere = "https://attacker.example/keys";
    let jwk = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, keys::RSA_THEIRS_N);
    for member in [
        format!(r#","jku":"{elsewhere}""#),
        format!(r#","x5u":"{elsewhere}""#),
        format!(r#","jwk":{jwk}"#),
        format!(r#","iss":"{elsewhere}","kid":"{elsewhere}""#),
        r#","kid":"../../keys?x=""#.to_owned(),
    ] {
        for kid in ["", r#","kid":"rsa""#] {
            if member.contains("kid") && !kid.is_empty() {
                continue;
            }
            let header = header_and(Alg::Rs256, &format!("{kid}{member}"));
            let status = world.status(&theirs(Alg::Rs256, header, payload())).await;
            assert!(matches!(status, 401 | 429), "{member}: {status}");
        }
    }
    let asked = world.issuer.0.lock().unwrap().asked.clone();
    assert!(asked.iter().all(|url| url == URL), "{asked:?}");
    assert!(asked.len() <= 2, "{asked:?}");
}
