//! What an axum server that uses this crate shows to Prometheus.
//!
//! ```text
//! cargo run --example metrics
//! ```
//!
//! ```text
//! URL=http://127.0.0.1:3000
//! curl -s $URL/reports/ -u anna:correct-horse-battery
//! # anna
//! curl -s $URL/reports/ -u anna:wrong -o /dev/null -w '%{http_code}\n'
//! # 401
//! sleep 1; curl -s $URL/metrics | grep decisions_total
//! # tower_auth_decisions_total{gate="authenticate",scheme="Basic",kind="admitted"} 1
//! # tower_auth_decisions_total{gate="authenticate",scheme="Basic",kind="invalid_credentials"} 1
//! ```
//!
//! The page `guide::metrics` of the docs has the table of all metrics, queries for a dashboard, and
//! what to alert on. `ADDR` (default `127.0.0.1:3000`; port 0 picks a free one) says where it
//! listens. A real service serves `/metrics` at an address that the world does not reach.

use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::error::Error;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tower_auth::endpoint::SignIn;
use tower_auth::store::Memory;
use tower_auth::throttle::Throttle;
use tower_auth::{
    AuthLayer, NewUser, PasswordPolicy, Principal, Realm, Secret, Subject, Tokens, random_secret,
};

async fn app() -> Result<Router, Box<dyn Error>> {
    // Before the realm: one that is made without a recorder counts nothing.
    let prometheus = PrometheusBuilder::new().install_recorder()?;

    let realm = Realm::new(Memory::new());
    let users = realm.users(PasswordPolicy::new());
    let secret = random_secret()?;
    let tokens = Tokens::hs256(secret.expose()).issuer("https://reports.example.com");
    let tokens = realm.tokens(tokens);
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(users.basic())
        .throttle(Throttle::per_principal("5/min"))
        .build()?;
    let sign_in = auth.endpoints().mount("/token/", SignIn::of(&tokens));

    let password = Secret::new(String::from("correct-horse-battery"));
    let anna = NewUser::new("anna", password).id(Subject::user("anna"));
    users.register(anna).await?;
    Ok(Router::new()
        .route("/reports/", get(reports))
        .layer(auth) // everything above needs a credential
        .merge(sign_in.build()?)
        .route("/metrics", get(async move || prometheus.render())))
}

async fn reports(caller: Principal) -> String {
    caller.subject().to_string()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = app().await?;
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).await?;
    Ok(())
}
