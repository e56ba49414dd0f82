//! A store's failure, in any form, is one answer: 503.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, unused_imports, reason = "each scheme needs a part of it")
)]

use super::{StoreError, StoreErrorKind};
use crate::metrics::{Callee, Meter, Outcome};
use crate::reject::{FieldError, Rejection, RejectionKind};
use pin_project_lite::pin_project;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::error::Elapsed;

/// Calls a store under a deadline.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) deadline: Duration,
    /// Measures how long they take.
    pub(crate) meter: Meter,
}

impl Guard {
    /// Runs one call. It is 503 when the store fails, takes longer than the deadline or panics; 400
    /// when it cannot keep a text of the request.
    pub(crate) async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, Rejection> {
        let started = self.meter.started();
        let called = caught_future(tokio::time::timeout(self.deadline, call)).await;
        self.meter.called(Callee::Store, started, outcome(&called));
        match called {
            Err(Panicked) => Err(Rejection::unavailable("store panicked", Panicked)),
            Ok(Err(elapsed)) => Err(Rejection::unavailable("store too slow", elapsed)),
            // The text came with the request, and no repetition would make it one that the store
            // can keep. So it is no fault of the store.
            Ok(Ok(Err(error))) if error.kind() == StoreErrorKind::Invalid => {
                Err(Rejection::new(RejectionKind::InvalidInput, "text"))
            }
            Ok(Ok(Err(error))) if error.kind() == StoreErrorKind::Revoked => {
                Err(Rejection::new(RejectionKind::RevokedToken, "revoked"))
            }
            Ok(Ok(Err(error))) => Err(Rejection::unavailable("store failed", error)),
            Ok(Ok(Ok(answer))) => Ok(answer),
        }
    }
}

fn outcome<T>(called: &Result<Result<Result<T, StoreError>, Elapsed>, Panicked>) -> Outcome {
    match called {
        Err(Panicked) => Outcome::Failed,
        Ok(Err(_)) => Outcome::Late,
        Ok(Ok(Err(error))) if error.kind() == StoreErrorKind::Unavailable => Outcome::Failed,
        Ok(Ok(_)) => Outcome::Answered,
    }
}

/// What became of a change that a store may decline.
#[derive(Debug)]
pub(crate) enum Change<T> {
    /// It was made.
    Made(T),
    /// An identifying field is taken.
    Exists,
    /// There is nothing to change.
    Missing,
    /// The owner has as many as there may be.
    Full,
}

impl<T> Change<T> {
    /// 404 where there was nothing to change, or not for this caller.
    pub(crate) fn found(self) -> Result<T, Rejection> {
        match self {
            Self::Made(made) => Ok(made),
            Self::Missing => Err(Rejection::new(RejectionKind::NotFound, "missing")),
            Self::Full => Err(full()),
            // Ids and digests are random, so they do not meet: it is the store that took two for
            // one.
            Self::Exists => Err(Rejection::new(RejectionKind::Failed, "exists")),
        }
    }
}

fn full() -> Rejection {
    let most = "There are as many of these as there may be: revoke one first.";
    Rejection::invalid([FieldError::new("name", "limit_reached", most)])
}

impl Guard {
    /// Runs a call that changes something, under the same rules.
    pub(crate) async fn change<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Change<T>, Rejection> {
        let settled = async {
            match call.await {
                Ok(made) => Ok(Change::Made(made)),
                Err(error) if error.kind() == StoreErrorKind::Exists => Ok(Change::Exists),
                Err(error) if error.kind() == StoreErrorKind::Missing => Ok(Change::Missing),
                Err(error) if error.kind() == StoreErrorKind::Full => Ok(Change::Full),
                Err(error) => Err(error),
            }
        };
        self.call(settled).await
    }
}

/// Runs a synchronous call; 503 when it panics.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Result<T, Rejection> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|_| Rejection::unavailable("store panicked", Panicked))
}

#[derive(Debug, thiserror::Error)]
#[error("the store panicked")]
pub(crate) struct Panicked;

pub(crate) async fn caught_future<F: Future>(future: F) -> Result<F::Output, Panicked> {
    CaughtFuture { future }.await
}

pin_project! {
    struct CaughtFuture<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for CaughtFuture<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        // The future is not polled again after a panic: it is dropped with this request.
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}
