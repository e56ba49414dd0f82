//! What goes wrong: a sentence on stderr that says what to do, and a number for scripts.

use super::place::{Place, Ran};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::io::Read;
use std::process::Stdio;

#[tokio::test]
async fn each_failure_has_its_number_and_a_sentence_that_says_what_to_do() {
    for place in Place::migrated().await {
        let place = place.with("API_KEY_PREFIX", "egret");
        place.add_user("anna@example.com");
        let good = "correct-horse-battery\n";
        let long = "7".repeat(600);
        let cases: &[(&[&str], &str, i32, &str)] = &[
            (&["user", "add"], "", 2, "<NAME>"),
            (
                &["user", "add", "bob", "--scope", "two words"],
                good,
                2,
                "a scope is one word",
            ),
            (&["user", "add", "bob"], "", 2, "The password is empty"),
            (
                &["user", "add", "bob"],
                "short\n",
                2,
                "- password: The password must have at least 8",
            ),
            (&["user", "add", "bob"], "password123\n", 2, "- password: "),
            (
                &["user", "add", "bob", "--least-length", "30"],
                good,
                2,
                "at least 30",
            ),
            (
                &["user", "add", "bo b"],
                good,
                2,
                "- name: A name has no blanks",
            ),
            (
                &["user", "add", "bob", "--password-file", "/no/such"],
                "",
                2,
                "cannot be read",
            ),
            (
                &["user", "add", "ANNA@example.com"],
                good,
                4,
                "- name: Another user has this",
            ),
            (
                &["user", "add", "bob", "--id", &long],
                good,
                2,
                "too long for the store",
            ),
            (
                &["key", "create", "--name", "ci", "--owner", &long],
                "",
                2,
                "too long for the store",
            ),
            (&["user", "show"], "", 2, "--id"),
            (
                &["user", "show", "bob"],
                "",
                3,
                "There is no user with the name bob.",
            ),
            (
                &["user", "show", "--id", "8"],
                "",
                3,
                "There is no user with the id 8.",
            ),
            (&["user", "disable", "bob"], "", 3, "There is no user"),
            (&["user", "enable", "bob"], "", 3, "There is no user"),
            (&["user", "remove", "bob"], "", 3, "There is no user"),
            (&["user", "password", "bob"], good, 3, "There is no user"),
            (
                &["user", "password", "anna@example.com"],
                "short\n",
                2,
                "at least 8",
            ),
            (&["key", "list", "--user", "bob"], "", 3, "There is no user"),
            (&["key", "create", "--owner", "7"], "", 2, "--name"),
            (
                &["key", "create", "--owner", "7", "--name", " "],
                "",
                2,
                "- name: ",
            ),
            (
                &[
                    "key", "create", "--owner", "7", "--name", "ci", "--rate", "9/month",
                ],
                "",
                2,
                "no fixed length",
            ),
            (
                &[
                    "key",
                    "create",
                    "--owner",
                    "7",
                    "--name",
                    "ci",
                    "--expires",
                    "soon",
                ],
                "",
                2,
                "RFC 3339",
            ),
            (
                &[
                    "key",
                    "create",
                    "--owner",
                    "7",
                    "--name",
                    "ci",
                    "--expires",
                    "2020-01-01T00:00:00Z",
                ],
                "",
                2,
                "The expiry must be in the future.",
            ),
            (
                &[
                    "key",
                    "create",
                    "--owner",
                    "7",
                    "--name",
                    "ci",
                    "--prefix",
                    "no prefix",
                ],
                "",
                2,
                "prefix",
            ),
            (&["key", "show"], "", 2, "<ID>"),
            (
                &["key", "show", "8"],
                "",
                3,
                "There is no key with the id 8.",
            ),
            (
                &["key", "rotate", "8"],
                "",
                3,
                "There is no key with the id 8.",
            ),
            (
                &["key", "revoke", "8"],
                "",
                3,
                "There is no key with the id 8.",
            ),
            (
                &["key", "show", "8", "--owner", "7"],
                "",
                3,
                "There is no key with the id 8",
            ),
            (
                &["key", "rotate", "8", "--owner", "7"],
                "",
                3,
                "There is no key with the id 8",
            ),
            (
                &["key", "revoke", "8", "--owner", "7"],
                "",
                3,
                "There is no key with the id 8",
            ),
            (
                &[
                    "key",
                    "create",
                    "--owner",
                    "7",
                    "--name",
                    "ci",
                    "--metadata",
                    "{",
                ],
                "",
                2,
                "no JSON",
            ),
            (
                &["schema", "user", "sing"],
                "",
                3,
                "There is no command user sing",
            ),
            (&["user", "sing"], "", 2, "unrecognized subcommand"),
        ];
        for (arguments, stdin, code, words) in cases {
            let ran = place.tell(arguments, stdin);
            assert_eq!(
                ran.code,
                Some(*code),
                "{}: {arguments:?}: {ran:?}",
                place.name
            );
            assert!(ran.err.contains(words), "{arguments:?}: {ran:?}");
            assert!(ran.err.starts_with("error: "), "{arguments:?}: {ran:?}");
            assert_eq!(ran.out, "", "{arguments:?}");
        }
    }
}

