//! The whole life of a credential, with ready-made endpoints on axum: register, sign in, refresh,
//! make a key, rotate it, revoke it, sign out.
//!
//! ```text
//! cargo run --example sign_in
//! ```
//!
//! ```text
//! URL=http://127.0.0.1:3000
//! curl -s $URL/users/ -H 'content-type: application/json' -d '{"email":"anna@example.com","password":"correct-horse-battery"}'
//! # {"email":"anna@example.com","id":"…"}
//! curl -s $URL/token/ -H 'content-type: application/json' -d '{"email":"anna@example.com","password":"correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}
//! curl -s $URL/refresh/ -H 'content-type: application/json' -d '{"refresh":"eyJ…"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}: the former refresh token is good no more
//! curl -s $URL/api-keys/ -H 'authorization: Bearer eyJ…' -H 'content-type: application/json' -d '{"name":"ci"}'
//! # {"id":"…","key":"shop_…","name":"ci",…}
//! curl -s $URL/orders/ -H 'x-api-key: shop_…'
//! # {"caller":"…","method":"API key"}
//! curl -s $URL/api-keys/ID/rotate/ -H 'authorization: Bearer eyJ…' -H 'content-type: application/json' -d '{"overlap":3600}'
//! # {"id":"…","key":"shop_…",…}: both keys are good for an hour
//! curl -s -X DELETE $URL/api-keys/ID/ -H 'authorization: Bearer eyJ…'
//! # 204: that key is refused from now on
//! curl -s -X POST $URL/logout/ -H 'authorization: Bearer eyJ…'
//! # 204: so are the access token and its refresh token
//! ```
//!
//! `ADDR` (default `127.0.0.1:3000`; port 0 picks a free one) says where it listens, `JWT_SECRET`
//! what tokens are signed with; SIGTERM and Ctrl-C let it finish what it is doing.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_auth::endpoint::{ChangePassword, KeysEndpoint, Refresh, SignIn, SignOut, UsersEndpoint};
use tower_auth::store::Memory;
use tower_auth::{
    ApiKeys, AuthLayer, Method, PasswordPolicy, Principal, Realm, Requirement, Tokens,
    random_secret,
};

fn app(secret: &str) -> Result<Router, Box<dyn Error>> {
    let realm = Realm::new(Memory::new()).on_event(|event| eprintln!("{}", event.action().name())); // an application would store it
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(
        Tokens::hs256(secret)
            .issuer("https://shop.example.com")
            .access_lifetime(Duration::from_secs(30 * 60)),
    );
    let keys = realm.api_keys(ApiKeys::prefix("shop"));
    let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
    // Keys are managed by those who signed in, not by keys.
    let own_keys = KeysEndpoint::of(&keys).require(Requirement::method(Method::Jwt));
    let endpoints = auth
        .endpoints()
        .mount("/users/", UsersEndpoint::of(&users))
        .mount("/token/", SignIn::of(&tokens))
        .mount("/refresh/", Refresh::of(&tokens))
        .mount("/logout/", SignOut::of(&tokens))
        .mount("/password/", ChangePassword::of(&users, &tokens))
        .mount("/api-keys/", own_keys)
        .build()?;
    Ok(Router::new()
        .route("/orders/", get(orders))
        .layer(auth) // everything above needs a credential; the endpoints know what they need
        .merge(endpoints))
}

async fn orders(caller: Principal) -> Json<Value> {
    let method = caller.method().to_string();
    Json(json!({ "caller": caller.subject().to_string(), "method": method }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = match std::env::var("JWT_SECRET") {
        Ok(secret) => secret,
        Err(_) => {
            eprintln!("JWT_SECRET is not set: tokens will not survive a restart");
            random_secret()?.expose().clone()
        }
    };
    let address = std::env::var("ADDR").unwrap_or_else(|_| String::from("127.0.0.1:3000"));
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    let app = app(&secret)?.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
