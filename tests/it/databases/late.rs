//! What a session makes while it is being ended is ended with it, on whatever node.

use super::support::*;
use std::time::Duration;
use tokio::task::JoinSet;
use tower_auth::store::{AllStores, Memory, Sqlite};
use tower_auth::{
    Clock, Grant, NewUser, PasswordPolicy, Principal, Realm, Secret, Subject, TokenIssuer, Tokens,
    Users,
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
                let expires = tower_auth::SystemClock.now() + Duration::from_secs(3_600);
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
