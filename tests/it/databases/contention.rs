//! Who ends or removes something is never kept from it by who only notes something.

use super::faults::calls;
use super::support::*;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use std::time::Duration;
use tokio::time::Instant;
use tower_auth::Subject;
use tower_auth::store::{
    FamilyRecord, KeyDigest, ManagedKeyStore, ManagedUserStore, Postgres, PrivateTokenStore,
    Rotation, Sqlite, StoreError, StoreErrorKind, TokenIds, TokenRecord, TokenStore, UserRecord,
};

/// How often a race is run: a few times here, a thousand times by `.ci/races`.
fn rounds(few: u32) -> u32 {
    match std::env::var("TOWER_AUTH_STORE_RACES") {
        Ok(many) => many.parse().unwrap(),
        Err(_) => few,
    }
}

/// A database of its own, whose deadlocks the server counts apart.
async fn database() -> (String, String) {
    let name = schema().await.rsplit('=').next().unwrap().to_owned();
    let mut admin = PgConnection::connect(&server()).await.unwrap();
    admin_run(&mut admin, &format!("CREATE DATABASE {name}")).await;
    let url = server();
    let (address, _) = url.rsplit_once('/').unwrap();
    (format!("{address}/{name}"), name)
}

const FAMILIES: u32 = 16;
const TOKENS: u32 = 48;
const KEYS: u32 = 16;

/// One user's records, whose ids come in another order than their creation.
fn records(round: u32) -> [String; 4] {
    let (families, tokens, keys) = (FAMILIES - 1, TOKENS - 1, KEYS - 1);
    [
        format!(
            "INSERT INTO tower_auth_users \
             (kind, id, names, active, scopes, roles, created, removed, version) \
             VALUES ('user', 'u{round}', '[\"n{round}\"]', 1, '', '[]', 0, 0, 1)"
        ),
        format!(
            "INSERT INTO tower_auth_families \
             (id, subject_kind, subject_id, grants, created, ends, current, expires) \
             SELECT 'f{round}.' || n, 'user', 'u{round}', '{{}}', 100 - n, 9000000, '1', 9000000 \
             FROM generate_series(0, {families}) AS s (n)"
        ),
        // Every fourth one expired, and may be removed meanwhile.
        format!(
            "INSERT INTO tower_auth_private_tokens \
             (id, owner_kind, owner_id, name, created, expires) \
             SELECT 't{round}.' || n, 'user', 'u{round}', 'n', 100 - n, \
             CASE WHEN n % 4 = 3 THEN 1000000 ELSE 9000000 END \
             FROM generate_series(0, {tokens}) AS s (n)"
        ),
        format!(
            "INSERT INTO tower_auth_keys (id, owner_kind, owner_id, name, hint, algorithm, digest, \
             scopes, roles, created, expires, lineage) \
             SELECT 'k{round}.' || n, 'user', 'u{round}', 'n', 'h', 'sha256', \
             convert_to(lpad('{round}.' || n, 32, '0'), 'UTF8'), '', '[]', 100 - n, \
             CASE WHEN n % 4 = 3 THEN 1000000 ELSE 9000000 END, 'k{round}.' || n \
             FROM generate_series(0, {keys}) AS s (n)"
        ),
    ]
}

fn raced_digest(round: u32, n: u32) -> KeyDigest {
    let text = format!("{:0>32}", format!("{round}.{n}"));
    KeyDigest::new("sha256", text.as_bytes().try_into().unwrap())
}

