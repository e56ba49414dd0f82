//! `egret`: JWTs and `egret_` keys, told apart by the prefix, and what administrators alone may do.

use super::client::{Answer, PASSWORD, System, bearer, claims, expired, lifetime, members};
use crate::browser::{Browser, ENTER, TAB};
use http::Method;
use serde_json::{Value, json};

const CREATE: &str = "/auth/jwt/create/";
const REFRESH: &str = "/auth/jwt/refresh/";
const KEYS: &str = "/api-keys/";
const CHALLENGES: [&str; 1] = [r#"Bearer realm="api""#];
const INVALID: [&str; 1] = [r#"Bearer realm="api", error="invalid_token""#];

struct Egret(System);

impl Egret {
    fn start() -> Self {
        Self(System::start("egret"))
    }

    async fn access(&self, email: &str) -> String {
        self.0.sign_in(CREATE, "email", email).await.0
    }

    async fn new_key(&self, credential: &str) -> Value {
        self.0
            .post(KEYS, &bearer(credential), json!({ "name": "ci" }))
            .await
            .is(201)
            .secret()
            .json()
    }

    async fn domains(&self, credential: &str) -> Answer {
        self.0.get("/domains/", &bearer(credential)).await
    }
}

/// A problem (RFC 9457) of that status: its code.
#[track_caller]
fn problem(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(body["status"], answer.status.as_u16());
    assert!(
        ["type", "title", "detail"]
            .iter()
            .all(|member| body[*member].is_string())
    );
    (
        body["code"].as_str().unwrap().to_owned(),
        body["errors"].clone(),
    )
}

#[track_caller]
fn code(answer: &Answer) -> String {
    problem(answer).0
}

#[tokio::test]
async fn a_sign_in_gives_both_tokens_and_a_refresh_one() {
    let egret = Egret::start();
    let body = json!({ "email": "user@example.com", "password": PASSWORD });
    let pair = egret.0.post(CREATE, "", body).await.is(200).secret().json();
    assert_eq!(members(&pair), ["access", "refresh"]);
    let (access, refresh) = (
        pair["access"].as_str().unwrap(),
        pair["refresh"].as_str().unwrap(),
    );
    assert_eq!(
        (lifetime(access), lifetime(refresh)),
        (30 * 60, 30 * 86_400)
    );
    assert_eq!(claims(access)["token_type"], "access");

    let renewed = egret
        .0
        .post(REFRESH, "", json!({ "refresh": refresh }))
        .await
        .is(200)
        .secret()
        .json();
    assert_eq!(members(&renewed), ["access"]);
    egret
        .domains(renewed["access"].as_str().unwrap())
        .await
        .is(200);
    for wrong in [access, "a.b.c", &expired(refresh)] {
        let answer = egret
            .0
            .post(REFRESH, "", json!({ "refresh": wrong }))
            .await
            .is(401);
        assert_eq!(code(&answer), "token_invalid");
    }
    egret.0.stop().await;
}

#[tokio::test]
async fn rotation_is_the_environments_choice() {
    let system = System::start_with(
        "egret",
        &[
            ("ROTATE_REFRESH_TOKENS", "true"),
            ("ACCESS_TOKEN_LIFETIME", "60"),
        ],
    );
    let (access, refresh) = system.sign_in(CREATE, "email", "user@example.com").await;
    assert_eq!(lifetime(&access), 60);
    let renewed = system
        .post(REFRESH, "", json!({ "refresh": refresh }))
        .await
        .is(200)
        .json();
    assert_eq!(members(&renewed), ["access", "refresh"]);
    system.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_fails_tells_nothing_and_names_fields() {
    let egret = Egret::start();
    let wrong = |email: &str| json!({ "email": email, "password": "wrong-password" });
    let known = egret
        .0
        .post(CREATE, "", wrong("user@example.com"))
        .await
        .challenged(&CHALLENGES);
    let unknown = egret
        .0
        .post(CREATE, "", wrong("nobody@example.com"))
        .await
        .challenged(&CHALLENGES);
    assert_eq!(
        (known.text.as_str(), code(&known)),
        (unknown.text.as_str(), "invalid_credentials".into())
    );
    let (found, errors) = problem(&egret.0.post(CREATE, "", json!({})).await.is(400));
    assert_eq!(
        (found.as_str(), errors[0]["pointer"].as_str()),
        ("validation_error", Some("#/email"))
    );
    assert_eq!(
        (errors[1]["pointer"].as_str(), errors[2].is_null()),
        (Some("#/password"), true)
    );
    egret
        .0
        .post_text(CREATE, "", "application/json", "[]")
        .await
        .is(400);
    egret
        .0
        .post_text(
            CREATE,
            "",
            "application/x-www-form-urlencoded",
            "email=user",
        )
        .await
        .is(415);
    egret.0.stop().await;
}

#[tokio::test]
async fn a_key_is_shown_once_lives_until_it_is_revoked_and_manages_its_users_keys() {
    let egret = Egret::start();
    let access = egret.access("user@example.com").await;
    let made = egret.new_key(&access).await;
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert!(key.starts_with("egret_"));
    assert_eq!(
        (&made["name"], &made["expires_at"]),
        (&json!("ci"), &Value::Null)
    );
    egret.domains(key).await.is(200);

    // The key makes, lists and revokes keys of its user, and nobody else's.
    let second = egret.new_key(key).await;
    let listed = egret.0.get(KEYS, &bearer(key)).await.is(200).json();
    let names: Vec<&Value> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["id"])
        .collect();
    assert_eq!(names, [&made["id"], &second["id"]]);
    for member in ["prefix", "created", "expires_at", "last_used"] {
        assert!(listed[0].get(member).is_some(), "{member}");
    }
    assert!(
        listed[0]["prefix"].as_str().unwrap().starts_with("egret_")
            && listed[0].get("key").is_none()
    );
    assert!(!listed.to_string().contains(key));
    let other = egret.access("other@example.com").await;
    egret
        .0
        .delete(&format!("{KEYS}{id}/"), &bearer(&other))
        .await
        .is(404);
    assert_eq!(
        egret.0.get(KEYS, &bearer(&other)).await.is(200).json(),
        json!([])
    );

    let second_path = format!("{KEYS}{}/", second["id"].as_str().unwrap());
    egret.0.delete(&second_path, &bearer(key)).await.nothing();
    let refused = egret
        .domains(second["key"].as_str().unwrap())
        .await
        .challenged(&INVALID);
    assert_eq!(code(&refused), "api_key_invalid");
    egret.0.delete(&second_path, &bearer(key)).await.is(404);
    egret.domains(key).await.is(200);
    egret.0.stop().await;
}

#[tokio::test]
async fn an_expiry_may_be_set_and_is_not_past() {
    let egret = Egret::start();
    let access = egret.access("user@example.com").await;
    let body = json!({ "name": "ci", "expires_at": "2999-12-31T23:59:59Z" });
    let made = egret
        .0
        .post(KEYS, &bearer(&access), body)
        .await
        .is(201)
        .json();
    assert_eq!(made["expires_at"], "2999-12-31T23:59:59Z");
    for expires_at in [json!("2024-01-15T10:30:00Z"), json!("tomorrow"), json!(1)] {
        let body = json!({ "name": "ci", "expires_at": expires_at });
        let (found, errors) = problem(&egret.0.post(KEYS, &bearer(&access), body).await.is(400));
        assert_eq!(
            (found.as_str(), errors[0]["pointer"].as_str()),
            ("validation_error", Some("#/expires_at"))
        );
    }
    let (_, errors) = problem(
        &egret
            .0
            .post(KEYS, &bearer(&access), json!({}))
            .await
            .is(400),
    );
    assert_eq!(errors[0]["pointer"], "#/name");
    egret.0.stop().await;
}

#[tokio::test]
async fn the_prefix_alone_tells_keys_from_tokens() {
    let egret = Egret::start();
    let access = egret.access("user@example.com").await;
    let key = egret.new_key(&access).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    for broken in [
        String::from("egret_unknown"),
        format!("egret_{access}"),
        format!("{key}x"),
        key.to_uppercase().replace("EGRET_", "egret_"),
    ] {
        assert_eq!(
            code(&egret.domains(&broken).await.challenged(&INVALID)),
            "api_key_invalid",
            "{broken}"
        );
    }
    for broken in [
        "egretunknown",
        "a.b.c",
        &expired(&access),
        key.trim_start_matches("egret_"),
    ] {
        assert_eq!(
            code(&egret.domains(broken).await.challenged(&INVALID)),
            "token_invalid",
            "{broken}"
        );
    }
    let elsewhere = [
        ("authorization", format!("Api-Key {key}")),
        ("x-api-key", key.clone()),
        ("cookie", format!("__Host-access={key}")),
    ];
    egret
        .0
        .refuses_key_in("/domains/", &Value::Null, &elsewhere)
        .await;
    let in_url = format!("/domains/?access_token={key}&api_key={key}");
    egret.0.get(&in_url, "").await.challenged(&CHALLENGES);
    egret.domains(&key).await.is(200);

    let none = egret.0.get("/domains/", "").await.challenged(&CHALLENGES);
    assert_eq!(code(&none), "not_authenticated");
    egret.0.stop().await;
}

#[tokio::test]
async fn every_user_and_key_reads_domains_and_makes_organisations_and_chat_sessions() {
    let egret = Egret::start();
    let access = egret.access("user@example.com").await;
    let key = egret.new_key(&access).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    for credential in [bearer(&access), bearer(&key)] {
        let domains = egret.0.get("/domains/", &credential).await.is(200).json();
        assert_eq!(
            domains,
            json!([{ "name": "business-continuity" }, { "name": "us" }])
        );
        let made = egret
            .0
            .post("/organisations/", &credential, json!({ "name": "Birds" }))
            .await
            .is(201)
            .json();
        assert_eq!(
            (&made["name"], &made["owner"]),
            (&json!("Birds"), &claims(&access)["sub"])
        );
        egret
            .0
            .post("/chat-sessions/", &credential, json!({}))
            .await
            .is(201);
        let (_, errors) = problem(
            &egret
                .0
                .post("/organisations/", &credential, json!({}))
                .await
                .is(400),
        );
        assert_eq!(errors[0]["pointer"], "#/name");
        egret
            .0
            .post_text("/chat-sessions/", &credential, "text/plain", "{}")
            .await
            .is(415);
    }
    egret.0.stop().await;
}

#[tokio::test]
async fn administrators_alone_change_domains_and_they_with_a_jwt() {
    let egret = Egret::start();
    let user = egret.access("user@example.com").await;
    let admin = egret.access("admin@example.com").await;
    let key_of = async |access: &str| {
        egret.new_key(access).await["key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let refused = [user.clone(), key_of(&user).await, key_of(&admin).await];
    let requests = [
        (Method::POST, "/domains/", json!({ "name": "eu" }), 201),
        (
            Method::POST,
            "/domains/eu/documents/",
            json!({ "title": "Plan" }),
            201,
        ),
        (Method::DELETE, "/domains/eu/", Value::Null, 204),
    ];
    for (method, path, body, status) in requests {
        for credential in &refused {
            let answer = egret
                .0
                .send(method.clone(), path, &bearer(credential), body.clone())
                .await
                .is(403);
            assert_eq!(code(&answer), "permission_denied", "{method} {path}");
        }
        egret
            .0
            .send(method.clone(), path, "", body.clone())
            .await
            .challenged(&CHALLENGES);
        egret
            .0
            .send(method, path, &bearer(&admin), body)
            .await
            .is(status);
    }
    egret
        .0
        .delete("/domains/eu/", &bearer(&admin))
        .await
        .is(404);
    let (_, errors) = problem(
        &egret
            .0
            .post("/domains/", &bearer(&admin), json!({ "name": "us" }))
            .await
            .is(400),
    );
    assert_eq!(
        (&errors[0]["pointer"], &errors[0]["code"]),
        (&json!("#/name"), &json!("unique"))
    );
    egret.0.stop().await;
}

#[tokio::test]
async fn a_throttled_user_is_told_when_to_come_back_and_a_key_counts_for_its_owner() {
    let egret = Egret(System::start_with("egret", &[("THROTTLE_RATE", "2/hour")]));
    let access = egret.access("user@example.com").await;
    let key = egret.new_key(&access).await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    egret.domains(&key).await.is(200);
    for spent in [&access, &key] {
        assert_eq!(code(&egret.domains(spent).await.throttled()), "throttled");
    }
    egret
        .domains(&egret.access("other@example.com").await)
        .await
        .is(200);
    egret.0.stop().await;
}

#[tokio::test]
async fn the_page_makes_a_key_that_never_expires_and_rotates_it() {
    let (egret, browser) = (Egret::start(), Browser::start().await);
    browser
        .goto(&format!("{}/settings/api-keys/", egret.0.example.url))
        .await;
    browser.focused("#name").await;
    browser
        .press(&format!("user@example.com{TAB}{PASSWORD}{ENTER}"))
        .await;
    browser.focused("#keys-title").await;
    browser.click("#create-open").await;
    browser.fill("#create-name", "ci").await;
    browser.select("#create-expiry", "never").await;
    browser.click("#create [type=submit]").await;
    browser.focused("[data-copies=shown-key]").await;
    let key = browser.field("#shown-key").await;
    browser.click("#shown [type=submit]").await;
    browser.sees("Expires\nnever").await;
    egret.domains(&key).await.is(200);

    browser.click("[data-does=rotate]").await;
    browser.select("#rotate-overlap", "3600").await;
    browser.click("#rotate [type=submit]").await;
    browser.focused("[data-copies=shown-key]").await;
    let successor = browser.field("#shown-key").await;
    browser.click("#shown [type=submit]").await;
    browser.sees("Your keys (2)").await;
    for good in [&key, &successor] {
        egret.domains(good).await.is(200);
    }
    browser.close().await;
    egret.0.stop().await;
}
