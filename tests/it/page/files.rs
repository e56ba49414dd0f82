//! What a browser is sent: the same bytes for everybody, under a policy that lets nothing else in.

use super::site::{Site, page};
use crate::support::{Reply, reply};
use axum::Router;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_auth::ConfigProblem;
use tower_auth::endpoint::{EndpointsBuilder, KeysEndpoint, Page, SignIn};

async fn get(app: &Router, path: &str) -> Reply {
    reply(
        app.clone()
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap(),
    )
    .await
}

async fn config(app: &Router) -> Value {
    get(app, "/settings/config.json").await.json()
}

#[tokio::test]
async fn every_file_comes_under_the_policy_and_is_kept_by_nobody() {
    let site = Site::new().await;
    let app = site.router(site.with_api_keys().mount("/settings/", page()));
    let files = [
        ("/settings/", "text/html; charset=utf-8"),
        ("/settings/page.css", "text/css; charset=utf-8"),
        ("/settings/page.js", "text/javascript; charset=utf-8"),
        ("/settings/page.svg", "image/svg+xml"),
    ];
    for (path, content_type) in files {
        let file = get(&app, path).await;
        assert_eq!(
            (file.status.as_u16(), &file.headers["content-type"]),
            (200, &content_type.parse().unwrap())
        );
        let policy = file.headers["content-security-policy"].to_str().unwrap();
        let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(directives.contains(&directive), "{path}: {directive}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("data:") && !policy.contains('*'));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(file.headers[name], value, "{path}");
        }
        let head = Request::head(path).body(Body::empty()).unwrap();
        let head = reply(app.clone().oneshot(head).await.unwrap()).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn nothing_of_a_request_is_in_the_page() {
    let site = Site::new().await;
    let app = site.router(site.with_api_keys().mount("/settings/", page()));
    let plain = get(&app, "/settings/").await;
    let request = Request::get("/settings/?q=%3Cscript%3Eevil()%3C/script%3E")
        .header("host", "evil.example.com");
    let request = request
        .header("x-forwarded-host", "evil.example.com")
        .body(Body::empty())
        .unwrap();
    let dressed = reply(app.oneshot(request).await.unwrap()).await;
    assert_eq!((dressed.body, dressed.headers), (plain.body, plain.headers));
}

#[tokio::test]
async fn the_configuration_says_where_the_endpoints_are() {
    let site = Site::new().await;
    let sign_in = SignIn::of(&site.tokens)
        .name_field("user_name")
        .password_field("pass_word");
    let named = site
        .auth
        .endpoints()
        .mount("/api/token/", sign_in)
        .mount(
            "/api/keys/",
            KeysEndpoint::of(&site.keys).key_field("api_key"),
        )
        .mount("/settings/", page().title("Keys of Egret"));
    let app = site.router(named);
    let expected = json!({
        "title": "Keys of Egret", "cookies": false, "sign_in": "../api/token/", "refresh": null,
        "sign_out": null, "owner": "owner/", "keys": "../api/keys/", "name_field": "user_name",
        "name_label": "User name", "password_field": "pass_word", "secret_field": "api_key",
        "must_expire": false, "longest": null, "rates": [],
    });
    assert_eq!(config(&app).await, expected);

    let app = site.router(
        site.with_private_tokens()
            .mount("/settings/", page().name_label("Email address")),
    );
    let config = config(&app).await;
    let year = 366 * 24 * 60 * 60;
    for (member, value) in [
        ("sign_out", json!("../logout/")),
        ("refresh", json!("../refresh/")),
        ("keys", json!("../private-tokens/")),
        ("secret_field", json!("token")),
        ("must_expire", json!(true)),
        ("longest", json!(year)),
        ("name_label", json!("Email address")),
    ] {
        assert_eq!(config[member], value, "{member}");
    }
}

#[tokio::test]
async fn a_page_that_lacks_something_is_found_when_it_is_built() {
    let site = Site::new().await;
    let problems = |builder: EndpointsBuilder| builder.build().unwrap_err().problems().to_vec();
    let lacks = |builder: EndpointsBuilder, what: &str| {
        let found = problems(builder);
        let all = found
            .iter()
            .all(|problem| matches!(problem, ConfigProblem::PageNeeds(_)));
        assert!(
            all && found
                .iter()
                .any(|problem| problem.to_string().contains(what)),
            "{found:?}"
        );
    };
    let keys = || KeysEndpoint::of(&site.keys);
    let bare = || site.auth.endpoints();
    lacks(
        bare()
            .mount("/api-keys/", keys())
            .mount("/settings/", Page::new()),
        "sign_in",
    );
    lacks(
        bare()
            .mount("/token/", SignIn::of(&site.tokens))
            .mount("/settings/", Page::new()),
        "keys",
    );
    let without_slash = site.with_api_keys().mount("/settings", Page::new());
    assert_eq!(
        problems(without_slash),
        [ConfigProblem::PathEnd("/settings".into())]
    );
    lacks(
        site.with_api_keys()
            .mount("/{tenant}/settings/", Page::new()),
        "path of its own",
    );
    lacks(
        site.with_api_keys()
            .mount("/settings/", Page::new().keys("/others/")),
        "keys",
    );
    let two = || site.with_api_keys().mount("/agents/{id}/keys/", keys());
    lacks(two().mount("/settings/", Page::new()), "keys");
    let scope = Page::new().scope("reports:read", "Read reports");
    lacks(
        site.with_private_tokens().mount("/settings/", scope),
        "private tokens have those",
    );
    lacks(
        two().mount("/settings/", Page::new().keys("/agents/{id}/keys/")),
        "parameters",
    );
    assert!(
        two()
            .mount("/settings/", Page::new().keys("/api-keys/"))
            .build()
            .is_ok()
    );
    for name in ["", "a b", "a;b", "a=b", "é", &"a".repeat(65)] {
        let wrong = problems(
            site.with_api_keys()
                .mount("/settings/", Page::new().cookies(name)),
        );
        assert!(
            matches!(wrong.as_slice(), [ConfigProblem::CookieName(_)]),
            "{name}: {wrong:?}"
        );
    }
    let twice = site.with_api_keys().mount("/api-keys/", Page::new());
    assert!(matches!(
        problems(twice).as_slice(),
        [ConfigProblem::TwoEndpoints(_)]
    ));
}
