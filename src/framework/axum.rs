use std::net::SocketAddr;

/// From `Router::into_make_service_with_connect_info::<SocketAddr>()`.
pub(crate) fn axum_peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions
        .get()
        .map(|::axum::extract::ConnectInfo(address)| *address)
}

/// The pattern of the route that a router matched.
pub(crate) fn axum_route(extensions: &http::Extensions) -> Option<&str> {
    extensions.get().map(::axum::extract::MatchedPath::as_str)
}
