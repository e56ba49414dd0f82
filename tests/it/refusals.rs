//! How refusals look: bodies in each format, challenges, gRPC, HEAD, and those of handlers.

use crate::support::*;
use axum::Router;
use axum::routing::get as get_route;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::credential::Credential;
use tower_auth::format::{Coded, Drf, DrfStandardized, ErrorFormat};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::store::Memory;
use tower_auth::test_util::{ManualClock, TokenMint};
use tower_auth::{
    ApiKeys, AuthLayer, ClaimsError, Principal, Realm, Rejection, RejectionKind, Requirement, Role,
    Scope, Subject,
};

fn builder() -> AuthLayerBuilder {
    AuthLayer::builder()
        .realm(&realm_at(FAR - 1_000))
        .accept(jwt())
}

/// A layer whose clock says that tokens of [`token_for`] expired at [`FAR`].
fn too_late() -> AuthLayerBuilder {
    AuthLayer::builder()
        .realm(&realm_at(FAR + 61))
        .accept(jwt())
}

fn realm_at(seconds: u64) -> Realm {
    Realm::new(Memory::new()).clock(ManualClock::new(seconds))
}

async fn body_of(auth: &AuthLayer, request: Request<Full<bytes::Bytes>>) -> (u16, Value) {
    let reply = send(auth, request).await;
    (reply.status.as_u16(), reply.json())
}

/// Refuses by the kind that a request names.
struct Planted;

impl Scheme for Planted {
    fn name(&self) -> &'static str {
        "Planted"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let Credential::Other(planted) = attempt.credential() else {
            return Answer::NotPresented;
        };
        Answer::Refused(match planted.expose() {
            "throttled" => Rejection::throttled(Duration::from_millis(1_500)),
            "scope" => Rejection::insufficient_scope([Scope::new("a"), Scope::new("b")]),
            "denied" => Rejection::permission_denied("planted"),
            "unavailable" => {
                Rejection::unavailable("planted", "the database's password is hunter2")
            }
            "revoked" => Rejection::new(RejectionKind::RevokedToken, "planted"),
            "panic" => panic!("planted"),
            _ => Rejection::new(RejectionKind::InvalidToken, "planted"),
        })
    }
}

fn planted(what: &str) -> Request<Full<bytes::Bytes>> {
    get(&[("authorization", &format!("Planted {what}"))])
}

