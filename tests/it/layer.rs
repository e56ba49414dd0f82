//! What a layer lets through and what it refuses.

use crate::support::*;
use axum::Router;
use axum::routing::get as get_route;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tower::ServiceExt;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock, TokenMint};
use tower_auth::throttle::{AttemptLimits, Peer};
use tower_auth::{
    ApiKeys, AuthLayer, Jwt, KeyIssuer, KeyRequest, PasswordPolicy, Principal, Realm, Requirement,
    Subject, Users,
};
use tower_layer::Layer;

async fn store_with_anna() -> Memory {
    let store = Memory::new();
    let user = UserRecord::new(Subject::user("9"), "anna")
        .password_hash(hash_password("correct horse").unwrap());
    store.insert_user(user).await.unwrap();
    store
}

#[tokio::test]
async fn a_jwt_a_key_and_basic_are_accepted_and_nothing_is_refused_with_three_challenges() {
    let realm = Realm::new(store_with_anna().await);
    let keys = realm.api_keys(ApiKeys::prefix("egret"));
    let key = key_of(&keys, "7").await;
    let auth = AuthLayer::builder()
        .accept(jwt())
        .accept(&keys)
        .accept(realm.users(PasswordPolicy::new()).basic())
        .build()
        .unwrap();

    assert_eq!(
        send(&auth, bearer(&token_for("anna"))).await.text(),
        "Jwt anna"
    );
    assert_eq!(send(&auth, bearer(&key)).await.text(), "ApiKey 7");
    assert_eq!(
        send(&auth, get(&[("authorization", &format!("api-key {key}"))]))
            .await
            .text(),
        "ApiKey 7"
    );
    assert_eq!(
        send(&auth, get(&[("x-api-key", &key)])).await.text(),
        "ApiKey 7"
    );
    let basic = get(&[("authorization", "Basic YW5uYTpjb3JyZWN0IGhvcnNl")]);
    assert_eq!(send(&auth, basic.clone()).await.text(), "Basic 9");
    assert_eq!(send(&auth, basic).await.text(), "Basic 9");

    let refused = send(&auth, get(&[])).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.challenges(),
        [
            "Bearer realm=\"api\"",
            "Api-Key realm=\"api\"",
            "Basic realm=\"api\", charset=\"UTF-8\""
        ]
    );
    assert_eq!(refused.code(), "not_authenticated");
}

#[tokio::test]
async fn each_of_several_issuers_is_read_by_its_own_names_of_claims() {
    let theirs = Jwt::hs256(SECRET)
        .issuer("https://idp.example.org")
        .audience(AUDIENCE);
    let theirs = theirs.scope_claim("permissions").role_claim("groups");
    let auth = AuthLayer::builder().accept(jwt()).accept(theirs);
    let auth = auth.build().unwrap();
    // `scope` and `roles` are that issuer's own affair, in whatever form.
    let claims = serde_json::json!({
        "iss": "https://idp.example.org", "aud": AUDIENCE, "sub": "anna", "exp": FAR,
        "permissions": ["reports:read"], "groups": ["staff"], "scope": 7, "roles": { "x": 1 },
    });
    let token = TokenMint::hs256(SECRET).sign(&claims);
    assert_eq!(send(&auth, bearer(&token)).await.text(), "Jwt anna");
    let ours = token_with(serde_json::json!({ "sub": "bert", "scope": 7 }));
    assert_eq!(send(&auth, bearer(&ours)).await.status, 401);
}

/// The same request, from an address that the server knows.
fn from(mut request: Request<Full<Bytes>>, peer: &str) -> Request<Full<Bytes>> {
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    request
}

/// What the realm below lets pass of each kind: three wrong passwords, five wrong credentials.
fn limits() -> AttemptLimits {
    AttemptLimits::new()
        .per_account_and_address("3/hour")
        .per_address("5/hour")
}

/// Two layers that were built one after the other over what they accept.
fn two_layers(build: impl Fn() -> AuthLayerBuilder) -> [AuthLayer; 2] {
    [build(), build()].map(|builder| builder.build().unwrap())
}

#[tokio::test]
async fn two_layers_over_one_realm_count_wrong_passwords_together() {
    let users = Realm::new(store_with_anna().await)
        .attempts(limits())
        .users(PasswordPolicy::new());
    let layers = two_layers(|| AuthLayer::builder().accept(users.basic()));
    let wrong = || from(basic("anna", "wrong"), "192.0.2.1");
    for (attempt, status) in [401, 401, 401, 429, 429].into_iter().enumerate() {
        let answer = send(&layers[attempt % 2], wrong()).await;
        assert_eq!(answer.status, status, "{attempt}");
    }
    assert_eq!(users.argon2_runs(), 3, "what is too many is not hashed");
    // From elsewhere the owner gets in by either, and over another realm nothing is counted yet.
    let right = || from(basic("anna", "correct horse"), "192.0.2.2");
    for layer in &layers {
        assert_eq!(send(layer, right()).await.status, 200);
    }
    let other = Realm::new(store_with_anna().await).attempts(limits());
    let other = AuthLayer::builder().accept(other.users(PasswordPolicy::new()).basic());
    assert_eq!(send(&other.build().unwrap(), wrong()).await.status, 401);
}

