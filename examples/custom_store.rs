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

impl Table {
    /// One statement: the rows are locked from the look to the change.
    async fn change(
        &self,
        owner: &Subject,
        id: &str,
        change: impl FnOnce(KeyRecord) -> KeyRecord,
    ) -> Result<(), StoreError> {
        let mut rows = self.0.lock().await;
        let row = rows
            .iter_mut()
            .find(|row| row.id() == id && row.owner() == owner);
        let row = row.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
        *row = Arc::new(change(KeyRecord::clone(row)));
        Ok(())
    }
}

fn clash(rows: &[Arc<KeyRecord>], id: &str, digest: &KeyDigest) -> Result<(), StoreError> {
    let taken = rows
        .iter()
        .any(|row| row.id() == id || row.digest() == digest);
    if taken {
        Err(StoreError::new(StoreErrorKind::Exists))
    } else {
        Ok(())
    }
}

#[async_trait]
impl KeyStore for Table {
    // `peek_key` is left at its default: this store has no synchronous answer, so the layer awaits `find_key`.

    async fn find_key(
        &self,
        digest: &KeyDigest,
        _: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        // SELECT … WHERE digest = $1: revoked and expired rows included, the layer judges them.
        Ok(self
            .0
            .lock()
            .await
            .iter()
            .find(|row| row.digest() == digest)
            .cloned())
    }

    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
        _: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        // SELECT … WHERE id = $1 AND owner = $2
        Ok(self
            .0
            .lock()
            .await
            .iter()
            .find(|row| row.id() == id && row.owner() == owner)
            .cloned())
    }

    async fn insert_key(&self, record: KeyRecord, _: SystemTime) -> Result<(), StoreError> {
        // INSERT, with unique indexes on id and digest.
        let mut rows = self.0.lock().await;
        clash(&rows, record.id(), record.digest())?;
        rows.push(Arc::new(record));
        Ok(())
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        _: SystemTime,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        // SELECT … WHERE owner = $1 ORDER BY created, id
        let mut rows = self.0.lock().await.clone();
        rows.retain(|row| row.owner() == owner);
        rows.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(rows)
    }

    async fn rename_key(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        _: SystemTime,
    ) -> Result<(), StoreError> {
        self.change(owner, id, |row| row.renamed(name)).await
    }

    async fn rotate_key(
        &self,
        owner: &Subject,
        id: &str,
        successor: KeyRecord,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        // One transaction: UPDATE … WHERE successor IS NULL AND it is active, then INSERT.
        let mut rows = self.0.lock().await;
        let at = rows
            .iter()
            .position(|row| row.id() == id && row.owner() == owner);
        let at = at.filter(|at| rows[*at].is_active(now) && rows[*at].successor().is_none());
        let at = at.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
        clash(&rows, successor.id(), successor.digest())?;
        rows[at] = Arc::new(KeyRecord::clone(&rows[at]).superseded(successor.id(), until));
        rows.push(Arc::new(successor));
        Ok(())
    }

    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        // UPDATE … SET revoked = coalesce(revoked, $3) WHERE id = $1 AND owner = $2; no row is an error.
        self.change(owner, id, |row| row.revoked(now)).await
    }

    async fn replace_key_digest(
        &self,
        from: &KeyDigest,
        to: KeyDigest,
        _: SystemTime,
    ) -> Result<(), StoreError> {
        // UPDATE … SET digest = $2 WHERE digest = $1
        let mut rows = self.0.lock().await;
        let at = rows.iter().position(|row| row.digest() == from);
        let at = at.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?;
        clash(&rows, "", &to)?;
        rows[at] = Arc::new(KeyRecord::clone(&rows[at]).found_by(to));
        Ok(())
    }

    async fn note_key_uses(
        &self,
        uses: &[(KeyDigest, SystemTime)],
        _: SystemTime,
    ) -> Result<(), StoreError> {
        // UPDATE … SET last_used = greatest(last_used, $2) WHERE digest = $1
        let rows = self.0.lock().await;
        for (digest, at) in uses {
            rows.iter()
                .filter(|row| row.digest() == digest)
                .for_each(|row| row.note_use(*at));
        }
        Ok(())
    }

    async fn purge_keys(
        &self,
        before: SystemTime,
        most: usize,
        _: SystemTime,
    ) -> Result<usize, StoreError> {
        // DELETE … WHERE revoked < $1 OR expires < $1 LIMIT $2
        let mut rows = self.0.lock().await;
        let (had, mut left) = (rows.len(), most);
        rows.retain(|row| {
            let over = [row.revoked_at(), row.expires_at()]
                .into_iter()
                .flatten()
                .any(|end| end < before);
            let purged = over && left > 0;
            left -= usize::from(purged);
            !purged
        });
        Ok(had - rows.len())
    }
}

fn app(keys: ApiKeys) -> Result<Router, Box<dyn Error>> {
    let auth = AuthLayer::builder().api_keys(keys).build()?;
    Ok(Router::new().route("/", get(hello)).layer(auth))
}

async fn hello(caller: Principal) -> String {
    format!(
        "hello {}, your key is called {:?}\n",
        caller.subject(),
        caller.key().map(KeyRecord::name)
    )
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
    axum::serve(listener, app(keys)?)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