#[tokio::test]
async fn bodies_are_problems_by_default() {
    let auth = builder().accept(Planted).build().unwrap();
    let problem = |status: u16, title, detail, code| {
        (
            status,
            json!({
                "type": "about:blank", "title": title, "status": status, "detail": detail,
                "code": code,
            }),
        )
    };
    let missing = problem(
        401,
        "Unauthorized",
        "Authentication credentials were not provided.",
        "not_authenticated",
    );
    assert_eq!(body_of(&auth, get(&[])).await, missing);
    let invalid = problem(
        401,
        "Unauthorized",
        "The token is not valid.",
        "token_invalid",
    );
    assert_eq!(body_of(&auth, bearer("x.y.z")).await, invalid);
    assert_eq!(
        body_of(&too_late().build().unwrap(), bearer(&token_for("anna"))).await,
        invalid,
        "expiry is not told"
    );
    assert_eq!(
        body_of(&auth, planted("revoked")).await,
        invalid,
        "nor is revocation"
    );
    let (status, body) = body_of(&auth, planted("scope")).await;
    assert_eq!(
        (status, &body["scope"], &body["code"]),
        (403, &json!("a b"), &json!("insufficient_scope"))
    );
    let reply = send(&auth, get(&[])).await;
    assert_eq!(reply.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn drf_bodies_are_detail_and_code() {
    let auth = builder().accept(Planted).format(Drf).build().unwrap();
    let body = |detail: &str, code: &str| json!({ "detail": detail, "code": code });
    let missing = body(
        "Authentication credentials were not provided.",
        "not_authenticated",
    );
    assert_eq!(body_of(&auth, get(&[])).await, (401, missing));
    assert_eq!(
        body_of(&auth, bearer("x.y.z")).await,
        (401, body("The token is not valid.", "token_not_valid"))
    );
    let throttled = body(
        "Request was throttled. Expected available in 2 seconds.",
        "throttled",
    );
    assert_eq!(body_of(&auth, planted("throttled")).await, (429, throttled));
    assert_eq!(
        body_of(&auth, planted("scope")).await.1["code"],
        "permission_denied"
    );
    assert_eq!(
        send(&auth, get(&[])).await.headers["content-type"],
        "application/json"
    );
}

#[tokio::test]
async fn drf_standardized_bodies_list_one_error() {
    let auth = builder()
        .accept(Planted)
        .format(DrfStandardized)
        .build()
        .unwrap();
    let (status, body) = body_of(&auth, bearer("x.y.z")).await;
    let error = json!({
        "code": "invalid_token", "detail": "The provided token is expired or invalid.",
        "attr": null, "extra": null,
    });
    assert_eq!(
        (status, body),
        (401, json!({ "type": "client_error", "errors": [error] }))
    );
    assert_eq!(
        body_of(&auth, planted("unavailable")).await.1["type"],
        "server_error"
    );
}

#[tokio::test]
async fn coded_bodies_alone_tell_a_genuine_token_that_it_is_expired_or_revoked() {
    let auth = AuthLayer::builder()
        .realm(&realm_at(1_705_314_600 + 60))
        .accept(jwt())
        .accept(Planted)
        .format(Coded)
        .build()
        .unwrap();
    let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "exp": 1_705_314_600 });
    let expired = TokenMint::hs256(SECRET).sign(&claims);
    let body = json!({
        "error": "token_expired", "message": "The token is expired.",
        "details": { "expired_at": "2024-01-15T10:30:00Z" },
    });
    assert_eq!(body_of(&auth, bearer(&expired)).await, (401, body));
    let forged = TokenMint::hs256("another secret: 0123456789abcdef").sign(&claims);
    assert_eq!(
        body_of(&auth, bearer(&forged)).await.1["error"],
        "token_invalid"
    );
    assert_eq!(
        body_of(&auth, planted("revoked")).await.1["error"],
        "token_revoked"
    );
    let throttled = json!({
        "error": "throttled", "message": "Too many requests.", "details": { "retry_after": 2 },
    });
    assert_eq!(body_of(&auth, planted("throttled")).await, (429, throttled));
    assert_eq!(
        body_of(&auth, planted("scope")).await.1["error"],
        "permission_denied"
    );
}

struct Plain;

impl ErrorFormat for Plain {
    fn content_type(&self) -> &'static str {
        "text/plain"
    }

    fn body(&self, rejection: &Rejection) -> Vec<u8> {
        assert!(rejection.missing_scopes().len() < 2, "planted");
        format!("no: {}", rejection.kind().code()).into_bytes()
    }
}

#[tokio::test]
async fn a_format_of_ones_own_writes_bodies_and_its_panic_changes_no_status() {
    let auth = builder().accept(Planted).format(Plain).build().unwrap();
    let reply = send(&auth, get(&[])).await;
    assert_eq!(
        (reply.status, reply.text()),
        (StatusCode::UNAUTHORIZED, "no: not_authenticated")
    );
    assert_eq!(reply.headers["content-type"], "text/plain");
    let reply = send(&auth, planted("scope")).await; // two scopes, where it panics
    assert_eq!((reply.status, reply.text()), (StatusCode::FORBIDDEN, ""));
    assert_eq!(
        send(&auth, get(&[])).await.status,
        401,
        "and the next request is served"
    );
}

