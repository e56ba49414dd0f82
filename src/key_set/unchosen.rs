use super::jws::refused;
use crate::reject::Rejection;

/// Why a set has no key for a token. The texts are reasons for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchosen {
    /// No set has one: the token does not say which it means, or names no algorithm that is known.
    Impossible(&'static str),
    /// This set has none, and one that is loaded now may.
    Unknown(&'static str),
}

impl From<Unchosen> for Rejection {
    fn from(unchosen: Unchosen) -> Self {
        match unchosen {
            Unchosen::Impossible(reason) | Unchosen::Unknown(reason) => refused(reason),
        }
    }
}
