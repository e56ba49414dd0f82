//! Keys that leaked are found by scanners, and revoked when a partner says where they are.

use crate::endpoints::migration::with_keys_hashed_as_passwords;
use crate::endpoints::world::*;
use crate::migration::{DRF_KEYS, DrfKey};
use crate::support::{Reply, get, send};
use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower_auth::api_key::SecretScanner;
use tower_auth::endpoint::{EndpointsBuilder, LeakReports};
use tower_auth::event::Action;
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::{JwtAlgorithm, JwtKey};
use tower_auth::store::Memory;
use tower_auth::test_util::Intercept;
use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, Realm, Subject};

/// Who reports keys, by the key that it signs with.
struct Partner(EcdsaKeyPair);

impl Partner {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    fn public(&self) -> JwtKey {
        let point = self.0.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
        JwtKey::ec(JwtAlgorithm::Es256, &x, &y)
    }

    /// As GitHub publishes it.
    fn published(&self, id: &str) -> Value {
        // RFC 5480: what stands before the point in the key of a PEM file.
        let mut der = vec![
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        der.extend_from_slice(self.0.public_key().as_ref());
        let body = BASE64_STANDARD.encode(der);
        let (first, rest) = body.split_at(64);
        let pem =
            format!("-----BEGIN PUBLIC KEY-----\n{first}\n{rest}\n-----END PUBLIC KEY-----\n");
        json!({ "key_identifier": id, "key": pem, "is_current": true })
    }

    fn report(&self, id: &str, body: &str) -> Request<Full<Bytes>> {
        let signature = self.0.sign(&SystemRandom::new(), body.as_bytes()).unwrap();
        let signature = BASE64_STANDARD.encode(signature);
        Request::post("/leaked-keys")
            .header("content-type", "application/json")
            .header("github-public-key-identifier", id)
            .header("github-public-key-signature", signature)
            .body(Full::from(body.to_owned()))
            .unwrap()
    }
}

fn body_of(keys: &[&str]) -> String {
    let reports = keys.iter().map(|key| {
        json!({ "token": key, "type": "egret", "url": "https://git.example.com/a", "source": "commit" })
    });
    Value::Array(reports.collect()).to_string()
}

/// A service that believes this partner.
async fn believing(partner: &Partner) -> (World, EndpointsBuilder) {
    let world = World::new().await;
    let endpoints = world.auth.endpoints();
    let reports = LeakReports::of(world.keys()).partner_key("1", partner.public());
    let endpoints = endpoints.mount("/leaked-keys", reports);
    (world, endpoints)
}

async fn ask(endpoints: EndpointsBuilder, request: Request<Full<Bytes>>) -> Reply {
    let endpoints = endpoints.build().unwrap();
    let response = tower::ServiceExt::oneshot(endpoints, request)
        .await
        .unwrap();
    crate::support::reply(response).await
}

#[tokio::test]
async fn a_key_that_is_reported_is_revoked_and_its_owner_told() {
    let partner = Partner::new();
    let (world, endpoints) = believing(&partner).await;
    let [leaked, other] = [world.key("7").await, world.key("7").await];
    let revoked = world.key("8").await;
    world
        .keys()
        .revoke(&revoked.record.owner, &revoked.record.id)
        .await
        .unwrap();
    world.events.take();
    let unknown = ApiKeys::prefix(PREFIX);
    let unknown = Realm::new(Memory::new()).api_keys(unknown);
    let unknown = crate::support::key_of(&unknown, "9").await;
    let keys = [
        leaked.key.expose().as_str(),
        revoked.key.expose(),
        &unknown,
        "egret_typo",
    ];
    let reply = ask(endpoints, partner.report("1", &body_of(&keys))).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    let labels: Vec<&Value> = answer
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["label"])
        .collect();
    assert_eq!(
        labels,
        [
            "true_positive",
            "false_positive",
            "false_positive",
            "false_positive"
        ]
    );
    assert!(!reply.text().contains(leaked.key.expose().as_str()));
    assert_eq!(world.events.take(), [Action::KeyLeaked, Action::KeyRevoked]);
    for (key, status) in [(&leaked, 401), (&other, 200)] {
        let asked = get(&[("x-api-key", key.key.expose())]);
        assert_eq!(send(&world.auth, asked).await.status, status);
    }
}

