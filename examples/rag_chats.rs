//! Signing in with an email address, and API keys without a visible prefix, each for one agent.
//!
//! ```text
//! cargo run --example rag_chats
//!
//! curl -s localhost:3000/api/auth/login/ -H 'Content-Type: application/json' \
//!   -d '{"email": "user@example.com", "password": "correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…","user":{"email":"user@example.com","firstName":"Anna",…}}
//! curl -s localhost:3000/api/agents/ -H "Authorization: Bearer $ACCESS"
//! # [{"id":"support","name":"Support"},{"id":"sales","name":"Sales"}]
//! curl -s localhost:3000/api/agents/support/api-keys/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' -d '{"name": "website"}'
//! # {"id":"…","key":"…","name":"website",…}
//! curl -s localhost:3000/api/agents/support/query/ -H "Authorization: Bearer $KEY" \
//!   -H 'Content-Type: application/json' -d '{"message": "Hello"}'
//! # {"answer":"Support heard: Hello"}; at /api/agents/sales/query/ {"error":"permission_denied",…}
//! ```
//!
//! What all of it takes and answers is in http://localhost:3000/api/schema/, for generators of
//! clients.
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tower_auth::api_key::KeyIds;
use tower_auth::credential::Source;
use tower_auth::endpoint::{Input, KeysEndpoint, Refresh, SignIn, SignOut};
use tower_auth::format::Coded;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{
    ApiKeys, AuthLayer, Method, PasswordPolicy, Principal, Rejection, RejectionKind, Subject, Users,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

const HOUR: Duration = Duration::from_secs(60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

async fn app(environment: &Environment) -> Result<Router, Box<dyn Error>> {
    let realm = environment.realm().await?;
    let agents = agents(&realm.users(PasswordPolicy::new())).await?;
    let tokens = realm.tokens(environment.tokens(HOUR, WEEK)?.issuer("rag_chats"));
    let keys = realm.api_keys(
        ApiKeys::bare()
            .ids(KeyIds::Uuid)
            .sources([Source::bearer()]),
    );
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(&keys)
        .throttle(environment.throttle())
        .format(Coded)
        .build()?;

    let owned = Arc::clone(&agents);
    let agent_keys = KeysEndpoint::of(&keys)
        .require(Method::Jwt)
        .owner(move |call| {
            let id = call.parameter("agent").unwrap_or_default();
            owned.of(call.verified()?, id).map(Agent::subject)
        });
    let endpoints = auth
        .endpoints()
        .mount("/api/auth/login/", SignIn::of(&tokens).with_user())
        .mount("/api/auth/token/refresh/", Refresh::of(&tokens))
        .mount("/api/auth/logout/", SignOut::of(&tokens))
        .mount("/api/agents/{agent}/api-keys/", agent_keys)
        .build()?;

    let owners = auth.require(Method::Jwt);
    let mut document = ForOwners::openapi();
    owners.modify(&mut document);
    document.merge(Document::openapi());
    auth.modify(&mut document);
    endpoints.modify(&mut document);
    auth.security_schemes().modify(&mut document);

    Ok(Router::new()
        .route("/api/agents/", get(list).layer(owners))
        .route("/api/agents/{agent}/query/", post(query))
        .with_state(agents)
        .layer(auth)
        .merge(endpoints)
        .route("/api/schema/", get(async || Json(document))))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "RAG chats", description = "A key per agent"),
    paths(query)
)]
struct Document;

/// What takes no key.
#[derive(OpenApi)]
#[openapi(paths(list))]
struct ForOwners;

/// The caller's agents.
#[utoipa::path(
    get, path = "/api/agents/", tag = "agents",
    responses((status = 200, description = "All of them", body = [ShownAgent]))
)]
async fn list(caller: Principal, State(agents): State<Arc<Agents>>) -> Json<Vec<ShownAgent>> {
    let agents = agents.0.iter();
    let owned = agents.filter(|agent| agent.owner == *caller.subject());
    Json(owned.map(ShownAgent::of).collect())
}

/// Asks an agent.
#[utoipa::path(
    post, path = "/api/agents/{agent}/query/", tag = "agents",
    params(("agent" = String, Path, min_length = 1)), request_body = Query,
    responses((status = 200, description = "What it says", body = Said), Input, (status = 403), (status = 404))
)]
async fn query(
    caller: Principal,
    State(agents): State<Arc<Agents>>,
    Path(id): Path<String>,
    mut input: Input,
) -> Result<Json<Said>, Rejection> {
    let agent = agents.of(&caller, &id)?;
    let message = Query::read(&mut input);
    input.check()?;
    let answer = format!("{} heard: {message}", agent.name);
    Ok(Json(Said { answer }))
}

/// A body with a message. The document says of it what is read of it.
struct Query;

impl Query {
    fn read(input: &mut Input) -> String {
        input.text("message")
    }
}

impl PartialSchema for Query {
    fn schema() -> RefOr<Schema> {
        Input::schema(Self::read)
    }
}

impl ToSchema for Query {}

#[derive(Serialize, ToSchema)]
struct Said {
    answer: String,
}

#[derive(Serialize, ToSchema)]
struct ShownAgent {
    id: &'static str,
    name: &'static str,
}

impl ShownAgent {
    fn of(agent: &Agent) -> Self {
        Self {
            id: agent.id,
            name: agent.name,
        }
    }
}

struct Agent {
    id: &'static str,
    name: &'static str,
    owner: Subject,
}

impl Agent {
    /// Whom its keys speak for.
    fn subject(&self) -> Subject {
        Subject::new("agent", self.id)
    }
}

struct Agents(Vec<Agent>);

impl Agents {
    /// The agent of that id, for its owner and for its keys.
    fn of(&self, caller: &Principal, id: &str) -> Result<&Agent, Rejection> {
        let agent = self.0.iter().find(|agent| agent.id == id);
        match caller.method() {
            Method::ApiKey => agent
                .filter(|agent| agent.subject() == *caller.subject())
                .ok_or_else(|| Rejection::permission_denied("another agent's key")),
            _ => agent
                .filter(|agent| agent.owner == *caller.subject())
                .ok_or_else(|| Rejection::new(RejectionKind::NotFound, "another user's agent")),
        }
    }
}

/// The demo accounts and their agents; a real service has them in a database.
async fn agents(users: &Users) -> Result<Arc<Agents>, Box<dyn Error>> {
    let [user, other, admin] = demo_users();
    let profile = |first: &str, last: &str| json!({ "firstName": first, "lastName": last });
    let user = users
        .ensure(user.profile(&profile("Anna", "Lopez"))?)
        .await?;
    let other = users
        .ensure(other.profile(&profile("Ben", "Novak"))?)
        .await?;
    users
        .ensure(admin.profile(&profile("Hub", "Admin"))?)
        .await?;
    Ok(Arc::new(Agents(vec![
        Agent {
            id: "support",
            name: "Support",
            owner: user.id.clone(),
        },
        Agent {
            id: "sales",
            name: "Sales",
            owner: user.id.clone(),
        },
        Agent {
            id: "press",
            name: "Press",
            owner: other.id.clone(),
        },
    ])))
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
