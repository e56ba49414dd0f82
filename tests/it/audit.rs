//! What happens is kept: who did it, whose it was, what, when and from where; and nobody waits.

use crate::endpoints::world::*;
use crate::support::{Whoami, basic as basic_of, bearer, get, send};
use crate::watch::Pieces;
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::clock::Clock;
use tower_auth::event::Audit;
use tower_auth::store::{AuditRecord, AuditStore, Memory, Stores};
use tower_auth::test_util::{Intercept, ManualClock};
use tower_auth::throttle::{Peer, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, ConfigProblem, KeyIssuer, KeyRequest, NewUser, PasswordPolicy, Realm,
    Scope, Secret, Subject, TokenIssuer, Tokens,
};

/// A service that keeps what happens, in a store of its own for that.
struct Kept {
    audit: Memory,
    script: Script,
    clock: ManualClock,
    realm: Realm,
    tokens: TokenIssuer,
    keys: KeyIssuer,
    auth: AuthLayer,
}

impl Kept {
    async fn new(audit: Audit) -> Self {
        let clock = ManualClock::new(NOW);
        let kept = Memory::new();
        let script = Script::default();
        let stores = Stores::from(Memory::new()).audit(script.over(&kept));
        let realm = Realm::new(stores).clock(clock.clone()).audit(audit);
        let users = realm.users(PasswordPolicy::new());
        let tokens = realm.tokens(Tokens::hs256(crate::support::SECRET).issuer(ISSUER));
        let keys = realm.api_keys(ApiKeys::prefix(PREFIX));
        let auth = AuthLayer::builder()
            .accept(&tokens)
            .accept(&keys)
            .accept(users.basic())
            .build()
            .unwrap();
        let anna = NewUser::new(ANNA, Secret::new(PASSWORD.to_owned()))
            .id(Subject::user("7"))
            .scope("reports:read");
        users.register(anna).await.unwrap();
        Self {
            audit: kept,
            script,
            clock,
            realm,
            tokens,
            keys,
            auth,
        }
    }

    async fn records(&self) -> Vec<AuditRecord> {
        self.realm.audit_written().await;
        self.audit.list_audit(Some(0), usize::MAX).await.unwrap()
    }

    async fn actions(&self) -> Vec<String> {
        let records = self.records().await;
        records.iter().map(|one| one.action.to_string()).collect()
    }
}

/// A request of anna's at an endpoint, from an address, with an id.
fn from_afar(
    path: &str,
    credential: &str,
    body: &Value,
) -> Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = asking("POST", path, credential, Some(body));
    let peer = Peer("192.0.2.7".parse().unwrap());
    request.extensions_mut().insert(peer);
    let id = http::HeaderValue::from_static("req-1");
    request.headers_mut().insert("x-request-id", id);
    request
}

