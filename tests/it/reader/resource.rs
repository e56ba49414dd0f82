//! A resource server: two identity providers issue its tokens, and it keeps nothing.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::clock::Clock;
use tower_auth::store::Memory;
use tower_auth::test_util::ManualClock;
use tower_auth::{AuthLayer, ConfigError, Jwt, Principal, Realm, Rejection, Requirement, Scope};

/// Who issues tokens for this service.
struct Issuers {
    /// Of the company's own people: Keycloak, roles in `realm_access.roles`.
    staff: String,
    /// Of customers: scopes in `permissions`, no roles.
    customers: String,
}

fn layer(realm: &Realm, issuers: &Issuers) -> Result<AuthLayer, ConfigError> {
    let staff = Jwt::oidc(&issuers.staff)
        .audience("reports")
        .role_claim(["realm_access", "roles"]);
    let customers = Jwt::oidc(&issuers.customers)
        .audience("reports")
        .scope_claim("permissions");
    AuthLayer::builder()
        .realm(realm)
        .accept(staff)
        .accept(customers)
        .build()
}

fn app(auth: &AuthLayer, issuers: &Issuers) -> Router {
    let staff = issuers.staff.clone();
    let of_staff = Requirement::check("of staff", move |caller| caller.issuer() == Some(&staff));
    let admin = Requirement::role("admin").and(of_staff);
    Router::new()
        .route("/whoami", get(whoami))
        .route(
            "/reports",
            get(async || "all").layer(auth.require(Scope::new("reports:read"))),
        )
        .route("/admin", get(async || "yes").layer(auth.require(admin)))
        .route("/company", get(company))
        .layer(auth.clone())
}

async fn whoami(caller: Principal) -> String {
    format!(
        "{} of {}",
        caller.subject(),
        caller.issuer().unwrap_or("nobody")
    )
}

#[derive(Deserialize)]
struct Company {
    company: String,
}

async fn company(caller: Principal) -> Result<String, Rejection> {
    let Company { company } = caller.claims()?;
    Ok(company)
}

const NOW: u64 = 1_800_000_000;

/// A key pair of the provider, and the id by which it is published.
struct Key {
    id: &'static str,
    pair: Ed25519KeyPair,
}

impl Key {
    fn new(id: &'static str) -> Self {
        Self {
            id,
            pair: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": x })
    }

    fn sign(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": self.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

/// What the provider publishes, for each of its issuers.
#[derive(Clone)]
struct Provider {
    base: String,
    state: Arc<Mutex<Published>>,
}

#[derive(Default)]
struct Published {
    staff: Vec<Value>,
    customers: Vec<Value>,
    loads: usize,
    is_down: bool,
}

impl Provider {
    async fn start(staff: &Key, customers: &Key) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (staff, customers) = (vec![staff.jwk()], vec![customers.jwk()]);
        let published = Published {
            staff,
            customers,
            ..Published::default()
        };
        let provider = Self {
            base,
            state: Arc::new(Mutex::new(published)),
        };
        let app = Router::new()
            .route("/{issuer}/.well-known/openid-configuration", get(discovery))
            .route("/{issuer}/keys", get(keys))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        provider
    }

    fn issuer(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }
}

fn document(value: &Value) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        value.to_string(),
    )
        .into_response()
}

async fn discovery(State(provider): State<Provider>, Path(name): Path<String>) -> Response {
    if provider.state.lock().unwrap().is_down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let issuer = provider.issuer(&name);
    document(&json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }))
}