#[tokio::test]
async fn a_key_needs_to_be_told_its_beginning() {
    for place in Place::migrated().await {
        let create = ["key", "create", "--owner", "7", "--name", "ci"];
        place
            .run(&create)
            .is(2)
            .says("--prefix egret, or API_KEY_PREFIX");
    }
}

#[tokio::test]
async fn a_store_without_tables_is_told_from_one_that_does_not_answer() {
    for place in Place::bare().await {
        if place.name == "sqlite" {
            // A mistyped path makes no file.
            place
                .run(&["user", "list"])
                .is(5)
                .says("The store does not answer: ");
            place.node().await;
        }
        let ran = place.run(&["user", "list"]);
        ran.is(6)
            .says("The store has no tables. Run `tower-auth migrate` to make them.");
        let made = place.run(&["migrate"]);
        assert_eq!(made.is(0).out, "The tables were made: version 3.\n");
        let again = place.run(&["migrate", "--json"]);
        assert_eq!(
            again.is(0).json(),
            serde_json::json!({ "from": 3, "to": 3 })
        );
        place.run(&["user", "list"]).is(0);
    }
}

#[tokio::test]
async fn tables_of_a_later_release_are_warned_of_and_work() {
    const LATER: &str = "INSERT INTO tower_auth_schema VALUES (1000)";
    let places = Place::migrated().await;
    let file = places[0].url.strip_prefix("sqlite:").unwrap();
    let mut sqlite = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(LATER).execute(&mut sqlite).await.unwrap();
    let mut postgres = PgConnection::connect(&places[1].url).await.unwrap();
    sqlx::raw_sql(LATER).execute(&mut postgres).await.unwrap();
    for place in places {
        for arguments in [&["migrate"][..], &["user", "list"], &["doctor"]] {
            let ran = place.run(arguments);
            ran.is(0);
            let told = format!("{}{}", ran.out, ran.err);
            assert!(
                told.contains("of version 1000, which a later release made"),
                "{told}"
            );
        }
        place.add_user("anna@example.com");
    }
}

