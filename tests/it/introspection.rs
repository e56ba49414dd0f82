//! Opaque tokens, about which their issuer is asked (RFC 7662).

use crate::support::{Reply, Whoami, bearer, jwt, reply, send, token_for};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::jwt::Introspection;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::Memory;
use tower_auth::test_util::ManualClock;
use tower_auth::throttle::AttemptLimits;
use tower_auth::{ApiKeys, AuthLayer, ConfigProblem, KeyRequest, Realm, Secret, Subject};
use tower_layer::Layer;

const NOW: u64 = 1_800_000_000;
const URL: &str = "https://login.example.com/oauth2/introspect";
/// Test values.
const CLIENT: &str = "reports service";
const SECRET: &str = "u4Zq7Kw2xRm9 +%&:of a client";
const TOKEN: &str = "opaque-token.of_anna~1+2/3==";

/// An issuer that answers what it is told to, and keeps what it was asked.
#[derive(Clone)]
struct Issuer(Arc<Mutex<Says>>);

struct Says {
    answer: Answer,
    asked: Vec<Request<Bytes>>,
}

#[derive(Clone)]
enum Answer {
    Json(Value),
    Text(u16, String),
    Silence,
    Unreachable,
}

impl Issuer {
    fn new(answer: Value) -> Self {
        Self(Arc::new(Mutex::new(Says {
            answer: Answer::Json(answer),
            asked: Vec::new(),
        })))
    }

    fn answers(&self, answer: Answer) {
        self.0.lock().unwrap().answer = answer;
    }

    /// How often it was asked since the last time.
    fn asked(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().asked).len()
    }
}

#[async_trait]
impl Fetch for Issuer {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        _: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let answer = {
            let mut says = self.0.lock().unwrap();
            says.asked.push(request);
            says.answer.clone()
        };
        match answer {
            Answer::Json(json) => Ok(Response::new(json.to_string().into())),
            Answer::Text(status, text) => {
                let response = Response::builder().status(status);
                Ok(response.body(text.into()).unwrap())
            }
            Answer::Silence => std::future::pending().await,
            Answer::Unreachable => Err(FetchError::new("no route")),
        }
    }
}

fn active() -> Value {
    json!({ "active": true, "sub": "anna", "aud": "reports", "scope": "reports:read", "client_id": "web", "token_type": "Bearer" })
}

/// What the issuer says with one member in another way; `null` takes it out.
fn with(name: &str, value: Value) -> Value {
    let mut said = active();
    said[name] = value;
    said.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    said
}

fn introspection(issuer: &Issuer) -> Introspection {
    Introspection::at(URL)
        .client(CLIENT, Secret::new(SECRET.into()))
        .audience("reports")
        .fetcher(issuer.clone())
}

fn builder(clock: &ManualClock) -> AuthLayerBuilder {
    let realm = Realm::new(Memory::new()).clock(clock.clone());
    AuthLayer::builder().realm(&realm)
}

fn layer(issuer: &Issuer) -> (AuthLayer, ManualClock) {
    let clock = ManualClock::new(NOW);
    let layer = builder(&clock)
        .accept(introspection(issuer))
        .build()
        .unwrap();
    (layer, clock)
}

async fn ask(layer: &AuthLayer, token: &str) -> Reply {
    reply(layer.layer(Whoami).oneshot(bearer(token)).await.unwrap()).await
}

#[tokio::test]
async fn the_issuer_is_asked_once_as_a_client_and_its_answer_is_the_caller() {
    let issuer = Issuer::new(active());
    let (layer, _) = layer(&issuer);
    for _ in 0..3 {
        let reply = ask(&layer, TOKEN).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, "Jwt anna"));
    }
    let asked = issuer.0.lock().unwrap().asked.pop().unwrap();
    assert_eq!(
        (asked.method(), asked.uri().to_string()),
        (&Method::POST, URL.into())
    );
    assert_eq!(
        asked.headers()["content-type"],
        "application/x-www-form-urlencoded"
    );
    let form = "token=opaque-token.of_anna%7E1%2B2%2F3%3D%3D&token_type_hint=access_token";
    assert_eq!(asked.body(), form);
    // RFC 6749 §2.3.1: in a form's encoding, then as Basic.
    use base64::Engine;
    let pair = "reports+service:u4Zq7Kw2xRm9+%2B%25%26%3Aof+a+client";
    let basic = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair));
    assert_eq!(asked.headers()["authorization"], basic);
    assert!(asked.headers()["authorization"].is_sensitive());
    assert_eq!(issuer.asked(), 0, "once in all");
}

