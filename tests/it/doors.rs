//! Every door by which a refusal can leave tells of it once: one event for the hook, one line for
//! the log, with what is known there.

use crate::support::*;
use crate::watch::Log;
use axum::Router;
use axum::routing::get as get_route;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tonic::codegen::tokio_stream::{Stream, once};
use tonic::{Code, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tower::{ServiceExt, service_fn};
use tower_auth::credential::Credential;
use tower_auth::endpoint::{
    ChangePassword, Endpoints, Jwks, KeysEndpoint, Page, PrivateTokensEndpoint, Refresh, SignIn,
    SignOut, SignOutEverywhere, UsersEndpoint, Verify,
};
use tower_auth::event::Action;
use tower_auth::format::Coded;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::password::hash_password;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::store::{ManagedUserStore, Memory, StoreError, Stores, UserRecord};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::throttle::{Peer, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, KeyIssuer, KeyRequest, PasswordPolicy, Principal, Realm, Rejection,
    RejectionKind, Scope, Subject, Tokens,
};
use tower_layer::Layer;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const NOW: u64 = 1_800_000_000;
const PASSWORD: &str = "tests only: Pferd-Batterie";

/// What a hook was told of a refusal.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    kind: RejectionKind,
    subject: Option<String>,
    id: Option<String>,
    scheme: Option<String>,
    peer: Option<IpAddr>,
    method: Option<String>,
    route: Option<String>,
}

/// A GET from the usual peer, of which nothing else is known.
fn told(kind: RejectionKind) -> Told {
    Told {
        kind,
        subject: None,
        id: None,
        scheme: None,
        peer: Some(PEER),
        method: Some("GET".into()),
        route: None,
    }
}

impl Told {
    fn by(mut self, subject: &str) -> Self {
        self.subject = Some(subject.into());
        self
    }

    fn key(mut self, id: &str) -> Self {
        self.id = Some(id.into());
        self
    }

    fn scheme(mut self, scheme: &str) -> Self {
        self.scheme = Some(scheme.into());
        self
    }

    fn at(mut self, route: &str) -> Self {
        self.route = Some(route.into());
        self
    }

    fn post(mut self) -> Self {
        self.method = Some("POST".into());
        self
    }
}

/// What the hook was told, since the last time.
#[derive(Clone, Default)]
struct Hook(Arc<Mutex<Vec<Told>>>);

impl Hook {
    /// A realm over this store, whose refusals it is told of.
    fn realm(&self, store: &Memory) -> Realm {
        let hook = self.clone();
        let realm = Realm::new(store.clone()).clock(ManualClock::new(NOW));
        realm.on_event(move |event| {
            if event.action() != Action::Refused {
                return;
            }
            let rejection = event.rejection().unwrap();
            hook.0.lock().unwrap().push(Told {
                kind: rejection.kind(),
                subject: event.subject().map(ToString::to_string),
                id: event.id().map(str::to_owned),
                scheme: event.scheme().map(str::to_owned),
                peer: event.peer(),
                method: event.method().map(ToString::to_string),
                route: event.route().map(str::to_owned),
            });
        })
    }

    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// One way out.
struct Door {
    name: &'static str,
    /// The status of the answer, that of gRPC where it is one.
    answer: Pin<Box<dyn Future<Output = u16>>>,
    status: u16,
    told: Told,
}

fn door(
    name: &'static str,
    answer: impl Future<Output = u16> + 'static,
    status: u16,
    told: Told,
) -> Door {
    Door {
        name,
        answer: Box::pin(answer),
        status,
        told,
    }
}

/// Goes through each door, and asserts that it is told of once, in the same words to both.
async fn assert_told_once(hook: &Hook, doors: Vec<Door>) {
    let log = Log::default();
    let _capture = log.capture();
    for door in doors {
        let Door {
            name, status, told, ..
        } = door;
        log.take();
        hook.take();
        assert_eq!(door.answer.await, status, "{name}");
        let expected = line_of(&told);
        assert_eq!(hook.take(), [told], "{name}");
        let text = String::from_utf8(log.take()).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("request refused"))
            .collect();
        let [line] = lines.as_slice() else {
            panic!("{name}: not one line of {text}")
        };
        assert_eq!(expected, fields_of(line), "{name}: {line}");
    }
}

