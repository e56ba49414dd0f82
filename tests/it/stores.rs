//! Stores keep their promises, and their failures are 503.

use crate::minimal::Minimal;
use crate::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::store::{
    KeyDigest, KeyRecord, ManagedKeyStore, ManagedUserStore, Memory, StoreErrorKind, Stores,
    conformance,
};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::{ApiKeys, AuthLayer, KeyIssuer, KeyRequest, PasswordPolicy, Realm, Subject};

#[tokio::test]
async fn memory_keeps_the_promises_of_a_key_store() {
    let with_keys = async |records| {
        let store = Memory::new();
        for record in records {
            store.insert_key(record).await.unwrap();
        }
        store
    };
    conformance::key_store(with_keys).await;
    conformance::managed_key_store(async || Memory::new()).await;
}

#[tokio::test]
async fn memory_keeps_the_promises_of_a_user_store() {
    let with_users = async |users| {
        let store = Memory::new();
        for user in users {
            store.insert_user(user).await.unwrap();
        }
        store
    };
    conformance::user_store(with_users).await;
    conformance::managed_user_store(async || Memory::new()).await;
}

#[tokio::test]
async fn memory_keeps_the_promises_of_a_token_store() {
    conformance::token_store(async || Memory::new()).await;
    conformance::private_token_store(async || Memory::new()).await;
    conformance::signing_key_store(async || Memory::new()).await;
    conformance::audit_store(async || Memory::new()).await;
    conformance::all_stores(async || Memory::new()).await;
}

#[tokio::test]
async fn the_provided_methods_keep_the_promises_on_top_of_the_required_ones() {
    conformance::managed_key_store(async || Minimal::default()).await;
    conformance::managed_user_store(async || Minimal::default()).await;
    conformance::token_store(async || Minimal::default()).await;
    conformance::private_token_store(async || Minimal::default()).await;
    conformance::signing_key_store(async || Minimal::default()).await;
}

