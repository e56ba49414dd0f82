use super::Readiness;
use crate::reject::Rejection;
use tokio::task::JoinSet;

/// Loads all of it at once. The first that fails is the answer.
pub(crate) async fn all_ready(
    loading: impl IntoIterator<Item = Readiness>,
) -> Result<(), Rejection> {
    let mut loading: JoinSet<_> = loading.into_iter().collect();
    while let Some(loaded) = loading.join_next().await {
        loaded.map_err(|error| Rejection::unavailable("not ready", error))??;
    }
    Ok(())
}