/// The fields that a line has, without those that no event has.
fn fields_of(line: &str) -> String {
    let (_, fields) = line.split_once("request refused ").unwrap();
    let fields = match fields.split_once(" source=") {
        Some((fields, _)) => fields,
        None => fields,
    };
    let (kind, reason) = fields.split_once(" reason=\"").unwrap();
    let (_, rest) = reason.split_once('"').unwrap();
    format!("{kind}{rest}")
}

fn line_of(told: &Told) -> String {
    let mut line = format!("kind={:?}", told.kind);
    for (name, text) in [
        ("subject", &told.subject),
        ("id", &told.id),
        ("scheme", &told.scheme),
    ] {
        if let Some(text) = text {
            line += &format!(" {name}={text:?}");
        }
    }
    if let Some(peer) = told.peer {
        line += &format!(" peer={peer}");
    }
    for (name, text) in [("method", &told.method), ("route", &told.route)] {
        if let Some(text) = text {
            line += &format!(" {name}={text:?}");
        }
    }
    line
}

/// `Later …`: an answer that has to be waited for.
struct Later;

impl Scheme for Later {
    fn name(&self) -> &'static str {
        "Later"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let Credential::Other(later) = attempt.credential() else {
            return Answer::NotPresented;
        };
        let is_good = later.expose() == "yes";
        Answer::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            match is_good {
                true => Ok(Principal::builder(Subject::new("robot", "r2")).build()),
                false => Err(Rejection::new(RejectionKind::InvalidToken, "planted")),
            }
        }))
    }
}

/// What failed, and why.
#[derive(Debug)]
struct Failed(&'static str, Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.1 {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

/// A layer and a key that it accepts.
struct World {
    hook: Hook,
    auth: AuthLayer,
    key: String,
    key_id: String,
}

async fn world(configure: impl Fn(AuthLayerBuilder) -> AuthLayerBuilder) -> World {
    let hook = Hook::default();
    let keys = hook
        .realm(&Memory::new())
        .api_keys(ApiKeys::prefix("egret"));
    let request = KeyRequest::new(Subject::user("7"), "ci");
    let new = keys.issue(request).await.unwrap();
    let builder = AuthLayer::builder()
        .accept(jwt())
        .accept(&keys)
        .accept(Later);
    World {
        hook,
        auth: configure(builder).build().unwrap(),
        key: new.key.expose().clone(),
        key_id: new.record.id.into(),
    }
}

async fn whoami(caller: Principal) -> String {
    caller.subject().to_string()
}

async fn requires(caller: Principal) -> Result<String, Rejection> {
    caller.require(Scope::new("admin"))?;
    Ok(String::new())
}

async fn refuses() -> Rejection {
    Rejection::permission_denied("planted")
}

async fn fails() -> Rejection {
    let cause = Failed("no such table: reports\n2026-01-01 ERROR forged", None);
    let source = Failed("the store is unavailable", Some(Box::new(cause)));
    Rejection::unavailable("planted", source)
}

fn handlers() -> Router {
    Router::new()
        .route("/who/{id}", get_route(whoami))
        .route("/requires/{id}", get_route(requires))
        .route("/refuses/{id}", get_route(refuses))
        .route("/fails", get_route(fails))
}

/// Sends a request with an `Authorization` field, or without one where it is empty.
fn through(app: &Router, path: &str, authorization: &str) -> impl Future<Output = u16> + 'static {
    let request = asking("GET", path, authorization).body(axum::body::Body::empty());
    let app = app.clone();
    async move {
        let response = app.oneshot(request.unwrap()).await.unwrap();
        response.status().as_u16()
    }
}

fn asking(method: &str, path: &str, authorization: &str) -> http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .extension(Peer(PEER));
    if authorization.is_empty() {
        request
    } else {
        request.header("authorization", authorization)
    }
}

