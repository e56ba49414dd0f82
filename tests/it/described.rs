//! What a layer says of itself and of its resource, and keys that one layer manages for another.

use crate::support::*;
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower::ServiceExt;
use tower_auth::endpoint::{
    ChangePassword, Endpoints, Jwks, KeysEndpoint, PrivateTokensEndpoint, Refresh,
    ResourceMetadata, SignIn, SignOut, SignOutEverywhere, UsersEndpoint, Verify,
};
use tower_auth::store::Memory;
use tower_auth::{
    ApiKeys, AuthLayer, ConfigProblem, KeyIssuer, NewUser, PasswordPolicy, Realm, Scope, Secret,
    TokenIssuer, Tokens, Users,
};
use utoipa::Modify;

const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

fn user() -> NewUser {
    NewUser::new(
        "anna@example.com",
        Secret::new(String::from("correct-horse-battery")),
    )
}

/// A layer for people, whose keys are for another one.
struct Manager {
    auth: AuthLayer,
    users: Users,
    tokens: TokenIssuer,
    keys: KeyIssuer,
}

fn manager() -> Manager {
    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(users.basic())
        .build()
        .unwrap();
    Manager {
        auth,
        users,
        tokens,
        keys: realm.api_keys(ApiKeys::prefix("egret")),
    }
}

