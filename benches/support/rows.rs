//! What is measured.

use super::fixtures::{self, bearer, claims, claims_of_number, forged, hs256, public_key};
use super::floor::{self, Floor, Hello};
use super::harness::{Body, Field, Row, row, row_of_new};
use super::world::{KEYS, LITTLE, SLIDING, USERS, World, jwt, shared_secret, tokens};
use axum::Router;
use axum::routing::get;
use std::rc::Rc;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use tower_auth::jwt::JwtAlgorithm;
use tower_auth::throttle::{QuotaFields, Throttle};
use tower_auth::{AuthLayer, Scope};
use tower_layer::Layer;

pub(crate) fn rows() -> Vec<Row> {
    let world = World::new();
    let rt = &world.runtime;
    let keys = &world.keys;
    let all = world.all();
    let little = world.all_with_little_memory();
    let token = bearer(&hs256());
    let forged_token = bearer(&forged(&hs256()));
    let key = bearer(&world.raw[KEYS / 2]);
    let key_field = ("x-api-key", world.raw[KEYS / 2].clone());
    let garbage = bearer("garbage");
    let basic = (
        "authorization",
        String::from("Basic YW5uYTpjb3JyZWN0IGhvcnNl"),
    );
    let add = |name: &str, credential: Option<&Field>, layer: &AuthLayer| {
        row(rt, name, credential, layer.layer(Hello))
    };

    let mut rows = vec![
        row(rt, "bare", None, Hello),
        floor_row(
            rt,
            "FLOOR API key",
            Some(&key),
            floor::api_key(world.raw.clone()),
        ),
        add("API key", Some(&key), &all).budget(3_000),
        add("API key in X-API-Key", Some(&key_field), &all).budget(3_000),
        floor_row(rt, "FLOOR HS256", Some(&token), floor::hs256()),
        row_of_new(rt, "HS256", new_hs256(), little.layer(Hello)).budget(12_000),
        add("HS256, seen before", Some(&token), &all).budget(4_000),
        add(
            "HS256, nothing remembered",
            Some(&token),
            &world.all_without_memory(),
        ),
        floor_row(
            rt,
            "FLOOR seen before",
            Some(&token),
            floor::api_key(vec![hs256()]),
        ),
    ];
    let issuer = world.issuer(tokens());
    let issued = bearer(&issuer.issue(0));
    let name = "issued access token, seen before";
    rows.push(add(name, Some(&issued), &issuer.layer).budget(4_000));
    let issuer = world.issuer(tokens().cache_bytes(LITTLE));
    let layer = issuer.layer.layer(Hello);
    let mut number = 0;
    let new = move || {
        number += 1;
        bearer(&issuer.issue(number % USERS))
    };
    rows.push(row_of_new(rt, "issued access token", new, layer).budget(14_500));

    for (what, watched, more) in [
        ("counted", World::counted(), 60),
        ("counted, kept and told", World::observed(), 200),
    ] {
        let all = watched.all();
        let key = bearer(&watched.raw[KEYS / 2]);
        let mut add = |name: &str, credential: Option<&Field>, budget: u32| {
            let name = format!("{name}, {what}");
            let service = all.layer(Hello);
            rows.push(row(&watched.runtime, &name, credential, service).budget(budget + more));
        };
        add("API key", Some(&key), 3_000);
        add("HS256, seen before", Some(&token), 4_000);
        add("nothing refused", None, 1_500);
        add("garbage refused", Some(&garbage), 2_000);
    }

    let hidden = QuotaFields::Hidden;
    let throttled = world.throttled(SLIDING, hidden);
    rows.push(add("API key, throttled", Some(&key), &throttled).budget(3_600));
    let paced = world.throttled("1000000/s burst 100000", hidden);
    rows.push(add("API key, paced", Some(&key), &paced));
    let calendar = world.throttled("100000000/day calendar", hidden);
    rows.push(add("API key, throttled by calendar", Some(&key), &calendar));
    rows.push(row(rt, "FLOOR limits told", None, floor::Tells::new()));
    let told = world.throttled(SLIDING, QuotaFields::Standard);
    rows.push(add("API key, throttled and told", Some(&key), &told).budget(5_200));
    let two = AuthLayer::builder()
        .accept(keys)
        .throttle(Throttle::per_principal(SLIDING))
        .throttle(Throttle::per_key("1000000/s"))
        .quota_fields(hidden)
        .build()
        .unwrap();
    rows.push(add("API key, throttled twice", Some(&key), &two));
    rows.push(floor_row(
        rt,
        "FLOOR throttle",
        Some(&key_field),
        floor::throttle(),
    ));
    let alone = world.throttle_alone(hidden);
    rows.push(add("throttle alone", Some(&key_field), &alone).budget(1_900));
    let alone = world.throttle_alone(QuotaFields::Standard);
    rows.push(add("throttle alone, told", Some(&key_field), &alone).budget(3_600));
    let anybody = world.throttle_of_anybody();
    rows.push(add("optional, a throttle", Some(&key_field), &anybody));

    let two_issuers = AuthLayer::builder()
        .accept(shared_secret().issuer("https://other.example.com"))
        .accept(shared_secret().cache_bytes(LITTLE))
        .build()
        .unwrap();
    let of_two = two_issuers.layer(Hello);
    rows.push(row_of_new(
        rt,
        "HS256 of one of two issuers",
        new_hs256(),
        of_two.clone(),
    ));
    let name = "HS256 of one of two issuers, seen before";
    rows.push(row(rt, name, Some(&token), of_two).budget(4_000));
    for (algorithm, name, floor) in [
        (JwtAlgorithm::Rs256, "RS256", "FLOOR RS256"),
        (JwtAlgorithm::Es256, "ES256", "FLOOR ES256"),
        (JwtAlgorithm::EdDsa, "EdDSA", "FLOOR EdDSA"),
    ] {
        let public_key = public_key(algorithm);
        let token = bearer(&public_key.sign(&claims()));
        rows.push(floor_row(
            rt,
            floor,
            Some(&token),
            floor::public_key(name, public_key.parsed.clone()),
        ));
        let jwt = jwt(public_key.key.clone()).cache_bytes(LITTLE);
        let layer = AuthLayer::builder().accept(jwt);
        let layer = layer.build().unwrap().layer(Hello);
        let seen_before = format!("{name}, seen before");
        rows.push(row(rt, &seen_before, Some(&token), layer.clone()).budget(4_000));
        let mut number = 0;
        let new = move || {
            number += 1;
            bearer(&public_key.sign(&claims_of_number(number)))
        };
        rows.push(row_of_new(rt, name, new, layer).budget_of(1.05, floor));
    }

    rows.push(floor_row(rt, "FLOOR nothing refused", None, floor::hs256()));
    let complete = "FLOOR nothing refused, three challenges and a body";
    rows.push(row(rt, complete, None, floor::Refuses::new()));
    rows.push(add("nothing refused", None, &all).budget(1_500));
    rows.push(add("garbage refused", Some(&garbage), &all).budget(2_000));
    let name = "FLOOR forged HS256 refused";
    rows.push(floor_row(rt, name, Some(&forged_token), floor::hs256()));
    rows.push(forged_after_a_genuine_one(rt, &forged_token, &token, &all).budget(4_600));
    let nothing_seen = AuthLayer::builder()
        .accept(shared_secret())
        .build()
        .unwrap();
    let name = "forged HS256 refused, no genuine one seen";
    rows.push(add(name, Some(&forged_token), &nothing_seen));

    rows.push(add("optional, nothing presented", None, &all.optional()));
    rows.push(add("Basic, remembered", Some(&basic), &all).budget(4_000));
    let required = all.layer(all.require(Scope::new("orders:read")).layer(Hello));
    rows.push(row(rt, "API key, a scope required", Some(&key), required));
    let router = || Router::new().route("/v1/orders", get(async || "hello"));
    let bare_router = router().map_request(axum_body);
    rows.push(row(rt, "axum, bare router", None, bare_router));
    let layered = router().layer(all.clone()).map_request(axum_body);
    rows.push(row(rt, "axum, API key", Some(&key), layered));
    rows
}

/// Each is one that nobody saw before.
fn new_hs256() -> impl FnMut() -> Field {
    let mut number = 0;
    move || {
        number += 1;
        bearer(&fixtures::hs256_of_number(number))
    }
}

fn floor_row<F>(rt: &Rc<Runtime>, name: &str, credential: Option<&Field>, check: F) -> Row
where
    F: FnMut(&mut http::Request<Body>) -> Option<()> + 'static,
{
    row(rt, name, credential, Floor(check))
}

fn axum_body(request: http::Request<Body>) -> http::Request<axum::body::Body> {
    request.map(axum::body::Body::new)
}

/// As on a server that serves: the layer has seen what a genuine header looks like.
fn forged_after_a_genuine_one(
    rt: &Rc<Runtime>,
    forged: &Field,
    genuine: &Field,
    layer: &AuthLayer,
) -> Row {
    let service = layer.layer(Hello);
    let request = fixtures::request(fixtures::headers(Some(genuine)));
    let response = rt.block_on(service.clone().oneshot(request)).unwrap();
    assert_eq!(response.status(), 200);
    row(rt, "forged HS256 refused", Some(forged), service)
}
