//! Client keys with the `Api-Key` scheme next to JWTs, and Swagger UI over an OpenAPI document of
//! both.
//!
//! ```text
//! cargo run --example ngenea_hub
//!
//! curl -s localhost:3000/api/auth/token/ -H 'Content-Type: application/json' \
//!   -d '{"username": "user", "password": "correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}
//! curl -s localhost:3000/api/auth/clientkeys/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' -d '{"name": "your_key"}'
//! # {"api_key":"hub_…","id":1,"name":"your_key","url":"http://localhost:3000/api/auth/clientkeys/1/",…}
//! curl -s localhost:3000/api/jobs/ -H "Authorization: Api-Key $API_KEY"
//! # {"count":3,"next":null,"previous":null,"results":[…]}
//! ```
//!
//! At http://localhost:3000/api/docs/ the Authorize button takes `Bearer …` or `Api-Key …`, word for word.
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::http::{HeaderMap, header::HOST};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::error::Error;
use std::time::Duration;
use tower_auth::endpoint::{KeysEndpoint, Refresh, SignIn};
use tower_auth::format::Drf;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{ApiKeys, AuthLayer, KeyIds, Method, PasswordPolicy, Source, Subject};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const CLIENT_KEYS: &str = "/api/auth/clientkeys/";

#[derive(OpenApi)]
#[openapi(
    info(title = "Ngenea Hub", description = "JWTs and client keys"),
    paths(health, jobs)
)]
struct Document;

async fn app(environment: &Environment) -> Result<Router, Box<dyn Error>> {
    let realm = environment.realm().await?;
    let users = realm.users(PasswordPolicy::new());
    for (user, id) in demo_users().into_iter().zip(["1", "3", "2"]) {
        users.ensure(user.id(Subject::user(id))).await?;
    }
    let tokens = realm.tokens(environment.tokens(HOUR, DAY)?.issuer("ngenea_hub"));
    let keys = realm.api_keys(
        ApiKeys::prefix("hub")
            .ids(KeyIds::Serial)
            .sources([Source::api_key()]),
    );
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(&keys)
        .throttle(environment.throttle())
        .format(Drf)
        .build()?;

    let client_keys = KeysEndpoint::of(&keys)
        .require(Method::Jwt)
        .key_field("api_key")
        .show(|key, call| {
            let mut shown = KeysEndpoint::default_map(key);
            let url = call.url(&format!("{CLIENT_KEYS}{}/", key.id));
            shown.insert("url".into(), url.into());
            shown
        });
    let endpoints = auth
        .endpoints()
        .mount(
            "/api/auth/token/",
            SignIn::of(&tokens).name_field("username"),
        )
        .mount("/api/auth/token/refresh/", Refresh::of(&tokens))
        .mount(CLIENT_KEYS, client_keys)
        .build()?;

    let mut document = Document::openapi();
    endpoints.modify(&mut document);
    auth.security_schemes().one_header().modify(&mut document);

    // Without a validator: it would tell swagger.io of each visit.
    let page = SwaggerUi::new("/api/docs").config(Config::default().validator_url("none"));
    Ok(Router::new()
        .route("/api/health/", get(health))
        .route("/api/jobs/", get(jobs))
        .layer(auth)
        .merge(endpoints)
        .merge(page.url("/api/schema/", document)))
}

/// How the hub and its sites are.
#[utoipa::path(get, path = "/api/health/", tag = "hub", responses((status = 200), (status = 401)))]
async fn health() -> Json<Value> {
    let node =
        json!({ "name": "siteA", "health": "ok", "online": true, "has_default_queue": true });
    let queue = json!({ "name": "default", "health": "ok", "online": true });
    Json(json!({
        "overall_health": "ok",
        "hub_status": { "health": "ok" },
        "site_status": [{ "site": "siteA", "health": "ok", "nodes": [node], "queues": [queue] }],
    }))
}

/// The jobs that ran.
#[utoipa::path(get, path = "/api/jobs/", tag = "hub", responses((status = 200), (status = 401)))]
async fn jobs(headers: HeaderMap) -> Json<Value> {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let job = |(id, (kind, owner, name)): (usize, (&str, i32, &str))| {
        json!({
            "url": format!("http://{host}/api/jobs/{id}/"),
            "id": id,
            "created": "2025-05-14T13:00:40.153027Z",
            "state": "SUCCESS",
            "site": "siteA",
            "owner": { "type": kind, "id": owner, "name": name },
        })
    };
    let owners = [
        ("user", 1, "user"),
        ("system", -2, "System"),
        ("unknown", -1, "Unknown"),
    ];
    let results: Vec<Value> = (1..).zip(owners).map(job).collect();
    Json(json!({ "count": results.len(), "next": null, "previous": null, "results": results }))
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
