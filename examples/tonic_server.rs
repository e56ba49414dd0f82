//! The layer around a tonic server, and the client of it.
//!
//! ```text
//! cargo run --example tonic_server                          # prints the line for the client
//! TOKEN=… cargo run --example tonic_server -- client http://127.0.0.1:3000
//! ```
//!
//! The service is gRPC's standard health check, which needs no `protoc`. It serves only callers
//! with the scope `health:read`, and it says `NOT_SERVING` to everybody but `anna`. A refusal is a
//! gRPC status: `UNAUTHENTICATED` without a good token, `PERMISSION_DENIED` without the scope.

use std::error::Error;
use std::pin::Pin;
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tonic::codegen::tokio_stream::{Stream, once};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::test_util::TokenMint;
use tower_auth::{AuthLayer, Jwt, Principal, Scope, random_secret};

struct OnlyForAnna;

#[tonic::async_trait]
impl Health for OnlyForAnna {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let caller = Principal::from_extensions(request.extensions())?;
        caller.require(Scope::new("health:read"))?;
        let anna = caller.subject().id() == "anna";
        let status = if anna {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        Ok(Response::new(HealthCheckResponse {
            status: status.into(),
        }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let answer = self.check(request).await?.into_inner();
        Ok(Response::new(Box::pin(once(Ok(answer)))))
    }
}

fn auth(secret: &str) -> Result<AuthLayer, Box<dyn Error>> {
    let jwt = Jwt::hs256(secret)
        .issuer("https://login.example.com")
        .audience("health");
    Ok(AuthLayer::builder().accept(jwt).build()?)
}

async fn serve() -> Result<(), Box<dyn Error>> {
    // A real service has the secret that it shares with its issuer in its environment.
    let secret = random_secret()?;
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}");
    println!(
        "TOKEN={} cargo run --example tonic_server -- client {url}",
        token(secret.expose(), "anna", "health:read")?
    );
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let server = Server::builder()
        .layer(auth(secret.expose())?)
        .add_service(HealthServer::new(OnlyForAnna));
    server
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop)
        .await?;
    Ok(())
}

fn token(secret: &str, subject: &str, scope: &str) -> Result<String, Box<dyn Error>> {
    let expires = (SystemClock.now() + Duration::from_secs(3600))
        .duration_since(UNIX_EPOCH)?
        .as_secs();
    Ok(TokenMint::hs256(secret).sign(&serde_json::json!({
        "iss": "https://login.example.com", "aud": "health", "sub": subject, "scope": scope, "exp": expires,
    })))
}

/// Every request of this client carries the token.
async fn client(url: String) -> Result<(), Box<dyn Error>> {
    let authorization = format!("Bearer {}", std::env::var("TOKEN")?)
        .parse::<tonic::metadata::MetadataValue<_>>()?;
    let channel = Channel::from_shared(url)?.connect().await?;
    let with_token = move |mut request: Request<()>| {
        request
            .metadata_mut()
            .insert("authorization", authorization.clone());
        Ok(request)
    };
    let mut health = HealthClient::new(InterceptedService::new(channel, with_token));
    match health.check(HealthCheckRequest::default()).await {
        Ok(answer) => println!("{:?}", answer.into_inner().status()),
        Err(status) => println!("{:?}: {}", status.code(), status.message()),
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("client"), Some(url)) => client(url).await,
        _ => serve().await,
    }
}
