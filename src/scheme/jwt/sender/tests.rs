#![cfg(feature = "dpop")]

use super::Dpop;
use crate::credential::ClientCertificate;
use crate::endpoint::Introspect;
use crate::fetch::{Fetch, FetchError};
use crate::jwt::{JwtAlgorithm, JwtKey};
use crate::reject::{RejectionKind, ResponseBody};
use crate::store::Memory;
use crate::test_util::{ManualClock, TokenMint};
use crate::{AuthLayer, ConfigProblem, Jwt, Principal, Realm, Requirement, Tokens};
use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tower::{Layer, ServiceExt, service_fn};

const NOW: u64 = 1_800_000_000;
const URL: &str = "https://api.example.com/reports/7";
const ISSUER: &str = "https://login.example.com";

struct World {
    clock: ManualClock,
    issuer: TokenMint,
    client: TokenMint,
}

/// What came of a request.
#[derive(Debug)]
struct Told {
    status: u16,
    kind: Option<RejectionKind>,
    reason: &'static str,
    fields: HeaderMap,
}

impl World {
    fn new() -> Self {
        Self {
            clock: ManualClock::new(NOW),
            issuer: TokenMint::es256(),
            client: TokenMint::es256(),
        }
    }

    fn jwt(&self) -> Jwt {
        Jwt::new()
            .issuer(ISSUER)
            .audience("api")
            .key(self.issuer.key())
    }

    fn node(&self, jwt: Jwt) -> AuthLayer {
        let realm = Realm::new(Memory::new()).clock(self.clock.clone());
        let auth = AuthLayer::builder().realm(&realm).accept(jwt);
        auth.public_url("https://api.example.com").build().unwrap()
    }

    fn dpop(&self, dpop: Dpop) -> AuthLayer {
        self.node(self.jwt().dpop(dpop))
    }

    fn now(&self) -> SystemTime {
        crate::clock::Clock::now(&self.clock)
    }

    fn token(&self, cnf: Option<Value>) -> String {
        let mut claims = json!({"iss": ISSUER, "aud": "api", "sub": "7", "exp": NOW + 100_000});
        if let Some(cnf) = cnf {
            claims["cnf"] = cnf;
        }
        self.issuer.sign(&claims)
    }

    fn bound(&self) -> String {
        self.token(Some(json!({"jkt": self.client.thumbprint()})))
    }

    fn proof(&self, token: &str) -> String {
        self.client.dpop_proof("GET", URL, token, self.now())
    }

    /// A proof that was altered before it was signed.
    fn altered(&self, token: &str, alter: impl FnOnce(&mut Value, &mut Value)) -> String {
        let (mut header, mut payload) = decoded(&self.proof(token));
        alter(&mut header, &mut payload);
        self.client
            .sign_parts(&header.to_string(), &payload.to_string())
    }
}

