//! The command as a process.

use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};

/// `tower-auth import django` with these arguments, over the store at that URL.
pub(super) struct Import {
    pub(super) database_url: String,
    /// `--sqlite PATH`, for example.
    pub(super) arguments: Vec<String>,
    /// Of PostgreSQL.
    pub(super) django_url: Option<String>,
}

impl Import {
    pub(super) fn sqlite(path: &std::path::Path, database_url: &str) -> Self {
        Self {
            database_url: database_url.to_owned(),
            arguments: vec!["--sqlite".into(), path.display().to_string()],
            django_url: None,
        }
    }

    pub(super) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// The same, which says what would be moved.
    pub(super) fn dry(&self) -> Self {
        let same = Self {
            database_url: self.database_url.clone(),
            arguments: self.arguments.clone(),
            django_url: self.django_url.clone(),
        };
        same.with(&["--dry-run"])
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tower-auth"));
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .env_remove("DJANGO_DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(url) = &self.django_url {
            command.env("DJANGO_DATABASE_URL", url);
        }
        command
    }

    fn import(&self) -> Command {
        // The machine of a test may be busy, or stand still for a while.
        let mut command = self.command(&["--json", "--timeout", "600", "import", "django"]);
        command.args(&self.arguments);
        command
    }

    pub(super) fn migrate(&self) {
        let output = self.command(&["migrate"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    pub(super) fn start(&self) -> Child {
        self.import().spawn().unwrap()
    }

    pub(super) fn output(&self) -> Output {
        self.import().output().unwrap()
    }

    /// What it reports, by kind.
    pub(super) fn run(&self) -> Report {
        Report::of(self.output())
    }
}

pub(super) struct Report {
    kinds: BTreeMap<String, Value>,
    pub(super) text: String,
}

/// How many rows were moved, were there, and were left.
pub(super) type Counts = (u64, u64, u64);

impl Report {
    /// The report of a run that has ended well.
    pub(super) fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text} {told}");
        assert_eq!(told, "", "no bar where there is no terminal");
        let mut kinds = BTreeMap::new();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            kinds.insert(line["kind"].as_str().unwrap().to_owned(), line);
        }
        Self { kinds, text }
    }

    pub(super) fn kinds(&self) -> Vec<&str> {
        self.kinds.keys().map(String::as_str).collect()
    }

    pub(super) fn counts(&self, kind: &str) -> Counts {
        let kind = &self.kinds[kind];
        let count = |member: &str| kind[member].as_u64().unwrap();
        let left = kind["left"].as_array().unwrap().len() as u64;
        let counts = (count("moved"), count("there"), left);
        assert_eq!(count("read"), counts.0 + counts.1 + counts.2, "{kind}");
        counts
    }

    /// What is said of rows, by id.
    pub(super) fn said(&self, kind: &str, member: &str) -> Vec<(String, String)> {
        let said = self.kinds[kind][member].as_array().unwrap().iter();
        let text = |told: &Value, name: &str| told[name].as_str().unwrap().to_owned();
        said.map(|told| (text(told, "id"), text(told, "why")))
            .collect()
    }
}
