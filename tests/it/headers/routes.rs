//! A route outside of the layer is no way into one that is inside.

use super::case::auth;
use super::wire::http1;
use super::world::{Mode, Setup, world};
use axum::Router;
use axum::routing::any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_auth::AuthLayer;

/// `/public` outside of the layer; `/admin` and what is below it inside.
fn app(layer: AuthLayer, admitted: Arc<AtomicUsize>) -> Router {
    let admin = any(move || {
        admitted.fetch_add(1, Ordering::SeqCst);
        async { "admin" }
    });
    let guarded = Router::new()
        .route("/admin", admin.clone())
        .route("/admin/{*rest}", admin)
        .layer(layer);
    Router::new()
        .route("/public", any(|| async { "public" }))
        .merge(guarded)
}

const TARGETS: [&str; 42] = [
    "/admin",
    "/admin/",
    "/admin/x",
    "/admin//",
    "/admin/../public",
    "/admin/..;/public",
    "/admin/.",
    "/admin/%2e%2e/public",
    "/admin?",
    "/admin?public",
    "/admin?x=/public",
    "/admin?/../public",
    "/admin;public",
    "/admin;/public",
    "/admin%20",
    "/admin%00",
    "/admin%2f",
    "/admin%2fx",
    "/admin%3f/public",
    "/admin%23/public",
    "/admin.json",
    "/admin\\",
    "/Admin",
    "/ADMIN",
    "//admin",
    "///admin/x",
    "/./admin",
    "/%2e/admin",
    "/%61dmin",
    "/%61%64%6d%69%6e/x",
    "/%2561dmin",
    "/%2fadmin",
    "/public/../admin",
    "/public/%2e%2e/admin",
    "/public/..;/admin",
    "/public/..%2fadmin",
    "/public//../admin",
    "/public;/../admin",
    "/x/../admin",
    "http://localhost/admin",
    "http://localhost//admin",
    "http://public@localhost/admin?/public",
];

const METHODS: [&str; 5] = ["GET", "POST", "HEAD", "OPTIONS", "BREW"];

const TRICKS: [&str; 6] = [
    "",
    "X-HTTP-Method-Override: OPTIONS\r\n",
    "X-Original-URL: /public\r\nX-Rewrite-URL: /public\r\n",
    "X-Forwarded-Uri: /public\r\nX-Forwarded-Prefix: /public\r\n",
    "X-Forwarded-User: root\r\nX-Forwarded-For: 127.0.0.1\r\n",
    "Authorization: Bearer x.y.z\r\n",
];

#[tokio::test]
async fn no_spelling_of_a_path_gets_past_the_layer_by_way_of_a_public_route() {
    let world = world().await;
    for mode in [Mode::Required, Mode::Optional] {
        let admitted = Arc::new(AtomicUsize::new(0));
        let app = app(world.layer(Setup::Usual, mode), Arc::clone(&admitted));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = async move {
            axum::serve(listener, app)
                .with_graceful_shutdown(async { stopped.await.unwrap() })
                .await
        };
        let server = tokio::spawn(served);

        for target in TARGETS {
            for (index, trick) in TRICKS.iter().enumerate() {
                // An optional route is meant for anonymous callers; a bad token must not become
                // one.
                if mode == Mode::Optional && !trick.starts_with("Authorization") {
                    continue;
                }
                let method = METHODS[index % METHODS.len()];
                let refused = http1(address, method, target, trick.as_bytes()).await;
                let status = refused.status.as_u16();
                assert!(
                    matches!(status, 400 | 401 | 404),
                    "{method} {target} {trick:?}: {status}"
                );
                assert_eq!(
                    admitted.load(Ordering::SeqCst),
                    0,
                    "{method} {target} {trick:?}"
                );
            }
        }

        let good = auth(format!("Bearer {}", world.token));
        for (target, body, so_far) in [
            ("/admin", "admin", 1),
            ("/admin/x", "admin", 2),
            ("/public", "public", 2),
        ] {
            let reply = http1(address, "GET", target, &good).await;
            assert_eq!((reply.status.as_u16(), reply.text()), (200, body));
            assert_eq!(admitted.load(Ordering::SeqCst), so_far);
        }
        for target in [
            "/public",
            "/public?x=/admin",
            "/public?",
            "http://localhost/public",
        ] {
            assert_eq!(
                http1(address, "GET", target, b"").await.text(),
                "public",
                "{target} needs no credential"
            );
        }
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
    }
}
