use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;
use tower_auth::Subject;

/// The id of a user, or of a thing of another kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct SubjectShown {
    /// What kind of thing: `user`, or another one's name.
    kind: String,
    /// The id, unique within its kind.
    id: String,
}

impl From<&Subject> for SubjectShown {
    fn from(subject: &Subject) -> Self {
        Self {
            kind: subject.kind().to_owned(),
            id: subject.id().to_owned(),
        }
    }
}

/// As arguments take it: with the kind where it is no user, or the id would read as if it had one.
impl fmt::Display for SubjectShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = self.kind == "user" && !self.id.contains(':');
        if is_plain {
            f.write_str(&self.id)
        } else {
            write!(f, "{}:{}", self.kind, self.id)
        }
    }
}
