//! The page with cookies: they are good on its own routes alone, and only from a page of the same
//! origin.

use super::site::{ACCESS, PASSWORD, Site, page};
use crate::support::{Reply, reply};
use axum::Router;
use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::Grant;
use tower_auth::store::UserRecord;

const SAME: (&str, &str) = ("sec-fetch-site", "same-origin");
const HOST: (&str, &str) = ("host", "keys.example.com");

/// A browser that has no opinions: it sends what it is told to.
struct Client {
    app: Router,
    cookie: String,
}

impl Client {
    async fn new(site: &Site) -> Self {
        let endpoints = site
            .with_api_keys()
            .mount("/settings/", page().cookies("keys"));
        let mut client = Self {
            app: site.router(endpoints),
            cookie: String::new(),
        };
        let answer = client.sign_in(&[SAME]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
        client.cookie = cookies(&answer)
            .iter()
            .map(|cookie| pair(cookie))
            .collect::<Vec<_>>()
            .join("; ");
        client
    }

    async fn sign_in(&self, fields: &[(&str, &str)]) -> Reply {
        let body = json!({ "email": "anna@example.com", "password": PASSWORD });
        self.send(Method::POST, "/settings/session/", fields, body)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        body: Value,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        reply(
            self.app
                .clone()
                .oneshot(request.body(body).unwrap())
                .await
                .unwrap(),
        )
        .await
    }

    /// As the page does, with the cookies.
    async fn page(&self, method: Method, path: &str, body: Value) -> Reply {
        self.send(method, path, &[SAME, ("cookie", &self.cookie)], body)
            .await
    }

    async fn keys(&self, fields: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, "/settings/keys/", fields, Value::Null)
            .await
    }
}

fn cookies(reply: &Reply) -> Vec<&str> {
    reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect()
}

fn pair(cookie: &str) -> &str {
    cookie.split(';').next().unwrap()
}

#[tokio::test]
async fn a_sign_in_gives_cookies_that_no_script_and_no_other_site_has() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let answer = client.sign_in(&[SAME]).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let cookies = cookies(&answer);
    assert_eq!(cookies.len(), 2);
    for (cookie, name) in cookies
        .iter()
        .zip(["__Host-keys-access=ey", "__Host-keys-refresh=ey"])
    {
        assert!(cookie.starts_with(name));
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"));
    }
    let fields = answer.headers.get_all("set-cookie");
    assert!(fields.iter().all(http::HeaderValue::is_sensitive));
}

#[tokio::test]
async fn the_page_manages_keys_with_its_cookies() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let owner = client
        .page(Method::GET, "/settings/owner/", Value::Null)
        .await;
    let facts = json!([{ "label": "Company ID", "value": "1" }]);
    assert_eq!(
        owner.json(),
        json!({ "name": "anna@example.com", "facts": facts, "scopes": [] })
    );

    let made = client
        .page(Method::POST, "/settings/keys/", json!({ "name": "ci" }))
        .await;
    assert_eq!(made.status, 201);
    let (id, key) = (
        made.json()["id"].as_str().unwrap().to_owned(),
        made.json()["key"].as_str().unwrap().to_owned(),
    );
    let whoami = |key: &str| client.send_whoami(key.to_owned());
    assert_eq!(whoami(&key).await.status, 200);
    let path = format!("/settings/keys/{id}/rotate/");
    let rotated = client
        .page(Method::POST, &path, json!({ "overlap": 0 }))
        .await;
    let successor = rotated.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(
        (whoami(&key).await.status, whoami(&successor).await.status),
        (401.try_into().unwrap(), 200.try_into().unwrap())
    );
    let path = format!("/settings/keys/{}/", rotated.json()["id"].as_str().unwrap());
    assert_eq!(
        client.page(Method::DELETE, &path, Value::Null).await.status,
        204
    );
    assert_eq!(whoami(&successor).await.status, 401);
}

impl Client {
    async fn send_whoami(&self, key: String) -> Reply {
        self.send(Method::GET, "/whoami", &[("x-api-key", &key)], Value::Null)
            .await
    }
}

