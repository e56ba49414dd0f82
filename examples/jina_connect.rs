//! JWTs or Basic for a REST API, and API keys for an MCP server; each key belongs to a tenant and
//! its WhatsApp app.
//!
//! ```text
//! cargo run --example jina_connect
//!
//! curl -s localhost:3000/token/ -H 'Content-Type: application/json' \
//!   -d '{"email": "user@example.com", "password": "correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}
//! curl -s localhost:3000/tenants/ -u user@example.com:correct-horse-battery
//! # [{"id":1,"name":"Egret"}]
//! curl -s localhost:3000/tenants/tenant-access-keys/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' -d '{"name": "My Integration Key"}'
//! # {"id":"…","key":"jina_…","name":"My Integration Key","tenant":1,"tenant_wa_app":10,…}
//! curl -s localhost:3000/mcp/ -H "Authorization: Bearer $KEY" \
//!   -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
//!   -d '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}}'
//! # {"jsonrpc":"2.0","id":1,"result":{…,"structuredContent":{"tenant":1,"tenant_wa_app":10},…}}
//! ```
//!
//! What its REST API takes and answers is in http://localhost:3000/schema/, for generators of clients.
//!
//! Its environment: `tower_auth::server::Environment`, `THROTTLE_RATE_TENANTS` and `DEMO_PASSWORD`.

use axum::extract::State;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Json, Router};
use rmcp::handler::server::tool::Extension;
use rmcp::model::CallToolResult;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use rmcp::{ErrorData, tool, tool_router};
use serde::Serialize;
use serde_json::{Value, json};
use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tower_auth::endpoint::{KeysEndpoint, Refresh, ResourceMetadata, SignIn, UsersEndpoint};
use tower_auth::format::Drf;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::throttle::Throttle;
use tower_auth::{ApiKeys, AuthLayer, PasswordPolicy, Principal, Rejection, Subject, Users};
use utoipa::{Modify, OpenApi, ToSchema};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn app(environment: &Environment, url: &str) -> Result<Router, Box<dyn Error>> {
    let realm = environment.realm().await?;
    let users = realm.users(PasswordPolicy::new().common_list());
    let tenants = tenants(&users).await?;
    let tokens = realm.tokens(
        environment
            .tokens(90 * DAY, 180 * DAY)?
            .issuer("jina_connect"),
    );
    let keys = realm.api_keys(ApiKeys::prefix("jina"));
    // What has a rate of its own is not counted twice.
    let throttle = environment
        .throttle()
        .cost(|call| u32::from(call.uri().path() != "/tenants/"));
    let rest = AuthLayer::builder()
        .accept(&tokens)
        .accept(users.basic())
        .throttle(throttle)
        .format(Drf)
        .build()?;
    let metadata = ResourceMetadata::new(format!("{url}/mcp/")).name("Jina Connect");
    let mcp = AuthLayer::builder()
        .accept(&keys)
        .throttle(environment.throttle())
        .resource_metadata(metadata.url())
        .format(Drf)
        .build()?;

    let owners = Arc::clone(&tenants);
    let pairs = Arc::clone(&tenants);
    let access_keys = KeysEndpoint::of(&keys)
        .owner(move |call| owners.of(call.verified()?).map(Tenant::subject))
        .metadata(move |call| pairs.of(call.verified()?).map(Tenant::pair));
    let profiles = UsersEndpoint::of(&users)
        .profile_field("first_name")
        .profile_field("last_name")
        .administrator("admin");
    let endpoints = rest
        .endpoints()
        .mount("/token/", SignIn::of(&tokens))
        .mount("/refresh/", Refresh::of(&tokens))
        .mount("/tenants/tenant-access-keys/", access_keys)
        .mount("/users/user/", profiles)
        .mount("/.well-known/oauth-protected-resource/mcp/", metadata)
        .build()?;
    let rate = env::var("THROTTLE_RATE_TENANTS");
    let rate = rate.unwrap_or_else(|_| environment.throttle_rate().into());
    let own_rate = rest.throttle("tenants", [Throttle::per_principal(rate)])?;
    let mut document = Document::openapi();
    own_rate.modify(&mut document);
    rest.modify(&mut document);
    endpoints.modify(&mut document);
    rest.security_schemes().modify(&mut document);
    Ok(Router::new()
        .route("/tenants/", get(list).layer(own_rate))
        .with_state(tenants)
        .layer(rest)
        .merge(endpoints)
        .route("/schema/", get(async || Json(document)))
        .merge(
            Router::new()
                .route_service("/mcp/", mcp_service(url))
                .route_layer(mcp),
        ))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Jina Connect", description = "JWTs or Basic"),
    paths(list)
)]
struct Document;

