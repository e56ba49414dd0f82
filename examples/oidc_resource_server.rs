//! A resource server: whoever has an access token of an OpenID provider may read reports.
//!
//! ```text
//! ISSUER=https://login.example.com AUDIENCE=reports cargo run --example oidc_resource_server
//! curl -s http://127.0.0.1:3000/reports -H "Authorization: Bearer $TOKEN"   # hello anna
//! curl -s -i http://127.0.0.1:3000/reports                                  # 401
//! curl -s http://127.0.0.1:3000/ready      # ready, or 503 while the keys cannot be loaded
//! ```
//!
//! The provider's keys are found by its name, and followed when it rotates them. What a provider
//! of your choice puts into its tokens: `tower_auth::guide::providers`.

use axum::Router;
use axum::routing::get;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tower_auth::{AuthLayer, ConfigError, Jwt, Principal};

fn app(issuer: String, audience: String) -> Result<Router, ConfigError> {
    let auth = AuthLayer::builder()
        .accept(Jwt::oidc(issuer).audience(audience))
        .build()?;
    let probe = auth.clone();
    let ready = async move || probe.ready().await.map(|()| "ready");
    Ok(Router::new()
        .route("/reports", get(reports))
        .layer(auth) // everything above needs a token
        .route("/ready", get(ready))) // and what is added below does not
}

async fn reports(caller: Principal) -> String {
    format!("hello {}", caller.subject())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = app(std::env::var("ISSUER")?, std::env::var("AUDIENCE")?)?;
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    Ok(())
}