#[tokio::test]
async fn a_key_that_is_hashed_as_a_password_is_revoked_where_the_whole_key_is_reported() {
    let partner = Partner::new();
    let world = with_keys_hashed_as_passwords().await;
    let [DrfKey { key, prefix, .. }, DrfKey { key: revoked, .. }] = DRF_KEYS;
    let of_its_prefix = format!("{prefix}.{}", "x".repeat(32));
    let report = async |keys: &[&str]| {
        let reports = LeakReports::of(world.keys()).partner_key("1", partner.public());
        let endpoints = world.auth.endpoints().mount("/leaked-keys", reports);
        let reply = ask(endpoints, partner.report("1", &body_of(keys))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let answer = reply.json();
        let labels = answer.as_array().unwrap().iter();
        labels
            .map(|one| one["label"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let runs = world.users().argon2_runs();
    assert_eq!(report(&[revoked]).await, ["false_positive"]);
    assert_eq!(world.users().argon2_runs(), runs, "it is dead already");
    let others = [&*of_its_prefix, prefix, &key[..key.len() - 1]];
    assert_eq!(report(&others).await, ["false_positive"; 3]);
    let owner = Subject::user("7");
    let found = world.keys().find(&owner, prefix).await.unwrap();
    assert_eq!(found.revoked, None, "its prefix alone says nothing");
    // Reported before anybody used it, which would store it anew.
    assert_eq!(report(&[key]).await, ["true_positive"]);
    assert!(!world.opens(key).await);
    assert_eq!(report(&[key]).await, ["false_positive"]);
}

/// A request by the partner or by a stranger, with that body.
type Asks = fn(&Partner, &Partner, &str) -> Request<Full<Bytes>>;

#[tokio::test]
async fn nobody_is_believed_whose_signature_does_not_verify() {
    let partner = Partner::new();
    let stranger = Partner::new();
    let rows: [(&str, Asks, u16); 7] = [
        (
            "another's key",
            |_, stranger, body| stranger.report("1", body),
            401,
        ),
        (
            "another name",
            |partner, _, body| partner.report("2", body),
            401,
        ),
        (
            "no signature",
            |partner, _, body| {
                let mut request = partner.report("1", body);
                request.headers_mut().remove("github-public-key-signature");
                request
            },
            401,
        ),
        (
            "no name",
            |partner, _, body| {
                let mut request = partner.report("1", body);
                request.headers_mut().remove("github-public-key-identifier");
                request
            },
            401,
        ),
        (
            "another body",
            |partner, _, body| {
                let (head, _) = partner.report("1", "[]").into_parts();
                Request::from_parts(head, Full::from(body.to_owned()))
            },
            401,
        ),
        ("no list", |partner, _, _| partner.report("1", "{}"), 400),
        (
            "too long a list",
            |partner, _, _| partner.report("1", &body_of(&["egret_x"; 101])),
            400,
        ),
    ];
    for (name, request, status) in rows {
        let (world, endpoints) = believing(&partner).await;
        let key = world.key("7").await;
        let body = body_of(&[key.key.expose()]);
        let reply = ask(endpoints, request(&partner, &stranger, &body)).await;
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        let asked = get(&[("x-api-key", key.key.expose())]);
        assert_eq!(send(&world.auth, asked).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_the_partner_reports_again() {
    let partner = Partner::new();
    let (world, endpoints) = believing(&partner).await;
    let key = world.key("7").await;
    let body = body_of(&[key.key.expose()]);
    for call in ["find_key", "revoke_key"] {
        world.script.break_at(call, Intercept::Fail);
        let reply = ask(
            world.auth.endpoints().mount(
                "/leaked-keys",
                LeakReports::of(world.keys()).partner_key("1", partner.public()),
            ),
            partner.report("1", &body),
        )
        .await;
        assert_eq!(reply.status, 503, "{call}: {reply:?}");
    }
    world.script.mend();
    let reply = ask(endpoints, partner.report("1", &body)).await;
    assert_eq!(reply.json()[0]["label"], "true_positive", "{reply:?}");
}

/// Publishes what it is told, and counts who asks.
#[derive(Clone)]
struct Site {
    body: Arc<std::sync::Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl Fetch for Site {
    async fn fetch(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, FetchError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let body = self.body.lock().unwrap().clone();
        Ok(Response::new(body.into()))
    }
}

#[tokio::test]
async fn the_keys_of_a_partner_are_loaded_when_they_are_needed_at_most_once_a_minute() {
    let partner = Partner::new();
    let later = Partner::new();
    let world = World::new().await;
    let site = Site {
        body: Arc::new(std::sync::Mutex::new(
            json!({ "public_keys": [partner.published("a")] }).to_string(),
        )),
        asked: Arc::default(),
    };
    let url = "https://api.example.com/meta/public_keys/secret_scanning";
    let reports = LeakReports::of(world.keys()).partner_keys_at(url, site.clone());
    let endpoints = world.auth.endpoints().mount("/leaked-keys", reports);
    let endpoints = endpoints.build().unwrap();
    let ask = async |request| {
        let response = tower::ServiceExt::oneshot(endpoints.clone(), request).await;
        crate::support::reply(response.unwrap())
            .await
            .status
            .as_u16()
    };
    assert_eq!(ask(partner.report("a", "[]")).await, 200);
    assert_eq!(ask(partner.report("a", "[]")).await, 200);
    for n in 0..100 {
        assert_eq!(ask(partner.report(&n.to_string(), "[]")).await, 401);
    }
    assert_eq!(site.asked.load(Ordering::Relaxed), 1);
    let keys = json!({ "public_keys": [{ "key_identifier": "b", "key": "no PEM" }, later.published("c")] });
    *site.body.lock().unwrap() = keys.to_string();
    world.pass(60);
    assert_eq!(ask(later.report("c", "[]")).await, 200);
    assert_eq!(
        ask(partner.report("a", "[]")).await,
        401,
        "it is published no more"
    );
    *site.body.lock().unwrap() = String::from("down");
    world.pass(60);
    for _ in 0..2 {
        assert_eq!(ask(later.report("d", "[]")).await, 503);
    }
    assert_eq!(
        ask(later.report("c", "[]")).await,
        200,
        "what is held serves"
    );
    assert_eq!(site.asked.load(Ordering::Relaxed), 3);
    let keys = json!({ "public_keys": [later.published("d")] });
    *site.body.lock().unwrap() = keys.to_string();
    world.pass(60);
    assert_eq!(ask(later.report("d", "[]")).await, 200);
    assert_eq!(ask(later.report("e", "[]")).await, 401);
    assert_eq!(site.asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn an_endpoint_that_believes_nobody_or_a_broken_key_is_a_mistake() {
    let world = World::new().await;
    let problems = |reports: LeakReports| {
        let endpoints = world.auth.endpoints().mount("/leaked-keys", reports);
        endpoints.build().unwrap_err().problems().to_vec()
    };
    let nobody = problems(LeakReports::of(world.keys()));
    assert_eq!(nobody, [ConfigProblem::NoPartnerKey]);
    let broken = JwtKey::ec(JwtAlgorithm::Es256, "AA", "AA");
    let broken = problems(LeakReports::of(world.keys()).partner_key("1", broken));
    assert!(
        matches!(broken[..], [ConfigProblem::Key { .. }]),
        "{broken:?}"
    );
    let plain = LeakReports::of(world.keys()).partner_keys_at(
        "http://api.example.com/",
        Site {
            body: Arc::default(),
            asked: Arc::default(),
        },
    );
    let plain = problems(plain);
    assert!(
        matches!(plain[..], [ConfigProblem::KeysUrl { .. }]),
        "{plain:?}"
    );
}

#[tokio::test]
async fn the_rules_for_scanners_find_keys_and_nothing_else() {
    for prefix in ["egret", "sk-live-", "a_b"] {
        let form = ApiKeys::prefix(prefix);
        let keys = Realm::new(Memory::new()).api_keys(form.clone());
        let auth = AuthLayer::builder().accept(&keys).build();
        assert!(auth.is_ok());
        let key = crate::support::key_of(&keys, "7").await;
        let pattern = form.pattern().unwrap();
        let whole = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        assert!(whole.is_match(&key), "{pattern}");
        assert!(!whole.is_match(&key[..key.len() - 1]), "{pattern}");
        for scanner in [
            SecretScanner::GitHub,
            SecretScanner::Gitleaks,
            SecretScanner::Trufflehog,
        ] {
            let rule = form.scanner_rule(scanner).unwrap();
            assert!(rule.contains(&pattern), "{rule}");
        }
        let rule = form.scanner_rule(SecretScanner::Gitleaks).unwrap();
        let line = rule
            .lines()
            .find_map(|line| line.strip_prefix("regex = '''"))
            .unwrap();
        let regex = regex::Regex::new(line.strip_suffix("'''").unwrap()).unwrap();
        let text = format!("curl -H 'X-API-Key: {key}' https://api.example.com");
        assert_eq!(&regex.captures(&text).unwrap()[1], key);
        assert!(
            !regex.is_match(&format!("{key}x")),
            "a longer word is no key"
        );
    }
    for form in [ApiKeys::bare(), ApiKeys::prefix("egret").opaque()] {
        assert_eq!(form.pattern(), None);
        assert_eq!(form.scanner_rule(SecretScanner::GitHub), None);
    }
}
