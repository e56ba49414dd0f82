//! What callers are told of their limits.

use crate::intern;
use crate::rate::Rate;
use crate::reject::{LegacyFields, LimitFields, StandardFields};
use bytes::Bytes;
use http::header::HeaderValue;

/// Which fields tell callers what is left.
///
/// | | fields |
/// |---|---|
/// | `Standard` | `RateLimit` and `RateLimit-Policy`, an item for each rule ([draft-ietf-httpapi-ratelimit-headers](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/)) |
/// | `Legacy` | `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now) of the rule with the least left |
/// | `Both` | all of them |
/// | `Hidden` | none; `Retry-After` tells a refused caller when to come back all the same |
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
    /// The fields of one answer. `None` where there is nothing to tell.
    #[inline]
    pub(super) fn of(self, lines: &[Line<'_>]) -> Option<LimitFields> {
        if lines.is_empty() || self == Self::Hidden {
            return None;
        }
        let standard = match self {
            Self::Legacy => None,
            _ => Some(StandardFields {
                standing: standing(lines),
                policy: policies(lines),
            }),
        };
        let legacy = match self {
            Self::Standard => None,
            _ => legacy(lines),
        };
        Some(LimitFields { standard, legacy })
    }
}

/// `"name";r=50;t=30` for each rule: a list of items (RFC 9651 §3.1).
#[inline]
fn standing(lines: &[Line<'_>]) -> HeaderValue {
    list(lines, |line| {
        item(&line.told.remaining, line.left, b";t=", line.reset)
    })
}

/// `"name";q=100;w=60` for each rule. A paced one allows a burst at once, and then one each `w /
/// q`.
#[inline]
fn policies(lines: &[Line<'_>]) -> HeaderValue {
    match lines {
        [one] if one.rate == one.told.rate => one.told.policy.clone(),
        _ => list(lines, |line| policy(&line.told.name, &line.rate)),
    }
}

#[inline]
fn list(lines: &[Line<'_>], item: impl Fn(&Line<'_>) -> Vec<u8>) -> HeaderValue {
    value(match lines {
        [one] => item(one),
        several => several
            .iter()
            .map(item)
            .collect::<Vec<_>>()
            .join(&b", "[..]),
    })
}

#[cold]
fn legacy(lines: &[Line<'_>]) -> Option<LegacyFields> {
    let tightest = lines.iter().min_by_key(|line| line.left)?;
    Some(LegacyFields {
        limit: tightest.rate.most(),
        remaining: tightest.left,
        reset: tightest.reset,
    })
}

/// What is told of a rule whatever its caller's standing, made once.
pub(super) struct Told {
    /// In quotes. It consists of characters that need no escaping.
    name: Box<[u8]>,
    /// The name and `;r=`.
    remaining: Box<[u8]>,
    rate: Rate,
    /// Under that rate, the rule's own. It is kept for good, so that cloning it counts no
    /// references.
    policy: HeaderValue,
}

impl Told {
    /// Of a rule by the name that clients see.
    pub(super) fn new(name: &str, rate: &Rate) -> Self {
        let name: Box<[u8]> = format!("\"{name}\"").into_bytes().into();
        let remaining = [&*name, b";r="].concat().into();
        let kept = Bytes::from_static(intern::bytes(&policy(&name, rate)));
        Self {
            name,
            remaining,
            rate: *rate,
            policy: value(kept),
        }
    }
}

fn policy(name: &[u8], rate: &Rate) -> Vec<u8> {
    let name = [name, b";q="].concat();
    item(&name, rate.count(), b";w=", rate.seconds())
}

/// A name with two parameters.
#[inline]
fn item(first: &[u8], number: u32, second: &[u8], other: u32) -> Vec<u8> {
    let (mut digits, mut others) = (itoa::Buffer::new(), itoa::Buffer::new());
    let number = digits.format(number).as_bytes();
    let other = others.format(other).as_bytes();
    // As long as it needs to be, so that the value takes it over.
    let mut item = Vec::with_capacity(first.len() + number.len() + second.len() + other.len());
    item.extend_from_slice(first);
    item.extend_from_slice(number);
    item.extend_from_slice(second);
    item.extend_from_slice(other);
    item
}

fn value(text: impl Into<Bytes>) -> HeaderValue {
    // OK because names and numbers are printable ASCII.
    HeaderValue::from_maybe_shared(text.into()).unwrap_or(HeaderValue::from_static(""))
}