#[tokio::test]
async fn each_gate_tells_of_what_it_refuses_once() {
    let World {
        hook,
        auth,
        key,
        key_id,
    } = world(|builder| builder).await;
    let slow = auth
        .throttle("slow", [Throttle::per_principal("1/day")])
        .unwrap();
    let needs = get_route(whoami).layer(auth.require(Scope::new("admin")));
    let app = Router::new()
        .nest("/required", handlers().layer(auth.clone()))
        .nest("/optional", handlers().layer(auth.optional()))
        .route("/needs/{id}", needs.clone().layer(auth.clone()))
        .route("/perhaps/{id}", needs.clone().layer(auth.optional()))
        .route(
            "/counted",
            get_route(whoami)
                .layer::<_, Infallible>(slow.clone())
                .layer(auth.clone()),
        )
        .route("/bare/needs", needs)
        .route("/bare/counted", get_route(whoami).layer(slow))
        .route(
            "/bare/public",
            get_route(async || "hello").layer(
                auth.throttle_public("public", [Throttle::per_address("1/day")])
                    .unwrap(),
            ),
        );
    let good = format!("Bearer {key}");
    assert_eq!(through(&app, "/bare/public", "").await, 200);
    let long = format!("Bearer x.y.{}", "z".repeat(100));
    assert_eq!(through(&app, "/counted", &good).await, 200);

    use RejectionKind as Kind;
    let by_key = |kind| told(kind).by("7").key(&key_id).scheme("Api-Key");
    let doors = vec![
        door(
            "nothing presented",
            through(&app, "/required/who/1", ""),
            401,
            told(Kind::MissingCredential).at("/required/who/{id}"),
        ),
        door(
            "a bad token",
            through(&app, "/required/who/1", "Bearer x.y.z"),
            401,
            told(Kind::InvalidToken)
                .scheme("Bearer")
                .at("/required/who/{id}"),
        ),
        door(
            "a bad token that is long enough for one",
            through(&app, "/required/who/1", &long),
            401,
            told(Kind::InvalidToken)
                .scheme("Bearer")
                .at("/required/who/{id}"),
        ),
        door(
            "a bad token where none is needed",
            through(&app, "/optional/who/1", "Bearer x.y.z"),
            401,
            told(Kind::InvalidToken)
                .scheme("Bearer")
                .at("/optional/who/{id}"),
        ),
        door(
            "a bad key",
            through(&app, "/required/who/1", "Api-Key egret_x"),
            401,
            told(Kind::InvalidApiKey)
                .scheme("Api-Key")
                .at("/required/who/{id}"),
        ),
        door(
            "a credential that was asked about",
            through(&app, "/required/who/1", "Later no"),
            401,
            told(Kind::InvalidToken)
                .scheme("Later")
                .at("/required/who/{id}"),
        ),
        door(
            "no scheme at all",
            through(&app, "/required/who/1", "Digest x"),
            401,
            told(Kind::UnknownScheme).at("/required/who/{id}"),
        ),
        door(
            "a scope that is missing",
            through(&app, "/needs/1", &good),
            403,
            by_key(Kind::InsufficientScope).at("/needs/{id}"),
        ),
        door(
            "a scope that is missing, of a caller who was asked about",
            through(&app, "/needs/1", "Later yes"),
            403,
            told(Kind::InsufficientScope)
                .by("robot:r2")
                .scheme("Later")
                .at("/needs/{id}"),
        ),
        door(
            "nobody who could have a scope",
            through(&app, "/perhaps/1", ""),
            401,
            told(Kind::MissingCredential).at("/perhaps/{id}"),
        ),
        door(
            "the throttle of a route",
            through(&app, "/counted", &good),
            429,
            by_key(Kind::Throttled).at("/counted"),
        ),
        door(
            "a requirement without a layer",
            through(&app, "/bare/needs", &good),
            500,
            told(Kind::MissingLayer).at("/bare/needs"),
        ),
        door(
            "a throttle without a layer",
            through(&app, "/bare/counted", &good),
            500,
            told(Kind::MissingLayer).at("/bare/counted"),
        ),
        door(
            "a throttle of public routes",
            through(&app, "/bare/public", &good),
            429,
            told(Kind::Throttled).at("/bare/public"),
        ),
    ];
    assert_told_once(&hook, doors).await;
}

