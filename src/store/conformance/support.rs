use crate::store::{StoreError, StoreErrorKind};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const NOW: SystemTime = UNIX_EPOCH;

/// Of every dialect what it might take for its own.
pub(super) const ODD: &str = "'; DROP TABLE keys; -- \u{1f511}\u{202e}\"\\%_";

pub(super) fn later(seconds: u64) -> SystemTime {
    NOW + Duration::from_secs(seconds)
}

pub(super) fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.unwrap_err().kind()
}

pub(super) type Call<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs calls side by side: polled in turn, so that a store that suspends between its check and its
/// write meets itself.
pub(super) async fn together<T>(calls: Vec<Call<'_, T>>) -> Vec<T> {
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

/// How many of them were done.
pub(super) fn won<T>(results: &[Result<T, StoreError>]) -> usize {
    results.iter().filter(|result| result.is_ok()).count()
}
