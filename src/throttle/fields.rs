//! What callers are told of their limits.

use crate::intern;
use crate::rate::Rate;
use crate::reject::{
    LegacyFields, LimitFields, ManyFields, RuleStanding, StandardFields, limit_item, limit_value,
};
#[cfg(feature = "openapi")]
use http::HeaderName;
use http::header::HeaderValue;

/// Which header fields tell callers what is left of their limits.
///
/// | | fields |
/// |---|---|
/// | `Standard` | `RateLimit` and `RateLimit-Policy`, an item for each rule ([draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)) |
/// | `Legacy` | `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now) of the rule with the least left |
/// | `Both` | all of them |
/// | `Hidden` | none; `Retry-After` tells a refused caller when to come back all the same |
///
/// Where a route has a limit besides that of the layer, each tells of itself in a field line of its
/// own, the innermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaFields {
    /// `RateLimit` and `RateLimit-Policy`.
    #[default]
    Standard,
    /// `X-RateLimit-*`.
    Legacy,
    /// Both kinds.
    Both,
    /// None.
    Hidden,
}

/// How a caller stands with one rule.
pub(super) struct Line<'a> {
    pub(super) told: &'a Told,
    pub(super) rate: Rate,
    pub(super) left: u32,
    /// Seconds.
    pub(super) reset: u32,
}

impl QuotaFields {
    /// The names of the fields, for a document.
    #[cfg(feature = "openapi")]
    pub(crate) fn names(self) -> Vec<HeaderName> {
        match self {
            Self::Standard => StandardFields::NAMES.to_vec(),
            Self::Legacy => LegacyFields::NAMES.to_vec(),
            Self::Both => [&StandardFields::NAMES[..], &LegacyFields::NAMES].concat(),
            Self::Hidden => Vec::new(),
        }
    }

    /// The fields of one answer. `None` where there is nothing to tell.
    #[inline]
    pub(super) fn of(self, lines: &[Line<'_>]) -> Option<LimitFields> {
        match (self, lines) {
            (Self::Hidden, _) | (_, []) => None,
            // The text of the policy was made in advance for the rule's own rate. A caller with
            // another rate is told that one instead.
            (Self::Standard, [one]) if one.rate == one.told.rate => {
                Some(LimitFields::One(one.standing()))
            }
            _ => Some(LimitFields::Many(Box::new(self.many(lines)))),
        }
    }

    fn many(self, lines: &[Line<'_>]) -> ManyFields {
        let standard = match self {
            Self::Legacy => None,
            _ => Some(StandardFields {
                standing: list(lines, |line| line.standing().item()),
                policy: list(lines, |line| policy(&line.told.name, &line.rate)),
            }),
        };
        let legacy = match self {
            Self::Standard => None,
            _ => legacy(lines),
        };
        ManyFields { standard, legacy }
    }
}

/// An item for each rule (RFC 9651 §3.1).
fn list(lines: &[Line<'_>], item: impl Fn(&Line<'_>) -> Vec<u8>) -> HeaderValue {
    let items: Vec<Vec<u8>> = lines.iter().map(item).collect();
    limit_value(items.join(&b", "[..]))
}

fn legacy(lines: &[Line<'_>]) -> Option<LegacyFields> {
    let tightest = lines.iter().min_by_key(|line| line.left)?;
    Some(LegacyFields {
        limit: tightest.rate.most(),
        remaining: tightest.left,
        reset: tightest.reset,
    })
}

impl Line<'_> {
    #[inline]
    fn standing(&self) -> RuleStanding {
        RuleStanding {
            remaining: self.told.remaining,
            policy: self.told.policy,
            left: self.left,
            reset: self.reset,
        }
    }
}

/// What is told of a rule whatever its caller's standing, made once and kept for good, so that a
/// request takes it along without counting a reference.
pub(super) struct Told {
    /// In quotes. It consists of characters that need no escaping.
    name: Box<[u8]>,
    /// The name and `;r=`.
    remaining: &'static [u8],
    rate: Rate,
    /// Under that rate, the rule's own.
    policy: &'static HeaderValue,
}

impl Told {
    /// Of a rule by the name that clients see.
    pub(super) fn new(name: &str, rate: &Rate) -> Self {
        let name: Box<[u8]> = format!("\"{name}\"").into_bytes().into();
        Self {
            remaining: intern::bytes(&[&*name, b";r="].concat()),
            policy: intern::header_value(&policy(&name, rate)),
            rate: *rate,
            name,
        }
    }
}

/// `"name";q=100;w=60`. A paced rate allows a burst at once, and then one each `w / q`.
fn policy(name: &[u8], rate: &Rate) -> Vec<u8> {
    let name = [name, b";q="].concat();
    limit_item(&name, rate.count(), b";w=", rate.seconds())
}
