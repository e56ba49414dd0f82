//! Users and keys by the ten thousand are moved, over each database, and their clients notice nothing.

use super::database::{self, Client, USERS, clients, fixture};
use super::import::{Import, Report};
use super::recorded::{Exchange, Recorded, path, recorded};
use super::service::{PATIENCE, Service};
use crate::databases::support::{schema, until};
use crate::dir::Dir;
use crate::support::Reply;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, SqliteConnection};
use tower_auth::store::{Store, StoreOptions};

/// Each so manieth client goes on.
const SOME: usize = 7;

/// What the command says of the rows of the fixture, whatever the database was.
const LEFT: &[(&str, usize)] = &[
    ("users", 0),
    ("simplejwt_users", 0),
    ("tokens", 0),
    ("api_keys", 0),
    // One has expired, and the user of another is gone.
    ("refresh_tokens", 2),
];

#[tokio::test]
async fn ten_thousand_users_and_keys_move_from_sqlite_and_their_clients_go_on() {
    let dir = Dir::new();
    let recorded = recorded();
    let clients = clients(&recorded);
    let django = database::sqlite(&dir, &clients).await;
    let url = format!("sqlite:{}", dir.file().display());
    let import = Import::sqlite(&django, &url);
    import.migrate();

    let wanted = import_dry(&url, &import).await;
    killed_in_the_middle(&url, &import).await;
    completed(&import, &wanted);
    their_clients_go_on(&url, &recorded, &clients).await;
    nothing_changes(&import, "after the clients went on");
}

#[tokio::test]
async fn ten_thousand_users_and_keys_move_from_postgresql_and_their_clients_go_on() {
    let recorded = recorded();
    let clients = clients(&recorded);
    let url = schema().await;
    let import = Import {
        database_url: url.clone(),
        arguments: Vec::new(),
        django_url: Some(database::postgres(&clients).await),
    };
    import.migrate();

    let wanted = import_dry(&url, &import).await;
    killed_in_the_middle(&url, &import).await;
    completed(&import, &wanted);
    their_clients_go_on(&url, &recorded, &clients).await;
    nothing_changes(&import, "after the clients went on");
}

#[tokio::test]
async fn a_dump_of_mysql_moves_like_the_databases() {
    let dir = Dir::new();
    let recorded = recorded();
    let url = format!("sqlite:{}", dir.file().display());
    let dump = path("mysql.sql");
    let import = Import {
        database_url: url.clone(),
        arguments: vec!["--mysql-dump".into(), dump.display().to_string()],
        django_url: None,
    };
    import.migrate();
    let wanted = import_dry(&url, &import).await;
    completed_from(&import, &wanted, 0);
    their_clients_go_on(&url, &recorded, &[]).await;
    nothing_changes(&import, "after the clients went on");
}

#[tokio::test]
async fn two_runs_at_once_move_each_row_once_and_neither_fails() {
    let recorded = recorded();
    let some = &clients(&recorded)[..USERS / 5];
    let dir = Dir::new();
    let sqlite = database::sqlite(&dir, some).await;
    let postgres = Import {
        database_url: schema().await,
        arguments: Vec::new(),
        django_url: Some(database::postgres(some).await),
    };
    let sqlite = Import::sqlite(&sqlite, &format!("sqlite:{}", dir.file().display()));
    for (name, import) in [("SQLite", sqlite), ("PostgreSQL", postgres)] {
        import.migrate();
        let wanted = import.dry().run();
        let [one, other] = [import.start(), import.start()].map(|running| {
            // Their reports are shorter than what a pipe holds, so either may be read first.
            Report::of(running.wait_with_output().unwrap())
        });
        for (kind, _) in LEFT {
            let (moved, there, left) = wanted.counts(kind);
            assert_eq!(there, 0, "{name}: {kind}");
            let (by_one, _, left_by_one) = one.counts(kind);
            let (by_other, _, left_by_other) = other.counts(kind);
            assert_eq!(by_one + by_other, moved, "{name}: {kind}");
            assert_eq!(
                (left_by_one, left_by_other),
                (left, left),
                "{name}: {kind}: {:?} {:?}",
                one.said(kind, "left"),
                other.said(kind, "left")
            );
        }
        nothing_changes(&import, name);
    }
}

