use schemars::JsonSchema;
use serde::Serialize;

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Users,
    /// What lets in the tokens that simplejwt issued to a user.
    SimplejwtUsers,
    /// Of rest_framework's `TokenAuthentication`.
    Tokens,
    /// Of djangorestframework-api-key.
    ApiKeys,
    /// Of simplejwt.
    RefreshTokens,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Users,
        Self::SimplejwtUsers,
        Self::Tokens,
        Self::ApiKeys,
        Self::RefreshTokens,
    ];

    /// As people call them.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::SimplejwtUsers => "users of simplejwt",
            Self::Tokens => "tokens",
            Self::ApiKeys => "API keys",
            Self::RefreshTokens => "refresh tokens",
        }
    }
}
