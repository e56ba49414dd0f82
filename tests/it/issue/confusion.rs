//! No token passes for another: of another use, issuer, audience or key, without what it needs, or
//! tampered with.

use crate::endpoints::world::*;
use crate::support::{PUBLIC_KEYS, SECRET};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;
use tower_auth::endpoint::Jwks;
use tower_auth::jwt::{JwtAlgorithm, JwtKey, SigningKey};
use tower_auth::store::{Memory, Stores};
use tower_auth::test_util::{ManualClock, TokenMint};
use tower_auth::{AuthLayer, Grant, Realm, Subject, TokenIssuer, TokenPair, Tokens};

const OTHER_SECRET: &str = "u4Zq7Kw2xRm9jihgfedcba9876543210";

/// Where a token may be presented.
async fn accepted(world: &World, token: &str) -> [bool; 3] {
    let verified = world.post("/verify/", "", json!({ "token": token })).await;
    assert!([200, 401].contains(&verified.status.as_u16()));
    [
        world.opens(token).await,
        world.refreshes(token).await,
        verified.status == 200,
    ]
}

#[tokio::test]
async fn access_refresh_and_private_tokens_pass_for_themselves_alone() {
    let world = World::new().await;
    let (pair, private) = (world.sign_in("7").await, world.private_token("7").await);
    assert_eq!(accepted(&world, access(&pair)).await, [true, false, true]);
    assert_eq!(
        accepted(&world, private.token.expose()).await,
        [true, false, true]
    );
    let fresh = world.sign_in("7").await;
    assert!(!world.opens(refresh(&fresh)).await);
    let verified = world
        .post("/verify/", "", json!({ "token": refresh(&fresh) }))
        .await;
    assert_eq!(verified.status, 200);
    assert!(world.refreshes(refresh(&fresh)).await);
    let rotated = world
        .post("/verify/", "", json!({ "token": refresh(&fresh) }))
        .await;
    assert_eq!(rotated.status, 401, "it has a successor");
    // Nor does it help to change what it says of itself.
    for token in [access(&pair), refresh(&pair), private.token.expose()] {
        for is in ["access", "refresh", "private"] {
            let mut said = claims(token);
            if said["token_type"] == is {
                continue;
            }
            said["token_type"] = is.into();
            let [head, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
            let forged = format!(
                "{head}.{}.{signature}",
                URL_SAFE_NO_PAD.encode(said.to_string())
            );
            assert_eq!(accepted(&world, &forged).await, [false; 3], "{is}");
        }
    }
}

/// The same claims but for some, rightly signed.
fn with(claims: &Value, changes: &[(&str, Option<Value>)]) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes {
        match value {
            Some(value) => claims[name] = value.clone(),
            None => drop(claims.as_object_mut().unwrap().remove(*name)),
        }
    }
    claims
}

#[tokio::test]
async fn a_token_without_what_ours_have_is_none_of_ours_though_its_signature_is_right() {
    let world = World::of(Plan {
        tokens: |tokens| tokens.audience("reports"),
        ..Plan::default()
    })
    .await;
    let mint = TokenMint::hs256(SECRET);
    let (pair, private) = (world.sign_in("7").await, world.private_token("7").await);
    let (of_access, of_refresh) = (claims(access(&pair)), claims(refresh(&pair)));
    let of_private = claims(private.token.expose());
    assert_eq!(
        accepted(&world, &mint.sign(&of_access)).await,
        [true, false, true],
        "the mint is right"
    );
    assert_eq!(
        accepted(&world, &mint.sign(&of_private)).await,
        [true, false, true]
    );
    let text = |text: &str| Some(Value::from(text));
    let changes: Vec<Vec<(&str, Option<Value>)>> = vec![
        vec![("token_type", None)],
        vec![("token_type", text(""))],
        vec![("token_type", text("Access"))],
        vec![("token_type", text("Bearer"))],
        vec![("token_type", Some(json!(["access"])))],
        vec![("token_type", Some(json!(null)))],
        vec![("sid", Some(json!(7)))],
        vec![("jti", None)],
        vec![("jti", text(""))],
        vec![("jti", Some(json!(7)))],
        vec![("sub", None)],
        vec![("sub", text(""))],
        vec![("sub", Some(json!(7)))],
        vec![("iss", None)],
        vec![("iss", text("https://login.example.com"))],
        vec![("iss", text("https://api.example.com/"))],
        vec![("iss", Some(json!([ISSUER])))],
        vec![("aud", None)],
        vec![("aud", text("other"))],
        vec![("aud", Some(json!([])))],
        vec![("exp", None)],
        vec![("exp", Some(json!(NOW)))],
        vec![("exp", text("2000000000"))],
        vec![("exp", text("4000000000"))],
        vec![("nbf", Some(json!(NOW + 1)))],
    ];
    for change in changes {
        for base in [&of_access, &of_refresh, &of_private] {
            let token = mint.sign(&with(base, &change));
            assert_eq!(
                accepted(&world, &token).await,
                [false; 3],
                "{change:?} of {}",
                base["token_type"]
            );
        }
    }
    // A family is what every token but a private one has.
    for base in [&of_access, &of_refresh] {
        for sid in [None, text("")] {
            assert_eq!(
                accepted(&world, &mint.sign(&with(base, &[("sid", sid)]))).await,
                [false; 3]
            );
        }
    }
    let token = mint.sign(&with(
        &of_private,
        &[("sid", Some(of_access["sid"].clone()))],
    ));
    assert_eq!(accepted(&world, &token).await, [false; 3]);
    let unknown = with(&of_refresh, &[("sid", text("nobody's"))]);
    assert_eq!(accepted(&world, &mint.sign(&unknown)).await, [false; 3]);
    assert!(
        world.refreshes(refresh(&pair)).await,
        "none of these has cost the real one anything"
    );
}

