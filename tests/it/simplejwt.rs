//! Tokens that djangorestframework-simplejwt issued: accepted by choice until they expire, for
//! users who were moved in, with the rights that these have at that moment.

use crate::endpoints::world::*;
use crate::support::{Reply, bearer, send};
use serde_json::{Value, json};
use std::time::Duration;
use tower_auth::credential::Source;
use tower_auth::endpoint::{Introspect, Revoke};
use tower_auth::event::Action;
use tower_auth::jwt::{JwtKey, SimpleJwt};
use tower_auth::store::{
    FamilyRecord, ManagedKeyStore, ManagedUserStore, Memory, PrivateTokenStore, Stores, TokenStore,
    UserChange,
};
use tower_auth::test_util::{Intercept, TokenMint};
use tower_auth::{
    AuthLayer, Jwt, Method, Principal, Realm, RejectionKind, Scope, Scopes, Subject, Tokens,
};
use tower_layer::Layer;

/// Django's, for tests only.
const SECRET_KEY: &str = "qk%hbr_oo!pda&%tri-&v#=2j^r91kkz_h-i@1woh#d7m1llfh";
/// Of 64 bytes, for HS512.
const LONG_KEY: &str = "qk%hbr_oo!pda&%tri-&v#=2j^r91kkz_h-i@1woh#d7m1llfhz8!hq2w=vn-7rk";
const HOUR: u64 = 3_600;

fn plan() -> Plan {
    Plan {
        tokens: |tokens| tokens.simplejwt(SimpleJwt::hs256(SECRET_KEY)),
        endpoints: |endpoints, services| {
            every(endpoints, services)
                .mount(
                    "/introspect/",
                    Introspect::of(&services.tokens).require(Scope::new("reports:read")),
                )
                .mount("/revoke/", Revoke::of(&services.tokens))
        },
        ..Plan::default()
    }
}

/// A service into which anna (7) and ben (8) were moved.
async fn world_of(plan: Plan) -> World {
    let world = World::of(plan).await;
    for id in ["7", "8"] {
        let ends = world.now() + Duration::from_secs(400 * 24 * HOUR);
        let family = FamilyRecord::admitting_simplejwt(Subject::user(id), world.now(), ends);
        world.memory.insert_family(family).await.unwrap();
    }
    world
}

async fn world() -> World {
    world_of(plan()).await
}

fn mint() -> TokenMint {
    TokenMint::hs256(SECRET_KEY)
}

fn payload(token_type: &str, user: impl Into<Value>, jti: &str) -> Value {
    json!({
        "token_type": token_type,
        "exp": NOW + HOUR,
        "iat": NOW - 60,
        "jti": jti,
        "user_id": user.into(),
    })
}

fn old_access(user: &str) -> String {
    mint().sign(&payload("access", user, "a1"))
}

fn old_refresh(user: &str) -> String {
    mint().sign(&payload("refresh", user, "r1"))
}

async fn refreshed(world: &World, token: &str) -> Reply {
    world
        .post("/refresh/", "", json!({ "refresh": token }))
        .await
}

fn text_of(reply: &Reply, member: &str) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()[member].as_str().unwrap().to_owned()
}

/// Answers with all that a handler may want to know.
async fn seen(auth: &AuthLayer, token: &str) -> Value {
    let inner = tower::service_fn(async |request: http::Request<_>| {
        let caller = Principal::from_extensions(request.extensions()).unwrap();
        let claims: Value = caller.claims().unwrap();
        assert_eq!(caller.method(), Method::Jwt);
        let seen = json!({
            "subject": caller.subject().to_string(),
            "issuer": caller.issuer(),
            "scopes": caller.scopes().iter().collect::<Vec<_>>(),
            "roles": caller.roles().iter().collect::<Vec<_>>(),
            "session": caller.session(),
            "user_id": claims["user_id"],
        });
        let body = http_body_util::Full::new(bytes::Bytes::from(seen.to_string()));
        Ok::<_, std::convert::Infallible>(http::Response::new(body))
    });
    let service = auth.layer(inner);
    let response = tower::ServiceExt::oneshot(service, bearer(token)).await;
    crate::support::reply(response.unwrap()).await.json()
}

