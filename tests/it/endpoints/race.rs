//! A thousand refreshes of one token at once, over sockets.

use super::world::*;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tower_auth::event::Action;

const CONNECTIONS: usize = 10;
/// Of each connection.
const REQUESTS: usize = 100;

/// Serves until the test ends.
async fn serve(world: &World) -> std::net::SocketAddr {
    let app: Router = Router::new().merge(world.endpoints.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(app.clone());
            tokio::spawn(async move {
                // A client that goes away is no failure of the server.
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

/// The answers to as many requests as there are, all at once.
async fn refresh_at_once(world: &World, token: &str) -> Vec<(u16, Value)> {
    let address = serve(world).await;
    let start = Arc::new(Barrier::new(CONNECTIONS * REQUESTS));
    let mut answers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        for _ in 0..REQUESTS {
            let (mut client, start) = (client.clone(), Arc::clone(&start));
            let body = Full::<Bytes>::from(json!({ "refresh": token }).to_string());
            let request = Request::post(format!("http://{address}/refresh/"));
            let request = request
                .header("content-type", "application/json")
                .body(body)
                .unwrap();
            answers.spawn(async move {
                client.ready().await.unwrap();
                start.wait().await;
                let answer = client.send_request(request).await.unwrap();
                let status = answer.status().as_u16();
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                (status, serde_json::from_slice(&body).unwrap())
            });
        }
    }
    answers.join_all().await
}

fn statuses(answers: &[(u16, Value)]) -> BTreeMap<u16, usize> {
    answers
        .iter()
        .fold(BTreeMap::new(), |mut counts, (status, _)| {
            *counts.entry(*status).or_default() += 1;
            counts
        })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_refreshes_at_once_yield_one_live_successor() {
    let world = World::new().await;
    let first = world.sign_in("7").await;
    world.events.take();
    let answers = refresh_at_once(&world, refresh(&first)).await;
    assert_eq!(statuses(&answers), [(200, CONNECTIONS * REQUESTS)].into());
    let token = |answer: &Value| answer["refresh"].as_str().unwrap().to_owned();
    let successors: BTreeSet<String> = answers.iter().map(|(_, answer)| token(answer)).collect();
    assert_eq!(successors.len(), 1, "one successor, the same for all");
    let heard = world.events.take();
    assert_eq!(
        heard
            .iter()
            .filter(|action| **action == Action::Rotated)
            .count(),
        1
    );
    assert_eq!(
        heard
            .iter()
            .filter(|action| **action == Action::ReuseDetected)
            .count(),
        0
    );

    // After the grace the predecessor is a thief's: the family ends, and all that it ever gave.
    world.pass(10);
    assert!(!world.refreshes(refresh(&first)).await);
    assert_eq!(
        world.events.take(),
        [Action::ReuseDetected, Action::Refused]
    );
    assert!(!world.refreshes(successors.first().unwrap()).await);
    for (_, answer) in &answers {
        assert!(!world.opens(answer["access"].as_str().unwrap()).await);
    }
    assert!(!world.opens(access(&first)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_grace_a_thousand_refreshes_at_once_leave_no_live_family() {
    let world = World::of(Plan {
        tokens: |tokens| tokens.grace(std::time::Duration::ZERO),
        ..Plan::default()
    })
    .await;
    let first = world.sign_in("7").await;
    let answers = refresh_at_once(&world, refresh(&first)).await;
    // The second is reuse, whoever it is: it cannot be told from a thief.
    assert_eq!(
        statuses(&answers),
        [(200, 1), (401, CONNECTIONS * REQUESTS - 1)].into()
    );
    let (_, winner) = answers.iter().find(|(status, _)| *status == 200).unwrap();
    assert!(!world.refreshes(winner["refresh"].as_str().unwrap()).await);
    assert!(!world.opens(winner["access"].as_str().unwrap()).await);
    let reuses = world
        .events
        .take()
        .into_iter()
        .filter(|action| *action == Action::ReuseDetected);
    assert_eq!(reuses.count(), 1, "told once");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_token_that_can_be_refreshed() {
    use tower::ServiceExt;
    let world = World::new().await;
    world.script.forget();
    let first = world.sign_in("7").await;
    // Dropped at every point at which it waits.
    for polls in 1..20 {
        let body = json!({ "refresh": refresh(&first) });
        let request = asking("POST", "/refresh/", "", Some(&body)).map(Body::new);
        let mut future = tokio_test::task::spawn(world.endpoints.clone().oneshot(request));
        for _ in 0..polls {
            if future.poll().is_ready() {
                break;
            }
        }
        drop(future);
        assert!(world.refreshes(refresh(&first)).await);
    }
    assert!(!world.events.take().contains(&Action::ReuseDetected));
}
