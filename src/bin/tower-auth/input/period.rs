use jiff::{Span, SpanRelativeTo};
use std::str::FromStr;
use std::time::Duration;

/// A length of time, such as `90d`, `24h` or `15min`. A day has 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period(pub(crate) Duration);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match length(text) {
            Some(length) => Ok(Self(length)),
            None => Err(String::from(
                "a length of time is written as 90d, 24h or 15min",
            )),
        }
    }
}

/// `None` where it has no unit, one that is not always as long, or is negative.
fn length(text: &str) -> Option<Duration> {
    let span: Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_unit_and_never_without() {
        let seconds = |text: &str| text.parse::<Period>().map(|period| period.0.as_secs());
        assert_eq!(seconds("90d"), Ok(90 * 86_400));
        assert_eq!(seconds("24h"), Ok(86_400));
        assert_eq!(seconds("15min"), Ok(900));
        assert_eq!(seconds("1d 12h"), Ok(129_600));
        assert_eq!(seconds("0s"), Ok(0));
        for wrong in ["", "90", "d", "-1d", "1 month", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
