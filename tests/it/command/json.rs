//! What is printed with `--json` is what `tower-auth schema` says.

use super::help::all_commands;
use super::place::{Place, Ran, SECRET};
use crate::dir::Dir;
use crate::django::fixture;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::{AuditRecord, AuditStore};
use tower_auth::{Grant, Realm, Subject, Tokens};

/// Checks what commands print, and remembers which ones did.
struct Schemas {
    schemas: Map<String, Value>,
    seen: BTreeSet<String>,
}

impl Schemas {
    fn of(place: &Place) -> Self {
        let printed = place.run(&["schema"]);
        let Value::Object(schemas) = printed.is(0).json() else {
            panic!("{printed:?}");
        };
        Self {
            schemas,
            seen: BTreeSet::new(),
        }
    }

    /// Each line, one at least.
    #[track_caller]
    fn check(&mut self, command: &str, ran: &Ran) -> Vec<Value> {
        let validator = jsonschema::draft202012::new(&self.schemas[command]).unwrap();
        let lines = ran.lines();
        assert!(!lines.is_empty(), "{command}: {ran:?}");
        for line in &lines {
            let errors: Vec<String> = validator
                .iter_errors(line)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, [""; 0], "{command}: {line}");
        }
        self.seen.insert(command.to_owned());
        lines
    }

    /// Runs it with `--json`, and checks what it prints.
    #[track_caller]
    fn run(&mut self, place: &Place, command: &str, more: &[&str], stdin: &str) -> Vec<Value> {
        let words: Vec<&str> = command.split(' ').collect();
        let arguments = [&words[..], more, &["--json"]].concat();
        let ran = place.tell(&arguments, stdin);
        assert!(matches!(ran.code, Some(0)), "{command}: {ran:?}");
        self.check(command, &ran)
    }
}

/// What a service has kept of what happened.
async fn happened(place: &Place, key: &str) {
    let refused = AuditRecord::new("request refused", SystemClock.now());
    let mut used = AuditRecord::new("scope used", SystemClock.now());
    used.actor = Some(Subject::user("7"));
    used.subject = Some(Subject::user("7"));
    used.target = Some(key.into());
    used.scope = Some("b".into());
    used.peer = "192.0.2.7".parse().ok();
    let node = place.node().await;
    node.insert_audit(&[refused, used]).await.unwrap();
}

#[tokio::test]
async fn each_command_prints_what_its_schema_says() {
    const GOOD: &str = "correct-horse-battery\n";
    for place in Place::bare().await {
        let place = place
            .with("JWT_SECRET", SECRET)
            .with("API_KEY_PREFIX", "egret");
        let mut schemas = Schemas::of(&place);
        schemas.run(&place, "migrate", &[], "");
        schemas.run(&place, "migrate", &[], "");
        schemas.run(&place, "secret new", &[], "");
        schemas.run(&place, "doctor", &[], "");

        let added = ["anna", "--id", "7", "--scope", "a", "--role", "b"];
        schemas.run(&place, "user add", &added, GOOD);
        schemas.run(&place, "user add", &["bob"], GOOD);
        schemas.run(&place, "user list", &[], "");
        schemas.run(&place, "user show", &["anna"], "");
        schemas.run(
            &place,
            "user password",
            &["anna"],
            "another-horse-battery\n",
        );
        schemas.run(&place, "user disable", &["anna"], "");
        schemas.run(&place, "user enable", &["anna"], "");
        schemas.run(&place, "user remove", &["bob"], "");

        let whose = ["--owner", "7"];
        let full = [
            "--owner",
            "7",
            "--name",
            "ci",
            "--scope",
            "a",
            "--role",
            "b",
            "--rate",
            "9/day",
            "--expires",
            "2100-01-31T00:00:00Z",
            "--metadata",
            "{\"team\":7}",
        ];
        let made = schemas.run(&place, "key create", &full, "");
        assert_eq!(made[0]["record"]["expires"], "2100-01-31T00:00:00Z");
        assert_eq!(made[0]["record"]["metadata"], json!({ "team": 7 }));
        schemas.run(
            &place,
            "key create",
            &["--owner", "7", "--name", "bare", "--bare"],
            "",
        );
        let id = made[0]["record"]["id"].as_str().unwrap();
        schemas.run(&place, "key rotate", &[id, "--owner", "7"], "");
        schemas.run(&place, "key list", &whose, "");
        schemas.run(&place, "key show", &[id, "--owner", "7"], "");
        schemas.run(&place, "key pattern", &[], "");
        let key = made[0]["key"].as_str().unwrap();
        let told = schemas.run(&place, "explain", &["--scope", "a", "--scope", "b"], key);
        assert_eq!(told[0]["refused"], "insufficient_scope", "{told:?}");
        schemas.run(&place, "explain", &[], "nonsense");
        happened(&place, id).await;
        let told = schemas.run(&place, "audit tail", &[], "");
        assert_eq!(told[1]["target"], id);
        schemas.run(&place, "key unused-scopes", &whose, "");
        schemas.run(&place, "key revoke", &[id, "--owner", "7"], "");

        let tokens = Tokens::hs256(SECRET).issuer("https://api.example.com");
        let tokens = Realm::new(place.node().await).tokens(tokens);
        let pair = tokens.issue(Grant::new(Subject::user("7"))).await.unwrap();
        schemas.run(&place, "token revoke", &[], pair.access().expose());
        schemas.run(&place, "token revoke", &whose, "");

        let dir = Dir::new();
        let django = fixture(&dir).await;
        let django = django.to_str().unwrap();
        schemas.run(&place, "import django", &["--sqlite", django], "");

        let printed = place.run(&["schema"]);
        let schema = Ran {
            out: printed.json().to_string(),
            ..printed
        };
        schemas.check("schema", &schema);
        let known: BTreeSet<String> = schemas.schemas.keys().cloned().collect();
        assert_eq!(
            schemas.seen, known,
            "a schema that nothing was checked against"
        );
    }
}

#[test]
fn every_command_that_does_something_has_a_schema_of_draft_2020_12() {
    let place = Place::anywhere("");
    let all = all_commands();
    for path in &all {
        let has_others_below = all
            .iter()
            .any(|other| other.len() > path.len() && other.starts_with(path));
        if has_others_below {
            continue;
        }
        let mut arguments = vec!["schema"];
        arguments.extend(path.iter().map(String::as_str));
        let schema = place.run(&arguments).is(0).json();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert!(jsonschema::meta::is_valid(&schema), "{path:?}: {schema}");
    }
}
