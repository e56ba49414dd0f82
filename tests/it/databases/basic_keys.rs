//! A key as the user's name of Basic is the key that it is elsewhere, in every store and form.

use super::support::*;
use crate::minimal::Minimal;
use crate::support::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use sha2::{Digest, Sha512};
use std::sync::Arc;
use tower_auth::credential::Source;
use tower_auth::store::{KeyDigest, KeyRecord, ManagedKeyStore, Memory, Store, Stores};
use tower_auth::test_util::ManualClock;
use tower_auth::throttle::{AttemptLimits, Peer};
use tower_auth::{
    ApiKeys, AuthLayer, KeyIssuer, KeyRequest, PasswordPolicy, Realm, Secret, Subject,
};

/// A key store, whole and where it only finds.
struct Kept {
    name: &'static str,
    managed: Arc<dyn ManagedKeyStore>,
    stores: Stores,
    found: Stores,
}

async fn stores(dir: &Dir) -> Vec<Kept> {
    let memory = Memory::new();
    let minimal = Arc::new(Minimal::default());
    let (postgres, sqlite) = (postgres().await, sqlite(dir).await);
    vec![
        Kept {
            name: "memory",
            managed: Arc::new(memory.clone()),
            stores: memory.clone().into(),
            found: Stores::new().keys(memory),
        },
        Kept {
            name: "minimal",
            managed: Arc::<Minimal>::clone(&minimal),
            stores: Stores::new().managed_keys(Arc::clone(&minimal)),
            found: Stores::new().keys(minimal),
        },
        Kept {
            name: "PostgreSQL",
            managed: Arc::new(postgres.clone()),
            stores: Store::from(postgres.clone()).into(),
            found: Stores::new().keys(postgres),
        },
        Kept {
            name: "SQLite",
            managed: Arc::new(sqlite.clone()),
            stores: Store::from(sqlite.clone()).into(),
            found: Stores::new().keys(sqlite),
        },
    ]
}