#[tokio::test]
async fn the_throttle_of_a_layer_tells_whom_it_refuses() {
    let World {
        hook,
        auth,
        key,
        key_id,
    } = world(|builder| builder.throttle(Throttle::per_principal("1/day"))).await;
    let app = handlers().layer(auth);
    let good = format!("Api-Key {key}");
    assert_eq!(through(&app, "/who/1", &good).await, 200);
    let told = told(RejectionKind::Throttled)
        .by("7")
        .key(&key_id)
        .scheme("Api-Key")
        .at("/who/{id}");
    let doors = vec![door("too many", through(&app, "/who/1", &good), 429, told)];
    assert_told_once(&hook, doors).await;
}

#[tokio::test]
async fn a_handlers_refusal_is_told_once_whatever_layers_it_passes() {
    let World {
        hook,
        auth,
        key,
        key_id,
    } = world(|builder| builder.format(Coded)).await;
    let lenient = auth
        .throttle("lenient", [Throttle::per_principal("100/day")])
        .unwrap();
    let app = Router::new()
        .nest("/required", handlers().layer(auth.clone()))
        .nest("/optional", handlers().layer(auth.optional()))
        .nest("/public", handlers().layer(auth.errors()))
        .nest("/twice", handlers().layer(auth.clone()).layer(auth.clone()))
        .nest(
            "/strict",
            handlers().layer(auth.clone()).layer(auth.optional()),
        )
        .nest(
            "/deep",
            handlers()
                .layer(auth.errors())
                .layer(auth.require(Scope::new("admin").or(tower_auth::Method::ApiKey)))
                .layer(lenient)
                .layer(auth.clone())
                .layer(auth.errors()),
        );
    let good = format!("Bearer {key}");
    use RejectionKind as Kind;
    let by_key = |kind| told(kind).by("7").key(&key_id).scheme("Api-Key");
    let doors = vec![
        door(
            "an extractor, of nobody",
            through(&app, "/optional/who/1", ""),
            401,
            told(Kind::MissingCredential).at("/optional/who/{id}"),
        ),
        door(
            "an extractor, without a layer",
            through(&app, "/public/who/1", &good),
            500,
            told(Kind::MissingLayer).at("/public/who/{id}"),
        ),
        door(
            "Principal::require",
            through(&app, "/required/requires/1", &good),
            403,
            by_key(Kind::InsufficientScope).at("/required/requires/{id}"),
        ),
        door(
            "a rejection of its own",
            through(&app, "/required/refuses/1", &good),
            403,
            by_key(Kind::PermissionDenied).at("/required/refuses/{id}"),
        ),
        door(
            "a rejection of its own, of nobody",
            through(&app, "/optional/refuses/1", ""),
            403,
            told(Kind::PermissionDenied).at("/optional/refuses/{id}"),
        ),
        door(
            "a rejection of its own, on a public route",
            through(&app, "/public/refuses/1", "Bearer whatever"),
            403,
            told(Kind::PermissionDenied).at("/public/refuses/{id}"),
        ),
        door(
            "a store that fails, on a public route",
            through(&app, "/public/fails", ""),
            503,
            told(Kind::Unavailable).at("/public/fails"),
        ),
        door(
            "behind the same layer twice",
            through(&app, "/twice/refuses/1", &good),
            403,
            by_key(Kind::PermissionDenied).at("/twice/refuses/{id}"),
        ),
        door(
            "nothing presented to the same layer twice",
            through(&app, "/twice/refuses/1", ""),
            401,
            told(Kind::MissingCredential).at("/twice/refuses/{id}"),
        ),
        door(
            "nothing presented to required inside of optional",
            through(&app, "/strict/who/1", ""),
            401,
            told(Kind::MissingCredential).at("/strict/who/{id}"),
        ),
        door(
            "a bad token at required inside of optional",
            through(&app, "/strict/who/1", "Bearer x.y.z"),
            401,
            told(Kind::InvalidToken)
                .scheme("Bearer")
                .at("/strict/who/{id}"),
        ),
        door(
            "behind five gates",
            through(&app, "/deep/refuses/1", &good),
            403,
            by_key(Kind::PermissionDenied).at("/deep/refuses/{id}"),
        ),
        door(
            "at the fourth of five gates",
            through(&app, "/deep/refuses/1", ""),
            401,
            told(Kind::MissingCredential).at("/deep/refuses/{id}"),
        ),
        door(
            "behind five gates, the third of which refuses",
            through(&app, "/deep/refuses/1", "Later yes"),
            403,
            told(Kind::InsufficientScope)
                .by("robot:r2")
                .scheme("Later")
                .at("/deep/refuses/{id}"),
        ),
    ];
    assert_told_once(&hook, doors).await;
}

