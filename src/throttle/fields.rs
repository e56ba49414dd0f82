//! What callers are told of their limits.

use super::stack::{QuotaFields, Stack};
use crate::rate::Rate;
use crate::reject::interned;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::slice;
use std::sync::Arc;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How a caller stands with a rule.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub(super) rule: usize,
    pub(super) rate: Rate,
    pub(super) left: u32,
    pub(super) reset: u32,
}

/// Nearly always one, which needs no memory.
#[derive(Clone)]
pub(super) enum Standings {
    One(Standing),
    Several(Box<[Standing]>),
}

impl Standings {
    fn all(&self) -> &[Standing] {
        match self {
            Self::One(standing) => slice::from_ref(standing),
            Self::Several(standings) => standings,
        }
    }
}

/// The fields of one answer, which are written when it is there.
#[derive(Clone)]
pub(crate) struct Fields {
    stack: Arc<Stack>,
    standings: Standings,
}

impl Fields {
    /// `None` where there is nothing to tell.
    #[inline]
    pub(super) fn new(stack: &Arc<Stack>, standings: Standings) -> Option<Self> {
        (!standings.all().is_empty()).then(|| Self {
            stack: Arc::clone(stack),
            standings,
        })
    }

    /// Where an inner layer has told its limits, these come in addition: both fields are lists.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let shown = self.stack.shown;
        if shown != QuotaFields::Legacy {
            headers.append(RATE_LIMIT, self.standing());
            headers.append(RATE_LIMIT_POLICY, self.policy());
        }
        if shown != QuotaFields::Standard {
            self.write_legacy(headers);
        }
    }

    #[cold]
    fn write_legacy(&self, headers: &mut HeaderMap) {
        if let Some(tightest) = self
            .standings
            .all()
            .iter()
            .min_by_key(|standing| standing.left)
        {
            for (name, number) in [
                (LIMIT, tightest.rate.most()),
                (REMAINING, tightest.left),
                (RESET, tightest.reset),
            ] {
                headers.entry(name).or_insert_with(|| number.into());
            }
        }
    }

    /// `"name";r=50;t=30` for each rule: a list of items (RFC 9651 §3.1).
    #[inline]
    fn standing(&self) -> HeaderValue {
        self.list(|told, standing| item(&told.remaining, standing.left, b";t=", standing.reset))
    }

    /// `"name";q=100;w=60` for each rule. A paced one allows a burst at once, and then one each `w / q`.
    fn policy(&self) -> HeaderValue {
        match self.standings.all() {
            [one] if one.rate == self.stack.told[one.rule].rate => {
                self.stack.told[one.rule].policy.clone()
            }
            _ => self.list(|told, standing| policy(&told.name, &standing.rate)),
        }
    }

    #[inline]
    fn list(&self, item: impl Fn(&Told, &Standing) -> Vec<u8>) -> HeaderValue {
        let item = |standing: &Standing| item(&self.stack.told[standing.rule], standing);
        value(match self.standings.all() {
            [one] => item(one),
            several => several
                .iter()
                .map(item)
                .collect::<Vec<_>>()
                .join(&b", "[..]),
        })
    }
}

/// What is told of a rule whatever its caller's standing, made once.
pub(super) struct Told {
    /// In quotes. It consists of characters that need no escaping.
    name: Box<[u8]>,
    /// The name and `;r=`.
    remaining: Box<[u8]>,
    rate: Rate,
    /// Under that rate, the rule's own. It is kept for good, so that cloning it counts no references.
    policy: HeaderValue,
}

impl Told {
    /// `"name"`, or `"scope:name"` for the rules of a route.
    pub(super) fn new(scope: &str, name: &str, rate: &Rate) -> Self {
        let separator = if scope.is_empty() { "" } else { ":" };
        let name: Box<[u8]> = format!("\"{scope}{separator}{name}\"").into_bytes().into();
        let remaining = [&*name, b";r="].concat().into();
        let kept = Bytes::from_static(interned(&policy(&name, rate)));
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
    let (number, other) = (
        digits.format(number).as_bytes(),
        others.format(other).as_bytes(),
    );
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

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}