#[tokio::test]
async fn a_store_that_contradicts_itself_is_unavailable_and_nobody_waits_for_ever() {
    let store = Minimal::default();
    store.refuses.store(true, Ordering::SeqCst);
    let owner = Subject::user("7");
    let digest = KeyDigest::new("sha256", [7; 32]);
    let record = KeyRecord::new("1", owner.clone(), "ci", "egret_…", digest, UNIX_EPOCH);
    store.insert_key(record).await.unwrap();
    let renamed = store.rename_key(&owner, "1", "another").await;
    assert_eq!(renamed.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

/// What a scripted store does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    Answer,
    Do(Intercept),
    PanicInPeek,
    /// From memory, at once.
    Peek,
}

/// A store that forgets its synchronous answers and does what its script says, and how often it was
/// asked.
fn scripted(memory: &Memory, script: Script) -> (Intercepted<Memory>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let store = Intercepted::new(memory.clone(), move |call| {
        match (call.starts_with("peek"), script) {
            (true, Script::PanicInPeek) => Intercept::Panic,
            (true, Script::Peek) => {
                counter.fetch_add(usize::from(call == "peek_key"), Ordering::SeqCst);
                Intercept::Pass
            }
            (true, _) => Intercept::Fail,
            (false, script) => {
                // Last uses are noted in the background.
                counter.fetch_add(usize::from(call.starts_with("find")), Ordering::SeqCst);
                if let Script::Do(intercept) = script {
                    intercept
                } else {
                    Intercept::Pass
                }
            }
        }
    });
    (store, asked)
}

/// What makes and accepts keys in a store, by hand or through a script.
fn egret_keys(store: impl Into<Stores>) -> KeyIssuer {
    Realm::new(store).api_keys(ApiKeys::prefix("egret"))
}

fn accepting(keys: &KeyIssuer) -> AuthLayer {
    AuthLayer::builder().accept(keys).build().unwrap()
}

/// A layer over a scripted store that knows the returned key.
async fn guarded_by(script: Script) -> (AuthLayer, String, Arc<AtomicUsize>) {
    let memory = Memory::new();
    let key = key_of(&egret_keys(memory.clone()), "7").await;
    let (store, asked) = scripted(&memory, script);
    let realm = Realm::new(store).store_deadline(Duration::from_millis(20));
    let auth = AuthLayer::builder()
        .accept(&realm.api_keys(ApiKeys::prefix("egret")))
        .accept(realm.users(PasswordPolicy::new()).basic())
        .build();
    (auth.unwrap(), key, asked)
}

const FAULTS: [Script; 4] = [
    Script::Do(Intercept::Fail),
    Script::Do(Intercept::Panic),
    Script::PanicInPeek,
    Script::Do(Intercept::Hang),
];

#[tokio::test]
async fn a_store_that_answers_later_is_waited_for() {
    let (auth, key, asked) = guarded_by(Script::Answer).await;
    assert_eq!(send(&auth, bearer(&key)).await.text(), "ApiKey 7");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_slow_or_panicking_key_store_is_503_never_401_and_never_a_pass() {
    for script in FAULTS {
        let (auth, key, _) = guarded_by(script).await;
        for layer in [auth.clone(), auth.optional()] {
            let reply = send(&layer, bearer(&key)).await;
            assert_eq!(reply.status, 503, "{script:?}");
            assert_eq!(reply.code(), "unavailable");
            assert_eq!(reply.headers["retry-after"], "1");
            assert!(
                reply.challenges().is_empty(),
                "{script:?}: nothing is wrong with the credential"
            );
        }
        // The next request is served.
        assert_eq!(send(&auth, get(&[])).await.status, 401, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_slow_or_panicking_user_store_is_503_never_401_and_never_a_pass() {
    for script in FAULTS {
        let (auth, ..) = guarded_by(script).await;
        let reply = send(
            &auth,
            get(&[("authorization", "Basic YW5uYTpjb3JyZWN0IGhvcnNl")]),
        )
        .await;
        assert_eq!(reply.status, 503, "{script:?}");
    }
}

#[tokio::test]
async fn the_record_that_a_store_finds_is_compared_with_the_key_that_was_presented() {
    let memory = Memory::new();
    let keys = egret_keys(memory.clone());
    let (key, other) = (
        key_of(&keys, "7").await,
        key_of(&egret_keys(Memory::new()), "8").await,
    );
    let broken = scripted(&memory, Script::Answer).0;
    let auth = accepting(&egret_keys(broken.finding(keys.digest(&key))));
    assert_eq!(send(&auth, bearer(&key)).await.status, 200);
    assert_eq!(send(&auth, bearer(&other)).await.status, 401);
}

#[tokio::test]
async fn a_typo_or_garbage_is_refused_without_asking_the_store() {
    let (auth, key, asked) = guarded_by(Script::Answer).await;
    for wrong in [&*mistyped(&key), "egret_", "egret_x", &key[..key.len() - 1]] {
        assert_eq!(send(&auth, bearer(wrong)).await.status, 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_key_of_another_form_stays_refused_though_the_store_has_it_in_memory() {
    let memory = Memory::new();
    let keys = egret_keys(memory.clone());
    let genuine = key_of(&keys, "7").await;
    let seeds = [
        mistyped(&genuine),
        format!("{genuine}0"),
        "egret_x".to_owned(),
    ];
    for (number, seed) in seeds.iter().enumerate() {
        let id = format!("foreign {number}");
        let digest = keys.digest(seed);
        let record = KeyRecord::new(id, Subject::user("7"), "ci", "egret_x…", digest, UNIX_EPOCH);
        memory.insert_key(record).await.unwrap();
    }
    let (asked, _) = scripted(&memory, Script::Answer);
    let layers = [accepting(&keys), accepting(&egret_keys(asked))];
    for layer in &layers {
        for _ in 0..3 {
            for seed in &seeds {
                let refused = send(layer, get(&[("x-api-key", seed)])).await;
                assert_eq!(refused.status, 401, "{seed}");
            }
            assert_eq!(send(layer, bearer(&genuine)).await.status, 200);
        }
    }
    // A layer that takes keys of any form knows them all; what it found good is good there alone.
    let opaque = Realm::new(memory).api_keys(ApiKeys::prefix("egret").opaque());
    let opaque = accepting(&opaque);
    for seed in &seeds {
        let field = [("x-api-key", seed.as_str())];
        assert_eq!(send(&opaque, get(&field)).await.status, 200, "{seed}");
        let refused = send(&layers[0], get(&field)).await;
        assert_eq!(refused.status, 401, "{seed}");
    }
}

#[tokio::test]
async fn unknown_revoked_and_expired_keys_are_refused_alike_and_after_the_same_work() {
    for script in [Script::Answer, Script::Peek] {
        let memory = Memory::new();
        let (store, asked) = scripted(&memory, script);
        let clock = ManualClock::new(1_000);
        let config = ApiKeys::prefix("egret").pepper("p1", [7; 32]);
        let of = |stores: Stores| {
            Realm::new(stores)
                .clock(clock.clone())
                .api_keys(config.clone())
        };
        let (maker, elsewhere) = (of(memory.into()), of(Memory::new().into()));
        let auth = accepting(&of(store.into()));
        let owner = Subject::user("7");
        let request = || KeyRequest::new(owner.clone(), "ci");
        let end = UNIX_EPOCH + Duration::from_secs(1_001);
        let good = maker.issue(request()).await.unwrap();
        let revoked = maker.issue(request()).await.unwrap();
        let expiring = maker.issue(request().expires(end)).await.unwrap();
        let unknown = elsewhere.issue(request()).await.unwrap();

        for new in [&good.key, &revoked.key, &expiring.key] {
            asked.store(0, Ordering::SeqCst);
            assert_eq!(send(&auth, bearer(new.expose())).await.status, 200);
            assert_eq!(
                asked.load(Ordering::SeqCst),
                1,
                "{script:?}: found under the first hash"
            );
        }
        maker.revoke(&owner, &revoked.record.id).await.unwrap();
        clock.advance(Duration::from_secs(1)); // a key that expires now is expired
        let mut refused = Vec::new();
        for new in [&unknown.key, &revoked.key, &expiring.key] {
            asked.store(0, Ordering::SeqCst);
            let reply = send(&auth, bearer(new.expose())).await;
            refused.push((reply, asked.load(Ordering::SeqCst)));
        }
        assert_eq!(
            (refused[0].0.status.as_u16(), refused[0].1),
            (401, 2),
            "{script:?}: under either hash"
        );
        assert!(
            refused.iter().all(|one| *one == refused[0]),
            "{script:?}: {refused:?}"
        );
        assert_eq!(
            send(&auth, bearer(good.key.expose())).await.status,
            200,
            "and no other key is touched"
        );
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_under_one_hash_is_accepted_under_no_other() {
    for script in [Script::Answer, Script::Peek] {
        let memory = Memory::new();
        let realm = Realm::new(scripted(&memory, script).0);
        let plain = realm.api_keys(ApiKeys::prefix("egret"));
        let peppered = realm.api_keys(ApiKeys::prefix("egret").pepper("p1", [7; 32]));
        let owner = Subject::user("7");
        let new = peppered.issue(KeyRequest::new(owner, "ci")).await.unwrap();
        let (owner, id) = (&new.record.owner, &new.record.id);
        peppered.revoke(owner, id).await.unwrap();
        // As another system may have stored it, beside the record that was revoked.
        let request = KeyRequest::new(owner.clone(), "imported");
        plain.import(&new.key, request).await.unwrap();
        for (keys, status) in [(peppered, 401), (plain, 200)] {
            let auth = accepting(&keys);
            let answer = send(&auth, bearer(new.key.expose())).await;
            assert_eq!(answer.status, status, "{script:?}");
        }
    }
}

#[tokio::test]
async fn a_bearer_that_a_store_was_asked_about_is_refused_as_a_bearer() {
    let (auth, _, asked) = guarded_by(Script::Answer).await;
    let key = key_of(&egret_keys(Memory::new()), "8").await;
    let as_bearer = send(&auth, bearer(&key)).await;
    assert_eq!(
        as_bearer.challenges()[0],
        r#"Bearer realm="api", error="invalid_token""#
    );
    let other = key_of(&egret_keys(Memory::new()), "8").await;
    let as_key = send(&auth, get(&[("x-api-key", &other)])).await;
    assert_eq!(as_key.challenges()[0], r#"Bearer realm="api""#);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn peppers_rotate_without_breaking_keys_stored_under_older_ones_or_none() {
    let realm = Realm::new(Memory::new());
    let config = ApiKeys::prefix("egret");
    let plain = realm.api_keys(config.clone());
    let first = realm.api_keys(config.clone().pepper("2025", [1; 32]));
    let second = config.pepper("2026", [2; 32]);
    let second = realm.api_keys(second.previous_pepper("2025", [1; 32]));
    let mut keys = Vec::new();
    for (set, algorithm) in [
        (&plain, "sha256"),
        (&first, "hmac-sha256:2025"),
        (&second, "hmac-sha256:2026"),
    ] {
        let request = KeyRequest::new(Subject::user("7"), "ci");
        let new = set.issue(request).await.unwrap();
        assert_eq!(new.record.digest.algorithm(), algorithm);
        keys.push(new.key);
    }
    let auth = accepting(&second);
    for key in &keys {
        assert_eq!(send(&auth, bearer(key.expose())).await.status, 200);
    }
    assert_eq!(
        send(&accepting(&plain), bearer(keys[2].expose()))
            .await
            .status,
        401,
        "a stolen table opens nothing"
    );
}
