//! tower's contract: the instance that was polled ready is the one that is called, and bodies pass
//! untouched.

use crate::support::*;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::rc::Rc;
use std::time::Duration;
use tower::limit::ConcurrencyLimitLayer;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tower_auth::credential::Credential;
use tower_auth::scheme::{Answer, Attempt, Scheme};
use tower_auth::{AuthLayer, Principal, Rejection, RejectionKind, Requirement, Subject};
use tower_layer::Layer;

/// Answers later: the path of a request that has to ask a store.
struct Later;

impl Scheme for Later {
    fn name(&self) -> &'static str {
        "Later"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        let later = match attempt.credential() {
            Credential::Other(later) if later.scheme() == "Later" => later,
            _ => return Answer::NotPresented,
        };
        let word = later.expose().to_owned();
        Answer::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            match word.as_str() {
                "yes" => Ok(Principal::builder(Subject::user("anna")).build()),
                "panic" => panic!("planted"),
                _ => Err(Rejection::new(RejectionKind::InvalidToken, "planted")),
            }
        }))
    }
}

/// Takes whatever it is shown for genuine.
struct Gullible;

impl Scheme for Gullible {
    fn name(&self) -> &'static str {
        "Gullible"
    }

    fn authenticate(&self, _: &Attempt<'_>) -> Answer {
        Answer::Verified(Principal::builder(Subject::user("root")).build())
    }
}

fn auth() -> AuthLayer {
    AuthLayer::builder()
        .accept(jwt())
        .accept(Later)
        .build()
        .unwrap()
}

fn later(word: &str) -> Request<Full<Bytes>> {
    get(&[("authorization", &format!("Later {word}"))])
}

/// With a clock that stands still, this ends at once where nothing would ever happen.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), work)
        .await
        .expect("it would wait for ever")
}

