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
//! At http://localhost:3000/api/docs/ the Authorize button takes `Bearer …` or `Api-Key …`, word
//! for word.
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::http::{HeaderMap, header::HOST};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::error::Error;
use std::time::Duration;
use tower_auth::api_key::KeyIds;
use tower_auth::credential::Source;
use tower_auth::endpoint::{KeysEndpoint, Refresh, SignIn};
use tower_auth::format::Drf;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{ApiKeys, AuthLayer, Method, PasswordPolicy, Subject};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_swagger_ui::{Config, SwaggerUi};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
        .url_field("url");
    let endpoints = auth
        .endpoints()
        .mount(
            "/api/auth/token/",
            SignIn::of(&tokens).name_field("username"),
        )
        .mount("/api/auth/token/refresh/", Refresh::of(&tokens))
        .mount("/api/auth/clientkeys/", client_keys)
        .build()?;

    let mut document = Document::openapi();
    auth.modify(&mut document);
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
#[utoipa::path(
    get, path = "/api/health/", tag = "hub",
    responses((status = 200, description = "How they are", body = Health))
)]
async fn health() -> Json<Health> {
    let part = |name| Part {
        name,
        health: "ok",
        online: true,
    };
    Json(Health {
        overall_health: "ok",
        hub_status: Status { health: "ok" },
        site_status: vec![Site {
            site: "siteA",
            health: "ok",
            nodes: vec![part("siteA")],
            queues: vec![part("default")],
        }],
    })
}

/// The jobs that ran.
#[utoipa::path(
    get, path = "/api/jobs/", tag = "hub",
    responses((status = 200, description = "A page of jobs", body = Jobs))
)]
async fn jobs(headers: HeaderMap) -> Json<Jobs> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("localhost");
    let owners = [
        ("user", 1, "user"),
        ("system", -2, "System"),
        ("unknown", -1, "Unknown"),
    ];
    let job = |(id, (r#type, owner, name))| Job {
        url: format!("http://{host}/api/jobs/{id}/"),
        id,
        created: "2025-05-14T13:00:40.153027Z",
        state: "SUCCESS",
        site: "siteA",
        owner: Owner {
            r#type,
            id: owner,
            name,
        },
    };
    let results: Vec<Job> = (1..).zip(owners).map(job).collect();
    Json(Jobs {
        count: results.len(),
        next: None,
        previous: None,
        results,
    })
}

#[derive(Serialize, ToSchema)]
struct Health {
    overall_health: &'static str,
    hub_status: Status,
    site_status: Vec<Site>,
}

#[derive(Serialize, ToSchema)]
struct Status {
    health: &'static str,
}

#[derive(Serialize, ToSchema)]
struct Site {
    site: &'static str,
    health: &'static str,
    nodes: Vec<Part>,
    queues: Vec<Part>,
}

/// A node or a queue.
#[derive(Serialize, ToSchema)]
struct Part {
    name: &'static str,
    health: &'static str,
    online: bool,
}

#[derive(Serialize, ToSchema)]
struct Jobs {
    count: usize,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<Job>,
}

#[derive(Serialize, ToSchema)]
struct Job {
    url: String,
    id: u64,
    #[schema(format = DateTime)]
    created: &'static str,
    state: &'static str,
    site: &'static str,
    owner: Owner,
}

#[derive(Serialize, ToSchema)]
struct Owner {
    #[schema(pattern = "^(user|system|unknown)$")]
    r#type: &'static str,
    id: i64,
    name: &'static str,
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