#[tokio::test]
async fn without_the_choice_no_token_of_simplejwt_is_accepted() {
    let world = world_of(Plan::default()).await;
    assert!(!world.opens(&old_access("7")).await);
    assert!(!world.refreshes(&old_refresh("7")).await);
    // Not even under the secret that ours are signed with.
    let same = TokenMint::hs256(crate::support::SECRET);
    assert!(!world.opens(&same.sign(&payload("access", "7", "a1"))).await);
    assert!(
        !world
            .refreshes(&same.sign(&payload("refresh", "7", "r1")))
            .await
    );
}

#[tokio::test]
async fn an_access_token_opens_until_it_expires_with_the_rights_that_its_user_has_now() {
    let world = world().await;
    for token in [old_access("7"), mint().sign(&payload("access", 7, "a2"))] {
        let seen = seen(&world.auth, &token).await;
        assert_eq!(seen["subject"], "7");
        assert_eq!(seen["issuer"], ISSUER);
        assert_eq!(seen["scopes"], json!(["reports:read", "reports:write"]));
        assert_eq!(seen["roles"], json!(["staff"]));
    }
    let mut change = UserChange::default();
    change.scopes = Some(Scopes::parse("reports:read reports:new"));
    change.roles = Some(["auditor"].into_iter().collect());
    let anna = Subject::user("7");
    world.memory.change_user(&anna, change).await.unwrap();
    // Given and taken, by the next request.
    for _ in 0..3 {
        let seen = seen(&world.auth, &old_access("7")).await;
        assert_eq!(seen["scopes"], json!(["reports:read", "reports:new"]));
        assert_eq!(seen["roles"], json!(["auditor"]));
    }
    world.pass(HOUR - 1);
    assert!(world.opens(&old_access("7")).await);
    world.pass(1);
    assert!(!world.opens(&old_access("7")).await);
}

#[tokio::test]
async fn what_it_grants_is_what_the_application_makes_of_its_user() {
    let world = world_of(Plan {
        tokens: |tokens| {
            tokens
                .simplejwt(SimpleJwt::hs256(SECRET_KEY))
                .grant(|user, grant| match user.id.id() {
                    "8" => Err(tower_auth::Rejection::permission_denied("not ben")),
                    _ => Ok(tower_auth::Grant::new(grant.subject().clone()).scope("less")),
                })
        },
        ..Plan::default()
    })
    .await;
    let seen = seen(&world.auth, &old_access("7")).await;
    assert_eq!(
        (&seen["scopes"], &seen["roles"]),
        (&json!(["less"]), &json!([]))
    );
    let bens = send(&world.auth, bearer(&old_access("8"))).await;
    assert_eq!(bens.status, 403);
}

#[tokio::test]
async fn every_token_that_is_not_exactly_one_of_simplejwt_is_refused() {
    let world = world().await;
    let good = payload("access", "7", "a1");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        mint().sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        mint().sign(&claims)
    };
    assert!(world.opens(&mint().sign(&good)).await);
    for (name, token) in [
        ("an issuer", with("iss", "https://other.example.com".into())),
        ("our issuer", with("iss", ISSUER.into())),
        ("an audience", with("aud", "api".into())),
        ("a family", with("sid", "simplejwt:user:8".into())),
        ("a refresh token", with("token_type", "refresh".into())),
        ("a sliding token", with("token_type", "sliding".into())),
        ("a private token", with("token_type", "private".into())),
        ("no type", without("token_type")),
        ("no id", without("jti")),
        ("an empty id", with("jti", "".into())),
        ("no user", without("user_id")),
        ("an empty user", with("user_id", "".into())),
        ("a user of another type", with("user_id", json!(["7"]))),
        ("a user who was not moved in", with("user_id", "9".into())),
        ("no end", without("exp")),
        ("an end that has come", with("exp", NOW.into())),
        ("not yet", with("nbf", (NOW + 1).into())),
        ("bound to a key", with("cnf", json!({ "jkt": "x" }))),
        ("tampered with", tampered(&mint().sign(&good))),
        (
            "another secret",
            TokenMint::hs256("_*)jq*%gu!kb00egiu4@20nmu%*vv1f%75zfn!pcmgfmq(+st(").sign(&good),
        ),
        (
            "another algorithm",
            TokenMint::hs512(SECRET_KEY).sign(&good),
        ),
        (
            "our secret",
            TokenMint::hs256(crate::support::SECRET).sign(&good),
        ),
    ] {
        assert!(!world.opens(&token).await, "{name}");
        if name != "a refresh token" {
            assert!(!world.refreshes(&token).await, "{name}");
        }
    }
    // Claims of the application's own are of no interest, whatever they are called.
    for (name, value) in [
        ("scope", json!({ "a": 1 })),
        ("roles", json!("admin")),
        ("sub", json!("8")),
        ("email", json!(null)),
    ] {
        let seen = seen(&world.auth, &with(name, value)).await;
        assert_eq!(
            (&seen["subject"], &seen["roles"]),
            (&json!("7"), &json!(["staff"])),
            "{name}"
        );
    }
}

