//! What goes wrong with a database is 503, never 401 and never a pass, and ends by itself.

use super::proxy::{Network, Proxy};
use super::server::Server;
use super::support::*;
use crate::support::{bearer, send};
use sqlx::{Connection, PgConnection};
use std::pin::Pin;
use std::time::Duration;
use tower_auth::store::{
    Account, AllStores, AuditRecord, AuditStore, FamilyRecord, KeyStore, Known, ManagedKeyStore,
    ManagedUserStore, Peek, Postgres, PrivateTokenStore, Rotation, StoreError, StoreErrorKind,
    StoreOptions, TokenIds, TokenRecord, TokenStore, UserChange, UserRecord, UserStore, Write,
};
use tower_auth::test_util::ManualClock;
use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Secret, Subject};

const TIMEOUT: Duration = Duration::from_millis(500);

fn quick() -> StoreOptions {
    options().timeout(TIMEOUT).connections(4)
}

/// A service with three keys: one that is warm, one that nobody used yet, one that was used and
/// then revoked.
struct Service {
    store: Postgres,
    auth: AuthLayer,
    warm: String,
    cold: String,
    revoked: String,
}

impl Service {
    async fn new(url: &str, options: StoreOptions) -> Self {
        let store = node(url, options).await;
        let realm = Realm::new(store.clone())
            .clock(ManualClock::new(0))
            // Later than the store's own, so that it is the store that is tested.
            .store_deadline(Duration::from_secs(20));
        let keys = realm.api_keys(ApiKeys::prefix("egret"));
        // The first connection may take its time.
        until("the node answers", async || {
            store.find_family("f").await.is_ok()
        })
        .await;
        let new = async || {
            let request = KeyRequest::new(Subject::user("7"), "ci");
            keys.issue(request).await.unwrap()
        };
        let revoked = new().await;
        let service = Self {
            store,
            auth: AuthLayer::builder().accept(&keys).build().unwrap(),
            warm: new().await.key.expose().clone(),
            cold: new().await.key.expose().clone(),
            revoked: revoked.key.expose().clone(),
        };
        service.heard().await;
        service.is_fine().await;
        assert_eq!(service.status(&service.revoked).await, 200);
        service
            .store
            .revoke_key(&Subject::user("7"), &revoked.record.id, NOW)
            .await
            .unwrap();
        assert_eq!(service.status(&service.revoked).await, 401);
        service
    }

    async fn heard(&self) {
        until("the node has heard its database", async || {
            let _ = self.store.find_family("f").await;
            self.store
                .lag()
                .is_some_and(|lag| lag < Duration::from_millis(500))
        })
        .await;
    }

    async fn is_fine(&self) {
        until("200", async || self.status(&self.warm).await == 200).await;
    }

    async fn status(&self, key: &str) -> u16 {
        let reply = send(&self.auth, bearer(key)).await;
        if reply.status == 503 {
            assert!(
                reply.headers["retry-after"]
                    .to_str()
                    .unwrap()
                    .parse::<u32>()
                    .unwrap()
                    >= 1
            );
            assert!(
                reply.challenges().is_empty(),
                "nothing is wrong with the credential"
            );
        }
        reply.status.as_u16()
    }

    /// While the database is away: after the bound everything is 503, and until then what is warm
    /// is 200. Nothing else.
    async fn is_away(&self, what: &str) {
        let mut saw_503 = false;
        let start = tokio::time::Instant::now();
        while start.elapsed() < Duration::from_secs(30) && !saw_503 {
            let before = self.store.lag().unwrap();
            match self.status(&self.warm).await {
                503 => saw_503 = true,
                // It may have heard something in between that was on its way.
                200 => assert!(
                    before.min(self.store.lag().unwrap()) < Duration::from_secs(1),
                    "{what}: {before:?}"
                ),
                other => panic!("{what}: {other} for a good key"),
            }
            assert_ne!(
                self.status(&self.revoked).await,
                200,
                "{what}: a revoked key passed"
            );
        }
        assert!(saw_503, "{what}: never 503");
        assert_eq!(
            self.status(&self.cold).await,
            503,
            "{what}: a key that nobody used yet"
        );
        assert_eq!(
            self.store.peek_account(&Subject::user("7")),
            Account::Ask,
            "{what}"
        );
        assert_eq!(
            self.store.peek_revoked(TokenIds::new("t", None), NOW),
            Known::Ask,
            "{what}"
        );
        every_call_is_unavailable(&self.store, what).await;
    }

