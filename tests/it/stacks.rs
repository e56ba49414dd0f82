//! One layer value on three stacks, over real sockets with real clients.

use crate::support::*;
use axum::Router;
use axum::routing::get as get_route;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;
use tower_auth::store::Memory;
use tower_auth::{ApiKeys, AuthLayer, Principal, Realm, Scope};

/// A server that ends with the test.
struct Running(SocketAddr, JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.1.abort();
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn on_axum(auth: AuthLayer) -> Running {
    async fn whoami(caller: Principal) -> String {
        format!("{:?} {}", caller.method(), caller.subject())
    }
    let admin = get_route(whoami).layer(auth.require(Scope::new("admin")));
    let app = Router::new()
        .route("/", get_route(whoami))
        .route("/admin", admin)
        .layer(auth);
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    Running(
        address,
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }),
    )
}

async fn on_hyper(auth: AuthLayer) -> Running {
    let service = ServiceBuilder::new().layer(auth).service(Whoami);
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let accept = async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // A client that goes away is no failure of the server.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    Running(address, tokio::spawn(accept))
}

async fn on_tonic(auth: AuthLayer) -> Running {
    let (_, health) = tonic_health::server::health_reporter();
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let server = Server::builder().layer(auth).add_service(health);
    let serve = async move {
        server
            .serve_with_incoming(TcpIncoming::from(listener))
            .await
            .unwrap()
    };
    Running(address, tokio::spawn(serve))
}

async fn http_reply(
    address: SocketAddr,
    path: &str,
    credential: Option<&str>,
) -> (u16, Vec<String>, String) {
    let mut request = reqwest::Client::new().get(format!("http://{address}{path}"));
    if let Some(credential) = credential {
        request = request.header("authorization", credential);
    }
    let response = request.send().await.unwrap();
    let challenges = response.headers().get_all("www-authenticate").iter();
    let challenges = challenges
        .map(|line| line.to_str().unwrap().to_owned())
        .collect();
    (
        response.status().as_u16(),
        challenges,
        response.text().await.unwrap(),
    )
}

async fn grpc_reply(address: SocketAddr, credential: Option<&str>) -> Result<(), Status> {
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    if let Some(credential) = credential {
        request
            .metadata_mut()
            .insert("authorization", credential.parse().unwrap());
    }
    HealthClient::new(channel).check(request).await.map(drop)
}

#[tokio::test]
async fn one_layer_value_protects_axum_tonic_and_hyper() {
    let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let key = key_of(&keys, "7").await;
    let auth = AuthLayer::builder().accept(jwt()).accept(&keys).build();
    let auth = auth.unwrap();
    let (axum, hyper, tonic) = (
        on_axum(auth.clone()).await,
        on_hyper(auth.clone()).await,
        on_tonic(auth).await,
    );

    let good = [
        (format!("Bearer {}", token_for("anna")), "Jwt anna"),
        (format!("Bearer {}", key), "ApiKey 7"),
        (format!("Api-Key {}", key), "ApiKey 7"),
    ];
    for (credential, caller) in &good {
        for server in [&axum, &hyper] {
            let (status, _, body) = http_reply(server.0, "/", Some(credential)).await;
            assert_eq!((status, body.as_str()), (200, *caller));
        }
        grpc_reply(tonic.0, Some(credential)).await.unwrap();
    }

    let bad = [
        None,
        Some("Bearer x.y.z"),
        Some("Bearer egret_x"),
        Some("Digest x"),
        Some("Bearer"),
    ];
    for credential in bad {
        let on_axum = http_reply(axum.0, "/", credential).await;
        assert_eq!(on_axum.0, 401, "{credential:?}");
        assert_eq!(on_axum.1.len(), 2, "a challenge for each scheme");
        assert_eq!(
            on_axum,
            http_reply(hyper.0, "/", credential).await,
            "{credential:?}"
        );
        let status = grpc_reply(tonic.0, credential).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{credential:?}");
    }

    let (status, challenges, _) = http_reply(axum.0, "/admin", Some(&good[0].0)).await;
    assert_eq!(status, 403);
    assert_eq!(
        challenges,
        [r#"Bearer realm="api", error="insufficient_scope", scope="admin""#]
    );
}

#[tokio::test]
async fn http2_is_served_and_refused_as_http1_is() {
    let server = on_hyper(AuthLayer::builder().accept(jwt()).build().unwrap()).await;
    let stream = tokio::net::TcpStream::connect(server.0).await.unwrap();
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    for (credential, status) in [
        (format!("Bearer {}", token_for("anna")), 200),
        (String::from("Bearer x"), 401),
    ] {
        let request = Request::get("http://localhost/").header("authorization", credential);
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response: Response<Incoming> = client.send_request(request).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers().contains_key("www-authenticate"),
            status == 401
        );
    }
    connection.abort();
}
