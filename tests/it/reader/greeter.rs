//! A greeter over gRPC. Its messages are plain text, so that no compiler of protocols is needed.

use bytes::{Buf, BufMut};
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::tokio_stream;
use tonic::server::{NamedService, ServerStreamingService, UnaryService};
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status, client, server};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower::{Layer, Service};
use tower_auth::store::Memory;
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::throttle::Throttle;
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer, KeyRequest, Principal, Realm, Scope, Subject};

const HELLO: &str = "/greeter.Greeter/Hello";
const GOODBYE: &str = "/greeter.Greeter/Goodbye";
const COUNT: &str = "/greeter.Greeter/Count";

/// The greeter behind the layer, and health beside it, which anybody may ask.
fn routes(keys: &KeyIssuer) -> Result<Routes, Box<dyn Error>> {
    let auth = AuthLayer::builder()
        .accept(keys)
        .throttle(Throttle::per_principal("5/min"))
        .build()?;
    let (_reporter, health): (_, HealthServer<HealthService>) = health();
    Ok(Routes::new(auth.layer(Greeter)).add_service(health))
}

/// The same with one layer around all, where a credential is optional: each method says whom it
/// wants.
fn optional(keys: &KeyIssuer) -> Result<(AuthLayer, Routes), Box<dyn Error>> {
    let auth = AuthLayer::builder().accept(keys).build()?.optional();
    let (_reporter, health) = health();
    Ok((auth, Routes::new(Greeter).add_service(health)))
}

fn health() -> (
    tonic_health::server::HealthReporter,
    HealthServer<HealthService>,
) {
    let reporter = tonic_health::server::HealthReporter::new();
    let service = HealthService::from_health_reporter(reporter.clone());
    (reporter, HealthServer::new(service))
}

#[derive(Clone)]
struct Greeter;

impl NamedService for Greeter {
    const NAME: &'static str = "greeter.Greeter";
}

/// One method: whom it greets, and which right that takes.
struct Greet {
    word: &'static str,
    right: &'static str,
}

impl UnaryService<String> for Greet {
    type Response = String;
    type Future = std::future::Ready<Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        std::future::ready(self.greet(request))
    }
}

impl Greet {
    fn greet(&self, request: Request<String>) -> Result<Response<String>, Status> {
        let caller = Principal::from_extensions(request.extensions())?;
        caller.require(Scope::new(self.right))?;
        let to = request.into_inner();
        Ok(Response::new(format!(
            "{} {to}, says {}",
            self.word,
            caller.subject()
        )))
    }
}

/// Counts to a number, and beyond two for those alone who may.
struct Count;

type Numbers = tokio_stream::Iter<std::vec::IntoIter<Result<String, Status>>>;

impl ServerStreamingService<String> for Count {
    type Response = String;
    type ResponseStream = Numbers;
    type Future = std::future::Ready<Result<Response<Numbers>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        std::future::ready(count(request))
    }
}

fn count(request: Request<String>) -> Result<Response<Numbers>, Status> {
    let caller = Principal::from_extensions(request.extensions())?;
    caller.require(Scope::new("greet:count"))?;
    let to: u32 = request
        .into_inner()
        .parse()
        .map_err(|_| Status::invalid_argument("no number"))?;
    let mut numbers = Vec::new();
    for number in 1..=to {
        if number > 2
            && let Err(refused) = caller.require(Scope::new("greet:far"))
        {
            numbers.push(Err(refused.into()));
            break;
        }
        numbers.push(Ok(number.to_string()));
    }
    Ok(Response::new(tokio_stream::iter(numbers)))
}

impl Service<http::Request<Body>> for Greeter {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = match request.uri().path() {
            HELLO => Greet {
                word: "hello",
                right: "greet:hello",
            },
            GOODBYE => Greet {
                word: "goodbye",
                right: "greet:goodbye",
            },
            COUNT => {
                let answer = async {
                    Ok(server::Grpc::new(Text)
                        .server_streaming(Count, request)
                        .await)
                };
                return Box::pin(answer);
            }
            _ => {
                return Box::pin(async { Ok(Status::unimplemented("no such method").into_http()) });
            }
        };
        Box::pin(async move { Ok(server::Grpc::new(Text).unary(method, request).await) })
    }
}

/// A message is its text.
#[derive(Clone, Copy, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        let text = String::from_utf8(bytes.into());
        text.map(Some)
            .map_err(|_| Status::invalid_argument("no text"))
    }
}