fn decoded(proof: &str) -> (Value, Value) {
    let mut parts = proof.split('.').map(|part| {
        let json = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

fn request(scheme: &str, token: &str, proofs: &[&str]) -> Request<()> {
    let mut request = Request::get("/reports/7?page=2")
        .header("host", "api.example.com")
        .header("authorization", format!("{scheme} {token}"));
    for proof in proofs {
        request = request.header("dpop", *proof);
    }
    request.body(()).unwrap()
}

async fn send(auth: &AuthLayer, request: Request<()>) -> Told {
    let inner = service_fn(|request: Request<()>| {
        assert!(Principal::from_extensions(request.extensions()).is_ok());
        let fields = request.headers().get_all("dpop");
        assert!(fields.iter().all(|field| field.is_sensitive()));
        ready(Ok::<_, Infallible>(Response::new(String::new())))
    });
    let response = auth.layer(inner).oneshot(request).await.unwrap();
    told(response)
}

fn told(response: Response<ResponseBody<String>>) -> Told {
    let rejection = response.body().rejection();
    Told {
        status: response.status().as_u16(),
        kind: rejection.map(crate::Rejection::kind),
        reason: rejection.map_or("", crate::Rejection::reason),
        fields: response.headers().clone(),
    }
}

impl Told {
    fn is(&self) -> (u16, &'static str) {
        (self.status, self.reason)
    }

    fn challenges(&self) -> Vec<&str> {
        let lines = self.fields.get_all("www-authenticate").iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    }

    fn nonce(&self) -> Option<&str> {
        Some(self.fields.get("dpop-nonce")?.to_str().unwrap())
    }
}

#[tokio::test]
async fn a_bound_token_is_accepted_with_a_proof_of_its_key_for_this_request() {
    let mut world = World::new();
    for client in [TokenMint::es256(), TokenMint::eddsa(), TokenMint::rs256()] {
        world.client = client;
        let node = world.dpop(Dpop::new());
        let token = world.bound();
        let told = send(&node, request("dPoP", &token, &[&world.proof(&token)])).await;
        assert_eq!(told.is(), (200, ""));
    }
    let node = world.dpop(Dpop::new());
    let token = world.bound();
    for url in [
        "HTTPS://API.Example.com:443/reports/7",
        "https://api.example.com/%72eports/7?another=query#fragment",
    ] {
        let proof = world.client.dpop_proof("GET", url, &token, world.now());
        let told = send(&node, request("DPoP", &token, &[&proof])).await;
        assert_eq!(told.is(), (200, ""), "{url}");
    }
    // A token that is bound to nobody is what it was.
    let told = send(&node, request("Bearer", &world.token(None), &[])).await;
    assert_eq!(told.is(), (200, ""));
}

#[tokio::test]
async fn every_wrong_proof_is_refused_as_one_and_is_not_remembered() {
    let world = World::new();
    let node = world.dpop(Dpop::new().algorithms([JwtAlgorithm::Es256, JwtAlgorithm::EdDsa]));
    let token = world.bound();
    let other = TokenMint::es256();
    let altered = |alter: fn(&mut Value, &mut Value)| world.altered(&token, alter);
    let at = |seconds: u64| {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        world.client.dpop_proof("GET", URL, &token, at)
    };
    let to = |method, url: &str| world.client.dpop_proof(method, url, &token, world.now());
    let raw = |header: &str, payload: &str| world.client.sign_parts(header, payload);
    let (header, payload) = decoded(&world.proof(&token));
    let (header, payload) = (header.to_string(), payload.to_string());
    let with = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    let good = world.proof(&token);
    let forged = {
        let (message, _) = good.rsplit_once('.').unwrap();
        let (_, signature) = other.sign(&json!({})).rsplit_once('.').map(own).unwrap();
        format!("{message}.{signature}")
    };
    let secret = TokenMint::hs256("a secret of the attacker's");
    let symmetric = header.replace("ES256", "HS256");
    let rows: Vec<(&str, String, &str)> = vec![
        ("empty", String::new(), "segments"),
        ("no JWS", "proof".into(), "segments"),
        ("two segments", "a.b".into(), "segments"),
        ("four segments", format!("{good}.x"), "payload"),
        ("the token itself", token.clone(), "typ"),
        (
            "too long",
            format!("{good}{}", "x".repeat(8 << 10)),
            "length",
        ),
        ("no typ", altered(|h, _| remove(h, "typ")), "typ"),
        (
            "another typ",
            altered(|h, _| h["typ"] = "JWT".into()),
            "typ",
        ),
        ("no alg", altered(|h, _| remove(h, "alg")), "alg"),
        ("alg none", altered(|h, _| h["alg"] = "none".into()), "alg"),
        (
            "alg not allowed",
            altered(|h, _| h["alg"] = "PS256".into()),
            "alg",
        ),
        (
            "alg of a secret",
            secret.sign_parts(&symmetric, &payload),
            "alg",
        ),
        (
            "alg of another key",
            altered(|h, _| h["alg"] = "EdDSA".into()),
            "jwk",
        ),
        ("no jwk", altered(|h, _| remove(h, "jwk")), "jwk"),
        (
            "jwk no object",
            altered(|h, _| h["jwk"] = "key".into()),
            "jwk",
        ),
        (
            "jwk private",
            altered(|h, _| h["jwk"]["d"] = "AAAA".into()),
            "jwk",
        ),
        (
            "jwk a secret",
            altered(|h, _| h["jwk"] = json!({"kty": "oct", "k": "AAAA"})),
            "jwk",
        ),
        (
            "jwk of another curve",
            altered(|h, _| h["jwk"]["crv"] = "P-384".into()),
            "jwk",
        ),
        (
            "jwk without y",
            altered(|h, _| remove(&mut h["jwk"], "y")),
            "jwk",
        ),
        (
            "jwk off the curve",
            altered(|h, _| h["jwk"]["y"] = h["jwk"]["x"].clone()),
            "jkt",
        ),
        (
            "jwk for encryption",
            altered(|h, _| h["jwk"]["use"] = "enc".into()),
            "jwk",
        ),
        ("crit", altered(|h, _| h["crit"] = json!(["b64"])), "header"),
        ("b64", altered(|h, _| h["b64"] = false.into()), "header"),
        (
            "a header name twice",
            raw(&with(&header, r#""alg":"ES256""#), &payload),
            "header",
        ),
        (
            "a name in the jwk twice",
            raw(
                &header.replacen(r#""kty":"EC""#, r#""kty":"EC","kty":"EC""#, 1),
                &payload,
            ),
            "header",
        ),
        (
            "a claim twice",
            raw(&header, &with(&payload, r#""htm":"GET""#)),
            "claims",
        ),
        ("no jti", altered(|_, p| remove(p, "jti")), "jti"),
        ("an empty jti", altered(|_, p| p["jti"] = "".into()), "jti"),
        (
            "a jti that is no text",
            altered(|_, p| p["jti"] = 7.into()),
            "claims",
        ),
        ("no htm", altered(|_, p| remove(p, "htm")), "htm"),
        ("another method", to("POST", URL), "htm"),
        ("the method in lower case", to("get", URL), "htm"),
        ("no htu", altered(|_, p| remove(p, "htu")), "htu"),
        (
            "another path",
            to("GET", "https://api.example.com/reports/8"),
            "htu",
        ),
        (
            "another host",
            to("GET", "https://evil.example/reports/7"),
            "htu",
        ),
        (
            "another scheme",
            to("GET", "http://api.example.com/reports/7"),
            "htu",
        ),
        (
            "another port",
            to("GET", "https://api.example.com:444/reports/7"),
            "htu",
        ),
        (
            "a path with dots",
            to("GET", "https://api.example.com/x/../reports/7"),
            "htu",
        ),
        (
            "a user's name",
            to("GET", "https://a@api.example.com/reports/7"),
            "htu",
        ),
        ("no URL", to("GET", "/reports/7"), "htu"),
        ("no ath", altered(|_, p| remove(p, "ath")), "ath"),
        (
            "ath of another token",
            world.proof(&world.token(None)),
            "ath",
        ),
        ("no iat", altered(|_, p| remove(p, "iat")), "iat"),
        ("too old", at(NOW - 61), "iat"),
        ("ahead", at(NOW + 6), "iat"),
        ("iat in milliseconds", at(NOW * 1_000), "claims"),
        (
            "another key",
            other.dpop_proof("GET", URL, &token, world.now()),
            "jkt",
        ),
        (
            "signed by another key",
            other.sign_parts(&header, &payload),
            "signature",
        ),
        ("a forged signature", forged, "signature"),
        (
            "no signature",
            format!("{}.", good.rsplit_once('.').unwrap().0),
            "signature",
        ),
    ];
    for (name, proof, reason) in &rows {
        let told = send(&node, request("DPoP", &token, &[proof])).await;
        assert_eq!(told.is(), (401, *reason), "{name}");
        assert_eq!(told.kind, Some(RejectionKind::InvalidProof), "{name}");
        let challenges = [
            r#"Bearer realm="api""#,
            r#"DPoP realm="api", algs="ES256 EdDSA", error="invalid_dpop_proof""#,
        ];
        assert_eq!(told.challenges(), challenges, "{name}");
    }
    let none = send(&node, request("DPoP", &token, &[])).await;
    assert_eq!(none.is(), (401, "no proof"));
    // Those that say the id of the good one did not use it up.
    let told = send(&node, request("DPoP", &token, &[&good])).await;
    assert_eq!(told.is(), (200, ""));
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn two_proofs_are_400_in_one_line_or_two() {
    let world = World::new();
    let node = world.dpop(Dpop::new());
    let token = world.bound();
    let (one, other) = (world.proof(&token), world.proof(&token));
    let joined = format!("{one}, {other}");
    for proofs in [&[&*one, &*other][..], &[&*one, &*one], &[&*joined]] {
        let told = send(&node, request("DPoP", &token, proofs)).await;
        assert_eq!(told.is(), (400, "several proofs"));
        let of_dpop = told.challenges()[1];
        assert!(of_dpop.ends_with(r#"error="invalid_request""#), "{of_dpop}");
    }
    let told = send(&node, request("DPoP", &token, &[&one])).await;
    assert_eq!(told.is(), (200, ""));
}

#[tokio::test]
async fn a_token_is_accepted_by_no_other_scheme_than_the_one_it_is_bound_for() {
    let world = World::new();
    let key = || json!({"jkt": world.client.thumbprint()});
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(b"DER"));
    let both = json!({"jkt": world.client.thumbprint(), "x5t#S256": digest});
    let dpop = || world.dpop(Dpop::new());
    let plain = || world.node(world.jwt());
    let required = || world.dpop(Dpop::new().required());
    /// What it is, the layer, the scheme, `cnf`, and the answer.
    type Row = (
        &'static str,
        AuthLayer,
        &'static str,
        Option<Value>,
        (u16, &'static str),
    );
    let rows: Vec<Row> = vec![
        (
            "a key, as Bearer",
            dpop(),
            "Bearer",
            Some(key()),
            (401, "cnf"),
        ),
        ("nobody, as DPoP", dpop(), "DPoP", None, (401, "not bound")),
        ("DPoP is off", plain(), "DPoP", Some(key()), (401, "form")),
        (
            "bound where DPoP is off",
            plain(),
            "Bearer",
            Some(key()),
            (401, "cnf"),
        ),
        (
            "required, as Bearer",
            required(),
            "Bearer",
            None,
            (401, "form"),
        ),
        (
            "required, as DPoP",
            required(),
            "DPoP",
            None,
            (401, "not bound"),
        ),
        (
            "certificates are off",
            dpop(),
            "DPoP",
            Some(both),
            (401, "cnf"),
        ),
        (
            "something else",
            dpop(),
            "DPoP",
            Some(json!({"kid": "7"})),
            (401, "cnf"),
        ),
        ("nothing", dpop(), "Bearer", Some(json!({})), (401, "cnf")),
        (
            "no object",
            dpop(),
            "DPoP",
            Some("7".into()),
            (401, "claims"),
        ),
        (
            "no text",
            dpop(),
            "DPoP",
            Some(json!({"jkt": 7})),
            (401, "claims"),
        ),
        (
            "more besides",
            dpop(),
            "DPoP",
            Some(with_kid(key())),
            (200, ""),
        ),
    ];
    for (name, node, scheme, cnf, expected) in rows {
        let token = world.token(cnf);
        let told = send(&node, request(scheme, &token, &[&world.proof(&token)])).await;
        assert_eq!(told.is(), expected, "{name}");
    }
    // What is said of it: the error stands on the scheme that was presented.
    let told = send(&dpop(), request("Bearer", &world.bound(), &[])).await;
    let algs = r#"DPoP realm="api", algs="RS256 PS256 ES256 ES384 EdDSA""#;
    let bearer = r#"Bearer realm="api", error="invalid_token""#;
    assert_eq!(told.challenges(), [bearer, algs]);
    let told = send(&dpop(), request("DPoP", &world.token(None), &[])).await;
    let error = format!(r#"{algs}, error="invalid_token""#);
    assert_eq!(told.challenges(), [r#"Bearer realm="api""#, &error]);
    let nothing = Request::get("/").body(()).unwrap();
    assert_eq!(send(&required(), nothing).await.challenges(), [algs]);
}

fn with_kid(mut cnf: Value) -> Value {
    cnf["kid"] = "7".into();
    cnf
}

#[tokio::test]
async fn a_proof_is_accepted_once_by_a_node_and_a_client_that_tries_again_makes_a_new_one() {
    let world = World::new();
    let (node, other_node) = (world.dpop(Dpop::new()), world.dpop(Dpop::new()));
    let token = world.bound();
    let proof = world.proof(&token);
    let told = send(&node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (200, ""));
    world.clock.advance(Duration::from_secs(60));
    let told = send(&node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (401, "seen before"));
    assert_eq!(told.kind, Some(RejectionKind::InvalidProof));
    assert_eq!(told.nonce(), None);
    // Each node has a memory of its own.
    let told = send(&other_node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (200, ""));
    let told = send(&node, request("DPoP", &token, &[&world.proof(&token)])).await;
    assert_eq!(told.is(), (200, ""));
    // Too old before it is forgotten, and no younger when the clock steps back.
    world.clock.advance(Duration::from_secs(1));
    let told = send(&node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (401, "iat"));
    let told = send(&node, request("DPoP", &token, &[&world.proof(&token)])).await;
    assert_eq!(told.is(), (200, ""));
    world.clock.set(NOW);
    let told = send(&node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (401, "older than the memory of proofs"));
}

#[tokio::test]
async fn the_window_of_proofs_ends_where_it_says() {
    let world = World::new();
    let window = Dpop::new()
        .max_age(Duration::from_secs(30))
        .leeway(Duration::from_secs(2));
    for (name, dpop, oldest, newest) in [
        ("by default", Dpop::new(), 60, 5),
        ("as configured", window, 30, 2),
        ("no leeway", Dpop::new().leeway(Duration::ZERO), 60, 0),
    ] {
        let node = world.dpop(dpop);
        let token = world.bound();
        for (at, expected) in [
            (NOW - oldest - 1, (401, "iat")),
            (NOW - oldest, (200, "")),
            (NOW + newest, (200, "")),
            (NOW + newest + 1, (401, "iat")),
        ] {
            let made = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
            let proof = world.client.dpop_proof("GET", URL, &token, made);
            let told = send(&node, request("DPoP", &token, &[&proof])).await;
            assert_eq!(told.is(), expected, "{name}: {at}");
        }
    }
}

#[tokio::test]
async fn a_memory_that_is_full_refuses_and_asks_for_no_nonce() {
    let mut world = World::new();
    let node = world.dpop(Dpop::new().remembered(16));
    let token = world.bound();
    for expected in [
        (200, ""),
        (200, ""),
        (401, "the memory of proofs is full for this key"),
    ] {
        let told = send(&node, request("DPoP", &token, &[&world.proof(&token)])).await;
        assert_eq!(told.is(), expected);
        assert_eq!(told.nonce(), None);
    }
    let (flooding, client) = (world.client, TokenMint::es256());
    world.client = client;
    let other = world.bound();
    let told = send(&node, request("DPoP", &other, &[&world.proof(&other)])).await;
    assert_eq!(told.is(), (200, ""), "another client");
    world.client = flooding;
    world.clock.advance(Duration::from_secs(61));
    let told = send(&node, request("DPoP", &token, &[&world.proof(&token)])).await;
    assert_eq!(told.is(), (200, ""), "when the others have ended");
}

#[tokio::test]
async fn a_nonce_is_asked_for_and_good_on_each_node_for_its_life() {
    let world = World::new();
    let dpop = |secret| {
        Dpop::new()
            .nonce(secret)
            .nonce_lifetime(Duration::from_secs(120))
    };
    let secret = "kx7Yp2mQ9vRt4sWz8uEa1bNc6dHf3gJ5";
    let (node, other_node) = (world.dpop(dpop(secret)), world.dpop(dpop(secret)));
    let stranger = world.dpop(dpop("Qz8vT1nLr5Xw0yKp3mBd7cGh2jFs9aEu"));
    let token = world.bound();
    let with = |nonce: &str| {
        let nonce = nonce.to_owned();
        world.altered(&token, |_, payload| payload["nonce"] = nonce.into())
    };
    let told = send(&node, request("DPoP", &token, &[&world.proof(&token)])).await;
    assert_eq!(told.kind, Some(RejectionKind::NonceRequired));
    assert_eq!(told.status, 401);
    assert!(told.challenges()[1].ends_with(r#", error="use_dpop_nonce""#));
    let nonce = told.nonce().unwrap().to_owned();
    for (name, node) in [("its own", &node), ("another", &other_node)] {
        let told = send(node, request("DPoP", &token, &[&with(&nonce)])).await;
        assert_eq!(told.is(), (200, ""), "{name}");
    }
    let altered = nonce.replacen('A', "B", 1);
    let mut longer = nonce.clone();
    longer.push('A');
    let strange = send(&stranger, request("DPoP", &token, &[&with("")])).await;
    let strange = strange.nonce().unwrap();
    for wrong in ["", "x", &*altered, &longer, &nonce[..20], strange] {
        let told = send(&node, request("DPoP", &token, &[&with(wrong)])).await;
        assert_eq!(told.kind, Some(RejectionKind::NonceRequired), "{wrong}");
    }
    world.clock.advance(Duration::from_secs(120));
    let told = send(&node, request("DPoP", &token, &[&with(&nonce)])).await;
    assert_eq!(told.is(), (200, ""));
    world.clock.advance(Duration::from_secs(1));
    let told = send(&node, request("DPoP", &token, &[&with(&nonce)])).await;
    assert_eq!(told.kind, Some(RejectionKind::NonceRequired));
    assert_ne!(told.nonce(), Some(&*nonce));
    // Of a clock that is ahead, but not far.
    let nonce = told.nonce().unwrap().to_owned();
    world.clock.set(NOW + 116);
    let told = send(&node, request("DPoP", &token, &[&with(&nonce)])).await;
    assert_eq!(told.is(), (200, ""));
    world.clock.set(NOW + 115);
    let told = send(&node, request("DPoP", &token, &[&with(&nonce)])).await;
    assert_eq!(told.kind, Some(RejectionKind::NonceRequired));
    // A wrong proof learns of none.
    let wrong = world.client.dpop_proof("POST", URL, &token, world.now());
    let told = send(&node, request("DPoP", &token, &[&wrong])).await;
    assert_eq!((told.is(), told.nonce()), ((401, "htm"), None));
    // gRPC has the field too.
    let mut grpc = request("DPoP", &token, &[]);
    *grpc.method_mut() = http::Method::POST;
    let json = "application/grpc".parse().unwrap();
    grpc.headers_mut().insert("content-type", json);
    let proof = world.client.dpop_proof("POST", URL, &token, world.now());
    grpc.headers_mut().insert("dpop", proof.parse().unwrap());
    let told = send(&node, grpc).await;
    assert_eq!(told.fields["grpc-status"], "16");
    assert!(told.nonce().is_some());
}

#[tokio::test]
async fn a_certificate_bound_token_is_accepted_from_that_certificate_alone() {
    let world = World::new();
    let (own, other) = (ClientCertificate::from_der(b"DER"), [7; 32]);
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(b"DER"));
    let cnf = || Some(json!({"x5t#S256": digest}));
    let both = Some(json!({"x5t#S256": digest, "jkt": world.client.thumbprint()}));
    let node = world.node(world.jwt().certificate_bound());
    let proving = world.node(world.jwt().certificate_bound().dpop(Dpop::new().required()));
    let other = Some(ClientCertificate::from_sha256(other));
    for (name, node, scheme, cnf, certificate, expected) in [
        ("its own", &node, "Bearer", cnf(), Some(own), (200, "")),
        (
            "another",
            &node,
            "Bearer",
            cnf(),
            other,
            (401, "certificate"),
        ),
        (
            "none",
            &node,
            "Bearer",
            cnf(),
            None,
            (401, "no certificate"),
        ),
        ("bound to nobody", &node, "Bearer", None, None, (200, "")),
        (
            "bound to a key too",
            &node,
            "Bearer",
            both.clone(),
            Some(own),
            (401, "cnf"),
        ),
        (
            "required",
            &proving,
            "Bearer",
            None,
            Some(own),
            (401, "not bound"),
        ),
        (
            "required, its own",
            &proving,
            "Bearer",
            cnf(),
            Some(own),
            (200, ""),
        ),
        ("as DPoP", &proving, "DPoP", cnf(), Some(own), (401, "cnf")),
        (
            "both, as Bearer",
            &proving,
            "Bearer",
            both.clone(),
            Some(own),
            (401, "cnf"),
        ),
        ("both", &proving, "DPoP", both.clone(), Some(own), (200, "")),
        (
            "both, another",
            &proving,
            "DPoP",
            both.clone(),
            other,
            (401, "certificate"),
        ),
    ] {
        let token = world.token(cnf);
        let mut request = request(scheme, &token, &[&world.proof(&token)]);
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        let told = send(node, request).await;
        assert_eq!(told.is(), expected, "{name}");
    }
}

#[tokio::test]
async fn without_a_public_url_the_host_is_that_of_the_request() {
    let world = World::new();
    let realm = Realm::new(Memory::new()).clock(world.clock.clone());
    let jwt = world.jwt().dpop(Dpop::new());
    let node = AuthLayer::builder().realm(&realm).accept(jwt);
    let node = node.build().unwrap();
    let token = world.bound();
    for (host, url, expected) in [
        ("api.example.com", "https://api.example.com/reports/7", 200),
        (
            "api.example.com:443",
            "https://api.example.com/reports/7",
            200,
        ),
        ("api.example.com", "http://api.example.com/reports/7", 401),
        (
            "api.example.com",
            "https://other.example.com/reports/7",
            401,
        ),
        ("localhost:3000", "http://localhost:3000/reports/7", 200),
        ("127.0.0.1", "http://127.0.0.1/reports/7", 200),
        ("[::1]:3000", "https://[::1]:3000/reports/7", 200),
        ("no host", "https://api.example.com/reports/7", 401),
    ] {
        let proof = world.client.dpop_proof("GET", url, &token, world.now());
        let mut request = request("DPoP", &token, &[&proof]);
        let host_field = host.parse().unwrap();
        request.headers_mut().insert("host", host_field);
        let told = send(&node, request).await;
        assert_eq!(told.status, expected, "{host} {url}: {}", told.reason);
    }
}

#[tokio::test]
async fn a_proof_is_of_the_url_that_the_client_sent_wherever_the_layer_stands() {
    let world = World::new();
    let token = world.bound();
    let inner = axum::Router::new()
        .route("/{id}", axum::routing::get(async || "report"))
        .layer(world.dpop(Dpop::new()));
    let nested = axum::Router::new().nest("/reports", inner);
    for (url, expected) in [(URL, 200), ("https://api.example.com/7", 401)] {
        let proof = world.client.dpop_proof("GET", url, &token, world.now());
        let request = request("DPoP", &token, &[&proof]).map(|()| axum::body::Body::empty());
        let response = nested.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{url}");
    }
    // Below the path of the public URL, which a proxy takes away.
    let realm = Realm::new(Memory::new()).clock(world.clock.clone());
    let node = AuthLayer::builder().realm(&realm);
    let node = node.accept(world.jwt().dpop(Dpop::new()));
    let node = node.public_url("https://example.com/v1/").build().unwrap();
    let url = "https://example.com/v1/reports/7";
    let proof = world.client.dpop_proof("GET", url, &token, world.now());
    let told = send(&node, request("DPoP", &token, &[&proof])).await;
    assert_eq!(told.is(), (200, ""));
}

/// Publishes one key.
struct Publisher(String);

#[async_trait]
impl Fetch for Publisher {
    async fn fetch(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, FetchError> {
        Ok(Response::new(self.0.clone().into()))
    }
}

#[tokio::test]
async fn a_token_whose_keys_are_loaded_first_is_proved_all_the_same() {
    let world = World::new();
    let (header, _) = decoded(&world.issuer.dpop_proof("GET", URL, "", world.now()));
    let keys = json!({"keys": [header["jwk"]]}).to_string();
    let jwt = |keys: &String| {
        let jwt = Jwt::jwks("https://login.example.com/keys").issuer(ISSUER);
        let jwt = jwt.audience("api").fetcher(Publisher(keys.clone()));
        world.node(jwt.dpop(Dpop::new()))
    };
    let token = world.bound();
    let proof = world.proof(&token);
    for (name, scheme, proofs, expected) in [
        ("with a proof", "DPoP", vec![&*proof], (200, "")),
        ("without", "DPoP", vec![], (401, "no proof")),
        ("as Bearer", "Bearer", vec![&*proof], (401, "cnf")),
        (
            "with two",
            "DPoP",
            vec![&*proof, &*proof],
            (400, "several proofs"),
        ),
    ] {
        let told = send(&jwt(&keys), request(scheme, &token, &proofs)).await;
        assert_eq!(told.is(), expected, "{name}");
    }
    let unbound = world.token(None);
    let proof = world.proof(&unbound);
    let told = send(&jwt(&keys), request("DPoP", &unbound, &[&proof])).await;
    assert_eq!(told.is(), (401, "not bound"));
}

#[tokio::test]
async fn a_refusal_is_told_with_its_scheme_and_shows_no_proof() {
    let world = World::new();
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hearing = Arc::clone(&heard);
    let realm = Realm::new(Memory::new())
        .clock(world.clock.clone())
        .on_event(move |event| hearing.lock().unwrap().push(format!("{event:?}")));
    let jwt = world.jwt().dpop(Dpop::new());
    let node = AuthLayer::builder().realm(&realm).accept(jwt);
    let node = node.public_url("https://api.example.com").build().unwrap();
    let token = world.bound();
    let proof = world.client.dpop_proof("POST", URL, &token, world.now());
    send(&node, request("DPoP", &token, &[&proof])).await;
    let heard = heard.lock().unwrap();
    let [told] = heard.as_slice() else {
        panic!("{heard:?}");
    };
    assert!(
        told.contains("DPoP") && told.contains("InvalidProof"),
        "{told}"
    );
    assert!(!told.contains(&token) && !told.contains(&proof), "{told}");
}

/// A body of which nothing has come when the head is judged. Right before it comes, something
/// happens.
struct Late {
    before: Option<Box<dyn FnOnce() + Send>>,
    text: Option<Bytes>,
}

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(before) = self.before.take() {
            before();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.text.take().map(|text| Ok(Frame::data(text))))
    }
}

#[tokio::test]
async fn a_request_whose_body_comes_later_is_judged_again_by_the_same_proof() {
    let world = World::new();
    let realm = Realm::new(Memory::new()).clock(world.clock.clone());
    let tokens = Tokens::hs256("kx7Yp2mQ9vRt4sWz8uEa1bNc6dHf3gJ5");
    let tokens = realm.tokens(tokens.issuer("https://api.example.com"));
    let node = AuthLayer::builder().accept(&tokens);
    let node = node.accept(world.jwt().dpop(Dpop::new()));
    let node = node.public_url("https://api.example.com").build().unwrap();
    let asking = Introspect::of(&tokens).require(Requirement::anyone());
    let endpoints = node.endpoints().mount("/introspect/", asking);
    let app = axum::Router::<()>::new().merge(endpoints.build().unwrap());
    let token = world.bound();
    let url = "https://api.example.com/introspect/";
    for (name, waits, expected) in [
        ("longer than a proof is good", 3_600, 200),
        ("longer than the token is good", 200_000, 401),
    ] {
        world.clock.set(NOW);
        let proof = world.client.dpop_proof("POST", url, &token, world.now());
        let clock = world.clock.clone();
        let body = Late {
            before: Some(Box::new(move || clock.advance(Duration::from_secs(waits)))),
            text: Some(Bytes::from_static(b"token=x")),
        };
        let request = Request::post("/introspect/")
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", proof)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::new(body))
            .unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_is_remembered_is_proved_each_time() {
    let world = World::new();
    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(b"DER"));
    let node = world.node(world.jwt().certificate_bound().dpop(Dpop::new()));
    let token = world.bound();
    for _ in 0..3 {
        let proof = world.proof(&token);
        let told = send(&node, request("DPoP", &token, &[&proof])).await;
        assert_eq!(told.is(), (200, ""));
        let told = send(&node, request("DPoP", &token, &[&proof])).await;
        assert_eq!(told.is(), (401, "seen before"));
        let told = send(&node, request("DPoP", &token, &[])).await;
        assert_eq!(told.is(), (401, "no proof"));
        let told = send(&node, request("Bearer", &token, &[&world.proof(&token)])).await;
        assert_eq!(told.is(), (401, "cnf"));
    }
    let token = world.token(Some(json!({"x5t#S256": digest})));
    for _ in 0..3 {
        let mut request_with = request("Bearer", &token, &[]);
        let certificate = ClientCertificate::from_der(b"DER");
        request_with.extensions_mut().insert(certificate);
        assert_eq!(send(&node, request_with).await.is(), (200, ""));
        let told = send(&node, request("Bearer", &token, &[])).await;
        assert_eq!(told.is(), (401, "no certificate"));
    }
    let unbound = world.token(None);
    for _ in 0..3 {
        let told = send(&node, request("Bearer", &unbound, &[])).await;
        assert_eq!(told.is(), (200, ""));
        let told = send(&node, request("DPoP", &unbound, &[&world.proof(&unbound)])).await;
        assert_eq!(told.is(), (401, "not bound"));
    }
}

#[test]
fn mistakes_are_found_when_the_layer_is_built() {
    let problems = |dpop: Dpop| {
        let jwt = Jwt::new().issuer(ISSUER).audience("api");
        let jwt = jwt.key(JwtKey::hs256("kx7Yp2mQ9vRt4sWz8uEa1bNc6dHf3gJ5"));
        match AuthLayer::builder().accept(jwt.dpop(dpop)).build() {
            Ok(_) => Vec::new(),
            Err(error) => error.problems().to_vec(),
        }
    };
    assert_eq!(problems(Dpop::new().required()), []);
    let seconds = Duration::from_secs;
    for (name, dpop) in [
        ("no algorithm", Dpop::new().algorithms([])),
        (
            "a secret's",
            Dpop::new().algorithms([JwtAlgorithm::Es256, JwtAlgorithm::Hs256]),
        ),
        ("no age", Dpop::new().max_age(Duration::ZERO)),
        ("too long an age", Dpop::new().max_age(seconds(601))),
        ("too much leeway", Dpop::new().leeway(seconds(601))),
        ("no memory", Dpop::new().remembered(7)),
        ("no life", Dpop::new().nonce_lifetime(Duration::ZERO)),
    ] {
        let found = problems(dpop);
        assert!(
            matches!(found.as_slice(), [ConfigProblem::Dpop(_)]),
            "{name}: {found:?}"
        );
    }
    let short = problems(Dpop::new().nonce("short"));
    assert!(matches!(
        short.as_slice(),
        [ConfigProblem::ShortSecret { .. }]
    ));
}
