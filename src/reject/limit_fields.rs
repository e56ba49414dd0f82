use http::header::{HeaderMap, HeaderName, HeaderValue};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What an answer, whatever it is, tells of the limits that its request was counted under: values
/// that are ready to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct LimitFields {
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
        if let Some(fields) = self.standard {
            headers.append(RATE_LIMIT, fields.standing);
            headers.append(RATE_LIMIT_POLICY, fields.policy);
        }
        if let Some(fields) = self.legacy {
            fields.write(headers);
        }
    }
}

impl LegacyFields {
    #[cold]
    fn write(self, headers: &mut HeaderMap) {
        let lines = [
            (LIMIT, self.limit),
            (REMAINING, self.remaining),
            (RESET, self.reset),
        ];
        for (name, number) in lines {
            headers.entry(name).or_insert_with(|| number.into());
        }
    }
}
