//! `kill -9` of a process that creates, revokes and rotates, at random moments: every answer that
//! was given holds, and nothing is half-written.
//!
//! Needs the server that `tests/run` starts. Without `TOWER_AUTH_TEST_CRASHES` it crashes 20
//! processes on each database; `.ci/crash` crashes 200.

#![expect(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower_auth::Subject;
use tower_auth::store::{
    FamilyRecord, KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Rotated, Rotation, Store,
    TokenIds, TokenStore,
};

const NOW: SystemTime = UNIX_EPOCH;

fn far() -> SystemTime {
    NOW + Duration::from_secs(1 << 30)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if let Ok(url) = std::env::var("TOWER_AUTH_TEST_VICTIM") {
        let life = std::env::var("TOWER_AUTH_TEST_LIFE").unwrap();
        return runtime.block_on(work(&url, &life));
    }
    let crashes =
        std::env::var("TOWER_AUTH_TEST_CRASHES").map_or(20, |count| count.parse().unwrap());
    let dir = std::env::temp_dir().join(format!("tower-auth-crash-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for url in [
        format!("sqlite:{}", dir.join("auth.db").display()),
        runtime.block_on(schema()),
    ] {
        crash(&runtime, &url, crashes);
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn schema() -> String {
    let server = std::env::var("TOWER_AUTH_TEST_POSTGRES").expect(
        "this test needs a PostgreSQL server, and TOWER_AUTH_TEST_POSTGRES names none: run tests/run, which starts one",
    );
    let name = format!("crash{}", std::process::id());
    let mut admin = PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}")))
        .execute(&mut admin)
        .await
        .unwrap();
    format!("{server}?options[search_path]={name}")
}

/// Works until it is killed: says what it is about to do, does it, and says so.
async fn work(url: &str, life: &str) {
    let store = Store::connect(url).await.unwrap();
    let tasks = (0..4)
        .map(|task| tokio::spawn(toil(store.clone(), format!("{life}-{task}"))))
        .collect::<Vec<_>>();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn toil(store: Store, name: String) {
    let owner = Subject::user(name.clone());
    for n in 0.. {
        let id = format!("{name}-{n}");
        let record = key(&id, &owner);
        let next = record.successor_of(format!("{id}s"), "h", digest(&format!("{id}s")), NOW);
        said("key", &id, store.insert_key(record)).await;
        said(
            "rotated",
            &id,
            store.rotate_key(&owner, &id, next, far(), NOW),
        )
        .await;
        said("revoked", &id, store.revoke_key(&owner, &id, NOW)).await;

        let family = FamilyRecord::new(&id, owner.clone(), "{}", NOW, far(), "0", far());
        said("family", &id, store.insert_family(family)).await;
        for step in 0..3 {
            let (presented, successor) = (step.to_string(), (step + 1).to_string());
            let rotation = Rotation::new(&id, &presented, &successor, far());
            let rotated = async {
                let rotated = store.rotate_family(rotation, NOW).await?;
                assert!(matches!(rotated, Rotated::New(_)), "{rotated:?}");
                Ok(())
            };
            said(&format!("step{}", step + 1), &id, rotated).await;
        }
        // By turns by its owner's order and by reuse.
        if n % 2 == 0 {
            said("ended", &id, store.revoke_family(&id, far(), NOW)).await;
        } else {
            let reuse = async {
                store
                    .rotate_family(Rotation::new(&id, "0", "x", far()).access_until(far()), NOW)
                    .await
                    .map(drop)
            };
            said("ended", &id, reuse).await;
        }
    }
}

async fn said(
    what: &str,
    id: &str,
    call: impl Future<Output = Result<(), tower_auth::store::StoreError>>,
) {
    call.await.unwrap();
    // One write, so that a line is whole or absent.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what} {id}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn digest(id: &str) -> KeyDigest {
    use sha2::Digest;
    KeyDigest::new("sha256", sha2::Sha256::digest(id).into())
}

fn key(id: &str, owner: &Subject) -> KeyRecord {
    KeyRecord::new(id, owner.clone(), "n", "h", digest(id), NOW)
}

/// What a process said of one id.
#[derive(Debug, Default)]
struct Said {
    key: bool,
    rotated: bool,
    revoked: bool,
    family: bool,
    step: u32,
    ended: bool,
}

fn crash(runtime: &tokio::runtime::Runtime, url: &str, crashes: u32) {
    let kind = url.split(':').next().unwrap();
    runtime.block_on(async { Store::connect(url).await.unwrap().migrate().await.unwrap() });
    let (mut answers, mut seed) = (0, std::process::id());
    for life in 0..crashes {
        // From before the first answer to some hundreds of them. Any generator does.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (after, moment) = (
            (seed >> 16) % 400,
            Duration::from_micros((seed & 0x3fff).into()),
        );
        let lines = killed(url, life, after, moment);
        answers += lines.len();
        let mut said: HashMap<String, Said> = HashMap::new();
        for line in &lines {
            let (what, id) = line.split_once(' ').unwrap();
            let said = said.entry(id.to_owned()).or_default();
            match what {
                "key" => said.key = true,
                "rotated" => said.rotated = true,
                "revoked" => said.revoked = true,
                "family" => said.family = true,
                "ended" => said.ended = true,
                step => said.step = step.strip_prefix("step").unwrap().parse().unwrap(),
            }
        }
        runtime.block_on(check(url, life, &said));
    }
    println!("{kind}: {crashes} processes killed, {answers} answers hold, nothing is half-written");
    assert!(
        answers > crashes as usize,
        "{kind}: the processes did nothing"
    );
}

/// Starts a process and kills it a moment after so many answers; its whole lines.
fn killed(url: &str, life: u32, after: u32, moment: Duration) -> Vec<String> {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .env("TOWER_AUTH_TEST_VICTIM", url)
        .env("TOWER_AUTH_TEST_LIFE", life.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut text = String::new();
    for _ in 0..after {
        assert_ne!(
            out.read_line(&mut text).unwrap(),
            0,
            "the process ended by itself"
        );
    }
    let answered = tokio::time::Instant::now();
    while answered.elapsed() < moment {
        std::hint::spin_loop();
    }
    process.kill().unwrap(); // SIGKILL
    std::io::Read::read_to_string(&mut out, &mut text).unwrap();
    process.wait().unwrap();
    text.lines().map(str::to_owned).collect()
}

async fn check(url: &str, life: u32, said: &HashMap<String, Said>) {
    let store = Store::connect(url).await.unwrap();
    // Also what was under way: the next ids of each task.
    let owners = (0..4).map(|task| Subject::user(format!("{life}-{task}")));
    for owner in owners {
        let keys = store.list_keys(&owner, None, 1_000).await.unwrap();
        for key in &keys {
            let successor = keys
                .iter()
                .find(|other| Some(&other.id) == key.successor.as_ref());
            assert_eq!(
                successor.is_some(),
                key.successor.is_some(),
                "half a rotation: {key:?}"
            );
            let former = keys
                .iter()
                .any(|other| other.successor.as_ref() == Some(&key.id));
            assert_eq!(key.first.is_some(), former, "half a rotation: {key:?}");
        }
    }
    for (id, said) in said {
        if said.key {
            let key = store
                .find_key(&digest(id))
                .await
                .unwrap()
                .expect("an inserted key");
            assert!(
                !said.rotated || key.successor.as_deref() == Some(format!("{id}s").as_str()),
                "{id}: {said:?}"
            );
            assert!(!said.revoked || key.revoked.is_some(), "{id}: {said:?}");
        }
        let family = store.find_family(id).await.unwrap();
        assert!(!said.family || family.is_some(), "{id}: {said:?}");
        let Some(family) = family else { continue };
        let step: u32 = family.current.parse().unwrap();
        assert!(
            step == said.step || step == said.step + 1,
            "{id}: at {step}, {said:?}"
        );
        let former = step.checked_sub(1).map(|former| former.to_string());
        let previous = family.previous.as_ref().map(|(id, _)| id.to_string());
        assert_eq!(previous, former, "{id}: half a rotation");
        assert!(!said.ended || family.revoked.is_some(), "{id}: {said:?}");
        let denied = store
            .is_revoked(TokenIds::new("any", Some(id)), NOW)
            .await
            .unwrap();
        assert_eq!(denied, family.revoked.is_some(), "{id}: half a revocation");
    }
}
