//! A right that is taken from a user is taken from every credential of theirs, whatever is done
//! with it, and so is everything that an account loses.

use super::cases::{By, Held};
use super::world::*;
use crate::support::{Reply, reply};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::convert::Infallible;
use tower::{Layer, ServiceExt};
use tower_auth::store::UserChange;
use tower_auth::{Grant, KeyRequest, Principal, Requirement, Role, Scope, Scopes, Secret, Subject};

/// What happens to anna.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    ScopeTaken,
    RoleTaken,
    ScopeGivenBack,
    Renamed,
    Disabled,
    Removed,
    PasswordSet,
    SignedOutEverywhere,
}

const CHANGES: [Change; 8] = [
    Change::ScopeTaken,
    Change::RoleTaken,
    Change::ScopeGivenBack,
    Change::Renamed,
    Change::Disabled,
    Change::Removed,
    Change::PasswordSet,
    Change::SignedOutEverywhere,
];

const CREDENTIALS: [By; 4] = [By::Access, By::Private, By::Key, By::Basic];

/// What a credential may still do: anything at all, what needs the scope, what needs the role.
type May = [bool; 3];

impl Change {
    async fn make(self, world: &World) {
        let anna = Subject::user("7");
        let users = world.users();
        let scopes = |scopes: &[&str]| {
            let mut change = UserChange::default();
            change.scopes = Some(scopes.iter().copied().collect());
            change
        };
        match self {
            Self::ScopeTaken => drop(
                users
                    .change(&anna, scopes(&["reports:read"]))
                    .await
                    .unwrap(),
            ),
            Self::RoleTaken => {
                let mut change = UserChange::default();
                change.roles = Some([""; 0].into_iter().collect());
                users.change(&anna, change).await.unwrap();
            }
            Self::ScopeGivenBack => {
                users.change(&anna, scopes(&[])).await.unwrap();
                let both = scopes(&["reports:read", "reports:write"]);
                users.change(&anna, both).await.unwrap();
            }
            Self::Renamed => {
                let mut change = UserChange::default();
                change.names = Some(vec![ANNA.into(), "annette".into()]);
                users.change(&anna, change).await.unwrap();
            }
            Self::Disabled => users.disable(&anna).await.unwrap(),
            Self::Removed => users.remove(&anna).await.unwrap(),
            Self::PasswordSet => {
                let new = Secret::new("tests only: Klammer-Heftung".to_owned());
                users.set_password(&anna, new).await.unwrap();
            }
            Self::SignedOutEverywhere => world.tokens().sign_out_everywhere(&anna).await.unwrap(),
        }
    }

    fn leaves(self, by: By) -> May {
        match (self, by) {
            (Self::ScopeTaken, _) => [true, false, true],
            (Self::RoleTaken, _) => [true, true, false],
            (Self::ScopeGivenBack | Self::Renamed, _) => [true; 3],
            (Self::Disabled | Self::Removed, _) => [false; 3],
            (Self::PasswordSet, By::Key) => [true; 3],
            (Self::PasswordSet, _) => [false; 3],
            (Self::SignedOutEverywhere, By::Key | By::Basic) => [true; 3],
            (Self::SignedOutEverywhere, _) => [false; 3],
        }
    }
}

/// Asks a service behind the layer that requires something.
async fn asked(world: &World, credential: &str, requirement: impl Into<Requirement>) -> u16 {
    let inner = tower::service_fn(async |_: Request<Full<bytes::Bytes>>| {
        Ok::<_, Infallible>(http::Response::new(Full::<bytes::Bytes>::default()))
    });
    let guarded = world
        .auth
        .layer(world.auth.require(requirement).layer(inner));
    let request = asking("GET", "/", credential, None);
    reply(guarded.oneshot(request).await.unwrap())
        .await
        .status
        .as_u16()
}

async fn may(world: &World, credential: &str) -> May {
    let anything = asked(world, credential, Requirement::anyone()).await;
    let scope = asked(world, credential, Scope::new("reports:write")).await;
    let role = asked(world, credential, Role::new("staff")).await;
    [anything, scope, role].map(|status| {
        assert!([200, 401, 403].contains(&status), "{status}");
        status == 200
    })
}