#[tokio::test]
async fn neither_passes_for_the_other() {
    let world = world().await;
    assert!(!world.opens(&old_refresh("7")).await);
    assert!(!world.refreshes(&old_access("7")).await);
    // Nor does a token of ours under the secret of simplejwt.
    let ours = claims(access(&world.sign_in("7").await));
    assert!(!world.opens(&mint().sign(&ours)).await);
    let source = Plan {
        tokens: |tokens| {
            let tokens = tokens.simplejwt(SimpleJwt::hs256(SECRET_KEY));
            tokens.sources([Source::header("X-Token")])
        },
        ..Plan::default()
    };
    assert!(
        !world_of(source).await.opens(&old_access("7")).await,
        "where ours are read"
    );
}

#[tokio::test]
async fn a_user_who_is_disabled_removed_or_was_never_moved_in_has_none() {
    let world = world().await;
    let (anna, ben) = (Subject::user("7"), Subject::user("8"));
    for user in ["7", "8"] {
        assert!(world.opens(&old_access(user)).await);
    }
    let mut change = UserChange::default();
    change.active = Some(false);
    world.memory.change_user(&anna, change).await.unwrap();
    world.memory.remove_user(&ben).await.unwrap();
    for user in ["7", "8"] {
        assert!(!world.opens(&old_access(user)).await, "{user}");
        assert!(!world.refreshes(&old_refresh(user)).await, "{user}");
    }
    let fresh = World::of(plan()).await;
    assert!(!fresh.opens(&old_access("7")).await, "no record lets it in");
    assert!(!fresh.refreshes(&old_refresh("7")).await);
    let expired = World::of(plan()).await;
    let family = FamilyRecord::admitting_simplejwt(anna, expired.now(), expired.now());
    expired.memory.insert_family(family).await.unwrap();
    assert!(!expired.opens(&old_access("7")).await, "its time is over");
}

#[tokio::test]
async fn whatever_ends_all_sessions_of_a_user_ends_the_tokens_of_simplejwt_too() {
    type End = fn(&World) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let ends: [(&str, End); 4] = [
        ("sign-out everywhere", |world| {
            Box::pin(async {
                let anna = Subject::user("7");
                world.tokens().sign_out_everywhere(&anna).await.unwrap();
            })
        }),
        ("the endpoint for it", |world| {
            Box::pin(async {
                let caller = bearing(&old_access("7"));
                let out = world.post("/logout-everywhere/", &caller, json!({})).await;
                assert_eq!(out.status, 204);
            })
        }),
        ("a new password", |world| {
            Box::pin(async {
                let new = "tests only: Klammer-Heftung-9";
                let body = json!({ "current_password": PASSWORD, "new_password": new });
                let changed = world
                    .post("/password/", &bearing(&old_access("7")), body)
                    .await;
                assert!(changed.status.is_success(), "{changed:?}");
            })
        }),
        ("sign-out with one of them", |world| {
            Box::pin(async {
                let caller = bearing(&old_access("7"));
                let out = world.post("/logout/", &caller, json!({})).await;
                assert_eq!(out.status, 204);
            })
        }),
    ];
    for (name, end) in ends {
        let world = world().await;
        let begun = text_of(&refreshed(&world, &old_refresh("7")).await, "refresh");
        let other = mint().sign(&payload("refresh", "7", "r2"));
        end(&world).await;
        assert!(!world.opens(&old_access("7")).await, "{name}");
        assert!(!world.refreshes(&other).await, "{name}");
        let goes_on = name == "sign-out with one of them";
        assert_eq!(
            world.refreshes(&begun).await,
            goes_on,
            "{name}: a session of ours"
        );
        assert!(
            world.opens(&old_access("8")).await,
            "{name}: somebody else's"
        );
        // Not only as long as access tokens of ours live.
        world.pass(HOUR - 1);
        assert!(!world.opens(&old_access("7")).await, "{name}");
    }
}