#[tokio::test]
async fn where_there_is_no_router_a_refusal_is_told_without_a_route() {
    let World { hook, auth, .. } = world(|builder| builder).await;
    let refusing = service_fn(|_: Request<Full<Bytes>>| async {
        let mut response = Response::new(Full::<Bytes>::default());
        response
            .extensions_mut()
            .insert(Rejection::permission_denied("planted"));
        Ok::<_, Infallible>(response)
    });
    let send = |layer: AuthLayer| {
        let request = asking("POST", "/secret/path", "");
        let answer = layer
            .layer(refusing)
            .oneshot(request.body(Full::default()).unwrap());
        async move { answer.await.unwrap().status().as_u16() }
    };
    let doors = vec![
        door(
            "a gate",
            send(auth.clone()),
            401,
            told(RejectionKind::MissingCredential).post(),
        ),
        door(
            "a handler",
            send(auth.errors()),
            403,
            told(RejectionKind::PermissionDenied).post(),
        ),
    ];
    assert_told_once(&hook, doors).await;
}

/// What refuses before it sends anything.
struct Refusing;

#[tonic::async_trait]
impl Health for Refusing {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        let caller = Principal::from_extensions(request.extensions())?;
        caller.require(Scope::new("admin"))?;
        Ok(tonic::Response::new(HealthCheckResponse::default()))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let answer = self.check(request).await?.into_inner();
        Ok(tonic::Response::new(Box::pin(once(Ok(answer)))))
    }
}

/// An empty message (PROTOCOL-HTTP2, "Length-Prefixed-Message"), to a method of the health service.
fn over_grpc(
    layers: &[AuthLayer],
    method: &str,
    authorization: &str,
) -> impl Future<Output = u16> + 'static {
    let path = format!("/grpc.health.v1.Health/{method}");
    let request = asking("POST", &path, authorization)
        .header("content-type", "application/grpc")
        .body(axum::body::Body::from(&[0; 5][..]))
        .unwrap();
    let mut app = Router::new().route_service(
        "/grpc.health.v1.Health/{method}",
        HealthServer::new(Refusing),
    );
    for layer in layers {
        app = app.layer(layer.clone());
    }
    async move {
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let status = &response.headers()["grpc-status"];
        status.to_str().unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn a_grpc_refusal_is_told_once_of_a_gate_and_of_a_method() {
    let World {
        hook,
        auth,
        key,
        key_id,
    } = world(|builder| builder).await;
    let good = format!("Bearer {key}");
    let (denied, unauthenticated) = (Code::PermissionDenied as u16, Code::Unauthenticated as u16);
    let at = |told: Told| told.post().at("/grpc.health.v1.Health/{method}");
    let by_key = at(told(RejectionKind::InsufficientScope)
        .by("7")
        .key(&key_id)
        .scheme("Api-Key"));
    let nobody = at(told(RejectionKind::MissingCredential));
    let one = [auth.clone()];
    let three = [auth.clone(), auth.clone(), auth.errors()];
    let doors = vec![
        door(
            "a gate",
            over_grpc(&one, "Check", ""),
            unauthenticated,
            nobody.clone(),
        ),
        door(
            "a unary method",
            over_grpc(&one, "Check", &good),
            denied,
            by_key.clone(),
        ),
        door(
            "a streaming method",
            over_grpc(&one, "Watch", &good),
            denied,
            by_key.clone(),
        ),
        door(
            "a method of nobody",
            over_grpc(&[auth.optional()], "Check", ""),
            unauthenticated,
            nobody,
        ),
        door(
            "a unary method behind three layers",
            over_grpc(&three, "Check", &good),
            denied,
            by_key.clone(),
        ),
        door(
            "a streaming method behind three layers",
            over_grpc(&three, "Watch", &good),
            denied,
            by_key,
        ),
    ];
    assert_told_once(&hook, doors).await;
}

struct Site {
    hook: Hook,
    endpoints: Endpoints,
    auth: AuthLayer,
    keys: KeyIssuer,
}

async fn site() -> Site {
    let store = Memory::new();
    let user = UserRecord::new(Subject::user("7"), "anna@example.com")
        .password_hash(hash_password(PASSWORD).unwrap());
    store.insert_user(user).await.unwrap();
    let hook = Hook::default();
    let realm = hook.realm(&store);
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer("https://api.example.com"));
    let keys = realm.api_keys(ApiKeys::prefix("egret"));
    let auth = AuthLayer::builder().accept(&tokens).accept(&keys);
    let auth = auth.build().unwrap();
    let shown = UsersEndpoint::of(&users).show(|_, _| panic!("planted"));
    let endpoints = auth
        .endpoints()
        .mount("/token/", SignIn::of(&tokens))
        .mount("/refresh/", Refresh::of(&tokens))
        .mount("/verify/", Verify::of(&tokens))
        .mount("/logout/", SignOut::of(&tokens))
        .mount("/logout-everywhere/", SignOutEverywhere::of(&tokens))
        .mount("/password/", ChangePassword::of(&users, &tokens))
        .mount("/users/", shown)
        .mount("/agents/{id}/api-keys/", KeysEndpoint::of(&keys))
        .mount("/private-tokens/", PrivateTokensEndpoint::of(&tokens))
        .mount("/jwks/", Jwks::of(&tokens))
        .mount(
            "/settings/",
            Page::new().cookies("egret").keys("/private-tokens/"),
        )
        .build()
        .unwrap();
    Site {
        hook,
        endpoints,
        auth,
        keys,
    }
}