/// Anna's credentials, each with all that she has.
async fn held(world: &World) -> Held {
    let mut held = Held::by_anna(world).await;
    let request = KeyRequest::new(Subject::user("7"), "ci").role("staff");
    let request = request.scope("reports:read").scope("reports:write");
    held.key = world.keys().issue(request).await.unwrap();
    held
}

/// What a credential makes that can be presented, by each way that there is.
async fn made_by(world: &World, held: &Held, by: By) -> Vec<(&'static str, String)> {
    let credential = held.credential(by);
    let mut made = Vec::new();
    let mut keep = |what, reply: Reply, member: &str| {
        if reply.status == 201 || reply.status == 200 {
            let secret = reply.json()[member].as_str().unwrap().to_owned();
            made.push((what, bearing(&secret)));
        }
    };
    let scopes = json!(["reports:read", "reports:write"]);
    let body = json!({ "name": "cd", "scopes": scopes });
    keep(
        "key",
        world.post("/api-keys/", &credential, body).await,
        "key",
    );
    let body = json!({ "name": "cd", "scopes": ["reports:read"] });
    keep(
        "lesser key",
        world.post("/api-keys/", &credential, body).await,
        "key",
    );
    let path = format!("/api-keys/{}/rotate/", held.key.record.id);
    keep(
        "rotated key",
        world.post(&path, &credential, json!({})).await,
        "key",
    );
    let body = json!({ "name": "phone", "expires_at": "2027-01-16T08:00:00Z" });
    let private = world.post("/private-tokens/", &credential, body).await;
    keep("private token", private, "token");
    let path = format!("/private-tokens/{}/rotate/", held.private.record.id);
    let rotated = world.post(&path, &credential, json!({})).await;
    keep("rotated private token", rotated, "token");
    if by == By::Access {
        let body = json!({ "refresh": refresh(&held.pair) });
        keep(
            "refreshed",
            world.post("/refresh/", "", body).await,
            "access",
        );
    }
    made
}

#[tokio::test]
async fn every_change_of_a_user_reaches_every_credential_its_use_and_what_it_makes() {
    let mut rows = 0;
    for change in CHANGES {
        for by in CREDENTIALS {
            let world = World::new().await;
            let held = held(&world).await;
            let credential = held.credential(by);
            let row = format!("{change:?}, {by:?}");
            assert_eq!(may(&world, &credential).await, [true; 3], "before {row}");
            change.make(&world).await;
            let left = change.leaves(by);
            assert_eq!(may(&world, &credential).await, left, "{row}");

            let made = made_by(&world, &held, by).await;
            // A refresh token ends with the sessions, and no later.
            let is_dead = left == [false; 3];
            assert!(made.is_empty() || !is_dead, "{row}: {made:?}");
            for (what, made) in made {
                rows += 1;
                let may = may(&world, &made).await;
                assert!(may[0], "{row}: {what} is good");
                assert!(left[1] || !may[1], "{row}: {what} has the scope");
                assert!(left[2] || !may[2], "{row}: {what} has the role");
            }
        }
    }
    assert!(rows > 30, "only {rows} were made");
}

#[tokio::test]
async fn what_an_operator_gave_a_key_and_its_user_never_had_stays() {
    let world = World::new().await;
    let request = KeyRequest::new(Subject::user("7"), "ci")
        .scope("metrics")
        .role("robot");
    let key = world.keys().issue(request).await.unwrap();
    let key = bearing(key.key.expose());
    let mut change = UserChange::default();
    change.scopes = Some(Scopes::default());
    change.roles = Some([""; 0].into_iter().collect());
    world
        .users()
        .change(&Subject::user("7"), change)
        .await
        .unwrap();
    assert_eq!(asked(&world, &key, Scope::new("metrics")).await, 200);
    assert_eq!(asked(&world, &key, Role::new("robot")).await, 200);
}

/// A key of anna's, without scopes, that ends in three seconds.
async fn poor_key(world: &World) -> String {
    let request = KeyRequest::new(Subject::user("7"), "poor").rate("5/hour");
    let request = request.expires(world.now() + std::time::Duration::from_secs(3));
    bearing(world.keys().issue(request).await.unwrap().key.expose())
}

