#[cfg(feature = "endpoints")]
use crate::endpoint::Input;
use crate::principal::Principal;
use crate::reject::{Rejection, Responder};
use axum_core::body::Body;
#[cfg(feature = "endpoints")]
use axum_core::extract::{FromRequest, Request};
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

/// The verified caller. On an anonymous request it is a 401, and where no layer saw the request a
/// 500.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// The verified caller, or `None` on an anonymous request. Where no layer saw the request it is a
/// 500.
impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        Self::optional_from_extensions(&parts.extensions)
    }
}

/// A problem (RFC 9457), which the layer around the handler renders anew in its own format.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = Responder::standalone(&self).map(Body::from);
        // The layer finds the rejection here, renders it anew and tells log and hook. What is
        // written above is for a handler that no layer is around.
        response.extensions_mut().insert(self);
        response
    }
}

/// The JSON body of a request.
#[cfg(feature = "endpoints")]
impl<S: Sync> FromRequest<S> for Input {
    type Rejection = Rejection;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Rejection> {
        Self::of(request).await
    }
}

/// Each path of the endpoints as a route, for `Router::merge`.
#[cfg(feature = "endpoints")]
impl<S: Clone + Send + Sync + 'static> From<crate::endpoint::Endpoints> for ::axum::Router<S> {
    fn from(endpoints: crate::endpoint::Endpoints) -> Self {
        let mut router = Self::new();
        for path in endpoints.paths() {
            router = router.route_service(path, endpoints.clone());
        }
        router
    }
}