#[tokio::test]
async fn a_refresh_token_becomes_a_family_of_ours_once() {
    let world = world().await;
    let old = old_refresh("7");
    world.events.take();
    let first = refreshed(&world, &old).await;
    assert_eq!(world.events.take(), [Action::Rotated]);
    let (access, refresh) = (text_of(&first, "access"), text_of(&first, "refresh"));
    assert_eq!(claims(&access)["iss"], ISSUER);
    assert_eq!(claims(&access)["sub"], "7");
    assert_eq!(claims(&access)["scope"], "reports:read reports:write");
    assert!(world.opens(&access).await);
    // A lost answer, within the grace: the same successor.
    assert_eq!(text_of(&refreshed(&world, &old).await, "refresh"), refresh);
    let second = text_of(&refreshed(&world, &refresh).await, "refresh");
    // Whoever presents it once more has a copy: the family ends.
    world.events.take();
    assert_eq!(refreshed(&world, &old).await.status, 401);
    assert!(world.events.take().contains(&Action::ReuseDetected));
    assert!(!world.refreshes(&second).await);
    assert!(!world.opens(&access).await);
    assert!(
        world.opens(&old_access("7")).await,
        "it is not of that family"
    );
}

#[tokio::test]
async fn a_family_that_was_moved_in_grants_what_its_user_has_at_each_refresh() {
    let world = world().await;
    let first = refreshed(&world, &old_refresh("7")).await;
    let mut change = UserChange::default();
    change.scopes = Some(Scopes::parse("reports:new"));
    let anna = Subject::user("7");
    world.memory.change_user(&anna, change).await.unwrap();
    let second = refreshed(&world, &text_of(&first, "refresh")).await;
    assert_eq!(claims(&text_of(&second, "access"))["scope"], "reports:new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_refreshes_at_once_begin_one_family() {
    let world = world().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let tokens = world.tokens().clone();
        all.spawn(async move { tokens.refresh(&old_refresh("7")).await });
    }
    let mut successors = std::collections::BTreeSet::new();
    for pair in all.join_all().await {
        successors.insert(refresh(&pair.unwrap()).to_owned());
    }
    assert_eq!(successors.len(), 1);
}

#[tokio::test]
async fn a_refresh_token_that_was_blacklisted_or_ended_is_refused() {
    let world = world().await;
    let (now, anna) = (world.now(), Subject::user("7"));
    let end = now + Duration::from_secs(HOUR);
    let family = FamilyRecord::from_simplejwt("r1", anna, now, end, end).revoked(now);
    world.memory.insert_family(family).await.unwrap();
    assert!(!world.refreshes(&old_refresh("7")).await);
    assert!(
        !world.refreshes(&old_refresh("7")).await,
        "nor the next time"
    );
    let other = mint().sign(&payload("refresh", "7", "r2"));
    assert!(world.refreshes(&other).await);
    let last = mint().sign(&payload("refresh", "7", "r3"));
    world.pass(HOUR);
    let refused = refreshed(&world, &last).await;
    assert_eq!(refused.status, 401, "it has expired");
}

#[tokio::test]
async fn without_rotation_a_refresh_token_is_good_until_it_expires_and_gives_an_access_token() {
    let world = world_of(Plan {
        tokens: |tokens| {
            tokens
                .without_rotation()
                .simplejwt(SimpleJwt::hs256(SECRET_KEY))
        },
        ..Plan::default()
    })
    .await;
    for _ in 0..3 {
        let refreshed = refreshed(&world, &old_refresh("7")).await;
        assert!(refreshed.json().get("refresh").is_none());
        assert!(world.opens(&text_of(&refreshed, "access")).await);
    }
    world.tokens().revoke(&old_refresh("7")).await.unwrap();
    assert!(!world.refreshes(&old_refresh("7")).await);
}

