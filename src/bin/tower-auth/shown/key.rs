use super::time::cell;
use super::{SubjectShown, Time};
use crate::console::Record;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::time::SystemTime;
use tower_auth::store::KeyRecord;

/// What is kept of an API key. The key itself is not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeyShown {
    /// The id, which is not part of the key.
    pub(crate) id: String,
    /// Whose key it is.
    owner: SubjectShown,
    /// What its owner calls it.
    name: String,
    /// Its prefix and the first characters of its secret.
    hint: String,
    /// Whether it is accepted.
    state: State,
    /// The scopes granted to it.
    scopes: Vec<String>,
    /// Its roles.
    roles: Vec<String>,
    /// Data of the application's own.
    metadata: Option<Value>,
    /// A rate of its own, such as `2000/day`.
    rate: Option<String>,
    /// When it was made.
    created: Time,
    /// From when on it is refused; `null` is never.
    expires: Option<Time>,
    /// When it was revoked; `null` is not.
    revoked: Option<Time>,
    /// When it was last used, to the minute; `null` is never.
    last_used: Option<Time>,
    /// The id of the first key of its chain of rotations.
    lineage: String,
    /// The id of the key that took its place.
    successor: Option<String>,
    /// How its digest was made: `sha256`, `hmac-sha256:` and the id of a pepper, or `sha512`.
    algorithm: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    Active,
    Expired,
    Revoked,
}

impl KeyShown {
    /// As it is at that time.
    pub(crate) fn at(key: &KeyRecord, now: SystemTime) -> Self {
        let state = match (key.revoked, key.is_active(now)) {
            (Some(_), _) => State::Revoked,
            (None, true) => State::Active,
            (None, false) => State::Expired,
        };
        Self {
            id: key.id.to_string(),
            owner: SubjectShown::from(&key.owner),
            name: key.name.to_string(),
            hint: key.hint.to_string(),
            state,
            scopes: key.scopes.iter().map(str::to_owned).collect(),
            roles: key.roles.iter().map(str::to_owned).collect(),
            metadata: key.metadata(),
            rate: key.rate.map(|rate| rate.to_string()),
            created: Time::from(key.created),
            expires: key.expires.map(Time::from),
            revoked: key.revoked.map(Time::from),
            last_used: key.last_used.get().map(Time::from),
            lineage: key.lineage().to_owned(),
            successor: key.successor.as_ref().map(ToString::to_string),
            algorithm: key.digest.algorithm().to_owned(),
        }
    }

    fn state(&self) -> &'static str {
        match self.state {
            State::Active => "active",
            State::Expired => "expired",
            State::Revoked => "revoked",
        }
    }
}

impl Record for KeyShown {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "owner",
        "name",
        "key",
        "state",
        "scopes",
        "created",
        "expires",
        "last used",
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.owner.to_string(),
            self.name.clone(),
            self.hint.clone(),
            self.state().to_owned(),
            self.scopes.join(" "),
            self.created.to_string(),
            cell(self.expires.as_ref()),
            cell(self.last_used.as_ref()),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let metadata = self.metadata.as_ref().map(Value::to_string);
        vec![
            ("id", self.id.clone()),
            ("owner", self.owner.to_string()),
            ("name", self.name.clone()),
            ("key", self.hint.clone()),
            ("state", self.state().to_owned()),
            ("scopes", self.scopes.join(" ")),
            ("roles", self.roles.join(", ")),
            ("metadata", metadata.unwrap_or_default()),
            ("rate", self.rate.clone().unwrap_or_default()),
            ("created", self.created.to_string()),
            ("expires", cell(self.expires.as_ref())),
            ("revoked", cell(self.revoked.as_ref())),
            ("last used", cell(self.last_used.as_ref())),
            ("lineage", self.lineage.clone()),
            ("successor", self.successor.clone().unwrap_or_default()),
            ("stored by", self.algorithm.clone()),
        ]
    }
}
