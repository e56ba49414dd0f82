//! What would become of a request is told step by step: as it would be, without a secret, and
//! without anything being counted or written.

use crate::endpoints::world::*;
use crate::support::{bearer, get, mistyped, send};
use crate::watch::Pieces;
use http::Request;
use tower_auth::layer::{AuthLayerBuilder, Explanation};
use tower_auth::store::{ManagedUserStore, UserChange};
use tower_auth::throttle::Throttle;
use tower_auth::{Requirement, Scope, Scopes, Subject};

async fn explain<B>(world: &World, request: Request<B>) -> Explanation {
    let (head, _) = request.into_parts();
    world.auth.explain(&head).await
}

async fn throttled(layer: fn(AuthLayerBuilder) -> AuthLayerBuilder) -> World {
    World::of(Plan {
        layer,
        ..Plan::default()
    })
    .await
}

/// A request, and what the text says of it.
struct Row {
    name: &'static str,
    fields: Vec<(&'static str, String)>,
    status: u16,
    says: &'static [&'static str],
}

#[tokio::test]
async fn each_step_is_told_as_it_would_be() {
    let world = throttled(|layer| layer.throttle(Throttle::per_principal("100/min"))).await;
    let key = world.key("7").await.key.expose().clone();
    let pair = world.sign_in("7").await;
    let token = access(&pair).to_owned();
    let private = world.private_token("7").await.token.expose().clone();
    let rows = [
        Row {
            name: "nothing",
            fields: vec![],
            status: 401,
            says: &["credential  none: refused, not_authenticated"],
        },
        Row {
            name: "a key",
            fields: vec![("x-api-key", key.clone())],
            status: 200,
            says: &[
                "credential  an API key of",
                "begins with \"egret_\"",
                "scheme      Api-Key: verified, key \"",
                "named \"ci\", expires never",
                "account     open, with all rights",
                "caller      \"7\", scopes \"reports:read reports:write\"",
                "throttle    principal: 100/min, 100 left",
            ],
        },
        Row {
            name: "a mistyped key",
            fields: vec![("x-api-key", mistyped(&key))],
            status: 401,
            says: &["scheme      Api-Key: refused, api_key_invalid (checksum)"],
        },
        Row {
            name: "a token",
            fields: vec![("authorization", bearing(&token))],
            status: 200,
            says: &[
                "which says: alg \"HS256\"",
                "iss \"https://api.example.com\"",
                "(to come)",
                "scheme      Bearer: verified, ",
            ],
        },
        Row {
            name: "a private token",
            fields: vec![("authorization", bearing(&private))],
            status: 200,
            says: &["caller      \"7\""],
        },
        Row {
            name: "a forged token",
            fields: vec![("authorization", bearing(&tampered(&token)))],
            status: 401,
            says: &["Bearer: refused, token_invalid (signature)"],
        },
        Row {
            name: "two credentials",
            fields: vec![
                ("authorization", bearing(&token)),
                ("x-api-key", key.clone()),
            ],
            status: 400,
            says: &["credential  refused, invalid_request"],
        },
        Row {
            name: "a password",
            fields: vec![("authorization", basic(ANNA, PASSWORD))],
            status: 200,
            says: &["the password of \"anna@example.com\"", "by Basic"],
        },
        Row {
            name: "a wrong password",
            fields: vec![("authorization", basic(ANNA, "tests only: wrong"))],
            status: 401,
            says: &["Basic: refused, invalid_credentials"],
        },
    ];
    let secrets = [
        key,
        token,
        private,
        PASSWORD.to_owned(),
        "tests only: wrong".to_owned(),
    ];
    let pieces = Pieces::of(&secrets);
    for row in rows {
        let fields: Vec<(&str, &str)> = row.fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let told = explain(&world, get(&fields)).await;
        let text = told.to_string();
        for part in row.says {
            assert!(text.contains(part), "{}: {part:?} in\n{text}", row.name);
        }
        let status = told
            .rejection()
            .map_or(200, |rejection| rejection.status().as_u16());
        assert_eq!(status, row.status, "{}:\n{text}", row.name);
        let really = send(&world.auth, get(&fields)).await.status.as_u16();
        assert_eq!(really, status, "{}", row.name);
        pieces.assert_none_in(row.name, text);
    }
}

#[tokio::test]
async fn rights_that_were_taken_away_and_limits_that_are_over_are_told() {
    let world = throttled(|layer| layer.throttle(Throttle::per_principal("3/min"))).await;
    let key = world.key("7").await.key.expose().clone();
    let mut change = UserChange::default();
    change.scopes = Some([Scope::new("reports:read")].into_iter().collect::<Scopes>());
    let anna = Subject::user("7");
    world.memory.change_user(&anna, change).await.unwrap();
    for _ in 0..3 {
        send(&world.auth, get(&[("x-api-key", &key)])).await;
    }
    let told = explain(&world, get(&[("x-api-key", &key)])).await;
    let text = told.to_string();
    assert!(
        text.contains("account     open, but its user has lost rights"),
        "{text}"
    );
    assert!(
        text.contains("caller      \"7\", scopes \"reports:read\""),
        "{text}"
    );
    assert!(text.contains("3/min, 0 left"), "{text}");
    assert_eq!(told.rejection().unwrap().status(), 429, "{text}");

    world.pass(60);
    let told = explain(&world, get(&[("x-api-key", &key)])).await;
    assert!(told.rejection().is_none(), "{told}");
    let write = Requirement::scope("reports:write");
    let refused = told.require(&write).unwrap_err();
    assert_eq!(refused.missing_scopes(), [Scope::new("reports:write")]);
    assert!(told.require(&Requirement::scope("reports:read")).is_ok());
}

#[tokio::test]
async fn nothing_is_counted_written_or_told() {
    let world = throttled(|layer| layer.throttle(Throttle::per_principal("3/min"))).await;
    let key = world.key("7").await.key.expose().clone();
    let private = world.private_token("7").await.token.expose().clone();
    let before = world.dump(&[]).await;
    world.events.take();
    world.script.take();
    for _ in 0..50 {
        let _ = explain(&world, get(&[("x-api-key", &key)])).await;
        let _ = explain(&world, bearer(&private)).await;
        let _ = explain(
            &world,
            get(&[("authorization", &basic(ANNA, "tests only: wrong"))]),
        )
        .await;
        let _ = explain(&world, get(&[])).await;
    }
    // Whatever would be written on the side has its turn.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.dump(&[]).await, before);
    assert_eq!(world.events.take(), []);
    let mut calls = world.script.take();
    calls.retain(|call| {
        ["note", "insert", "replace"]
            .iter()
            .any(|w| call.starts_with(w))
    });
    assert!(calls.is_empty(), "{calls:?}");
    // Neither the rule nor the guard of passwords has counted.
    let right = get(&[("authorization", &basic(ANNA, PASSWORD))]);
    assert_eq!(send(&world.auth, right).await.status, 200);
    for _ in 0..2 {
        assert_eq!(
            send(&world.auth, get(&[("x-api-key", &key)])).await.status,
            200
        );
    }
    assert_eq!(
        send(&world.auth, get(&[("x-api-key", &key)])).await.status,
        429
    );
}