#[tokio::test]
async fn two_layers_over_one_realm_count_unknown_keys_together() {
    // A store that is asked each time, for what memory knows to be wrong is never counted.
    let store = Intercepted::new(Memory::new(), |call| match call.starts_with("peek") {
        true => Intercept::Fail,
        false => Intercept::Pass,
    });
    let keys = Realm::new(store)
        .attempts(limits())
        .api_keys(ApiKeys::prefix("egret"));
    let layers = two_layers(|| AuthLayer::builder().accept(&keys));
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    for (attempt, status) in [401, 401, 401, 401, 401, 429].into_iter().enumerate() {
        let unknown = key_of(&elsewhere, "7").await;
        let answer = send(&layers[attempt % 2], from(bearer(&unknown), "192.0.2.1")).await;
        assert_eq!(answer.status, status, "{attempt}");
    }
    let unknown = key_of(&elsewhere, "7").await;
    let answer = send(&layers[0], from(bearer(&unknown), "192.0.2.2")).await;
    assert_eq!(answer.status, 401, "another address");
}

/// The application's own user.
#[derive(Debug)]
struct Member {
    plan: &'static str,
}

/// What becomes of a load, by the id of the subject.
async fn member(caller: Principal) -> Result<Option<Member>, String> {
    match caller.subject().id() {
        "unknown" => Ok(None),
        "error" => Err(String::from("the database's password is hunter2")),
        "panic" => panic!("planted"),
        "slow" => std::future::pending().await,
        "9" => Ok(Some(Member { plan: "pro" })),
        _ => Ok(Some(Member { plan: "free" })),
    }
}

/// A layer with members, who are counted as they are loaded.
struct Club {
    auth: AuthLayer,
    app: Router,
    keys: KeyIssuer,
    users: Users,
    clock: ManualClock,
    loads: Arc<AtomicUsize>,
}

impl Club {
    async fn new(configure: impl FnOnce(AuthLayerBuilder) -> AuthLayerBuilder) -> Self {
        async fn plan(caller: Principal) -> &'static str {
            assert!(caller.user::<u8>().is_none(), "a user of another type");
            caller.user::<Member>().unwrap().plan
        }
        let clock = ManualClock::new(FAR - 100_000);
        let realm = Realm::new(store_with_anna().await)
            .clock(clock.clone())
            .store_deadline(Duration::from_millis(20));
        let (keys, users) = (
            realm.api_keys(ApiKeys::prefix("egret")),
            realm.users(PasswordPolicy::new()),
        );
        let loads = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&loads);
        let builder = AuthLayer::builder()
            .accept(jwt())
            .accept(&keys)
            .accept(users.basic())
            .load_user(move |caller| {
                counter.fetch_add(1, Ordering::SeqCst);
                member(caller)
            });
        let auth = configure(builder).build().unwrap();
        let pro = Requirement::check("on plan pro", |caller| {
            let member = caller.user::<Member>();
            member.is_some_and(|member| member.plan == "pro")
        });
        let app = Router::new()
            .route("/", get_route(plan))
            .route("/pro", get_route(plan).layer(auth.require(pro)))
            .layer(auth.clone());
        Self {
            auth,
            app,
            keys,
            users,
            clock,
            loads,
        }
    }

    async fn answer(&self, path: &str, mut request: Request<Full<Bytes>>) -> Reply {
        *request.uri_mut() = path.parse().unwrap();
        reply(self.app.clone().oneshot(request).await.unwrap()).await
    }

    /// How often members were loaded since this was asked last.
    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_loaded_user_is_there_in_handlers_and_requirements_whatever_was_presented() {
    let club = Club::new(|builder| builder).await;
    let (anna, ben) = (key_of(&club.keys, "9").await, key_of(&club.keys, "7").await);
    let cases = [
        (bearer(&anna), "pro"),
        (bearer(&token_for("9")), "pro"),
        (basic("anna", "correct horse"), "pro"),
        (bearer(&ben), "free"),
        (bearer(&token_for("7")), "free"),
    ];
    for (request, plan) in cases {
        assert_eq!(club.answer("/", request.clone()).await.text(), plan);
        let answer = club.answer("/pro", request).await;
        assert_eq!(answer.status, if plan == "pro" { 200 } else { 403 });
    }
    assert_eq!(club.answer("/", get(&[])).await.status, 401);
}