#[tokio::test]
async fn one_token_can_be_verified_asked_about_and_revoked() {
    let world = world().await;
    let verify = async |token: &str| {
        let reply = world.post("/verify/", "", json!({ "token": token })).await;
        reply.status.as_u16()
    };
    let form = async |path: &str, token: &str| {
        let request = http::Request::post(path)
            .header("authorization", bearing(&old_access("7")))
            .header("content-type", "application/x-www-form-urlencoded");
        let body = http_body_util::Full::new(bytes::Bytes::from(format!("token={token}")));
        world.send(request.body(body).unwrap()).await
    };
    let bens = mint().sign(&payload("access", "8", "a8"));
    let bens_refresh = mint().sign(&payload("refresh", "8", "r8"));
    assert_eq!(
        (verify(&bens).await, verify(&bens_refresh).await),
        (200, 200)
    );
    let told = form("/introspect/", &bens).await.json();
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!("8")));
    assert_eq!(told["roles"], json!(["admin"]));

    for token in [&bens, &bens_refresh] {
        assert_eq!(form("/revoke/", token).await.status, 200);
        assert_eq!(verify(token).await, 401);
        assert_eq!(
            form("/introspect/", token).await.json(),
            json!({ "active": false })
        );
    }
    assert!(!world.opens(&bens).await && !world.refreshes(&bens_refresh).await);
    let other = mint().sign(&payload("access", "8", "a9"));
    assert!(world.opens(&other).await, "it is another one");
}

