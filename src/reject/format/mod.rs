//! The body of a refusal (error responses): RFC 9457 problems by default, a form of other systems,
//! or one of your own.
//!
//! [`Problem`] is the default; [`Drf`], [`DrfStandardized`] and [`Coded`] are the forms of other
//! systems, and an application can bring its own by implementing [`ErrorFormat`].
//!
//! # A form of your own
//!
//! The format writes every refusal of layers, gates and endpoints, and every
//! [`Rejection`](crate::Rejection) that a handler returns. What does not pass through it is what
//! axum answers itself and what no [`RejectionKind`](crate::RejectionKind) names. So a handler
//! takes `Result<Json<_>, JsonRejection>` and makes a `Rejection` of the error (else it is a plain
//! text of axum's), two fallbacks answer for unknown paths and methods (else those bodies are
//! empty), and an error of the application's own is written by the function that the format uses.
//!
//! ```
//! use axum::extract::rejection::JsonRejection;
//! use axum::http::{StatusCode, header};
//! use axum::response::{IntoResponse, Response};
//! use axum::{Json, Router, routing::post};
//! use serde_json::{Value, json};
//! use tower_auth::format::ErrorFormat;
//! use tower_auth::format::FieldError;
//! use tower_auth::{ApiKeys, AuthLayer, Realm, Rejection, RejectionKind, Scope};
//! # use axum::body::{Body, to_bytes};
//! # use axum::http::Request;
//! # use tower::ServiceExt;
//! # use tower_auth::{KeyRequest, Subject, store::Memory};
//!
//! /// Writes all bodies.
//! fn house(code: &str, details: Value) -> String {
//!     json!({ "error": code, "details": details }).to_string()
//! }
//!
//! struct House;
//!
//! impl ErrorFormat for House {
//!     fn content_type(&self) -> &'static str {
//!         "application/json"
//!     }
//!
//!     fn body(&self, refused: &Rejection) -> Vec<u8> {
//!         let mut details = json!({});
//!         for scope in refused.missing_scopes() {
//!             details["missing"][scope.as_str()] = json!(true);
//!         }
//!         for field in refused.fields() {
//!             details["fields"][field.field()] = json!(field.code());
//!         }
//!         if let Some(wait) = refused.retry_after() {
//!             details["seconds"] = json!(wait.as_secs_f64().ceil()); // as Retry-After says
//!         }
//!         house(refused.kind().code(), details).into_bytes()
//!     }
//! }
//!
//! enum Failure {
//!     Refused(Rejection),
//!     TitleTaken,
//! }
//!
//! impl From<Rejection> for Failure {
//!     fn from(refused: Rejection) -> Self {
//!         Self::Refused(refused)
//!     }
//! }
//!
//! impl IntoResponse for Failure {
//!     fn into_response(self) -> Response {
//!         match self {
//!             Self::Refused(refused) => refused.into_response(), // the layer writes it anew
//!             Self::TitleTaken => {
//!                 let kind = [(header::CONTENT_TYPE, House.content_type())];
//!                 (StatusCode::CONFLICT, kind, house("title_taken", json!({}))).into_response()
//!             }
//!         }
//!     }
//! }
//!
//! async fn create(body: Result<Json<Value>, JsonRejection>) -> Result<StatusCode, Failure> {
//!     let Json(report) = body.map_err(|_| Rejection::invalid([]))?;
//!     match report["title"].as_str() {
//!         Some("June") => Err(Failure::TitleTaken),
//!         Some(_) => Ok(StatusCode::CREATED),
//!         None => Err(Rejection::invalid([FieldError::required("title")]).into()),
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
//! let auth = AuthLayer::builder().accept(&keys).format(House).build()?;
//! let app: Router = Router::new()
//!     .route("/reports", post(create).layer(auth.require(Scope::new("reports:write"))))
//!     .fallback(async || Rejection::new(RejectionKind::NotFound, "no route"))
//!     .method_not_allowed_fallback(async || {
//!         Rejection::new(RejectionKind::MethodNotAllowed, "no method")
//!     })
//!     .layer(auth);
//!
//! # let request = || KeyRequest::new(Subject::user("7"), "ci");
//! # let writer = keys.issue(request().scope("reports:write")).await?.key;
//! # let reader = keys.issue(request()).await?.key;
//! # let answer = async |method: &str, path: &str, key: &str, body: &str| {
//! #     let request = Request::builder().method(method).uri(path).header("x-api-key", key);
//! #     let request = request.header("content-type", "application/json");
//! #     let request = request.body(Body::from(body.to_owned())).unwrap();
//! #     let response = app.clone().oneshot(request).await.unwrap();
//! #     let status = response.status().as_u16();
//! #     let body = to_bytes(response.into_body(), 10_000).await.unwrap();
//! #     (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
//! # };
//! # let post = async |key: &str, body: &str| answer("POST", "/reports", key, body).await;
//! let (writer, reader) = (writer.expose(), reader.expose());
//! assert_eq!(post(writer, r#"{"title": "July"}"#).await.0, 201);
//! let missing = json!({ "missing": { "reports:write": true } });
//! let expected = json!({ "error": "insufficient_scope", "details": missing });
//! assert_eq!(post(reader, "{}").await, (403, expected));
//! let wrong = json!({ "fields": { "title": "required" } });
//! assert_eq!(post(writer, "{}").await.1["details"], wrong);
//! assert_eq!(post(writer, "no JSON").await.1["error"], "validation_error");
//! assert_eq!(post(writer, r#"{"title": "June"}"#).await.1["error"], "title_taken");
//! assert_eq!(answer("GET", "/nowhere", writer, "").await.1["error"], "not_found");
//! assert_eq!(answer("DELETE", "/reports", writer, "").await.1["error"], "method_not_allowed");
//! assert_eq!(post("egret_guess", "{}").await.1["error"], "api_key_invalid");
//! # Ok(()) }
//! ```

mod coded;
mod drf;
mod drf_standardized;
mod format;
mod problem;

pub use coded::Coded;
pub use drf::Drf;
pub use drf_standardized::DrfStandardized;
pub use format::ErrorFormat;
pub use problem::Problem;

pub use super::field::FieldError;
