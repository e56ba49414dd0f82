//! Reports: users who sign up and in, API keys of their own, quotas, scopes, and one form of error
//! body.

use crate::dir::Dir;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_auth::clock::Clock;
use tower_auth::endpoint::{Call, ChangePassword, KeysEndpoint, Refresh, SignIn, SignOut};
use tower_auth::format::ErrorFormat;
use tower_auth::format::FieldError;
use tower_auth::store::{Sqlite, UserChange};
use tower_auth::test_util::ManualClock;
use tower_auth::throttle::{Rate, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, KeyRequest, NewUser, PasswordPolicy, Principal, Realm, Rejection,
    RejectionKind, Requirement, Scope, Secret, Subject, Tokens, Users, random_secret,
};

/// What differs between a deployment and a test.
struct Settings {
    secret: String,
    admin_password: String,
    /// Requests of a caller, all routes together.
    quota: &'static str,
    /// The same for users of plan `pro`.
    pro_quota: &'static str,
    /// Reports that a caller makes, besides.
    create_quota: &'static str,
}

#[derive(Clone)]
struct Reports {
    users: Users,
    titles: Arc<Mutex<Vec<(String, String)>>>,
}

/// Builds the service. The store is migrated here.
async fn app(
    store: Sqlite,
    clock: impl Clock,
    settings: Settings,
) -> Result<Router, Box<dyn Error>> {
    store.migrate().await?;
    let realm = Realm::new(store).name("reports").clock(clock);
    let users = realm.users(PasswordPolicy::new());
    let tokens = Tokens::hs256(&settings.secret)
        .issuer("https://reports.example.com")
        .access_lifetime(Duration::from_secs(600));
    let tokens = realm.tokens(tokens);
    let keys = realm.api_keys(ApiKeys::prefix("rep"));

    let pro: Rate = settings.pro_quota.parse()?;
    let quota = Throttle::per_principal(settings.quota)
        .quota(move |caller| caller.has_role("pro").then_some(pro));
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(&keys)
        .throttle(quota)
        .format(House)
        .build()?;
    let creating = auth.throttle("create", [Throttle::per_principal(settings.create_quota)])?;
    let signing_up = auth.throttle_public("sign-up", [Throttle::per_address("3/hour")])?;

    let endpoints = auth
        .endpoints()
        .mount("/token", SignIn::of(&tokens))
        .mount("/token/refresh", Refresh::of(&tokens))
        .mount("/token/end", SignOut::of(&tokens))
        .mount("/password", ChangePassword::of(&users, &tokens))
        .mount("/keys/", KeysEndpoint::of(&keys).request(with_the_plan))
        .build()?;

    let admin = NewUser::new("admin@example.com", Secret::new(settings.admin_password));
    users
        .ensure(admin.role("admin").scope("reports:read"))
        .await?;

    let admins = Router::new()
        .route("/users/{id}/disable", post(disable))
        .route("/users/{id}/enable", post(enable))
        .route("/users/{id}/scopes", put(set_scopes))
        .route("/users/{id}/roles", put(set_roles))
        .route_layer(auth.require(Requirement::role("admin")));
    let public = Router::new()
        .route("/health", get(async || "up"))
        .route("/sign-up", post(sign_up).layer(signing_up))
        .layer(auth.errors());
    let list = get(list).route_layer(auth.require(Scope::new("reports:read")));
    let create = post(create)
        .route_layer(auth.require(Scope::new("reports:write")))
        .route_layer(creating);
    let app = Router::new()
        .route("/reports", list.merge(create))
        .route(
            "/whoami",
            get(async |caller: Principal| caller.subject().to_string()),
        )
        .nest("/admin", admins)
        .fallback(async || Rejection::new(RejectionKind::NotFound, "no such route"))
        .method_not_allowed_fallback(async || {
            Rejection::new(RejectionKind::MethodNotAllowed, "no such method")
        })
        .layer(auth.clone())
        .merge(public)
        .merge(endpoints)
        .with_state(Reports {
            users,
            titles: Arc::default(),
        });
    auth.check_scopes(["reports:read", "reports:write"])?;
    Ok(app)
}

#[derive(Deserialize)]
struct Title {
    title: String,
}

