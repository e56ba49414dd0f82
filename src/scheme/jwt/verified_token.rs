use super::claims::{Claims, Times};
use super::ours::IssuedIds;
use super::strict::OneOrMany;
use crate::principal::TokenIdentity;
use std::sync::Arc;

/// What is kept of a token that was verified: facts. Whether they still make a good token is judged
/// whenever it is presented.
pub(super) struct VerifiedToken {
    pub(super) identity: Arc<TokenIdentity>,
    pub(super) terms: Terms,
}

/// What a token says of when, for whom and until which revocation it is good.
pub(super) struct Terms {
    pub(super) times: Times,
    pub(super) audience: Option<OneOrMany<'static>>,
    /// Whether a claim says what may stand for a missing `aud`.
    pub(super) is_for_us: bool,
    /// Of a token of ours.
    pub(super) ids: Option<IssuedIds>,
}

impl Terms {
    /// `ids` are those of a token of ours.
    pub(super) fn of(claims: &Claims<'_>, ids: Option<IssuedIds>) -> Self {
        Self {
            times: claims.times(),
            audience: claims.aud.as_ref().map(OneOrMany::to_owned),
            is_for_us: claims.found.is_for_us,
            ids,
        }
    }

    /// What it points to.
    fn bytes(&self) -> usize {
        let audience = match &self.audience {
            None => 0,
            Some(OneOrMany::One(one)) => allocated(one.len()),
            Some(many @ OneOrMany::Many(_)) => many
                .iter()
                .map(|one| size_of::<String>() + allocated(one.len()))
                .sum(),
        };
        let ids = match &self.ids {
            None => 0,
            Some(ids) => {
                let family = ids.family.as_ref().map_or(0, String::len);
                allocated(ids.token.len()) + allocated(family)
            }
        };
        audience + ids
    }
}

impl VerifiedToken {
    /// How many bytes it takes, all that it points to included.
    pub(super) fn bytes(&self) -> usize {
        let counters = 2 * size_of::<usize>();
        let own = size_of::<Self>() + counters;
        let identity = allocated(size_of::<TokenIdentity>() + counters);
        own + identity + self.identity.bytes() + self.terms.bytes()
    }
}

/// With what an allocator adds.
fn allocated(bytes: usize) -> usize {
    bytes + 16
}
