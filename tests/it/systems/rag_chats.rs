//! `rag_chats`: signing in, refreshing, signing out, and keys of one agent each.

use super::client::{Answer, System, bearer, claims, expired, lifetime, members};
use http::Method;
use serde_json::{Value, json};

const LOGIN: &str = "/api/auth/login/";
const REFRESH: &str = "/api/auth/token/refresh/";
const LOGOUT: &str = "/api/auth/logout/";
const CHALLENGES: [&str; 1] = [r#"Bearer realm="api""#];

struct Chats(System);

impl Chats {
    fn start() -> Self {
        Self(System::start("rag_chats"))
    }

    async fn sign_in(&self, email: &str) -> (String, String) {
        self.0.sign_in(LOGIN, "email", email).await
    }

    async fn refresh(&self, token: &str) -> Answer {
        self.0.post(REFRESH, "", json!({ "refresh": token })).await
    }

    async fn new_key(&self, agent: &str, access: &str) -> Value {
        let path = format!("/api/agents/{agent}/api-keys/");
        self.0
            .post(&path, &bearer(access), json!({ "name": "website" }))
            .await
            .is(201)
            .secret()
            .json()
    }

    async fn query(&self, agent: &str, credential: &str) -> Answer {
        let path = format!("/api/agents/{agent}/query/");
        self.0
            .post(&path, &bearer(credential), json!({ "message": "Hello" }))
            .await
    }
}

/// `{"error": …, "message": …, "details": …}`.
#[track_caller]
fn error(answer: &Answer, error: &str) -> Value {
    let body = answer.json();
    assert_eq!(members(&body), ["details", "error", "message"]);
    assert_eq!(body["error"], error, "{}", answer.text);
    body["details"].clone()
}

#[tokio::test]
async fn a_sign_in_gives_both_tokens_and_the_user() {
    let chats = Chats::start();
    let body = json!({ "email": "user@example.com", "password": super::client::PASSWORD });
    let answer = chats.0.post(LOGIN, "", body).await.is(200).secret().json();
    assert_eq!(members(&answer), ["access", "refresh", "user"]);
    let user = &answer["user"];
    assert_eq!(members(user), ["email", "firstName", "id", "lastName"]);
    assert_eq!(
        (&user["email"], &user["firstName"]),
        (&json!("user@example.com"), &json!("Anna"))
    );
    let groups: Vec<usize> = user["id"]
        .as_str()
        .unwrap()
        .split('-')
        .map(str::len)
        .collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "a UUID");
    for (token, token_type, seconds) in [
        ("access", "access", 3_600),
        ("refresh", "refresh", 7 * 86_400),
    ] {
        let token = answer[token].as_str().unwrap();
        let claims = claims(token);
        assert_eq!(
            (&claims["token_type"], &claims["sub"]),
            (&json!(token_type), &user["id"])
        );
        assert!(claims["jti"].is_string());
        assert_eq!(lifetime(token), seconds);
    }
    chats.0.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_fails_tells_nothing_and_names_fields() {
    let chats = Chats::start();
    let wrong = |email: &str| json!({ "email": email, "password": "wrong-password" });
    let known = chats
        .0
        .post(LOGIN, "", wrong("user@example.com"))
        .await
        .challenged(&CHALLENGES);
    let unknown = chats
        .0
        .post(LOGIN, "", wrong("nobody@example.com"))
        .await
        .challenged(&CHALLENGES);
    error(&known, "invalid_credentials");
    assert_eq!(known.text, unknown.text);

    let missing = chats.0.post(LOGIN, "", json!({})).await.is(400);
    assert_eq!(
        members(&error(&missing, "validation_error")),
        ["email", "password"]
    );
    let broken = chats
        .0
        .post_text(LOGIN, "", "application/json", "{\"email\": ")
        .await
        .is(400);
    error(&broken, "validation_error");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let other = chats
            .0
            .post_text(LOGIN, "", content_type, "email=a")
            .await
            .is(415);
        error(&other, "unsupported_media_type");
    }
}

