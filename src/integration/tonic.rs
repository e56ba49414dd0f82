use crate::reject::Rejection;
use std::sync::Arc;
use tonic::{Code, Status};

/// For handlers that refuse: `caller.require(rule)?` in a tonic method.
///
/// The rejection is the status's source. Nothing of it reaches the client beyond the code and the
/// message of its kind, and the layer around the service finds it there, for the log and the hook.
///
/// A stream that has begun is another thing: what refuses in the middle of it is written as
/// trailers, which have no source. The client gets the status; log and hook are not told, so a
/// method that refuses late tells of it itself.
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        let code = Code::from_i32(i32::from(kind.grpc_code()));
        let mut status = Self::new(code, kind.detail());
        status.set_source(Arc::new(rejection));
        status
    }
}
