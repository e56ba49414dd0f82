use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;
use std::time::SystemTime;

/// A time in UTC, to the second, in the form of RFC 3339.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(inline, extend("format" = "date-time"))]
pub(crate) struct Time(String);

impl From<SystemTime> for Time {
    fn from(at: SystemTime) -> Self {
        // RFC 3339 has four digits for the year, so whatever is beyond 9999 is shown as its end.
        let at = Timestamp::try_from(at).unwrap_or(Timestamp::MAX);
        let second = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self(second.to_string())
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As a cell of a table: nothing where there is no such time.
pub(super) fn cell(time: Option<&Time>) -> String {
    match time {
        Some(time) => time.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_are_told_to_the_second_in_utc() {
        let told = |seconds, nanos| Time::from(UNIX_EPOCH + Duration::new(seconds, nanos)).0;
        assert_eq!(told(0, 0), "1970-01-01T00:00:00Z");
        assert_eq!(told(1_705_314_600, 999_999_999), "2024-01-15T10:30:00Z");
        assert_eq!(told(u64::from(u32::MAX) * 1_000, 0), "9999-12-30T22:00:00Z");
    }
}
