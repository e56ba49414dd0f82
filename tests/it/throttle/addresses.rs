//! From where a request comes, and who is believed.

use super::*;
use crate::watch::Log;
use tower_auth::endpoint::SignIn;
use tower_auth::throttle::{Addresses, Throttle};
use tower_auth::{PasswordPolicy, RejectionKind, Secret, Tokens};
use tower_layer::Layer;

/// The statuses of anonymous requests, each from a peer and with an `X-Forwarded-For`.
async fn anonymous(auth: &AuthLayer, requests: &[(&str, Option<&str>)]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (peer, forwarded) in requests {
        let fields: Vec<_> = forwarded
            .iter()
            .map(|value| ("x-forwarded-for", *value))
            .collect();
        statuses.push(
            send(auth, with_peer(get(&fields), peer))
                .await
                .status
                .as_u16(),
        );
    }
    statuses
}

fn one_a_minute(addresses: Addresses) -> AuthLayer {
    let world = World::new();
    over(&world.realm().addresses(addresses))
        .optional()
        .throttle(Throttle::per_address("1/min"))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_spoofed_x_forwarded_for_opens_no_new_bucket_unless_a_trusted_proxy_wrote_it() {
    let auth = one_a_minute(Addresses::new());
    let spoofs = [
        ("192.0.2.1", Some("1.1.1.1")),
        ("192.0.2.1", Some("2.2.2.2")),
        ("192.0.2.1", None),
    ];
    assert_eq!(anonymous(&auth, &spoofs).await, [200, 429, 429]);

    let auth = one_a_minute(Addresses::new().trust("10.0.0.0/8"));
    assert_eq!(
        anonymous(&auth, &spoofs).await,
        [200, 429, 429],
        "a stranger is no proxy"
    );
    let behind = [
        ("10.0.0.1", Some("203.0.113.1")),
        ("10.0.0.2", Some("203.0.113.1")),
        ("10.0.0.1", Some("6.6.6.6, 203.0.113.1")),
        ("10.0.0.1", Some("203.0.113.2")),
    ];
    assert_eq!(anonymous(&auth, &behind).await, [200, 429, 429, 200]);
    let unreadable = [
        ("10.0.0.1", Some("x")),
        ("10.0.0.1", Some("y")),
        ("10.0.0.1", Some("1.1.1.1, _z")),
    ];
    assert_eq!(
        anonymous(&auth, &unreadable).await,
        [200, 429, 429],
        "all are the proxy's"
    );
}

#[tokio::test]
async fn an_ipv6_customer_and_two_notations_of_one_address_have_one_bucket() {
    let auth = one_a_minute(Addresses::new());
    let requests = [
        ("2001:db8:0:1::1", 200),
        ("2001:db8:0:1:ffff::2", 429),
        ("2001:DB8::1:0:0:0:9", 429),
        ("2001:db8:0:2::1", 200),
        ("192.0.2.1", 200),
        ("::ffff:192.0.2.1", 429),
        ("::ffff:c000:202", 200),
    ];
    for (peer, status) in requests {
        assert_eq!(anonymous(&auth, &[(peer, None)]).await, [status], "{peer}");
    }
    let auth = one_a_minute(Addresses::new().ipv6_prefix(56));
    assert_eq!(
        anonymous(&auth, &[("2001:db8::1", None), ("2001:db8:0:ff::1", None)]).await,
        [200, 429]
    );
}

#[tokio::test]
async fn a_rule_that_needs_an_address_and_has_none_is_500_and_says_why() {
    use tower::ServiceExt;
    let auth = one_a_minute(Addresses::new());
    let response = auth.layer(Whoami).oneshot(get(&[])).await.unwrap();
    let refusal = response.body().rejection().unwrap();
    assert_eq!(
        (response.status().as_u16(), refusal.kind()),
        (500, RejectionKind::Failed)
    );
    assert!(refusal.reason().contains("Peer"));
}

#[tokio::test]
async fn anonymous_requests_are_counted_by_address_and_callers_by_themselves() {
    let world = World::new();
    let auth = world
        .builder()
        .optional()
        .throttle(Throttle::per_principal("2/min"))
        .build()
        .unwrap();
    let from = [
        ("192.0.2.1", None),
        ("192.0.2.1", None),
        ("192.0.2.1", None),
        ("192.0.2.2", None),
    ];
    assert_eq!(anonymous(&auth, &from).await, [200, 200, 429, 200]);
    let key = world.key(Subject::user("7")).await;
    assert_eq!(admitted(&auth, &key, 3).await, 2, "and need no address");
}

#[tokio::test]
async fn preflights_are_not_counted() {
    let world = World::new();
    let auth = world
        .builder()
        .allow_preflight()
        .throttle(Throttle::per_address("1/min"))
        .build()
        .unwrap();
    for _ in 0..3 {
        let preflight = request("OPTIONS", &[("access-control-request-method", "GET")]);
        assert_eq!(send(&auth, preflight).await.status, 200);
    }
}

#[tokio::test]
async fn axum_and_tonic_tell_the_peer_by_themselves() {
    use axum::Router;
    use axum::routing::get as on_get;
    use std::net::SocketAddr;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    let auth = one_a_minute(Addresses::new());
    let app = Router::new()
        .route("/", on_get(async || "hello"))
        .layer(auth.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let axum = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let call = async || {
        reqwest::get(format!("http://{address}/"))
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!((call().await, call().await), (200, 429));
    axum.abort();

    let auth = one_a_minute(Addresses::new());
    let (_, health) = tonic_health::server::health_reporter();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder()
        .layer(auth)
        .add_service(health);
    let tonic = tokio::spawn(async move { server.serve_with_incoming(incoming).await.unwrap() });
    let channel = tonic::transport::Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut client = HealthClient::new(channel);
    client.check(HealthCheckRequest::default()).await.unwrap();
    let status = client
        .check(HealthCheckRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    tonic.abort();
}

#[tokio::test]
async fn the_address_of_a_mocked_connect_info_is_the_peers_as_in_axum() {
    use axum::extract::ConnectInfo;
    use axum::extract::connect_info::MockConnectInfo;
    use std::net::SocketAddr;

    let auth = one_a_minute(Addresses::new());
    let from = |n: u8| SocketAddr::from(([192, 0, 2, n], 4_000));
    let mut statuses = Vec::new();
    for (mocked, real) in [(1, None), (1, None), (2, None), (1, Some(3)), (4, Some(3))] {
        let mut request = get(&[]);
        let extensions = request.extensions_mut();
        extensions.insert(MockConnectInfo(from(mocked)));
        if let Some(real) = real {
            extensions.insert(ConnectInfo(from(real)));
        }
        statuses.push(send(&auth, request).await.status.as_u16());
    }
    assert_eq!(
        statuses,
        [200, 429, 200, 200, 429],
        "a real one comes first"
    );
}

#[tokio::test]
async fn that_nobody_tells_the_peer_is_logged_once_when_it_matters() {
    let log = Log::default();
    let _logged = log.capture();
    let times = || {
        let written = log.take();
        String::from_utf8_lossy(&written)
            .matches("peer unknown")
            .count()
    };
    let realm = World::new().realm();
    let users = realm.users(PasswordPolicy::new());
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let auth = AuthLayer::builder()
        .accept(&tokens)
        .accept(users.basic())
        .build()
        .unwrap();
    // Where no attempt is counted, it does not matter.
    assert_eq!(send(&auth, get(&[])).await.status, 401);
    let wrong = Secret::new(String::from("wrong"));
    assert!(
        users.authenticate("anna", &wrong).await.is_err(),
        "a program's"
    );
    let told = with_peer(basic("anna", "wrong"), "192.0.2.1");
    assert_eq!(send(&auth, told).await.status, 401);
    assert_eq!(times(), 0);
    for _ in 0..3 {
        assert_eq!(send(&auth, basic("anna", "wrong")).await.status, 401);
    }
    assert_eq!(times(), 1);

    // At an endpoint, of another realm.
    let realm = World::new().realm();
    let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let auth = AuthLayer::builder().accept(&tokens).build().unwrap();
    let endpoints = auth.endpoints().mount("/token/", SignIn::of(&tokens));
    let endpoints = endpoints.build().unwrap();
    for _ in 0..3 {
        let body = r#"{"email": "anna@example.com", "password": "wrong"}"#;
        let request = Request::post("/token/").header("content-type", "application/json");
        let request = request.body(Full::<Bytes>::from(body)).unwrap();
        let answer = tower::ServiceExt::oneshot(endpoints.clone(), request).await;
        assert_eq!(answer.unwrap().status(), 401);
    }
    assert_eq!(times(), 1);
}

/// A server that does not tell the peer leaves half of the limits on attempts off.
#[test]
fn every_example_that_serves_tells_the_peer() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut serving = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let served = text.matches("axum::serve(").count();
        let told = text
            .matches("into_make_service_with_connect_info::<SocketAddr>")
            .count();
        assert_eq!(served, told, "{}", path.display());
        let by_hyper = text.contains(".serve_connection(");
        assert_eq!(
            by_hyper,
            text.contains("Peer(address.ip())"),
            "{}",
            path.display()
        );
        serving += served + usize::from(by_hyper);
    }
    assert!(serving >= 5, "{serving}: are they served in another way?");
}
