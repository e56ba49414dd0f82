//! What was recorded of a service of Django, and its databases at that moment.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the service answered its clients.
#[derive(Deserialize)]
pub(super) struct Recorded {
    pub(super) secret_key: String,
    pub(super) password: String,
    /// Ids by user name.
    pub(super) users: BTreeMap<String, String>,
    pub(super) requests: Vec<Exchange>,
}

/// One request, and its answer.
#[derive(Deserialize)]
pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Option<Value>,
    pub(super) status: u16,
    pub(super) answer: Value,
}

pub(super) fn recorded() -> Recorded {
    serde_json::from_str(&text("recorded.json")).unwrap()
}

/// A file of the fixture, or of that which `.ci/django` made anew.
pub(super) fn path(name: &str) -> PathBuf {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/django/fixture");
    let dir = std::env::var("TOWER_AUTH_TEST_DJANGO").unwrap_or_else(|_| kept.to_owned());
    PathBuf::from(dir).join(name)
}

pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}
