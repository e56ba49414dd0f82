//! Each route: what it answers, to whom, and what it says to everybody else; as a tower service and
//! on axum.

use super::cases::{By, Case, Held, cases};
use super::world::*;
use crate::support::{Reply, reply};
use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower::ServiceExt;
use tower_auth::endpoint::{EndpointsBuilder, KeysEndpoint, Page, SignIn, UsersEndpoint};

/// How the endpoints are reached.
#[derive(Clone, Copy, Debug)]
enum Stack {
    Tower,
    Axum,
}

const STACKS: [Stack; 2] = [Stack::Tower, Stack::Axum];

async fn send(world: &World, stack: Stack, request: Request<Full<bytes::Bytes>>) -> Reply {
    match stack {
        Stack::Tower => world.send(request).await,
        Stack::Axum => {
            let app: Router = Router::new().merge(world.endpoints.clone());
            reply(app.oneshot(request.map(Body::new)).await.unwrap()).await
        }
    }
}

async fn world() -> (World, Held) {
    let world = World::new().await;
    let held = Held::by_anna(&world).await;
    (world, held)
}

fn members(value: &Value) -> Vec<&str> {
    let object = value
        .as_array()
        .map_or(value, |list| list.first().expect("a list of one"));
    let mut names: Vec<_> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

fn assert_is_good(case: &Case, by: By, reply: &Reply) {
    let row = format!("{} by {by:?}: {reply:?}", case.name);
    assert_eq!(reply.status.as_u16(), case.status, "{row}");
    let cache = if case.path == "/jwks/" {
        "public, max-age=300"
    } else {
        "no-store"
    };
    assert_eq!(reply.headers["cache-control"], cache, "{row}");
    if case.status == 204 {
        assert!(
            reply.body.is_empty() && !reply.headers.contains_key("content-type"),
            "{row}"
        );
        return;
    }
    assert_eq!(reply.headers["content-type"], "application/json", "{row}");
    assert_eq!(members(&reply.json()), case.members, "{row}");
}

#[tokio::test]
async fn every_route_answers_whoever_may_ask_and_nothing_is_kept_by_a_cache() {
    let (_, held) = world().await;
    for number in 0..cases(&held).len() {
        for stack in STACKS {
            let callers = {
                let case = &cases(&held)[number];
                [&[case.by], case.also].concat()
            };
            for by in callers {
                let (world, held) = world().await;
                let case = &cases(&held)[number];
                let reply = send(&world, stack, case.request_by(&held.credential(by))).await;
                assert_is_good(case, by, &reply);
            }
        }
    }
}

#[tokio::test]
async fn whoever_may_not_ask_is_403_and_nothing_changes() {
    let (_, held) = world().await;
    for number in 0..cases(&held).len() {
        let (world, held) = world().await;
        let case = &cases(&held)[number];
        let tokens = [access(&held.pair)];
        let before = world.dump(&tokens).await;
        for by in [By::Access, By::Key, By::Private, By::Basic] {
            if case.by == By::Nobody || case.by == by || case.also.contains(&by) {
                continue;
            }
            let refused = world.send(case.request_by(&held.credential(by))).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code().as_str()),
                (403, "permission_denied")
            );
            assert_eq!(world.dump(&tokens).await, before, "{} by {by:?}", case.name);
        }
    }
}

