//! Whether a request is only rehearsed ([`AuthLayer::explain`](crate::AuthLayer::explain)): then
//! whatever is asked answers as ever, and nothing is taken down of it.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each scheme has something to write")
)]

tokio::task_local! {
    static REHEARSED: ();
}

/// Runs what is only to be rehearsed.
pub(crate) fn rehearsed<F: Future>(future: F) -> impl Future<Output = F::Output> {
    REHEARSED.scope((), future)
}

/// Whoever is about to write asks. It is not asked on the way of a request that writes nothing.
#[cold]
pub(crate) fn is_on() -> bool {
    REHEARSED.try_with(|()| ()).is_ok()
}
