//! Several nodes on one database: what one revokes the others refuse within the bound.

use super::support::*;
use sqlx::{Connection, PgConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use tower_auth::Subject;
use tower_auth::store::{
    Account, FamilyRecord, KeyStore, Known, ManagedKeyStore, ManagedUserStore, Peek, Postgres,
    Sqlite, TakenRights, TokenIds, TokenStore, UserRecord, UserStore,
};

const BOUND: Duration = Duration::from_secs(1);
const TRIES: u32 = 1_000;

/// Whether this node would let a key pass, as the layer asks: memory first, then the database.
async fn passes(store: &impl KeyStore, n: u32) -> bool {
    let record = match store.peek_key(&digest(n)) {
        Peek::Found(record) => Some(record),
        Peek::Absent => None,
        _ => store.find_key(&digest(n)).await.unwrap(),
    };
    record.is_some_and(|record| record.is_active(NOW))
}

async fn warm(store: &impl KeyStore, n: u32) {
    until("a warm key", async || {
        assert!(passes(store, n).await);
        matches!(store.peek_key(&digest(n)), Peek::Found(_))
    })
    .await;
}

/// When a thing passed last, and when it was first refused, after `since`: each the beginning and
/// the end of a look.
struct Seen {
    passed: Duration,
    refused: Duration,
}

async fn watch(since: Instant, mut passes: impl AsyncFnMut() -> bool) -> Seen {
    let mut passed = Duration::ZERO;
    loop {
        let look = since.elapsed();
        if !passes().await {
            return Seen {
                passed,
                refused: since.elapsed(),
            };
        }
        passed = look;
        assert!(look < 60 * BOUND, "never refused");
        tokio::task::yield_now().await;
    }
}

/// Fails where a thing passes at the bound or later, however slow this machine is.
async fn refused_within_the_bound(since: Instant, passes: impl AsyncFnMut() -> bool) {
    let seen = watch(since, passes).await;
    assert!(seen.passed < BOUND, "passed after {:?}", seen.passed);
}

/// Revokes keys on one node and watches the other.
async fn tries(a: &Postgres, b: &Postgres, first: u32) -> Vec<Duration> {
    let mut lags = Vec::new();
    for n in (first..TRIES).step_by(8) {
        a.insert_key(key(n)).await.unwrap();
        warm(b, n).await;
        a.revoke_key(&Subject::user("1"), &format!("k{n}"), NOW)
            .await
            .unwrap();
        let seen = watch(Instant::now(), async || passes(b, n).await).await;
        assert!(seen.passed < BOUND, "passed after {:?}", seen.passed);
        lags.push(seen.refused);
    }
    lags
}

async fn report(what: &str, a: &Postgres, b: &Postgres) {
    let half = async |n| {
        tokio::join!(
            tries(a, b, n),
            tries(a, b, n + 1),
            tries(a, b, n + 2),
            tries(a, b, n + 3)
        )
    };
    let (one, other) = tokio::join!(half(0), half(4));
    let mut lags = [
        one.0, one.1, one.2, one.3, other.0, other.1, other.2, other.3,
    ]
    .concat();
    lags.sort_unstable();
    let (median, p99) = (lags[lags.len() / 2], lags[lags.len() * 99 / 100]);
    println!(
        "{what}: {} tries, median {median:?}, p99 {p99:?}, max {:?}",
        lags.len(),
        lags[lags.len() - 1]
    );
    assert_eq!(lags.len(), TRIES as usize);
}

async fn two_nodes() -> (Postgres, Postgres, String) {
    let url = schema().await;
    let name = url.rsplit('=').next().unwrap().to_owned();
    let a = node(&url, options()).await;
    a.migrate().await.unwrap();
    let b = node(&format!("{url}&application_name={name}"), options()).await;
    (a, b, name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_revoked_on_one_node_is_refused_on_the_other_within_the_bound() {
    let (a, b, _) = two_nodes().await;
    report("notified", &a, &b).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_while_the_notification_connection_is_being_cut() {
    let (a, b, name) = two_nodes().await;
    let cuts = AtomicUsize::new(0);
    let cut = async {
        let mut admin = PgConnection::connect(&server()).await.unwrap();
        let sql = format!(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
             WHERE application_name = '{name}' AND query LIKE 'LISTEN%'"
        );
        loop {
            cuts.fetch_add(ask(&mut admin, &sql).await.len(), Ordering::SeqCst);
        }
    };
    tokio::select! {
        () = report("polled, while notices are cut off", &a, &b) => {}
        () = cut => unreachable!(),
    }
    assert!(cuts.load(Ordering::SeqCst) > 10, "it was hardly cut");
}

#[tokio::test]
async fn users_and_tokens_that_one_node_denies_the_other_refuses_within_the_bound() {
    let (a, b, _) = two_nodes().await;
    let anna = Subject::user("anna");
    a.insert_user(UserRecord::new(anna.clone(), "anna").name("a@example.com"))
        .await
        .unwrap();
    let family =
        |id: &str| FamilyRecord::new(id, anna.clone(), "{}", NOW, later(900), "1", later(900));
    a.insert_family(family("f")).await.unwrap();
    let is_active_on_b = async || match b.peek_account(&anna) {
        Account::Ask => b.account(&anna).await.unwrap() == Account::Whole,
        known => known == Account::Whole,
    };
    let valid = async |token: TokenIds<'_>| match b.peek_revoked(token, NOW) {
        Known::Ask => !b.is_revoked(token, NOW).await.unwrap(),
        known => known == Known::No,
    };
    let named = async |name: &str| match b.peek_user(name) {
        Peek::Found(user) => user.is_active(),
        Peek::Absent => false,
        _ => b
            .find_user(name)
            .await
            .unwrap()
            .is_some_and(|user| user.is_active()),
    };
    until("b has heard", async || {
        is_active_on_b().await && b.lag().is_some()
    })
    .await;
    assert!(named("anna").await && named("a@example.com").await);

    for (is_active, expected) in [(false, false), (true, true), (false, false)] {
        let change = active(is_active);
        a.change_user(&anna, change).await.unwrap();
        let since = Instant::now();
        refused_within_the_bound(since, async || is_active_on_b().await != expected).await;
        refused_within_the_bound(since, async || named("a@example.com").await != expected).await;
    }
    a.revoke_token("t", later(900), NOW).await.unwrap();
    a.revoke_family("f", later(900), NOW).await.unwrap();
    let since = Instant::now();
    for token in [TokenIds::new("t", None), TokenIds::new("other", Some("f"))] {
        refused_within_the_bound(since, async || valid(token).await).await;
    }
    let change = names(&["ann"]);
    a.change_user(&anna, change).await.unwrap();
    let since = Instant::now();
    let found = async || matches!(b.peek_user("anna"), Peek::Found(_));
    refused_within_the_bound(since, found).await;
}

#[tokio::test]
async fn what_an_operator_changes_by_hand_is_heard_as_well() {
    let (a, _, name) = two_nodes().await;
    a.insert_key(key(1)).await.unwrap();
    a.insert_user(UserRecord::new(Subject::user("anna"), "anna"))
        .await
        .unwrap();
    warm(&a, 1).await;
    let mut admin = PgConnection::connect(&server()).await.unwrap();
    admin_run(
        &mut admin,
        &format!("UPDATE {name}.tower_auth_keys SET revoked = 5"),
    )
    .await;
    admin_run(
        &mut admin,
        &format!("UPDATE {name}.tower_auth_users SET active = 0"),
    )
    .await;
    let since = Instant::now();
    refused_within_the_bound(since, async || passes(&a, 1).await).await;
    let disabled = async || a.peek_account(&Subject::user("anna")) == Account::Closed;
    until("the user is disabled", disabled).await;
}

#[tokio::test]
async fn rights_that_an_operator_takes_by_hand_are_taken_on_every_node() {
    let (a, b, name) = two_nodes().await;
    let mut admin = PgConnection::connect(&server()).await.unwrap();
    let anna = UserRecord::new(Subject::user("anna"), "anna");
    let anna = anna.scope("read").scope("write").role("admin");
    a.insert_user(anna.clone()).await.unwrap();
    let has = async |scopes: &str, roles: &str, expected: Account| {
        let sql =
            format!("UPDATE {name}.tower_auth_users SET scopes = '{scopes}', roles = '{roles}'");
        admin_run(&mut admin, &sql).await;
        assert_eq!(a.account(&anna.id).await.unwrap(), expected);
        for node in [&a, &b] {
            until("the rights are heard of", async || {
                // A call starts the node's tasks.
                node.find_family("f").await.unwrap();
                node.peek_account(&anna.id) == expected
            })
            .await;
        }
    };
    let taken = |scopes: &[&str], roles: &[&str]| {
        let scopes = scopes.iter().copied().collect();
        let roles = roles.iter().copied().collect();
        Account::Reduced(std::sync::Arc::new(TakenRights::new(scopes, roles)))
    };
    let mut has = has;
    has("read", "[]", taken(&["write"], &["admin"])).await;
    has("", "[\"admin\"]", taken(&["read", "write"], &[])).await;
    has("write read", "[\"admin\"]", Account::Whole).await;
}

/// A change whose transaction began earlier and ends later than another's, which a cursor over
/// their numbers would miss.
#[tokio::test]
async fn changes_that_are_committed_out_of_their_order_are_heard() {
    let (a, _, name) = two_nodes().await;
    for n in [1, 2] {
        a.insert_key(key(n)).await.unwrap();
        warm(&a, n).await;
    }
    let mut slow = PgConnection::connect(&server()).await.unwrap();
    let revoke = |n| format!("UPDATE {name}.tower_auth_keys SET revoked = 5 WHERE id = 'k{n}'");
    admin_run(&mut slow, &format!("BEGIN; {}", revoke(1))).await;
    let mut fast = PgConnection::connect(&server()).await.unwrap();
    admin_run(&mut fast, &revoke(2)).await;
    until("the second change is heard", async || !passes(&a, 2).await).await;
    assert!(passes(&a, 1).await, "the first one is not committed");
    admin_run(&mut slow, "COMMIT").await;
    let since = Instant::now();
    refused_within_the_bound(since, async || passes(&a, 1).await).await;
}

#[tokio::test]
async fn two_processes_on_one_sqlite_file_hear_of_each_other() {
    let dir = Dir::new();
    let open = async || Sqlite::open_with(dir.file(), options()).await.unwrap();
    let (a, b) = (open().await, open().await);
    a.migrate().await.unwrap();
    for n in 0..10 {
        a.insert_key(key(n)).await.unwrap();
        warm(&b, n).await;
        a.revoke_key(&Subject::user("1"), &format!("k{n}"), NOW)
            .await
            .unwrap();
        let since = Instant::now();
        assert!(
            !passes(&a, n).await,
            "through this node it is seen by the next request"
        );
        refused_within_the_bound(since, async || passes(&b, n).await).await;
    }
}

#[tokio::test]
async fn a_node_sees_its_own_changes_at_once_while_it_hears_of_them_as_well() {
    let store = postgres().await;
    let anna = Subject::user("anna");
    store
        .insert_user(UserRecord::new(anna.clone(), "anna"))
        .await
        .unwrap();
    for n in 0..200 {
        store.insert_key(key(n)).await.unwrap();
        warm(&store, n).await;
        store
            .revoke_key(&Subject::user("1"), &format!("k{n}"), NOW)
            .await
            .unwrap();
        assert!(!passes(&store, n).await);
        let is_active = n % 2 == 0;
        let change = active(is_active);
        store.change_user(&anna, change).await.unwrap();
        for _ in 0..20 {
            match store.peek_account(&anna) {
                Account::Ask => {}
                known => assert_eq!(known == Account::Whole, is_active, "round {n}"),
            }
            tokio::task::yield_now().await;
        }
    }
}