#[tokio::test]
async fn an_old_refresh_token_ends_the_family_that_it_has_begun_whatever_became_of_it_since() {
    for name in ["it has expired", "its user has signed out of simplejwt"] {
        let world = world().await;
        let begun = text_of(&refreshed(&world, &old_refresh("7")).await, "refresh");
        match name {
            "it has expired" => world.pass(HOUR),
            _ => {
                let caller = bearing(&old_access("7"));
                let out = world.post("/logout/", &caller, json!({})).await;
                assert_eq!(out.status, 204);
            }
        }
        world.tokens().revoke(&old_refresh("7")).await.unwrap();
        assert!(!world.refreshes(&begun).await, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_503_and_costs_no_token() {
    for call in [
        "find_family",
        "find_user_by_id",
        "is_revoked",
        "insert_family",
    ] {
        for fault in [Intercept::Fail, Intercept::Hang, Intercept::Panic] {
            let world = world().await;
            world.script.forget();
            world.script.break_at(call, fault);
            if call != "insert_family" {
                let opened = send(&world.auth, bearer(&old_access("7"))).await;
                assert_eq!(opened.status, 503, "{call} {fault:?}");
            }
            if call != "is_revoked" {
                let refused = refreshed(&world, &old_refresh("7")).await;
                assert_eq!(refused.status, 503, "{call} {fault:?}");
            }
            world.script.mend();
            assert!(world.opens(&old_access("7")).await, "{call} {fault:?}");
            assert!(world.refreshes(&old_refresh("7")).await, "{call} {fault:?}");
        }
    }
}

#[tokio::test]
async fn tokens_of_several_issuers_stand_beside_each_other() {
    let world = world_of(Plan {
        layer: |layer| {
            let key = JwtKey::hs256("_*)jq*%gu!kb00egiu4@20nmu%*vv1f%75zfn!pcmgfmq(+st(");
            layer.accept(
                Jwt::new()
                    .issuer("https://login.example.com")
                    .audience("api")
                    .key(key),
            )
        },
        ..plan()
    })
    .await;
    let others =
        TokenMint::hs256("_*)jq*%gu!kb00egiu4@20nmu%*vv1f%75zfn!pcmgfmq(+st(").sign(&json!({
            "iss": "https://login.example.com", "aud": "api", "sub": "x", "exp": NOW + HOUR,
        }));
    assert!(world.opens(&others).await);
    assert!(world.opens(&old_access("7")).await);
    assert!(world.opens(access(&world.sign_in("7").await)).await);
}

#[tokio::test]
async fn another_claim_and_another_key_may_be_configured() {
    for (claim, id, subject) in [
        ("id", json!("7"), json!("7")),
        ("id", json!(7), json!("7")),
        ("sub", json!("7"), json!("7")),
        ("sub", json!(7), json!("7")),
        ("sub", json!(9), json!(null)),
        ("sub", json!(7.0), json!(null)),
        ("sub", json!(true), json!(null)),
        ("sub", json!(["7"]), json!(null)),
        ("sub", json!(null), json!(null)),
    ] {
        let world = world_of(Plan {
            tokens: match claim {
                "id" => |tokens: Tokens| {
                    let key = JwtKey::hs512(LONG_KEY);
                    tokens.simplejwt(SimpleJwt::new(key).user_id_claim("id"))
                },
                _ => |tokens: Tokens| {
                    let old = SimpleJwt::hs256(crate::support::SECRET);
                    let old = old.key(JwtKey::hs512(LONG_KEY));
                    tokens.simplejwt(old.user_id_claim("sub"))
                },
            },
            ..Plan::default()
        })
        .await;
        let mut claims = payload("access", "8", "a1");
        claims[claim] = id.clone();
        let token = TokenMint::hs512(LONG_KEY).sign(&claims);
        if subject.is_null() {
            assert!(!world.opens(&token).await, "{claim} {id}");
        } else {
            let seen = seen(&world.auth, &token).await;
            assert_eq!(seen["subject"], subject, "{claim} {id}");
        }
    }
}

#[test]
fn a_configuration_that_cannot_work_is_a_mistake_that_build_names() {
    let problems = |stores: Stores, old: SimpleJwt| {
        let tokens = Tokens::hs256(crate::support::SECRET)
            .issuer(ISSUER)
            .simplejwt(old);
        let tokens = Realm::new(stores).tokens(tokens);
        AuthLayer::builder()
            .accept(&tokens)
            .build()
            .unwrap_err()
            .to_string()
    };
    let short = problems(Memory::new().into(), SimpleJwt::hs256("short"));
    assert!(short.contains("32 bytes"), "{short}");
    let tokens = Stores::new().private_tokens(Memory::new());
    let no_users = problems(tokens, SimpleJwt::hs256(SECRET_KEY));
    assert!(no_users.contains("managed users"), "{no_users}");
    let claim = SimpleJwt::hs256(SECRET_KEY).user_id_claim("");
    assert!(!problems(Memory::new().into(), claim).is_empty());
}

#[tokio::test]
async fn a_caller_whose_sessions_end_meanwhile_makes_nothing_by_a_token_of_simplejwt() {
    let world = world().await;
    let memory = world.memory.clone();
    let now = world.now();
    world.script.meanwhile("commit", 1, move || {
        let anna = Subject::user("7");
        at_once(memory.revoke_families(&anna, now + Duration::from_secs(9), now)).unwrap();
    });
    let body = json!({ "name": "ci" });
    let made = world
        .post("/api-keys/", &bearing(&old_access("7")), body)
        .await;
    assert_eq!(made.status, 401, "{made:?}");
    let anna = Subject::user("7");
    let keys = world.memory.list_keys(&anna, None, 10).await.unwrap();
    assert!(keys.is_empty());
}

#[tokio::test]
async fn a_refresh_that_overlaps_the_end_of_all_sessions_leaves_no_session() {
    for (name, call, nth) in [
        ("before the family is looked for", "find_family", 1),
        ("before its user is judged", "find_family", 2),
        ("after its user is judged", "insert_family", 1),
        ("after the family is written", "find_family", 3),
        ("before the rotation", "rotate_family", 1),
    ] {
        let world = world().await;
        let memory = world.memory.clone();
        let now = world.now();
        world.script.meanwhile(call, nth, move || {
            let anna = Subject::user("7");
            at_once(memory.revoke_subject(&anna, now + Duration::from_secs(HOUR), now)).unwrap();
        });
        let refused = refreshed(&world, &old_refresh("7")).await;
        assert_eq!(refused.status, 401, "{name}");
        assert!(!world.refreshes(&old_refresh("7")).await, "{name}");
    }
}

/// One request writes the family late, and the other one finds it.
#[tokio::test]
async fn of_two_refreshes_that_overlap_the_end_of_all_sessions_neither_leaves_one() {
    let world = world().await;
    let memory = world.memory.clone();
    let now = world.now();
    world.script.meanwhile("find_user_by_id", 1, move || {
        let (anna, end) = (Subject::user("7"), now + Duration::from_secs(HOUR));
        at_once(memory.revoke_subject(&anna, end, now)).unwrap();
        let family = FamilyRecord::from_simplejwt("r1", anna, now, end, end);
        at_once(memory.insert_family(family)).unwrap();
    });
    assert_eq!(refreshed(&world, &old_refresh("7")).await.status, 401);
}

#[tokio::test]
async fn what_is_said_of_a_refusal_is_a_kind_that_clients_know() {
    let world = world().await;
    let kind = async |token: String| {
        let refused = world.tokens().refresh(&token).await;
        refused.unwrap_err().kind()
    };
    assert_eq!(
        kind(tampered(&old_refresh("7"))).await,
        RejectionKind::InvalidToken
    );
    assert_eq!(kind(old_refresh("9")).await, RejectionKind::RevokedToken);
    let mut expired = payload("refresh", "7", "r1");
    expired["exp"] = NOW.into();
    assert_eq!(
        kind(mint().sign(&expired)).await,
        RejectionKind::ExpiredToken
    );
}
