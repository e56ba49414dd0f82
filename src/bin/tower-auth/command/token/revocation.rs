use crate::shown::SubjectShown;
use schemars::JsonSchema;
use serde::Serialize;

/// What was revoked.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Revocation {
    /// Of all that somebody has, of a private token, or of one that was presented.
    pub(super) revoked: Revoked,
    /// Whose it was.
    pub(super) owner: SubjectShown,
    /// The id of the private token, where it was one that an id named.
    pub(super) id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Revoked {
    /// A token that was read; of a refresh token the whole session.
    Token,
    /// A private token, by its id.
    PrivateToken,
    /// All sessions and private tokens of the owner.
    Everything,
}

impl Revocation {
    pub(super) fn told(&self) -> String {
        let owner = &self.owner;
        match (&self.revoked, &self.id) {
            (Revoked::Token, _) => format!("The token of {owner} is revoked."),
            (Revoked::PrivateToken, id) => {
                let id = id.as_deref().unwrap_or_default();
                format!("The private token {id} of {owner} is revoked.")
            }
            (Revoked::Everything, _) => {
                format!("All sessions and private tokens of {owner} have ended.")
            }
        }
    }
}
