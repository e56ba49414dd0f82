use ::axum::extract::ConnectInfo;
use ::axum::extract::connect_info::MockConnectInfo;
use std::net::SocketAddr;

/// From `Router::into_make_service_with_connect_info::<SocketAddr>()`, or in tests from the layer
/// `MockConnectInfo`, as axum's own extractor has it.
pub(crate) fn axum_peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    if let Some(ConnectInfo(address)) = extensions.get() {
        return Some(*address);
    }
    let mocked = extensions.get::<MockConnectInfo<SocketAddr>>()?;
    Some(mocked.0)
}

/// The URI as the client sent it, where a router that is nested in another one sees but the rest.
#[cfg(feature = "dpop")]
pub(crate) fn axum_uri(extensions: &http::Extensions) -> Option<&http::Uri> {
    let ::axum::extract::OriginalUri(uri) = extensions.get()?;
    Some(uri)
}

/// The pattern of the route that a router matched.
pub(crate) fn axum_route(extensions: &http::Extensions) -> Option<&str> {
    extensions.get().map(::axum::extract::MatchedPath::as_str)
}
