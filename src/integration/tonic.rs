use crate::reject::Rejection;
use tonic::{Code, Status};

/// For handlers that refuse: `caller.require(rule)?` in a tonic method.
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        Self::new(Code::from_i32(i32::from(kind.grpc_code())), kind.detail())
    }
}
