//! How single values are read from arguments.

use jiff::Timestamp;
use serde_json::Value;
use std::time::SystemTime;
use tower_auth::throttle::Rate;
use tower_auth::{Role, Scope, Subject};

/// `42` and `user:42` are a user, `tenant:42` is a thing of kind `tenant`. A user whose id has a
/// colon is written with its kind.
pub(crate) fn subject(text: &str) -> Result<Subject, String> {
    let (kind, id) = text.split_once(':').unwrap_or(("user", text));
    if kind.is_empty() || id.is_empty() {
        return Err(String::from("an id is written as ID or KIND:ID"));
    }
    Ok(Subject::new(kind, id))
}

pub(crate) fn scope(text: &str) -> Result<Scope, String> {
    let scope = Scope::new(text);
    if scope.is_token() {
        return Ok(scope);
    }
    let form = "a scope is one word of ASCII, without quotes and backslashes";
    Err(String::from(form))
}

pub(crate) fn role(text: &str) -> Result<Role, String> {
    if text.trim().is_empty() {
        return Err(String::from("a role is not empty"));
    }
    Ok(Role::new(text))
}

pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    text.parse::<Rate>().map_err(|error| error.to_string())
}

pub(crate) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

pub(crate) fn date(text: &str) -> Result<SystemTime, String> {
    let read = text.parse::<Timestamp>();
    let form = "a date and time is written as in RFC 3339, such as 2027-01-31T00:00:00Z";
    read.map(SystemTime::from).map_err(|_| String::from(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_with_and_without_their_kind() {
        assert_eq!(subject("42").unwrap(), Subject::user("42"));
        assert_eq!(subject("user:a:b").unwrap(), Subject::user("a:b"));
        assert_eq!(subject("tenant:42").unwrap(), Subject::new("tenant", "42"));
        for wrong in ["", ":42", "tenant:"] {
            assert!(subject(wrong).is_err(), "{wrong:?}");
        }
    }
}
