//! API keys: made, rotated and revoked from a shell, and judged by a service that runs.

use super::place::{Place, SECRET};
use crate::databases::support::until;
use crate::support::{get, send};
use std::time::UNIX_EPOCH;
use tower_auth::store::{KeyDigest, KeyRecord, ManagedKeyStore};
use tower_auth::{ApiKeys, AuthLayer, Realm, Subject};

async fn layer(place: &Place, keys: ApiKeys) -> AuthLayer {
    let keys = Realm::new(place.node().await).api_keys(keys);
    AuthLayer::builder().accept(&keys).build().unwrap()
}

async fn status(layer: &AuthLayer, key: &str) -> u16 {
    send(layer, get(&[("x-api-key", key)]))
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn a_new_key_stands_alone_on_stdout_and_is_accepted_until_it_is_revoked() {
    for place in Place::migrated().await {
        place.add_user("anna@example.com");
        let arguments = [
            "key",
            "create",
            "--user",
            "anna@example.com",
            "--name",
            "ci",
            "--scope",
            "reports:read",
            "--rate",
            "2000/day",
            "--expires-in",
            "90d",
            "--prefix",
            "egret",
        ];
        let created = place.run(&arguments);
        created
            .is(0)
            .says("name       ci\n")
            .says("rate       2000/day\n");
        let key = created.out.strip_suffix('\n').unwrap();
        assert!(
            key.starts_with("egret_") && !key.contains(char::is_whitespace),
            "{created:?}"
        );
        assert!(!created.err.contains(key));
        let auth = layer(&place, ApiKeys::prefix("egret")).await;
        assert_eq!(status(&auth, key).await, 200, "{}", place.name);

        let listed = place.run(&["key", "list", "--user", "anna@example.com", "--json"]);
        let records = listed.is(0).lines();
        assert_eq!(records.len(), 1);
        assert!(!listed.out.contains(key), "a key is shown once");
        let id = records[0]["id"].as_str().unwrap();
        assert_eq!(records[0]["scopes"], serde_json::json!(["reports:read"]));

        let revoked = place.run(&["key", "revoke", id, "--user", "anna@example.com"]);
        assert_eq!(revoked.is(0).out, format!("The key {id} is revoked.\n"));
        until("refused", async || status(&auth, key).await == 401).await;
        let shown = place.run(&["key", "show", id, "--user", "anna@example.com", "--json"]);
        assert_eq!(shown.is(0).json()["state"], "revoked");
        place
            .run(&["key", "revoke", id, "--user", "anna@example.com"])
            .is(0);
    }
}

#[tokio::test]
async fn a_rotated_key_has_a_successor_of_the_same_form_and_works_as_long_as_it_was_told_to() {
    for place in Place::migrated().await {
        let owner = ["--owner", "tenant:42"];
        for (form, prefix) in [("--prefix=sk-live-", "sk-live-"), ("--bare", "")] {
            let create = [&["key", "create", "--name", "ci", form][..], &owner].concat();
            let former = place.run(&create).is(0).out.trim_end().to_owned();
            let listed = place.run(&[&["key", "list", "--json"][..], &owner].concat());
            let record = listed.lines().pop().unwrap();
            let id = record["id"].as_str().unwrap();
            let rotate = |overlap| {
                [
                    &["key", "rotate", id, "--overlap", overlap, "--json"][..],
                    &owner,
                ]
                .concat()
            };
            let rotated = place.run(&rotate("0s")).is(0).json();
            let key = rotated["key"].as_str().unwrap();
            assert!(key.starts_with(prefix), "{rotated}");
            assert_eq!(key.len(), former.len(), "{rotated}");
            assert_eq!(rotated["record"]["lineage"], id);

            let keys = match prefix {
                "" => ApiKeys::bare(),
                prefix => ApiKeys::prefix(prefix),
            };
            let auth = layer(&place, keys).await;
            assert_eq!(
                (status(&auth, key).await, status(&auth, &former).await),
                (200, 401)
            );
            place.run(&rotate("24h")).is(4).says("rotated already");
        }
    }
}

#[tokio::test]
async fn the_ids_of_new_keys_look_as_they_were_told_to() {
    for place in Place::migrated().await {
        let id = |form: &str| {
            let create = [
                "key", "create", "--json", "--bare", "--name", "ci", "--owner", "7", "--ids", form,
            ];
            let made = place.run(&create).is(0).json();
            made["record"]["id"].as_str().unwrap().to_owned()
        };
        assert_eq!(
            (id("serial"), id("serial")),
            ("1".to_owned(), "2".to_owned())
        );
        assert_eq!(
            (id("random").len(), id("uuid").len()),
            (22, 36),
            "{}",
            place.name
        );
    }
}

#[tokio::test]
async fn a_new_key_is_stored_under_the_pepper_of_the_environment() {
    for place in Place::migrated().await {
        let pepper = format!("2026:{SECRET}");
        let place = place
            .with("API_KEY_PEPPER", &pepper)
            .with("API_KEY_PREFIX", "egret");
        let create = ["key", "create", "--name", "ci", "--owner", "7"];
        let key = place.run(&create).is(0).out.trim_end().to_owned();
        let listed = place
            .run(&["key", "list", "--owner", "7", "--json"])
            .lines();
        assert_eq!(listed[0]["algorithm"], "hmac-sha256:2026");
        let with = ApiKeys::prefix("egret").pepper("2026", SECRET);
        assert_eq!(status(&layer(&place, with).await, &key).await, 200);
        let without = ApiKeys::prefix("egret");
        assert_eq!(status(&layer(&place, without).await, &key).await, 401);
    }
}

#[tokio::test]
async fn keys_of_all_owners_are_listed_page_by_page_and_known_by_their_id_alone() {
    for place in Place::migrated().await {
        let store = place.node().await;
        for n in 0..250_u16 {
            let mut bytes = [7; 32];
            bytes[..2].copy_from_slice(&n.to_le_bytes());
            let owner = Subject::new("tenant", (n % 3).to_string());
            let digest = KeyDigest::new("sha256", bytes);
            let id = format!("{n:03}");
            let key = KeyRecord::new(id, owner, "ci", "egret_7Zk0…", digest, UNIX_EPOCH);
            store.insert_key(key).await.unwrap();
        }
        let ids = |arguments: &[&str]| {
            let lines = place.run(arguments).is(0).lines();
            let id = |line: &serde_json::Value| line["id"].as_str().unwrap().to_owned();
            lines.iter().map(id).collect::<Vec<_>>()
        };
        let all: Vec<String> = (0..250).map(|n| format!("{n:03}")).collect();
        assert_eq!(ids(&["key", "list", "--json"]), all, "{}", place.name);
        let theirs: Vec<&String> = all.iter().skip(1).step_by(3).collect();
        let listed = ids(&["key", "list", "--owner", "tenant:1", "--json"]);
        assert_eq!(listed.iter().collect::<Vec<_>>(), theirs);

        place
            .run(&["key", "show", "007"])
            .is(0)
            .prints("owner      tenant:1\n");
        let rotated = place.run(&["key", "rotate", "007", "--json"]).is(0).json();
        assert!(
            rotated["key"].as_str().unwrap().starts_with("egret_"),
            "{rotated}"
        );
        assert_eq!(rotated["record"]["owner"]["id"], "1");
        let foreign = ["key", "revoke", "007", "--owner", "tenant:2"];
        place
            .run(&foreign)
            .is(3)
            .says("There is no key with the id 007 of that owner.");
        assert_eq!(
            place.run(&["key", "revoke", "007"]).is(0).out,
            "The key 007 is revoked.\n"
        );
        let shown = place.run(&["key", "show", "007", "--owner", "tenant:1", "--json"]);
        assert_eq!(shown.is(0).json()["state"], "revoked");
    }
}

/// Whoever names a key does not write on the terminal of whoever lists it.
#[tokio::test]
async fn a_name_that_would_move_the_cursor_is_shown_by_the_numbers_of_its_characters() {
    const NAME: &str = "a\u{1b}[2J\u{202e}b\nc";
    for place in Place::migrated().await {
        let digest = KeyDigest::new("sha256", [7; 32]);
        let owner = Subject::user("7");
        let key = KeyRecord::new("1", owner, NAME, "egret_7Zk0…", digest, UNIX_EPOCH);
        place.node().await.insert_key(key).await.unwrap();
        for arguments in [&["key", "list"][..], &["key", "show", "1"]] {
            place
                .run(arguments)
                .is(0)
                .prints("a\\u{1b}[2J\\u{202e}b\\nc");
        }
        let json = place.run(&["key", "list", "--json"]).is(0).lines();
        assert_eq!(json[0]["name"], NAME, "{}", place.name);
    }
}
