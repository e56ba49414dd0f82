use crate::reject::Rejection;
use std::error::Error;
use std::net::SocketAddr;
use tonic::Status;
use tonic::transport::server::TcpConnectInfo;

/// The rejection behind the status of a method that refused before it sent anything: tonic leaves
/// that status in the extensions of the answer.
pub(crate) fn tonic_rejection(extensions: &http::Extensions) -> Option<&Rejection> {
    let status: &Status = extensions.get()?;
    status.source()?.downcast_ref()
}

/// From tonic's own server over TCP. One over TLS says it in another form: insert a `Peer` there.
pub(crate) fn tonic_peer(extensions: &http::Extensions) -> Option<SocketAddr> {
    extensions.get().and_then(TcpConnectInfo::remote_addr)
}
