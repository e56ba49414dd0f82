//! What an operator deletes by hand takes nothing back that was denied.

use super::support::*;
use crate::support::{bearer, send};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tower_auth::store::{
    Account, ManagedUserStore, Sqlite, Store, StoreErrorKind, TokenStore, UserRecord,
};
use tower_auth::test_util::ManualClock;
use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Subject};

/// Whoever types SQL.
enum Operator {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Operator {
    async fn run(&mut self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Postgres(admin) => drop(sqlx::raw_sql(sql).execute(admin).await.unwrap()),
            Self::Sqlite(admin) => drop(sqlx::raw_sql(sql).execute(admin).await.unwrap()),
        }
    }
}

/// A database of either kind: two nodes, an operator, and a node that starts later.
struct World {
    nodes: Vec<Store>,
    operator: Operator,
    place: Place,
}

enum Place {
    Postgres(String),
    Sqlite(Dir),
}

impl World {
    async fn postgres() -> Self {
        let url = schema().await;
        let operator = PgConnection::connect(&url).await.unwrap();
        Self::of(Place::Postgres(url), Operator::Postgres(operator)).await
    }

    async fn sqlite() -> Self {
        let dir = Dir::new();
        drop(Sqlite::open(dir.file()).await.unwrap());
        let file = format!("sqlite:{}", dir.file().display());
        let operator = SqliteConnection::connect(&file).await.unwrap();
        Self::of(Place::Sqlite(dir), Operator::Sqlite(operator)).await
    }

    async fn of(place: Place, operator: Operator) -> Self {
        let mut world = Self {
            nodes: Vec::new(),
            operator,
            place,
        };
        for _ in 0..2 {
            let node = world.start().await;
            node.migrate().await.unwrap();
            world.nodes.push(node);
        }
        world
    }

    async fn start(&self) -> Store {
        match &self.place {
            Place::Postgres(url) => node(url, options()).await.into(),
            Place::Sqlite(dir) => {
                let store = Sqlite::open_with(dir.file(), options()).await.unwrap();
                store.into()
            }
        }
    }

    /// Whether all nodes say so of a user: those that run, from memory, and one that starts now.
    async fn all_say(&mut self, what: &str, id: &Subject, is_disabled: bool) {
        let later = self.start().await;
        self.nodes.push(later);
        for node in &self.nodes {
            until(what, async || {
                // A call starts the node's tasks.
                node.find_family("f").await.unwrap();
                (node.peek_account(id) == Account::Closed) == is_disabled
            })
            .await;
            let account = node.account(id).await.unwrap();
            assert_eq!(account == Account::Closed, is_disabled, "{what}");
        }
        self.nodes.pop();
    }
}

/// One whose row was deleted while active, disabled or removed.
async fn user(store: &Store, name: &str) -> Subject {
    let id = Subject::user(name);
    let record = UserRecord::new(id.clone(), name);
    store.insert_user(record).await.unwrap();
    match name {
        "disabled" => drop(store.change_user(&id, active(false)).await.unwrap()),
        "removed" => store.remove_user(&id).await.unwrap(),
        _ => {}
    }
    id
}

const STATES: [&str; 3] = ["active", "disabled", "removed"];

async fn deleted_by(mut world: World, sql: &str) {
    let never = Subject::user("never a user");
    let mut ids = Vec::new();
    for state in STATES {
        ids.push(user(&world.nodes[0], state).await);
    }
    world.all_say("before", &ids[1], true).await;
    world.operator.run(sql).await;
    for (state, id) in STATES.iter().zip(&ids) {
        let what = format!("{state}, {sql}");
        world.all_say(&what, id, true).await;
        let again = UserRecord::new(id.clone(), "somebody else");
        let taken = world.nodes[1].insert_user(again).await.unwrap_err();
        assert_eq!(taken.kind(), StoreErrorKind::Exists, "{what}");
        assert!(world.nodes[1].find_user_by_id(id).await.unwrap().is_none());
    }
    world.all_say("who never was one", &never, false).await;

    // Who inserts the row by hand means it, and what follows is heard.
    for (state, id) in STATES.iter().zip(&ids) {
        let what = format!("{state}, back after {sql}");
        let insert = format!(
            "INSERT INTO tower_auth_users \
             (kind, id, names, active, scopes, roles, created, removed, version) \
             VALUES ('user', '{state}', '[]', 1, '', '[]', 0, 0, 1)"
        );
        world.operator.run(&insert).await;
        world.all_say(&what, id, false).await;
        let change = active(false);
        world.nodes[0].change_user(id, change).await.unwrap();
        world.all_say(&format!("{what}, disabled"), id, true).await;
    }
}

#[tokio::test]
async fn a_user_whose_row_an_operator_deletes_stays_refused_on_every_node_and_after_a_restart() {
    deleted_by(World::sqlite().await, "DELETE FROM tower_auth_users").await;
    deleted_by(World::postgres().await, "DELETE FROM tower_auth_users").await;
    let truncate = "TRUNCATE tower_auth_users CASCADE";
    deleted_by(World::postgres().await, truncate).await;
}

#[tokio::test]
async fn a_deleted_user_s_key_stays_refused_and_that_of_who_never_was_a_user_goes_on() {
    for world in [World::sqlite().await, World::postgres().await] {
        let mut world = world;
        let realm = Realm::new(world.nodes[1].clone()).clock(ManualClock::new(0));
        let keys = realm.api_keys(ApiKeys::prefix("egret"));
        let auth = AuthLayer::builder().accept(&keys).build().unwrap();
        let mut issued = Vec::new();
        for state in STATES {
            let id = user(&world.nodes[0], state).await;
            issued.push(keys.issue(KeyRequest::new(id, "ci")).await.unwrap());
        }
        let never = KeyRequest::new(Subject::new("machine", "7"), "ci");
        let never = keys.issue(never).await.unwrap();
        let status = async |key: &str| send(&auth, bearer(key)).await.status.as_u16();
        world.operator.run("DELETE FROM tower_auth_users").await;
        let active = Subject::user("active");
        until("heard", async || {
            // A call starts the node's tasks.
            world.nodes[1].find_family("f").await.unwrap();
            world.nodes[1].peek_account(&active) == Account::Closed
        })
        .await;
        for _ in 0..20 {
            for key in &issued {
                assert_eq!(status(key.key.expose()).await, 401);
            }
            assert_eq!(status(never.key.expose()).await, 200);
        }
    }
}