#[tokio::test]
async fn an_answer_is_believed_for_its_time_and_never_beyond_the_tokens_end() {
    let issuer = Issuer::new(active());
    let (layer, clock) = layer(&issuer);
    assert_eq!(ask(&layer, TOKEN).await.status, 200);
    issuer.answers(Answer::Json(json!({ "active": false })));
    clock.advance(Duration::from_secs(59));
    assert_eq!(ask(&layer, TOKEN).await.status, 200, "it is not known yet");
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        ask(&layer, TOKEN).await.status,
        401,
        "revoked at its issuer"
    );

    issuer.answers(Answer::Json(with("exp", (NOW + 70).into())));
    clock.advance(Duration::from_secs(2));
    assert_eq!(ask(&layer, TOKEN).await.status, 200);
    issuer.asked();
    clock.advance(Duration::from_secs(7));
    assert_eq!(
        (ask(&layer, TOKEN).await.status, issuer.asked()),
        (StatusCode::OK, 0)
    );
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        (ask(&layer, TOKEN).await.status, issuer.asked()),
        (StatusCode::OK, 1),
        "the leeway"
    );
    clock.advance(Duration::from_secs(60));
    assert_eq!(ask(&layer, TOKEN).await.status, 401, "it has ended");
}

#[tokio::test]
async fn a_token_that_is_not_active_is_not_asked_about_at_once_again() {
    let issuer = Issuer::new(json!({ "active": false }));
    let (layer, clock) = layer(&issuer);
    for _ in 0..3 {
        assert_eq!(ask(&layer, TOKEN).await.status, 401);
    }
    assert_eq!(issuer.asked(), 1);
    issuer.answers(Answer::Json(active()));
    clock.advance(Duration::from_secs(2));
    assert_eq!(ask(&layer, TOKEN).await.status, 200);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn with_no_time_to_believe_it_each_request_asks() {
    let issuer = Issuer::new(active());
    let asking = introspection(&issuer).remembered(Duration::ZERO);
    let layer = builder(&ManualClock::new(NOW))
        .accept(asking)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(ask(&layer, TOKEN).await.status, 200);
    }
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn an_active_token_that_is_for_something_else_is_refused() {
    for (name, said) in [
        ("another audience", with("aud", "billing".into())),
        ("several others", with("aud", json!(["billing", "mail"]))),
        ("no audience", with("aud", Value::Null)),
        ("nobody", with("sub", Value::Null)),
        ("an empty subject", with("sub", "".into())),
        ("expired", with("exp", (NOW - 60).into())),
        ("not yet", with("nbf", (NOW + 61).into())),
        ("issued in the future", with("iat", (NOW + 61).into())),
        ("another issuer", with("iss", "https://evil.example".into())),
        ("bound to a key", with("cnf", json!({ "jkt": "x" }))),
        (
            "a refresh token",
            with("token_type", "refresh_token".into()),
        ),
        ("an ID token", with("token_use", "id".into())),
        (
            "a refresh token by its use",
            with("token_use", "refresh_token".into()),
        ),
        ("a subject of a wrong type", with("sub", 7.into())),
        ("an expiry of a wrong type", with("exp", "tomorrow".into())),
        (
            "scopes of a wrong type",
            with("scope", json!({ "a": true })),
        ),
    ] {
        let issuer = Issuer::new(said);
        let (layer, _) = layer(&issuer);
        let reply = ask(&layer, TOKEN).await;
        assert_eq!(
            (reply.status.as_u16(), &*reply.code()),
            (401, "token_invalid"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_access_token_may_say_what_it_is_in_the_words_of_its_issuer() {
    for (name, said) in [
        ("nothing", active()),
        ("Cognito", with("token_use", "access".into())),
        ("ORY Hydra", with("token_use", "access_token".into())),
    ] {
        let (layer, _) = layer(&Issuer::new(said));
        assert_eq!(ask(&layer, TOKEN).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn what_says_what_stands_for_an_audience_is_accepted_without_one() {
    let said = with("aud", Value::Null);
    for (client, status) in [("web", 200), ("other", 401)] {
        let issuer = Issuer::new(said.clone());
        let asking = Introspection::at(URL)
            .client(CLIENT, Secret::new(SECRET.into()))
            .instead_of_audience("client_id", client)
            .fetcher(issuer);
        let layer = builder(&ManualClock::new(NOW))
            .accept(asking)
            .build()
            .unwrap();
        assert_eq!(ask(&layer, TOKEN).await.status, status, "{client}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_fails_is_503_and_the_next_request_asks_again() {
    let issuer = Issuer::new(active());
    let (layer, _) = layer(&issuer);
    for (name, answer) in [
        ("wrong client", Answer::Text(401, String::new())),
        ("forbidden", Answer::Text(403, String::new())),
        ("down", Answer::Text(500, "oops".into())),
        ("moved", Answer::Text(302, String::new())),
        ("not JSON", Answer::Text(200, "<html>".into())),
        ("no object", Answer::Json(json!([true]))),
        ("no active", Answer::Json(json!({ "sub": "anna" }))),
        (
            "active as a text",
            Answer::Json(with("active", "true".into())),
        ),
        (
            "active twice",
            Answer::Text(
                200,
                r#"{"active":false,"active":true,"sub":"anna","aud":"reports"}"#.into(),
            ),
        ),
        ("endless", Answer::Text(200, " ".repeat(100_000))),
        ("silent", Answer::Silence),
        ("unreachable", Answer::Unreachable),
    ] {
        issuer.answers(answer);
        let reply = ask(&layer, TOKEN).await;
        assert_eq!(reply.status, 503, "{name}");
        assert!(reply.headers.contains_key("retry-after"), "{name}");
        assert_eq!(issuer.asked(), 1, "{name}");
    }
    issuer.answers(Answer::Json(active()));
    assert_eq!(ask(&layer, TOKEN).await.status, 200);
}

#[tokio::test]
async fn who_hangs_up_takes_no_answer_from_the_next() {
    let issuer = Issuer::new(active());
    let (layer, _) = layer(&issuer);
    issuer.answers(Answer::Silence);
    let asking = ask(&layer, TOKEN);
    assert!(
        tokio::time::timeout(Duration::from_millis(1), asking)
            .await
            .is_err()
    );
    issuer.answers(Answer::Json(active()));
    assert_eq!(ask(&layer, TOKEN).await.status, 200);
}

#[tokio::test]
async fn made_up_tokens_of_one_address_are_refused_before_the_issuer_is_asked() {
    let issuer = Issuer::new(json!({ "active": false }));
    let clock = ManualClock::new(NOW);
    let realm = Realm::new(Memory::new())
        .clock(clock)
        .attempts(AttemptLimits::new().per_address("20/15min"));
    let layer = AuthLayer::builder()
        .realm(&realm)
        .accept(introspection(&issuer))
        .build()
        .unwrap();
    let from = |token: &str, last: u8| {
        let mut request = bearer(token);
        let peer = tower_auth::throttle::Peer([192, 0, 2, last].into());
        request.extensions_mut().insert(peer);
        request
    };
    for n in 0..100 {
        send(&layer, from(&format!("made-up-{n}"), 1)).await;
    }
    assert_eq!(issuer.asked(), 20);
    issuer.answers(Answer::Json(active()));
    assert_eq!(send(&layer, from(TOKEN, 2)).await.status, 200, "elsewhere");
}

#[tokio::test]
async fn what_others_claim_is_none_of_its_business() {
    let issuer = Issuer::new(json!({ "active": false }));
    let realm = Realm::new(Memory::new());
    let keys = realm.api_keys(ApiKeys::prefix("egret"));
    let layer = AuthLayer::builder()
        .realm(&realm)
        .accept(introspection(&issuer))
        .accept(jwt())
        .accept(&keys)
        .build()
        .unwrap();
    let key = keys
        .issue(KeyRequest::new(Subject::user("ci"), "ci"))
        .await
        .unwrap();
    for credential in [key.key.expose(), &token_for("anna")] {
        assert_eq!(ask(&layer, credential).await.status, 200);
    }
    assert_eq!(issuer.asked(), 0);
    assert_eq!(ask(&layer, TOKEN).await.status, 401);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn its_mistakes_are_told_by_name_and_its_secret_never_is() {
    let issuer = || Issuer::new(active());
    let problems = |introspection: Introspection| {
        let error = AuthLayer::builder()
            .accept(introspection)
            .build()
            .unwrap_err();
        error.problems().to_vec()
    };
    let secret = || Secret::new(SECRET.to_owned());
    let at = |url: &str| {
        Introspection::at(url)
            .client(CLIENT, secret())
            .audience("a")
            .fetcher(issuer())
    };
    assert!(matches!(
        &*problems(at("http://login.example.com/")),
        [ConfigProblem::KeysUrl { .. }]
    ));
    assert!(
        AuthLayer::builder()
            .accept(at("http://127.0.0.1:1/"))
            .build()
            .is_ok()
    );
    assert!(
        AuthLayer::builder()
            .accept(at("http://login.example.com/").dangerous())
            .build()
            .is_ok()
    );
    let nobody = Introspection::at(URL).audience("a").fetcher(issuer());
    assert_eq!(problems(nobody), [ConfigProblem::IntrospectionClient]);
    let no_audience = Introspection::at(URL)
        .client(CLIENT, secret())
        .fetcher(issuer());
    assert_eq!(problems(no_audience), [ConfigProblem::Audience]);
    let too_long = at(URL).remembered(Duration::from_secs(3_601));
    assert_eq!(problems(too_long), [ConfigProblem::IntrospectionRemembered]);
    let shown = format!("{:?}", at(URL));
    assert!(shown.contains(CLIENT) && !shown.contains(SECRET));
}

/// Two services of ours: one issues tokens, and the other asks it about them over a socket.
#[tokio::test]
async fn a_service_of_ours_asks_another_one() {
    use axum::Router;
    use tower_auth::endpoint::Introspect;
    use tower_auth::{Grant, NewUser, PasswordPolicy, Role, Tokens};
    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(
        Tokens::hs256("u4Zq7Kw2xRm9 of the issuer 0123456789")
            .issuer("https://login.example.com")
            .audience("reports"),
    );
    // Of characters that a form leaves as they are, for so it is encoded.
    let password = || Secret::new(String::from("tests-only-Klammer-Heftung"));
    let service = NewUser::new("reports", password()).role("service");
    users.register(service).await.unwrap();
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(users.basic())
        .build()
        .unwrap();
    let endpoint = Introspect::of(&tokens).require(Role::new("service"));
    let endpoints = auth
        .endpoints()
        .mount("/introspect", endpoint)
        .build()
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, Router::from(endpoints)).await });

    let asking = Introspection::at(format!("http://{address}/introspect"))
        .client("reports", password())
        .issuer("https://login.example.com")
        .audience("reports")
        .remembered(Duration::ZERO);
    let layer = AuthLayer::builder().accept(asking).build().unwrap();
    let pair = tokens
        .issue(Grant::new(Subject::user("anna")).scope("reports:read"))
        .await
        .unwrap();
    let token = pair.access().expose();
    let reply = ask(&layer, token).await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "Jwt anna"));
    tokens.revoke(token).await.unwrap();
    assert_eq!(ask(&layer, token).await.status, 401);
    server.abort();
}
