//! Nobody gets more by an endpoint than they have: rights, owners, and users of another issuer.

use super::cases::{By, Held, cases};
use super::world::*;
use crate::support::{AUDIENCE, Reply, jwt, token_with};
use serde_json::{Value, json};
use tower_auth::endpoint::{KeysEndpoint, PrivateTokensEndpoint};
use tower_auth::store::{ManagedKeyStore, ManagedUserStore, UserChange, UserRecord};
use tower_auth::{
    Grant, KeyRequest, Rejection, RejectionKind, Requirement, Scope, Scopes, Subject,
};

async fn new_key(world: &World, credential: &str, scopes: Value) -> Reply {
    world
        .post(
            "/api-keys/",
            credential,
            json!({ "name": "ci", "scopes": scopes }),
        )
        .await
}

#[tokio::test]
async fn a_key_has_no_more_scopes_than_its_creator() {
    let world = World::new().await;
    let annas = bearing(access(&world.sign_in("7").await));
    let reader = new_key(&world, &annas, json!(["reports:read"])).await;
    assert_eq!(
        (reader.status.as_u16(), &reader.json()["scopes"]),
        (201, &json!(["reports:read"]))
    );
    let reader = bearing(reader.json()["key"].as_str().unwrap());
    assert_eq!(new_key(&world, &reader, json!([])).await.status, 403);
    for (caller, scopes) in [
        (&annas, json!(["admin"])),
        (&annas, json!(["reports:read", "admin"])),
        (&annas, json!(["reports"])),
        (&annas, json!(["reports:read admin"])),
        (&annas, json!(["reports:read\u{0}"])),
        (&annas, json!(["REPORTS:READ"])),
        (&annas, json!([""])),
        (&annas, json!(["*"])),
    ] {
        let refused = new_key(&world, caller, scopes.clone()).await;
        assert_eq!(refused.status, 400, "{scopes}");
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "#/scopes",
            "{scopes}"
        );
    }
    assert_eq!(
        world
            .memory
            .list_keys(&Subject::user("7"), None, 1_000)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        new_key(&world, &annas, json!(["reports:read", "reports:read"]))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_key_with_more_rights_than_the_caller_is_not_rotated_into_the_callers_hands() {
    let world = World::new().await;
    let strong = world.key("7").await;
    let annas = bearing(access(&world.sign_in("7").await));
    let weak = new_key(&world, &annas, json!([])).await.json()["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api-keys/{}/rotate/", strong.record.id);
    let refused = world
        .post(&path, &bearing(&weak), json!({ "overlap": 60 }))
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "permission_denied")
    );
    let narrow = Grant::new(Subject::user("7"));
    let narrow = world.tokens().issue(narrow).await.unwrap();
    let narrow = bearing(access(&narrow));
    let refused = world.post(&path, &narrow, json!({ "overlap": 60 })).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "insufficient_scope")
    );
    assert_eq!(refused.json()["scope"], "reports:read reports:write");
    assert!(world.opens(strong.key.expose()).await);

    let request = KeyRequest::new(Subject::user("7"), "ci").role("staff");
    let staff = world.keys().issue(request).await.unwrap();
    let path = format!("/api-keys/{}/rotate/", staff.record.id);
    let refused = world.post(&path, &narrow, json!({})).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (403, "permission_denied")
    );
    assert_eq!(world.post(&path, &annas, json!({})).await.status, 201);
}

#[tokio::test]
async fn a_private_token_grants_no_more_than_the_access_token_that_made_it() {
    let world = World::new().await;
    let narrow = Grant::new(Subject::user("7"))
        .scope("reports:read")
        .scope("admin");
    let narrow = world.tokens().issue(narrow).await.unwrap();
    let narrow = bearing(access(&narrow));
    let body = json!({ "name": "laptop", "expires_at": "2027-01-20T00:00:00Z" });
    let made = world
        .post("/private-tokens/", &narrow, body.clone())
        .await
        .json();
    let said = claims(made["token"].as_str().unwrap());
    assert_eq!(
        (&said["scope"], said.get("roles")),
        (&json!("reports:read"), None)
    );
    let whole = bearing(access(&world.sign_in("7").await));
    let said = claims(
        world.post("/private-tokens/", &whole, body).await.json()["token"]
            .as_str()
            .unwrap(),
    );
    assert_eq!(
        (&said["scope"], &said["roles"]),
        (&json!("reports:read reports:write"), &json!(["staff"]))
    );
}

