//! API keys in a store of the application's own.
//!
//! ```text
//! cargo run --example custom_store      # prints a curl line with a fresh key
//! ```
//!
//! [`Table`] stands for a table of a database: every look-up has to be awaited. A store of your own should keep the promises
//! that `tower_auth::store` lists; `tower_auth::store::conformance::key_store` checks them, on this one too.

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tower_auth::store::{KeyDigest, KeyRecord, KeyStore, StoreError, StoreErrorKind};
use tower_auth::{ApiKeys, AuthLayer, Clock, Principal, Subject, SystemClock};

/// Rows behind an asynchronous lock.
#[derive(Debug, Default)]
pub struct Table(Mutex<Vec<Arc<KeyRecord>>>);

#[async_trait]
impl KeyStore for Table {
    // `peek_key` is left at its default: this store has no synchronous answer, so the layer awaits `find_key`.

    async fn find_key(
        &self,
        digest: &KeyDigest,
        _now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        // SELECT … WHERE digest = $1: revoked and expired rows included, the layer judges them.
        Ok(self.0.lock().await.iter().find(|row| row.digest() == digest).cloned())
    }

    async fn insert_key(&self, record: KeyRecord, _now: SystemTime) -> Result<(), StoreError> {
        // INSERT, with unique indexes on id and digest.
        let mut rows = self.0.lock().await;
        if rows.iter().any(|row| row.id() == record.id() || row.digest() == record.digest()) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        rows.push(Arc::new(record));
        Ok(())
    }

    async fn list_keys(&self, owner: &Subject, _now: SystemTime) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        // SELECT … WHERE owner = $1 ORDER BY created, id
        let mut rows = self.0.lock().await.clone();
        rows.retain(|row| row.owner() == owner);
        rows.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(rows)
    }

    async fn revoke_key(&self, owner: &Subject, id: &str, now: SystemTime) -> Result<(), StoreError> {
        // UPDATE … SET revoked = coalesce(revoked, $3) WHERE id = $1 AND owner = $2; no row is an error.
        let mut rows = self.0.lock().await;
        let row = rows.iter_mut().find(|row| row.id() == id && row.owner() == owner);
        let row = row.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
        *row = Arc::new(KeyRecord::clone(row).revoked(now));
        Ok(())
    }
}

fn app(keys: ApiKeys) -> Result<Router, Box<dyn Error>> {
    let auth = AuthLayer::builder().api_keys(keys).build()?;
    Ok(Router::new().route("/", get(hello)).layer(auth))
}

async fn hello(caller: Principal) -> String {
    format!("hello {}, your key is called {:?}\n", caller.subject(), caller.key().map(KeyRecord::name))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (table, now) = (Arc::new(Table::default()), SystemClock.now());
    let keys = ApiKeys::new(Arc::clone(&table)).prefix("shop");
    let new = keys.mint(Subject::new("tenant", "42"), "checkout", now)?;
    table.insert_key(new.record, now).await?;

    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}");
    println!("\n# hello tenant:42, your key is called Some(\"checkout\")");
    println!("curl -s -H 'X-API-Key: {}' {url}/", new.key.expose());
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    axum::serve(listener, app(keys)?).with_graceful_shutdown(stop).await?;
    Ok(())
}
