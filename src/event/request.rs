//! Within which request something happens: whoever is told of it learns who asked for it.

use super::Facts;
use std::sync::Arc;

tokio::task_local! {
    static REQUEST: Arc<Facts>;
}

/// The request that is being served here and now, where somebody listens.
pub(super) fn current() -> Option<Arc<Facts>> {
    REQUEST.try_with(Arc::clone).ok()
}

/// Takes a step in the service of a request.
pub(crate) fn within<T>(request: &Arc<Facts>, step: impl FnOnce() -> T) -> T {
    REQUEST.sync_scope(Arc::clone(request), step)
}

/// What goes on in a task of its own, in the service of the same request.
#[cfg(feature = "endpoints")]
pub(crate) fn for_this_request<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let request = current();
    async move {
        match request {
            Some(request) => REQUEST.scope(request, future).await,
            None => future.await,
        }
    }
}