#[tokio::test]
async fn a_token_of_another_issuer_is_no_user_of_ours_though_its_subject_is_called_like_one() {
    let world = World::of(Plan {
        layer: |layer| layer.accept(jwt()),
        ..Plan::default()
    })
    .await;
    let held = Held::by_anna(&world).await;
    let claims =
        json!({ "sub": "7", "scope": "reports:read reports:write", "roles": ["admin", "staff"] });
    let theirs = token_with(claims);
    assert!(world.opens(&theirs).await, "at {AUDIENCE} it is good");
    let tokens = [access(&held.pair)];
    let before = world.dump(&tokens).await;
    for case in cases(&held).iter().filter(|case| case.by != By::Nobody) {
        let refused = world.send(case.request_by(&bearing(&theirs))).await;
        let told = (refused.status.as_u16(), refused.code());
        assert_eq!(told, (403, "permission_denied".into()), "{}", case.name);
    }
    assert_eq!(world.dump(&tokens).await, before);
    for path in ["/verify/", "/refresh/"] {
        let body = json!({ "token": theirs, "refresh": theirs });
        assert_eq!(world.post(path, "", body).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn the_application_says_who_owns_the_keys_and_what_it_takes_to_manage_them() {
    let plan = Plan {
        endpoints: |endpoints, Services { keys, .. }| {
            let keys = KeysEndpoint::of(keys)
                .require(
                    Scope::new("reports:write")
                        .and(Requirement::check("no key", |by| by.key().is_none())),
                )
                .owner(|call| match call.parameter("agent_id") {
                    Some("1") => Ok(Subject::new("agent", "1")),
                    _ => Err(Rejection::new(RejectionKind::NotFound, "agent")),
                })
                .request(|call, request| {
                    let by = call.caller().unwrap().subject().id().to_owned();
                    Ok(request.metadata(&json!({ "by": by })).unwrap().rate("5/s"))
                });
            endpoints.mount("/agents/{agent_id}/api-keys/", keys)
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let [annas, bens] =
        [world.sign_in("7").await, world.sign_in("8").await].map(|pair| bearing(access(&pair)));
    let made = world
        .post("/agents/1/api-keys/", &annas, json!({ "name": "bot" }))
        .await;
    assert_eq!(made.status, 201);
    let owned = world
        .memory
        .list_keys(&Subject::new("agent", "1"), None, 1_000)
        .await
        .unwrap();
    assert_eq!(owned[0].metadata.as_deref(), Some(r#"{"by":"7"}"#));
    assert_eq!(owned[0].rate, "5/s".parse().ok());
    assert_eq!(
        world
            .post("/agents/2/api-keys/", &annas, json!({ "name": "bot" }))
            .await
            .status,
        404
    );
    let refused = world
        .post("/agents/1/api-keys/", &bens, json!({ "name": "bot" }))
        .await;
    assert_eq!(
        (refused.status.as_u16(), refused.json()["scope"].as_str()),
        (403, Some("reports:write"))
    );
    let key = bearing(made.json()["key"].as_str().unwrap());
    assert_eq!(world.get("/agents/1/api-keys/", &key).await.status, 403);
    // An agent's key is no user's: disabling one of that id does not touch it.
    let carl = UserRecord::new(Subject::user("1"), "carl@example.com").disabled();
    world.memory.insert_user(carl).await.unwrap();
    assert!(world.opens(made.json()["key"].as_str().unwrap()).await);
}

#[tokio::test]
async fn what_a_hook_grants_or_refuses_holds_at_sign_in_and_for_private_tokens() {
    let plan = Plan {
        tokens: |tokens| {
            tokens.grant(|user, grant| match user.id.id() {
                "7" => grant.claim("company_id", &user.profile::<Value>().unwrap()["company"]),
                _ => Err(Rejection::permission_denied("not in this company")),
            })
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let sign_in = async |name: &str| {
        world
            .post(
                "/token/",
                "",
                json!({ "email": name, "password": PASSWORD }),
            )
            .await
    };
    assert_eq!(sign_in(BEN).await.status, 403);
    let pair = sign_in(ANNA).await.json();
    assert_eq!(claims(pair["access"].as_str().unwrap())["company_id"], 3);
    assert_eq!(
        claims(pair["refresh"].as_str().unwrap()).get("company_id"),
        None,
        "it is for us alone"
    );
    let again = world
        .post("/refresh/", "", json!({ "refresh": pair["refresh"] }))
        .await
        .json();
    assert_eq!(claims(again["access"].as_str().unwrap())["company_id"], 3);
    let body = json!({ "name": "laptop", "expires_at": "2027-01-20T00:00:00Z" });
    let made = world
        .post(
            "/private-tokens/",
            &bearing(pair["access"].as_str().unwrap()),
            body,
        )
        .await
        .json();
    assert_eq!(claims(made["token"].as_str().unwrap())["company_id"], 3);
}

#[tokio::test]
async fn what_a_user_has_lost_a_refresh_takes_away_and_what_was_won_it_does_not_add() {
    let world = World::new().await;
    let pair = world.sign_in("7").await;
    let mut change = UserChange::default();
    change.scopes = Some(Scopes::parse("reports:write admin"));
    change.roles = Some(["admin"].into_iter().collect());
    world
        .memory
        .change_user(&Subject::user("7"), change)
        .await
        .unwrap();
    let second = world
        .post("/refresh/", "", json!({ "refresh": refresh(&pair) }))
        .await
        .json();
    let said = claims(second["access"].as_str().unwrap());
    assert_eq!(
        (&said["scope"], said.get("roles")),
        (&json!("reports:write"), None)
    );
    // What was lost once and given back is there again: the sign-in granted it.
    let mut change = UserChange::default();
    change.scopes = Some(Scopes::parse("reports:read reports:write admin"));
    world
        .memory
        .change_user(&Subject::user("7"), change)
        .await
        .unwrap();
    let third = world
        .post("/refresh/", "", json!({ "refresh": second["refresh"] }))
        .await
        .json();
    assert_eq!(
        claims(third["access"].as_str().unwrap())["scope"],
        "reports:read reports:write"
    );
}

#[tokio::test]
async fn a_private_token_lives_as_long_as_the_caller_picks_within_the_configured_bound() {
    let plan = Plan {
        tokens: |tokens| tokens.private_lifetime(std::time::Duration::from_secs(30 * 86_400)),
        endpoints: |endpoints, Services { tokens, .. }| {
            endpoints.mount("/private-tokens/", PrivateTokensEndpoint::of(tokens))
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let annas = bearing(access(&world.sign_in("7").await));
    let ask = async |expires: Value| {
        world
            .post(
                "/private-tokens/",
                &annas,
                json!({ "name": "laptop", "expires_at": expires }),
            )
            .await
    };
    for wrong in [
        json!("2027-01-15T08:00:00Z"),
        json!("2020-01-01T00:00:00Z"),
        json!("2027-02-14T08:00:01Z"),
        json!("9999-12-31T23:59:59Z"),
        json!("tomorrow"),
        json!("2027-01-20"),
        json!(1_800_000_100),
        json!(null),
        json!(""),
        json!([]),
    ] {
        let refused = ask(wrong.clone()).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(
            refused.json()["errors"][0]["pointer"],
            "#/expires_at",
            "{wrong}"
        );
    }
    let longest = ask(json!("2027-02-14T08:00:00Z")).await.json();
    let token = longest["token"].as_str().unwrap();
    assert_eq!(longest["expires_at"], "2027-02-14T08:00:00Z");
    world.pass(30 * 86_400 - 1);
    assert!(world.opens(token).await);
    world.pass(1);
    assert!(!world.opens(token).await);
}