#[tokio::test]
async fn a_key_neither_makes_nor_rotates_keys_nor_renames_its_owner_unless_that_is_allowed() {
    let world = World::new().await;
    let strong = world.key("7").await;
    let poor = poor_key(&world).await;
    let private = bearing(world.private_token("7").await.token.expose());
    let rotate = format!("/api-keys/{}/rotate/", strong.record.id);
    for credential in [&poor, &private] {
        let made = world
            .post("/api-keys/", credential, json!({ "name": "x" }))
            .await;
        assert_eq!(
            (made.status.as_u16(), &*made.code()),
            (403, "permission_denied")
        );
        let rotated = world.post(&rotate, credential, json!({})).await;
        assert_eq!(rotated.status, 403);
        let name = json!({ "email": "eve@example.com" });
        let renamed = asking("PATCH", "/users/7/", credential, Some(&name));
        assert_eq!(world.send(renamed).await.status, 403);
    }
    assert_eq!(&*world.user("7").await.names[0], ANNA);
    assert!(world.opens(strong.key.expose()).await);
}

/// Where the application lets keys make keys.
fn by_anyone(
    endpoints: tower_auth::endpoint::EndpointsBuilder,
    services: &Services,
) -> tower_auth::endpoint::EndpointsBuilder {
    let keys = tower_auth::endpoint::KeysEndpoint::of(&services.keys);
    endpoints.mount("/api-keys/", keys.require(Requirement::anyone()))
}