#[tokio::test]
async fn a_token_may_not_learn_from_a_format_of_ones_own_that_it_is_expired() {
    let auth = too_late().format(Plain).build().unwrap();
    let reply = send(&auth, bearer(&token_for("anna"))).await;
    assert_eq!(reply.text(), "no: token_invalid");
}

#[tokio::test]
async fn every_status_has_its_fields() {
    let auth = builder().accept(Planted).build().unwrap();
    let cases = [
        ("throttled", 429, Some("2")),
        ("denied", 403, None),
        ("unavailable", 503, Some("1")),
        ("panic", 500, None),
        ("x", 401, None),
    ];
    for (what, status, retry_after) in cases {
        let reply = send(&auth, planted(what)).await;
        assert_eq!(reply.status, status, "{what}");
        assert_eq!(
            reply
                .headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap()),
            retry_after,
            "{what}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store", "{what}");
        assert_eq!(
            reply.challenges().len(),
            if status == 401 { 2 } else { 0 },
            "{what}"
        );
        assert!(
            reply
                .challenges()
                .iter()
                .all(|line| !line.contains("error")),
            "{what}: no Bearer was presented"
        );
        assert!(!reply.text().contains("hunter2"), "a source is for logs");
    }
    let scope = send(&auth, planted("scope")).await;
    assert_eq!(
        scope.challenges(),
        [r#"Bearer realm="api", error="insufficient_scope", scope="a b""#]
    );
}

