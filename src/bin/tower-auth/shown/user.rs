use super::{SubjectShown, Time};
use crate::console::Record;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tower_auth::store::{UserRecord, UserState};

/// A user.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UserShown {
    /// The stable id.
    id: SubjectShown,
    /// The names to sign in by.
    names: Vec<String>,
    /// Whether the user may sign in.
    state: State,
    /// Whether there is a password to sign in with.
    has_password: bool,
    /// The scopes granted to the user.
    scopes: Vec<String>,
    /// The user's roles.
    roles: Vec<String>,
    /// A rate of the user's own, such as `2000/day`.
    rate: Option<String>,
    /// What else the application knows of the user.
    profile: Option<Value>,
    /// When the user was made.
    created: Time,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum State {
    Active,
    Disabled,
    Removed,
}

impl From<&UserRecord> for UserShown {
    fn from(user: &UserRecord) -> Self {
        Self {
            id: SubjectShown::from(&user.id),
            names: user.names.iter().map(|name| name.to_string()).collect(),
            state: match user.state {
                UserState::Active => State::Active,
                UserState::Removed => State::Removed,
                _ => State::Disabled,
            },
            has_password: user.password_hash.is_some(),
            scopes: user.scopes.iter().map(str::to_owned).collect(),
            roles: user.roles.iter().map(str::to_owned).collect(),
            rate: user.rate.map(|rate| rate.to_string()),
            profile: user.profile(),
            created: Time::from(user.created),
        }
    }
}

impl UserShown {
    /// Who it is, within a sentence.
    pub(crate) fn title(&self) -> String {
        match self.names.first() {
            Some(name) => format!("user {name} (id {})", self.id),
            None => format!("user with the id {}", self.id),
        }
    }

    fn state(&self) -> &'static str {
        match self.state {
            State::Active => "active",
            State::Disabled => "disabled",
            State::Removed => "removed",
        }
    }
}

impl Record for UserShown {
    const COLUMNS: &'static [&'static str] =
        &["id", "names", "state", "scopes", "roles", "created"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.names.join(" "),
            self.state().to_owned(),
            self.scopes.join(" "),
            self.roles.join(", "),
            self.created.to_string(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let password = if self.has_password { "set" } else { "not set" };
        let profile = self.profile.as_ref().map(Value::to_string);
        vec![
            ("id", self.id.to_string()),
            ("names", self.names.join(" ")),
            ("state", self.state().to_owned()),
            ("password", password.to_owned()),
            ("scopes", self.scopes.join(" ")),
            ("roles", self.roles.join(", ")),
            ("rate", self.rate.clone().unwrap_or_default()),
            ("profile", profile.unwrap_or_default()),
            ("created", self.created.to_string()),
        ]
    }
}