#[tokio::test]
async fn no_other_route_takes_a_cookie() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    for path in ["/whoami", "/api-keys/"] {
        let answer = client.page(Method::GET, path, Value::Null).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "not_authenticated"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_no_page_of_the_same_origin_sent_is_refused() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let cookie = ("cookie", client.cookie.as_str());
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let rows: [(&str, Fields<'_>, u16); 12] = [
        ("the page", &[SAME], 201),
        (
            "the page, in an older browser",
            &[HOST, ("origin", "https://keys.example.com")],
            201,
        ),
        (
            "a page of http, which anybody on the way may have written",
            &[HOST, ("origin", "http://keys.example.com")],
            403,
        ),
        ("another site", &[("sec-fetch-site", "cross-site")], 403),
        (
            "another host of the same site",
            &[("sec-fetch-site", "same-site")],
            403,
        ),
        ("the address bar", &[("sec-fetch-site", "none")], 403),
        (
            "another site that names our origin",
            &[
                ("sec-fetch-site", "cross-site"),
                HOST,
                ("origin", "https://keys.example.com"),
            ],
            403,
        ),
        (
            "another site, in an older browser",
            &[HOST, ("origin", "https://evil.example.com")],
            403,
        ),
        (
            "a host that begins like ours",
            &[HOST, ("origin", "https://keys.example.com.evil.org")],
            403,
        ),
        (
            "another port",
            &[HOST, ("origin", "https://keys.example.com:8443")],
            403,
        ),
        ("a sandboxed frame", &[HOST, ("origin", "null")], 403),
        ("who says nothing", &[HOST], 403),
    ];
    for (name, fields, status) in rows {
        let fields: Vec<_> = fields.iter().copied().chain([cookie]).collect();
        let answer = client
            .send(
                Method::POST,
                "/settings/keys/",
                &fields,
                json!({ "name": name }),
            )
            .await;
        assert_eq!(answer.status.as_u16(), status, "{name}");
        let answer = client
            .send(
                Method::POST,
                "/settings/session/refresh/",
                &fields,
                Value::Null,
            )
            .await;
        assert_eq!(
            answer.status.as_u16(),
            if status == 201 { 204 } else { 403 },
            "{name}"
        );
    }
    // Neither may another site sign a visitor in as somebody else.
    assert_eq!(
        client
            .sign_in(&[("sec-fetch-site", "cross-site")])
            .await
            .status,
        403
    );
    let keys = client
        .page(Method::GET, "/settings/keys/", Value::Null)
        .await
        .json();
    assert_eq!(
        keys.as_array().unwrap().len(),
        2,
        "what was refused made nothing"
    );
}

#[tokio::test]
async fn with_a_public_url_the_origin_is_that_one() {
    let site = Site::new().await;
    let endpoints = site
        .with_api_keys()
        .public_url("https://api.example.com")
        .mount("/settings/", page().cookies("keys"));
    let client = Client {
        app: site.router(endpoints),
        cookie: String::new(),
    };
    for (origin, status) in [
        ("https://api.example.com", 204),
        ("http://api.example.com", 403),
        ("https://keys.example.com", 403),
    ] {
        assert_eq!(
            client
                .sign_in(&[HOST, ("origin", origin)])
                .await
                .status
                .as_u16(),
            status,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn cookies_are_credentials_like_any_other() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let cookie = client.cookie.as_str();
    let (access, refresh) = cookie.split_once("; ").unwrap();
    let doubled = format!("{access}; {access}");
    let swapped = refresh.replace("refresh", "access");
    type Fields<'a> = &'a [(&'a str, &'a str)];
    let rows: [(&str, Fields<'_>, u16, &str); 8] = [
        ("good", &[SAME, ("cookie", cookie)], 200, ""),
        (
            "in two fields",
            &[SAME, ("cookie", "theme=dark"), ("cookie", access)],
            200,
            "",
        ),
        ("none", &[SAME], 401, "not_authenticated"),
        (
            "empty",
            &[SAME, ("cookie", "__Host-keys-access=")],
            401,
            "not_authenticated",
        ),
        (
            "garbage",
            &[SAME, ("cookie", "__Host-keys-access=a.b.c")],
            401,
            "token_invalid",
        ),
        (
            "twice",
            &[SAME, ("cookie", &doubled)],
            400,
            "invalid_request",
        ),
        (
            "beside a token",
            &[SAME, ("cookie", cookie), ("authorization", "Bearer a.b.c")],
            400,
            "invalid_request",
        ),
        (
            "a refresh token in the place of an access token",
            &[SAME, ("cookie", &swapped)],
            401,
            "token_invalid",
        ),
    ];
    for (name, fields, status, code) in rows {
        let answer = client.keys(fields).await;
        let found = answer.json()["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert_eq!(
            (answer.status.as_u16(), found.as_str()),
            (status, code),
            "{name}"
        );
        // Else the browser would ask for a name and a password itself.
        assert!(
            !answer
                .challenges()
                .iter()
                .any(|line| line.starts_with("Basic")),
            "{name}"
        );
        assert_eq!(answer.challenges().is_empty(), status == 200, "{name}");
    }
}

#[tokio::test]
async fn an_api_key_in_the_cookie_is_nobody_who_signed_in() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let made = client
        .page(Method::POST, "/settings/keys/", json!({ "name": "ci" }))
        .await
        .json();
    let cookie = format!("__Host-keys-access={}", made["key"].as_str().unwrap());
    let owner = client
        .send(
            Method::GET,
            "/settings/owner/",
            &[SAME, ("cookie", &cookie)],
            Value::Null,
        )
        .await;
    assert_eq!(owner.status, 403);
}

#[tokio::test]
async fn an_expired_access_cookie_is_renewed_by_the_refresh_cookie() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    site.clock.advance(ACCESS);
    assert_eq!(
        client
            .page(Method::GET, "/settings/keys/", Value::Null)
            .await
            .status,
        401
    );
    let renewed = client
        .page(Method::POST, "/settings/session/refresh/", Value::Null)
        .await;
    assert_eq!(renewed.status, 204);
    let cookie = cookies(&renewed)
        .iter()
        .map(|cookie| pair(cookie))
        .collect::<Vec<_>>()
        .join("; ");
    assert_eq!(client.keys(&[SAME, ("cookie", &cookie)]).await.status, 200);
    // Rotation is on: the former refresh cookie, long after, ends the family.
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(
        client
            .page(Method::POST, "/settings/session/refresh/", Value::Null)
            .await
            .status,
        401
    );
    assert_eq!(client.keys(&[SAME, ("cookie", &cookie)]).await.status, 401);
}

#[tokio::test]
async fn a_sign_out_ends_the_family_and_takes_the_cookies_away() {
    let site = Site::new().await;
    let client = Client::new(&site).await;
    let out = client
        .page(Method::POST, "/settings/session/end/", Value::Null)
        .await;
    assert_eq!(out.status, 204);
    for (cookie, name) in cookies(&out)
        .iter()
        .zip(["__Host-keys-access=;", "__Host-keys-refresh=;"])
    {
        assert!(
            cookie.starts_with(name) && cookie.ends_with("; Max-Age=0"),
            "{cookie}"
        );
    }
    assert_eq!(
        client
            .page(Method::GET, "/settings/keys/", Value::Null)
            .await
            .status,
        401
    );
    assert_eq!(
        client
            .page(Method::POST, "/settings/session/refresh/", Value::Null)
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_token_that_no_browser_would_keep_is_an_error() {
    let grant = |_: &UserRecord, grant: Grant| grant.claim("long", &"x".repeat(4000));
    let site = Site::of(|tokens| tokens.grant(grant), |builder| builder).await;
    let endpoints = site
        .with_api_keys()
        .mount("/settings/", page().cookies("keys"));
    let client = Client {
        app: site.router(endpoints),
        cookie: String::new(),
    };
    let answer = client.sign_in(&[SAME]).await;
    assert_eq!((answer.status.as_u16(), cookies(&answer).len()), (500, 0));
}
