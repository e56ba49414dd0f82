//! The service that takes over: the same paths, on axum, over the store that was moved into.

use super::recorded::{Exchange, Recorded};
use crate::support::{Reply, reply};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::credential::Source;
use tower_auth::endpoint::{Refresh, SignIn};
use tower_auth::format::Drf;
use tower_auth::jwt::SimpleJwt;
use tower_auth::store::Store;
use tower_auth::{ApiKeys, AuthLayer, PasswordPolicy, Principal, Realm, Rejection, Scope, Tokens};

/// For tests only.
const NEW_SECRET: &str = "pX4vT9mQ2sLd8Wz1Kc7Rb5Ny3Hg6Jf0u";

/// How long a store may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

pub(super) struct Service(Router);

impl Service {
    pub(super) fn over(store: Store, recorded: &Recorded) -> Self {
        let realm = Realm::new(store).store_deadline(PATIENCE);
        let users = realm.users(PasswordPolicy::new());
        let tokens = realm.tokens(
            Tokens::hs256(NEW_SECRET)
                .issuer("https://api.example.com")
                .simplejwt(SimpleJwt::hs256(&recorded.secret_key)),
        );
        let keys = realm.api_keys(
            ApiKeys::bare()
                .opaque()
                .imported_sha512()
                .imported_password_hashes()
                .sources([Source::api_key(), Source::token()]),
        );
        let auth = AuthLayer::builder()
            .accept(&tokens)
            .accept(&keys)
            .accept(users.basic())
            .format(Drf)
            .build()
            .unwrap();
        let deletions = get(whoami_by_id).layer(auth.require(Scope::new("authtoken.delete_token")));
        let endpoints = auth
            .endpoints()
            .mount("/api/token/", SignIn::of(&tokens).name_field("username"))
            .mount("/api/token/refresh/", Refresh::of(&tokens))
            .build()
            .unwrap();
        Self(
            Router::new()
                .route("/api/whoami/", get(whoami))
                .route("/api/machine/", get(machine))
                .route("/api/deletions/", deletions)
                .layer(auth)
                .merge(endpoints),
        )
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Full::new(Bytes::from(body.to_string()))
            }
            None => Full::default(),
        };
        let request = request.body(axum::body::Body::new(body)).unwrap();
        reply(self.0.clone().oneshot(request).await.unwrap()).await
    }

    /// Asks again what was asked of Django.
    pub(super) async fn repeat(&self, exchange: &Exchange) -> Reply {
        let Exchange { method, path, .. } = exchange;
        let authorization = exchange.authorization.as_deref();
        self.ask(method, path, authorization, exchange.body.as_ref())
            .await
    }

    pub(super) async fn whoami(&self, authorization: &str) -> Reply {
        self.ask("GET", "/api/whoami/", Some(authorization), None)
            .await
    }
}

async fn whoami(caller: Principal) -> Result<Json<Value>, Rejection> {
    if caller.subject().kind() != "user" {
        return Err(Rejection::permission_denied("no user"));
    }
    let mut scopes: Vec<&str> = caller.scopes().iter().collect();
    let mut roles: Vec<&str> = caller.roles().iter().collect();
    scopes.sort_unstable();
    roles.sort_unstable();
    Ok(Json(
        json!({ "id": caller.subject().id(), "scopes": scopes, "roles": roles }),
    ))
}

async fn whoami_by_id(caller: Principal) -> Json<Value> {
    Json(json!({ "id": caller.subject().id() }))
}

/// For keys of djangorestframework-api-key, which are no user's.
async fn machine(caller: Principal) -> Result<Json<Value>, Rejection> {
    let key = caller.key().filter(|key| key.owner.kind() == "api-key");
    match key {
        Some(key) => Ok(Json(json!({ "prefix": key.id }))),
        None => Err(Rejection::permission_denied("no API key")),
    }
}
