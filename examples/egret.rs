//! JWTs for browsers and `egret_` keys for servers, told apart by the prefix, and a page on which
//! users make keys.
//!
//! ```text
//! cargo run --example egret      # then open http://127.0.0.1:3000/settings/api-keys/
//!
//! curl -s localhost:3000/auth/jwt/create/ -H 'Content-Type: application/json' \
//!   -d '{"email": "user@example.com", "password": "correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}
//! curl -s localhost:3000/api-keys/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' -d '{"name": "ci"}'
//! # {"id":"…","name":"ci","key":"egret_…","expires_at":null,…}
//! curl -s localhost:3000/domains/ -H "Authorization: Bearer $KEY"
//! # [{"name":"business-continuity"},{"name":"us"}]
//! curl -s -X DELETE localhost:3000/domains/us/ -H "Authorization: Bearer $KEY"
//! # {"title":"Forbidden","status":403,…}: administrators alone, and they with a JWT
//! ```
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower_auth::endpoint::{Input, KeysEndpoint, Page, Refresh, SignIn};
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{
    ApiKeys, AuthLayer, FieldError, Method, PasswordPolicy, Principal, Rejection, RejectionKind,
    Requirement, Role, Source,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn app(environment: &Environment) -> Result<Router, Box<dyn Error>> {
    let realm = environment.realm().await?;
    let users = realm.users(PasswordPolicy::new());
    for user in demo_users() {
        users.ensure(user).await?;
    }
    let tokens = realm.tokens(environment.tokens(30 * MINUTE, 30 * DAY)?.issuer("egret"));
    let keys = realm.api_keys(ApiKeys::prefix("egret").sources([Source::bearer()]));
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(&keys)
        .throttle(environment.throttle())
        .build()?;
    let endpoints = auth
        .endpoints()
        .mount("/auth/jwt/create/", SignIn::of(&tokens))
        .mount("/auth/jwt/refresh/", Refresh::of(&tokens))
        .mount(
            "/api-keys/",
            KeysEndpoint::of(&keys).require(Requirement::anyone()),
        )
        .mount("/settings/api-keys/", Page::new())
        .build()?;

    let administrator = auth.require(Requirement::from(Role::new("admin")).and(Method::Jwt));
    let restricted = Router::new()
        .route("/domains/", post(create_domain))
        .route("/domains/{name}/", delete(delete_domain))
        .route("/domains/{name}/documents/", post(add_document))
        .layer(administrator);
    Ok(Router::new()
        .route("/domains/", get(list_domains))
        .route("/organisations/", post(create_organisation))
        .route("/chat-sessions/", post(create_chat_session))
        .merge(restricted)
        .with_state(Domains::new())
        .layer(auth)
        .merge(endpoints))
}

type Created = (StatusCode, Json<Value>);

fn created(value: Value) -> Created {
    (StatusCode::CREATED, Json(value))
}

async fn list_domains(State(domains): State<Domains>) -> Json<Value> {
    domains
        .lock()
        .keys()
        .map(|name| json!({ "name": name }))
        .collect::<Value>()
        .into()
}

async fn create_domain(
    State(domains): State<Domains>,
    mut input: Input,
) -> Result<Created, Rejection> {
    let name = input.text("name");
    input.check()?;
    let mut domains = domains.lock();
    if domains.contains_key(&name) {
        return Err(Rejection::invalid([FieldError::new(
            "name",
            "unique",
            "A domain has this name.",
        )]));
    }
    domains.insert(name.clone(), Vec::new());
    Ok(created(json!({ "name": name })))
}

async fn delete_domain(
    State(domains): State<Domains>,
    Path(name): Path<String>,
) -> Result<StatusCode, Rejection> {
    domains
        .lock()
        .remove(&name)
        .map(|_| StatusCode::NO_CONTENT)
        .ok_or_else(missing)
}

async fn add_document(
    State(domains): State<Domains>,
    Path(name): Path<String>,
    mut input: Input,
) -> Result<Created, Rejection> {
    let title = input.text("title");
    input.check()?;
    domains
        .lock()
        .get_mut(&name)
        .ok_or_else(missing)?
        .push(title.clone());
    Ok(created(json!({ "domain": name, "title": title })))
}

async fn create_organisation(caller: Principal, mut input: Input) -> Result<Created, Rejection> {
    let name = input.text("name");
    input.check()?;
    Ok(created(
        json!({ "name": name, "owner": caller.subject().id() }),
    ))
}

async fn create_chat_session(caller: Principal, _: Input) -> Created {
    created(json!({ "owner": caller.subject().id() }))
}

fn missing() -> Rejection {
    Rejection::new(RejectionKind::NotFound, "no such domain")
}

/// The public domains and their documents; a real service has them in a database.
#[derive(Clone)]
struct Domains(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

impl Domains {
    fn new() -> Self {
        let names = ["business-continuity", "us"];
        Self(Arc::new(Mutex::new(
            names.map(|name| (name.to_owned(), Vec::new())).into(),
        )))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let environment = Environment::read()?;
    let server = environment.bind().await?;
    Ok(server.run(app(&environment).await?).await?)
}
