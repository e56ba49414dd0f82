//! What other services may ask about our tokens, and end: the endpoints of RFC 7662 and RFC 7009.

use super::world::*;
use crate::support::Reply;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use tower_auth::endpoint::{EndpointsBuilder, Introspect, Revoke};
use tower_auth::event::Action;
use tower_auth::store::UserChange;
use tower_auth::test_util::{Intercept, TokenMint};
use tower_auth::{Requirement, Subject};

fn oauth(endpoints: EndpointsBuilder, services: &Services) -> EndpointsBuilder {
    let asks = Requirement::anyone();
    every(endpoints, services)
        .mount(
            "/introspect/",
            Introspect::of(&services.tokens).require(asks),
        )
        .mount("/introspect/usual/", Introspect::of(&services.tokens))
        .mount("/revoke/", Revoke::of(&services.tokens))
}

async fn world() -> World {
    World::of(Plan {
        endpoints: oauth,
        ..Plan::default()
    })
    .await
}

fn form(path: &str, credential: &str, body: &str) -> Request<Full<Bytes>> {
    let mut request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    if !credential.is_empty() {
        request = request.header("authorization", credential);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// Who asks about tokens in these tests.
async fn service(world: &World) -> String {
    bearing(world.key("8").await.key.expose())
}

async fn about(world: &World, token: &str) -> Value {
    let asks = service(world).await;
    let body = format!("token={token}&token_type_hint=access_token");
    let reply = world.send(form("/introspect/", &asks, &body)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.headers["cache-control"], "no-store");
    reply.json()
}

async fn revoke(world: &World, token: &str) -> Reply {
    world
        .send(form("/revoke/", "", &format!("token={token}")))
        .await
}

fn inactive() -> Value {
    json!({ "active": false })
}

#[tokio::test]
async fn a_token_is_active_if_a_request_with_it_would_pass_now() {
    let world = world().await;
    let pair = world.sign_in("7").await;
    let private = world.private_token("7").await;
    for token in [access(&pair), private.token.expose()] {
        let said = about(&world, token).await;
        assert_eq!(said["active"], true);
        let claims = claims(token);
        for (name, value) in claims.as_object().unwrap() {
            if name != "token_type" {
                assert_eq!(&said[name], value, "{name}");
            }
        }
        assert_eq!(said["token_type"], "Bearer");
    }
    let key = world.key("7").await;
    for (name, token) in [
        ("a refresh token", refresh(&pair)),
        ("an API key", key.key.expose()),
        ("garbage", "garbage"),
        ("a tampered one", &*tampered(access(&pair))),
    ] {
        assert_eq!(about(&world, token).await, inactive(), "{name}");
    }
}

#[tokio::test]
async fn what_has_ended_is_not_active_and_a_right_that_was_lost_is_not_named() {
    let world = world().await;
    let anna = Subject::user("7");
    let signed_out = world.sign_in("7").await;
    let revoked = world.private_token("7").await;
    let left = world.sign_in("7").await;
    let caller = bearing(access(&signed_out));
    assert_eq!(
        world
            .send(asking("POST", "/logout/", &caller, None))
            .await
            .status,
        204
    );
    assert_eq!(revoke(&world, revoked.token.expose()).await.status, 200);
    assert_eq!(about(&world, access(&signed_out)).await, inactive());
    assert_eq!(about(&world, revoked.token.expose()).await, inactive());

    let before = about(&world, access(&left)).await;
    assert_eq!(
        (&before["scope"], &before["roles"]),
        (&json!("reports:read reports:write"), &json!(["staff"]))
    );
    let mut change = UserChange::default();
    change.scopes = Some(["reports:read"].into_iter().collect());
    change.roles = Some([""; 0].into_iter().collect());
    world.users().change(&anna, change).await.unwrap();
    let after = about(&world, access(&left)).await;
    assert_eq!(
        (&after["scope"], &after["roles"]),
        (&json!("reports:read"), &json!([]))
    );

    world.users().disable(&anna).await.unwrap();
    assert_eq!(about(&world, access(&left)).await, inactive());
    world.users().enable(&anna).await.unwrap();
    let ben = world.sign_in("8").await;
    world.pass(24 * 60 * 60);
    assert_eq!(about(&world, access(&ben)).await, inactive(), "expired");
}

#[tokio::test]
async fn nobody_asks_about_tokens_who_may_not() {
    let world = world().await;
    let pair = world.sign_in("7").await;
    let body = format!("token={}", access(&pair));
    for path in ["/introspect/", "/introspect/usual/"] {
        assert_eq!(
            world.send(form(path, "", &body)).await.status,
            401,
            "{path}"
        );
        let garbage = world.send(form(path, &bearing("garbage"), &body)).await;
        assert_eq!(garbage.status, 401, "{path}");
    }
    let asks = service(&world).await;
    let usual = world.send(form("/introspect/usual/", &asks, &body)).await;
    assert_eq!(usual.status, 403, "without the scope introspect");
}

#[tokio::test]
async fn each_token_is_ended_by_whoever_has_it_and_one_that_is_none_is_answered_alike() {
    let world = world().await;
    let (one, other) = (world.sign_in("7").await, world.sign_in("7").await);
    let private = world.private_token("7").await;

    let reply = revoke(&world, access(&one)).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, ""));
    assert!(!world.opens(access(&one)).await);
    assert!(world.refreshes(refresh(&one)).await, "that token alone");

    assert_eq!(revoke(&world, refresh(&other)).await.status, 200);
    assert!(!world.refreshes(refresh(&other)).await);
    assert!(
        !world.opens(access(&other)).await,
        "its family's access tokens"
    );

    assert_eq!(revoke(&world, private.token.expose()).await.status, 200);
    assert!(!world.opens(private.token.expose()).await);

    let again = revoke(&world, private.token.expose()).await;
    let garbage = revoke(&world, "garbage").await;
    for (name, none) in [("again", again), ("garbage", garbage)] {
        assert_eq!((none.status.as_u16(), none.text()), (200, ""), "{name}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_has_expired_ends_the_family_that_lives_on_through_its_successor() {
    const MONTH: u64 = 30 * 24 * 60 * 60;
    for (name, ends) in [
        ("the token", true),
        ("a tampered one", false),
        ("one of another secret", false),
    ] {
        let world = world().await;
        let first = world.sign_in("7").await;
        world.pass(MONTH / 2);
        let second = world.tokens().refresh(refresh(&first)).await.unwrap();
        world.pass(MONTH / 2);
        let presented = match name {
            "the token" => refresh(&first).to_owned(),
            "a tampered one" => tampered(refresh(&first)),
            _ => {
                TokenMint::hs256("9Xc2Vb5Nm8Qw1Er4Ty7Ui0Op3As6Df9G").sign(&claims(refresh(&first)))
            }
        };
        world.events.take();
        assert_eq!(revoke(&world, &presented).await.status, 200, "{name}");
        let told = world.events.take().contains(&Action::SignedOut);
        assert_eq!(told, ends, "{name}");
        assert_eq!(world.refreshes(refresh(&second)).await, !ends, "{name}");
    }
}

#[tokio::test]
async fn a_private_token_that_is_ended_by_its_text_is_ended_in_its_record_too() {
    let world = World::of(Plan {
        tokens: |tokens| tokens.private_per_owner(1),
        endpoints: oauth,
        ..Plan::default()
    })
    .await;
    let caller = bearing(access(&world.sign_in("7").await));
    let expires = "2027-01-16T08:00:00Z";
    let body = json!({ "name": "ci", "expires_at": expires });
    let made = world.post("/private-tokens/", &caller, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let full = world.post("/private-tokens/", &caller, body.clone()).await;
    assert_eq!(full.status, 400, "one at most");

    world.events.take();
    let token = made["token"].as_str().unwrap();
    assert_eq!(revoke(&world, token).await.status, 200);
    assert_eq!(world.events.take(), [Action::PrivateTokenRevoked]);
    assert!(!world.opens(token).await);
    let list = world.get("/private-tokens/", &caller).await;
    assert_eq!(list.json(), json!([]));
    let id = made["id"].as_str().unwrap();
    let rotate = format!("/private-tokens/{id}/rotate/");
    let rotated = world.post(&rotate, &caller, json!({})).await;
    assert_eq!(rotated.status, 404);
    let again = world.post("/private-tokens/", &caller, body).await;
    assert_eq!(again.status, 201, "there is room again");
}

#[tokio::test]
async fn a_private_token_without_a_record_is_denied_by_its_id() {
    let world = world().await;
    let lost = World::new().await.private_token("7").await;
    let token = lost.token.expose();
    assert!(world.opens(token).await);
    world.events.take();
    assert_eq!(revoke(&world, token).await.status, 200);
    assert_eq!(world.events.take(), [Action::TokenRevoked]);
    assert!(!world.opens(token).await);
}

#[tokio::test]
async fn an_access_token_that_has_expired_needs_no_revoking() {
    let world = world().await;
    let pair = world.sign_in("7").await;
    world.pass(15 * 60);
    world.events.take();
    world.script.take();
    assert_eq!(revoke(&world, access(&pair)).await.status, 200);
    assert_eq!(world.script.take(), [""; 0]);
    assert!(world.refreshes(refresh(&pair)).await);
}

#[tokio::test]
async fn a_form_is_a_form_and_says_each_thing_once() {
    let world = world().await;
    let asks = service(&world).await;
    for (path, credential) in [("/introspect/", &*asks), ("/revoke/", "")] {
        for (name, body, status) in [
            ("no token", "token_type_hint=access_token", 400),
            ("an empty one", "token=", 400),
            ("two", "token=a&token=b", 400),
            ("nothing", "", 400),
        ] {
            let reply = world.send(form(path, credential, body)).await;
            assert_eq!(reply.status, status, "{path}: {name}");
        }
        let json = asking("POST", path, credential, Some(&json!({ "token": "a" })));
        assert_eq!(world.send(json).await.status, 415, "{path}");
        let get = asking("GET", path, credential, None);
        assert_eq!(world.send(get).await.status, 405, "{path}");
        let long = format!("token={}", "a".repeat(100_000));
        assert_eq!(
            world.send(form(path, credential, &long)).await.status,
            413,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_store_that_fails_is_503_and_never_says_that_a_token_is_none() {
    let world = world().await;
    let pair = world.sign_in("7").await;
    let private = world.private_token("7").await;
    let asks = service(&world).await;
    for (call, token) in [
        ("revoke_token", access(&pair)),
        ("revoke_private_token", private.token.expose()),
        ("revoke_family", refresh(&pair)),
    ] {
        for fault in [Intercept::Fail, Intercept::Hang] {
            world.script.break_at(call, fault);
            assert_eq!(revoke(&world, token).await.status, 503, "{call}");
            world.script.mend();
        }
    }
    world.script.break_at("account", Intercept::Fail);
    let body = format!("token={}", access(&pair));
    let reply = world.send(form("/introspect/", &asks, &body)).await;
    assert_eq!(reply.status, 503);
    world.script.mend();
    assert!(world.opens(access(&pair)).await, "nothing was ended");
}