#[tokio::test]
async fn agents_are_listed_for_their_owner() {
    let chats = Chats::start();
    let (access, refresh) = chats.sign_in("user@example.com").await;
    let agents = chats
        .0
        .get("/api/agents/", &bearer(&access))
        .await
        .is(200)
        .json();
    let agents = agents.as_array().unwrap();
    assert_eq!(agents.len(), 2);
    assert!(agents.iter().all(|agent| members(agent) == ["id", "name"]));
    let (others, _) = chats.sign_in("other@example.com").await;
    let theirs = chats
        .0
        .get("/api/agents/", &bearer(&others))
        .await
        .is(200)
        .json();
    assert!(
        theirs
            .as_array()
            .unwrap()
            .iter()
            .all(|agent| !agents.contains(agent))
    );

    let nothing = chats
        .0
        .get("/api/agents/", "")
        .await
        .challenged(&CHALLENGES);
    error(&nothing, "not_authenticated");
    let invalid = [r#"Bearer realm="api", error="invalid_token""#];
    let forged = format!("{access}x");
    for token in [refresh.as_str(), &forged, "a.b.c"] {
        let answer = chats
            .0
            .get("/api/agents/", &bearer(token))
            .await
            .challenged(&invalid);
        error(&answer, "token_invalid");
    }
    let late = chats
        .0
        .get("/api/agents/", &bearer(&expired(&access)))
        .await
        .challenged(&invalid);
    assert_eq!(
        error(&late, "token_expired"),
        json!({ "expired_at": "2024-01-15T10:30:00Z" })
    );
}

#[tokio::test]
async fn a_refresh_token_gives_access_tokens_until_its_family_ends() {
    let chats = Chats::start();
    let (access, refresh) = chats.sign_in("user@example.com").await;
    for _ in 0..2 {
        let answer = chats.refresh(&refresh).await.is(200).secret().json();
        assert_eq!(members(&answer), ["access"]);
        chats
            .0
            .get("/api/agents/", &bearer(answer["access"].as_str().unwrap()))
            .await
            .is(200);
    }
    error(&chats.refresh(&access).await.is(401), "token_invalid");
    error(
        &chats.refresh(&expired(&refresh)).await.is(401),
        "token_expired",
    );
    let missing = chats.0.post(REFRESH, "", json!({})).await.is(400);
    assert_eq!(members(&error(&missing, "validation_error")), ["refresh"]);

    let (another, _) = chats.sign_in("user@example.com").await;
    chats
        .0
        .send(Method::POST, LOGOUT, &bearer(&access), Value::Null)
        .await
        .nothing();
    error(
        &chats.0.get("/api/agents/", &bearer(&access)).await.is(401),
        "token_revoked",
    );
    error(&chats.refresh(&refresh).await.is(401), "token_revoked");
    error(
        &chats
            .0
            .send(Method::POST, LOGOUT, &bearer(&access), Value::Null)
            .await
            .is(401),
        "token_revoked",
    );
    chats.0.get("/api/agents/", &bearer(&another)).await.is(200);
    error(
        &chats.0.post(LOGOUT, "", Value::Null).await.is(401),
        "not_authenticated",
    );
}

#[tokio::test]
async fn a_key_speaks_to_its_agent_alone() {
    let chats = Chats::start();
    let (access, _) = chats.sign_in("user@example.com").await;
    let (others, _) = chats.sign_in("other@example.com").await;
    let new = chats.new_key("support", &access).await;
    let key = new["key"].as_str().unwrap();
    assert_eq!(new["name"], "website");
    assert!(
        key.bytes().all(|b| b.is_ascii_alphanumeric()),
        "no visible prefix"
    );

    let answer = chats.query("support", key).await.is(200).json();
    assert_eq!(members(&answer), ["answer"]);
    for agent in ["sales", "press", "nowhere"] {
        error(&chats.query(agent, key).await.is(403), "permission_denied");
    }
    chats.query("support", &access).await.is(200);
    error(&chats.query("support", &others).await.is(404), "not_found");
    let message = json!({ "message": "Hello" });
    let path = "/api/agents/support/query/";
    let lower = format!("bearer {key}");
    chats.0.post(path, &lower, message.clone()).await.is(200);
    let elsewhere = [
        ("authorization", format!("Api-Key {key}")),
        ("x-api-key", key.to_owned()),
    ];
    chats.0.refuses_key_in(path, &message, &elsewhere).await;
    let broken = chats.query("support", &key.replace(&key[..1], "_")).await;
    error(&broken.is(401), "api_key_invalid");

    let query = "/api/agents/support/query/";
    let missing = chats.0.post(query, &bearer(key), json!({})).await.is(400);
    assert_eq!(
        error(&missing, "validation_error"),
        json!({ "message": ["This field is required."] })
    );
    error(
        &chats
            .0
            .post_text(query, &bearer(key), "text/plain", "Hello")
            .await
            .is(415),
        "unsupported_media_type",
    );
    // A key asks its agent, and manages nothing.
    for (method, path) in [
        (Method::GET, "/api/agents/"),
        (Method::POST, LOGOUT),
        (Method::GET, "/api/agents/support/api-keys/"),
    ] {
        error(
            &chats
                .0
                .send(method, path, &bearer(key), Value::Null)
                .await
                .is(403),
            "permission_denied",
        );
    }
}

#[tokio::test]
async fn keys_are_shown_once_listed_without_themselves_and_revoked() {
    let chats = Chats::start();
    let (access, _) = chats.sign_in("user@example.com").await;
    let (others, _) = chats.sign_in("other@example.com").await;
    let new = chats.new_key("support", &access).await;
    let (id, key) = (new["id"].as_str().unwrap(), new["key"].as_str().unwrap());
    chats.query("support", key).await.is(200);

    let keys = "/api/agents/support/api-keys/";
    let one = format!("{keys}{id}/");
    let list = chats.0.get(keys, &bearer(&access)).await.is(200);
    assert!(!list.text.contains(key));
    let list = list.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let shown = &list[0];
    for member in ["created", "expires_at", "id", "last_used", "name", "prefix"] {
        assert!(shown.get(member).is_some(), "{member}");
    }
    assert!(shown["last_used"].is_string() && shown["expires_at"].is_null());
    assert_eq!(
        chats
            .0
            .get("/api/agents/sales/api-keys/", &bearer(&access))
            .await
            .is(200)
            .json(),
        json!([])
    );

    let missing = chats
        .0
        .post(keys, &bearer(&access), json!({}))
        .await
        .is(400);
    assert_eq!(members(&error(&missing, "validation_error")), ["name"]);
    error(
        &chats.0.post(keys, "", json!({ "name": "x" })).await.is(401),
        "not_authenticated",
    );
    // Another user's agent is not there, nor is a key of another agent.
    for path in [keys, &one] {
        error(
            &chats.0.get(path, &bearer(&others)).await.is(404),
            "not_found",
        );
    }
    error(
        &chats.0.delete(&one, &bearer(&others)).await.is(404),
        "not_found",
    );
    let elsewhere = format!("/api/agents/sales/api-keys/{id}/");
    error(
        &chats.0.delete(&elsewhere, &bearer(&access)).await.is(404),
        "not_found",
    );

    chats.query("support", key).await.is(200);
    chats.0.delete(&one, &bearer(&access)).await.nothing();
    error(
        &chats.query("support", key).await.is(401),
        "api_key_invalid",
    );
    error(
        &chats.0.delete(&one, &bearer(&access)).await.is(404),
        "not_found",
    );
    assert_eq!(
        chats.0.get(keys, &bearer(&access)).await.is(200).json(),
        json!([])
    );
}

#[tokio::test]
async fn the_environment_sets_lifetimes_rotation_and_the_password() {
    let variables = [
        ("ACCESS_TOKEN_LIFETIME", "60"),
        ("REFRESH_TOKEN_LIFETIME", "120"),
        ("ROTATE_REFRESH_TOKENS", "true"),
        ("DEMO_PASSWORD", "another-password-of-these-tests"),
    ];
    let system = System::start_with("rag_chats", &variables);
    let sign_in = async |password: &str| {
        system
            .post(
                LOGIN,
                "",
                json!({ "email": "user@example.com", "password": password }),
            )
            .await
    };
    sign_in(super::client::PASSWORD).await.is(401);
    let pair = sign_in("another-password-of-these-tests").await.is(200);
    assert_eq!(
        (
            lifetime(&pair.text_of("access")),
            lifetime(&pair.text_of("refresh"))
        ),
        (60, 120)
    );
    let refreshed = system
        .post(REFRESH, "", json!({ "refresh": pair.text_of("refresh") }))
        .await
        .is(200);
    assert_ne!(refreshed.text_of("refresh"), pair.text_of("refresh"));
    system.stop().await;
}

#[tokio::test]
async fn a_throttled_caller_is_told_when_to_come_back() {
    let chats = Chats(System::start_with(
        "rag_chats",
        &[("THROTTLE_RATE", "2/hour")],
    ));
    let (access, _) = chats.sign_in("user@example.com").await;
    for _ in 0..2 {
        chats.0.get("/api/agents/", &bearer(&access)).await.is(200);
    }
    let refused = chats
        .0
        .get("/api/agents/", &bearer(&access))
        .await
        .throttled();
    let seconds: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        error(&refused, "throttled"),
        json!({ "retry_after": seconds })
    );
    chats.0.stop().await;
}