impl Site {
    fn ask(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        body: &str,
    ) -> impl Future<Output = u16> + 'static {
        let mut request = asking(method, path, authorization);
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::<Bytes>::from(body.to_owned())).unwrap();
        let endpoints = self.endpoints.clone();
        async move { endpoints.oneshot(request).await.unwrap().status().as_u16() }
    }
}

#[tokio::test]
async fn each_endpoint_tells_of_what_it_refuses_once() {
    let site = site().await;
    let request = KeyRequest::new(Subject::user("7"), "ci");
    let new = site.keys.issue(request).await.unwrap();
    let key_id = String::from(new.record.id);
    let key = format!("Bearer {}", new.key.expose());

    use RejectionKind as Kind;
    let by_key = |kind| told(kind).by("7").key(&key_id).scheme("Api-Key");
    let nobody = told(Kind::MissingCredential);
    let wrong = r#"{"email": "anna@example.com", "password": "wrong password"}"#;
    let passwords = r#"{"current_password": "x", "new_password": "y"}"#;
    let doors = vec![
        door(
            "no such path",
            site.ask("GET", "/secret/path", "", ""),
            404,
            told(Kind::NotFound),
        ),
        door(
            "no such method",
            site.ask("GET", "/token/", "", ""),
            405,
            told(Kind::MethodNotAllowed),
        ),
        door(
            "a wrong password",
            site.ask("POST", "/token/", "", wrong),
            401,
            told(Kind::InvalidPassword).post().at("/token/"),
        ),
        door(
            "a field that is missing",
            site.ask("POST", "/token/", "", "{}"),
            400,
            told(Kind::InvalidInput).post().at("/token/"),
        ),
        door(
            "no JSON",
            site.ask("POST", "/token/", "", "[]"),
            400,
            told(Kind::InvalidInput).post().at("/token/"),
        ),
        door(
            "a refresh token that is none",
            site.ask("POST", "/refresh/", "", r#"{"refresh": "x"}"#),
            401,
            told(Kind::InvalidToken).post().at("/refresh/"),
        ),
        door(
            "a token to verify that is none",
            site.ask("POST", "/verify/", "", r#"{"token": "x"}"#),
            401,
            told(Kind::InvalidToken).post().at("/verify/"),
        ),
        door(
            "a sign-out of nobody",
            site.ask("POST", "/logout/", "", ""),
            401,
            nobody.clone().post().at("/logout/"),
        ),
        door(
            "a sign-out by a key",
            site.ask("POST", "/logout/", &key, ""),
            403,
            by_key(Kind::PermissionDenied).post().at("/logout/"),
        ),
        door(
            "a sign-out everywhere by a key",
            site.ask("POST", "/logout-everywhere/", &key, ""),
            403,
            by_key(Kind::PermissionDenied)
                .post()
                .at("/logout-everywhere/"),
        ),
        door(
            "a change of passwords by a key",
            site.ask("POST", "/password/", &key, passwords),
            403,
            by_key(Kind::PermissionDenied).post().at("/password/"),
        ),
        door(
            "a registration of nothing",
            site.ask("POST", "/users/", "", "{}"),
            400,
            told(Kind::InvalidInput).post().at("/users/"),
        ),
        door(
            "another user",
            site.ask("GET", "/users/8/", &key, ""),
            404,
            by_key(Kind::NotFound).at("/users/{user_id}/"),
        ),
        door(
            "a hook that panics",
            site.ask("GET", "/users/", &key, ""),
            500,
            by_key(Kind::Failed).at("/users/"),
        ),
        door(
            "keys of nobody",
            site.ask("GET", "/agents/7/api-keys/", "", ""),
            401,
            nobody.clone().at("/agents/{id}/api-keys/"),
        ),
        door(
            "keys for a bad key",
            site.ask("GET", "/agents/7/api-keys/", "Api-Key egret_x", ""),
            401,
            told(Kind::InvalidApiKey)
                .scheme("Api-Key")
                .at("/agents/{id}/api-keys/"),
        ),
        door(
            "no such key",
            site.ask("GET", "/agents/7/api-keys/none/", &key, ""),
            404,
            by_key(Kind::NotFound).at("/agents/{id}/api-keys/{key_id}/"),
        ),
        door(
            "private tokens by a key",
            site.ask("GET", "/private-tokens/", &key, ""),
            403,
            by_key(Kind::PermissionDenied).at("/private-tokens/"),
        ),
        door(
            "a method that a key set has not",
            site.ask("DELETE", "/jwks/", "", ""),
            405,
            Told {
                method: Some("DELETE".into()),
                ..told(Kind::MethodNotAllowed)
            },
        ),
        door(
            "a page's sign-in from elsewhere",
            site.ask("POST", "/settings/session/", "", wrong),
            403,
            told(Kind::PermissionDenied).post().at("/settings/session/"),
        ),
        door(
            "a credential beside a page's cookies",
            site.ask("GET", "/settings/owner/", &key, ""),
            400,
            told(Kind::MultipleCredentials).at("/settings/owner/"),
        ),
        door(
            "a page without its cookie",
            site.ask("GET", "/settings/owner/", "", ""),
            401,
            nobody.at("/settings/owner/"),
        ),
    ];
    assert_told_once(&site.hook, doors).await;
}

#[tokio::test]
async fn endpoints_inside_of_their_layer_tell_once_and_are_http_whatever_is_sent() {
    let site = site().await;
    let inside = site.auth.optional().layer(site.endpoints.clone());
    let send = |path: &'static str, content_type: &'static str| {
        let request = asking("POST", path, "").header("content-type", content_type);
        let answer = inside
            .clone()
            .oneshot(request.body(Full::<Bytes>::default()).unwrap());
        async move { answer.await.unwrap().status().as_u16() }
    };
    let doors = vec![
        door(
            "a handler",
            send("/token/", "application/json"),
            400,
            told(RejectionKind::InvalidInput).post().at("/token/"),
        ),
        door(
            "a gate",
            send("/logout/", "application/grpc"),
            401,
            told(RejectionKind::MissingCredential).post().at("/logout/"),
        ),
    ];
    assert_told_once(&site.hook, doors).await;
}

#[tokio::test]
async fn what_failed_is_told_with_its_whole_chain_and_on_one_line() {
    let World { auth, .. } = world(|builder| builder).await;
    let app = handlers().layer(auth.errors());
    let log = Log::default();
    let capture = log.capture();
    assert_eq!(through(&app, "/fails", "").await, 503);
    drop(capture);
    let text = String::from_utf8(log.take()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("ERROR"), "{text}");
    let chain =
        r#"source="the store is unavailable: no such table: reports\n2026-01-01 ERROR forged""#;
    assert!(text.contains(chain), "{text}");
}

#[tokio::test]
async fn a_store_that_fails_is_told_with_its_source() {
    let store = Intercepted::new(Memory::new(), |_| Intercept::Fail);
    let keys = Realm::new(store).api_keys(ApiKeys::prefix("egret"));
    let auth = AuthLayer::builder().accept(&keys).build().unwrap();
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let key = key_of(&elsewhere, "7").await;
    let log = Log::default();
    let capture = log.capture();
    assert_eq!(send(&auth, bearer(&key)).await.status, 503);
    drop(capture);
    let text = String::from_utf8(log.take()).unwrap();
    let source = StoreError::unavailable("planted").to_string();
    assert!(text.contains(&format!("source=\"{source}: ")), "{text}");
}

#[tokio::test]
async fn a_hook_that_panics_is_500_at_every_door_and_the_next_request_is_served() {
    let realm = Realm::new(Stores::new()).on_event(|_| panic!("planted"));
    let auth = AuthLayer::builder()
        .realm(&realm)
        .accept(jwt())
        .accept(Later)
        .build()
        .unwrap();
    let needs = get_route(whoami).layer(auth.require(Scope::new("admin")));
    let app = handlers()
        .route("/needs", needs)
        .layer(auth.clone())
        .nest("/public", handlers().layer(auth.errors()));
    for (path, authorization) in [
        ("/who/1", ""),
        ("/who/1", "Later no"),
        ("/needs", "Later yes"),
        ("/refuses/1", "Later yes"),
        ("/public/refuses/1", ""),
    ] {
        assert_eq!(through(&app, path, authorization).await, 500, "{path}");
        assert_eq!(through(&app, "/who/1", "Later yes").await, 200, "{path}");
    }
    let internal = Code::Internal as u16;
    let one = [auth];
    assert_eq!(over_grpc(&one, "Check", "").await, internal);
    assert_eq!(over_grpc(&one, "Check", "Later yes").await, internal);
}

#[tokio::test]
async fn a_layer_inside_of_the_same_layer_verifies_and_counts_once() {
    let World { auth, key, .. } =
        world(|builder| builder.throttle(Throttle::per_principal("3/day"))).await;
    let stacks = [
        handlers().layer(auth.clone()).layer(auth.clone()),
        handlers().layer(auth.clone()).layer(auth.optional()),
        handlers().layer(auth.optional()).layer(auth.clone()),
    ];
    let good = format!("Bearer {key}");
    for app in &stacks {
        assert_eq!(through(app, "/who/1", &good).await, 200);
    }
    for app in &stacks {
        assert_eq!(through(app, "/who/1", &good).await, 429);
    }
    // Of nobody the optional layer has counted.
    let app = handlers().layer(auth.clone()).layer(auth.optional());
    for status in [401, 401, 401, 429] {
        assert_eq!(through(&app, "/who/1", "").await, status);
    }
}

#[tokio::test]
async fn a_layer_inside_of_another_verifies_for_itself() {
    let World {
        auth: outer, key, ..
    } = world(|builder| builder).await;
    let World { auth: inner, .. } = world(|builder| builder).await;
    let app = handlers().layer(inner).layer(outer);
    assert_eq!(through(&app, "/who/1", &format!("Bearer {key}")).await, 401);
    assert_eq!(through(&app, "/who/1", "Later yes").await, 200);
}

#[tokio::test]
async fn what_comes_between_two_layers_is_verified_by_the_inner_one() {
    let World { auth, key, .. } = world(|builder| builder).await;
    let from_cookie = move |mut request: Request<axum::body::Body>| {
        let bearer = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        request
    };
    let inner = handlers().layer(auth.clone());
    let with_cookie = inner.layer(tower::util::MapRequestLayer::new(from_cookie));
    let app = with_cookie.layer(auth.optional());
    assert_eq!(through(&app, "/who/1", "").await, 200);
}