async fn keys(State(provider): State<Provider>, Path(name): Path<String>) -> Response {
    let mut state = provider.state.lock().unwrap();
    if state.is_down {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    state.loads += 1;
    let keys = if name == "staff" {
        &state.staff
    } else {
        &state.customers
    };
    document(&json!({ "keys": keys }))
}

struct Server {
    provider: Provider,
    base: String,
    auth: AuthLayer,
    clock: ManualClock,
    staff: Key,
    customers: Key,
    reasons: Arc<Mutex<Vec<&'static str>>>,
}

impl Server {
    async fn start() -> Self {
        let (staff, customers) = (Key::new("staff-1"), Key::new("customers-1"));
        let provider = Provider::start(&staff, &customers).await;
        let clock = ManualClock::new(NOW);
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&reasons);
        let realm = Realm::new(Memory::new())
            .clock(clock.clone())
            .on_event(move |event| {
                told.lock()
                    .unwrap()
                    .extend(event.rejection().map(|rejection| rejection.reason()));
            });
        let issuers = Issuers {
            staff: provider.issuer("staff"),
            customers: provider.issuer("customers"),
        };
        let auth = layer(&realm, &issuers).unwrap();
        let app = app(&auth, &issuers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            provider,
            base,
            auth,
            clock,
            staff,
            customers,
            reasons,
        }
    }

    async fn get(&self, path: &str, token: &str) -> (u16, String, String) {
        let mut request = Client::new().get(format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        (
            status,
            challenge.unwrap_or_default(),
            response.text().await.unwrap(),
        )
    }

    async fn status(&self, path: &str, token: &str) -> u16 {
        self.get(path, token).await.0
    }

    fn claims(&self, issuer: &str, more: Value) -> Value {
        let mut claims = json!({
            "iss": self.provider.issuer(issuer), "aud": ["account", "reports"], "sub": "7",
            "iat": NOW, "exp": NOW + 300,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// Why the last request was refused, as the log says it.
    fn reason(&self) -> &'static str {
        self.reasons.lock().unwrap().pop().unwrap()
    }
}

#[tokio::test]
async fn both_issuers_are_known_by_their_names_and_told_apart() {
    let server = Server::start().await;
    server.auth.ready().await.unwrap();
    for (name, key) in [("staff", &server.staff), ("customers", &server.customers)] {
        let (status, _, body) = server
            .get("/whoami", &key.sign(&server.claims(name, json!({}))))
            .await;
        assert_eq!(
            (status, body),
            (200, format!("7 of {}", server.provider.issuer(name)))
        );
    }
    // One issuer's key signs nothing for the other.
    let crossed = server.customers.sign(&server.claims("staff", json!({})));
    let (status, challenge, body) = server.get("/whoami", &crossed).await;
    assert_eq!(status, 401);
    assert_eq!(challenge, r#"Bearer realm="api", error="invalid_token""#);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&body["status"], &body["code"]),
        (&json!(401), &json!("token_invalid"))
    );
    assert_eq!(server.reason(), "kid");
    let (status, challenge, body) = server.get("/whoami", "").await;
    assert_eq!((status, &*challenge), (401, r#"Bearer realm="api""#));
    assert!(body.contains("not_authenticated"));
}

#[tokio::test]
async fn a_token_for_another_service_or_of_nobody_is_refused() {
    let server = Server::start().await;
    for (more, reason) in [
        (json!({ "aud": "invoices" }), "aud"),
        (json!({ "iss": "https://elsewhere.example.com" }), "iss"),
        (json!({ "exp": NOW - 61 }), "exp"),
        (json!({ "nbf": NOW + 61 }), "nbf"),
        (json!({ "token_type": "refresh" }), "token_type"),
    ] {
        let token = server.staff.sign(&server.claims("staff", more));
        assert_eq!(server.status("/whoami", &token).await, 401, "{reason}");
        assert_eq!(server.reason(), reason);
    }
    let token = server.staff.sign(&server.claims("staff", json!({})));
    assert_eq!(server.status("/whoami", &token).await, 200);
    // Until its end, and the minute by which clocks may differ.
    server.clock.advance(Duration::from_secs(359));
    assert_eq!(server.status("/whoami", &token).await, 200);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(server.status("/whoami", &token).await, 401);
}

#[tokio::test]
async fn roles_are_nested_and_count_only_where_they_should() {
    let server = Server::start().await;
    let nested = json!({ "realm_access": { "roles": ["admin"] } });
    let admin = server.staff.sign(&server.claims("staff", nested.clone()));
    assert_eq!(server.status("/admin", &admin).await, 200);
    // Elsewhere in the token it is no role,
    let flat = server
        .staff
        .sign(&server.claims("staff", json!({ "roles": ["admin"] })));
    let (status, challenge, body) = server.get("/admin", &flat).await;
    assert_eq!((status, &*challenge), (403, ""));
    assert!(body.contains("permission_denied"), "{body}");
    // and a customer is no administrator, whatever the token says.
    for more in [nested, json!({ "roles": ["admin"] })] {
        let customer = server.customers.sign(&server.claims("customers", more));
        assert_eq!(server.status("/admin", &customer).await, 403);
    }
}

#[tokio::test]
async fn scopes_are_read_where_each_issuer_writes_them() {
    let server = Server::start().await;
    let staff = json!({ "scope": "openid reports:read" });
    let staff = server.staff.sign(&server.claims("staff", staff));
    let customer = json!({ "permissions": ["reports:read"] });
    let customer = server.customers.sign(&server.claims("customers", customer));
    for token in [staff, customer] {
        assert_eq!(server.status("/reports", &token).await, 200);
    }
    let without = json!({ "scope": "reports:read" }); // not where customers have them
    let without = server.customers.sign(&server.claims("customers", without));
    let (status, challenge, body) = server.get("/reports", &without).await;
    assert_eq!(status, 403);
    assert_eq!(
        challenge,
        r#"Bearer realm="api", error="insufficient_scope", scope="reports:read""#
    );
    assert!(body.contains("insufficient_scope"), "{body}");
}

#[tokio::test]
async fn a_handler_reads_claims_of_its_own() {
    let server = Server::start().await;
    let token = server
        .staff
        .sign(&server.claims("staff", json!({ "company": "Egret" })));
    assert_eq!(server.get("/company", &token).await.2, "Egret");
    let token = server.staff.sign(&server.claims("staff", json!({})));
    assert_eq!(server.status("/company", &token).await, 401);
}

#[tokio::test]
async fn a_key_that_is_published_later_is_found_and_one_that_is_taken_out_is_gone() {
    let server = Server::start().await;
    let old = server.staff.sign(&server.claims("staff", json!({})));
    assert_eq!(server.status("/whoami", &old).await, 200);
    let next = Key::new("staff-2");
    let token = next.sign(&server.claims("staff", json!({})));
    assert_eq!(server.status("/whoami", &token).await, 401);
    assert_eq!(server.reason(), "kid");
    server.provider.state.lock().unwrap().staff = vec![next.jwk()];
    // Not twice in ten seconds.
    assert_eq!(server.status("/whoami", &token).await, 401);
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(server.status("/whoami", &token).await, 200);
    assert_eq!(server.status("/whoami", &old).await, 401);
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_fault_of_the_callers() {
    let server = Server::start().await;
    server.provider.state.lock().unwrap().is_down = true;
    let refusal = server.auth.ready().await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    let token = server.staff.sign(&server.claims("staff", json!({})));
    let (status, _, body) = server.get("/whoami", &token).await;
    assert_eq!(status, 503);
    assert!(body.contains("unavailable"), "{body}");
    assert_eq!(server.reason(), "keys");

    server.provider.state.lock().unwrap().is_down = false;
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(server.status("/whoami", &token).await, 200);
    // Held keys go on serving while it is away, for a day.
    server.provider.state.lock().unwrap().is_down = true;
    for (later, status) in [(3600 * 23, 200), (3600, 503)] {
        server.clock.advance(Duration::from_secs(later));
        let now = server
            .clock
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let token = server
            .staff
            .sign(&server.claims("staff", json!({ "exp": now + 60 })));
        assert_eq!(server.status("/whoami", &token).await, status, "{later}");
    }
}