#[tokio::test]
async fn a_realm_is_quoted_in_every_challenge() {
    let realm = Realm::new(Memory::new()).name(r#"a "b" \ c"#);
    let auth = AuthLayer::builder()
        .realm(&realm)
        .accept(jwt())
        .accept(Planted)
        .build()
        .unwrap();
    let reply = send(&auth, get(&[])).await;
    assert_eq!(
        reply.challenges(),
        [
            r#"Bearer realm="a \"b\" \\ c""#,
            r#"Planted realm="a \"b\" \\ c""#
        ]
    );
}

#[tokio::test]
async fn grpc_requests_are_refused_by_a_status_without_a_body() {
    let auth = builder().accept(Planted).build().unwrap();
    let cases = [
        ("x", "16"),
        ("throttled", "8"),
        ("denied", "7"),
        ("scope", "7"),
        ("unavailable", "14"),
        ("panic", "13"),
    ];
    for (what, code) in cases {
        let authorization = format!("Planted {what}");
        let request = request(
            "POST",
            &[
                ("content-type", "application/grpc"),
                ("authorization", &authorization),
            ],
        );
        let reply = send(&auth, request).await;
        assert_eq!(reply.status, 200, "{what}");
        assert_eq!(reply.headers["grpc-status"], code, "{what}");
        assert_eq!(reply.headers["content-type"], "application/grpc", "{what}");
        assert!(
            reply.headers.contains_key("grpc-message") && reply.body.is_empty(),
            "{what}"
        );
        assert_eq!(reply.headers["cache-control"], "no-store", "{what}");
        let expected = if what == "throttled" { 5 } else { 4 };
        assert_eq!(
            reply.headers.len(),
            expected,
            "{what}: no challenges, no content-length"
        );
        assert_eq!(
            reply.headers.contains_key("retry-after"),
            what == "throttled"
        );
    }
}

#[tokio::test]
async fn a_grpc_status_tells_a_genuine_token_no_more_than_the_format_may() {
    let told = async |auth: &AuthLayer, authorization: &str| {
        let fields = [
            ("content-type", "application/grpc\t; x=y"),
            ("authorization", authorization),
        ];
        let reply = send(auth, request("POST", &fields)).await;
        (
            reply.headers["grpc-status"].clone(),
            reply.headers["grpc-message"].clone(),
        )
    };
    let expired = format!("Bearer {}", token_for("anna"));
    let invalid = "The token is not valid.";
    for (layer, on_expired, on_revoked) in [
        (too_late(), invalid, invalid),
        (too_late().format(Plain), invalid, invalid),
        (
            too_late().format(Coded),
            "The token is expired.",
            "The token is revoked.",
        ),
    ] {
        let auth = layer.accept(Planted).build().unwrap();
        for (authorization, message) in [
            ("Bearer x.y.z", invalid),
            (&expired, on_expired),
            ("Planted revoked", on_revoked),
        ] {
            assert_eq!(
                told(&auth, authorization).await,
                ("16".parse().unwrap(), message.parse().unwrap())
            );
        }
    }
}

#[tokio::test]
async fn head_is_refused_with_the_fields_of_get_and_no_body() {
    let auth = builder().build().unwrap();
    let (head, get) = (
        send(&auth, request("HEAD", &[])).await,
        send(&auth, get(&[])).await,
    );
    assert_eq!(head.headers["content-length"], get.body.len().to_string());
    let mut fields = head.headers.clone();
    fields.remove("content-length"); // which a server takes from the body of GET
    assert_eq!((head.status, &fields), (get.status, &get.headers));
    assert!(head.body.is_empty() && !get.body.is_empty());
}

fn guarded_app(auth: AuthLayer) -> Router {
    async fn refuses(caller: Principal) -> Result<String, Rejection> {
        caller.require(Scope::new("a"))?;
        Ok(caller.subject().to_string())
    }
    async fn perhaps(caller: Option<Principal>) -> String {
        caller.map_or_else(|| "anonymous".into(), |caller| caller.subject().to_string())
    }
    async fn always(caller: Principal) -> String {
        caller.subject().to_string()
    }
    let staff = get_route(always).layer(auth.require(Role::new("staff")));
    let broken =
        get_route(always).layer(auth.require(Requirement::check("broken", |_| panic!("planted"))));
    Router::new()
        .route("/refuses", get_route(refuses))
        .route("/perhaps", get_route(perhaps))
        .route("/always", get_route(always))
        .route("/staff", staff)
        .route("/broken", broken)
}

async fn on(app: &Router, path: &str, credential: Option<String>) -> Reply {
    let mut request = Request::get(path);
    if let Some(token) = credential {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
    reply(app.clone().oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn a_handlers_refusal_gets_the_format_and_the_challenges_of_the_layer() {
    let auth = builder().format(Drf).build().unwrap();
    let app = guarded_app(auth.clone()).layer(auth);
    let refused = on(&app, "/refuses", Some(token_for("anna"))).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.challenges(),
        [r#"Bearer realm="api", error="insufficient_scope", scope="a""#]
    );
    assert_eq!(refused.code(), "permission_denied");
    assert_eq!(refused.headers["content-type"], "application/json");
    let granted = token_with(json!({ "sub": "anna", "scope": "b a" }));
    assert_eq!(on(&app, "/refuses", Some(granted)).await.text(), "anna");
}

#[tokio::test]
async fn on_optional_routes_nothing_is_anonymous_and_a_bad_credential_is_refused() {
    let auth = builder().build().unwrap();
    let app = guarded_app(auth.clone()).layer(auth.optional());
    assert_eq!(on(&app, "/perhaps", None).await.text(), "anonymous");
    assert_eq!(
        on(&app, "/perhaps", Some(token_for("anna"))).await.text(),
        "anna"
    );
    assert_eq!(on(&app, "/perhaps", Some("x.y.z".into())).await.status, 401);
    for path in ["/always", "/staff", "/refuses"] {
        let refused = on(&app, path, None).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            refused.challenges(),
            [r#"Bearer realm="api""#],
            "{path}: nothing was presented"
        );
    }
}

#[tokio::test]
async fn without_a_layer_a_route_is_500_and_says_so() {
    let auth = builder().build().unwrap();
    let app = guarded_app(auth);
    for path in ["/refuses", "/perhaps", "/always", "/staff", "/broken"] {
        let refused = on(&app, path, Some(token_for("anna"))).await;
        assert_eq!(refused.status, 500, "{path}");
        assert_eq!(
            refused.json()["detail"],
            "No AuthLayer covers this route.",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_requirement_on_a_route_is_403_and_a_check_that_panics_500() {
    let auth = builder().build().unwrap();
    let app = guarded_app(auth.clone()).layer(auth);
    let staff = token_with(json!({ "sub": "anna", "roles": ["staff"] }));
    assert_eq!(on(&app, "/staff", Some(staff)).await.text(), "anna");
    let refused = on(&app, "/staff", Some(token_for("anna"))).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "permission_denied")
    );
    assert_eq!(
        on(&app, "/broken", Some(token_for("anna"))).await.status,
        500
    );
    assert_eq!(
        on(&app, "/always", Some(token_for("anna"))).await.status,
        200,
        "the next request is served"
    );
}

#[tokio::test]
async fn claims_and_the_applications_user_come_back_typed() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Claims {
        company_id: u64,
    }
    let app = Router::new().route(
        "/",
        get_route(async |caller: Principal| {
            assert!(caller.claims::<String>().is_err(), "claims of another form");
            assert!(caller.user::<u8>().is_none() && caller.key().is_none());
            format!(
                "{:?} {:?}",
                caller.claims::<Claims>().unwrap(),
                caller.issuer().unwrap()
            )
        }),
    );
    let app = app.layer(builder().build().unwrap());
    let token = token_with(json!({ "sub": "anna", "company_id": 7 }));
    let answer = on(&app, "/", Some(token)).await;
    assert_eq!(
        answer.text(),
        r#"Claims { company_id: 7 } "https://login.example.com""#
    );
    let own = Principal::builder(Subject::user("1")).user(7_u8).build();
    assert_eq!(own.user::<u8>(), Some(&7));
    assert_eq!(own.claims::<Claims>(), Err(ClaimsError::NotAToken));
}

struct Broken;

impl<'de> serde::Deserialize<'de> for Broken {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("planted")
    }
}

#[tokio::test]
async fn a_type_of_claims_that_panics_is_an_error_and_the_handler_goes_on() {
    async fn handler(caller: Principal) -> String {
        format!("{} {:?}", caller.subject(), caller.claims::<Broken>().err())
    }
    let app = Router::new()
        .route("/", get_route(handler))
        .layer(builder().build().unwrap());
    for _ in 0..2 {
        assert_eq!(
            on(&app, "/", Some(token_for("anna"))).await.text(),
            "anna Some(Panicked)"
        );
    }
}

#[tokio::test]
async fn a_handler_hands_on_why_claims_could_not_be_read_and_it_is_answered_as_in_read_claims() {
    #[derive(serde::Deserialize)]
    struct Member {
        company_id: u64,
    }
    async fn company(caller: Principal) -> Result<String, Rejection> {
        let member: Member = caller.claims()?;
        Ok(member.company_id.to_string())
    }
    async fn broken(caller: Principal) -> Result<String, Rejection> {
        caller.claims::<Broken>()?;
        Ok(String::new())
    }
    let keys = realm_at(FAR - 1_000).api_keys(ApiKeys::prefix("egret"));
    let key = key_of(&keys, "7").await;
    let auth = AuthLayer::builder().accept(jwt()).accept(&keys);
    let app = Router::new()
        .route("/company", get_route(company))
        .route("/broken", get_route(broken))
        .layer(auth.build().unwrap());

    let member = token_with(json!({ "sub": "anna", "company_id": 7 }));
    assert_eq!(on(&app, "/company", Some(member)).await.text(), "7");
    for (name, path, credential, status, code) in [
        (
            "another form",
            "/company",
            token_for("anna"),
            401,
            "token_invalid",
        ),
        ("no token", "/company", key, 403, "permission_denied"),
        (
            "a panic",
            "/broken",
            token_for("anna"),
            500,
            "internal_error",
        ),
    ] {
        let refused = on(&app, path, Some(credential)).await;
        let seen = (refused.status.as_u16(), refused.code());
        assert_eq!(seen, (status, code.to_owned()), "{name}");
    }
    for (error, reason) in [
        (ClaimsError::Form, "claims"),
        (ClaimsError::NotAToken, "no token"),
        (ClaimsError::Panicked, "claims panicked"),
    ] {
        assert_eq!(Rejection::from(error).reason(), reason);
    }

    let reads = jwt().read_claims(|token| token.claims::<Member>().map(drop));
    let at_the_gate = AuthLayer::builder().accept(reads).accept(&keys);
    let earlier = Router::new()
        .route("/company", get_route(async || "not reached"))
        .layer(at_the_gate.build().unwrap());
    let early = on(&earlier, "/company", Some(token_for("anna"))).await;
    let late = on(&app, "/company", Some(token_for("anna"))).await;
    assert_eq!(early, late);
    assert_eq!(
        late.challenges()[0],
        r#"Bearer realm="api", error="invalid_token""#
    );
}

/// A request to a path of [`guarded_app`], as HEAD or as a gRPC call.
async fn refused_by(app: &Router, path: &str, method: &str, content_type: Option<&str>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    request = request.header("authorization", format!("Bearer {}", token_for("anna")));
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
    reply(app.clone().oneshot(request).await.unwrap()).await
}

#[tokio::test]
async fn a_requirement_refuses_head_without_a_body_and_grpc_by_a_status() {
    let auth = builder().build().unwrap();
    let staff = auth.require(Role::new("staff"));
    let app = Router::new()
        .route("/", axum::routing::any(async || "staff").layer(staff))
        .layer(auth);
    let get = refused_by(&app, "/", "GET", None).await;
    let head = refused_by(&app, "/", "HEAD", None).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (403, 0));
    assert_eq!(head.headers["content-length"], get.body.len().to_string());
    let grpc = refused_by(&app, "/", "POST", Some("application/grpc")).await;
    assert_eq!((grpc.status.as_u16(), grpc.body.len()), (200, 0));
    assert_eq!(grpc.headers["grpc-status"], "7");
    assert_eq!(grpc.headers["content-type"], "application/grpc");
}

#[tokio::test]
async fn answers_say_what_they_vary_by_where_that_was_asked_for() {
    let lines = |reply: &Reply| {
        reply
            .headers
            .get_all("vary")
            .iter()
            .cloned()
            .collect::<Vec<_>>()
    };
    let app = |auth: AuthLayer| guarded_app(auth.clone()).layer(auth.optional());
    let staff = || Some(token_with(json!({ "sub": "anna", "roles": ["staff"] })));
    let with_keys = || {
        let keys = realm_at(FAR - 1_000).api_keys(ApiKeys::prefix("egret"));
        AuthLayer::builder().accept(jwt()).accept(&keys)
    };
    let cases = [
        (builder().vary(), vec!["Authorization"]),
        (with_keys().vary(), vec!["Authorization, X-API-Key"]),
        (with_keys(), vec![]),
    ];
    for (layer, expected) in cases {
        let app = app(layer.build().unwrap());
        // Once behind two layers, and for nobody too: that answer is not for everybody.
        for (path, credential) in [
            ("/staff", staff()),
            ("/perhaps", staff()),
            ("/perhaps", None),
        ] {
            let answer = on(&app, path, credential).await;
            assert_eq!(
                (answer.status.as_u16(), lines(&answer)),
                (200, to_values(&expected)),
                "{path}"
            );
        }
        let refused = on(&app, "/staff", None).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.headers["cache-control"]),
            (401, &to_values(&["no-store"])[0])
        );
    }
}

fn to_values(texts: &[&'static str]) -> Vec<http::HeaderValue> {
    texts
        .iter()
        .map(|text| http::HeaderValue::from_static(text))
        .collect()
}