#[tokio::test]
async fn a_record_says_who_did_it_with_what_whose_it_was_and_from_where() {
    let kept = Kept::new(Audit::new()).await;
    let endpoints = kept
        .auth
        .endpoints()
        .mount("/token/", tower_auth::endpoint::SignIn::of(&kept.tokens))
        .mount(
            "/api-keys/",
            tower_auth::endpoint::KeysEndpoint::of(&kept.keys),
        )
        .build()
        .unwrap();
    let body = json!({ "email": ANNA, "username": ANNA, "password": PASSWORD });
    let reply = endpoints
        .clone()
        .oneshot(from_afar("/token/", "", &body))
        .await;
    let reply = crate::support::reply(reply.unwrap()).await;
    let access = reply.json()["access"].as_str().unwrap().to_owned();
    let body = json!({ "name": "ci" });
    let made = endpoints
        .oneshot(from_afar("/api-keys/", &bearing(&access), &body))
        .await;
    let made = crate::support::reply(made.unwrap()).await;
    assert_eq!(made.status, 201, "{made:?}");

    let records = kept.records().await;
    let [registered, signed_in, created] = &records[..] else {
        panic!("{records:#?}");
    };
    let anna = Some(Subject::user("7"));
    assert_eq!(&*registered.action, "user registered");
    assert_eq!((&registered.actor, &registered.peer), (&None, &None));
    assert_eq!(registered.subject, anna);

    assert_eq!(&*signed_in.action, "signed in");
    assert_eq!((&signed_in.actor, &signed_in.subject), (&None, &anna));
    assert_eq!(signed_in.route.as_deref(), Some("/token/"));

    assert_eq!(&*created.action, "key created");
    assert_eq!((&created.actor, &created.subject), (&anna, &anna));
    assert_eq!(
        created.credential.as_deref(),
        claims(&access)["jti"].as_str()
    );
    assert_eq!(created.scheme.as_deref(), Some("Bearer"));
    assert_eq!(created.target.as_deref(), made.json()["id"].as_str());
    assert_eq!(created.method.as_deref(), Some("POST"));
    assert_eq!(created.route.as_deref(), Some("/api-keys/"));
    assert_eq!(created.at, kept.clock.now());
    for record in [signed_in, created] {
        assert_eq!(record.peer, "192.0.2.7".parse().ok());
        assert_eq!(record.request_id.as_deref(), Some("req-1"));
    }
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let pieces = Pieces::of(&[PASSWORD.to_owned(), access, key]);
    pieces.assert_none_in("the audit", format!("{records:?}"));
}

/// A handler of the application's own that makes a key in the name of whoever calls.
#[tokio::test]
async fn what_a_handler_does_is_done_by_its_caller() {
    let kept = Kept::new(Audit::new()).await;
    let request = KeyRequest::new(Subject::user("7"), "first");
    let first = kept.keys.issue(request).await.unwrap();
    let keys = kept.keys.clone();
    let inner = tower::service_fn(move |_: Request<()>| {
        let keys = keys.clone();
        async move {
            tokio::task::yield_now().await;
            let request = KeyRequest::new(Subject::new("agent", "1"), "second");
            keys.issue(request).await.unwrap();
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        }
    });
    let request = Request::get("/").header("x-api-key", first.key.expose());
    let service = tower_layer::Layer::layer(&kept.auth, inner);
    service.oneshot(request.body(()).unwrap()).await.unwrap();
    let records = kept.records().await;
    let made = records.last().unwrap();
    assert_eq!(made.actor, Some(Subject::user("7")));
    assert_eq!(made.subject, Some(Subject::new("agent", "1")));
    assert_eq!(made.credential.as_deref(), Some(&*first.record.id));
    assert_eq!(made.scheme.as_deref(), Some("Api-Key"));
}

