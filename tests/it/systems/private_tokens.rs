//! `private_tokens`: signing in, private tokens with an expiry, companies, and the page.

use super::client::{
    Answer, PASSWORD, System, bearer, claims, expired, in_days, lifetime, members,
};
use crate::browser::{Browser, ENTER, TAB};
use http::Method;
use serde_json::{Value, json};

const TOKEN: &str = "/api/v1/auth/token/";
const REFRESH: &str = "/api/v1/auth/token/refresh/";
const PRIVATE: &str = "/api/v1/auth/private-tokens/";
const DATASETS: &str = "/api/v1/companies/1/datasets/";
const CHALLENGE: [&str; 1] = [r#"Bearer realm="api""#];
const INVALID: [&str; 1] = [r#"Bearer realm="api", error="invalid_token""#];

struct Tokens(System);

impl Tokens {
    fn start() -> Self {
        Self(System::start("private_tokens"))
    }

    async fn sign_in(&self, email: &str) -> (String, String) {
        self.0.sign_in(TOKEN, "email", email).await
    }

    async fn new_token(&self, access: &str, name: &str, expires_at: &str) -> Value {
        let body = json!({ "name": name, "expires_at": expires_at });
        self.0
            .post(PRIVATE, &bearer(access), body)
            .await
            .is(201)
            .secret()
            .json()
    }

    async fn datasets(&self, token: &str) -> Answer {
        self.0.get(DATASETS, &bearer(token)).await
    }
}

/// `{"type": …, "errors": [{"code": …, "detail": …, "attr": …, "extra": null}]}`: the type, and
/// code and attr of each error.
#[track_caller]
fn errors(answer: &Answer) -> (String, Vec<(String, Value)>) {
    let body = answer.json();
    assert_eq!(members(&body), ["errors", "type"]);
    let errors = body["errors"].as_array().unwrap().iter().map(|error| {
        assert_eq!(members(error), ["attr", "code", "detail", "extra"]);
        assert!(error["extra"].is_null());
        (
            error["code"].as_str().unwrap().to_owned(),
            error["attr"].clone(),
        )
    });
    (body["type"].as_str().unwrap().to_owned(), errors.collect())
}

#[tokio::test]
async fn a_sign_in_gives_tokens_of_a_company() {
    let system = Tokens::start();
    for (email, company) in [
        ("user@example.com", 1),
        ("other@example.com", 2),
        ("user", 1),
    ] {
        let body = json!({ "email": email, "password": PASSWORD });
        let pair = system.0.post(TOKEN, "", body).await.is(200).secret().json();
        assert_eq!(members(&pair), ["access", "refresh"]);
        let (access, refresh) = (
            pair["access"].as_str().unwrap(),
            pair["refresh"].as_str().unwrap(),
        );
        assert_eq!(claims(access)["company_id"], company);
        assert_eq!(
            (lifetime(access), lifetime(refresh)),
            (15 * 60, 24 * 60 * 60)
        );
        assert_eq!(
            (
                &claims(access)["token_type"],
                &claims(refresh)["token_type"]
            ),
            (&json!("access"), &json!("refresh"))
        );
    }
    system.0.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_fails_tells_nothing_and_names_fields() {
    let system = Tokens::start();
    let wrong = |email: &str| json!({ "email": email, "password": "wrong-password" });
    let known = system
        .0
        .post(TOKEN, "", wrong("user@example.com"))
        .await
        .challenged(&CHALLENGE);
    let unknown = system
        .0
        .post(TOKEN, "", wrong("nobody@example.com"))
        .await
        .challenged(&CHALLENGE);
    assert_eq!(known.text, unknown.text);
    assert_eq!(
        errors(&known),
        (
            "client_error".into(),
            vec![("authentication_failed".into(), Value::Null)]
        )
    );

    let missing = errors(&system.0.post(TOKEN, "", json!({})).await.is(400));
    let required = |field: &str| (String::from("required"), json!(field));
    assert_eq!(
        missing,
        (
            "validation_error".into(),
            vec![required("email"), required("password")]
        )
    );
    let broken = system
        .0
        .post_text(TOKEN, "", "application/json", "{\"email\": ")
        .await
        .is(400);
    assert_eq!(errors(&broken).1, [("parse_error".into(), Value::Null)]);
    system
        .0
        .post_text(TOKEN, "", "text/plain", "{}")
        .await
        .is(415);
    system.0.get(TOKEN, "").await.is(405);
    system.0.stop().await;
}

#[tokio::test]
async fn a_refresh_token_gives_an_access_token_and_is_none() {
    let system = Tokens::start();
    let (access, refresh) = system.sign_in("user@example.com").await;
    let answer = system
        .0
        .post(REFRESH, "", json!({ "refresh": refresh }))
        .await
        .is(200)
        .secret()
        .json();
    assert_eq!(members(&answer), ["access"]);
    let renewed = answer["access"].as_str().unwrap();
    assert_eq!(claims(renewed)["company_id"], 1);
    system.datasets(renewed).await.is(200);
    system.datasets(&refresh).await.challenged(&INVALID);
    for wrong in [access.as_str(), "a.b.c", &expired(&refresh)] {
        let answer = system
            .0
            .post(REFRESH, "", json!({ "refresh": wrong }))
            .await
            .is(401);
        assert_eq!(errors(&answer).1, [("invalid_token".into(), Value::Null)]);
    }
    let missing = system.0.post(REFRESH, "", json!({})).await.is(400);
    assert_eq!(errors(&missing).1, [("required".into(), json!("refresh"))]);
    system.0.stop().await;
}

#[tokio::test]
async fn the_refusal_of_a_bad_token_is_the_documented_one() {
    let system = Tokens::start();
    let (access, _) = system.sign_in("user@example.com").await;
    let documented = json!({
        "type": "client_error",
        "errors": [{
            "code": "invalid_token",
            "detail": "The provided token is expired or invalid.",
            "attr": null,
            "extra": null,
        }],
    });
    for bad in ["a.b.c", &format!("{access}x"), &expired(&access)] {
        assert_eq!(
            system.datasets(bad).await.challenged(&INVALID).json(),
            documented
        );
    }
    let none = system.0.get(DATASETS, "").await.challenged(&CHALLENGE);
    assert_eq!(errors(&none).1, [("not_authenticated".into(), Value::Null)]);
    system.0.stop().await;
}

#[tokio::test]
async fn a_private_token_is_a_jwt_until_its_expiry_and_of_one_company() {
    let system = Tokens::start();
    let (access, _) = system.sign_in("user@example.com").await;
    let expires_at = in_days(90);
    let made = system.new_token(&access, "billing", &expires_at).await;
    assert_eq!(
        (&made["name"], &made["expires_at"]),
        (&json!("billing"), &json!(expires_at))
    );
    let token = made["token"].as_str().unwrap();
    assert_eq!(
        (&claims(token)["company_id"], &claims(token)["jti"]),
        (&json!(1), &made["id"])
    );
    let listed = system.0.get(PRIVATE, &bearer(&access)).await.is(200).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["last_used"]),
        (&made["id"], &Value::Null)
    );

    for good in [token, &access] {
        system.datasets(good).await.is(200);
        let other = system
            .0
            .get("/api/v1/companies/2/datasets/", &bearer(good))
            .await
            .is(403);
        assert_eq!(
            errors(&other).1,
            [("permission_denied".into(), Value::Null)]
        );
        system
            .0
            .get("/api/v1/companies/one/datasets/", &bearer(good))
            .await
            .is(403);
    }
    let listed = system.0.get(PRIVATE, &bearer(&access)).await.is(200).json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert!(listed[0]["last_used"].is_string() && listed[0]["expires_at"] == expires_at.as_str());
    assert!(listed[0].get("token").is_none());
    system.0.stop().await;
}

#[tokio::test]
async fn a_revoked_private_token_is_refused_at_once_and_anothers_is_not_there() {
    let system = Tokens::start();
    let (access, _) = system.sign_in("user@example.com").await;
    let (other, _) = system.sign_in("other@example.com").await;
    let made = system.new_token(&access, "billing", &in_days(1)).await;
    let (id, token) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    let path = format!("{PRIVATE}{id}/");
    system.0.delete(&path, &bearer(&other)).await.is(404);
    assert_eq!(
        system.0.get(PRIVATE, &bearer(&other)).await.is(200).json(),
        json!([])
    );
    // A private token manages no tokens.
    system.0.delete(&path, &bearer(token)).await.is(403);
    system
        .0
        .post(
            PRIVATE,
            &bearer(token),
            json!({ "name": "x", "expires_at": in_days(1) }),
        )
        .await
        .is(403);
    system.datasets(token).await.is(200);

    system.0.delete(&path, &bearer(&access)).await.nothing();
    system.datasets(token).await.challenged(&INVALID);
    system.0.delete(&path, &bearer(&access)).await.is(404);
    assert_eq!(
        system.0.get(PRIVATE, &bearer(&access)).await.is(200).json(),
        json!([])
    );
    system.0.stop().await;
}

#[tokio::test]
async fn an_expiry_that_is_past_missing_or_too_far_away_is_refused() {
    let system = Tokens::start();
    let (access, _) = system.sign_in("user@example.com").await;
    for body in [
        json!({ "name": "billing", "expires_at": "2024-01-15T10:30:00Z" }),
        json!({ "name": "billing" }),
        json!({ "name": "billing", "expires_at": null }),
        json!({ "name": "billing", "expires_at": "tomorrow" }),
        json!({ "name": "billing", "expires_at": in_days(100_000) }),
    ] {
        let answer = system
            .0
            .post(PRIVATE, &bearer(&access), body.clone())
            .await
            .is(400);
        let (kind, errors) = errors(&answer);
        assert_eq!(
            (kind.as_str(), errors.len(), &errors[0].1),
            ("validation_error", 1, &json!("expires_at")),
            "{body}"
        );
    }
    let unnamed = json!({ "expires_at": in_days(1) });
    let unnamed = system
        .0
        .post(PRIVATE, &bearer(&access), unnamed)
        .await
        .is(400);
    assert_eq!(errors(&unnamed).1, [("required".into(), json!("name"))]);
    system
        .0
        .send(Method::POST, PRIVATE, "", json!({}))
        .await
        .challenged(&CHALLENGE);
    system.0.stop().await;
}

#[tokio::test]
async fn a_throttled_user_is_told_when_to_come_back_whichever_token_it_is() {
    let system = Tokens(System::start_with(
        "private_tokens",
        &[("THROTTLE_RATE", "2/hour")],
    ));
    let (access, _) = system.sign_in("user@example.com").await;
    let made = system.new_token(&access, "billing", &in_days(1)).await;
    let token = made["token"].as_str().unwrap();
    system.datasets(token).await.is(200);
    for spent in [token, &access] {
        let refused = system.datasets(spent).await.throttled();
        assert_eq!(errors(&refused).1, [("throttled".into(), Value::Null)]);
    }
    // Another user has a quota of its own, and the page is no request of anybody's.
    let (other, _) = system.sign_in("other@example.com").await;
    system
        .0
        .get("/api/v1/companies/2/datasets/", &bearer(&other))
        .await
        .is(200);
    for _ in 0..5 {
        system.0.get("/settings/api-keys/", "").await.is(200);
    }
    system.0.stop().await;
}

/// As the document has it: sign in, create with a name and an expiry, copy it and the company id,
/// list, delete with a confirmation; and no mouse is needed.
#[tokio::test]
async fn the_page_makes_copies_lists_and_deletes_by_keyboard_alone() {
    let (system, browser) = (Tokens::start(), Browser::start().await);
    browser
        .goto(&format!("{}/settings/api-keys/", system.0.example.url))
        .await;
    browser.focused("#name").await;
    browser
        .press(&format!("user@example.com{TAB}{PASSWORD}{ENTER}"))
        .await;
    browser.focused("#keys-title").await;
    assert!(
        browser.text().await.contains("Company ID\n1"),
        "{}",
        browser.text().await
    );

    browser.press(TAB).await;
    browser.focused("#create-open").await;
    browser.press(ENTER).await;
    browser.focused("#create-name").await;
    browser.press(&format!("billing{TAB}")).await;
    browser.focused("#create-expiry").await;
    // The first choice, by its first letters.
    browser.press("in 7").await;
    browser.press(&format!("{TAB}{TAB}")).await;
    browser.focused("#create [type=submit]").await;
    browser.press(ENTER).await;
    browser.focused("[data-copies=shown-key]").await;
    browser.press(ENTER).await;
    browser
        .until("document.querySelector('#shown .said').textContent.startsWith('API key')")
        .await;
    let token = browser.field("#shown-key").await;
    assert_eq!(browser.field("#shown-fact-0").await, "1");
    assert_eq!(lifetime(&token) / (24 * 60 * 60), 7);
    browser.press(&format!("{TAB}{TAB}{TAB}")).await;
    browser.focused("#shown [type=submit]").await;
    browser.press(ENTER).await;
    browser.focused("#create-open").await;
    system.datasets(&token).await.is(200);

    browser.press(&format!("{TAB}{TAB}")).await;
    browser.focused("[data-does=revoke]").await;
    browser.press(ENTER).await;
    browser.focused("#revoke [data-does=close]").await;
    browser.press(TAB).await;
    browser.press(ENTER).await;
    browser.sees("You have no API keys yet.").await;
    browser.focused("#keys-title").await;
    system.datasets(&token).await.challenged(&INVALID);
    browser.close().await;
    system.0.stop().await;
}