struct Running {
    channel: Channel,
    url: String,
    keys: KeyIssuer,
    clock: ManualClock,
    is_down: Arc<AtomicBool>,
    told: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Running {
    async fn start() -> Self {
        Self::serve(|keys| (None, routes(keys).unwrap())).await
    }

    async fn serve(make: impl FnOnce(&KeyIssuer) -> (Option<AuthLayer>, Routes)) -> Self {
        let is_down = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_down);
        let store = Intercepted::new(Memory::new(), move |_call| {
            if seen.load(Ordering::Relaxed) {
                Intercept::Fail
            } else {
                Intercept::Pass
            }
        });
        let clock = ManualClock::new(1_800_000_000);
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let realm = Realm::new(store)
            .clock(clock.clone())
            .on_event(move |event| {
                let refused = event
                    .rejection()
                    .map(|rejection| format!("{:?}", rejection.kind()));
                tell.lock().unwrap().extend(refused);
            });
        let keys = realm.api_keys(ApiKeys::prefix("gr"));
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let url = format!("http://{}", incoming.local_addr().unwrap());
        let (layer, routes) = make(&keys);
        tokio::spawn(async move {
            match layer {
                Some(layer) => {
                    let server = Server::builder()
                        .accept_http1(true)
                        .layer(layer)
                        .add_routes(routes);
                    server.serve_with_incoming(incoming).await
                }
                None => {
                    let server = Server::builder().accept_http1(true).add_routes(routes);
                    server.serve_with_incoming(incoming).await
                }
            }
        });
        let channel = Endpoint::from_shared(url.clone()).unwrap().connect_lazy();
        Self {
            channel,
            url,
            keys,
            clock,
            is_down,
            told,
        }
    }

    async fn key(&self, owner: &str, scopes: &[&str]) -> String {
        let request = KeyRequest::new(Subject::user(owner), "laptop");
        let request = scopes
            .iter()
            .fold(request, |request, scope| request.scope(*scope));
        self.keys.issue(request).await.unwrap().key.expose().clone()
    }

    async fn count(&self, to: u32, key: &str) -> Result<(Vec<String>, Option<Status>), Status> {
        let mut request = Request::new(to.to_string());
        request
            .metadata_mut()
            .insert("x-api-key", key.parse().unwrap());
        let mut client = client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(COUNT);
        let mut stream = client
            .server_streaming(request, path, Text)
            .await?
            .into_inner();
        let mut numbers = Vec::new();
        loop {
            match stream.message().await {
                Ok(Some(number)) => numbers.push(number),
                Ok(None) => return Ok((numbers, None)),
                Err(status) => return Ok((numbers, Some(status))),
            }
        }
    }

    async fn call(&self, method: &'static str, key: Option<&str>) -> Result<String, Status> {
        let mut request = Request::new(String::from("world"));
        if let Some(key) = key {
            let value = format!("Bearer {key}").parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        let mut client = client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(method);
        client
            .unary(request, path, Text)
            .await
            .map(|answer| answer.into_inner())
    }
}

#[tokio::test]
async fn each_method_has_a_right_of_its_own() {
    let server = Running::start().await;
    let key = server.key("anna", &["greet:hello"]).await;
    assert_eq!(
        server.call(HELLO, Some(&key)).await.unwrap(),
        "hello world, says anna"
    );
    let refused = server.call(GOODBYE, Some(&key)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let both = server.key("ben", &["greet:hello", "greet:goodbye"]).await;
    assert_eq!(
        server.call(GOODBYE, Some(&both)).await.unwrap(),
        "goodbye world, says ben"
    );
    let unknown = server
        .call("/greeter.Greeter/Shout", Some(&both))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::Unimplemented);
    // What a method refused is told, like what the layer refuses.
    assert_eq!(*server.told.lock().unwrap(), ["InsufficientScope"]);
}

#[tokio::test]
async fn nobody_and_a_guess_are_unauthenticated_and_health_is_public() {
    let server = Running::start().await;
    let nobody = server.call(HELLO, None).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
    assert_eq!(
        nobody.message(),
        "Authentication credentials were not provided."
    );
    let guess = server.call(HELLO, Some("gr_guess")).await.unwrap_err();
    assert_eq!(guess.code(), Code::Unauthenticated);
    assert!(nobody.metadata().get("www-authenticate").is_none());
    assert_eq!(
        *server.told.lock().unwrap(),
        ["MissingCredential", "InvalidApiKey"]
    );

    let mut health = HealthClient::new(server.channel.clone());
    let answer = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);
}

