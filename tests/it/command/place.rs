//! Where the command runs: a database of its own, and an environment with nothing else in it.

use crate::databases::support::schema;
use crate::dir::Dir;
use serde_json::Value;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use tower_auth::store::Store;

/// For tests only.
pub(super) const SECRET: &str = "u4Zq7Kw2xRm90123456789abcdefghij";

pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) url: String,
    variables: Vec<(&'static str, String)>,
    _dir: Dir,
}

/// What a command has printed, and how it ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Place {
    /// Without tables.
    pub(super) async fn bare() -> [Self; 2] {
        let dir = Dir::new();
        let sqlite = format!("sqlite:{}", dir.file().display());
        [
            Self::at("sqlite", sqlite, dir),
            Self::at("postgres", schema().await, Dir::new()),
        ]
    }

    /// With tables that the command has made.
    pub(super) async fn migrated() -> [Self; 2] {
        let places = Self::bare().await;
        for place in &places {
            place.run(&["migrate"]).is(0);
        }
        places
    }

    /// With that URL, whether something is there or not.
    pub(super) fn anywhere(url: &str) -> Self {
        Self::at("anywhere", url.to_owned(), Dir::new())
    }

    fn at(name: &'static str, url: String, dir: Dir) -> Self {
        Self {
            name,
            variables: vec![("DATABASE_URL", url.clone())],
            url,
            _dir: dir,
        }
    }

    pub(super) fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.set(variable, value);
        self
    }

    pub(super) fn set(&mut self, variable: &'static str, value: &str) {
        self.variables.retain(|(name, _)| *name != variable);
        self.variables.push((variable, value.to_owned()));
    }

    /// A node of the service, which runs beside the command.
    pub(super) async fn node(&self) -> Store {
        Store::connect(&self.url).await.unwrap()
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tower-auth"));
        command
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }

    /// Runs it with this text on stdin.
    pub(super) fn tell(&self, arguments: &[&str], text: &str) -> Ran {
        let mut process = self.spawn(arguments);
        let mut stdin = process.stdin.take().unwrap();
        // One that has failed already does not read.
        let _ = stdin.write_all(text.as_bytes());
        drop(stdin);
        Ran::of(process.wait_with_output().unwrap())
    }

    pub(super) fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).spawn().unwrap()
    }

    /// Adds a user of this name, and gives the id.
    pub(super) fn add_user(&self, name: &str) -> String {
        let added = self.tell(&["--json", "user", "add", name], "correct-horse-battery\n");
        added.is(0).json()["id"]["id"].as_str().unwrap().to_owned()
    }
}

impl Ran {
    pub(super) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// That it ended with this number.
    #[track_caller]
    pub(super) fn is(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// That these are among its words on stderr.
    #[track_caller]
    pub(super) fn says(&self, words: &str) -> &Self {
        assert!(self.err.contains(words), "{words:?}: {self:?}");
        self
    }

    /// That these are among what it printed.
    #[track_caller]
    pub(super) fn prints(&self, words: &str) -> &Self {
        assert!(self.out.contains(words), "{words:?}: {self:?}");
        self
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Of a list: an object on each line.
    #[track_caller]
    pub(super) fn lines(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap();
        self.out.lines().map(read).collect()
    }
}
