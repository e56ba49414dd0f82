//! The start has more time than a request, because what stands in its way mostly goes away: a
//! server that starts as well, a predecessor that still closes its file, another node that makes
//! the tables, a machine on which everything starts at once.

use super::core::Core;
use super::engine::GaveWay;
use crate::store::StoreError;
use crate::store::options::START_WITHIN;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How long it rests before it is tried again.
const REST: Duration = Duration::from_millis(50);

/// Tries again what fails for a reason that may pass.
pub(super) async fn patiently<T, F>(core: &Core, attempt: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let end = Instant::now() + START_WITHIN;
    let mut failed = StoreError::unavailable("it did not answer within 30 seconds");
    while let Ok(result) = timeout_at(end, attempt()).await {
        match result {
            Err(error) if GaveWay::is_why(&error) || core.engine.may_pass(&error) => {
                failed = error;
            }
            result => return result,
        }
        if Instant::now() + REST >= end {
            break;
        }
        sleep(REST).await;
    }
    Err(failed)
}