#[tokio::test]
async fn what_a_key_makes_ends_with_it_has_its_rate_and_counts_with_it() {
    let plan = Plan {
        endpoints: by_anyone,
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let strong = world.key("7").await;
    let poor = poor_key(&world).await;
    let refused: [(Value, &str); 2] = [
        (
            json!({ "name": "x", "expires_at": "2027-02-01T00:00:00Z" }),
            "#/expires_at",
        ),
        (
            json!({ "name": "x", "scopes": ["reports:read"] }),
            "#/scopes",
        ),
    ];
    for (body, pointer) in refused {
        let made = world.post("/api-keys/", &poor, body).await;
        assert_eq!(made.json()["errors"][0]["pointer"], pointer);
    }
    let made = world
        .post("/api-keys/", &poor, json!({ "name": "x" }))
        .await;
    assert_eq!(made.status, 201);
    let records = world.keys().list(&Subject::user("7")).await.unwrap();
    let maker = records.iter().find(|key| &*key.name == "poor").unwrap();
    let child = records.iter().find(|key| &*key.name == "x").unwrap();
    assert_eq!((child.expires, child.rate), (maker.expires, maker.rate));
    assert_eq!(child.lineage(), maker.lineage());
    for key in [&strong.record, &**child] {
        let rotate = format!("/api-keys/{}/rotate/", key.id);
        let rotated = world.post(&rotate, &poor, json!({})).await;
        let expected = if key.id == child.id { 201 } else { 403 };
        assert_eq!(rotated.status, expected, "{}", key.name);
    }
    let caller = Principal::from(std::sync::Arc::clone(maker));
    let keys = world.keys().on_behalf_of(&caller);
    let richer = KeyRequest::new(Subject::user("7"), "y").rate("6/hour");
    let refusal = keys.issue(richer).await.unwrap_err();
    assert_eq!(refusal.fields()[0].field(), "rate");
    let tokens = world.tokens().on_behalf_of(&caller);
    let expires = world.now() + std::time::Duration::from_secs(60);
    let grant = Grant::new(Subject::user("7")).scope("reports:read");
    let refusal = tokens.issue_private(grant, "z", expires).await.unwrap_err();
    assert_eq!(refusal.fields()[0].field(), "expires_at");
}

#[tokio::test]
async fn a_key_that_rotates_itself_and_loses_the_answer_asks_again() {
    let world = World::new().await;
    let old = world.key("7").await;
    let credential = bearing(old.key.expose());
    let rotate = format!("/api-keys/{}/rotate/", old.record.id);
    let ask = async || world.post(&rotate, &credential, json!({})).await;
    let lost = ask().await.json()["key"].as_str().unwrap().to_owned();
    let seen = ask().await.json()["key"].as_str().unwrap().to_owned();
    assert!(!world.opens(&lost).await, "the last answer counts");
    assert!(world.opens(old.key.expose()).await, "for the grace");
    assert!(world.opens(&seen).await);
    assert_eq!(ask().await.status, 404, "the successor was used");
    assert_eq!(
        world.keys().list(&Subject::user("7")).await.unwrap().len(),
        2
    );
    world.pass(10);
    assert!(!world.opens(old.key.expose()).await, "the grace is over");
    assert!(world.opens(&seen).await);

    let plan = Plan {
        keys: |keys| keys.grace(std::time::Duration::ZERO),
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let old = world.key("7").await;
    let credential = bearing(old.key.expose());
    let rotate = format!("/api-keys/{}/rotate/", old.record.id);
    assert_eq!(
        world.post(&rotate, &credential, json!({})).await.status,
        201
    );
    assert!(!world.opens(old.key.expose()).await, "no grace, none given");
}

#[tokio::test]
async fn a_key_that_somebody_else_rotates_has_no_grace() {
    let world = World::new().await;
    let old = world.key("7").await;
    let annas = bearing(access(&world.sign_in("7").await));
    let rotate = format!("/api-keys/{}/rotate/", old.record.id);
    assert_eq!(world.post(&rotate, &annas, json!({})).await.status, 201);
    assert!(!world.opens(old.key.expose()).await);
}

async fn rotated(world: &World, id: &str, credential: &str, body: Value) -> crate::support::Reply {
    let path = format!("/api-keys/{id}/rotate/");
    world.post(&path, credential, body).await
}

/// Each bound alone: of what else refuses a rotation nothing is in the way.
#[tokio::test]
async fn a_key_rotates_no_other_and_no_successor_that_outlives_it_and_asks_again_for_a_while() {
    let plan = || Plan {
        endpoints: by_anyone,
        ..Plan::default()
    };
    let hour = json!({ "overlap": 3_600 });

    // Another key, which grants no more and lives no longer.
    let world = World::of(plan()).await;
    let (one, other) = (world.key("7").await, world.key("7").await);
    let credential = bearing(one.key.expose());
    let refused = rotated(&world, &other.record.id, &credential, json!({}));
    assert_eq!(refused.await.status, 403, "another lineage");

    // Its own successor, which outlives it.
    let made = rotated(&world, &one.record.id, &credential, hour.clone());
    let successor = made.await.json()["id"].as_str().unwrap().to_owned();
    let refused = rotated(&world, &successor, &credential, json!({}));
    assert_eq!(refused.await.status, 403, "it outlives its maker");

    // The answer that was lost, when the grace is over and the key still works.
    world.pass(11);
    assert!(world.opens(one.key.expose()).await);
    let late = rotated(&world, &one.record.id, &credential, hour.clone());
    assert_eq!(late.await.status, 404, "the grace is over");

    // The answer that was lost, when its owner has replaced what it was about.
    let world = World::of(plan()).await;
    let one = world.key("7").await;
    let credential = bearing(one.key.expose());
    let made = rotated(&world, &one.record.id, &credential, hour.clone());
    let successor = made.await.json()["id"].as_str().unwrap().to_owned();
    let annas = bearing(access(&world.sign_in("7").await));
    let replaced = rotated(&world, &successor, &annas, hour.clone());
    assert_eq!(replaced.await.status, 201);
    let late = rotated(&world, &one.record.id, &credential, hour);
    assert_eq!(late.await.status, 404, "its successor was rotated");

    // By default no key rotates another, not even one that it made.
    let world = World::new().await;
    let one = world.key("7").await;
    let caller = Principal::from(std::sync::Arc::new(one.record.clone()));
    let request = KeyRequest::new(Subject::user("7"), "child");
    let child = world.keys().on_behalf_of(&caller).issue(request).await;
    let credential = bearing(one.key.expose());
    let child = child.unwrap().record;
    let refused = rotated(&world, &child.id, &credential, json!({})).await;
    assert_eq!(refused.status, 403, "a key rotates itself alone");
}