#[tokio::test]
async fn without_a_credential_or_with_a_bad_one_it_is_401_with_a_challenge_for_each_scheme() {
    let (world, held) = world().await;
    let other = world.sign_in("7").await;
    let bad = [
        bearing(refresh(&held.pair)),
        bearing(&tampered(access(&held.pair))),
        bearing("a.b.c"),
        bearing("egret_guess"),
        basic(ANNA, "wrong"),
    ];
    let before = world.dump(&[access(&other)]).await;
    for case in cases(&held).iter().filter(|case| case.by != By::Nobody) {
        for stack in STACKS {
            let missing = send(&world, stack, case.request_by("")).await;
            let schemes = [
                r#"Bearer realm="api""#,
                r#"Api-Key realm="api""#,
                r#"Basic realm="api", charset="UTF-8""#,
            ];
            assert_eq!(
                (missing.status.as_u16(), missing.challenges()),
                (401, schemes.to_vec()),
                "{}",
                case.name
            );
            assert_eq!(missing.headers["cache-control"], "no-store");
            assert_eq!(missing.code(), "not_authenticated");
            for credential in &bad {
                let refused = send(&world, stack, case.request_by(credential)).await;
                assert_eq!(refused.status, 401, "{}: {credential}", case.name);
                assert_eq!(refused.challenges().len(), 3, "{}", case.name);
                let names_error = refused.challenges()[0].ends_with(r#"error="invalid_token""#);
                assert_eq!(
                    names_error,
                    credential.starts_with("Bearer"),
                    "{}: {credential}",
                    case.name
                );
            }
        }
    }
    assert_eq!(world.dump(&[access(&other)]).await, before);
}

#[tokio::test]
async fn another_method_is_405_that_lists_those_there_are_and_head_is_get_without_the_body() {
    let (world, held) = world().await;
    let cases = cases(&held);
    for case in &cases {
        let mut allowed: BTreeSet<&str> = cases
            .iter()
            .filter(|other| other.path == case.path)
            .map(|other| other.method)
            .collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        for stack in STACKS {
            for method in [
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
            ] {
                if allowed.contains(method) {
                    continue;
                }
                let request = asking(method, &case.path, &held.credential(By::Access), None);
                let refused = send(&world, stack, request).await;
                assert_eq!(refused.status, 405, "{method} {}", case.path);
                let list: BTreeSet<_> = refused.headers["allow"]
                    .to_str()
                    .unwrap()
                    .split(", ")
                    .collect();
                assert_eq!(list, allowed, "{method} {}", case.path);
            }
            if case.method == "GET" {
                let get = send(&world, stack, case.request(&held)).await;
                let head = asking("HEAD", &case.path, &held.credential(case.by), None);
                let head = send(&world, stack, head).await;
                assert_eq!(
                    (head.status, head.body.len()),
                    (StatusCode::OK, 0),
                    "{}",
                    case.path
                );
                assert_eq!(
                    head.headers["content-length"],
                    get.body.len().to_string(),
                    "{}",
                    case.path
                );
                assert_eq!(head.headers["content-type"], get.headers["content-type"]);
            }
        }
    }
}

#[tokio::test]
async fn a_path_that_is_spelled_in_another_way_is_404() {
    let (world, held) = world().await;
    let id = &held.key.record.id;
    let paths = [
        "/".to_owned(),
        "/token".to_owned(),
        "//token/".to_owned(),
        "/token//".to_owned(),
        "/Token/".to_owned(),
        "/%74oken/".to_owned(),
        "/token/..;/".to_owned(),
        "/api-keys/../token/".to_owned(),
        format!("/api-keys/{id}"),
        format!("/api-keys/{id}%00/"),
        format!("/api-keys/{id}/rotate"),
        format!("/api-keys/{id}/Rotate/"),
        "/api-keys/%2e%2e/".to_owned(),
        "/users//".to_owned(),
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE"] {
            let request = || asking(method, &path, &held.credential(By::Access), None);
            let bare = send(&world, Stack::Tower, request()).await;
            assert_eq!(
                (bare.status.as_u16(), bare.code().as_str()),
                (404, "not_found"),
                "{method} {path}"
            );
            assert_eq!(
                send(&world, Stack::Axum, request()).await.status,
                404,
                "{method} {path}"
            );
        }
    }
    assert!(world.opens(held.key.key.expose()).await);
}

#[tokio::test]
async fn on_axum_other_paths_stay_with_the_router() {
    let (world, _) = world().await;
    let app: Router = Router::new()
        .route("/hello", axum::routing::get(async || "hello"))
        .merge(world.endpoints.clone())
        .fallback(async || (StatusCode::NOT_FOUND, "nothing here"));
    for (path, status, text) in [("/hello", 200, "hello"), ("/nowhere", 404, "nothing here")] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = reply(app.clone().oneshot(request).await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (status, text));
    }
}

#[tokio::test]
async fn a_path_that_is_written_out_comes_before_one_with_a_parameter() {
    let users_first: fn(EndpointsBuilder, &Services) -> EndpointsBuilder = |endpoints, services| {
        endpoints
            .mount("/users/", UsersEndpoint::of(&services.users))
            .mount("/users/keys/", KeysEndpoint::of(&services.keys))
    };
    let keys_first: fn(EndpointsBuilder, &Services) -> EndpointsBuilder = |endpoints, services| {
        endpoints
            .mount("/users/keys/", KeysEndpoint::of(&services.keys))
            .mount("/users/", UsersEndpoint::of(&services.users))
    };
    let beside_a_page: fn(EndpointsBuilder, &Services) -> EndpointsBuilder =
        |endpoints, services| {
            endpoints
                .mount("/api-keys/", KeysEndpoint::of(&services.keys))
                .mount("/token/", SignIn::of(&services.tokens))
                .mount("/api-keys/page/", Page::new())
        };
    for (endpoints, path, is_file) in [
        (users_first, "/users/keys/", false),
        (keys_first, "/users/keys/", false),
        (beside_a_page, "/api-keys/page/", true),
    ] {
        let plan = Plan {
            endpoints,
            ..Plan::default()
        };
        let world = World::of(plan).await;
        let annas = bearing(access(&world.sign_in("7").await));
        for stack in STACKS {
            let row = format!("{path}, {stack:?}");
            let get = send(&world, stack, asking("GET", path, &annas, None)).await;
            assert_eq!(get.status, 200, "{row}: {get:?}");
            let is_list = get.text() == "[]";
            assert_eq!(is_list, !is_file, "{row}: {get:?}");
            // The methods are those of that path alone.
            let delete = send(&world, stack, asking("DELETE", path, &annas, None)).await;
            assert_eq!(delete.status, 405, "{row}: {delete:?}");
            let allowed = match is_file {
                true => "GET, HEAD",
                false => "GET, HEAD, POST",
            };
            assert_eq!(delete.headers["allow"], allowed, "{row}");
        }
        // What no other path takes is still a parameter.
        if !is_file {
            let anna = world.get("/users/7/", &annas).await;
            assert_eq!(anna.json()["id"], "7", "{anna:?}");
        }
    }
}

