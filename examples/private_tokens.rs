//! Private tokens: long-lived JWTs that expire when their owner says, and a page on which owners
//! make them.
//!
//! ```text
//! cargo run --example private_tokens      # then open http://127.0.0.1:3000/settings/api-keys/
//!
//! curl -s localhost:3000/api/v1/auth/token/ -H 'Content-Type: application/json' \
//!   -d '{"email": "user@example.com", "password": "correct-horse-battery"}'
//! # {"access":"eyJ…","refresh":"eyJ…"}
//! curl -s localhost:3000/api/v1/auth/private-tokens/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' -d '{"name": "billing", "expires_at": "2027-06-30T00:00:00Z"}'
//! # {"id":"…","name":"billing","token":"eyJ…","expires_at":"2027-06-30T00:00:00Z",…}
//! curl -s localhost:3000/api/v1/companies/1/datasets/ -H "Authorization: Bearer $TOKEN"
//! # [{"id":1,"name":"Sales"}]; at /api/v1/companies/2/datasets/ it is 403
//! curl -s localhost:3000/api/v1/auth/password/ -H "Authorization: Bearer $ACCESS" \
//!   -H 'Content-Type: application/json' \
//!   -d '{"current_password": "correct-horse-battery", "new_password": "another-horse-battery"}'
//! # 204: every token of the user has ended, $TOKEN too
//! ```
//!
//! What all of it takes and answers is in http://localhost:3000/api/v1/schema/, for generators of
//! clients.
//!
//! Its environment: `tower_auth::server::Environment`, and `DEMO_PASSWORD`.

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;
use tower_auth::endpoint::{ChangePassword, Page, PrivateTokensEndpoint, Refresh, SignIn};
use tower_auth::format::DrfStandardized;
use tower_auth::server::Environment;
use tower_auth::test_util::demo_users;
use tower_auth::{AuthLayer, PasswordPolicy, Principal, Rejection, Users};
use utoipa::{Modify, OpenApi, ToSchema};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the application knows of a user, and says in each token.
#[derive(Serialize, Deserialize)]
struct Member {
    company_id: u64,
}

async fn app(environment: &Environment) -> Result<Router, Box<dyn Error>> {
    let realm = environment.realm().await?;
    let users = realm.users(PasswordPolicy::new());
    add_demo_users(&users).await?;
    let tokens = environment.tokens(15 * MINUTE, DAY)?;
    let tokens = tokens.grant(|user, grant| match user.profile::<Member>() {
        Some(member) => grant.claim("company_id", &member.company_id),
        None => Ok(grant),
    });
    let tokens = realm.tokens(tokens.issuer("private_tokens"));
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .throttle(environment.throttle())
        .format(DrfStandardized)
        .build()?;
    let private_tokens = PrivateTokensEndpoint::of(&tokens);
    let endpoints = auth
        .endpoints()
        .mount("/api/v1/auth/token/", SignIn::of(&tokens))
        .mount("/api/v1/auth/token/refresh/", Refresh::of(&tokens))
        .mount("/api/v1/auth/private-tokens/", private_tokens)
        .mount(
            "/api/v1/auth/password/",
            ChangePassword::of(&users, &tokens),
        )
        .mount(
            "/settings/api-keys/",
            Page::new().fact("Company ID", "company_id"),
        )
        .build()?;
    let mut document = Document::openapi();
    auth.modify(&mut document);
    endpoints.modify(&mut document);
    auth.security_schemes().modify(&mut document);
    Ok(Router::new()
        .route("/api/v1/companies/{company_id}/datasets/", get(datasets))
        .layer(auth)
        .merge(endpoints)
        .route("/api/v1/schema/", get(async || Json(document))))
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Private tokens", description = "Long-living JWTs"),
    paths(datasets)
)]
struct Document;

#[derive(Serialize, ToSchema)]
struct Dataset {
    id: u64,
    name: &'static str,
}

/// The datasets of a company. Either token says whose datasets its bearer may see.
#[utoipa::path(
    get, path = "/api/v1/companies/{company_id}/datasets/", tag = "datasets",
    params(("company_id" = String, Path, min_length = 1)),
    responses((status = 200, description = "All of them", body = [Dataset]), (status = 403))
)]
async fn datasets(
    caller: Principal,
    Path(company): Path<String>,
) -> Result<Json<Vec<Dataset>>, Rejection> {
    let member = caller
        .claims::<Member>()
        .map_err(|_| Rejection::permission_denied("no company"))?;
    if member.company_id.to_string() != company {
        return Err(Rejection::permission_denied("another company"));
    }
    Ok(Json(vec![Dataset {
        id: 1,
        name: "Sales",
    }]))
}

/// A real service has its users in a database.
async fn add_demo_users(users: &Users) -> Result<(), Box<dyn Error>> {
    let [user, other, admin] = demo_users();
    for (user, company_id) in [(user, 1), (other, 2), (admin, 3)] {
        users.ensure(user.profile(&Member { company_id })?).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let environment = Environment::read()?;
    let server = environment.bind().await?;
    Ok(server.run(app(&environment).await?).await?)
}
