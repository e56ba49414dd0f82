//! What callers are told of their limits.

use super::rate::Rate;
use super::stack::{QuotaFields, Stack};
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
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
#[derive(Clone, Default)]
pub(crate) struct Standings {
    first: Option<Standing>,
    others: Vec<Standing>,
}

impl Standings {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Standing> {
        self.first.iter().chain(&self.others)
    }
}

impl FromIterator<Standing> for Standings {
    fn from_iter<I: IntoIterator<Item = Standing>>(standings: I) -> Self {
        let mut standings = standings.into_iter();
        Self { first: standings.next(), others: standings.collect() }
    }
}

/// The fields of one answer, which are written when it is there.
#[derive(Clone)]
pub(crate) struct Fields {
    stack: Arc<Stack>,
    standings: Standings,
}

impl Fields {
    pub(super) fn new(stack: Arc<Stack>, standings: Standings) -> Self {
        Self { stack, standings }
    }

    /// Where an inner layer has told its limits, these come in addition: both fields are lists.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let shown = self.stack.shown;
        if matches!(shown, QuotaFields::Standard | QuotaFields::Both) {
            headers
                .append(RATE_LIMIT, value(self.standings.iter(), |text, standing| self.item(text, standing)));
            headers.append(RATE_LIMIT_POLICY, self.policies());
        }
        if matches!(shown, QuotaFields::Legacy | QuotaFields::Both)
            && let Some(tightest) = self.standings.iter().min_by_key(|standing| standing.left)
        {
            for (name, number) in
                [(LIMIT, tightest.rate.most()), (REMAINING, tightest.left), (RESET, tightest.reset)]
            {
                headers.entry(name).or_insert_with(|| number.into());
            }
        }
    }

    /// `"name";r=50;t=30`
    fn item(&self, text: &mut Vec<u8>, standing: &Standing) {
        self.name(text, standing);
        parameter(text, b";r=", standing.left);
        parameter(text, b";t=", standing.reset);
    }

    /// `"name";q=100;w=60`. A paced rule allows so many at once, and one more each `w / q`.
    fn policies(&self) -> HeaderValue {
        let kept = &self.stack.policies;
        match (&self.standings.first, self.standings.others.as_slice()) {
            (Some(one), []) if one.rate == self.stack.rules[one.rule].rate => kept[one.rule].clone(),
            _ => value(self.standings.iter(), |text, standing| {
                self.name(text, standing);
                parameters(text, &standing.rate);
            }),
        }
    }

    fn name(&self, text: &mut Vec<u8>, standing: &Standing) {
        quoted(text, &self.stack.scope, &self.stack.rules[standing.rule].name);
    }
}

/// The policy of a rule under its own rate, made once.
pub(super) fn policy(scope: &str, name: &str, rate: &Rate) -> HeaderValue {
    let mut text = Vec::with_capacity(64);
    quoted(&mut text, scope, name);
    parameters(&mut text, rate);
    header_value(text)
}

fn parameters(text: &mut Vec<u8>, rate: &Rate) {
    parameter(text, b";q=", rate.count());
    parameter(text, b";w=", rate.seconds());
}

/// `"name"`, or `"scope:name"` for the rules of a route. Both consist of characters that need no escaping.
fn quoted(text: &mut Vec<u8>, scope: &str, name: &str) {
    text.push(b'"');
    if !scope.is_empty() {
        text.extend_from_slice(scope.as_bytes());
        text.push(b':');
    }
    text.extend_from_slice(name.as_bytes());
    text.push(b'"');
}

fn parameter(text: &mut Vec<u8>, name: &[u8], number: u32) {
    text.extend_from_slice(name);
    let (mut digits, mut at, mut rest) = ([0; 10], 10, number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// A list of items (RFC 9651 §3.1).
fn value<'s>(
    standings: impl Iterator<Item = &'s Standing>,
    mut write: impl FnMut(&mut Vec<u8>, &Standing),
) -> HeaderValue {
    let mut text = Vec::with_capacity(64);
    for standing in standings {
        if !text.is_empty() {
            text.extend_from_slice(b", ");
        }
        write(&mut text, standing);
    }
    header_value(text)
}

fn header_value(text: Vec<u8>) -> HeaderValue {
    // OK because names and numbers are printable ASCII.
    HeaderValue::from_maybe_shared(Bytes::from(text)).unwrap_or(HeaderValue::from_static(""))
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").finish_non_exhaustive()
    }
}
