//! Stores keep their promises, and their failures are 503.

use crate::support::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::store::{KeyRecord, KeyStore, Memory, conformance};
use tower_auth::test_util::{Intercept, Intercepted};
use tower_auth::{ApiKeys, AuthLayer, Basic, Subject};

#[tokio::test]
async fn memory_keeps_the_promises_of_a_key_store() {
    conformance::key_store(async || Memory::new()).await;
}

#[tokio::test]
async fn memory_keeps_the_promises_of_a_user_store() {
    conformance::user_store(async || Memory::new()).await;
}

#[tokio::test]
async fn memory_keeps_the_promises_of_a_token_store() {
    conformance::token_store(async || Memory::new()).await;
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

/// A store that forgets its synchronous answers and does what its script says, and how often it was asked.
fn scripted(memory: &Memory, script: Script) -> (Intercepted<Memory>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let store = Intercepted::new(memory.clone(), move |call| {
        match (call.starts_with("peek"), script) {
            (true, Script::PanicInPeek) => Intercept::Panic,
            (true, Script::Peek) => {
                counter.fetch_add(1, Ordering::SeqCst);
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

/// A layer over a scripted store that knows the returned key.
async fn guarded_by(script: Script) -> (AuthLayer, String, Arc<AtomicUsize>) {
    let memory = Memory::new();
    let (store, asked) = scripted(&memory, script);
    let keys = ApiKeys::new(store.clone()).prefix("egret");
    let new = keys.mint(Subject::user("7"), "ci", UNIX_EPOCH).unwrap();
    memory.insert_key(new.record, UNIX_EPOCH).await.unwrap();
    let auth = AuthLayer::builder()
        .api_keys(keys)
        .basic(Basic::new(store))
        .store_deadline(Duration::from_millis(20))
        .build();
    (auth.unwrap(), new.key.expose().clone(), asked)
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
    let keys = ApiKeys::new(memory.clone()).prefix("egret");
    let [new, other] =
        ["7", "8"].map(|owner| keys.mint(Subject::user(owner), "ci", UNIX_EPOCH).unwrap());
    let digest = new.record.digest().clone();
    memory.insert_key(new.record, UNIX_EPOCH).await.unwrap();
    let broken = scripted(&memory, Script::Answer).0.finding(digest);
    let auth = AuthLayer::builder()
        .api_keys(ApiKeys::new(broken).prefix("egret"))
        .build()
        .unwrap();
    assert_eq!(send(&auth, bearer(new.key.expose())).await.status, 200);
    assert_eq!(send(&auth, bearer(other.key.expose())).await.status, 401);
}

#[tokio::test]
async fn a_typo_or_garbage_is_refused_without_asking_the_store() {
    let (auth, key, asked) = guarded_by(Script::Answer).await;
    let last = if key.ends_with('a') { "b" } else { "a" };
    for wrong in [
        &format!("{}{last}", &key[..key.len() - 1]),
        "egret_",
        "egret_x",
        &key[..key.len() - 1],
    ] {
        assert_eq!(send(&auth, bearer(wrong)).await.status, 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn unknown_revoked_and_expired_keys_are_refused_alike_and_after_the_same_work() {
    for script in [Script::Answer, Script::Peek] {
        let memory = Memory::new();
        let (store, asked) = scripted(&memory, script);
        let keys = ApiKeys::new(store.clone())
            .prefix("egret")
            .pepper("p1", [7; 32]);
        let clock = tower_auth::test_util::ManualClock::new(1_000);
        let auth = AuthLayer::builder()
            .api_keys(keys.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        let owner = Subject::user("7");
        let mint = || keys.mint(owner.clone(), "ci", UNIX_EPOCH).unwrap();
        let (good, revoked, expiring, unknown) = (mint(), mint(), mint(), mint());
        let revoked_id = revoked.record.id().to_owned();
        let expiring_record = expiring
            .record
            .expires(UNIX_EPOCH + Duration::from_secs(1_001));
        for record in [good.record, revoked.record, expiring_record] {
            memory.insert_key(record, UNIX_EPOCH).await.unwrap();
        }

        for new in [&good.key, &revoked.key, &expiring.key] {
            asked.store(0, Ordering::SeqCst);
            assert_eq!(send(&auth, bearer(new.expose())).await.status, 200);
            assert_eq!(
                asked.load(Ordering::SeqCst),
                1,
                "{script:?}: found under the first hash"
            );
        }
        memory
            .revoke_key(&owner, &revoked_id, UNIX_EPOCH)
            .await
            .unwrap();
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
        let plain = ApiKeys::new(scripted(&memory, script).0).prefix("egret");
        let peppered = plain.clone().pepper("p1", [7; 32]);
        let new = peppered.mint(Subject::user("7"), "ci", UNIX_EPOCH).unwrap();
        let key = new.key.expose();
        let imported = KeyRecord::new(
            "imported",
            Subject::user("7"),
            "ci",
            "egret_…",
            plain.digest(key),
            UNIX_EPOCH,
        );
        memory
            .insert_key(new.record.revoked(UNIX_EPOCH), UNIX_EPOCH)
            .await
            .unwrap();
        memory.insert_key(imported, UNIX_EPOCH).await.unwrap();
        for (keys, status) in [(peppered, 401), (plain, 200)] {
            let auth = AuthLayer::builder().api_keys(keys).build().unwrap();
            assert_eq!(send(&auth, bearer(key)).await.status, status, "{script:?}");
        }
    }
}

#[tokio::test]
async fn a_bearer_that_a_store_was_asked_about_is_refused_as_a_bearer() {
    let (auth, _, asked) = guarded_by(Script::Answer).await;
    let unknown = ApiKeys::new(Memory::new())
        .prefix("egret")
        .mint(Subject::user("8"), "x", UNIX_EPOCH)
        .unwrap();
    let key = unknown.key.expose();
    let as_bearer = send(&auth, bearer(key)).await;
    assert_eq!(
        as_bearer.challenges()[0],
        r#"Bearer realm="api", error="invalid_token""#
    );
    let as_key = send(&auth, get(&[("x-api-key", key)])).await;
    assert_eq!(as_key.challenges()[0], r#"Bearer realm="api""#);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn peppers_rotate_without_breaking_keys_stored_under_older_ones_or_none() {
    let store = Memory::new();
    let plain = ApiKeys::new(store.clone()).prefix("egret");
    let first = plain.clone().pepper("2025", [1; 32]);
    let second = plain
        .clone()
        .pepper("2026", [2; 32])
        .previous_pepper("2025", [1; 32]);
    let mut keys = Vec::new();
    for (set, algorithm) in [
        (&plain, "sha256"),
        (&first, "hmac-sha256:2025"),
        (&second, "hmac-sha256:2026"),
    ] {
        let new = set.mint(Subject::user("7"), "ci", UNIX_EPOCH).unwrap();
        assert_eq!(new.record.digest().algorithm(), algorithm);
        store.insert_key(new.record, UNIX_EPOCH).await.unwrap();
        keys.push(new.key);
    }
    let auth = AuthLayer::builder().api_keys(second).build().unwrap();
    for key in &keys {
        assert_eq!(send(&auth, bearer(key.expose())).await.status, 200);
    }
    let without = AuthLayer::builder().api_keys(plain).build().unwrap();
    assert_eq!(
        send(&without, bearer(keys[2].expose())).await.status,
        401,
        "a stolen table opens nothing"
    );
}