/// Sends the head of a request and one byte of its body, does something, sends the rest, and gives
/// the status.
async fn late(url: &str, path: &str, access: &str, meanwhile: impl Future<Output = ()>) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let body = r#"{"name":"late"}"#;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {access}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body.as_bytes()[..1]).await.unwrap();
    meanwhile.await;
    stream.write_all(&body.as_bytes()[1..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap();
    status.parse().unwrap()
}

#[tokio::test]
async fn who_signs_out_between_the_head_and_the_body_of_a_request_makes_no_key_by_it() {
    let chats = Chats::start();
    let url = chats.0.example.url.clone();
    let (access, _) = chats.sign_in("user@example.com").await;
    let agents = chats.0.get("/api/agents/", &bearer(&access)).await;
    let agents = agents.is(200).json();
    let agent = agents[0]["id"].to_string();
    let path = format!("/api/agents/{}/api-keys/", agent.trim_matches('"'));
    let made = late(&url, &path, &access, async {}).await;
    assert_eq!(made, 201, "who stays is served");
    let sign_out = async {
        let answer = chats.0.post(LOGOUT, &bearer(&access), Value::Null).await;
        answer.is(204);
    };
    assert_eq!(late(&url, &path, &access, sign_out).await, 401);
    let (again, _) = chats.sign_in("user@example.com").await;
    let keys = chats.0.get(&path, &bearer(&again)).await.is(200).json();
    let keys = keys.as_array().unwrap();
    let late = keys.iter().filter(|key| key["name"] == "late");
    assert_eq!(late.count(), 1, "{keys:?}");
}
