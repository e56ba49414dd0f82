//! What is measured of which.

#![cfg_attr(
    not(all(
        feature = "metrics",
        feature = "jwt",
        feature = "api-key",
        feature = "basic"
    )),
    allow(
        dead_code,
        reason = "each feature has some of them, and one tells of them"
    )
)]

/// Who was asked something that takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    Store,
    Limiter,
    /// An issuer, for its keys.
    Issuer,
}

/// What came of a call that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered, be it with a no.
    Answered,
    /// It failed, or panicked.
    Failed,
    /// It did not answer within the deadline.
    Late,
}

/// Where something is looked for before anybody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    ApiKeys,
    Tokens,
}

/// What is read off once a second.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Gauge {
    /// How old the news of other nodes is, in seconds.
    StoreLag,
    /// What verified tokens take, in bytes.
    TokenCache,
    /// How many keys of an issuer are held.
    IssuerKeys(Box<str>),
    /// How many passwords wait to be hashed.
    HashesWaiting,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Late => "late",
        }
    }
}

impl Cache {
    pub(super) const ALL: [Self; 2] = [Self::ApiKeys, Self::Tokens];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ApiKeys => "api keys",
            Self::Tokens => "tokens",
        }
    }
}
