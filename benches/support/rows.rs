//! What is measured.

use super::fixtures::{self, AUDIENCE, ISSUER, SECRET, forged, hs256, public_key};
use super::floor::{self, Floor, Hello};
use super::harness::{Body, Row, row};
use axum::Router;
use axum::routing::get;
use std::rc::Rc;
use std::time::UNIX_EPOCH;
use tower::ServiceExt;
use tower_auth::store::{KeyStore, Memory, UserRecord, UserStore};
use tower_auth::throttle::{QuotaFields, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, Basic, Jwt, JwtAlgorithm, JwtKey, Scope, Subject, hash_password,
};
use tower_layer::Layer;

const KEYS: usize = 1000;

fn jwt(key: JwtKey) -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE).key(key)
}

fn shared_secret() -> Jwt {
    jwt(JwtKey::hs256(SECRET).id("k1"))
}

pub(crate) fn rows() -> Vec<Row> {
    let runtime = Rc::new(
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap(),
    );
    let rt = &runtime;
    let store = Memory::new();
    let keys = ApiKeys::new(store.clone()).prefix("tak");
    let raw: Vec<String> = (0..KEYS)
        .map(|_| {
            let new = keys.mint(Subject::user("7"), "bench", UNIX_EPOCH).unwrap();
            rt.block_on(store.insert_key(new.record.scope("orders:read"), UNIX_EPOCH))
                .unwrap();
            new.key.expose().clone()
        })
        .collect();
    let user = UserRecord::new(Subject::user("9"), "anna")
        .password_hash(hash_password("correct horse").unwrap());
    rt.block_on(store.insert_user(user, UNIX_EPOCH)).unwrap();
    let basic = Basic::new(store.clone());
    let all = AuthLayer::builder()
        .jwt(shared_secret())
        .api_keys(keys.clone())
        .basic(basic)
        .build()
        .unwrap();

    let in_authorization = |credential: &str| Some(("authorization", credential.to_owned()));
    let add = |name: &str, credential: Option<(&'static str, String)>, layer: &AuthLayer| {
        row(
            rt,
            name,
            credential
                .as_ref()
                .map(|(field, value)| (*field, value.as_str())),
            layer.layer(Hello),
        )
    };
    let token = in_authorization(&format!("Bearer {}", hs256()));
    let forged_token = in_authorization(&format!("Bearer {}", forged(&hs256())));
    let key = in_authorization(&format!("Bearer {}", raw[KEYS / 2]));
    let key_field = Some(("x-api-key", raw[KEYS / 2].clone()));
    fn floor<F>(
        rt: &Rc<tokio::runtime::Runtime>,
        name: &str,
        credential: &Option<(&'static str, String)>,
        check: F,
    ) -> Row
    where
        F: FnMut(&mut http::Request<Body>) -> Option<()> + 'static,
    {
        row(
            rt,
            name,
            credential
                .as_ref()
                .map(|(field, value)| (*field, value.as_str())),
            Floor(check),
        )
    }

    let mut rows = vec![
        row(rt, "bare", None, Hello),
        floor(rt, "FLOOR API key", &key, floor::api_key(raw.clone())),
        add("API key", key.clone(), &all).budget(3_200),
        add("API key in X-API-Key", key_field, &all).budget(3_200),
        floor(rt, "FLOOR HS256", &token, floor::hs256()),
        add("HS256", token.clone(), &all).budget(12_500),
    ];
    let throttled = |throttle: &str, fields: QuotaFields| {
        let builder = AuthLayer::builder()
            .jwt(shared_secret())
            .api_keys(keys.clone());
        builder
            .throttle(Throttle::per_principal(throttle))
            .quota_fields(fields)
            .build()
            .unwrap()
    };
    let (sliding, hidden) = ("100000000/day", QuotaFields::Hidden);
    rows.push(
        add(
            "API key, throttled",
            key.clone(),
            &throttled(sliding, hidden),
        )
        .budget(3_900),
    );
    rows.push(add(
        "API key, paced",
        key.clone(),
        &throttled("1000000/s burst 100000", hidden),
    ));
    rows.push(add(
        "API key, throttled by calendar",
        key.clone(),
        &throttled("100000000/day calendar", hidden),
    ));
    rows.push(row(rt, "FLOOR limits told", None, floor::Tells::new()));
    let told = throttled(sliding, QuotaFields::Standard);
    rows.push(add("API key, throttled and told", key.clone(), &told).budget(5_000));
    let two = AuthLayer::builder()
        .api_keys(keys.clone())
        .throttle(Throttle::per_principal(sliding));
    let two = two
        .throttle(Throttle::per_key("1000000/s"))
        .quota_fields(hidden)
        .build()
        .unwrap();
    rows.push(add("API key, throttled twice", key.clone(), &two));
    let two_issuers = AuthLayer::builder()
        .jwt(shared_secret().issuer("https://other.example.com"))
        .jwt(shared_secret());
    rows.push(add(
        "HS256 of one of two issuers",
        token.clone(),
        &two_issuers.build().unwrap(),
    ));
    for (algorithm, name) in [
        (JwtAlgorithm::Rs256, "RS256"),
        (JwtAlgorithm::Es256, "ES256"),
        (JwtAlgorithm::EdDsa, "EdDSA"),
    ] {
        let fixtures::PublicKey { token, key, parsed } = public_key(algorithm);
        let token = in_authorization(&format!("Bearer {token}"));
        rows.push(floor(
            rt,
            &format!("FLOOR {name}"),
            &token,
            floor::public_key(name, parsed),
        ));
        rows.push(add(
            name,
            token,
            &AuthLayer::builder().jwt(jwt(key)).build().unwrap(),
        ));
    }
    rows.push(floor(rt, "FLOOR nothing refused", &None, floor::hs256()));
    rows.push(row(
        rt,
        "FLOOR nothing refused, three challenges and a body",
        None,
        floor::Refuses::new(),
    ));
    rows.push(add("nothing refused", None, &all).budget(1_400));
    rows.push(add(
        "garbage refused",
        in_authorization("Bearer garbage"),
        &all,
    ));
    rows.push(floor(
        rt,
        "FLOOR forged HS256 refused",
        &forged_token,
        floor::hs256(),
    ));
    rows.push(forged_after_a_genuine_one(rt, forged_token.clone(), &token, &all).budget(4_500));
    let nothing_seen = AuthLayer::builder().jwt(shared_secret()).build().unwrap();
    rows.push(add(
        "forged HS256 refused, no genuine one seen",
        forged_token,
        &nothing_seen,
    ));
    rows.push(add("optional, nothing presented", None, &all.optional()));
    rows.push(add(
        "Basic, remembered",
        in_authorization("Basic YW5uYTpjb3JyZWN0IGhvcnNl"),
        &all,
    ));
    let required = all.layer(all.require(Scope::new("orders:read")).layer(Hello));
    rows.push(row(
        rt,
        "API key, a scope required",
        key.as_ref().map(|(field, value)| (*field, value.as_str())),
        required,
    ));
    let router = || Router::new().route("/v1/orders", get(async || "hello"));
    rows.push(row(
        rt,
        "axum, bare router",
        None,
        router().map_request(axum_body),
    ));
    let layered = router().layer(all.clone()).map_request(axum_body);
    rows.push(row(
        rt,
        "axum, API key",
        key.as_ref().map(|(field, value)| (*field, value.as_str())),
        layered,
    ));
    rows
}

fn axum_body(request: http::Request<Body>) -> http::Request<axum::body::Body> {
    request.map(axum::body::Body::new)
}

/// As on a server that serves: the layer has seen what a genuine header looks like.
fn forged_after_a_genuine_one(
    rt: &Rc<tokio::runtime::Runtime>,
    forged: Option<(&'static str, String)>,
    genuine: &Option<(&'static str, String)>,
    layer: &AuthLayer,
) -> Row {
    let service = layer.layer(Hello);
    let headers = fixtures::headers(
        genuine
            .as_ref()
            .map(|(field, value)| (*field, value.as_str())),
    );
    let response = rt
        .block_on(service.clone().oneshot(fixtures::request(&headers)))
        .unwrap();
    assert_eq!(response.status(), 200);
    row(
        rt,
        "forged HS256 refused",
        forged
            .as_ref()
            .map(|(field, value)| (*field, value.as_str())),
        service,
    )
}
