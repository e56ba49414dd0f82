//! What a session makes while it is being ended is ended with it, on whatever node.

use super::support::*;
use sqlx::{Connection, PgConnection, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tower_auth::clock::Clock;
use tower_auth::store::{
    AllStores, KeyDigest, KeyRecord, ManagedUserStore, Memory, Room, Sqlite, StoreErrorKind,
    TokenRecord, UserRecord, Warrant, Write,
};
use tower_auth::{
    Grant, NewUser, PasswordPolicy, Principal, Realm, Secret, Subject, TokenIssuer, Tokens, Users,
};

const ROUNDS: usize = 5;
const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdef0123456789abcdef";

fn password(n: usize) -> Secret<String> {
    Secret::new(format!("tests only: Pferd-Batterie {n}"))
}

struct Node {
    users: Users,
    tokens: TokenIssuer,
    auth: tower_auth::AuthLayer,
}

fn node_of(store: impl AllStores) -> Node {
    let realm = Realm::new(store).store_deadline(Duration::from_secs(20));
    let tokens = Tokens::hs256(SECRET).issuer("https://api.example.com");
    let tokens = realm.tokens(tokens);
    Node {
        users: realm.users(PasswordPolicy::new()),
        auth: tower_auth::AuthLayer::builder()
            .accept(&tokens)
            .build()
            .unwrap(),
        tokens,
    }
}

/// Who a node says that an access token is of, where it is good.
async fn caller(node: &Node, access: &str) -> Option<Principal> {
    use tower::{Layer, ServiceExt};
    let inner = tower::service_fn(async |request: http::Request<String>| {
        let caller = Principal::from_extensions(request.extensions()).unwrap();
        let mut response = http::Response::new(String::new());
        response.extensions_mut().insert(caller);
        Ok::<_, std::convert::Infallible>(response)
    });
    let request = http::Request::get("/").header("authorization", format!("Bearer {access}"));
    let request = request.body(String::new()).unwrap();
    let response = node.auth.layer(inner).oneshot(request).await.unwrap();
    response.extensions().get().cloned()
}

/// Whoever has stolen a session makes private tokens by it as fast as they can, on one node, while
/// its owner changes the password on another: afterwards none of them is good.
async fn a_stolen_session_leaves_nothing(owner: &Node, thief: &Node) {
    let new = NewUser::new("anna@example.com", password(0)).id(Subject::user("anna"));
    owner.users.register(new).await.unwrap();
    let anna = Subject::user("anna");
    for n in 0..ROUNDS {
        let pair = owner.tokens.issue(Grant::new(anna.clone())).await.unwrap();
        let stolen = caller(thief, pair.access().expose()).await.unwrap();
        let mut making = JoinSet::new();
        for _ in 0..4 {
            let tokens = thief.tokens.on_behalf_of(&stolen);
            let grant = Grant::new(anna.clone());
            making.spawn(async move {
                let expires = tower_auth::clock::SystemClock.now() + Duration::from_secs(3_600);
                let mut made = 0;
                while tokens
                    .issue_private(grant.clone(), "stolen", expires)
                    .await
                    .is_ok()
                {
                    made += 1;
                }
                made
            });
        }
        let current = password(n);
        let changed = owner
            .users
            .change_password(&anna, &current, password(n + 1));
        changed.await.unwrap();
        let made: usize = making.join_all().await.into_iter().sum();
        let left = owner.tokens.private_tokens(&anna).await.unwrap();
        let alive = left.iter().filter(|token| token.revoked.is_none());
        assert_eq!(alive.count(), 0, "of {made} in round {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_session_makes_while_the_password_changes_ends_with_it_in_memory() {
    let memory = node_of(Memory::new());
    a_stolen_session_leaves_nothing(&memory, &memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_session_makes_while_the_password_changes_ends_with_it_on_sqlite() {
    for is_another_process in [false, true] {
        let dir = Dir::new();
        let one = Sqlite::open_with(dir.file(), options()).await.unwrap();
        one.migrate().await.unwrap();
        let other = if is_another_process {
            Sqlite::open_with(dir.file(), options()).await.unwrap()
        } else {
            one.clone()
        };
        let owner = node_of(one);
        let thief = node_of(other);
        a_stolen_session_leaves_nothing(&owner, &thief).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_session_makes_while_the_password_changes_ends_with_it_on_postgresql() {
    let url = schema().await;
    let one = node(&url, options()).await;
    one.migrate().await.unwrap();
    let other = node(&url, options()).await;
    a_stolen_session_leaves_nothing(&node_of(one), &node_of(other)).await;
}

/// What needs the last place of an owner, which one of many may have.
fn for_the_last_place(round: usize, n: usize) -> [Vec<Write>; 2] {
    let owner = Subject::user(format!("olga-{round}"));
    let room = Room::new(1, NOW);
    let id = format!("o{round}.{n}");
    let mut bytes = [0; 32];
    bytes[..id.len()].copy_from_slice(id.as_bytes());
    let digest = KeyDigest::new("sha256", bytes);
    let key = KeyRecord::new(&*id, owner.clone(), "ci", "egret_…", digest, NOW);
    let token = TokenRecord::new(&*id, owner.clone(), "laptop", NOW, later(500));
    let of_key = owner.clone();
    [
        vec![
            Write::RoomForKey {
                owner: of_key,
                room,
            },
            Write::InsertKey(key),
        ],
        vec![
            Write::RoomForPrivateToken { owner, room },
            Write::InsertPrivateToken(token),
        ],
    ]
}

async fn the_last_place_is_one(nodes: &[Arc<dyn AllStores>]) {
    for round in 0..10 {
        for which in 0..2 {
            let mut tasks = JoinSet::new();
            for n in 0..8 {
                let store = Arc::clone(&nodes[n % nodes.len()]);
                let writes = for_the_last_place(round, n)[which].clone();
                tasks.spawn(async move { store.commit(None, writes).await });
            }
            let mut made = 0;
            while let Some(done) = tasks.join_next().await {
                match done.unwrap() {
                    Ok(()) => made += 1,
                    Err(error) => assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}"),
                }
            }
            assert_eq!(made, 1, "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_last_place_at_once_on_all_nodes_one_gets_it() {
    the_last_place_is_one(&[Arc::new(Memory::new())]).await;

    let url = schema().await;
    let first = node(&url, options()).await;
    first.migrate().await.unwrap();
    let second = node(&url, options()).await;
    the_last_place_is_one(&[Arc::new(first), Arc::new(second)]).await;

    let dir = Dir::new();
    let first = sqlite(&dir).await;
    let nodes: [Arc<dyn AllStores>; 1] = [Arc::new(first)];
    the_last_place_is_one(&nodes).await;
}

/// A change that is not committed yet is waited for: what it takes away is not given meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_being_disabled_makes_nothing_meanwhile() {
    let url = schema().await;
    let store = node(&url, options()).await;
    store.migrate().await.unwrap();
    let anna = Subject::user("anna");
    let user = UserRecord::new(anna.clone(), "anna@example.com");
    store.insert_user(user).await.unwrap();
    let mut operator = PgConnection::connect(&url).await.unwrap();
    let id = sqlx::query("SELECT pg_backend_pid()");
    let id: i32 = id.fetch_one(&mut operator).await.unwrap().get(0);
    let disabling = "UPDATE tower_auth_users SET active = 0 WHERE id = 'anna'";
    admin_run(&mut operator, &format!("BEGIN; {disabling}")).await;

    let committing = store.clone();
    let asking = tokio::spawn(async move {
        let mut warrant = Warrant::new(NOW);
        warrant.account = Some(anna);
        let write = Write::InsertKey(key(1));
        committing.commit(Some(&warrant), vec![write]).await
    });
    let mut watcher = PgConnection::connect(&url).await.unwrap();
    let waiting = format!("SELECT 1 FROM pg_stat_activity WHERE {id} = ANY(pg_blocking_pids(pid))");
    until("it waits, or has not waited", async || {
        let waits = sqlx::query(sqlx::AssertSqlSafe(waiting.clone()));
        let waits = waits.fetch_optional(&mut watcher).await.unwrap();
        waits.is_some() || asking.is_finished()
    })
    .await;
    admin_run(&mut operator, "COMMIT").await;
    let refused = asking.await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Revoked);
}