/// All that ends, removes and notes what one user has, at once and from two nodes.
async fn race(a: &Postgres, b: &Postgres, round: u32) {
    let user = Subject::user(format!("u{round}"));
    let token = |n: u32| format!("t{round}.{n}");
    let family = |n: u32| format!("f{round}.{n}");
    let token_uses: Vec<_> = (0..TOKENS).map(|n| (token(n), later(5))).collect();
    let key_uses: Vec<_> = (0..KEYS)
        .map(|n| (raced_digest(round, n), later(5)))
        .collect();
    let twice = async |node: &Postgres| node.revoke_subject(&user, later(9), NOW).await;
    let noted = async |node: &Postgres| {
        for _ in 0..4 {
            node.note_token_uses(&token_uses).await?;
            node.note_key_uses(&key_uses).await?;
        }
        Ok(())
    };
    let one_by_one = async |node: &Postgres| {
        for n in (0..TOKENS).filter(|n| n % 4 != 3) {
            node.revoke_private_token(&user, &token(n), NOW).await?;
        }
        for n in 0..FAMILIES {
            node.revoke_family(&family(n), later(9), NOW).await?;
        }
        node.revoke_token(&token(0), later(9), NOW).await
    };
    let reused = async |node: &Postgres| {
        for n in (0..FAMILIES).rev() {
            let family = family(n);
            let rotation = Rotation::new(&family, "no such", "2", later(9));
            node.rotate_family(rotation, NOW).await?;
        }
        node.revoke_families(&user, later(9), NOW).await
    };
    let keys = async |node: &Postgres| {
        for n in (0..KEYS).filter(|n| n % 4 != 3) {
            node.revoke_key(&user, &format!("k{round}.{n}"), NOW)
                .await?;
        }
        Ok(())
    };
    let purged = async |node: &Postgres| {
        node.purge_private_tokens(later(2), 1_000).await?;
        node.purge_keys(later(2), 1_000).await?;
        node.purge_tokens(later(2), 1_000).await.map(drop)
    };
    let removed = async |node: &Postgres| {
        node.change_user(&user, active(false)).await?;
        node.remove_user(&user).await
    };
    type Ended = Result<(), StoreError>;
    let results: [Ended; 9] = <[Ended; 9]>::from(tokio::join!(
        twice(a),
        twice(b),
        noted(a),
        noted(b),
        one_by_one(b),
        reused(a),
        keys(a),
        purged(b),
        removed(b),
    ));
    let names = [
        "signed out everywhere",
        "signed out everywhere, twice",
        "noted",
        "noted on the other node",
        "revoked one by one",
        "reused",
        "keys revoked",
        "purged",
        "removed",
    ];
    for (what, result) in names.iter().zip(&results) {
        assert!(result.is_ok(), "round {round}: {what}: {result:?}");
    }
    for n in 0..TOKENS {
        let id = token(n);
        let ids = TokenIds::new(&id, None);
        assert!(a.is_revoked(ids, NOW).await.unwrap() || n % 4 == 3, "{id}");
    }
    for n in 0..FAMILIES {
        let id = family(n);
        let ids = TokenIds::new("other", Some(&id));
        assert!(a.is_revoked(ids, NOW).await.unwrap(), "{id}");
    }
    let live = a.list_keys(&user, None, 100).await.unwrap();
    assert!(live.iter().all(|key| !key.is_active(later(2))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_out_everywhere_never_fails_beside_the_noting_of_last_uses() {
    let (url, name) = database().await;
    let (a, b) = (node(&url, options()).await, node(&url, options()).await);
    a.migrate().await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let rounds = rounds(20);
    for round in 0..rounds {
        for sql in records(round) {
            admin_run(&mut admin, &sql).await;
        }
        race(&a, &b, round).await;
    }
    // A connection that ends has told all that it counted.
    drop((a, b));
    let mut server = PgConnection::connect(&server()).await.unwrap();
    let others = format!(
        "SELECT pid::text FROM pg_stat_activity WHERE datname = '{name}' AND pid <> {}",
        "pg_backend_pid()"
    );
    admin.close().await.unwrap();
    until("the nodes are gone", async || {
        ask(&mut server, &others).await.is_empty()
    })
    .await;
    let deadlocks =
        format!("SELECT deadlocks::text FROM pg_stat_database WHERE datname = '{name}'");
    assert_eq!(
        ask(&mut server, &deadlocks).await,
        ["0"],
        "some were retried"
    );
    println!("{rounds} rounds, no deadlock");
}

/// A schema in which everything that writes is refused as often as is planned.
async fn refusing(admin: &mut PgConnection) {
    admin_run(
        admin,
        "CREATE SEQUENCE refusals; \
         CREATE TABLE planned (code text, most bigint); \
         INSERT INTO planned VALUES ('40P01', 0); \
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ \
         DECLARE plan planned; BEGIN \
         SELECT * INTO plan FROM planned; \
         IF plan.most > 0 AND nextval('refusals') <= plan.most THEN \
           RAISE EXCEPTION 'planted' USING ERRCODE = plan.code; END IF; \
         RETURN NULL; END $$",
    )
    .await;
    for table in [
        "keys",
        "numbers",
        "users",
        "families",
        "private_tokens",
        "revoked",
    ] {
        admin_run(
            admin,
            &format!(
                "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON tower_auth_{table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
            ),
        )
        .await;
    }
}

/// The records that all calls are about, as new.
async fn anew(store: &Postgres, admin: &mut PgConnection) {
    admin_run(
        admin,
        "UPDATE planned SET most = 0; DELETE FROM tower_auth_keys; \
         DELETE FROM tower_auth_families; DELETE FROM tower_auth_private_tokens; \
         DELETE FROM tower_auth_revoked; DELETE FROM tower_auth_users; \
         DELETE FROM tower_auth_deleted_users",
    )
    .await;
    let anna = Subject::user("anna");
    let mut record = key(1);
    record.id = "k".into();
    record.owner = anna.clone();
    store.insert_key(record).await.unwrap();
    store
        .insert_user(UserRecord::new(anna.clone(), "anna"))
        .await
        .unwrap();
    let family = FamilyRecord::new("f", anna.clone(), "{}", NOW, later(9), "1", later(9));
    store.insert_family(family).await.unwrap();
    let token = TokenRecord::new("t", anna, "n", NOW, later(9));
    store.insert_private_token(token).await.unwrap();
}

#[tokio::test]
async fn what_the_database_gave_up_for_another_transaction_is_done_again_once() {
    let url = schema().await;
    let store = node(&url, options()).await;
    store.migrate().await.unwrap();
    let mut admin = PgConnection::connect(&url).await.unwrap();
    refusing(&mut admin).await;
    let reads = |name: &str| {
        ["find_", "list_", "is_", "account"]
            .iter()
            .any(|read| name.starts_with(read))
    };
    let names: Vec<_> = calls(&store).into_iter().map(|(name, _)| name).collect();
    let names = names.into_iter().filter(|name| !reads(name));
    for name in names.collect::<Vec<_>>() {
        let mut kinds = Vec::new();
        for (code, most) in [
            ("40P01", 0),
            ("40P01", 1),
            ("40001", 1),
            ("40P01", 2),
            ("40001", 2),
        ] {
            anew(&store, &mut admin).await;
            let plan = format!(
                "ALTER SEQUENCE refusals RESTART; UPDATE planned SET code = '{code}', most = {most}"
            );
            admin_run(&mut admin, &plan).await;
            let call = calls(&store)
                .into_iter()
                .find(|(called, _)| *called == name);
            let result = call.unwrap().1.await;
            kinds.push(result.map_err(|error| error.kind()));
            if most > 0 {
                let asked = "SELECT last_value::text FROM refusals WHERE is_called";
                let asked = ask(&mut admin, asked).await;
                let asked: i64 = asked.first().expect(name).parse().unwrap();
                assert!(asked >= most, "{name}: refused {asked} times");
                assert!(asked == 2 || most == 1, "{name}: tried {asked} times");
            }
        }
        assert_eq!(kinds[1], kinds[0], "{name}: a deadlock");
        assert_eq!(kinds[2], kinds[0], "{name}: not one after the other");
        assert_eq!(kinds[3], Err(StoreErrorKind::Unavailable), "{name}");
        assert_eq!(kinds[4], Err(StoreErrorKind::Unavailable), "{name}");
    }
}

const MANY: u32 = 10_000;

/// A store with many keys and private tokens, and a connection that looks on.
async fn with_many(dir: &Dir) -> (Sqlite, SqliteConnection) {
    let store = Sqlite::open_with(dir.file(), options()).await.unwrap();
    store.migrate().await.unwrap();
    let file = format!("sqlite:{}", dir.file().display());
    let mut onlooker = SqliteConnection::connect(&file).await.unwrap();
    let numbers = format!(
        "(WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {MANY}) \
         SELECT n FROM s WHERE n < {MANY})"
    );
    for sql in [
        format!(
            "INSERT INTO tower_auth_keys (id, owner_kind, owner_id, name, hint, algorithm, digest, \
             scopes, roles, created, lineage) SELECT 'many' || n, 'user', 'u', 'n', 'h', 'sha256', \
             CAST(printf('%032d', n) AS BLOB), '', '[]', n, 'many' || n FROM {numbers}"
        ),
        format!(
            "INSERT INTO tower_auth_private_tokens \
             (id, owner_kind, owner_id, name, created, expires) \
             SELECT 'many' || n, 'user', 'u', 'n', n, 9000000 FROM {numbers}"
        ),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut onlooker)
            .await
            .unwrap();
    }
    (store, onlooker)
}

async fn noted(onlooker: &mut SqliteConnection, table: &'static str) -> u32 {
    let sql = format!("SELECT count(*) FROM {table} WHERE used IS NOT NULL");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(onlooker);
    rows.await.unwrap().get(0)
}

#[tokio::test]
async fn a_write_gets_in_between_the_notes_of_ten_thousand_last_uses() {
    let dir = Dir::new();
    let (store, mut onlooker) = with_many(&dir).await;
    let key_uses: Vec<_> = (0..MANY)
        .map(|n| {
            let text = format!("{n:032}");
            let bytes = text.as_bytes().try_into().unwrap();
            (KeyDigest::new("sha256", bytes), later(5))
        })
        .collect();
    let token_uses: Vec<_> = (0..MANY).map(|n| (format!("many{n}"), later(5))).collect();

    let insertion = async {
        store.insert_key(key(1)).await.unwrap();
        noted(&mut onlooker, "tower_auth_keys").await
    };
    let (notes, seen) = tokio::join!(store.note_key_uses(&key_uses), insertion);
    notes.unwrap();
    assert!(seen < MANY, "it waited for all of them");
    assert_eq!(noted(&mut onlooker, "tower_auth_keys").await, MANY);

    let insertion = async {
        store.insert_key(key(2)).await.unwrap();
        noted(&mut onlooker, "tower_auth_private_tokens").await
    };
    let (notes, seen) = tokio::join!(store.note_token_uses(&token_uses), insertion);
    notes.unwrap();
    assert!(seen < MANY, "it waited for all of them");
    assert_eq!(
        noted(&mut onlooker, "tower_auth_private_tokens").await,
        MANY
    );
}

/// Prints how long a write takes meanwhile: `.ci/races` runs it for long and judges that.
#[tokio::test]
async fn writes_succeed_while_last_uses_are_noted_without_end() {
    let dir = Dir::new();
    let (store, _onlooker) = with_many(&dir).await;
    let other = Sqlite::open_with(dir.file(), options()).await.unwrap();
    let notes = async {
        for at in 0.. {
            let uses: Vec<_> = (0..MANY).map(|n| (format!("many{n}"), later(at))).collect();
            store.note_token_uses(&uses).await.unwrap();
        }
    };
    let writes = async {
        let mut took = [Vec::new(), Vec::new()];
        for n in 0..rounds(20) {
            for (node, took) in [&store, &other].into_iter().zip(&mut took) {
                let began = Instant::now();
                let id = format!("{n}");
                node.revoke_token(&id, later(9), NOW).await.unwrap();
                took.push(began.elapsed());
            }
        }
        took
    };
    let took = tokio::select! {
        () = notes => unreachable!(),
        took = writes => took,
    };
    for (what, mut took) in ["this process", "another process"].into_iter().zip(took) {
        took.sort_unstable();
        let p99: Duration = took[(took.len() * 99).div_ceil(100) - 1];
        println!(
            "a write of {what} meanwhile: 99 of 100 of {} took at most {} µs",
            took.len(),
            p99.as_micros()
        );
    }
}