#[tokio::test]
async fn a_token_that_is_not_signed_by_our_key_under_its_algorithm_is_none_of_ours() {
    let world = World::new().await;
    let pair = world.sign_in("7").await;
    let other = TokenMint::hs256(OTHER_SECRET);
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for token in [access(&pair), refresh(&pair)] {
        let said = claims(token);
        let [head, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let mut forged = vec![
            other.sign(&said),
            TokenMint::hs384(format!("{SECRET}{SECRET}")).sign(&said),
            TokenMint::hs256(SECRET)
                .id("other")
                .sign(&said)
                .replacen("eyJ", "eyJ ", 1),
            tampered(token),
            format!("{head}.{payload}."),
            format!("{head}.{payload}"),
            format!("{token}."),
            format!("{token}A"),
            format!("{token}="),
            format!("{head}.{payload}.{}", "A".repeat(signature.len())),
            format!("{head}.{}.{signature}", encode("{}")),
        ];
        for alg in [
            "none", "None", "NONE", "nOnE", "", "HS384", "RS256", "hs256",
        ] {
            let head = encode(&json!({ "alg": alg, "typ": "JWT" }).to_string());
            forged.push(format!("{head}.{payload}."));
            forged.push(format!("{head}.{payload}.{signature}"));
        }
        for forged in forged {
            assert_eq!(accepted(&world, &forged).await, [false; 3], "{forged}");
        }
    }
    assert!(world.refreshes(refresh(&pair)).await);
}

/// A service with an issuer of its own, and a pair of its tokens.
struct Service {
    auth: AuthLayer,
    tokens: TokenIssuer,
    pair: TokenPair,
}

async fn service(tokens: Tokens) -> Service {
    let realm = Realm::new(Memory::new()).clock(ManualClock::new(NOW));
    let tokens = realm.tokens(tokens);
    let grant = Grant::new(Subject::user("7"));
    Service {
        auth: AuthLayer::builder().accept(&tokens).build().unwrap(),
        pair: tokens.issue(grant).await.unwrap(),
        tokens,
    }
}

/// A service of the usual issuer with a ring of keys.
async fn ring(tokens: Tokens) -> Service {
    service(tokens.issuer(ISSUER)).await
}

async fn status(auth: &AuthLayer, token: &str) -> u16 {
    crate::support::send(auth, crate::support::bearer(token))
        .await
        .status
        .as_u16()
}

fn ed25519(id: &str) -> SigningKey {
    let der = STANDARD.decode(crate::tokens::keys::ED_PRIVATE).unwrap();
    SigningKey::pkcs8_der(JwtAlgorithm::EdDsa, &der).id(id)
}

fn p256(id: &str) -> SigningKey {
    let der = STANDARD.decode(crate::tokens::keys::P256_PRIVATE).unwrap();
    SigningKey::pkcs8_der(JwtAlgorithm::Es256, &der).id(id)
}

#[tokio::test]
async fn tokens_outlive_a_change_of_the_key_as_long_as_the_ring_holds_it() {
    if !PUBLIC_KEYS {
        return;
    }
    let before = ring(Tokens::new(p256("2026"))).await;
    let prepared = ring(Tokens::new(p256("2026")).next_key(ed25519("2027"))).await;
    let retired = JwtKey::ec(
        JwtAlgorithm::Es256,
        crate::tokens::keys::P256_X,
        crate::tokens::keys::P256_Y,
    );
    let after = ring(Tokens::new(ed25519("2027")).retired_key(retired.id("2026"))).await;
    let done = ring(Tokens::new(ed25519("2027"))).await;
    let kid = |service: &Service| {
        let head = access(&service.pair).split('.').next().unwrap();
        let head = URL_SAFE_NO_PAD.decode(head).unwrap();
        serde_json::from_slice::<Value>(&head).unwrap()["kid"].clone()
    };
    assert_eq!(
        (kid(&before), kid(&prepared), kid(&after)),
        ("2026".into(), "2026".into(), "2027".into())
    );
    let (old, new) = (access(&before.pair), access(&after.pair));
    for (service, token, expected) in [
        (&before, old, 200),
        (&before, new, 401),
        (&prepared, old, 200),
        (&prepared, new, 200),
        (&after, old, 200),
        (&after, new, 200),
        (&done, old, 401),
        (&done, new, 200),
    ] {
        assert_eq!(status(&service.auth, token).await, expected);
    }
    let ids = async |service: &Service| -> Vec<Value> {
        let set = service.tokens.jwks().await.unwrap();
        let set: Value = serde_json::from_slice(&set).unwrap();
        let keys = set["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].clone()).collect()
    };
    assert_eq!(
        (ids(&before).await, ids(&prepared).await),
        (vec![json!("2026")], vec![json!("2026"), json!("2027")])
    );
    assert_eq!(
        (ids(&after).await, ids(&done).await),
        (vec![json!("2027"), json!("2026")], vec![json!("2027")])
    );
}

#[tokio::test]
async fn the_key_set_shows_what_verifies_and_nothing_that_signs() {
    if !PUBLIC_KEYS {
        return;
    }
    let ours = ring(Tokens::new(ed25519("2027")).next_key(p256("2028"))).await;
    let endpoints = ours
        .auth
        .endpoints()
        .mount("/.well-known/jwks.json", Jwks::of(&ours.tokens))
        .build()
        .unwrap();
    let request = asking("GET", "/.well-known/jwks.json", "", None);
    let answer = crate::support::reply(
        tower::ServiceExt::oneshot(endpoints, request)
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    for key in answer.json()["keys"].as_array().unwrap() {
        let names: Vec<_> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            names
                .iter()
                .all(|name| ["alg", "crv", "kid", "kty", "use", "x", "y"].contains(name)),
            "{names:?}"
        );
    }
    // Others verify with it.
    let x = answer.json()["keys"][0]["x"].as_str().unwrap().to_owned();
    let jwt = tower_auth::Jwt::new()
        .issuer(ISSUER)
        .audience("reports")
        .key(JwtKey::ed25519(&x).id("2027"));
    let realm = Realm::new(Stores::new()).clock(ManualClock::new(NOW));
    let theirs = AuthLayer::builder().realm(&realm).accept(jwt);
    let theirs = theirs.build().unwrap();
    assert_eq!(
        status(&theirs, access(&ours.pair)).await,
        401,
        "it is not for them"
    );
    let for_them = ring(Tokens::new(ed25519("2027")).audience("reports")).await;
    assert_eq!(status(&theirs, access(&for_them.pair)).await, 200);
    assert_eq!(status(&theirs, refresh(&for_them.pair)).await, 401);

    let world = World::new().await;
    let secret = world.get("/jwks/", "").await;
    assert_eq!(secret.json(), json!({ "keys": [] }));
}

#[tokio::test]
async fn the_tokens_of_two_services_with_one_secret_stay_apart() {
    let of = async |issuer: &str, audience: &str| {
        let tokens = Tokens::hs256(SECRET).issuer(issuer).audience(audience);
        service(tokens).await
    };
    let services = [
        of("https://a.example.com", "reports").await,
        of("https://b.example.com", "reports").await,
        of("https://a.example.com", "invoices").await,
    ];
    for (at, service) in services.iter().enumerate() {
        for (of, Service { pair, .. }) in services.iter().enumerate() {
            assert_eq!(
                status(&service.auth, access(pair)).await == 200,
                at == of,
                "{of} at {at}"
            );
            let refreshed = service.tokens.refresh(refresh(pair)).await;
            assert_eq!(refreshed.is_ok(), at == of, "{of} at {at}");
        }
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_to_the_second() {
    let world = World::of(Plan {
        tokens: |tokens| {
            tokens
                .access_lifetime(Duration::from_secs(60))
                .refresh_lifetime(Duration::from_secs(120))
        },
        ..Plan::default()
    })
    .await;
    let pair = world.sign_in("7").await;
    world.clock.set(NOW + 59);
    assert!(world.opens(access(&pair)).await);
    world.clock.set(NOW + 60);
    assert!(!world.opens(access(&pair)).await);
    world.clock.set(NOW + 120);
    assert!(!world.refreshes(refresh(&pair)).await);
    world.clock.set(NOW + 119);
    assert!(world.refreshes(refresh(&pair)).await);
}
