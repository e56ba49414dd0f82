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
//! What all of it takes and answers is in http://localhost:3000/openapi.json, for generators of
//! clients.
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower_auth::credential::Source;
use tower_auth::endpoint::{Input, KeysEndpoint, Page, Refresh, SignIn};
use tower_auth::format::FieldError;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{
    ApiKeys, AuthLayer, Method, PasswordPolicy, Principal, Rejection, RejectionKind, Requirement,
    Role,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

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
    let mut document = Restricted::openapi();
    administrator.modify(&mut document);
    document.merge(Document::openapi());
    auth.modify(&mut document);
    endpoints.modify(&mut document);
    auth.security_schemes().modify(&mut document);

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
        .merge(endpoints)
        .route("/openapi.json", get(async || Json(document))))
}

/// What anybody may who is verified.
#[derive(OpenApi)]
#[openapi(
    info(title = "Egret", description = "JWTs and egret_ keys"),
    paths(list_domains, create_organisation, create_chat_session)
)]
struct Document;

/// What administrators may.
#[derive(OpenApi)]
#[openapi(paths(create_domain, delete_domain, add_document))]
struct Restricted;

type Created<T> = (StatusCode, Json<T>);

fn created<T>(value: T) -> Created<T> {
    (StatusCode::CREATED, Json(value))
}

/// The public domains.
#[utoipa::path(
    get, path = "/domains/",
    responses((status = 200, description = "All of them", body = [Domain]))
)]
async fn list_domains(State(domains): State<Domains>) -> Json<Vec<Domain>> {
    let domains = domains.lock();
    let names = domains.keys().cloned();
    Json(names.map(|name| Domain { name }).collect())
}

/// Adds a domain.
#[utoipa::path(
    post, path = "/domains/", request_body = Named,
    responses((status = 201, description = "The domain", body = Domain), Input)
)]
async fn create_domain(
    State(domains): State<Domains>,
    mut input: Input,
) -> Result<Created<Domain>, Rejection> {
    let name = Named::read(&mut input);
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
    Ok(created(Domain { name }))
}

/// Removes a domain.
#[utoipa::path(
    delete, path = "/domains/{name}/", params(("name" = String, Path, min_length = 1)),
    responses((status = 204, description = "It is gone"), (status = 404))
)]
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

/// Adds a document to a domain.
#[utoipa::path(
    post, path = "/domains/{name}/documents/", params(("name" = String, Path, min_length = 1)),
    request_body = Titled,
    responses((status = 201, description = "The document", body = Paper), Input, (status = 404))
)]
async fn add_document(
    State(domains): State<Domains>,
    Path(name): Path<String>,
    mut input: Input,
) -> Result<Created<Paper>, Rejection> {
    let title = Titled::read(&mut input);
    input.check()?;
    domains
        .lock()
        .get_mut(&name)
        .ok_or_else(missing)?
        .push(title.clone());
    Ok(created(Paper {
        domain: name,
        title,
    }))
}

/// Adds an organisation.
#[utoipa::path(
    post, path = "/organisations/", request_body = Named,
    responses((status = 201, description = "The organisation", body = Organisation), Input)
)]
async fn create_organisation(
    caller: Principal,
    mut input: Input,
) -> Result<Created<Organisation>, Rejection> {
    let name = Named::read(&mut input);
    input.check()?;
    let owner = caller.subject().id().to_owned();
    Ok(created(Organisation { name, owner }))
}

/// Begins a chat. A body there need not be.
#[utoipa::path(
    post, path = "/chat-sessions/",
    responses((status = 201, description = "The session", body = ChatSession))
)]
async fn create_chat_session(caller: Principal, _: Input) -> Created<ChatSession> {
    let owner = caller.subject().id().to_owned();
    created(ChatSession { owner })
}

/// A body with a name. The document says of it what is read of it.
struct Named;

impl Named {
    fn read(input: &mut Input) -> String {
        input.text("name")
    }
}

impl PartialSchema for Named {
    fn schema() -> RefOr<Schema> {
        Input::schema(Self::read)
    }
}

impl ToSchema for Named {}

/// A body with a title.
struct Titled;

impl Titled {
    fn read(input: &mut Input) -> String {
        input.text("title")
    }
}

impl PartialSchema for Titled {
    fn schema() -> RefOr<Schema> {
        Input::schema(Self::read)
    }
}

impl ToSchema for Titled {}

#[derive(Serialize, ToSchema)]
struct Domain {
    name: String,
}

/// A document in a domain.
#[derive(Serialize, ToSchema)]
struct Paper {
    domain: String,
    title: String,
}

#[derive(Serialize, ToSchema)]
struct Organisation {
    name: String,
    owner: String,
}

#[derive(Serialize, ToSchema)]
struct ChatSession {
    owner: String,
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
