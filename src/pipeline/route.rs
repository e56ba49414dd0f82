use http::Extensions;
#[cfg(feature = "endpoints")]
use std::sync::Arc;

/// In the extensions of a request at an endpoint: the pattern of its path.
///
/// An endpoint speaks HTTP, whatever content type comes to it, so it also says that no refusal is
/// to be a gRPC status.
#[cfg(feature = "endpoints")]
#[derive(Clone)]
pub(crate) struct EndpointRoute(pub(crate) Option<Arc<str>>);

/// Whether the request is at an endpoint.
#[cold]
pub(super) fn is_endpoint(extensions: &Extensions) -> bool {
    #[cfg(feature = "endpoints")]
    return extensions.get::<EndpointRoute>().is_some();
    #[cfg(not(feature = "endpoints"))]
    {
        let _ = extensions;
        false
    }
}

/// The pattern of a request's route, as far as a router or an endpoint says. Never its path.
pub(super) fn route_of(extensions: &Extensions) -> Option<&str> {
    #[cfg(feature = "endpoints")]
    if let Some(EndpointRoute(route)) = extensions.get() {
        return route.as_deref();
    }
    #[cfg(feature = "axum")]
    return crate::framework::axum_route(extensions);
    #[cfg(not(feature = "axum"))]
    {
        let _ = extensions;
        None
    }
}
