use super::fetch::Fetch;
#[cfg(feature = "jwks")]
use super::http_client::HttpClient;
use super::http_url::Trust;
use std::sync::Arc;

/// The client that the application gave, or the crate's own. `None` where there is neither.
#[cfg_attr(
    not(feature = "jwks"),
    allow(
        unused_variables,
        reason = "how far a URL is trusted is for the own client"
    )
)]
pub(crate) fn client(given: Option<&Arc<dyn Fetch>>, trust: Trust) -> Option<Arc<dyn Fetch>> {
    if let Some(given) = given {
        return Some(Arc::clone(given));
    }
    #[cfg(feature = "jwks")]
    return Some(match trust {
        Trust::None => Arc::new(HttpClient::new()),
        Trust::Dangerous => Arc::new(HttpClient::new().dangerous()),
    });
    #[cfg(not(feature = "jwks"))]
    None
}
