//! The layer around a bare hyper service, without a web framework.
//!
//! ```text
//! API_KEY=demo-key-of-16-or-more cargo run --example hyper_server
//! curl -s -H 'X-API-Key: demo-key-of-16-or-more' http://127.0.0.1:3000/    # hello demo
//! curl -s -i http://127.0.0.1:3000/                                        # 401
//! ```
//!
//! The one key comes from the environment, as in many small services: an `opaque` key of any
//! format, hashed at start.

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::{ServiceBuilder, service_fn};
use tower_auth::store::Memory;
use tower_auth::throttle::Peer;
use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Principal, Realm, Secret, Subject};

async fn auth(key: String) -> Result<AuthLayer, Box<dyn Error>> {
    let keys = Realm::new(Memory::new()).api_keys(ApiKeys::bare().opaque());
    let request = KeyRequest::new(Subject::user("demo"), "from the environment");
    keys.import(&Secret::new(key), request).await?;
    Ok(AuthLayer::builder().accept(&keys).build()?)
}

async fn hello(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = match Principal::from_extensions(request.extensions()) {
        Ok(caller) => format!("hello {}\n", caller.subject()),
        Err(refusal) => refusal.to_string(),
    };
    Ok(Response::new(Full::from(text)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let key = std::env::var("API_KEY").unwrap_or_else(|_| String::from("demo-key-of-16-or-more"));
    let service = ServiceBuilder::new()
        .layer(auth(key).await?)
        .service(service_fn(hello));
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);

    let connections = GracefulShutdown::new();
    let mut terminated = signal(SignalKind::terminate())?;
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminated.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        };
        let server = auto::Builder::new(TokioExecutor::new());
        // Wrong keys are counted by the address that they come from.
        let tell_peer = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(address.ip()));
            request
        };
        let service = ServiceBuilder::new()
            .map_request(tell_peer)
            .service(service.clone());
        let service = TowerToHyperService::new(service);
        let connection = server
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        tokio::spawn(connections.watch(connection));
    }
    connections.shutdown().await;
    Ok(())
}