    /// It is back, and nobody did anything about it.
    async fn is_back(&self, what: &str) {
        self.heard().await;
        self.is_fine().await;
        until(what, async || self.status(&self.cold).await == 200).await;
        assert_eq!(self.status(&self.revoked).await, 401, "{what}");
    }
}

async fn every_call_is_unavailable(store: &Postgres, what: &str) {
    let calls = calls(store)
        .into_iter()
        .map(|(name, call)| (name, tokio::spawn(call)));
    for (name, call) in calls.collect::<Vec<_>>() {
        let kind = call.await.unwrap().map_err(|error| error.kind());
        assert_eq!(kind, Err(StoreErrorKind::Unavailable), "{what}: {name}");
    }
}

pub(super) type Call = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// Every asynchronous method, each within a few deadlines.
pub(super) fn calls(store: &Postgres) -> Vec<(&'static str, Call)> {
    fn anna() -> Subject {
        Subject::user("anna")
    }
    let family = || FamilyRecord::new("f", anna(), "{}", NOW, later(9), "1", later(9));
    let token = || TokenRecord::new("t", anna(), "n", NOW, later(9));
    let mut calls: Vec<(&str, Call)> = Vec::new();
    macro_rules! call {
        ($name:ident($($arg:expr),*)) => {
            let store = store.clone();
            calls.push((stringify!($name), Box::pin(async move {
                let result = tokio::time::timeout(TIMEOUT * 20, store.$name($($arg),*)).await;
                result.expect("it ends by its own deadline").map(drop)
            })));
        };
    }
    call!(find_key(&digest(4_711)));
    call!(find_owned_key(&anna(), "k"));
    call!(insert_key(key(9)));
    call!(list_keys(&anna(), None, 1_000));
    call!(find_key_by_id("k"));
    call!(list_all_keys(None, 1_000));
    call!(rename_key(&anna(), "k", "n"));
    call!(rotate_key(&anna(), "k", key(8), later(1), NOW));
    call!(revoke_key(&anna(), "k", NOW));
    call!(replace_key_digest(&digest(1), digest(2)));
    call!(note_key_uses(&[(digest(1), NOW)]));
    call!(next_key_number());
    call!(purge_keys(NOW, 1));
    call!(find_user("anna"));
    call!(find_user_by_id(&anna()));
    call!(account(&anna()));
    call!(commit(None, vec![Write::InsertKey(key(9))]));
    call!(insert_user(UserRecord::new(anna(), "anna")));
    call!(change_user(&anna(), UserChange::default()));
    call!(replace_password(&anna(), None, Secret::new("h".to_owned())));
    call!(list_users(None, 1));
    call!(remove_user(&anna()));
    call!(is_revoked(TokenIds::new("t", None), NOW));
    call!(revoke_token("t", later(9), NOW));
    call!(insert_family(family()));
    call!(find_family("f"));
    call!(rotate_family(Rotation::new("f", "1", "2", later(9)), NOW));
    call!(revoke_family("f", later(9), NOW));
    call!(revoke_subject(&anna(), later(9), NOW));
    call!(insert_private_token(token()));
    call!(list_private_tokens(&anna(), None, 1_000));
    call!(revoke_private_token(&anna(), "t", NOW));
    call!(note_token_uses(&[("t".to_owned(), NOW)]));
    call!(purge_tokens(NOW, 1));
    calls
}