#[tokio::test]
async fn a_revoked_and_an_expired_key_end() {
    let server = Running::start().await;
    let anna = Subject::user("anna");
    let request = || KeyRequest::new(anna.clone(), "laptop").scope("greet:hello");
    let revoked = server.keys.issue(request()).await.unwrap();
    assert!(server.call(HELLO, Some(revoked.key.expose())).await.is_ok());
    server.keys.revoke(&anna, &revoked.record.id).await.unwrap();
    let refused = server
        .call(HELLO, Some(revoked.key.expose()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);

    let at = std::time::UNIX_EPOCH + Duration::from_secs(1_800_000_060);
    let ending = server.keys.issue(request().expires(at)).await.unwrap();
    server.clock.advance(Duration::from_secs(59));
    assert!(server.call(HELLO, Some(ending.key.expose())).await.is_ok());
    server.clock.advance(Duration::from_secs(1));
    let expired = server
        .call(HELLO, Some(ending.key.expose()))
        .await
        .unwrap_err();
    assert_eq!(
        (expired.code(), expired.message()),
        (refused.code(), refused.message())
    );
}

#[tokio::test]
async fn a_caller_may_call_five_times_a_minute() {
    let server = Running::start().await;
    let anna = server.key("anna", &["greet:hello"]).await;
    let ben = server.key("ben", &["greet:hello"]).await;
    for _ in 0..5 {
        assert!(server.call(HELLO, Some(&anna)).await.is_ok());
    }
    let refused = server.call(HELLO, Some(&anna)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.metadata().get("retry-after").unwrap(), "60");
    assert!(server.call(HELLO, Some(&ben)).await.is_ok());
    server.clock.advance(Duration::from_secs(60));
    assert!(server.call(HELLO, Some(&anna)).await.is_ok());
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable() {
    let server = Running::start().await;
    let key = server.key("anna", &["greet:hello"]).await;
    server.is_down.store(true, Ordering::Relaxed);
    let refused = server.call(HELLO, Some(&key)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    server.is_down.store(false, Ordering::Relaxed);
    assert!(server.call(HELLO, Some(&key)).await.is_ok());
}

#[tokio::test]
async fn what_is_not_grpc_is_refused_as_http() {
    let server = Running::start().await;
    let request = reqwest::Client::new().post(format!("{}{HELLO}", server.url));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert!(response.text().await.unwrap().contains("not_authenticated"));
}

#[tokio::test]
async fn with_one_layer_around_all_each_method_says_whom_it_wants() {
    let server = Running::serve(|keys| {
        let (layer, routes) = optional(keys).unwrap();
        (Some(layer), routes)
    })
    .await;
    let mut health = HealthClient::new(server.channel.clone());
    assert!(health.check(HealthCheckRequest::default()).await.is_ok());
    assert_eq!(
        server.call(HELLO, None).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    let guess = server.call(HELLO, Some("gr_guess")).await.unwrap_err();
    assert_eq!(guess.code(), Code::Unauthenticated);
    let key = server.key("anna", &["greet:hello"]).await;
    assert!(server.call(HELLO, Some(&key)).await.is_ok());
}

#[tokio::test]
async fn a_stream_is_refused_at_its_beginning_and_in_the_middle() {
    let server = Running::start().await;
    let near = server.key("anna", &["greet:count"]).await;
    let far = server.key("ben", &["greet:count", "greet:far"]).await;
    let none = server.key("carl", &[]).await;
    let refused = server.count(1, &none).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(server.told.lock().unwrap().len(), 1);
    assert_eq!(server.count(3, &far).await.unwrap().0, ["1", "2", "3"]);
    let (numbers, end) = server.count(3, &near).await.unwrap();
    assert_eq!(numbers, ["1", "2"]);
    assert_eq!(end.unwrap().code(), Code::PermissionDenied);
    // Of that nobody is told, as the guide says.
    assert_eq!(server.told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn two_credentials_are_refused_and_no_layer_is_a_mistake() {
    let server = Running::start().await;
    let key = server.key("anna", &["greet:hello"]).await;
    let mut request = Request::new(String::from("world"));
    request
        .metadata_mut()
        .insert("x-api-key", key.parse().unwrap());
    request
        .metadata_mut()
        .insert("authorization", format!("Bearer {key}").parse().unwrap());
    let mut client = client::Grpc::new(server.channel.clone());
    client.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(HELLO);
    let refused = client
        .unary(request, path, Text)
        .await
        .map(|_: tonic::Response<String>| ());
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);

    let open = Running::serve(|_| (None, Routes::new(Greeter))).await;
    assert_eq!(
        open.call(HELLO, Some(&key)).await.unwrap_err().code(),
        Code::Internal
    );
}
