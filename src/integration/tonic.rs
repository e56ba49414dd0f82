use crate::reject::Rejection;
use std::net::SocketAddr;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Code, Status};

/// For handlers that refuse: `caller.require(rule)?` in a tonic method.
impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        let kind = rejection.kind();
        Self::new(Code::from_i32(i32::from(kind.grpc_code())), kind.detail())
    }
}

/// From tonic's own server over TCP. One over TLS says it in another form: insert a `Peer` there.
pub(crate) fn tonic_peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions.get().and_then(TcpConnectInfo::remote_addr)
}
