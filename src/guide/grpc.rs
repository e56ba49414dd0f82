//! gRPC: the layer around tonic services, rights per method, and what a client sees (feature
//! `tonic`).
//!
//! # Around a server
//!
//! `Server::builder().layer(auth)` protects all services of a server. To protect one of several,
//! give it to `add_service` with the layer around it: `auth.layer(service)`. `auth.require(…)`
//! stands around a service in the same way, inside of the layer.
//!
//! ```
//! use tonic::service::Routes;
//! use tonic::{Code, Request, Response, Status};
//! use tonic_health::pb::health_client::HealthClient;
//! use tonic_health::pb::health_server::{Health, HealthServer};
//! use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
//! use tower::Layer;
//! use tower_auth::store::Memory;
//! use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Principal, Realm, Scope, Subject};
//! # use std::pin::Pin;
//! # use tonic::codegen::tokio_stream::{Stream, once};
//!
//! struct Checks;
//!
//! #[tonic::async_trait]
//! impl Health for Checks {
//!     async fn check(
//!         &self,
//!         request: Request<HealthCheckRequest>,
//!     ) -> Result<Response<HealthCheckResponse>, Status> {
//!         let caller = Principal::from_extensions(request.extensions())?;
//!         caller.require(Scope::new("health:read"))?; // this method's own right
//!         Ok(Response::new(HealthCheckResponse::default()))
//!     }
//! #     type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;
//! #     async fn watch(
//! #         &self,
//! #         request: Request<HealthCheckRequest>,
//! #     ) -> Result<Response<Self::WatchStream>, Status> {
//! #         let answer = self.check(request).await?.into_inner();
//! #         Ok(Response::new(Box::pin(once(Ok(answer)))))
//! #     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).build()?;
//!
//! // A server: Server::builder().layer(auth).add_service(HealthServer::new(Checks)), or
//! let services = Routes::new(auth.layer(HealthServer::new(Checks)));
//!
//! // A client. Here it calls the services in process; elsewhere it has a channel.
//! let check = async |metadata: Option<(&'static str, String)>| {
//!     let mut request = Request::new(HealthCheckRequest::default());
//!     if let Some((name, value)) = metadata {
//!         request.metadata_mut().insert(name, value.parse().unwrap());
//!     }
//!     match HealthClient::new(services.clone()).check(request).await {
//!         Ok(_) => Code::Ok,
//!         Err(status) => status.code(),
//!     }
//! };
//! let anna = || KeyRequest::new(Subject::user("anna"), "laptop");
//! let reader = keys.issue(anna().scope("health:read")).await?.key;
//! let other = keys.issue(anna()).await?.key;
//! let bearer = |key: &str| format!("Bearer {key}");
//!
//! assert_eq!(check(Some(("authorization", bearer(reader.expose())))).await, Code::Ok);
//! assert_eq!(check(Some(("x-api-key", reader.expose().clone()))).await, Code::Ok);
//! let refused = check(Some(("authorization", bearer(other.expose())))).await;
//! assert_eq!(refused, Code::PermissionDenied);
//! assert_eq!(check(Some(("authorization", bearer("egret_x")))).await, Code::Unauthenticated);
//! assert_eq!(check(None).await, Code::Unauthenticated);
//! # Ok(()) }
//! ```
//!
//! All of it holds for any tonic service, also one without generated code (`tonic::server::Grpc`
//! with a codec of your own). A test that wants a connection has tonic's
//! `TcpIncoming::bind("127.0.0.1:0".parse()?)`, its `local_addr`, and `serve_with_incoming`.
//!
//! `examples/tonic_server.rs` is the same with a server and a client that puts a token into every
//! request by an interceptor.
//!
//! - **Who calls** is in the extensions of the request:
//!   [`Principal::from_extensions`](crate::Principal::from_extensions). Where no layer saw the
//!   request that is `INTERNAL`.
//! - **Rights per method** are demanded in the method, by
//!   [`Principal::require`](crate::Principal::require); `?` makes a `tonic::Status` of the
//!   [`Rejection`](crate::Rejection). The layer finds it there, so it is told to the log and to the
//!   hook like any other.
//! - **Public services beside protected ones** (health, reflection): layers around single services
//!   as above, or [`AuthLayer::optional`](crate::AuthLayer::optional) around the server, where a
//!   method that asks for its caller refuses an anonymous one with `UNAUTHENTICATED`.
//! - **The peer's address**, for limits and attempts, is known where tonic's own server serves
//!   without TLS (`TcpConnectInfo`). With tonic's TLS, and elsewhere, insert a
//!   [`Peer`](crate::throttle::Peer): a rule that counts by address is `INTERNAL` without one.
//!
//! # Metadata
//!
//! Metadata are header fields, with names in lower case. So the sources are those of HTTP:
//! `authorization: Bearer …`, `authorization: Api-Key …`, `x-api-key`, or
//! [`Source::header`](crate::credential::Source::header). Values are ASCII; a binary metadata key
//! (`…-bin`) is never read as a credential. Two credentials in one request are refused.
//!
//! # What a client sees
//!
//! A request whose `Content-Type` is `application/grpc`, alone or with `+codec` or parameters, is
//! refused as gRPC wants it, and so is one of `application/grpc-web` or
//! `application/grpc-web-text`. Any other request gets an HTTP status and a body, so one layer may
//! stand around a server that has both.
//!
//! ```text
//! HTTP/2 200
//! content-type: application/grpc
//! grpc-status: 16
//! grpc-message: The token is not valid.
//! ```
//!
//! There is no body, and there are no trailers: the status stands in the header fields
//! ("Trailers-Only").
//!
//! | refused because | gRPC status | HTTP elsewhere |
//! |---|---|---|
//! | no credential, a bad one, or two of them | 16 `UNAUTHENTICATED` | 401, 400 |
//! | a scope, a role or another right is missing | 7 `PERMISSION_DENIED` | 403 |
//! | a limit is reached; `retry-after` says when to come again | 8 `RESOURCE_EXHAUSTED` | 429 |
//! | a store or an issuer does not answer | 14 `UNAVAILABLE` | 503 |
//! | no layer is there, or a hook panicked | 13 `INTERNAL` | 500 |
//!
//! The whole table is at [`RejectionKind`](crate::RejectionKind), with
//! [`grpc_code`](crate::RejectionKind::grpc_code). There is no `www-authenticate`, and the format
//! of bodies plays no part; the message has fixed words, and tells an expired token from a forged
//! one only with the format [`Coded`](crate::format::Coded).
//!
//! **Streams.** The credential is judged when a call begins. A stream that is open goes on when the
//! credential expires or is revoked, so end long ones from time to time. What a method refuses in
//! the middle of a stream reaches the client as its status, but neither the log nor the hook.
//!
//! # Browsers
//!
//! Browsers speak gRPC-Web, over HTTP/1.1 too. Put the layer outside of what translates it
//! (tonic-web's `GrpcWebLayer`), so that it answers in the type that was asked for, and a CORS
//! layer outside of both: a preflight has no credential, and a script reads `grpc-status` and
//! `grpc-message` only where the CORS layer exposes them.
//!
//! ```text
//! Server::builder()
//!     .accept_http1(true)
//!     .layer(cors)                  // the first layer is the outermost
//!     .layer(auth)
//!     .layer(GrpcWebLayer::new())
//!     .add_service(service)
//! ```
