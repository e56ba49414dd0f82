//! A client that knows nothing but URLs, fields and JSON.

use crate::process::Example;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::test_util::TokenMint;

pub(super) const PASSWORD: &str = "correct-horse-battery";
pub(super) const SECRET: &str = "a secret of these tests: 8Yw2nQpL0vKx7RzT";

/// An example, and the connections to it.
pub(super) struct System {
    pub(super) example: Example,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    what: String,
}

impl System {
    pub(super) fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    pub(super) fn start_with(name: &str, variables: &[(&str, &str)]) -> Self {
        let secret = ("JWT_SECRET", SECRET);
        let variables: Vec<_> = [secret]
            .into_iter()
            .chain(variables.iter().copied())
            .collect();
        Self {
            example: Example::start_with(name, &variables),
            http: reqwest::Client::new(),
        }
    }

    /// A request with that `Authorization`, where it is not empty, and that body, where it is not
    /// null.
    pub(super) async fn send(&self, method: Method, path: &str, auth: &str, body: Value) -> Answer {
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.example.url));
        if !auth.is_empty() {
            request = request.header("authorization", auth);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        Answer::of(request, format!("{method} {path} {body}")).await
    }

    /// The same by `POST`, or by `GET` where there is no body, with further fields.
    pub(super) async fn request(
        &self,
        path: &str,
        auth: &str,
        body: &Value,
        fields: HeaderMap,
    ) -> Answer {
        let method = if body.is_null() {
            Method::GET
        } else {
            Method::POST
        };
        let request = self
            .http
            .request(method, format!("{}{path}", self.example.url))
            .headers(fields);
        let request = request.header("authorization", auth);
        let request = if body.is_null() {
            request
        } else {
            request.json(body)
        };
        Answer::of(request, format!("{path} {body}")).await
    }

    /// A key that stands in another field than the system reads is 401: `POST` where there is a
    /// body, else `GET`.
    pub(super) async fn refuses_key_in(
        &self,
        path: &str,
        body: &Value,
        fields: &[(&'static str, String)],
    ) {
        for (name, value) in fields {
            let url = format!("{}{path}", self.example.url);
            let request = if body.is_null() {
                self.http.get(url)
            } else {
                self.http.post(url).json(body)
            };
            let what = format!("{path} with {name}");
            Answer::of(request.header(*name, value), what).await.is(401);
        }
    }

    pub(super) async fn get(&self, path: &str, auth: &str) -> Answer {
        self.send(Method::GET, path, auth, Value::Null).await
    }

    pub(super) async fn post(&self, path: &str, auth: &str, body: Value) -> Answer {
        self.send(Method::POST, path, auth, body).await
    }

    pub(super) async fn delete(&self, path: &str, auth: &str) -> Answer {
        self.send(Method::DELETE, path, auth, Value::Null).await
    }

    /// A body of that content type, none where it is empty.
    pub(super) async fn post_text(
        &self,
        path: &str,
        auth: &str,
        content_type: &str,
        body: &str,
    ) -> Answer {
        let mut request = self
            .http
            .post(format!("{}{path}", self.example.url))
            .body(body.to_owned());
        for (name, value) in [("authorization", auth), ("content-type", content_type)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        Answer::of(request, format!("POST {path} {content_type} {body}")).await
    }

    /// Access and refresh token of whoever signs in there with that name.
    pub(super) async fn sign_in(&self, path: &str, field: &str, name: &str) -> (String, String) {
        let answer = self
            .post(path, "", json!({ field: name, "password": PASSWORD }))
            .await;
        let pair = answer.is(200).secret().json();
        let token = |name: &str| pair[name].as_str().unwrap().to_owned();
        (token("access"), token("refresh"))
    }

    /// It stops as an operator stops it, with exit code 0, and answers no more.
    pub(super) async fn stop(self) {
        let url = self.example.url.clone();
        drop(self.http);
        let status = self.example.terminate();
        assert_eq!(status.code(), Some(0));
        assert!(reqwest::get(url).await.is_err(), "it has stopped");
    }
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder, what: String) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.unwrap(),
            what,
        }
    }

    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.what, self.text);
        self
    }

    /// It carries a secret, so no cache may keep it.
    #[track_caller]
    pub(super) fn secret(self) -> Self {
        assert_eq!(self.headers["cache-control"], "no-store", "{}", self.what);
        self
    }

    /// 204 without a body.
    #[track_caller]
    pub(super) fn nothing(self) {
        let answer = self.is(204);
        assert_eq!(answer.text, "", "{}", answer.what);
    }

    /// 401 with these challenges.
    #[track_caller]
    pub(super) fn challenged(self, challenges: &[&str]) -> Self {
        let answer = self.is(401);
        let lines: Vec<&str> = answer
            .headers
            .get_all("www-authenticate")
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect();
        assert_eq!(lines, challenges, "{}", answer.what);
        answer
    }

    /// 429 that says when to come back.
    #[track_caller]
    pub(super) fn throttled(self) -> Self {
        let answer = self.is(429);
        let seconds: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=3_600).contains(&seconds), "{seconds}");
        assert!(answer.headers.contains_key("ratelimit"), "{}", answer.what);
        answer
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        assert_eq!(
            self.headers["content-type"], "application/json",
            "{}",
            self.what
        );
        serde_json::from_str(&self.text).unwrap()
    }

    #[track_caller]
    pub(super) fn text_of(&self, member: &str) -> String {
        self.json()[member]
            .as_str()
            .unwrap_or_else(|| panic!("{member} in {}", self.text))
            .to_owned()
    }
}

pub(super) fn bearer(credential: &str) -> String {
    format!("Bearer {credential}")
}

/// The names of an object's members, sorted.
#[track_caller]
pub(super) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

/// The claims of a token, unverified.
pub(super) fn claims(token: &str) -> Value {
    use base64::Engine;
    let payload = token.split('.').nth(1).unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

/// How long a token lives, in seconds.
pub(super) fn lifetime(token: &str) -> u64 {
    let claims = claims(token);
    claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
}

/// That token with other times, which only whoever knows the secret can make.
pub(super) fn expired(token: &str) -> String {
    let mut claims = claims(token);
    claims["iat"] = json!(1_705_310_000);
    claims["exp"] = json!(1_705_314_600); // 2024-01-15T10:30:00Z
    TokenMint::hs256(SECRET).sign(&claims)
}

/// That many days from now (RFC 3339).
pub(super) fn in_days(days: u64) -> String {
    let at = SystemClock.now() + Duration::from_secs(days * 24 * 60 * 60);
    let seconds = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(i64::try_from(seconds).unwrap())
        .unwrap()
        .to_string()
}
