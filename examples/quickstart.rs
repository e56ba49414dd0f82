//! The first ten minutes: an axum server that takes a JWT, an API key or Basic on one route.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! It prints `curl` lines ready to paste, each with the answer to expect. `ADDR` (default
//! `127.0.0.1:3000`; port 0 picks a free one) says where it listens; SIGTERM and Ctrl-C let it
//! finish what it is doing.

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::Memory;
use tower_auth::test_util::TokenMint;
use tower_auth::{
    ApiKeys, AuthLayer, Jwt, KeyRequest, NewUser, PasswordPolicy, Principal, Realm, Scope, Secret,
    Subject, random_secret,
};

/// What a client is given out of band; here it goes into the `curl` lines.
struct Credentials {
    token: String,
    key: String,
}

async fn app() -> Result<(Router, Credentials), Box<dyn Error>> {
    // A real service reads the secret from its environment; this one makes up another at each
    // start.
    let secret = random_secret()?;
    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new());
    let keys = realm.api_keys(ApiKeys::prefix("demo"));
    let login = Jwt::hs256(secret.expose()).issuer("https://login.example.com");

    let auth = AuthLayer::builder()
        .accept(login.audience("reports"))
        .accept(&keys)
        .accept(users.basic())
        .build()?;

    let may_write = auth.require(Scope::new("reports:write"));
    let app = Router::new()
        .route("/reports", get(list))
        .route("/reports/new", post(create).layer(may_write))
        .layer(auth) // everything above needs a credential
        .route("/health", get(async || "ok")); // and what is added below does not

    let request = KeyRequest::new(Subject::user("ci"), "quickstart").scope("reports:write");
    let new = keys.issue(request).await?;
    let password = Secret::new(String::from("correct-horse-battery"));
    let ben = NewUser::new("ben", password).id(Subject::user("ben"));
    users.register(ben).await?;
    let expires = SystemClock.now() + Duration::from_secs(3600);
    let token = TokenMint::hs256(secret.expose()).sign(&json!({
        "iss": "https://login.example.com",
        "aud": "reports",
        "sub": "anna",
        "exp": expires.duration_since(UNIX_EPOCH)?.as_secs(),
        "scope": "reports:read",
    }));
    let key = new.key.expose().clone();
    Ok((app, Credentials { token, key }))
}

async fn list(caller: Principal) -> Json<Value> {
    let method = caller.method().to_string();
    Json(json!({ "caller": caller.subject().to_string(), "method": method }))
}

async fn create(caller: Principal) -> Json<Value> {
    Json(json!({ "created_by": caller.subject().to_string() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (app, credentials) = app().await?;
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}");
    print_curl_lines(&url, &credentials);
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

fn print_curl_lines(url: &str, Credentials { token, key }: &Credentials) {
    let line = |what: &str, arguments: &str, answer: &str| {
        println!("\n# {what}: {answer}\ncurl -s {arguments}")
    };
    let jwt = format!("-H 'Authorization: Bearer {token}'");
    line(
        "a JWT",
        &format!("{jwt} {url}/reports"),
        r#"{"caller":"anna","method":"JWT"}"#,
    );
    line(
        "an API key",
        &format!("-H 'X-API-Key: {key}' {url}/reports"),
        r#"{"caller":"ci","method":"API key"}"#,
    );
    let basic = "-u ben:correct-horse-battery";
    line(
        "Basic",
        &format!("{basic} {url}/reports"),
        r#"{"caller":"ben","method":"Basic"}"#,
    );
    line(
        "the key may write",
        &format!("-X POST -H 'Authorization: Bearer {key}' {url}/reports/new"),
        r#"{"created_by":"ci"}"#,
    );
    line(
        "the JWT lacks a scope",
        &format!("-o /dev/null -w '%{{http_code}}\\n' -X POST {jwt} {url}/reports/new"),
        "403",
    );
    line(
        "no credential",
        &format!("-o /dev/null -w '%{{http_code}}\\n' {url}/reports"),
        "401",
    );
    line("outside of the layer", &format!("{url}/health"), "ok");
}
