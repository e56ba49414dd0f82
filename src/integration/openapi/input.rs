use super::answers::OF_BODIES;
use crate::endpoint::Input;
use std::collections::BTreeMap;
use utoipa::IntoResponses;
use utoipa::openapi::{RefOr, Response};

/// How a body is refused that a handler takes as an [`Input`]: 400, 408, 413 and 415. How the
/// answers look says the layer around the handler, by its
/// [`modify`](crate::AuthLayer#impl-Modify-for-AuthLayer).
impl IntoResponses for Input {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = BTreeMap::new();
        for kind in OF_BODIES {
            let status = kind.status();
            let reason = status.canonical_reason().unwrap_or_default();
            let response = RefOr::T(Response::new(reason));
            responses.insert(status.as_str().to_owned(), response);
        }
        responses
    }
}