#[tokio::test]
async fn what_django_has_ended_between_two_runs_ends_here_too_and_what_was_done_here_stays() {
    let recorded = recorded();
    let some = &clients(&recorded)[..11];
    let dir = Dir::new();
    let file = database::sqlite(&dir, some).await;
    let sqlite = Import::sqlite(&file, &format!("sqlite:{}", dir.file().display()));
    let url = database::postgres(some).await;
    let postgres = Import {
        database_url: schema().await,
        arguments: Vec::new(),
        django_url: Some(url.clone()),
    };
    let file = format!("sqlite:{}", file.display());
    for (name, import, django) in [("SQLite", sqlite, file), ("PostgreSQL", postgres, url)] {
        import.migrate();
        import.run();
        ends_here_too(name, &import, &django, &recorded, some).await;
    }
}

async fn ends_here_too(
    name: &str,
    import: &Import,
    django: &str,
    recorded: &Recorded,
    clients: &[Client],
) {
    let [ended, shortened, refreshed, untouched] = [0, 1, 5, 10].map(|n| &clients[n]);
    let service = service(&import.database_url, recorded).await;
    let reply = refresh(&service, &refresh_token(refreshed)).await;
    assert_eq!(reply.status, 200, "{name}: {reply:?}");
    let ours = reply.json()["refresh"].as_str().unwrap().to_owned();
    let blacklisted = |client: &Client| {
        let id = &client.id;
        format!(
            "INSERT INTO token_blacklist_blacklistedtoken (id, token_id, blacklisted_at) \
             VALUES ({id}, {id}, '2026-01-02 03:04:05')"
        )
    };
    let key_set = |what: &str, client: &Client| {
        let prefix = &client.key_prefix;
        format!("UPDATE rest_framework_api_key_apikey SET {what} WHERE prefix = '{prefix}'")
    };
    let changes = [
        blacklisted(ended),
        blacklisted(refreshed),
        key_set("revoked = true", ended),
        key_set("expiry_date = '2039-01-01 00:00:00'", shortened),
        format!("DELETE FROM authtoken_token WHERE key = '{}'", ended.token),
    ];
    database::change(django, &changes).await;

    let named = import.dry().run();
    let good = statuses(&service, ended).await;
    assert_eq!(good, [200, 200], "{name}: a dry run revokes nothing");
    let report = import.run();
    for (kind, id, why) in [
        ("tokens", "drf-", "no longer in Django"),
        ("api_keys", &*ended.key_prefix, "revoked here as well"),
        ("api_keys", &*shortened.key_prefix, "expires earlier"),
        ("refresh_tokens", &*ended.id, "revoked here as well"),
        ("refresh_tokens", &*refreshed.id, "refreshed here before"),
    ] {
        for (run, report) in [("dry", &named), ("second", &report)] {
            let notes = report.said(kind, "notes");
            let said = notes.iter().filter(|(told, _)| told.starts_with(id));
            let said: Vec<_> = said.map(|(_, told)| told.contains(why)).collect();
            assert_eq!(said, [true], "{name}: {run}: {kind} {id}: {notes:?}");
        }
    }
    no_secret_is_told(&report);

    let service = self::service(&import.database_url, recorded).await;
    assert_eq!(statuses(&service, ended).await, [401, 401], "{name}");
    let reply = refresh(&service, &refresh_token(ended)).await;
    assert_eq!(reply.status, 401, "{name}: {reply:?}");
    assert_eq!(statuses(&service, shortened).await, [200, 200], "{name}");
    let reply = refresh(&service, &ours).await;
    assert_eq!(reply.status, 200, "{name}: {reply:?}");
    goes_on(&service, untouched).await;

    let third = import.run();
    for kind in ["tokens", "api_keys", "refresh_tokens"] {
        for (id, why) in third.said(kind, "notes") {
            assert!(!why.contains("revoked here"), "{name}: {kind} {id}: {why}");
        }
    }
    nothing_changes(import, name);

    // A database that has none of the tokens that were moved may be another one.
    database::change(django, &[String::from("DELETE FROM authtoken_token")]).await;
    let emptied = import.run();
    let notes = emptied.said("tokens", "notes");
    let are_left = notes.iter().all(|(_, why)| why.contains("left as it is"));
    assert!(!notes.is_empty() && are_left, "{name}: {notes:?}");
    let service = self::service(&import.database_url, recorded).await;
    assert_eq!(statuses(&service, untouched).await, [200, 200], "{name}");
}

async fn service(url: &str, recorded: &Recorded) -> Service {
    // The machine of a test may be busy.
    let options = StoreOptions::new().timeout(PATIENCE);
    let store = Store::connect_with(url, options).await.unwrap();
    Service::over(store, recorded)
}

/// How the token and the key of a client are answered.
async fn statuses(service: &Service, client: &Client) -> [u16; 2] {
    let whoami = service.whoami(&format!("Token {}", client.token)).await;
    let authorization = format!("Api-Key {}", client.key);
    let machine = service.ask("GET", "/api/machine/", Some(&authorization), None);
    [whoami, machine.await].map(|reply| reply.status.as_u16())
}