async fn list(caller: Principal, State(reports): State<Reports>) -> Json<Vec<String>> {
    let titles = reports.titles.lock().unwrap();
    let own = titles
        .iter()
        .filter(|(owner, _)| *owner == caller.subject().to_string());
    Json(own.map(|(_, title)| title.clone()).collect())
}

async fn create(
    caller: Principal,
    State(reports): State<Reports>,
    body: Result<Json<Title>, JsonRejection>,
) -> Result<StatusCode, Failure> {
    let Json(Title { title }) = body.map_err(unreadable)?;
    let entry = (caller.subject().to_string(), title);
    let mut titles = reports.titles.lock().unwrap();
    if titles.contains(&entry) {
        return Err(Failure::TitleTaken);
    }
    titles.push(entry);
    Ok(StatusCode::CREATED)
}

#[derive(Deserialize)]
struct SignUp {
    email: String,
    password: String,
}

async fn sign_up(
    State(reports): State<Reports>,
    body: Result<Json<SignUp>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Rejection> {
    let Json(SignUp { email, password }) = body.map_err(unreadable)?;
    let new = NewUser::new(email, Secret::new(password))
        .scope("reports:read")
        .scope("reports:write");
    let user = reports.users.register(new).await.map_err(|refused| {
        // The crate calls the field `name`; here it is `email`.
        if refused.kind() != RejectionKind::InvalidInput {
            return refused;
        }
        Rejection::invalid(refused.fields().iter().map(|field| {
            let name = if field.field() == "name" {
                "email"
            } else {
                field.field()
            };
            FieldError::new(name.to_owned(), field.code(), field.detail().to_owned())
        }))
    })?;
    Ok((StatusCode::CREATED, Json(json!({ "id": user.id.id() }))))
}

async fn disable(
    caller: Principal,
    State(reports): State<Reports>,
    Path(id): Path<String>,
) -> Result<StatusCode, Rejection> {
    reports
        .users
        .on_behalf_of(&caller)
        .disable(&Subject::user(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn enable(
    caller: Principal,
    State(reports): State<Reports>,
    Path(id): Path<String>,
) -> Result<StatusCode, Rejection> {
    reports
        .users
        .on_behalf_of(&caller)
        .enable(&Subject::user(id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_scopes(
    caller: Principal,
    State(reports): State<Reports>,
    Path(id): Path<String>,
    body: Result<Json<Vec<String>>, JsonRejection>,
) -> Result<StatusCode, Rejection> {
    let Json(scopes) = body.map_err(unreadable)?;
    let mut change = UserChange::default();
    change.scopes = Some(scopes.iter().map(String::as_str).collect());
    reports
        .users
        .on_behalf_of(&caller)
        .change(&Subject::user(id), change)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_roles(
    caller: Principal,
    State(reports): State<Reports>,
    Path(id): Path<String>,
    body: Result<Json<Vec<String>>, JsonRejection>,
) -> Result<StatusCode, Rejection> {
    let Json(roles) = body.map_err(unreadable)?;
    let mut change = UserChange::default();
    change.roles = Some(roles.iter().map(String::as_str).collect());
    reports
        .users
        .on_behalf_of(&caller)
        .change(&Subject::user(id), change)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key is counted as the user is who made it.
fn with_the_plan(call: &Call, request: KeyRequest) -> Result<KeyRequest, Rejection> {
    let is_pro = call.verified()?.has_role("pro");
    Ok(if is_pro { request.role("pro") } else { request })
}

fn unreadable(_: JsonRejection) -> Rejection {
    Rejection::invalid([])
}

/// The form of all error bodies here.
struct House;

fn body(code: &str, message: &str, more: Value) -> Value {
    let mut error = json!({ "code": code, "message": message });
    for (name, value) in more.as_object().into_iter().flatten() {
        error[name] = value.clone();
    }
    json!({ "error": error })
}

impl ErrorFormat for House {
    fn content_type(&self) -> &'static str {
        "application/vnd.reports.error+json"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        let mut more = json!({});
        if !rejection.missing_scopes().is_empty() {
            let missing = rejection.missing_scopes().iter().map(Scope::as_str);
            more["needs"] = missing.collect();
        }
        if let Some(wait) = rejection.retry_after() {
            more["seconds"] = json!(wait.as_secs_f64().ceil());
        }
        for field in rejection.fields() {
            more["fields"][field.field()] = json!(field.code());
        }
        let kind = rejection.kind();
        body(kind.code(), kind.detail(), more)
            .to_string()
            .into_bytes()
    }
}

/// What handlers fail with: what the crate knows, and what it does not.
enum Failure {
    Refused(Rejection),
    TitleTaken,
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Refused(rejection)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(rejection) => rejection.into_response(),
            Self::TitleTaken => {
                let body = body(
                    "title_taken",
                    "There is a report of that title.",
                    Value::Null,
                );
                let kind = [(header::CONTENT_TYPE, House.content_type())];
                (StatusCode::CONFLICT, kind, body.to_string()).into_response()
            }
        }
    }
}

const PASSWORD: &str = "tests only: a quiet heron";
const ADMIN_PASSWORD: &str = "tests only: another heron";

struct Server {
    base: String,
    clock: ManualClock,
    client: Client,
    dir: Arc<Dir>,
}

struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn field(&self, name: &str) -> String {
        let lines = self
            .headers
            .get_all(name)
            .iter()
            .map(|line| line.to_str().unwrap());
        lines.collect::<Vec<_>>().join(", ")
    }

    fn challenges(&self) -> Vec<String> {
        let all = self.headers.get_all("www-authenticate").iter();
        all.map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    /// The code of the error, in the house's form and no other.
    fn code(&self) -> String {
        assert_eq!(
            self.field("content-type"),
            "application/vnd.reports.error+json",
            "{}",
            self.text
        );
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), &*self.code()),
            (status, code),
            "{}",
            self.text
        );
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

impl Server {
    async fn start(quota: &'static str, create_quota: &'static str) -> Self {
        let clock = ManualClock::new(1_800_000_000);
        Self::over(Arc::new(Dir::new()), clock, quota, create_quota).await
    }

    /// A process with a secret of its own.
    async fn over(
        dir: Arc<Dir>,
        clock: ManualClock,
        quota: &'static str,
        create_quota: &'static str,
    ) -> Self {
        let settings = Settings {
            secret: random_secret().unwrap().expose().clone(),
            admin_password: ADMIN_PASSWORD.to_owned(),
            quota,
            pro_quota: "100/min",
            create_quota,
        };
        let store = Sqlite::open(dir.file()).await.unwrap();
        let app = app(store, clock.clone(), settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = Client::new();
        Self {
            base,
            clock,
            client,
            dir,
        }
    }

    async fn send(&self, method: &str, path: &str, bearer: &str, body: Option<Value>) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer {
            status,
            headers,
            text: response.text().await.unwrap(),
        }
    }

    async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.send("GET", path, bearer, None).await
    }

    async fn post(&self, path: &str, bearer: &str, body: Value) -> Answer {
        self.send("POST", path, bearer, Some(body)).await
    }

    async fn sign_up(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let made = self.post("/sign-up", "", body).await;
        made.is(201).json()["id"].as_str().unwrap().to_owned()
    }

    async fn sign_in(&self, email: &str, password: &str) -> String {
        let body = json!({ "email": email, "password": password });
        let pair = self.post("/token", "", body).await;
        pair.is(200).json()["access"].as_str().unwrap().to_owned()
    }

    async fn key(&self, bearer: &str, scopes: &[&str]) -> String {
        let body = json!({ "name": "ci", "scopes": scopes });
        let made = self.post("/keys/", bearer, body).await;
        made.is(201).json()["key"].as_str().unwrap().to_owned()
    }
}

fn report(title: &str) -> Value {
    json!({ "title": title })
}

#[tokio::test]
async fn a_user_signs_up_and_in_and_makes_a_key() {
    let server = Server::start("100/min", "100/min").await;
    server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    server
        .post("/reports", &token, report("June"))
        .await
        .is(201);
    let key = server.key(&token, &["reports:read"]).await;
    assert!(key.starts_with("rep_"));
    let own = server.get("/reports", &key).await;
    assert_eq!(own.is(200).json(), json!(["June"]));

    // The key has the scopes that it was given, and no others.
    let refused = server.post("/reports", &key, report("July")).await;
    refused.refused(403, "insufficient_scope");
    assert_eq!(refused.json()["error"]["needs"], json!(["reports:write"]));
    assert_eq!(
        refused.challenges(),
        [r#"Bearer realm="reports", error="insufficient_scope", scope="reports:write""#]
    );
    // Nor may it have more than its maker.
    let body = json!({ "name": "root", "scopes": ["reports:write", "everything"] });
    server
        .post("/keys/", &token, body)
        .await
        .refused(400, "validation_error");
    // A key makes no keys.
    let body = json!({ "name": "child", "scopes": ["reports:read"] });
    server
        .post("/keys/", &key, body)
        .await
        .refused(403, "permission_denied");

    // A user revokes it.
    let listed = server.get("/keys/", &token).await.json();
    let id = listed[0]["id"].as_str().unwrap();
    server
        .send("DELETE", &format!("/keys/{id}/"), &token, None)
        .await
        .is(204);
    server
        .get("/reports", &key)
        .await
        .refused(401, "api_key_invalid");
}

#[tokio::test]
async fn whoever_presents_nothing_or_nonsense_learns_what_is_accepted() {
    let server = Server::start("100/min", "100/min").await;
    let nobody = server.get("/reports", "").await;
    nobody.refused(401, "not_authenticated");
    assert_eq!(
        nobody.challenges(),
        [r#"Bearer realm="reports""#, r#"Api-Key realm="reports""#]
    );
    let forged = server.get("/reports", "a.b.c").await;
    forged.refused(401, "token_invalid");
    assert_eq!(
        forged.challenges(),
        [
            r#"Bearer realm="reports", error="invalid_token""#,
            r#"Api-Key realm="reports""#
        ]
    );
    server
        .get("/reports", "rep_guess")
        .await
        .refused(401, "api_key_invalid");
    assert_eq!(server.get("/health", "").await.is(200).text, "up");
}

#[tokio::test]
async fn a_token_ends() {
    let server = Server::start("100/min", "100/min").await;
    server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    server.clock.advance(Duration::from_secs(599));
    server.get("/whoami", &token).await.is(200);
    server.clock.advance(Duration::from_secs(1));
    server
        .get("/whoami", &token)
        .await
        .refused(401, "token_invalid");

    let token = server.sign_in("anna@example.com", PASSWORD).await;
    server
        .send("POST", "/token/end", &token, None)
        .await
        .is(204);
    server
        .get("/whoami", &token)
        .await
        .refused(401, "token_invalid");
}

#[tokio::test]
async fn every_body_has_the_form_of_the_house() {
    let server = Server::start("100/min", "100/min").await;
    server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;

    let body = json!({ "email": "anna@example.com", "password": PASSWORD });
    let taken = server.post("/sign-up", "", body).await;
    taken.refused(400, "validation_error");
    assert!(
        taken.json()["error"]["fields"]["email"].is_string(),
        "{}",
        taken.text
    );
    let body = json!({ "email": "ben@example.com", "password": "short" });
    let short = server.post("/sign-up", "", body).await;
    short.refused(400, "validation_error");
    assert_eq!(
        short.json()["error"]["fields"],
        json!({ "password": "password_too_short" })
    );
    // The third from this address within the hour was the last.
    let third = server.post("/sign-up", "", json!({})).await;
    third.refused(429, "throttled");

    // Of an endpoint,
    let wrong = json!({ "email": "anna@example.com", "password": "no" });
    server
        .post("/token", "", wrong)
        .await
        .refused(401, "invalid_credentials");
    let nothing = server.post("/token", "", json!({})).await;
    nothing.refused(400, "validation_error");
    assert_eq!(nothing.json()["error"]["fields"]["email"], "required");
    server
        .get("/keys/nowhere/", &token)
        .await
        .refused(404, "not_found");
    server
        .get("/token", "")
        .await
        .refused(405, "method_not_allowed");
    // of a route that there is not,
    server
        .get("/nowhere", &token)
        .await
        .refused(404, "not_found");
    server
        .send("DELETE", "/reports", &token, None)
        .await
        .refused(405, "method_not_allowed");
    // of a handler that hands a refusal on,
    server
        .post("/reports", &token, json!({ "no": "title" }))
        .await
        .refused(400, "validation_error");
    // and what the crate knows nothing of.
    server
        .post("/reports", &token, report("June"))
        .await
        .is(201);
    server
        .post("/reports", &token, report("June"))
        .await
        .refused(409, "title_taken");
}

#[tokio::test]
async fn a_caller_has_a_quota_and_a_stricter_one_for_making_reports() {
    let server = Server::start("6/min", "2/min").await;
    server.sign_up("anna@example.com").await;
    server.sign_up("ben@example.com").await;
    let anna = server.sign_in("anna@example.com", PASSWORD).await;
    let ben = server.sign_in("ben@example.com", PASSWORD).await;

    let first = server.post("/reports", &anna, report("1")).await;
    let told = (first.field("ratelimit-policy"), first.field("ratelimit"));
    assert_eq!(
        told.0,
        r#""create:principal";q=2;w=60, "principal";q=6;w=60"#
    );
    assert_eq!(
        told.1,
        r#""create:principal";r=1;t=60, "principal";r=5;t=60"#
    );
    server.post("/reports", &anna, report("2")).await.is(201);
    let stricter = server.post("/reports", &anna, report("3")).await;
    stricter.refused(429, "throttled");
    assert_eq!(stricter.field("retry-after"), "60");
    assert_eq!(stricter.json()["error"]["seconds"], json!(60.0));
    assert_eq!(
        stricter.field("ratelimit"),
        r#""create:principal";r=0;t=60, "principal";r=3;t=60"#
    );

    // Reading goes on: of six, three are gone.
    for _ in 0..3 {
        server.get("/reports", &anna).await.is(200);
    }
    server
        .get("/reports", &anna)
        .await
        .refused(429, "throttled");
    server.get("/reports", &ben).await.is(200);
    server.clock.advance(Duration::from_secs(60));
    server.post("/reports", &anna, report("3")).await.is(201);
}

#[tokio::test]
async fn all_keys_of_a_user_share_the_users_quota() {
    let server = Server::start("6/min", "2/min").await;
    server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let one = server.key(&token, &["reports:read"]).await;
    let two = server.key(&token, &["reports:read"]).await;
    // The two that were made count as well.
    for bearer in [&one, &two, &token, &one] {
        server.get("/reports", bearer).await.is(200);
    }
    server.get("/reports", &two).await.refused(429, "throttled");
    server.get("/keys/", &token).await.refused(429, "throttled");
}

#[tokio::test]
async fn the_plan_of_a_user_says_the_quota_of_token_and_key() {
    let server = Server::start("3/min", "100/min").await;
    let id = server.sign_up("anna@example.com").await;
    let admin = server.sign_in("admin@example.com", ADMIN_PASSWORD).await;
    let roles = format!("/admin/users/{id}/roles");
    server
        .send("PUT", &roles, &admin, Some(json!(["pro"])))
        .await
        .is(204);
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let key = server.key(&token, &["reports:read"]).await;
    for bearer in [&token, &key, &token, &key] {
        let answer = server.get("/reports", bearer).await;
        assert_eq!(
            answer.is(200).field("ratelimit-policy"),
            r#""principal";q=100;w=60"#
        );
    }
    // Once it is taken, the smaller rate counts from the next request on, and anew.
    server
        .send("PUT", &roles, &admin, Some(json!([])))
        .await
        .is(204);
    for bearer in [&token, &key, &token] {
        let answer = server.get("/reports", bearer).await;
        assert_eq!(
            answer.is(200).field("ratelimit-policy"),
            r#""principal";q=3;w=60"#
        );
    }
    server.get("/reports", &key).await.refused(429, "throttled");
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_new_password_ends_all() {
    let server = Server::start("100/min", "100/min").await;
    server.sign_up("anna@example.com").await;
    let body = json!({ "email": "anna@example.com", "password": PASSWORD });
    let pair = server.post("/token", "", body).await.json();
    let first = json!({ "refresh": pair["refresh"] });
    let second = server.post("/token/refresh", "", first.clone()).await;
    let access = second.is(200).json()["access"].as_str().unwrap().to_owned();
    server.clock.advance(Duration::from_secs(11));
    server
        .post("/token/refresh", "", first)
        .await
        .refused(401, "token_invalid");
    // Somebody has stolen it: the family ends.
    server
        .get("/whoami", &access)
        .await
        .refused(401, "token_invalid");

    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let key = server.key(&token, &["reports:read"]).await;
    let body = json!({ "current_password": PASSWORD, "new_password": ADMIN_PASSWORD });
    let wrong = json!({ "current_password": "no", "new_password": ADMIN_PASSWORD });
    let refused = server.post("/password", &token, wrong).await;
    refused.refused(400, "validation_error");
    assert!(
        refused.json()["error"]["fields"]["current_password"].is_string(),
        "{}",
        refused.text
    );
    server.post("/password", &token, body).await.is(204);
    server
        .get("/whoami", &token)
        .await
        .refused(401, "token_invalid");
    server.get("/whoami", &key).await.is(200); // a key is no session
    server.sign_in("anna@example.com", ADMIN_PASSWORD).await;
}

#[tokio::test]
async fn an_administrator_disables_a_user() {
    let server = Server::start("100/min", "100/min").await;
    let id = server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let key = server.key(&token, &["reports:read"]).await;
    let admin = server.sign_in("admin@example.com", ADMIN_PASSWORD).await;
    let disable = format!("/admin/users/{id}/disable");

    let refused = server.send("POST", &disable, &token, None).await;
    refused.refused(403, "permission_denied");
    assert_eq!(refused.json()["error"]["needs"], Value::Null);
    server
        .send("POST", &disable, "", None)
        .await
        .refused(401, "not_authenticated");
    server
        .send("POST", "/admin/users/nobody/disable", &admin, None)
        .await
        .refused(404, "not_found");
    server.get("/whoami", &token).await.is(200);

    server.send("POST", &disable, &admin, None).await.is(204);
    server
        .get("/whoami", &token)
        .await
        .refused(401, "token_invalid");
    server
        .get("/whoami", &key)
        .await
        .refused(401, "api_key_invalid");
    let body = json!({ "email": "anna@example.com", "password": PASSWORD });
    server
        .post("/token", "", body)
        .await
        .refused(401, "invalid_credentials");
    server.get("/whoami", &admin).await.is(200);

    server
        .send("POST", &format!("/admin/users/{id}/enable"), &admin, None)
        .await
        .is(204);
    server.get("/whoami", &key).await.is(200);
    server.get("/whoami", &token).await.is(200);
    server.sign_in("anna@example.com", PASSWORD).await;
}

#[tokio::test]
async fn a_right_that_is_taken_from_a_user_is_taken_from_what_was_made_before() {
    let server = Server::start("100/min", "100/min").await;
    let id = server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let key = server.key(&token, &["reports:read", "reports:write"]).await;
    let admin = server.sign_in("admin@example.com", ADMIN_PASSWORD).await;
    server.post("/reports", &key, report("1")).await.is(201);

    let scopes = format!("/admin/users/{id}/scopes");
    let less = Some(json!(["reports:read"]));
    server
        .send("PUT", &scopes, &token, less.clone())
        .await
        .refused(403, "permission_denied");
    server.send("PUT", &scopes, &admin, less).await.is(204);
    for bearer in [&token, &key] {
        let refused = server.post("/reports", bearer, report("2")).await;
        refused.refused(403, "insufficient_scope");
        assert_eq!(refused.json()["error"]["needs"], json!(["reports:write"]));
        server.get("/reports", bearer).await.is(200);
    }

    // What is given back is there again.
    let all = Some(json!(["reports:read", "reports:write"]));
    server.send("PUT", &scopes, &admin, all).await.is(204);
    for (bearer, title) in [(&token, "2"), (&key, "3")] {
        server.post("/reports", bearer, report(title)).await.is(201);
    }
}

#[tokio::test]
async fn users_and_keys_are_in_the_file() {
    let server = Server::start("100/min", "100/min").await;
    server.sign_up("anna@example.com").await;
    let token = server.sign_in("anna@example.com", PASSWORD).await;
    let key = server.key(&token, &["reports:read"]).await;

    let (dir, clock) = (Arc::clone(&server.dir), server.clock.clone());
    let second = Server::over(dir, clock, "100/min", "100/min").await;
    second.get("/reports", &key).await.is(200);
    second
        .get("/reports", &token)
        .await
        .refused(401, "token_invalid");
    second.sign_in("anna@example.com", PASSWORD).await;
}