#[tokio::test]
async fn a_loaded_user_is_remembered_for_a_minute_and_forgotten_when_told() {
    let club = Club::new(|builder| builder).await;
    let key = key_of(&club.keys, "9").await;
    let asked = async |loads: usize, why: &str| {
        assert_eq!(club.answer("/", bearer(&key)).await.text(), "pro");
        assert_eq!(club.loads(), loads, "{why}");
    };
    asked(1, "the first time").await;
    asked(0, "remembered").await;
    club.clock.advance(Duration::from_millis(59_999));
    asked(0, "still").await;
    club.clock.advance(Duration::from_millis(1));
    asked(1, "the minute is over").await;

    club.auth.forget_user(&Subject::user("7"));
    club.auth.forget_user(&Subject::new("robot", "9"));
    asked(0, "others were forgotten").await;
    club.auth.forget_user(&Subject::user("9"));
    asked(1, "forgotten").await;
    asked(0, "and remembered again").await;

    // Whoever presents a password is the same user of ours, and user 9 of another issuer is not.
    let by_password = club.answer("/", basic("anna", "correct horse")).await;
    assert_eq!((by_password.text(), club.loads()), ("pro", 0));
    let theirs = bearer(&token_for("9"));
    club.answer("/", theirs.clone()).await;
    assert_eq!(club.loads(), 1);
    club.auth.forget_user(&Subject::user("9"));
    club.answer("/", theirs).await;
    assert_eq!(club.loads(), 1, "that one is forgotten as well");
}

#[tokio::test]
async fn how_long_a_user_is_remembered_can_be_said() {
    let hour = Duration::from_secs(3_600);
    for (time, loads) in [(Duration::ZERO, 1), (hour, 0)] {
        let club = Club::new(|builder| builder.remember_user(time)).await;
        let key = key_of(&club.keys, "9").await;
        club.answer("/", bearer(&key)).await;
        club.loads();
        club.clock
            .advance(time.saturating_sub(Duration::from_secs(1)));
        club.answer("/", bearer(&key)).await;
        assert_eq!(club.loads(), loads, "{time:?}");
    }
}

#[tokio::test]
async fn a_caller_whom_the_application_does_not_know_is_refused_like_one_who_was_revoked() {
    let club = Club::new(|builder| builder).await;
    let owner = Subject::user("unknown");
    let request = KeyRequest::new(owner.clone(), "ci");
    let (unknown, revoked) = (
        key_of(&club.keys, "unknown").await,
        club.keys.issue(request).await.unwrap(),
    );
    club.keys.revoke(&owner, &revoked.record.id).await.unwrap();
    let refused = club.answer("/", bearer(&unknown)).await;
    assert_eq!(refused.status, 401);
    let as_revoked = club.answer("/", bearer(revoked.key.expose())).await;
    assert_eq!(refused, as_revoked);
    assert_eq!(club.loads(), 1, "who is refused anyway is not loaded");

    let token = token_for("unknown");
    let refused = club.answer("/", bearer(&token)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (401, "token_invalid")
    );
    assert_eq!(refused, club.answer("/", bearer("x.y.z")).await);
    club.loads();
    club.answer("/", bearer(&token)).await;
    assert_eq!(club.loads(), 1, "nobody is not remembered");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_panics_or_is_slow_is_503_and_is_not_remembered() {
    let club = Club::new(|builder| builder).await;
    for id in ["error", "panic", "slow"] {
        let key = key_of(&club.keys, id).await;
        for presented in [key, token_for(id)] {
            for _ in 0..2 {
                let refused = club.answer("/", bearer(&presented)).await;
                assert_eq!(
                    (refused.status.as_u16(), refused.code().as_str()),
                    (503, "unavailable"),
                    "{id}"
                );
                assert!(refused.challenges().is_empty(), "{id}");
                assert!(!refused.text().contains("hunter2"), "{id}");
                assert_eq!(club.loads(), 1, "{id}");
            }
        }
    }
    // The next request is served.
    let key = key_of(&club.keys, "9").await;
    assert_eq!(club.answer("/", bearer(&key)).await.text(), "pro");
}

#[tokio::test]
async fn a_disabled_user_is_not_loaded() {
    let club = Club::new(|builder| builder).await;
    let key = key_of(&club.keys, "9").await;
    assert_eq!(club.answer("/", bearer(&key)).await.status, 200);
    club.users.disable(&Subject::user("9")).await.unwrap();
    club.auth.forget_user(&Subject::user("9"));
    club.loads();
    assert_eq!(club.answer("/", bearer(&key)).await.status, 401);
    assert_eq!(club.loads(), 0);
}

#[tokio::test]
async fn layers_of_one_pipeline_that_are_nested_ask_and_load_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let store = Intercepted::new(Memory::new(), move |call| {
        counter.fetch_add(usize::from(call == "peek_key"), Ordering::SeqCst);
        Intercept::Pass
    });
    let loads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&loads);
    let keys = Realm::new(store).api_keys(ApiKeys::prefix("egret"));
    let auth = AuthLayer::builder()
        .accept(&keys)
        .load_user(move |caller| {
            counter.fetch_add(1, Ordering::SeqCst);
            member(caller)
        })
        .remember_user(Duration::ZERO)
        .build()
        .unwrap();
    let key = key_of(&keys, "9").await;
    let nested = auth.layer(auth.optional().layer(auth.layer(Whoami)));
    let answer = nested.oneshot(bearer(&key)).await.unwrap();
    assert_eq!(reply(answer).await.text(), "ApiKey 9");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}