#[derive(Serialize, ToSchema)]
struct ShownTenant {
    id: u64,
    name: &'static str,
}

/// The caller's tenants.
#[utoipa::path(
    get, path = "/tenants/", tag = "tenants",
    responses((status = 200, description = "All of them", body = [ShownTenant]))
)]
async fn list(caller: Principal, State(tenants): State<Arc<Tenants>>) -> Json<Vec<ShownTenant>> {
    let own = tenants.of(&caller).into_iter();
    let shown = own.map(|tenant| ShownTenant {
        id: tenant.id,
        name: tenant.name,
    });
    Json(shown.collect())
}

/// Without sessions: each request shows its key.
fn mcp_service(url: &str) -> StreamableHttpService<Tools, LocalSessionManager> {
    // Against DNS rebinding: a page of another host must not reach it.
    let host = url.rsplit('/').next().unwrap_or_default();
    let config =
        StreamableHttpServerConfig::default().with_allowed_hosts([host, "localhost", "127.0.0.1"]);
    let config = config
        .with_legacy_session_mode(false)
        .with_json_response(true);
    StreamableHttpService::new(|| Ok(Tools), Arc::default(), config)
}

#[derive(Clone)]
struct Tools;

#[tool_router(server_handler)]
impl Tools {
    #[tool(description = "The tenant and the WhatsApp app that the API key belongs to")]
    async fn whoami(
        &self,
        Extension(request): Extension<Parts>,
    ) -> Result<CallToolResult, ErrorData> {
        let caller = Principal::from_extensions(&request.extensions);
        let pair = caller
            .ok()
            .and_then(|caller| caller.key()?.metadata::<Value>());
        pair.map(CallToolResult::structured)
            .ok_or_else(|| ErrorData::internal_error("no tenant", None))
    }
}

struct Tenant {
    id: u64,
    name: &'static str,
    wa_app: u64,
    owner: Subject,
}

impl Tenant {
    /// Whom its keys speak for.
    fn subject(&self) -> Subject {
        Subject::new("tenant", self.id.to_string())
    }

    /// What its keys say.
    fn pair(&self) -> Value {
        json!({ "tenant": self.id, "tenant_wa_app": self.wa_app })
    }
}

struct Tenants(Vec<Tenant>);

impl Tenants {
    fn of(&self, caller: &Principal) -> Result<&Tenant, Rejection> {
        let own = self
            .0
            .iter()
            .find(|tenant| tenant.owner == *caller.subject());
        own.ok_or_else(|| Rejection::permission_denied("no tenant"))
    }
}

/// The demo accounts and their tenants; a real service has them in a database.
async fn tenants(users: &Users) -> Result<Arc<Tenants>, Box<dyn Error>> {
    let mut tenants = Vec::new();
    let names = [(1, "Egret", 10), (2, "Heron", 20), (3, "Stork", 30)];
    for (user, (id, name, wa_app)) in demo_users().into_iter().zip(names) {
        let owner = users.ensure(user).await?.id.clone();
        tenants.push(Tenant {
            id,
            name,
            wa_app,
            owner,
        });
    }
    Ok(Arc::new(Tenants(tenants)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let environment = Environment::read()?;
    let server = environment.bind().await?;
    let app = app(&environment, server.url()).await?;
    Ok(server.run(app).await?)
}
