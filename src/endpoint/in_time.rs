use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Runs a future for so long at most. Gives its output, and whether it had to wait at all; `None`
/// where it took too long.
///
/// The timer is made only where something is waited for, so that a runtime needs none for bodies
/// that are there.
pub(super) async fn in_time<F: Future>(within: Duration, future: F) -> Option<(F::Output, bool)> {
    let mut future = pin!(future);
    let mut end = pin!(None::<Sleep>);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some((output, end.is_some())));
        }
        if end.is_none() {
            end.set(Some(sleep(within)));
        }
        match end.as_mut().as_pin_mut().map(|end| end.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(None),
            _ => Poll::Pending,
        }
    })
    .await
}