fn refresh_token(client: &Client) -> String {
    client.pair.as_ref().unwrap().1.clone()
}

async fn refresh(service: &Service, token: &str) -> Reply {
    let body = json!({ "refresh": token });
    let refreshed = service.ask("POST", "/api/token/refresh/", None, Some(&body));
    refreshed.await
}

/// It says what would be moved, and writes nothing.
async fn import_dry(url: &str, import: &Import) -> Report {
    let report = import.dry().run();
    assert_eq!(users_in(url).await, 0);
    report
}

async fn users_in(url: &str) -> i64 {
    let count = "SELECT count(*) FROM tower_auth_users";
    if url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query_scalar(count)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }
}

async fn killed_in_the_middle(url: &str, import: &Import) {
    let mut running = import.start();
    until("some were moved", async || users_in(url).await > 400).await;
    running.kill().unwrap();
    assert!(
        !running.wait().unwrap().success(),
        "it had ended by then: {} users",
        users_in(url).await
    );
}

/// Whatever a run that was killed has left undone is done, and then nothing is left to do.
fn completed(import: &Import, wanted: &Report) {
    completed_from(import, wanted, 400);
}

fn completed_from(import: &Import, wanted: &Report, there_already: u64) {
    let report = import.run();
    assert_eq!(report.kinds(), wanted.kinds());
    for (kind, left) in LEFT {
        let (moved, there, really_left) = report.counts(kind);
        assert_eq!(
            wanted.counts(kind),
            (moved + there, 0, really_left),
            "{kind}"
        );
        assert_eq!(
            really_left,
            *left as u64,
            "{kind}: {:?}",
            report.said(kind, "left")
        );
    }
    let (_, there, _) = report.counts("users");
    assert!(there >= there_already, "{there}");
    let moved: u64 = LEFT.iter().map(|(kind, _)| report.counts(kind).0).sum();
    assert!(moved > 0, "nothing was left to do");
    no_secret_is_told(&report);
    nothing_changes(import, "at once");
}

fn nothing_changes(import: &Import, when: &str) {
    let report = import.run();
    for (kind, _) in LEFT {
        assert_eq!(report.counts(kind).0, 0, "{when}: {kind}");
    }
    for (id, why) in report.said("users", "notes") {
        assert!(!why.contains("differs"), "{when}: {id}: {why}");
    }
}

fn no_secret_is_told(report: &Report) {
    for secret in ["$argon2", "pbkdf2_", "sha512$", "bcrypt", "eyJ"] {
        assert!(!report.text.contains(secret), "{secret}");
    }
}

async fn their_clients_go_on(url: &str, recorded: &Recorded, clients: &[Client]) {
    let service = service(url, recorded).await;
    for exchange in &recorded.requests {
        repeated(&service, exchange).await;
    }
    for (n, client) in clients.iter().step_by(SOME).enumerate() {
        goes_on(&service, client).await;
        // A hash costs what a sign-in costs.
        if n.is_multiple_of(200) {
            signs_in(&service, client, &recorded.password).await;
        }
    }
}