/// Every form of keys that there is.
fn forms() -> [(&'static str, ApiKeys); 6] {
    let pepper = [7; 32];
    [
        ("a prefix", ApiKeys::prefix("egret")),
        ("a dash", ApiKeys::prefix("sk-live-")),
        ("bare", ApiKeys::bare()),
        ("a pepper", ApiKeys::prefix("egret").pepper("p", pepper)),
        (
            "another's, with a prefix",
            ApiKeys::prefix("other").opaque(),
        ),
        (
            "another's, bare",
            ApiKeys::bare().opaque().imported_sha512(),
        ),
    ]
}

fn as_name(key: &str) -> Request<Full<Bytes>> {
    let text = STANDARD.encode(format!("{key}:"));
    get(&[("authorization", &format!("Basic {text}"))])
}

async fn made(keys: &KeyIssuer) -> (String, String) {
    let request = KeyRequest::new(Subject::user("7"), "ci");
    let new = keys.issue(request).await.unwrap();
    (new.key.expose().clone(), new.record.id.to_string())
}

fn layer(keys: &KeyIssuer) -> AuthLayer {
    AuthLayer::builder().accept(keys).build().unwrap()
}

#[tokio::test]
async fn a_key_as_a_name_of_basic_is_good_revoked_and_unknown_as_it_is_elsewhere() {
    let dir = Dir::new();
    for (form, keys) in forms() {
        for kept in stores(&dir).await {
            let what = format!("{form}, {}", kept.name);
            let keys = keys.clone().sources([Source::basic(), Source::bearer()]);
            let clock = ManualClock::new(1_705_190_400);
            let realm = Realm::new(kept.stores).clock(clock.clone());
            let realm = realm.api_keys(keys.clone());
            let found = Realm::new(kept.found).clock(clock).api_keys(keys.clone());
            let (good, _) = made(&realm).await;
            let (revoked, id) = made(&realm).await;
            realm.revoke(&Subject::user("7"), &id).await.unwrap();
            let (unknown, _) = made(&Realm::new(Memory::new()).api_keys(keys)).await;
            for auth in [layer(&realm), layer(&found)] {
                for (key, status) in [(&good, 200), (&revoked, 401), (&unknown, 401)] {
                    let as_name = send(&auth, as_name(key)).await;
                    let as_bearer = send(&auth, bearer(key)).await;
                    assert_eq!(as_name.status, status, "{what}");
                    assert_eq!(as_bearer.status, status, "{what}");
                    if status == 200 {
                        assert_eq!(as_name.text(), "ApiKey 7", "{what}");
                    } else {
                        assert_eq!(as_name.code(), "api_key_invalid", "{what}");
                        assert_eq!(as_name.text(), as_bearer.text(), "{what}");
                    }
                }
            }
        }
    }
}

/// What djangorestframework-api-key shows and stores.
#[tokio::test]
async fn an_imported_key_as_a_name_of_basic_is_good_in_every_store() {
    let dir = Dir::new();
    for kept in stores(&dir).await {
        let key = "VLCvnL8V.VP5a2jrmxPZPvSqJgdzf2W6nqPbXXNXM";
        let hex: String = Sha512::digest(key)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let digest = KeyDigest::from_django("prefix", &format!("sha512$${hex}")).unwrap();
        let record = KeyRecord::new(
            "VLCvnL8V",
            Subject::user("8"),
            "ci",
            "VLCvnL8V…",
            digest,
            NOW,
        );
        kept.managed.insert_key(record).await.unwrap();
        let keys = ApiKeys::bare().opaque().imported_sha512();
        let keys = Realm::new(kept.stores).api_keys(keys.sources([Source::basic()]));
        let auth = layer(&keys);
        for _ in 0..2 {
            let answer = send(&auth, as_name(key)).await;
            assert_eq!(answer.text(), "ApiKey 8", "{}", kept.name);
        }
        assert_eq!(send(&auth, as_name(&key[1..])).await.status, 401);

        // What has a colon is no name.
        let request = KeyRequest::new(Subject::user("9"), "ci");
        let colon = Secret::new(String::from("a-key:with-a-colon-in-it"));
        keys.import(&colon, request).await.unwrap();
        let refused = send(&auth, as_name(colon.expose())).await;
        assert_eq!(refused.code(), "api_key_invalid", "{}", kept.name);
    }
}

/// The statuses of twelve wrong keys from one address, each where `stands` says, and how many
/// passwords were hashed.
async fn of_wrong_keys(stands: fn(usize, &str) -> Request<Full<Bytes>>) -> (Vec<u16>, u64) {
    let store = Arc::new(Minimal::default());
    let stores = Stores::new().keys(Arc::clone(&store)).managed_users(store);
    let realm = Realm::new(stores)
        .attempts(AttemptLimits::new().per_address("4/15min"))
        .clock(ManualClock::new(1_705_190_400));
    let users = realm.users(PasswordPolicy::new());
    let keys = ApiKeys::prefix("egret").sources([Source::basic(), Source::bearer()]);
    let keys = realm.api_keys(keys);
    let auth = AuthLayer::builder().accept(&keys).accept(users.basic());
    let auth = auth.build().unwrap();
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let before = users.argon2_runs();
    let mut statuses = Vec::new();
    for n in 0..12 {
        let (unknown, _) = made(&elsewhere).await;
        let mut request = stands(n, &unknown);
        let peer = Peer([192, 0, 2, 1].into());
        request.extensions_mut().insert(peer);
        statuses.push(send(&auth, request).await.status.as_u16());
    }
    (statuses, users.argon2_runs() - before)
}

#[tokio::test]
async fn a_wrong_key_as_a_name_of_basic_is_counted_as_a_key_and_hashed_as_no_password() {
    let as_bearers = of_wrong_keys(|_, key| bearer(key)).await;
    let as_names = of_wrong_keys(|_, key| as_name(key)).await;
    let in_turns = of_wrong_keys(|n, key| {
        if n % 2 == 0 {
            as_name(key)
        } else {
            bearer(key)
        }
    })
    .await;
    assert_eq!(as_names, as_bearers);
    assert_eq!(in_turns, as_bearers);
    let (statuses, hashed) = as_bearers;
    assert_eq!(hashed, 0);
    assert!(
        statuses.starts_with(&[401]) && statuses.ends_with(&[429]),
        "{statuses:?}"
    );
}
