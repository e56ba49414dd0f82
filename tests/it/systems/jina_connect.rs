//! `jina_connect`: JWTs and Basic for REST, API keys for MCP.

use super::client::{Answer, PASSWORD, System, bearer, expired, lifetime, members};
use crate::throttle::server::Server;
use crate::throttle::start;
use http::{HeaderName, HeaderValue, Method};
use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const KEYS: &str = "/tenants/tenant-access-keys/";
const USERS: &str = "/users/user/";
const REST: [&str; 2] = [
    r#"Bearer realm="api""#,
    r#"Basic realm="api", charset="UTF-8""#,
];

async fn sign_in(jina: &System, email: &str) -> (String, String) {
    jina.sign_in("/token/", "email", email).await
}

async fn new_key(jina: &System, access: &str) -> Value {
    let body = json!({ "name": "My Integration Key" });
    jina.post(KEYS, &bearer(access), body)
        .await
        .is(201)
        .secret()
        .json()
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine;
    let pair = format!("{name}:{password}");
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

/// `{"detail": …, "code": …}`.
#[track_caller]
fn error(answer: &Answer, code: &str) {
    let body = answer.json();
    assert_eq!(members(&body), ["code", "detail"]);
    assert_eq!(body["code"], code, "{}", answer.text);
}

/// What a real MCP client gets from `whoami`, with that header.
async fn whoami(jina: &System, name: &'static str, value: &str) -> Result<Value, String> {
    let header = (
        HeaderName::from_static(name),
        HeaderValue::from_str(value).unwrap(),
    );
    let config =
        StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp/", jina.example.url))
            .custom_headers(HashMap::from([header]));
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.map_err(|error| error.to_string())?;
    let tools = client
        .list_all_tools()
        .await
        .map_err(|error| error.to_string())?;
    assert_eq!(
        tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(),
        ["whoami"]
    );
    let result = client.call_tool(CallToolRequestParams::new("whoami")).await;
    let result = result.map_err(|error| error.to_string())?;
    client.cancel().await.unwrap();
    Ok(result.structured_content.unwrap())
}

#[tokio::test]
async fn a_sign_in_gives_tokens_of_90_and_180_days() {
    let jina = System::start("jina_connect");
    let body = json!({ "email": "user@example.com", "password": PASSWORD });
    let answer = jina.post("/token/", "", body).await.is(200).secret();
    assert_eq!(members(&answer.json()), ["access", "refresh"]);
    let (access, refresh) = (answer.text_of("access"), answer.text_of("refresh"));
    assert_eq!(
        (lifetime(&access), lifetime(&refresh)),
        (90 * 86_400, 180 * 86_400)
    );
    let refreshed = jina
        .post("/refresh/", "", json!({ "refresh": refresh }))
        .await
        .is(200)
        .secret();
    assert_eq!(members(&refreshed.json()), ["access"]);
    jina.get("/tenants/", &bearer(&refreshed.text_of("access")))
        .await
        .is(200);

    let wrong = |email: &str| json!({ "email": email, "password": "wrong-password" });
    let known = jina
        .post("/token/", "", wrong("user@example.com"))
        .await
        .is(401);
    error(&known, "authentication_failed");
    assert_eq!(
        known.text,
        jina.post("/token/", "", wrong("nobody@example.com"))
            .await
            .is(401)
            .text
    );
    let required = json!(["This field is required."]);
    let missing = jina.post("/token/", "", json!({})).await.is(400).json();
    assert_eq!(missing, json!({ "email": required, "password": required }));
    error(
        &jina
            .post_text("/token/", "", "text/plain", "{}")
            .await
            .is(415),
        "unsupported_media_type",
    );
    for bad in [&access, &expired(&refresh), "a.b.c"] {
        error(
            &jina
                .post("/refresh/", "", json!({ "refresh": bad }))
                .await
                .is(401),
            "token_not_valid",
        );
    }
    jina.stop().await;
}

#[tokio::test]
async fn tenants_are_listed_with_a_token_or_with_basic_and_with_nothing_else() {
    let jina = System::start("jina_connect");
    let (access, refresh) = sign_in(&jina, "user@example.com").await;
    let by_token = jina.get("/tenants/", &bearer(&access)).await.is(200).json();
    assert_eq!(by_token.as_array().unwrap().len(), 1);
    let by_basic = jina
        .get("/tenants/", &basic("user@example.com", PASSWORD))
        .await
        .is(200)
        .json();
    assert_eq!(by_token, by_basic);
    error(
        &jina.get("/tenants/", "").await.challenged(&REST),
        "not_authenticated",
    );
    let wrong = jina
        .get("/tenants/", &basic("user@example.com", "wrong"))
        .await
        .challenged(&REST);
    error(&wrong, "authentication_failed");
    for bad in [refresh, expired(&access), format!("{access}x")] {
        error(
            &jina.get("/tenants/", &bearer(&bad)).await.is(401),
            "token_not_valid",
        );
    }
    // Keys are for MCP.
    let key = new_key(&jina, &access).await;
    let key = key["key"].as_str().unwrap();
    for header in [bearer(key), format!("Api-Key {key}")] {
        jina.get("/tenants/", &header).await.is(401);
        jina.get(KEYS, &header).await.is(401);
    }
}

#[tokio::test]
async fn a_key_belongs_to_a_tenant_and_its_app_and_is_shown_once() {
    let jina = System::start("jina_connect");
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let (others, _) = sign_in(&jina, "other@example.com").await;
    let new = new_key(&jina, &access).await;
    assert_eq!(new["name"], "My Integration Key");
    let (id, key) = (new["id"].as_str().unwrap(), new["key"].as_str().unwrap());
    let one = format!("{KEYS}{id}/");
    let list = jina.get(KEYS, &bearer(&access)).await.is(200);
    assert!(!list.text.contains(key));
    let list = list.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    for member in ["created", "expires_at", "id", "last_used", "name", "prefix"] {
        assert!(list[0].get(member).is_some(), "{member}");
    }
    assert_eq!(
        (&list[0]["tenant"], &list[0]["tenant_wa_app"]),
        (&json!(1), &json!(10))
    );

    let missing = jina
        .post(KEYS, &bearer(&access), json!({}))
        .await
        .is(400)
        .json();
    assert_eq!(missing, json!({ "name": ["This field is required."] }));
    error(
        &jina
            .post(KEYS, "", json!({ "name": "x" }))
            .await
            .challenged(&REST),
        "not_authenticated",
    );
    assert_eq!(
        jina.get(KEYS, &bearer(&others)).await.is(200).json(),
        json!([])
    );
    error(
        &jina.delete(&one, &bearer(&others)).await.is(404),
        "not_found",
    );
    jina.get(&one, &bearer(&access)).await.is(200);
    jina.delete(&one, &bearer(&access)).await.nothing();
    error(
        &jina.delete(&one, &bearer(&access)).await.is(404),
        "not_found",
    );
    let refused = whoami(&jina, "authorization", &bearer(key)).await;
    assert!(
        refused
            .as_ref()
            .is_err_and(|error| error.contains("uth required")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_real_mcp_client_is_told_whose_key_it_has() {
    let jina = System::start("jina_connect");
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let (others, _) = sign_in(&jina, "other@example.com").await;
    let (key, theirs) = (new_key(&jina, &access).await, new_key(&jina, &others).await);
    let key = key["key"].as_str().unwrap();
    let pair = json!({ "tenant": 1, "tenant_wa_app": 10 });
    for (name, value) in [
        ("authorization", bearer(key)),
        ("authorization", format!("Api-Key {key}")),
        ("x-api-key", key.to_owned()),
    ] {
        assert_eq!(
            whoami(&jina, name, &value).await.as_ref(),
            Ok(&pair),
            "{name}"
        );
    }
    let theirs = theirs["key"].as_str().unwrap();
    let pair = json!({ "tenant": 2, "tenant_wa_app": 20 });
    assert_eq!(whoami(&jina, "x-api-key", theirs).await, Ok(pair));

    for (name, value) in [
        ("authorization", bearer(&access)),
        ("authorization", basic("user@example.com", PASSWORD)),
        ("x-api-key", format!("{key}x")),
        ("x-nothing", "x".into()),
    ] {
        let refused = whoami(&jina, name, &value).await;
        assert!(
            refused
                .as_ref()
                .is_err_and(|error| error.contains("uth required")),
            "{name} {refused:?}"
        );
    }
    jina.stop().await;
}

#[tokio::test]
async fn a_refused_mcp_request_names_the_metadata_of_the_resource() {
    let jina = System::start("jina_connect");
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let url = format!(
        "{}/.well-known/oauth-protected-resource/mcp/",
        jina.example.url
    );
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let challenge = format!(r#"Bearer realm="api", resource_metadata="{url}""#);
    let keys = r#"Api-Key realm="api""#;
    let nothing = jina
        .post("/mcp/", "", call.clone())
        .await
        .challenged(&[&challenge, keys]);
    error(&nothing, "not_authenticated");
    let challenge = format!(r#"{challenge}, error="invalid_token""#);
    let token = jina
        .post("/mcp/", &bearer(&access), call)
        .await
        .challenged(&[&challenge, keys]);
    error(&token, "token_not_valid");

    let path = url.strip_prefix(&jina.example.url).unwrap();
    let metadata = jina.get(path, "").await.is(200).json();
    let expected = json!({
        "resource": format!("{}/mcp/", jina.example.url),
        "resource_name": "Jina Connect",
        "bearer_methods_supported": ["header"],
    });
    assert_eq!(metadata, expected);
}

#[tokio::test]
async fn users_register_see_themselves_and_change_themselves() {
    let jina = System::start("jina_connect");
    let body = json!({
        "email": "anna@example.com", "password": "a-long-enough-secret", "first_name": "Anna",
        "roles": ["admin"], "role": "admin", "is_admin": true, "is_staff": true, "id": "1",
    });
    let new = jina.post(USERS, "", body.clone()).await.is(201);
    assert!(!new.text.contains("a-long-enough-secret"));
    let new = new.json();
    assert_eq!(members(&new), ["email", "first_name", "id"]);
    let taken = jina.post(USERS, "", body).await.is(400).json();
    assert_eq!(members(&taken), ["email"]);
    for weak in [
        "short",
        "12345678",
        "password1",
        "anna@example.org",
        "kangaroo",
    ] {
        let body = json!({ "email": "anna@example.org", "password": weak });
        assert_eq!(
            members(&jina.post(USERS, "", body).await.is(400).json()),
            ["password"],
            "{weak}"
        );
    }
    let missing = jina.post(USERS, "", json!({})).await.is(400).json();
    assert_eq!(members(&missing), ["email", "password"]);

    let body = json!({ "email": "anna@example.com", "password": "a-long-enough-secret" });
    let access = bearer(
        &jina
            .post("/token/", "", body)
            .await
            .is(200)
            .text_of("access"),
    );
    assert_eq!(jina.get(USERS, &access).await.is(200).json(), new);
    let own = format!("{USERS}{}/", new["id"].as_str().unwrap());
    let patch = async |path: &str, auth: &str, body: Value| {
        jina.send(Method::PATCH, path, auth, body).await
    };
    let changed = patch(
        &own,
        &access,
        json!({ "last_name": "Lopez", "roles": ["admin"] }),
    )
    .await
    .is(200)
    .json();
    assert_eq!(
        (&changed["first_name"], &changed["last_name"]),
        (&json!("Anna"), &json!("Lopez"))
    );
    assert_eq!(
        jina.get(USERS, &access).await.is(200).json(),
        changed,
        "no administrator"
    );
    error(
        &jina
            .post(KEYS, &access, json!({ "name": "x" }))
            .await
            .is(403),
        "permission_denied",
    );

    let (user, _) = sign_in(&jina, "user@example.com").await;
    error(
        &patch(&own, &bearer(&user), json!({ "first_name": "x" }))
            .await
            .is(404),
        "not_found",
    );
    error(
        &patch(&own, "", json!({ "first_name": "x" })).await.is(401),
        "not_authenticated",
    );
    let (admin, _) = sign_in(&jina, "admin@example.com").await;
    let all = jina.get(USERS, &bearer(&admin)).await.is(200).json();
    assert_eq!(all.as_array().unwrap().len(), 4);
    let changed = patch(&own, &bearer(&admin), json!({ "first_name": "Anne" }))
        .await
        .is(200)
        .json();
    assert_eq!(changed["first_name"], "Anne");
    let one = jina
        .get(USERS, &basic("user@example.com", PASSWORD))
        .await
        .is(200)
        .json();
    assert_eq!(one["email"], "user@example.com");
}

#[tokio::test]
async fn tenants_are_counted_apart_from_the_rest() {
    let rates = [
        ("THROTTLE_RATE", "3/hour"),
        ("THROTTLE_RATE_TENANTS", "2/hour"),
    ];
    let jina = System::start_with("jina_connect", &rates);
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let access = bearer(&access);
    for _ in 0..2 {
        jina.get("/tenants/", &access).await.is(200);
    }
    error(
        &jina.get("/tenants/", &access).await.throttled(),
        "throttled",
    );
    jina.get("/tenants/", &basic("user@example.com", PASSWORD))
        .await
        .throttled();
    for _ in 0..3 {
        jina.get(USERS, &access).await.is(200);
    }
    error(&jina.get(USERS, &access).await.throttled(), "throttled");

    let (others, _) = sign_in(&jina, "other@example.com").await;
    for _ in 0..3 {
        jina.get(USERS, &bearer(&others)).await.is(200);
    }
    jina.get(USERS, &bearer(&others)).await.throttled();
    jina.get("/tenants/", &bearer(&others)).await.is(200);
}

#[tokio::test]
async fn the_calls_of_a_tenants_keys_are_counted_together() {
    let jina = System::start_with("jina_connect", &[("THROTTLE_RATE", "3/hour")]);
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let (one, two) = (new_key(&jina, &access).await, new_key(&jina, &access).await);
    let call = async |key: &Value| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        jina.post("/mcp/", &bearer(key["key"].as_str().unwrap()), body)
            .await
    };
    for key in [&one, &two, &one] {
        assert_ne!(call(key).await.status, 429);
    }
    error(&call(&two).await.throttled(), "throttled");
}

/// A page that is polled for free: what was paid for runs off meanwhile.
#[tokio::test]
async fn polling_the_tenants_keeps_the_rest_of_the_api_from_nobody() {
    let redis = Server::start();
    let url = redis.url();
    let rates = [
        ("THROTTLE_RATE", "5/3s"),
        ("THROTTLE_RATE_TENANTS", "1000000/s"),
        ("REDIS_URL", &url),
    ];
    for rates in [&rates[..2], &rates[..]] {
        polled_for_free(System::start_with("jina_connect", rates)).await;
    }
}

async fn polled_for_free(jina: System) {
    let (access, _) = sign_in(&jina, "user@example.com").await;
    let access = bearer(&access);
    let mut paid = 0;
    let refused = loop {
        let answer = jina.get(USERS, &access).await;
        if answer.status == 429 {
            break answer;
        }
        paid += 1;
    };
    assert!(paid >= 5);
    let told: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let refused_at = start();
    // Only what is free is asked for until then.
    while refused_at.elapsed() < Duration::from_secs(told) {
        jina.get("/tenants/", &access).await.is(200);
    }
    jina.get(USERS, &access).await.is(200);
    jina.stop().await;
}