#[test]
fn an_unreachable_store_is_told_by_every_command_that_needs_one() {
    let nowhere = [
        (
            "sqlite:/no/such/directory/auth.db",
            ["unable to open database file"].as_slice(),
        ),
        // A port that nobody listens at: the pool says that it made no connection, or the deadline
        // of the call is over, whichever comes first.
        (
            "postgres://auth:hidden-password@127.0.0.1:1/auth",
            &["no connection was", "deadline has elapsed"],
        ),
    ];
    let commands: &[&[&str]] = &[
        &["migrate"],
        &["user", "add", "anna"],
        &["user", "list"],
        &["user", "show", "anna"],
        &["user", "password", "anna"],
        &["user", "disable", "anna"],
        &["user", "enable", "anna"],
        &["user", "remove", "anna"],
        &["key", "create", "--owner", "7", "--name", "ci", "--bare"],
        &["key", "list", "--owner", "7"],
        &["key", "show", "1", "--owner", "7"],
        &["key", "rotate", "1", "--owner", "7"],
        &["key", "revoke", "1", "--owner", "7"],
        &["token", "revoke", "--owner", "7"],
    ];
    for (url, reasons) in nowhere {
        for command in commands {
            let arguments = [&["--timeout", "1"], *command].concat();
            let ran = Place::anywhere(url).tell(&arguments, "correct-horse-battery\n");
            ran.is(5)
                .says("error: The store does not answer: ")
                .says("DATABASE_URL");
            let is_reason_told = reasons.iter().any(|reason| ran.err.contains(reason));
            assert!(is_reason_told, "{ran:?}");
            assert!(!ran.err.contains("hidden"), "{ran:?}");
            assert_eq!(ran.out, "");
        }
        let doctor = Place::anywhere(url).run(&["--timeout", "1", "doctor"]);
        doctor.is(1).prints("FAULT");
        assert!(!doctor.out.contains("hidden"), "{doctor:?}");
    }
}

#[test]
fn an_environment_that_cannot_be_used_is_a_mistake_that_is_named() {
    for (url, words) in [
        ("", "DATABASE_URL is not set"),
        ("memory:", "DATABASE_URL is not set"),
        (
            "mysql://hidden@db.example.com/auth",
            "DATABASE_URL cannot be used",
        ),
    ] {
        let ran = Place::anywhere(url).run(&["user", "list"]);
        assert!(!ran.is(2).says(words).err.contains("hidden"), "{ran:?}");
    }
    let place = Place::anywhere("sqlite:auth.db").with("API_KEY_PEPPER", "hidden");
    let ran = place.run(&["user", "list"]);
    assert!(
        !ran.is(2).says("API_KEY_PEPPER").err.contains("hidden"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn whoever_stops_reading_a_list_causes_no_failure() {
    for place in Place::migrated().await {
        let store = place.node().await;
        for n in 0..2_000 {
            use tower_auth::store::{ManagedUserStore, UserRecord};
            let user = UserRecord::new(tower_auth::Subject::user(n.to_string()), format!("u{n}"));
            store.insert_user(user).await.unwrap();
        }
        for form in [&["user", "list"][..], &["user", "list", "--json"]] {
            let mut process = place.command(form).stdout(Stdio::piped()).spawn().unwrap();
            let mut stdout = process.stdout.take().unwrap();
            stdout.read_exact(&mut [0; 10]).unwrap();
            drop(stdout);
            let mut err = String::new();
            process
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut err)
                .unwrap();
            assert_eq!(
                (process.wait().unwrap().code(), &*err),
                (Some(0), ""),
                "{form:?}"
            );
        }
    }
}

/// A key that nobody has seen is one that nobody revokes.
#[tokio::test]
async fn a_key_that_cannot_be_printed_is_revoked() {
    for place in Place::migrated().await {
        let create = ["key", "create", "--owner", "7", "--name", "ci", "--bare"];
        let told = "The key could not be printed, and was revoked";
        // Nobody reads.
        let mut process = place.spawn(&create);
        drop(process.stdout.take());
        Ran::of(process.wait_with_output().unwrap())
            .is(1)
            .says(told);
        // Nothing can be written.
        let full = std::fs::File::options().write(true).open("/dev/full");
        let full = place.command(&create).stdout(full.unwrap()).output();
        Ran::of(full.unwrap()).is(1).says(told);
        let listed = place
            .run(&["key", "list", "--owner", "7", "--json"])
            .lines();
        let states: Vec<_> = listed.iter().map(|key| &key["state"]).collect();
        assert_eq!(states, ["revoked", "revoked"], "{}", place.name);
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_written_is_a_failure() {
    for place in Place::migrated().await {
        place.add_user("anna@example.com");
        for arguments in [&["user", "list"][..], &["user", "list", "--json"]] {
            let full = std::fs::File::options().write(true).open("/dev/full");
            let ran = place.command(arguments).stdout(full.unwrap()).output();
            let ran = Ran::of(ran.unwrap());
            ran.is(1).says("The output could not be written: ");
        }
    }
}
