//! Checks that a store keeps its promises: for the stores of this crate and for those of applications.
//!
//! Each promise runs on a store of its own that the test makes, directly and through `Arc<dyn …>`:
//!
//! ```
//! use tower_auth::store::{Memory, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! conformance::key_store(async || Memory::new()).await;
//! conformance::user_store(async || Memory::new()).await;
//! conformance::token_store(async || Memory::new()).await;
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

mod keys;
mod tokens;
mod users;

pub use keys::key_store;
pub use tokens::token_store;
pub use users::user_store;

use super::{StoreError, StoreErrorKind};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NOW: SystemTime = UNIX_EPOCH;

fn later(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

/// Runs calls side by side: polled in turn, so that a store that suspends between its check and its write meets itself.
async fn together<T>(calls: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut calls = calls;
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        calls.retain_mut(|call| match call.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(output) => {
                done.push(output);
                false
            }
        });
        if calls.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    done
}
