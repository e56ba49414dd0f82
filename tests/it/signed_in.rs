//! A test of an application says who calls, and needs neither tokens nor stores for that.

use crate::support::{jwt, reply, token_for};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use tower::ServiceExt;
use tower_auth::test_util::SignedIn;
use tower_auth::throttle::Throttle;
use tower_auth::{AuthLayer, Principal, Scope, Subject};

fn app() -> Router {
    let auth = AuthLayer::builder()
        .accept(jwt())
        .throttle(Throttle::per_principal("3/day"))
        .build()
        .unwrap();
    let handler = async |caller: Principal| format!("{:?} {}", caller.method(), caller.subject());
    Router::new()
        .route("/", get(handler))
        .route(
            "/write",
            get(handler).layer(auth.require(Scope::new("write"))),
        )
        .layer(auth)
}

fn anna() -> SignedIn {
    SignedIn::new(Principal::builder(Subject::user("anna")).build())
}

async fn ask(app: Router, path: &str, authorization: Option<String>) -> (u16, String) {
    let mut request = Request::get(path);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let request = request.body(Body::empty()).unwrap();
    let reply = reply(app.oneshot(request).await.unwrap()).await;
    (reply.status.as_u16(), reply.text().to_owned())
}

#[tokio::test]
async fn whoever_is_signed_in_passes_every_layer_and_gate_as_that_principal() {
    let app = app();
    let outside = || app.clone().layer(anna());
    assert_eq!(ask(app.clone(), "/", None).await.0, 401);
    let expected = (200, String::from("Other anna"));
    assert_eq!(ask(outside(), "/", None).await, expected);
    assert_eq!(ask(outside(), "/write", None).await.0, 403);
    let writer = Principal::builder(Subject::user("anna")).scope("write");
    let writer = app.clone().layer(SignedIn::new(writer.build()));
    assert_eq!(ask(writer, "/write", None).await, expected);
    // Each of the three was counted for her.
    assert_eq!(ask(outside(), "/", None).await.0, 429);
}

#[tokio::test]
async fn a_handler_without_any_layer_has_a_principal_too() {
    let handler = async |caller: Principal| caller.subject().to_string();
    let bare = Router::new().route("/", get(handler));
    assert_eq!(ask(bare.clone(), "/", None).await.0, 500);
    let signed_in = bare.layer(anna());
    assert_eq!(ask(signed_in, "/", None).await, (200, "anna".into()));
}

#[tokio::test]
async fn a_credential_is_judged_all_the_same() {
    let outside = || app().layer(anna());
    let ben = Some(format!("Bearer {}", token_for("ben")));
    assert_eq!(ask(outside(), "/", ben).await, (200, "Jwt ben".into()));
    assert_eq!(ask(outside(), "/", Some("Bearer x".into())).await.0, 401);
}
