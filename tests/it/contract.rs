//! tower's contract: the instance that was polled ready is the one that is called, and bodies pass untouched.

use crate::support::*;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::rc::Rc;
use std::time::Duration;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_auth::{Answer, AuthLayer, Credential, Principal, Rejection, RejectionKind, Scheme, Subject};
use tower_layer::Layer;

/// Answers later: the path of a request that has to ask a store.
struct Later;

impl Scheme for Later {
    fn name(&self) -> &'static str {
        "Later"
    }

    fn authenticate(&self, credential: &Credential<'_>, _: std::time::SystemTime) -> Answer {
        let Credential::Other(later) = credential else { return Answer::NotPresented };
        let answer = match later.expose() {
            "yes" => Ok(Principal::builder(Subject::user("anna")).build()),
            _ => Err(Rejection::new(RejectionKind::InvalidToken, "planted")),
        };
        Answer::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    }
}

fn auth() -> AuthLayer {
    AuthLayer::builder().jwt(jwt()).scheme(Later).build().unwrap()
}

fn later(word: &str) -> Request<Full<Bytes>> {
    get(&[("authorization", &format!("Later {word}"))])
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let (mock, mut handle) = tower_test::mock::pair::<Request<Full<Bytes>>, Response<Full<Bytes>>>();
    let mut service = tower_test::mock::Spawn::new(auth().layer(mock));
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_is_served_by_the_instance_that_was_ready() {
    // The mock's clones have a readiness of their own: calling the wrong one panics.
    let (mock, mut handle) = tower_test::mock::pair::<Request<Full<Bytes>>, Response<Full<Bytes>>>();
    let mut service = auth().layer(mock);
    handle.allow(2);
    for request in [later("yes"), bearer(&token_for("anna"))] {
        service.ready().await.unwrap();
        let answer = tokio::spawn(service.call(request));
        let (_, respond) = handle.next_request().await.unwrap();
        respond.send_response(Response::new(Full::from("served")));
        assert_eq!(reply(answer.await.unwrap().unwrap()).await.text(), "served");
    }
}

#[tokio::test]
async fn over_a_concurrency_limit_every_permit_comes_back() {
    let service = ServiceBuilder::new().layer(auth()).layer(ConcurrencyLimitLayer::new(1)).service(Whoami);
    for _ in 0..3 {
        for request in [later("yes"), later("no"), get(&[]), bearer("x.y.z"), bearer(&token_for("anna"))] {
            let response = tokio::time::timeout(Duration::from_secs(10), service.clone().oneshot(request));
            response.await.expect("a permit was lost").unwrap();
        }
    }
}

#[tokio::test]
async fn a_cancelled_request_gives_its_permit_back() {
    type Sent = Request<Full<Bytes>>;
    let mut service =
        ServiceBuilder::new().layer(auth()).layer(ConcurrencyLimitLayer::new(1)).service(Whoami);
    ServiceExt::<Sent>::ready(&mut service).await.unwrap();
    let waiting = service.call(later("yes"));
    let other = service.clone();
    assert!(tower_test::mock::Spawn::new(other.clone()).poll_ready::<Sent>().is_pending());
    drop(waiting);
    assert!(tower_test::mock::Spawn::new(other).poll_ready::<Sent>().is_ready());
}

#[tokio::test]
async fn bodies_need_not_be_send_and_requests_without_refusal_reach_the_service_unchanged() {
    let service = auth().layer(service_fn(|request: Request<Rc<str>>| async move {
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()["x-other"], "1");
        Ok::<_, std::convert::Infallible>(Response::new(NotSend(request.into_body())))
    }));
    let request = Request::get("/a?b=c")
        .header("x-other", "1")
        .header("authorization", format!("Bearer {}", token_for("anna")))
        .body(Rc::from("body"))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(reply(response).await.text(), "body");
}

struct NotSend(Rc<str>);

impl http_body::Body for NotSend {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let text = std::mem::replace(&mut self.0, Rc::from(""));
        let frame =
            (!text.is_empty()).then(|| Ok(http_body::Frame::data(Bytes::copy_from_slice(text.as_bytes()))));
        std::task::Poll::Ready(frame)
    }
}

#[tokio::test]
async fn errors_of_the_inner_service_are_passed_on() {
    let service = auth().layer(service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Full<Bytes>>, _>("the inner service failed")
    }));
    let failed = service.clone().oneshot(bearer(&token_for("anna"))).await.unwrap_err();
    assert_eq!(failed, "the inner service failed");
    assert_eq!(service.oneshot(get(&[])).await.unwrap().status(), 401, "a refusal is no error");
}

#[tokio::test]
async fn an_outer_layer_can_read_the_refusal_back_from_the_body() {
    let response = auth().layer(Whoami).oneshot(bearer("x.y.z")).await.unwrap();
    let refusal = response.body().rejection().unwrap();
    assert_eq!((refusal.kind(), refusal.reason()), (RejectionKind::InvalidToken, "base64url"));
    let response = auth().layer(Whoami).oneshot(bearer(&token_for("anna"))).await.unwrap();
    assert!(response.body().rejection().is_none());
}