#[tokio::test]
async fn refused_requests_are_kept_by_choice() {
    let rows = [
        (Audit::new(), vec![]),
        (
            Audit::new().refusals(),
            vec!["invalid_credentials", "insufficient_scope"],
        ),
        (
            Audit::new().all_refusals(),
            vec![
                "not_authenticated",
                "invalid_credentials",
                "insufficient_scope",
            ],
        ),
    ];
    for (audit, expected) in rows {
        let kept = Kept::new(audit).await;
        send(&kept.auth, get(&[])).await;
        send(&kept.auth, basic_of(ANNA, "wrong")).await;
        let key = kept.keys.issue(KeyRequest::new(Subject::user("7"), "ci"));
        let key = key.await.unwrap();
        let write = kept.auth.require(Scope::new("reports:write"));
        let service = tower_layer::Layer::layer(&write, Whoami);
        let service = tower_layer::Layer::layer(&kept.auth, service);
        service.oneshot(bearer(key.key.expose())).await.unwrap();
        let records = kept.records().await;
        let kinds: Vec<&str> = records
            .iter()
            .filter_map(|one| one.kind.as_deref())
            .collect();
        assert_eq!(kinds, expected);
        if let Some(forbidden) = records
            .iter()
            .find(|one| one.kind.as_deref() == Some("insufficient_scope"))
        {
            assert_eq!(forbidden.actor, Some(Subject::user("7")));
            assert_eq!(forbidden.credential.as_deref(), Some(&*key.record.id));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_keeps_nobody_waiting_and_is_caught_up_when_it_answers() {
    for fault in [Intercept::Fail, Intercept::Panic, Intercept::Hang] {
        let kept = Kept::new(Audit::new()).await;
        kept.records().await;
        kept.script.break_at("insert_audit", fault);
        for n in 0..300 {
            let request = KeyRequest::new(Subject::user("7"), n.to_string());
            kept.keys.issue(request).await.unwrap();
        }
        let told = tokio::time::timeout(Duration::from_secs(5), kept.realm.audit_written());
        assert!(told.await.is_err(), "{fault:?}: nothing is written");
        kept.script.mend();
        assert_eq!(kept.records().await.len(), 301, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_room_for_is_counted_and_refusals_leave_half_of_it_to_the_rest() {
    let kept = Kept::new(Audit::new().all_refusals()).await;
    kept.records().await;
    kept.script.break_at("insert_audit", Intercept::Fail);
    for _ in 0..5_010 {
        send(&kept.auth, get(&[])).await;
    }
    let request = KeyRequest::new(Subject::user("7"), "ci");
    kept.keys.issue(request).await.unwrap();
    kept.script.mend();
    let records = kept.records().await;
    let count = |action: &str| records.iter().filter(|one| *one.action == *action).count();
    assert_eq!(count("request refused"), 5_000);
    assert_eq!(count("key created"), 1);
    let lost = records
        .iter()
        .find(|one| &*one.action == "audit lost")
        .unwrap();
    assert_eq!(lost.target.as_deref(), Some("10"));
}

#[tokio::test(start_paused = true)]
async fn what_an_observing_throttle_would_refuse_is_kept_by_choice_and_leaves_half_of_the_room() {
    let rows = [
        ("nothing", Audit::new(), 0),
        ("refusals", Audit::new().refusals(), 5_000),
        ("all refusals", Audit::new().all_refusals(), 5_000),
    ];
    for (name, audit, expected) in rows {
        let kept = Kept::new(audit).await;
        let auth = AuthLayer::builder()
            .accept(&kept.keys)
            .throttle(Throttle::per_key("1/day").observe())
            .build()
            .unwrap();
        let request = KeyRequest::new(Subject::user("7"), "ci");
        let key = kept.keys.issue(request).await.unwrap();
        kept.records().await;
        kept.script.break_at("insert_audit", Intercept::Fail);
        for _ in 0..10_100 {
            assert_eq!(send(&auth, bearer(key.key.expose())).await.status, 200);
        }
        kept.keys
            .revoke(&Subject::user("7"), &key.record.id)
            .await
            .unwrap();
        kept.script.mend();
        let records = kept.records().await;
        let count = |action: &str| records.iter().filter(|one| *one.action == *action).count();
        assert_eq!(count("key revoked"), 1, "{name}");
        assert_eq!(count("throttle would refuse"), expected, "{name}");
    }
}

#[tokio::test]
async fn old_records_go_and_none_before_its_time() {
    let kept = Kept::new(Audit::new().keep(Duration::from_secs(7 * 86_400))).await;
    kept.records().await;
    kept.clock.advance(Duration::from_secs(7 * 86_400));
    kept.keys
        .issue(KeyRequest::new(Subject::user("7"), "a"))
        .await
        .unwrap();
    assert_eq!(kept.actions().await, ["user registered", "key created"]);
    kept.clock.advance(Duration::from_secs(3_601));
    kept.keys
        .issue(KeyRequest::new(Subject::user("7"), "b"))
        .await
        .unwrap();
    kept.keys
        .issue(KeyRequest::new(Subject::user("7"), "c"))
        .await
        .unwrap();
    // What is written after the first one is written after the removal.
    kept.records().await;
    kept.keys
        .issue(KeyRequest::new(Subject::user("7"), "d"))
        .await
        .unwrap();
    assert_eq!(kept.actions().await.first().unwrap(), "key created");
}

#[tokio::test]
async fn long_texts_are_cut_and_none_breaks_a_store() {
    let kept = Kept::new(Audit::new()).await;
    let odd = format!("a\0b{}", "ä".repeat(400));
    let request = KeyRequest::new(Subject::new("agent", odd), "ci");
    kept.keys.issue(request).await.unwrap();
    let records = kept.records().await;
    let owner = records[1].subject.clone().unwrap();
    assert!(owner.id().len() <= 258, "{}", owner.id().len());
    assert!(owner.id().starts_with("a\u{fffd}bä"), "{owner}");
}

#[tokio::test]
async fn the_scopes_that_a_key_has_and_does_not_use_are_told() {
    let kept = Kept::new(Audit::new().scope_uses()).await;
    let anna = Subject::user("7");
    let request = KeyRequest::new(anna.clone(), "ci");
    let request = request
        .scope("reports:read")
        .scope("reports:write")
        .scope("admin");
    let key = kept.keys.issue(request).await.unwrap();
    let begun = kept.clock.now();
    let read = kept
        .auth
        .require(Scope::new("reports:read").or(Scope::new("other")));
    let write = kept.auth.require(Scope::new("reports:write"));
    let pass = async |gate: &AuthLayer| {
        let service = tower_layer::Layer::layer(gate, Whoami);
        let service = tower_layer::Layer::layer(&kept.auth, service);
        let request = from_afar("/reports/", &bearing(key.key.expose()), &json!({}));
        let answer = service.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200);
    };
    for _ in 0..3 {
        pass(&read).await;
    }
    let unused = async |since| {
        kept.realm.audit_written().await;
        let unused = kept.keys.unused_scopes(&anna, since).await.unwrap();
        let scopes = unused
            .iter()
            .map(|(_, scopes)| scopes.iter().collect::<Vec<_>>().join(" "));
        scopes.collect::<Vec<_>>()
    };
    assert_eq!(unused(begun).await, ["reports:write admin"]);
    let records = kept.records().await;
    let uses: Vec<&AuditRecord> = records
        .iter()
        .filter(|record| &*record.action == "scope used")
        .collect();
    let [used] = uses[..] else {
        panic!("once a day: {uses:?}");
    };
    assert_eq!(
        (&used.actor, &used.subject),
        (&Some(anna.clone()), &Some(anna.clone()))
    );
    assert_eq!(used.credential.as_deref(), Some(&*key.record.id));
    assert_eq!(used.scheme.as_deref(), Some("Api-Key"));
    assert_eq!(used.peer, "192.0.2.7".parse().ok());
    assert_eq!(used.request_id.as_deref(), Some("req-1"));
    kept.clock.advance(Duration::from_secs(86_400));
    pass(&write).await;
    assert_eq!(unused(begun).await, ["admin"]);
    assert_eq!(unused(kept.clock.now()).await, ["reports:read admin"]);
}

#[test]
fn a_realm_that_has_no_place_for_it_and_a_time_of_nothing_are_mistakes() {
    let no_store = Realm::new(Stores::new().managed_keys(Memory::new())).audit(Audit::new());
    let at_once = Realm::new(Memory::new()).audit(Audit::new().keep(Duration::ZERO));
    for (realm, expected) in [
        (no_store, ConfigProblem::NoStore("audit")),
        (at_once, ConfigProblem::Zero("audit.keep")),
    ] {
        let keys = realm.api_keys(ApiKeys::prefix(PREFIX));
        let error = AuthLayer::builder().accept(&keys).build().unwrap_err();
        assert!(error.problems().contains(&expected), "{error}");
    }
}