async fn migrated(server: &str) -> String {
    let url = schema_of(server).await;
    node(&url, options()).await.migrate().await.unwrap();
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_is_503_until_it_is_back() {
    let mut server = Server::start().await;
    let service = Service::new(&migrated(&server.url()).await, quick()).await;
    for round in ["killed once", "killed twice"] {
        server.kill();
        service.is_away(round).await;
        server.resume().await;
        service.is_back(round).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_broken_or_silent_network_is_503_until_it_is_good_again() {
    let (proxy, url) = proxied(&migrated(&server()).await).await;
    let service = Service::new(&url, quick()).await;
    for network in [
        Network::Slow(Duration::from_secs(5)),
        Network::Reset,
        Network::Silent,
    ] {
        let what = format!("{network:?}");
        proxy.set(network);
        service.is_away(&what).await;
        proxy.set(Network::Good);
        service.is_back(&what).await;
    }
    // A latency within the deadline is none of these.
    proxy.set(Network::Slow(Duration::from_millis(20)));
    service.is_back("20 ms").await;
}

/// A network before the server of that URL, and the URL by it.
async fn proxied(direct: &str) -> (Proxy, String) {
    let address = direct.split('@').nth(1).unwrap().split('/').next().unwrap();
    let proxy = Proxy::to(address.to_owned()).await;
    let url = direct.replace(address, &format!("127.0.0.1:{}", proxy.port));
    (proxy, url)
}

fn happened(n: usize) -> AuditRecord {
    let mut record = AuditRecord::new("key used", later(7));
    record.target = Some(n.to_string().into());
    record
}

#[tokio::test]
async fn a_backlog_of_the_audit_is_written_within_the_deadline_though_the_server_is_far_away() {
    let (proxy, url) = proxied(&migrated(&server()).await).await;
    // 300 statements would take twelve seconds.
    let store = node(&url, options().timeout(Duration::from_secs(3))).await;
    let backlog: Vec<AuditRecord> = (0..300).map(happened).collect();
    until("the node answers", async || {
        store.find_family("f").await.is_ok()
    })
    .await;
    proxy.set(Network::Slow(Duration::from_millis(20)));
    // Where this machine stands still it is written once more, as the audit does it.
    until("it is written", async || {
        store.insert_audit(&backlog).await.is_ok()
    })
    .await;
    proxy.set(Network::Good);
    let mut written = Vec::new();
    until("it is read", async || {
        let read = store.list_audit(Some(0), backlog.len()).await;
        written = read.unwrap_or_default();
        !written.is_empty()
    })
    .await;
    assert!(written.is_sorted_by(|one, next| one.number < next.number));
    for record in &mut written {
        record.number = 0;
    }
    assert_eq!(written, backlog);
}

#[tokio::test]
async fn while_a_node_holds_the_lock_of_the_audit_no_connection_of_another_stays_behind() {
    let url = migrated(&server()).await;
    let name = url.rsplit('=').next().unwrap();
    let store = node(&format!("{url}&application_name={name}"), quick()).await;
    until("the node answers", async || {
        store.find_family("f").await.is_ok()
    })
    .await;
    let mut holder = PgConnection::connect(&url).await.unwrap();
    admin_run(
        &mut holder,
        "BEGIN; LOCK TABLE tower_auth_audit IN EXCLUSIVE MODE",
    )
    .await;
    for n in 0..5 {
        let error = store.insert_audit(&[happened(n)]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    let waiting = format!(
        "SELECT pid::text FROM pg_stat_activity \
         WHERE application_name = '{name}' AND wait_event_type = 'Lock'"
    );
    let mut admin = PgConnection::connect(&url).await.unwrap();
    until("no connection waits that nobody waits for", async || {
        ask(&mut admin, &waiting).await.is_empty()
    })
    .await;
    admin_run(&mut holder, "ROLLBACK").await;
    until("it is written once the lock is gone", async || {
        store.insert_audit(&[happened(5)]).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn an_exhausted_pool_is_503_and_revocations_are_heard_all_the_same() {
    let url = migrated(&server()).await;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(2)
        .connect(&url)
        .await
        .unwrap();
    let store = Postgres::from_pool(pool.clone(), quick());
    let other = node(&url, options()).await;
    other.insert_key(key(1)).await.unwrap();
    until("a warm key", async || {
        store.find_key(&digest(1)).await.unwrap();
        matches!(store.peek_key(&digest(1)), Peek::Found(_))
    })
    .await;
    let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    every_call_is_unavailable(&store, "exhausted").await;
    assert!(
        store.lag().unwrap() < Duration::from_secs(5),
        "the feed has connections of its own"
    );
    other
        .revoke_key(&Subject::user("1"), "k1", NOW)
        .await
        .unwrap();
    until("the key is forgotten", async || {
        matches!(store.peek_key(&digest(1)), Peek::Ask)
    })
    .await;
    drop(held);
    until("it is back", async || {
        store.find_key(&digest(1)).await.is_ok()
    })
    .await;
    assert!(
        store
            .find_key(&digest(1))
            .await
            .unwrap()
            .unwrap()
            .revoked
            .is_some()
    );
}

#[tokio::test]
async fn a_slow_query_and_a_locked_row_are_503_and_leave_no_lock() {
    let url = migrated(&server()).await;
    let store = node(&url, quick()).await;
    store.insert_key(key(1)).await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin_run(
        &mut admin,
        "BEGIN; LOCK TABLE tower_auth_keys IN ACCESS EXCLUSIVE MODE",
    )
    .await;
    let owner = Subject::user("1");
    for result in [
        store.revoke_key(&owner, "k1", NOW).await,
        store.find_key(&digest(2)).await.map(drop),
    ] {
        assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    admin_run(&mut admin, "ROLLBACK").await;
    store.revoke_key(&owner, "k1", NOW).await.unwrap();
    // The server ends what nobody waits for any more by its own clock.
    until("no lock is left", async || {
        let lock = "BEGIN; LOCK TABLE tower_auth_keys IN ACCESS EXCLUSIVE MODE NOWAIT";
        let is_free = sqlx::raw_sql(lock).execute(&mut admin).await.is_ok();
        admin_run(&mut admin, "ROLLBACK").await;
        is_free
    })
    .await;
}

/// As on a replica, or on a primary that became one.
#[tokio::test]
async fn a_read_only_database_reads_and_its_writes_are_503_until_it_is_writable() {
    let server = Server::start().await;
    let url = migrated(&server.url()).await;
    let service = Service::new(&url, quick()).await;
    let mut admin = PgConnection::connect(&server.url()).await.unwrap();
    let set = async |admin: &mut PgConnection, on: &str| {
        // The administrator's session is not to be locked out.
        admin_run(admin, "SET default_transaction_read_only = off").await;
        admin_run(
            admin,
            &format!("ALTER SYSTEM SET default_transaction_read_only = {on}"),
        )
        .await;
        admin_run(admin, "SELECT pg_reload_conf()").await;
    };
    set(&mut admin, "on").await;
    until("writes fail", async || {
        service
            .store
            .revoke_token("probe", later(9), NOW)
            .await
            .is_err()
    })
    .await;
    for (call, result) in calls(&service.store) {
        let result = result.await;
        let reads = ["find_", "list_", "is_", "account"]
            .iter()
            .any(|prefix| call.starts_with(prefix));
        match result {
            Ok(()) => assert!(reads, "{call} wrote"),
            Err(error) => assert!(
                !reads && error.kind() == StoreErrorKind::Unavailable,
                "{call}: {error:?}"
            ),
        }
    }
    assert_eq!(
        (
            service.status(&service.cold).await,
            service.status(&service.revoked).await
        ),
        (200, 401)
    );
    set(&mut admin, "off").await;
    until("writes succeed", async || {
        service
            .store
            .revoke_token("probe", later(9), NOW)
            .await
            .is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_an_outage_that_is_allowed_for_what_is_warm_goes_on_and_what_is_revoked_does_not() {
    let mut server = Server::start().await;
    let url = migrated(&server.url()).await;
    let service = Service::new(&url, quick().outage(Duration::from_secs(10))).await;
    server.kill();
    // Past the bound, where it would end without.
    let past = async || service.store.lag().unwrap() > Duration::from_secs(2);
    until("past the bound", async || {
        assert_ne!(service.status(&service.revoked).await, 200);
        past().await
    })
    .await;
    let (warm, revoked) = (
        service.status(&service.warm).await,
        service.status(&service.revoked).await,
    );
    let lag = service.store.lag().unwrap();
    assert!(
        warm == 200 || lag >= Duration::from_secs(11),
        "{warm} after {lag:?}"
    );
    assert_ne!(revoked, 200);
    assert_eq!(service.status(&service.cold).await, 503);
    until("the outage is bounded", async || {
        service.status(&service.warm).await == 503
    })
    .await;
    assert!(service.store.lag().unwrap() >= Duration::from_secs(11));
    server.resume().await;
    service.is_back("after the outage").await;
}

#[tokio::test]
async fn a_service_that_starts_before_its_database_is_503_and_then_fine() {
    let mut server = Server::start().await;
    let url = migrated(&server.url()).await;
    server.kill();
    let store = node(&url, quick()).await;
    every_call_is_unavailable(&store, "not started").await;
    server.resume().await;
    until("fine", async || store.find_key(&digest(1)).await.is_ok()).await;
}

#[tokio::test]
async fn a_missing_schema_says_what_to_do_and_a_bad_url_shows_no_password() {
    let store = node(&schema().await, quick()).await;
    let missing = store.find_key(&digest(1)).await.unwrap_err();
    let source = std::error::Error::source(&missing).unwrap().to_string();
    assert_eq!(source, "the schema is missing: call migrate()");
    for url in [
        "postgres://anna:hunter2@127.0.0.1:port/auth",
        "postgres://anna:hunter2@[",
        "hunter2",
    ] {
        let error = tower_auth::store::Store::connect(url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
        assert!(
            !format!("{error:?} {error}").contains("hunter2"),
            "{error:?}"
        );
    }
}
