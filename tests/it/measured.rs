//! What is told to a recorder of the `metrics` crate: by the table of the docs, and no more.

use crate::endpoints::world::*;
use crate::process::Example;
use crate::support::{bearer, get, send};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tower_auth::clock::Clock;
use tower_auth::fetch::{Fetch, FetchError};
use tower_auth::store::Memory;
use tower_auth::throttle::{
    Charge, Limiter, LimiterAnswer, MemoryLimiter, Peer, Receipt, Standing, Throttle,
};
use tower_auth::{ApiKeys, AuthLayer, Jwt, KeyRequest, Realm, Scope, Subject};

/// What the recorder was told, once a second has gone by.
async fn told(prometheus: &PrometheusHandle) -> String {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    prometheus.render()
}

fn recorder() -> (PrometheusRecorder, PrometheusHandle) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    (recorder, handle)
}

/// The value on the line of exactly these labels.
fn value(text: &str, line: &str) -> Option<f64> {
    let prefix = format!("{line} ");
    let found = text.lines().find_map(|other| other.strip_prefix(&prefix))?;
    found.parse().ok()
}

fn decisions(text: &str, gate: &str, scheme: &str, kind: &str) -> f64 {
    let labels = format!("gate=\"{gate}\",scheme=\"{scheme}\",kind=\"{kind}\"");
    value(text, &format!("tower_auth_decisions_total{{{labels}}}")).unwrap_or_default()
}

/// Answers as an issuer whose keys nobody can use.
struct NoKeys;

#[async_trait]
impl Fetch for NoKeys {
    async fn fetch(&self, _: Request<Bytes>, _: usize) -> Result<Response<Bytes>, FetchError> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Ok(response)
    }
}

/// Counts in memory, and answers a little later.
#[derive(Debug, Default)]
struct Later(MemoryLimiter);

impl Limiter for Later {
    fn count(&self, charges: &[Charge], clock: &Arc<dyn Clock>) -> LimiterAnswer<Vec<Standing>> {
        let LimiterAnswer::Ready(answer) = self.0.count(charges, clock) else {
            panic!("memory answers at once");
        };
        LimiterAnswer::Pending(Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        }))
    }

    fn take(&self, charge: &Charge, clock: &Arc<dyn Clock>) -> LimiterAnswer<Receipt> {
        self.0.take(charge, clock)
    }

    fn give_back(
        &self,
        charge: &Charge,
        receipt: Receipt,
        clock: &Arc<dyn Clock>,
    ) -> LimiterAnswer<()> {
        self.0.give_back(charge, receipt, clock)
    }
}