/// The answer is that of Django, or its equal here.
async fn repeated(service: &Service, exchange: &Exchange) {
    let Exchange { name, path, .. } = exchange;
    let reply = service.repeat(exchange).await;
    // A refresh token of a user who is gone is a 500 of simplejwt's.
    let is_refused = |status: u16| [401, 403, 500].contains(&status);
    if is_refused(exchange.status) {
        assert!(
            [401, 403].contains(&reply.status.as_u16()),
            "{name}: {reply:?}"
        );
        return;
    }
    assert_eq!(
        (exchange.status, reply.status.as_u16()),
        (200, 200),
        "{name}: {reply:?}"
    );
    if !path.starts_with("/api/token/") {
        assert_eq!(reply.json(), exchange.answer, "{name}");
        return;
    }
    let answer = reply.json();
    let members =
        |answer: &Value| -> Vec<String> { answer.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(members(&answer), members(&exchange.answer), "{name}");
    // What a client gets is what it goes on with.
    let access = answer["access"].as_str().unwrap();
    let whoami = service.whoami(&format!("Bearer {access}")).await;
    assert_eq!(whoami.status, 200, "{name}: {whoami:?}");
    let refreshed = refresh(service, answer["refresh"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 200, "{name}: {refreshed:?}");
}

/// A client of a user who was added.
async fn goes_on(service: &Service, client: &Client) {
    let Client { id, token, key, .. } = client;
    let whoami = service.whoami(&format!("Token {token}")).await;
    assert_eq!(
        (whoami.status.as_u16(), &whoami.json()["id"]),
        (200, &json!(id))
    );
    let authorization = format!("Api-Key {key}");
    let machine = service
        .ask("GET", "/api/machine/", Some(&authorization), None)
        .await;
    assert_eq!(machine.json(), json!({ "prefix": client.key_prefix }));
    let Some((access, refresh_token)) = &client.pair else {
        return;
    };
    let whoami = service.whoami(&format!("Bearer {access}")).await;
    assert_eq!(
        (whoami.status.as_u16(), &whoami.json()["id"]),
        (200, &json!(id))
    );
    let refreshed = refresh(service, refresh_token).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
}

async fn signs_in(service: &Service, client: &Client, password: &str) {
    let body = json!({ "username": client.name, "password": password });
    let signed_in = service.ask("POST", "/api/token/", None, Some(&body)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
}

#[tokio::test]
async fn what_is_left_and_what_is_to_be_known_is_said_with_ids_and_reasons() {
    let dir = Dir::new();
    let recorded = recorded();
    let django = fixture(&dir).await;
    let url = format!("sqlite:{}", dir.file().display());
    let import = Import::sqlite(&django, &url);
    import.migrate();
    let report = import.run();
    let notes = report.said("users", "notes");
    let of = |name: &str| -> Vec<&str> {
        let id = &recorded.users[name];
        let mine = notes.iter().filter(|(told, _)| told == id);
        mine.map(|(_, why)| why.as_str()).collect()
    };
    for (name, hasher) in [("fritz", "md5"), ("greta", "scrypt")] {
        assert!(of(name)[0].contains(hasher), "{name}: {:?}", of(name));
    }
    for name in ["admin", "anna", "Anna", "emil", "dora"] {
        assert_eq!(of(name), [""; 0], "{name}");
    }
    let left = report.said("refresh_tokens", "left");
    let whys: Vec<&str> = left.iter().map(|(_, why)| why.as_str()).collect();
    assert!(
        whys.contains(&"it has expired") && whys.contains(&"its user is gone"),
        "{whys:?}"
    );
    let keys = report.said("api_keys", "notes");
    assert_eq!(keys.len(), 3, "{keys:?}");
    assert!(
        keys.iter()
            .all(|(_, why)| why.contains("imported_password_hashes")),
        "{keys:?}"
    );
}

#[test]
fn what_cannot_be_read_is_said_in_a_sentence_and_nothing_is_moved() {
    let dir = Dir::new();
    let url = format!("sqlite:{}", dir.file().display());
    let nothing = Import {
        database_url: url.clone(),
        arguments: Vec::new(),
        django_url: None,
    };
    nothing.migrate();
    let cut = dir.0.join("cut.sql");
    let dump = std::fs::read_to_string(path("mysql.sql")).unwrap();
    std::fs::write(&cut, &dump[..dump.len() / 2]).unwrap();
    let mapping = dir.0.join("mapping.json");
    std::fs::write(&mapping, r#"{ "groups": { "a": { "role": ["x"] } } }"#).unwrap();
    let file = |name: &str| dir.0.join(name).display().to_string();
    let import = |arguments: &[&str]| Import::sqlite(&dir.file(), &url).with(arguments);
    let dump_at = |path: &std::path::Path| Import {
        arguments: vec!["--mysql-dump".into(), path.display().to_string()],
        database_url: url.clone(),
        django_url: None,
    };
    let elsewhere = Import {
        django_url: Some("postgres://u:hidden@127.0.0.1:1/d".into()),
        ..nothing_more(&url)
    };
    for (name, import, said) in [
        ("nowhere", nothing, "DJANGO_DATABASE_URL"),
        ("no server", elsewhere, "cannot be read"),
        (
            "no file",
            Import::sqlite(&dir.0.join("none"), &url),
            "no database",
        ),
        ("no Django", import(&[]), "no table auth_user"),
        (
            "no such table",
            import(&["--user-table", "people"]),
            "people",
        ),
        ("a dump that was cut", dump_at(&cut), "cut.sql"),
        (
            "no mapping",
            import(&["--mapping", &file("none.json")]),
            "none.json",
        ),
        (
            "a mapping with a mistake",
            import(&["--mapping", &file("mapping.json")]),
            "unknown field",
        ),
    ] {
        let output = import.output();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{name}: {told}"
        );
        assert!(told.contains(said), "{name}: {told}");
        assert!(!told.contains("hidden"), "{name}: {told}");
    }
}

fn nothing_more(url: &str) -> Import {
    Import {
        database_url: url.to_owned(),
        arguments: Vec::new(),
        django_url: None,
    }
}