async fn answer(endpoints: &Endpoints, request: Request<String>) -> Reply {
    reply(endpoints.clone().oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn managed_keys_are_made_here_and_accepted_there() {
    let Manager {
        auth: here,
        users,
        keys,
        ..
    } = manager();
    let there = AuthLayer::builder().accept(&keys).build().unwrap();
    users.register(user()).await.unwrap();
    let endpoints = here
        .endpoints()
        .mount("/keys/", KeysEndpoint::of(&keys))
        .build()
        .unwrap();
    let basic = "Basic YW5uYUBleGFtcGxlLmNvbTpjb3JyZWN0LWhvcnNlLWJhdHRlcnk=";
    let request = Request::post("/keys/").header("authorization", basic);
    let request = request
        .header("content-type", "application/json")
        .body(r#"{"name":"ci"}"#.into());
    let new = answer(&endpoints, request.unwrap()).await;
    assert_eq!(new.status, 201, "{}", new.text());
    let key = new.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(send(&there, get(&[("x-api-key", &key)])).await.status, 200);
    for (name, value) in [
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("Api-Key {key}")),
    ] {
        assert_eq!(send(&here, get(&[(name, &value)])).await.status, 401);
    }
    // It is no credential here at all.
    let nothing = send(&here, get(&[("x-api-key", &key)])).await;
    assert_eq!(nothing.code(), "not_authenticated");
    assert_eq!(nothing.challenges().len(), 2);
}

#[tokio::test]
async fn the_bearer_challenge_alone_names_the_metadata() {
    let users = Realm::new(Memory::new()).users(PasswordPolicy::new());
    let layer = AuthLayer::builder()
        .accept(jwt())
        .accept(users.basic())
        .resource_metadata(METADATA)
        .build()
        .unwrap();
    let bearer_line = format!(r#"Bearer realm="api", resource_metadata="{METADATA}""#);
    let basic_line = r#"Basic realm="api", charset="UTF-8""#;
    assert_eq!(
        send(&layer, get(&[])).await.challenges(),
        [&bearer_line, basic_line]
    );
    let with_error = format!(r#"{bearer_line}, error="invalid_token""#);
    assert_eq!(
        send(&layer, bearer("a.b.c")).await.challenges(),
        [&with_error, basic_line]
    );

    let needs = layer.require(Scope::new("write"));
    let stack = tower_layer::Stack::new(needs, layer);
    let refused = tower_layer::Layer::layer(&stack, Whoami)
        .oneshot(bearer(&token_for("anna")))
        .await
        .unwrap();
    let lines = format!(r#"{bearer_line}, error="insufficient_scope", scope="write""#);
    assert_eq!(
        (refused.status().as_u16(), reply(refused).await.challenges()),
        (403, vec![lines.as_str()])
    );
}

#[test]
fn what_is_no_url_is_refused_when_it_is_configured() {
    for wrong in [
        "",
        "/mcp",
        "api.example.com/mcp",
        "ftp://api.example.com/",
        "https:///mcp",
        "https://api.example.com/#x",
        "https://api.example.com/\", error=\"x",
        "https://api.example.com/a b",
        "https://api.example.com/\r\nx: y",
        "https://api.example.com/\u{e4}",
    ] {
        let layer = AuthLayer::builder()
            .accept(jwt())
            .resource_metadata(wrong)
            .build();
        assert_eq!(
            layer.unwrap_err().problems(),
            [ConfigProblem::ResourceUrl],
            "{wrong:?}"
        );
        let endpoints = manager().auth.endpoints();
        let endpoints = endpoints
            .mount("/metadata", ResourceMetadata::new(wrong))
            .build();
        assert_eq!(
            endpoints.unwrap_err().problems(),
            [ConfigProblem::ResourceUrl],
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn the_metadata_say_what_was_configured_and_no_more() {
    let whole = ResourceMetadata::new("https://api.example.com/mcp")
        .name("Reports")
        .documentation("https://docs.example.com/")
        .authorization_server("https://login.example.com")
        .scope("reports:read");
    let endpoints = manager().auth.endpoints();
    let endpoints = endpoints
        .mount("/.well-known/oauth-protected-resource/mcp", whole)
        .build();
    let request = Request::get("/.well-known/oauth-protected-resource/mcp")
        .body(String::new())
        .unwrap();
    let shown = answer(&endpoints.unwrap(), request).await;
    assert_eq!(
        (shown.status.as_u16(), &shown.headers["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let expected = json!({
        "resource": "https://api.example.com/mcp",
        "resource_name": "Reports",
        "resource_documentation": "https://docs.example.com/",
        "authorization_servers": ["https://login.example.com"],
        "scopes_supported": ["reports:read"],
        "bearer_methods_supported": ["header"],
    });
    assert_eq!(shown.json(), expected);
}

#[test]
fn a_document_has_every_path_with_its_parameters_bodies_and_security() {
    let Manager {
        auth,
        users,
        tokens,
        keys,
    } = manager();
    let endpoints = auth
        .endpoints()
        .mount("/token/", SignIn::of(&tokens).name_field("username"))
        .mount("/refresh/", Refresh::of(&tokens))
        .mount("/verify/", Verify::of(&tokens))
        .mount("/logout/", SignOut::of(&tokens))
        .mount("/logout/all/", SignOutEverywhere::of(&tokens))
        .mount("/password/", ChangePassword::of(&users, &tokens))
        .mount(
            "/users/",
            UsersEndpoint::of(&users).profile_field("first_name"),
        )
        .mount(
            "/agents/{agent}/keys/",
            KeysEndpoint::of(&keys).rates(["2000/day"]),
        )
        .mount("/private-tokens/", PrivateTokensEndpoint::of(&tokens))
        .mount("/.well-known/jwks.json", Jwks::of(&tokens))
        .build()
        .unwrap();
    let mut document = utoipa::openapi::OpenApi::default();
    endpoints.modify(&mut document);
    auth.security_schemes().modify(&mut document);
    let document = serde_json::to_value(document).unwrap();

    let described: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(described, endpoints.paths().collect());
    let operation = |path: &str, method: &str| document["paths"][path][method].clone();
    let statuses = |operation: &Value| {
        let known = operation["responses"].as_object().unwrap().keys().cloned();
        known
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let body = |operation: &Value| operation["requestBody"]["content"]["application/json"].clone();

    let sign_in = operation("/token/", "post");
    assert_eq!(sign_in["security"], json!([]));
    assert_eq!(statuses(&sign_in), "200 400 401 408 413 415 429 503");
    assert_eq!(
        body(&sign_in)["schema"]["required"],
        json!(["username", "password"])
    );
    assert_eq!(
        body(&sign_in)["schema"]["properties"]["password"]["format"],
        "password"
    );

    let create = operation("/agents/{agent}/keys/", "post");
    let either = json!([{ "bearerAuth": [] }, { "basicAuth": [] }]);
    assert_eq!(create["security"], either);
    assert_eq!(statuses(&create), "201 400 401 403 408 413 415 429 503");
    assert_eq!(body(&create)["schema"]["required"], json!(["name"]));
    assert_eq!(
        body(&create)["schema"]["properties"]["expires_at"]["format"],
        "date-time"
    );
    assert_eq!(
        body(&create)["schema"]["properties"]["rate"]["type"],
        "string"
    );
    let created = &create["responses"]["201"]["content"]["application/json"]["schema"];
    assert_eq!(
        created["properties"]["rate"]["type"],
        json!(["string", "null"])
    );
    assert_eq!(body(&create)["example"], json!({ "name": "string" }));
    let revoke = operation("/agents/{agent}/keys/{key_id}/", "delete");
    assert_eq!(statuses(&revoke), "204 400 401 403 404 429 503");
    let parameters: Vec<&Value> = revoke["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| &parameter["name"])
        .collect();
    assert_eq!(parameters, ["agent", "key_id"]);
    assert!(revoke.get("requestBody").is_none());
    assert_eq!(document["security"], either);
}

#[tokio::test]
async fn a_user_is_ensured_once_however_many_start_at_a_time() {
    let store = Memory::new();
    let nodes = [store.clone(), store].map(|store| {
        let realm = Realm::new(store);
        realm.users(PasswordPolicy::new())
    });
    let (one, other) = tokio::join!(nodes[0].ensure(user()), nodes[1].ensure(user()));
    assert_eq!(one.unwrap().id, other.unwrap().id);
    // Who is there already stays, whatever the new one would have been.
    let changed = NewUser::new(
        "Anna@Example.com",
        Secret::new(String::from("another-password")),
    )
    .role("admin");
    let kept = nodes[0].ensure(changed).await.unwrap();
    assert!(!kept.roles.contains("admin"));
    assert_eq!(nodes[0].list(None, 10).await.unwrap().len(), 1);
    // A password that no policy lets pass is refused, not taken for a race.
    let weak = NewUser::new("ben@example.com", Secret::new(String::from("short")));
    assert_eq!(nodes[0].ensure(weak).await.unwrap_err().status(), 400);
}
