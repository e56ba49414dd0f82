//! Checks that a store keeps its promises: for the stores of this crate and for those of
//! applications.
//!
//! One function a role, and one for a store that has them all. Each runs on stores that the test
//! makes, directly and through `Arc<dyn …>`:
//!
//! ```
//! use tower_auth::store::{ManagedKeyStore, Memory, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! // A store that finds keys is made with those that it is to have.
//! let with_keys = async |records| {
//!     let store = Memory::new();
//!     for record in records {
//!         store.insert_key(record).await.unwrap();
//!     }
//!     store
//! };
//! conformance::key_store(with_keys).await;
//!
//! // One that keeps them begins empty.
//! conformance::managed_key_store(async || Memory::new()).await;
//! conformance::managed_user_store(async || Memory::new()).await;
//! conformance::token_store(async || Memory::new()).await;
//! conformance::private_token_store(async || Memory::new()).await;
//! conformance::signing_key_store(async || Memory::new()).await;
//! conformance::audit_store(async || Memory::new()).await;
//! conformance::all_stores(async || Memory::new()).await;
//! # });
//! ```
//!
//! # Panics
//!
//! Every function here panics when a promise is broken, and says which.

#![expect(
    clippy::unwrap_used,
    reason = "a broken promise panics: that is what it is for"
)]

mod all_stores;
mod audit_store;
mod key_store;
mod managed_key_store;
mod managed_user_store;
mod private_token_store;
mod signing_key_store;
mod support;
mod token_store;
mod user_store;

pub use all_stores::all_stores;
pub use audit_store::audit_store;
pub use key_store::key_store;
pub use managed_key_store::managed_key_store;
pub use managed_user_store::managed_user_store;
pub use private_token_store::private_token_store;
pub use signing_key_store::signing_key_store;
pub use token_store::token_store;
pub use user_store::user_store;
