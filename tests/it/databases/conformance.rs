//! Each store in a database keeps every promise, also behind the type that a URL chooses.

use super::support::*;
use tower_auth::store::{KeyStore, Store, conformance};

#[tokio::test]
async fn sqlite_keeps_the_promises_of_all_stores() {
    let dir = Dir::new();
    conformance::managed_key_store(async || sqlite(&dir).await).await;
    conformance::managed_user_store(async || sqlite(&dir).await).await;
    conformance::token_store(async || sqlite(&dir).await).await;
    conformance::private_token_store(async || sqlite(&dir).await).await;
    conformance::signing_key_store(async || sqlite(&dir).await).await;
    conformance::audit_store(async || sqlite(&dir).await).await;
    conformance::all_stores(async || sqlite(&dir).await).await;
}

#[tokio::test]
async fn postgresql_keeps_the_promises_of_a_key_store() {
    conformance::managed_key_store(postgres).await;
}

#[tokio::test]
async fn postgresql_keeps_the_promises_of_a_user_store() {
    conformance::managed_user_store(postgres).await;
}

#[tokio::test]
async fn postgresql_keeps_the_promises_of_a_token_store() {
    conformance::token_store(postgres).await;
    conformance::private_token_store(postgres).await;
    conformance::signing_key_store(postgres).await;
    conformance::audit_store(postgres).await;
    conformance::all_stores(postgres).await;
}

/// With memory that has heard the database, so that the synchronous answers are checked as well.
#[tokio::test]
async fn stores_that_have_heard_the_database_keep_the_promises() {
    let heard = async || {
        let store = postgres().await;
        until("heard", async || {
            store.find_key(&digest(0)).await.unwrap();
            store.lag().is_some()
        })
        .await;
        store
    };
    conformance::managed_key_store(heard).await;
    conformance::managed_user_store(heard).await;
    conformance::token_store(heard).await;
    conformance::private_token_store(heard).await;
    conformance::all_stores(heard).await;
}

#[tokio::test]
async fn the_store_of_a_url_keeps_the_promises() {
    let dir = Dir::new();
    conformance::managed_key_store(async || Store::from(sqlite(&dir).await)).await;
    conformance::managed_user_store(async || Store::from(postgres().await)).await;
    let memory = async || Store::connect("memory:").await.unwrap();
    conformance::token_store(memory).await;
    conformance::private_token_store(memory).await;
    conformance::signing_key_store(memory).await;
}
