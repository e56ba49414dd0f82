//! API keys that another system keeps: an SQL table of another shape becomes a store.
//!
//! ```text
//! cargo run --example custom_store      # prints a curl line with a token of the table
//! ```
//!
//! [`ApiTokens`] finds keys in a table `api_tokens`, as many a framework has one: the SHA-256 of
//! each token in hexadecimal digits, whose it is, what it may do as a JSON list, and until when.
//! One method is all. Tokens go on being made and deleted where they always were, and a deleted
//! one is refused by the next request. `tower_auth::store::conformance::key_store` checks such a
//! store, this one too.

use async_trait::async_trait;
use axum::{Router, routing::get};
use sqlx::{Executor, SqlitePool};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::store::{KeyDigest, KeyRecord, KeyStore, StoreError, Stores};
use tower_auth::{ApiKeys, AuthLayer, Principal, Realm, Subject};

pub(crate) struct ApiTokens(pub(crate) SqlitePool);

pub(crate) const TABLE: &str =
    "CREATE TABLE api_tokens (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL,
    name TEXT NOT NULL, token TEXT NOT NULL UNIQUE, abilities TEXT NOT NULL, expires_at INTEGER)";
const FIND: &str = "SELECT id, user_id, name, abilities, expires_at FROM api_tokens
    WHERE token = lower(hex($1)) AND $2 = 'sha256'";
const DEMO: &str = "INSERT INTO api_tokens VALUES (1, '42', 'checkout',
    '65d01b54c870182ca3365564dbc7677a196f72a52f1ec15fdbf2da5efd013345', '[\"orders:read\"]', NULL)";

type Row = (i64, String, String, String, Option<u32>);
type Found = Result<Option<KeyRecord>, Box<dyn Error + Send + Sync>>;

impl ApiTokens {
    async fn find(&self, digest: &KeyDigest) -> Found {
        let query = sqlx::query_as(FIND).bind(digest.bytes().to_vec());
        let query = query.bind(digest.algorithm().to_owned());
        let row: Option<Row> = query.fetch_optional(&self.0).await?;
        let Some(row) = row else { return Ok(None) };
        let (id, user, name, abilities, expires) = row;
        let (id, user, digest) = (id.to_string(), Subject::user(user), digest.clone());
        let mut key = KeyRecord::new(id, user, name, "", digest, UNIX_EPOCH);
        let abilities: Vec<String> = serde_json::from_str(&abilities)?;
        key.scopes = abilities.iter().map(String::as_str).collect();
        key.expires = expires.map(|at| UNIX_EPOCH + Duration::from_secs(at.into()));
        Ok(Some(key))
    }
}

#[async_trait]
impl KeyStore for ApiTokens {
    async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let found = self.find(digest).await.map_err(StoreError::unavailable)?;
        Ok(found.map(Arc::new))
    }
}

async fn hello(caller: Principal) -> String {
    let scopes = caller.scopes().as_str();
    format!("hello {}, you may {scopes}\n", caller.subject())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let table = SqlitePool::connect("sqlite::memory:").await?;
    table.execute(TABLE).await?;
    table.execute(DEMO).await?;
    let realm = Realm::new(Stores::new().keys(ApiTokens(table)));
    let keys = realm.api_keys(ApiKeys::bare().opaque()); // of another form than ours
    let auth = AuthLayer::builder().accept(&keys).build()?;
    let app = Router::new().route("/", get(hello)).layer(auth);
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}\n# hello 42, you may orders:read");
    println!("curl -s -H 'X-API-Key: demo-token-1' {url}/");
    // With connect info, so that wrong keys are counted by the address that they come from.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, app).await?)
}