#[tokio::test]
async fn readiness_is_the_inner_services() {
    let (mock, mut handle) =
        tower_test::mock::pair::<Request<Full<Bytes>>, Response<Full<Bytes>>>();
    let mut service = tower_test::mock::Spawn::new(auth().layer(mock));
    handle.allow(0);
    assert!(service.poll_ready().is_pending());
    handle.allow(1);
    assert!(service.poll_ready().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_for_its_answer_is_served_by_the_instance_that_was_ready() {
    // The mock's clones have a readiness of their own: calling the wrong one panics.
    let (mock, mut handle) =
        tower_test::mock::pair::<Request<Full<Bytes>>, Response<Full<Bytes>>>();
    let mut service = auth().layer(mock);
    handle.allow(2);
    for request in [later("yes"), bearer(&token_for("anna"))] {
        in_time(service.ready()).await.unwrap();
        let answer = tokio::spawn(service.call(request));
        let (_, respond) = in_time(handle.next_request()).await.unwrap();
        respond.send_response(Response::new(Full::from("served")));
        assert_eq!(
            reply(in_time(answer).await.unwrap().unwrap()).await.text(),
            "served"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn over_a_concurrency_limit_every_permit_comes_back() {
    let service = ServiceBuilder::new()
        .layer(auth())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Whoami);
    for _ in 0..3 {
        for request in [
            later("yes"),
            later("no"),
            get(&[]),
            bearer("x.y.z"),
            bearer(&token_for("anna")),
        ] {
            in_time(service.clone().oneshot(request)).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_gives_its_permit_back() {
    type Sent = Request<Full<Bytes>>;
    let mut service = ServiceBuilder::new()
        .layer(auth())
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Whoami);
    in_time(ServiceExt::<Sent>::ready(&mut service))
        .await
        .unwrap();
    let waiting = service.call(later("yes"));
    let other = service.clone();
    assert!(
        tower_test::mock::Spawn::new(other.clone())
            .poll_ready::<Sent>()
            .is_pending()
    );
    drop(waiting);
    assert!(
        tower_test::mock::Spawn::new(other)
            .poll_ready::<Sent>()
            .is_ready()
    );
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
        let frame = (!text.is_empty()).then(|| {
            Ok(http_body::Frame::data(Bytes::copy_from_slice(
                text.as_bytes(),
            )))
        });
        std::task::Poll::Ready(frame)
    }
}

#[tokio::test]
async fn errors_of_the_inner_service_are_passed_on() {
    let service = auth().layer(service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Full<Bytes>>, _>("the inner service failed")
    }));
    let failed = service
        .clone()
        .oneshot(bearer(&token_for("anna")))
        .await
        .unwrap_err();
    assert_eq!(failed, "the inner service failed");
    assert_eq!(
        service.oneshot(get(&[])).await.unwrap().status(),
        401,
        "a refusal is no error"
    );
}

#[tokio::test]
async fn an_outer_layer_can_read_the_refusal_back_from_the_body() {
    // Long enough for a token.
    let garbage = format!("{}.y.z", "x".repeat(65));
    let response = auth()
        .layer(Whoami)
        .oneshot(bearer(&garbage))
        .await
        .unwrap();
    let refusal = response.body().rejection().unwrap();
    assert_eq!(
        (refusal.kind(), refusal.reason()),
        (RejectionKind::InvalidToken, "base64url")
    );
    let response = auth()
        .layer(Whoami)
        .oneshot(bearer(&token_for("anna")))
        .await
        .unwrap();
    assert!(response.body().rejection().is_none());
}

#[tokio::test]
async fn the_first_scheme_that_recognises_a_credential_decides_and_no_other_is_shown_it() {
    let auth = AuthLayer::builder()
        .accept(jwt())
        .accept(Later)
        .accept(Gullible)
        .build()
        .unwrap();
    for layer in [auth.clone(), auth.optional()] {
        for bad in [bearer("x.y.z"), bearer("x"), later("no")] {
            let refused = send(&layer, bad).await;
            assert_eq!(
                (refused.status.as_u16(), refused.code().as_str()),
                (401, "token_invalid")
            );
        }
        assert_eq!(send(&layer, later("yes")).await.text(), "Other anna");
    }
    let shown = get(&[("authorization", "Gullible x")]);
    assert_eq!(
        send(&auth, shown).await.text(),
        "Other root",
        "it would have taken the others"
    );
}

#[tokio::test]
async fn a_scheme_that_panics_while_it_is_waited_for_is_500_and_the_next_request_is_served() {
    for layer in [auth(), auth().optional()] {
        let failed = send(&layer, later("panic")).await;
        assert_eq!(
            (failed.status.as_u16(), failed.code().as_str()),
            (500, "internal_error")
        );
        assert!(failed.challenges().is_empty());
        assert_eq!(send(&layer, later("yes")).await.text(), "Other anna");
    }
}

#[tokio::test]
async fn a_refusal_that_was_waited_for_looks_like_one_that_was_not() {
    let auth = auth();
    let asked = async |authorization, method, content_type| {
        send(
            &auth,
            request(
                method,
                &[
                    ("authorization", authorization),
                    ("content-type", content_type),
                ],
            ),
        )
        .await
    };
    for (method, content_type, status) in [
        ("GET", "text/plain", 401),
        ("HEAD", "text/plain", 401),
        ("POST", "application/grpc", 200),
    ] {
        let at_once = asked("Unknown x", method, content_type).await;
        let waited = asked("Later no", method, content_type).await;
        let names = |reply: &Reply| reply.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            (at_once.status.as_u16(), waited.status.as_u16()),
            (status, status),
            "{method}"
        );
        assert_eq!(names(&at_once), names(&waited), "{method}");
        assert_eq!(at_once.body.is_empty(), waited.body.is_empty(), "{method}");
    }
}

/// Not over axum, which takes the bodies of HEAD off itself.
#[tokio::test]
async fn a_handlers_refusal_of_head_has_no_body() {
    let auth = auth();
    let refusing = service_fn(|_: Request<Full<Bytes>>| async {
        let mut response = Response::new(Full::from("to be replaced"));
        response
            .extensions_mut()
            .insert(Rejection::permission_denied("planted"));
        Ok::<_, std::convert::Infallible>(response)
    });
    let anybody = auth.require(Requirement::check("anybody", |_| true));
    for (method, is_empty) in [("GET", false), ("HEAD", true)] {
        for credential in ["Later yes", &format!("Bearer {}", token_for("anna"))] {
            let asked = || request(method, &[("authorization", credential)]);
            let behind_one = reply(auth.layer(refusing).oneshot(asked()).await.unwrap()).await;
            let behind_two = auth
                .layer(anybody.layer(refusing))
                .oneshot(asked())
                .await
                .unwrap();
            for refused in [behind_one, reply(behind_two).await] {
                let got = (refused.status.as_u16(), refused.body.is_empty());
                assert_eq!(got, (403, is_empty), "{method} {credential}");
                assert_eq!(
                    refused.headers.contains_key("content-length"),
                    is_empty,
                    "{method} {credential}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_dropped_before_the_answer() {
    let service = auth().layer(service_fn(|request: Request<Rc<str>>| async move {
        Ok::<_, std::convert::Infallible>(Response::new(NotSend(request.into_body())))
    }));
    for credential in [None, Some("Bearer x.y.z"), Some("Later no")] {
        let body: Rc<str> = Rc::from("a stream that stays open");
        let mut request = Request::post("/").body(Rc::clone(&body)).unwrap();
        if let Some(credential) = credential {
            request
                .headers_mut()
                .insert("authorization", credential.parse().unwrap());
        }
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), Rc::strong_count(&body)),
            (401, 1),
            "{credential:?}"
        );
    }
}

#[test]
fn the_crate_forbids_unsafe_code() {
    let lib = include_str!("../../src/lib.rs");
    assert!(lib.lines().any(|line| line == "#![forbid(unsafe_code)]"));
}
