//! Users and keys that Django and DRF wrote, through the endpoints: they are let in as they are,
//! and kept anew from then on.

use super::world::*;
use crate::migration::{DRF_KEYS, DrfKey, PASSWORD, READ};
use crate::support::{Reply, send};
use serde_json::json;
use tower_auth::endpoint::KeysEndpoint;
use tower_auth::event::Action;
use tower_auth::password::hash_password;
use tower_auth::store::{KeyDigest, KeyRecord, ManagedKeyStore, ManagedUserStore, UserRecord};
use tower_auth::test_util::Intercept;
use tower_auth::{ApiKeys, Secret, Subject};

const FAULTS: [Intercept; 4] = [
    Intercept::Fail,
    Intercept::FailAfter,
    Intercept::Hang,
    Intercept::Panic,
];

async fn world() -> World {
    let world = World::new().await;
    for (name, hash) in READ {
        let user = UserRecord::new(Subject::user(name), name).password_hash(hash);
        world.memory.insert_user(user).await.unwrap();
    }
    world
}

async fn sign_in(world: &World, name: &str, password: &str) -> Reply {
    world
        .post(
            "/token/",
            "",
            json!({ "email": name, "password": password }),
        )
        .await
}

async fn stored_hash(world: &World, name: &str) -> String {
    let hash = world.user(name).await.password_hash.clone();
    hash.unwrap().expose().clone()
}

/// The first that costs little.
fn cheap() -> &'static str {
    READ[1].0
}

#[tokio::test]
async fn users_of_django_sign_in_and_their_hash_is_replaced_once() {
    let world = world().await;
    for (name, hash) in READ {
        world.script.take();
        world.events.take();
        let first = sign_in(&world, name, PASSWORD).await;
        assert_eq!(first.status, 200, "{name}: {first:?}");
        assert!(
            world.opens(first.json()["access"].as_str().unwrap()).await,
            "{name}"
        );
        assert_eq!(
            counted(world.script.take()).get("replace_password"),
            Some(&1),
            "{name}"
        );
        assert_eq!(
            world.events.take(),
            [Action::PasswordRehashed, Action::SignedIn],
            "{name}"
        );
        let replaced = stored_hash(&world, name).await;
        assert!(
            replaced.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && replaced != hash,
            "{name}"
        );

        let runs = world.users().argon2_runs();
        assert_eq!(sign_in(&world, name, PASSWORD).await.status, 200, "{name}");
        assert_eq!(
            world.users().argon2_runs() - runs,
            1,
            "{name}: as any other user"
        );
        assert_eq!(
            counted(world.script.take()).get("replace_password"),
            None,
            "{name}"
        );
        assert_eq!(stored_hash(&world, name).await, replaced);
    }
}

#[tokio::test]
async fn a_wrong_password_replaces_nothing() {
    let world = world().await;
    assert_eq!(sign_in(&world, cheap(), "wrong").await.status, 401);
    assert_eq!(counted(world.script.take()).get("replace_password"), None);
    assert_eq!(stored_hash(&world, cheap()).await, READ[1].1);
}

