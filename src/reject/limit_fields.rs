use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What an answer, whatever it is, tells of the limits that its request was counted under. Small,
/// for every request takes it along.
#[derive(Clone, Debug)]
pub(crate) enum LimitFields {
    /// The standard fields of one rule under its own rate, as they mostly are.
    One(RuleStanding),
    Many(Box<ManyFields>),
}

/// How a caller stands with one rule, in numbers: a value is made when it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleStanding {
    /// The rule's name in quotes and `;r=`. It consists of characters that need no escaping.
    pub(crate) remaining: &'static [u8],
    pub(crate) policy: &'static HeaderValue,
    pub(crate) left: u32,
    /// Seconds.
    pub(crate) reset: u32,
}

/// Values that are ready to be written.
#[derive(Clone, Debug)]
pub(crate) struct ManyFields {
    pub(crate) standard: Option<StandardFields>,
    pub(crate) legacy: Option<LegacyFields>,
}

/// `RateLimit` and `RateLimit-Policy`.
#[derive(Clone, Debug)]
pub(crate) struct StandardFields {
    pub(crate) standing: HeaderValue,
    pub(crate) policy: HeaderValue,
}

/// `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegacyFields {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset: u32,
}

impl LimitFields {
    /// Where an inner layer has told its limits, the standard fields come in addition: both are
    /// lists. The others are not, and the inner ones stay.
    #[inline]
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        match self {
            Self::One(rule) => {
                headers.append(RATE_LIMIT, limit_value(rule.item()));
                headers.append(RATE_LIMIT_POLICY, rule.policy.clone());
            }
            Self::Many(fields) => fields.write(headers),
        }
    }
}

impl RuleStanding {
    /// `"name";r=50;t=30`.
    #[inline]
    pub(crate) fn item(&self) -> Vec<u8> {
        limit_item(self.remaining, self.left, b";t=", self.reset)
    }
}

impl ManyFields {
    fn write(self, headers: &mut HeaderMap) {
        if let Some(fields) = self.standard {
            headers.append(RATE_LIMIT, fields.standing);
            headers.append(RATE_LIMIT_POLICY, fields.policy);
        }
        if let Some(fields) = self.legacy {
            fields.write(headers);
        }
    }
}

/// An item with two parameters, of which the name and the first one's name come first (RFC 9651
/// §3.1).
#[inline]
pub(crate) fn limit_item(first: &[u8], number: u32, second: &[u8], other: u32) -> Vec<u8> {
    let (mut digits, mut others) = (itoa::Buffer::new(), itoa::Buffer::new());
    let number = digits.format(number).as_bytes();
    let other = others.format(other).as_bytes();
    // The exact length, so that the header value takes the memory over as it is.
    let mut item = Vec::with_capacity(first.len() + number.len() + second.len() + other.len());
    item.extend_from_slice(first);
    item.extend_from_slice(number);
    item.extend_from_slice(second);
    item.extend_from_slice(other);
    item
}

/// The value of items.
#[inline]
pub(crate) fn limit_value(items: Vec<u8>) -> HeaderValue {
    // OK because names and numbers are printable ASCII.
    HeaderValue::from_maybe_shared(Bytes::from(items)).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(feature = "openapi")]
impl StandardFields {
    pub(crate) const NAMES: [HeaderName; 2] = [RATE_LIMIT, RATE_LIMIT_POLICY];
}

impl LegacyFields {
    #[cfg(feature = "openapi")]
    pub(crate) const NAMES: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

    #[cold]
    fn write(self, headers: &mut HeaderMap) {
        let lines = [
            (LIMIT, self.limit),
            (REMAINING, self.remaining),
            (RESET, self.reset),
        ];
        for (name, number) in lines {
            // These fields hold a number each. Where an inner layer has written its own, that one
            // is nearer to what the request did.
            headers.entry(name).or_insert_with(|| number.into());
        }
    }
}
