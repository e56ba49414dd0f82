//! `ngenea_hub`: JWTs, client keys, and the page that tries them out.

use super::client::{Answer, System, bearer, expired, lifetime, members};
use http::Method;
use serde_json::{Value, json};

const TOKEN: &str = "/api/auth/token/";
const REFRESH: &str = "/api/auth/token/refresh/";
const KEYS: &str = "/api/auth/clientkeys/";
const CHALLENGES: [&str; 2] = [r#"Bearer realm="api""#, r#"Api-Key realm="api""#];

async fn sign_in(hub: &System, username: &str) -> String {
    hub.sign_in(TOKEN, "username", username).await.0
}

async fn new_key(hub: &System, access: &str, name: &str) -> Value {
    hub.post(KEYS, &bearer(access), json!({ "name": name }))
        .await
        .is(201)
        .secret()
        .json()
}

/// `{"detail": …, "code": …}`.
#[track_caller]
fn error(answer: &Answer, code: &str) {
    let body = answer.json();
    assert_eq!(members(&body), ["code", "detail"]);
    assert_eq!(body["code"], code, "{}", answer.text);
}

#[tokio::test]
async fn a_sign_in_gives_tokens_that_the_health_route_takes() {
    let hub = System::start("ngenea_hub");
    let body = json!({ "username": "user", "password": super::client::PASSWORD });
    let answer = hub.post(TOKEN, "", body).await.is(200).secret();
    assert_eq!(members(&answer.json()), ["access", "refresh"]);
    let (access, refresh) = (answer.text_of("access"), answer.text_of("refresh"));
    assert_eq!((lifetime(&access), lifetime(&refresh)), (3_600, 86_400));
    let health = hub
        .get("/api/health/", &bearer(&access))
        .await
        .is(200)
        .json();
    assert_eq!(health["overall_health"], "ok");
    assert!(health["hub_status"].is_object() && health["site_status"].is_array());

    let refreshed = hub
        .post(REFRESH, "", json!({ "refresh": refresh }))
        .await
        .is(200)
        .secret();
    assert_eq!(members(&refreshed.json()), ["access"]);
    hub.get("/api/health/", &bearer(&refreshed.text_of("access")))
        .await
        .is(200);
    hub.sign_in(TOKEN, "username", "hubadmin").await;
    hub.stop().await;
}

#[tokio::test]
async fn what_is_missing_wrong_or_of_another_type_is_refused_in_the_form_of_drf() {
    let hub = System::start("ngenea_hub");
    let wrong = |name: &str| json!({ "username": name, "password": "wrong-password" });
    let known = hub.post(TOKEN, "", wrong("user")).await.is(401);
    error(&known, "authentication_failed");
    assert_eq!(
        known.text,
        hub.post(TOKEN, "", wrong("nobody")).await.is(401).text
    );
    let required = json!(["This field is required."]);
    let missing = hub.post(TOKEN, "", json!({})).await.is(400).json();
    assert_eq!(
        missing,
        json!({ "username": required, "password": required })
    );
    error(
        &hub.post_text(TOKEN, "", "application/json", "[]")
            .await
            .is(400),
        "parse_error",
    );
    error(
        &hub.post_text(TOKEN, "", "text/plain", "{}").await.is(415),
        "unsupported_media_type",
    );
    error(&hub.get(TOKEN, "").await.is(405), "method_not_allowed");

    let access = sign_in(&hub, "user").await;
    error(
        &hub.get("/api/health/", "").await.challenged(&CHALLENGES),
        "not_authenticated",
    );
    for bad in [expired(&access), format!("{access}x"), "a.b.c".into()] {
        error(
            &hub.get("/api/health/", &bearer(&bad)).await.is(401),
            "token_not_valid",
        );
        error(
            &hub.post(REFRESH, "", json!({ "refresh": bad }))
                .await
                .is(401),
            "token_not_valid",
        );
    }
    assert_eq!(
        hub.post(REFRESH, "", json!({})).await.is(400).json(),
        json!({ "refresh": required })
    );
    assert_eq!(
        hub.post(KEYS, &bearer(&access), json!({}))
            .await
            .is(400)
            .json(),
        json!({ "name": required })
    );
}

#[tokio::test]
async fn a_client_key_has_a_number_and_an_absolute_url_and_is_shown_once() {
    let hub = System::start("ngenea_hub");
    let access = sign_in(&hub, "user").await;
    let new = new_key(&hub, &access, "your_key").await;
    assert_eq!(new["name"], "your_key");
    let (id, key) = (
        new["id"].as_u64().unwrap(),
        new["api_key"].as_str().unwrap(),
    );
    assert_eq!(new["url"], format!("{}{KEYS}{id}/", hub.example.url));
    let second = new_key(&hub, &access, "second").await;
    assert_eq!(second["id"].as_u64(), Some(id + 1));

    let one = format!("{KEYS}{id}/");
    let shown = hub.get(&one, &bearer(&access)).await.is(200);
    assert!(!shown.text.contains(key));
    let shown = shown.json();
    assert_eq!((&shown["id"], &shown["url"]), (&new["id"], &new["url"]));
    for member in ["created", "expires_at", "last_used", "name", "prefix"] {
        assert!(shown.get(member).is_some(), "{member}");
    }
    let list = hub.get(KEYS, &bearer(&access)).await.is(200);
    assert!(!list.text.contains(key));
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    // Somebody else's is not there.
    let others = sign_in(&hub, "other").await;
    assert_eq!(
        hub.get(KEYS, &bearer(&others)).await.is(200).json(),
        json!([])
    );
    for method in [Method::GET, Method::DELETE] {
        error(
            &hub.send(method, &one, &bearer(&others), Value::Null)
                .await
                .is(404),
            "not_found",
        );
    }
}

#[tokio::test]
async fn jobs_are_listed_for_a_client_key_until_it_is_deleted() {
    let hub = System::start("ngenea_hub");
    let access = sign_in(&hub, "user").await;
    let new = new_key(&hub, &access, "your_key").await;
    let key = format!("Api-Key {}", new["api_key"].as_str().unwrap());
    for credential in [&key, &bearer(&access)] {
        let jobs = hub.get("/api/jobs/", credential).await.is(200).json();
        assert_eq!(members(&jobs), ["count", "next", "previous", "results"]);
        let results = jobs["results"].as_array().unwrap();
        assert_eq!(jobs["count"], results.len());
        let owners: Vec<&str> = results
            .iter()
            .map(|job| job["owner"]["type"].as_str().unwrap())
            .collect();
        assert_eq!(owners, ["user", "system", "unknown"]);
        assert!(
            results
                .iter()
                .all(|job| members(&job["owner"]) == ["id", "name", "type"])
        );
    }
    hub.get("/api/health/", &key).await.is(200);
    let raw = new["api_key"].as_str().unwrap();
    let elsewhere = [
        ("authorization", bearer(raw)),
        ("x-api-key", raw.to_owned()),
    ];
    hub.refuses_key_in("/api/jobs/", &Value::Null, &elsewhere)
        .await;
    let as_bearer = hub.get("/api/jobs/", &bearer(raw)).await;
    let lines = [
        r#"Bearer realm="api", error="invalid_token""#,
        CHALLENGES[1],
    ];
    error(&as_bearer.challenged(&lines), "authentication_failed");

    // Keys are managed by whoever signed in, not by keys.
    let one = format!("{KEYS}{}/", new["id"]);
    error(
        &hub.post(KEYS, &key, json!({ "name": "x" })).await.is(403),
        "permission_denied",
    );
    error(&hub.delete(&one, &key).await.is(403), "permission_denied");
    hub.get("/api/jobs/", &key).await.is(200);

    hub.delete(&one, &bearer(&access)).await.nothing();
    error(
        &hub.get("/api/jobs/", &key).await.challenged(&CHALLENGES),
        "authentication_failed",
    );
    error(&hub.get(&one, &bearer(&access)).await.is(404), "not_found");
    for wrong in ["Api-Key wrong", "Api-Key hub_", "Token abc", "Api-Key"] {
        hub.get("/api/jobs/", wrong).await.is(401);
    }
}

#[tokio::test]
async fn the_page_describes_every_route_with_one_scheme_in_the_authorization_header() {
    let hub = System::start("ngenea_hub");
    let document = hub.get("/api/schema/", "").await.is(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(members(schemes), ["authorization"]);
    let scheme = &schemes["authorization"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("Authorization"))
    );
    assert_eq!(document["security"], json!([{ "authorization": [] }]));

    let operations = |path: &str| members(&document["paths"][path]).join(" ");
    for (path, methods) in [
        (TOKEN, "post"),
        (REFRESH, "post"),
        (KEYS, "get post"),
        ("/api/auth/clientkeys/{key_id}/", "delete get patch"),
        ("/api/health/", "get"),
        ("/api/jobs/", "get"),
    ] {
        assert_eq!(operations(path), methods, "{path}");
    }
    let sign_in = &document["paths"][TOKEN]["post"];
    assert_eq!(sign_in["security"], json!([]), "no credential for it");
    let body = &sign_in["requestBody"]["content"]["application/json"];
    assert_eq!(body["schema"]["required"], json!(["username", "password"]));

    // What the page offers to send is what the routes take.
    let body =
        &document["paths"][KEYS]["post"]["requestBody"]["content"]["application/json"]["example"];
    let access = self::sign_in(&hub, "user").await;
    let new = hub
        .post(KEYS, &bearer(&access), body.clone())
        .await
        .is(201)
        .json();
    assert_eq!(new["name"], "string");
}

#[tokio::test]
async fn the_page_comes_from_the_binary_alone() {
    let hub = System::start("ngenea_hub");
    let page = hub.get("/api/docs/", "").await.is(200);
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let mut sources: Vec<&str> = Vec::new();
    for attribute in ["src=\"", "href=\""] {
        sources.extend(
            page.text
                .split(attribute)
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap()),
        );
    }
    assert!(sources.len() > 3, "{sources:?}");
    for source in sources {
        assert!(!source.contains("//"), "{source} is elsewhere");
        let source = hub
            .get(
                &format!("/api/docs/{}", source.trim_start_matches("./")),
                "",
            )
            .await
            .is(200);
        assert!(!source.text.is_empty());
    }
    let settings = hub
        .get("/api/docs/swagger-initializer.js", "")
        .await
        .is(200);
    assert!(settings.text.contains("/api/schema/"));
}

#[tokio::test]
async fn a_key_counts_against_its_owner() {
    let hub = System::start_with("ngenea_hub", &[("THROTTLE_RATE", "3/hour")]);
    let access = sign_in(&hub, "user").await;
    let new = new_key(&hub, &access, "your_key").await;
    let key = format!("Api-Key {}", new["api_key"].as_str().unwrap());
    hub.get("/api/jobs/", &key).await.is(200);
    hub.get("/api/jobs/", &bearer(&access)).await.is(200);
    for credential in [&key, &bearer(&access)] {
        let refused = hub.get("/api/jobs/", credential).await.throttled();
        error(&refused, "throttled");
        assert!(
            refused.text.contains("Expected available in"),
            "{}",
            refused.text
        );
        hub.get(KEYS, credential).await.throttled();
    }
    let others = sign_in(&hub, "other").await;
    hub.get("/api/jobs/", &bearer(&others)).await.is(200);
    // Whoever presents nothing is counted by address, and signed in twice.
    hub.post(REFRESH, "", json!({ "refresh": "a.b.c" }))
        .await
        .is(401);
    hub.post(REFRESH, "", json!({ "refresh": "a.b.c" }))
        .await
        .throttled();
}