#[tokio::test]
async fn the_path_of_another_owner_is_404_like_one_that_is_not_there() {
    let (world, held) = world().await;
    let bens = bearing(access(&world.sign_in("8").await));
    let tokens = [access(&held.pair)];
    let before = world.dump(&tokens).await;
    for case in cases(&held)
        .iter()
        .filter(|case| case.path.matches('/').count() > 2)
    {
        if case.path.starts_with("/users/") {
            continue; // ben is an administrator
        }
        let theirs = world.send(case.request_by(&bens)).await;
        let id = case.path.split('/').nth(2).unwrap();
        let path = case.path.replace(id, "0123456789012345678901");
        let missing = world
            .send(asking(case.method, &path, &bens, case.body.as_ref()))
            .await;
        assert_eq!(
            (theirs.status.as_u16(), theirs.code().as_str()),
            (404, "not_found"),
            "{}",
            case.name
        );
        assert_eq!(theirs, missing, "{}", case.name);
    }
    assert_eq!(world.dump(&tokens).await, before);

    let annas = bearing(access(&held.pair));
    for (method, body) in [
        ("GET", None),
        ("PATCH", Some(json!({ "first_name": "Mallory" }))),
    ] {
        let another = world
            .send(asking(method, "/users/8/", &annas, body.as_ref()))
            .await;
        let missing = world
            .send(asking(method, "/users/99/", &annas, body.as_ref()))
            .await;
        assert_eq!(another.status, 404);
        assert_eq!(another, missing);
        // An administrator may.
        let reply = world
            .send(asking(method, "/users/7/", &bens, body.as_ref()))
            .await;
        assert_eq!(reply.status, 200);
    }
    assert_eq!(
        world
            .get("/users/", &bens)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        world.get("/users/7/", &bens).await.json()["first_name"],
        "Mallory"
    );
}

#[tokio::test]
async fn a_key_is_shown_once_and_a_revoked_one_never_again() {
    let (world, held) = world().await;
    let annas = bearing(access(&held.pair));
    let new = world
        .post("/api-keys/", &annas, json!({ "name": " cd " }))
        .await
        .json();
    let raw = new["key"].as_str().unwrap();
    assert!(world.opens(raw).await);
    assert_eq!(
        (new["name"].as_str(), new["expires_at"].is_null()),
        (Some("cd"), true)
    );
    assert!(raw.starts_with(new["prefix"].as_str().unwrap().trim_end_matches('…')));
    let path = format!("/api-keys/{}/", new["id"].as_str().unwrap());
    for shown in [
        world.get("/api-keys/", &annas).await,
        world.get(&path, &annas).await,
    ] {
        assert!(
            !shown.text().contains(raw) && !shown.text().contains(held.key.key.expose().as_str())
        );
    }
    assert_eq!(
        world
            .get("/api-keys/", &annas)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        world
            .send(asking("DELETE", &path, &annas, None))
            .await
            .status,
        204
    );
    assert!(!world.opens(raw).await);
    assert_eq!(
        world
            .get("/api-keys/", &annas)
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}rotate/")),
    ] {
        assert_eq!(
            world
                .send(asking(method, &path, &annas, Some(&json!({}))))
                .await
                .status,
            404,
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_route_whose_fields_are_all_optional_needs_no_body() {
    let (world, held) = world().await;
    let path = format!("/api-keys/{}/rotate/", held.key.record.id);
    let rotated = world
        .send(asking("POST", &path, &held.credential(By::Access), None))
        .await;
    assert_eq!(rotated.status, 201);
    assert!(
        !world.opens(held.key.key.expose()).await,
        "no overlap was asked for"
    );
    let nothing = world.send(asking("POST", "/token/", "", None)).await;
    assert_eq!(
        (
            nothing.status.as_u16(),
            nothing.json()["errors"].as_array().unwrap().len()
        ),
        (400, 2)
    );
}