#[tokio::test(start_paused = true)]
async fn each_decision_is_counted_once_by_gate_scheme_and_kind() {
    let (recorder, prometheus) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let world = World::of(Plan {
        layer: |layer| layer.throttle(Throttle::per_principal("4/min")),
        ..Plan::default()
    })
    .await;
    let key = world.key("7").await;
    let key = key.key.expose();
    let pair = world.sign_in("8").await;
    for _ in 0..5 {
        send(&world.auth, get(&[("x-api-key", key)])).await;
    }
    for _ in 0..3 {
        send(&world.auth, bearer(access(&pair))).await;
    }
    send(&world.auth, bearer(&tampered(access(&pair)))).await;
    send(&world.auth, get(&[])).await;
    send(
        &world.auth,
        get(&[("authorization", &basic(ANNA, "wrong"))]),
    )
    .await;
    let bens = bearing(access(&pair));
    let body = json!({ "email": "no address" });
    let mut register = asking("POST", "/users/", "", Some(&body));
    let peer = Peer("192.0.2.7".parse().unwrap());
    register.extensions_mut().insert(peer);
    world.send(register).await;
    world.get("/api-keys/", &bens).await;

    let text = told(&prometheus).await;
    let rows = [
        ("authenticate", "Api-Key", "admitted", 4.0),
        ("authenticate", "Api-Key", "throttled", 1.0),
        ("authenticate", "Bearer", "admitted", 4.0),
        ("authenticate", "Bearer", "token_invalid", 1.0),
        ("authenticate", "none", "not_authenticated", 1.0),
        ("authenticate", "Basic", "invalid_credentials", 1.0),
        ("endpoint", "none", "admitted", 1.0),
        ("require", "Bearer", "admitted", 1.0),
        ("handler", "none", "validation_error", 1.0),
    ];
    for (gate, scheme, kind, expected) in rows {
        let counted = decisions(&text, gate, scheme, kind);
        assert_eq!(counted, expected, "{gate} {scheme} {kind}\n{text}");
    }
    let sum: f64 = text
        .lines()
        .filter(|line| line.starts_with("tower_auth_decisions_total{"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum();
    let expected: f64 = rows.iter().map(|(.., n)| n).sum();
    assert_eq!(sum, expected, "{text}");
    let throttled = "tower_auth_throttled_total{rule=\"principal\",outcome=\"refused\"}";
    assert_eq!(value(&text, throttled), Some(1.0), "{text}");
    let cached = "tower_auth_cache_lookups_total{cache=\"tokens\",found=\"yes\"}";
    assert!(
        value(&text, cached).is_some_and(|hits| hits >= 1.0),
        "{text}"
    );
    let signed_in = "tower_auth_events_total{action=\"signed in\"}";
    assert_eq!(value(&text, signed_in), Some(1.0), "{text}");
    for secret in [ANNA, key, "\"7\"", "\"8\""] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_inside_of_a_layer_and_a_route_that_requires_are_gates_of_their_own() {
    let (recorder, prometheus) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let key = world.key("7").await;
    let write = world.auth.require(Scope::new("reports:write"));
    let admin = world.auth.require(Scope::new("admin"));
    let key = get(&[("x-api-key", key.key.expose())]);
    for inner in [&write, &admin] {
        let service = tower_layer::Layer::layer(inner, crate::support::Whoami);
        let service = tower_layer::Layer::layer(&world.auth, service);
        let service = tower_layer::Layer::layer(&world.auth, service);
        tower::ServiceExt::oneshot(service, key.clone())
            .await
            .unwrap();
    }
    let text = told(&prometheus).await;
    assert_eq!(
        decisions(&text, "authenticate", "Api-Key", "admitted"),
        2.0,
        "{text}"
    );
    assert_eq!(
        decisions(&text, "require", "Api-Key", "admitted"),
        1.0,
        "{text}"
    );
    assert_eq!(
        decisions(&text, "require", "Api-Key", "insufficient_scope"),
        1.0,
        "{text}"
    );
}

/// Everything that there is to measure happens at least once.
async fn everything(prometheus: &PrometheusHandle) -> String {
    let world = World::of(Plan {
        layer: |layer| {
            layer.throttle(Throttle::per_principal("1/min")).accept(
                Jwt::oidc("https://login.example.com")
                    .audience("api")
                    .fetcher(NoKeys),
            )
        },
        ..Plan::default()
    })
    .await;
    let key = world.key("7").await;
    world.script.forget();
    for _ in 0..2 {
        send(&world.auth, get(&[("x-api-key", key.key.expose())])).await;
    }
    let theirs = tower_auth::test_util::TokenMint::rs256();
    let claims =
        json!({ "iss": "https://login.example.com", "aud": "api", "sub": "1", "exp": NOW + 60 });
    send(&world.auth, bearer(&theirs.sign(&claims))).await;

    let realm = Realm::new(Memory::new()).limiter(Later::default());
    let keys = realm.api_keys(ApiKeys::prefix("egret"));
    let request = KeyRequest::new(Subject::user("7"), "ci");
    let key = keys.issue(request).await.unwrap();
    let shared = AuthLayer::builder().accept(&keys);
    let shared = shared.throttle(Throttle::per_key("5/min")).build().unwrap();
    send(&shared, get(&[("x-api-key", key.key.expose())])).await;
    told(prometheus).await
}

#[tokio::test(start_paused = true)]
async fn the_table_of_the_docs_has_every_metric_that_there_is_and_no_other() {
    let (recorder, prometheus) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let text = everything(&prometheus).await;
    let told: BTreeSet<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split_once(' ').unwrap())
        // Without buckets the recorder keeps quantiles.
        .map(|(name, kind)| (name.to_owned(), kind.replace("summary", "histogram")))
        .collect();
    let page = include_str!("../../src/guide/metrics.rs");
    let documented: BTreeSet<(String, String)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `tower_auth_"))
        .map(|line| {
            let mut cells = line.split(" | ");
            let name = cells.next().unwrap().trim_end_matches('`');
            (
                format!("tower_auth_{name}"),
                cells.next().unwrap().to_owned(),
            )
        })
        .collect();
    assert_eq!(told, documented, "{text}");
    for (name, _) in &told {
        assert!(text.contains(&format!("# HELP {name} ")), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_realm_that_was_made_without_a_recorder_counts_nothing() {
    let world = World::new().await;
    let (recorder, prometheus) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let key = world.key("7").await;
    send(&world.auth, get(&[("x-api-key", key.key.expose())])).await;
    assert_eq!(told(&prometheus).await, "");
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_last_is_told_when_the_layer_goes() {
    let (recorder, prometheus) = recorder();
    let _guard = ::metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    send(&world.auth, get(&[])).await;
    drop(world);
    let text = prometheus.render();
    assert_eq!(
        decisions(&text, "authenticate", "none", "not_authenticated"),
        1.0,
        "{text}"
    );
}

#[tokio::test]
async fn the_example_shows_prometheus_what_it_says_that_it_shows() {
    let example = Example::start("metrics");
    let client = reqwest::Client::new();
    let reports = format!("{}/reports/", example.url);
    for (password, status) in [("correct-horse-battery", 200), ("wrong", 401)] {
        let request = client.get(&reports).basic_auth("anna", Some(password));
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    // The recorder hears of it within a second or so.
    let lines = [
        "tower_auth_decisions_total{gate=\"authenticate\",scheme=\"Basic\",kind=\"admitted\"} 1",
        "tower_auth_decisions_total{gate=\"authenticate\",scheme=\"Basic\",kind=\"invalid_credentials\"} 1",
    ];
    loop {
        let metrics = client.get(format!("{}/metrics", example.url));
        let text = metrics.send().await.unwrap().text().await.unwrap();
        if lines.iter().all(|line| text.contains(line)) {
            break;
        }
        assert!(!text.contains("kind=\"unavailable\""), "{text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