#[tokio::test]
async fn a_hash_that_is_replaced_does_not_undo_a_change_of_the_password_meanwhile() {
    let world = world().await;
    let memory = world.memory.clone();
    let new = hash_password("tests only: Klammer-Heftung").unwrap();
    let kept = new.clone();
    world.script.meanwhile("replace_password", 1, move || {
        let id = Subject::user(cheap());
        let user = at_once(memory.find_user_by_id(&id)).unwrap().unwrap();
        let former = user.password_hash.as_ref();
        at_once(memory.replace_password(&id, former, Secret::new(new))).unwrap();
    });
    assert_eq!(
        sign_in(&world, cheap(), PASSWORD).await.status,
        401,
        "it is the former password now"
    );
    assert_eq!(stored_hash(&world, cheap()).await, kept);
    assert_eq!(
        sign_in(&world, cheap(), "tests only: Klammer-Heftung")
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn a_hash_that_cannot_be_replaced_keeps_nobody_out_and_is_replaced_the_next_time() {
    for fault in FAULTS {
        let world = world().await;
        world.script.break_at("replace_password", fault);
        assert_eq!(
            sign_in(&world, cheap(), PASSWORD).await.status,
            200,
            "{fault:?}"
        );
        world.script.mend();
        assert_eq!(
            sign_in(&world, cheap(), PASSWORD).await.status,
            200,
            "{fault:?}"
        );
        assert!(
            stored_hash(&world, cheap())
                .await
                .starts_with("$argon2id$v=19$m=19456"),
            "{fault:?}"
        );
    }
}

/// A service whose keys are those of DRF.
async fn with_keys_of_drf() -> World {
    let plan = Plan {
        keys: |_| ApiKeys::bare().opaque().imported_sha512(),
        endpoints: |endpoints, Services { keys, .. }| {
            endpoints.mount("/api-keys/", KeysEndpoint::of(keys))
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    for key in DRF_KEYS {
        let digest = KeyDigest::from_django(key.prefix, key.hashed_key).unwrap();
        let owner = Subject::user("7");
        let record = KeyRecord::new(key.prefix, owner, key.name, key.prefix, digest, world.now());
        world.memory.insert_key(record).await.unwrap();
    }
    world
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn algorithm(world: &World, id: &str) -> String {
    let found = world
        .memory
        .find_owned_key(&Subject::user("7"), id)
        .await
        .unwrap();
    found.unwrap().digest.algorithm().to_owned()
}

#[tokio::test]
async fn keys_of_drf_are_accepted_in_every_form_and_stored_anew_at_the_first_use() {
    let world = with_keys_of_drf().await;
    for key in DRF_KEYS {
        assert_eq!(algorithm(&world, key.prefix).await, "sha512");
        for fields in [
            ("authorization", format!("Api-Key {}", key.key)),
            ("authorization", bearing(key.key)),
            ("x-api-key", key.key.to_owned()),
        ] {
            let request = crate::support::get(&[(fields.0, &fields.1)]);
            let whoami = send(&world.auth, request).await;
            assert_eq!(whoami.text(), "ApiKey 7", "{}", key.name);
            settle().await;
        }
        assert_eq!(algorithm(&world, key.prefix).await, "sha256");
        assert_eq!(
            counted(world.script.take()).get("replace_key_digest"),
            Some(&1),
            "{}",
            key.name
        );
        let listed = world.get("/api-keys/", &bearing(key.key)).await;
        assert_eq!(listed.status, 200);
        for wrong in [
            &key.key[..key.key.len() - 1],
            &key.key.to_lowercase(),
            key.hashed_key,
            key.prefix,
            key.id,
        ] {
            let wrong = wrong.replace('$', "~");
            assert!(!world.opens(&wrong).await, "{wrong}");
        }
    }
    let mut listed = world
        .get("/api-keys/", &bearing(DRF_KEYS[0].key))
        .await
        .json();
    let names: Vec<_> = listed
        .as_array_mut()
        .unwrap()
        .iter()
        .map(|key| key["name"].clone())
        .collect();
    assert_eq!(
        names,
        ["reports", "ci"],
        "by id where they are as old as each other"
    );
    let revoked = world
        .send(asking(
            "DELETE",
            "/api-keys/sVfeTZ4a/",
            &bearing(DRF_KEYS[1].key),
            None,
        ))
        .await;
    assert_eq!(revoked.status, 204);
    assert!(!world.opens(DRF_KEYS[0].key).await);
    assert!(world.opens(DRF_KEYS[1].key).await);
}

#[tokio::test]
async fn many_first_uses_at_once_store_a_key_anew_once() {
    let world = with_keys_of_drf().await;
    for _ in 0..100 {
        assert!(world.opens(DRF_KEYS[0].key).await);
    }
    settle().await;
    assert_eq!(
        counted(world.script.take()).get("replace_key_digest"),
        Some(&1)
    );
    assert!(world.opens(DRF_KEYS[0].key).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_stored_anew_works_and_is_tried_again() {
    for fault in FAULTS {
        let world = with_keys_of_drf().await;
        world.script.break_at("replace_key_digest", fault);
        for _ in 0..3 {
            assert!(world.opens(DRF_KEYS[0].key).await, "{fault:?}");
            settle().await;
        }
        world.script.mend();
        // A write that hangs is given up.
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
        settle().await;
        assert!(world.opens(DRF_KEYS[0].key).await, "{fault:?}");
        settle().await;
        assert_eq!(
            algorithm(&world, DRF_KEYS[0].prefix).await,
            "sha256",
            "{fault:?}"
        );
    }
}

/// `DRF_KEYS[0]` as versions before 3 of djangorestframework-api-key hashed it.
const HASHED_AS_PASSWORD: &str =
    "pbkdf2_sha256$1000$testsaltTESTSALT012345$/Bt6v+/9yd3asD8hRlqqJLNfp75CN214ggqEY7puVRo=";

/// A service whose keys are those of an earlier DRF, the second of them revoked.
pub(crate) async fn with_keys_hashed_as_passwords() -> World {
    let plan = Plan {
        keys: |_| {
            ApiKeys::bare()
                .opaque()
                .imported_sha512()
                .imported_password_hashes()
        },
        endpoints: |endpoints, Services { keys, .. }| {
            endpoints.mount("/api-keys/", KeysEndpoint::of(keys))
        },
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let [first, second] = DRF_KEYS;
    let digest = KeyDigest::from_django(first.prefix, HASHED_AS_PASSWORD).unwrap();
    assert!(!format!("{digest:?}").contains("pbkdf2"));
    let owner = Subject::user("7");
    let record = KeyRecord::new(first.prefix, owner.clone(), "ci", "", digest, world.now());
    world.memory.insert_key(record).await.unwrap();
    let of_another = HASHED_AS_PASSWORD.replace("PuVRo=", "AAAAA=");
    let digest = KeyDigest::from_django(second.prefix, &of_another).unwrap();
    let record = KeyRecord::new(second.prefix, owner, "old", "", digest, world.now());
    world
        .memory
        .insert_key(record.revoked(world.now()))
        .await
        .unwrap();
    world
}

#[tokio::test]
async fn a_key_that_was_hashed_as_a_password_goes_on_working_and_is_stored_anew_at_the_first_use() {
    let world = with_keys_hashed_as_passwords().await;
    let [DrfKey { key, prefix, .. }, _] = DRF_KEYS;
    for wrong in [
        &key[..key.len() - 1],
        &format!("{key}a"),
        &key.to_lowercase(),
        prefix,
        &format!("{prefix}."),
        &format!("{prefix}.{}", "x".repeat(32)),
        &key.replace('.', "-"),
    ] {
        assert!(!world.opens(wrong).await, "{wrong}");
    }
    assert_eq!(counted(world.script.take()).get("replace_key_digest"), None);
    assert!(algorithm(&world, prefix).await.starts_with("django:"));
    for _ in 0..3 {
        assert!(world.opens(key).await);
        settle().await;
    }
    assert_eq!(algorithm(&world, prefix).await, "sha256");
    assert_eq!(
        counted(world.script.take()).get("replace_key_digest"),
        Some(&1)
    );
    let used = world
        .memory
        .find_owned_key(&Subject::user("7"), prefix)
        .await;
    assert!(used.unwrap().unwrap().last_used.get().is_some());
    for wrong in [&key[..key.len() - 1], prefix] {
        assert!(!world.opens(wrong).await, "{wrong}");
    }
    let listed = world.get("/api-keys/", &bearing(key)).await;
    assert!(!listed.text().contains("pbkdf2"), "{}", listed.text());
}

#[tokio::test]
async fn a_revoked_key_that_was_hashed_as_a_password_stays_refused_and_costs_no_hash() {
    let world = with_keys_hashed_as_passwords().await;
    let runs = world.users().argon2_runs();
    assert!(!world.opens(DRF_KEYS[1].key).await);
    assert!(!world.opens("nobodys.key").await);
    assert_eq!(world.users().argon2_runs(), runs);
}

#[tokio::test]
async fn keys_hashed_as_passwords_are_accepted_by_choice_alone() {
    let world = with_keys_of_drf().await;
    let digest = KeyDigest::from_django("other", HASHED_AS_PASSWORD).unwrap();
    let record = KeyRecord::new("other", Subject::user("7"), "ci", "", digest, world.now());
    world.memory.insert_key(record).await.unwrap();
    assert!(!world.opens("other.sbA3Rs6xsv1I7h6jErwmGagr0LW95NJl").await);
    for (prefix, hashed) in [
        ("", HASHED_AS_PASSWORD),
        ("x", "md5$salt$7cdd417da32b85f8d46700c0c23daf5c"),
        ("x", "sha512$$abc"),
        ("x", ""),
        ("x", "plain"),
    ] {
        assert!(KeyDigest::from_django(prefix, hashed).is_none(), "{hashed}");
    }
}
