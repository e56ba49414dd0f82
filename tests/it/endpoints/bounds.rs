//! What one user makes is bounded, and no list is cut without a word.

use super::world::*;
use crate::support::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tower_auth::Subject;
use tower_auth::endpoint::UsersEndpoint;
use tower_auth::store::{ManagedUserStore, Memory, Stores, UserChange, UserRecord};

fn small() -> Plan {
    Plan {
        keys: |keys| keys.per_owner(3),
        tokens: |tokens| tokens.private_per_owner(3),
        ..Plan::default()
    }
}

/// Stores of each role of its own, which know nothing of a common step.
fn apart(script: &Script, memory: &Memory) -> Stores {
    Stores::new()
        .managed_keys(script.over(memory))
        .managed_users(script.over(memory))
        .private_tokens(script.over(memory))
}

/// What a user makes there, and what an answer calls its secret.
const MADE: [(&str, &str); 2] = [("/api-keys/", "key"), ("/private-tokens/", "token")];

fn wanted() -> Value {
    json!({ "name": "one more", "expires_at": "2027-01-20T00:00:00Z" })
}

fn is_full(reply: &Reply) -> bool {
    reply.status == 400 && reply.json()["errors"][0]["code"] == "limit_reached"
}

#[tokio::test]
async fn an_owner_has_as_many_keys_and_private_tokens_as_there_may_be_and_no_more() {
    for stores in [Plan::default().stores, apart] {
        let world = World::of(Plan { stores, ..small() }).await;
        let annas = bearing(access(&world.sign_in("7").await));
        let bens = bearing(access(&world.sign_in("8").await));
        for (path, _) in MADE {
            let mut last = String::new();
            for _ in 0..3 {
                let made = world.post(path, &annas, wanted()).await;
                assert_eq!(made.status, 201, "{path}");
                last = made.json()["id"].as_str().unwrap().to_owned();
            }
            assert!(is_full(&world.post(path, &annas, wanted()).await), "{path}");
            assert_eq!(
                world.post(path, &bens, wanted()).await.status,
                201,
                "{path}"
            );
            // What takes the place of another one needs none of its own.
            let rotate = format!("{path}{last}/rotate/");
            let rotated = world.post(&rotate, &annas, json!({})).await;
            assert_eq!(rotated.status, 201, "{path}");
            let last = rotated.json()["id"].as_str().unwrap().to_owned();
            assert!(is_full(&world.post(path, &annas, wanted()).await), "{path}");
            let revoke = asking("DELETE", &format!("{path}{last}/"), &annas, None);
            assert_eq!(world.send(revoke).await.status, 204, "{path}");
            assert_eq!(
                world.post(path, &annas, wanted()).await.status,
                201,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn making_and_revoking_without_end_ends_as_well() {
    for stores in [Plan::default().stores, apart] {
        let world = World::of(Plan { stores, ..small() }).await;
        let annas = bearing(access(&world.sign_in("7").await));
        for (path, _) in MADE {
            let mut made = 0;
            loop {
                let reply = world.post(path, &annas, wanted()).await;
                if is_full(&reply) {
                    break;
                }
                assert_eq!(reply.status, 201, "{path}");
                made += 1;
                let id = reply.json()["id"].as_str().unwrap().to_owned();
                let revoke = asking("DELETE", &format!("{path}{id}/"), &annas, None);
                assert_eq!(world.send(revoke).await.status, 204, "{path}");
            }
            assert_eq!(made, 30, "{path}: ten times as many");
        }
    }
}

#[tokio::test]
async fn of_many_who_want_the_last_place_at_once_one_gets_it() {
    let world = std::sync::Arc::new(World::of(small()).await);
    let annas = bearing(access(&world.sign_in("7").await));
    for (path, _) in MADE {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (world, annas) = (world.clone(), annas.clone());
            asking.spawn(async move { world.post(path, &annas, wanted()).await.status });
        }
        let all = asking.join_all().await;
        assert_eq!(
            all.iter().filter(|status| **status == 201).count(),
            3,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_private_token_is_found_by_its_id_and_not_among_all() {
    let world = World::new().await;
    let annas = bearing(access(&world.sign_in("7").await));
    let token = world.private_token("7").await;
    world.script.take();
    let path = format!("/private-tokens/{}/", token.record.id);
    let revoke = asking("DELETE", &path, &annas, None);
    assert_eq!(world.send(revoke).await.status, 204);
    let calls = world.script.take();
    assert!(!calls.contains(&"list_private_tokens"), "{calls:?}");
}

#[tokio::test]
async fn an_administrator_reads_all_users_page_by_page_and_is_told_of_each_next_one() {
    let world = World::new().await;
    for n in 0..250 {
        let id = Subject::user(format!("x {n:03}/ß"));
        let user = UserRecord::new(id, format!("u{n}@example.com"));
        world.memory.insert_user(user).await.unwrap();
    }
    let bens = bearing(access(&world.sign_in("8").await));
    let mut path = "/users/".to_owned();
    let mut pages = Vec::new();
    loop {
        let reply = world.get(&path, &bens).await;
        assert_eq!(reply.status, 200);
        pages.push(reply.json().as_array().unwrap().len());
        let Some(link) = reply.headers.get("link") else {
            break;
        };
        let link = link.to_str().unwrap();
        let target = link.strip_suffix(">; rel=\"next\"").unwrap();
        path = target.strip_prefix('<').unwrap().to_owned();
    }
    assert_eq!(pages, [100, 100, 52]);
}

#[tokio::test]
async fn the_next_page_begins_after_the_last_user_of_whatever_kind() {
    let world = World::new().await;
    // Kinds that stand before and after users in the list.
    for kind in ["a&gent", "zebra"] {
        for n in 0..130 {
            let id = Subject::new(kind, format!("{n:03}"));
            let user = UserRecord::new(id, format!("{kind}{n}@example.com"));
            world.memory.insert_user(user).await.unwrap();
        }
    }
    let bens = bearing(access(&world.sign_in("8").await));
    let mut path = "/users/".to_owned();
    let mut pages = Vec::new();
    let mut seen = BTreeSet::new();
    // More than there are, so that a list that begins anew ends as well.
    for _ in 0..5 {
        let reply = world.get(&path, &bens).await;
        assert_eq!(reply.status, 200);
        let users = reply.json();
        let users = users.as_array().unwrap();
        seen.extend(users.iter().map(|user| user["email"].to_string()));
        pages.push(users.len());
        let Some(link) = reply.headers.get("link") else {
            break;
        };
        let link = link.to_str().unwrap();
        let target = link.strip_suffix(">; rel=\"next\"").unwrap();
        path = target.strip_prefix('<').unwrap().to_owned();
    }
    assert_eq!((pages, seen.len()), (vec![100, 100, 62], 262));
}

#[tokio::test]
async fn of_two_who_change_different_fields_at_once_neither_undoes_the_other() {
    let world = World::of(Plan {
        endpoints: |endpoints, services| {
            let people = UsersEndpoint::of(&services.users)
                .profile_field("first_name")
                .profile_field("city");
            endpoints.mount("/users/", people)
        },
        ..Plan::default()
    })
    .await;
    let annas = bearing(access(&world.sign_in("7").await));
    let memory = world.memory.clone();
    // Another request has read the same record, and its write comes right before ours.
    world.script.meanwhile("commit", 1, move || {
        let mut change = UserChange::default();
        change.names = Some(vec![ANNA.into(), "another@example.com".into()]);
        change.profile = Some(json!({ "city": "Kassel" }).to_string());
        at_once(memory.change_user(&Subject::user("7"), change)).unwrap();
    });
    let body = json!({ "first_name": "Anna", "email": "anna.b@example.com" });
    let patch = asking("PATCH", "/users/7/", &annas, Some(&body));
    assert_eq!(world.send(patch).await.status, 200);
    let user = world.user("7").await;
    let profile = user.profile::<Value>().unwrap();
    assert_eq!(profile, json!({ "city": "Kassel", "first_name": "Anna" }));
    let names: Vec<&str> = user.names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["anna.b@example.com", "another@example.com"]);
}
