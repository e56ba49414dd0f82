use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;
const LONGEST: u32 = 366 * DAY;
const MOST: u32 = 1_000_000_000;
const NANOS: u64 = 1_000_000_000;

/// How often: so many requests per period, such as `100/min`.
///
/// | text | meaning |
/// |---|---|
/// | `2000/day`, `5/15min`, `10/s` | sliding: never more than N in *any* window of that length, to the nanosecond up to 64, at most 2 % stricter above |
/// | `100/hour burst 20` | paced: 20 at once, then one every 36 seconds; never more than N + burst − 1 in any window |
/// | `2000/day calendar` | N in each calendar day (hour, week) of UTC, so up to 2 N around midnight: for quotas billed that way |
///
/// - Units are `s`, `min` (`m`), `hour` (`h`), `day` (`d`) and `week` (`w`), their long forms and
///   plurals. A month has no fixed length and is refused.
/// - Counts go from 1 to 1,000,000,000, periods from a second to 366 days.
///
/// ```
/// use std::time::Duration;
/// use tower_auth::throttle::Rate;
///
/// let rate: Rate = "5/15min".parse()?;
/// assert_eq!((rate.count(), rate.period()), (5, Duration::from_secs(900)));
/// assert_eq!(rate.to_string(), "5/15min");
///
/// let error = "10/month".parse::<Rate>().unwrap_err();
/// assert!(error.to_string().starts_with(r#""10/month" is no rate: a month has no fixed length"#));
/// # Ok::<(), tower_auth::throttle::RateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u32,
    seconds: u32,
    form: Form,
}

/// By which algorithm a rate is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Sliding,
    Paced { burst: u32 },
    Calendar,
}

impl Rate {
    /// Never more than `count` in any window of `period`, which is in whole seconds.
    ///
    /// # Errors
    ///
    /// The count or the period is zero or too large, or the period is not in whole seconds.
    pub fn new(count: u32, period: Duration) -> Result<Self, RateError> {
        let rate = if period.subsec_nanos() > 0 {
            Err("a period is in whole seconds")
        } else {
            // What does not fit is longer than the longest period, and `checked` says so.
            let seconds = u32::try_from(period.as_secs()).unwrap_or(u32::MAX);
            Self::checked(count, seconds, Form::Sliding)
        };
        rate.map_err(|problem| RateError::new(&format!("{count} per {period:?}"), problem))
    }

    /// Paced: so many at once, and then one by one, `count` per period.
    ///
    /// # Errors
    ///
    /// The burst is zero or too large.
    pub fn burst(self, burst: u32) -> Result<Self, RateError> {
        let paced = Self::checked(self.count, self.seconds, Form::Paced { burst });
        paced.map_err(|problem| RateError::new(&format!("{self} burst {burst}"), problem))
    }

    /// In each calendar period of UTC; weeks begin on Monday.
    ///
    /// # Errors
    ///
    /// The period is neither a week nor a part of a day.
    pub fn calendar(self) -> Result<Self, RateError> {
        let calendar = Self::checked(self.count, self.seconds, Form::Calendar);
        calendar.map_err(|problem| RateError::new(&format!("{self} calendar"), problem))
    }

    /// The least there is, where a text that is none has been reported.
    pub(crate) const LEAST: Self = Self {
        count: 1,
        seconds: 1,
        form: Form::Sliding,
    };

    fn checked(count: u32, seconds: u32, form: Form) -> Result<Self, &'static str> {
        if count == 0 {
            Err("a count of 0 would refuse everything")
        } else if seconds == 0 {
            Err("a period is at least a second")
        } else if count > MOST {
            Err("a count is at most 1000000000")
        } else if seconds > LONGEST {
            Err("a period is at most 366 days")
        } else {
            match form {
                Form::Paced { burst: 0 } => Err("a burst of 0 would refuse everything"),
                Form::Paced { burst } if burst > MOST => Err("a burst is at most 1000000000"),
                Form::Calendar if seconds != WEEK && !DAY.is_multiple_of(seconds) => {
                    Err("a calendar period is a week, a day or an even part of a day")
                }
                _ => Ok(Self {
                    count,
                    seconds,
                    form,
                }),
            }
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// In which time.
    #[must_use]
    pub fn period(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    pub(crate) fn seconds(&self) -> u32 {
        self.seconds
    }

    /// The period in nanoseconds: 366 days are 2^55 of them.
    #[inline]
    pub(crate) fn nanos(&self) -> u64 {
        u64::from(self.seconds) * NANOS
    }

    /// The most that a single request may cost.
    pub(crate) fn most(&self) -> u32 {
        match self.form {
            Form::Paced { burst } => burst,
            Form::Sliding | Form::Calendar => self.count,
        }
    }

    /// What one of so many nodes may admit on its own: all of them together stay within this rate.
    /// Where the count does not go round, one request in a longer period.
    pub(crate) fn share(&self, nodes: u32) -> Self {
        let nodes = nodes.max(1);
        let form = match self.form {
            Form::Paced { burst } => Form::Paced {
                burst: (burst / nodes).max(1),
            },
            form => form,
        };
        if self.count >= nodes {
            return Self {
                count: self.count / nodes,
                seconds: self.seconds,
                form,
            };
        }
        // The longer period below need not be an even part of a day, as a calendar's windows have
        // to be.
        let form = if form == Form::Calendar {
            Form::Sliding
        } else {
            form
        };
        let seconds = u64::from(self.seconds) * u64::from(nodes.div_ceil(self.count));
        Self {
            count: 1,
            seconds: u32::try_from(seconds).unwrap_or(LONGEST).min(LONGEST),
            form,
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        parse(text).map_err(|problem| RateError::new(text, problem))
    }
}

impl TryFrom<&str> for Rate {
    type Error = RateError;

    fn try_from(text: &str) -> Result<Self, RateError> {
        text.parse()
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, RateError> {
        text.parse()
    }
}

/// `count "/" [number] unit [" burst " number / " calendar"]`
fn parse(text: &str) -> Result<Rate, &'static str> {
    let (count, rest) = text.split_once('/').ok_or("it has no '/'")?;
    let mut words = rest.split_ascii_whitespace();
    let count = number(count.trim_matches(' '), "the count is not a number")?;
    let seconds = period(words.next().ok_or("it has no period")?)?;
    let form = match (words.next(), words.next(), words.next()) {
        (None, ..) => Form::Sliding,
        (Some("calendar"), None, _) => Form::Calendar,
        (Some("burst"), Some(burst), None) => Form::Paced {
            burst: number(burst, "the burst is not a number")?,
        },
        _ => return Err("after the period comes nothing, 'burst' and a number, or 'calendar'"),
    };
    Rate::checked(count, seconds, form)
}

/// `[number] unit`, in seconds.
fn period(text: &str) -> Result<u32, &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number_of, unit) = text.split_at(digits);
    let seconds = seconds_of(unit)?;
    let many = if number_of.is_empty() {
        1
    } else {
        number(number_of, "the period is not a number")?
    };
    many.checked_mul(seconds)
        .ok_or("a period is at most 366 days")
}

fn seconds_of(unit: &str) -> Result<u32, &'static str> {
    match unit {
        "s" | "sec" | "secs" | "second" | "seconds" => Ok(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Ok(MINUTE),
        "h" | "hour" | "hours" => Ok(HOUR),
        "d" | "day" | "days" => Ok(DAY),
        "w" | "week" | "weeks" => Ok(WEEK),
        _ if unit.starts_with("mon") => Err("a month has no fixed length; write 30days"),
        "ms" | "millis" | "us" | "ns" => Err("a period is at least a second"),
        _ => Err("the unit is none of s, min, hour, day and week"),
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str, otherwise: &'static str) -> Result<u32, &'static str> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(otherwise);
    }
    text.parse().map_err(|_| "a number is at most 1000000000")
}

/// A text that parses to the same rate.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 5] = [
            (WEEK, "week"),
            (DAY, "day"),
            (HOUR, "hour"),
            (MINUTE, "min"),
            (1, "s"),
        ];
        let mut units = UNITS.into_iter();
        let whole = units.find(|(unit, _)| self.seconds.is_multiple_of(*unit));
        let (unit, name) = whole.unwrap_or((1, "s"));
        write!(f, "{}/", self.count)?;
        match self.seconds / unit {
            1 => f.write_str(name)?,
            many => write!(f, "{many}{name}")?,
        }
        match self.form {
            Form::Sliding => Ok(()),
            Form::Paced { burst } => write!(f, " burst {burst}"),
            Form::Calendar => f.write_str(" calendar"),
        }
    }
}

/// Why a text is no [`Rate`]. It shows the forms that are.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no rate: {problem}. Rates look like \"2000/day\", \"5/15min\", \"10/s\", \"100/hour burst 20\" \
     or \"2000/day calendar\""
)]
pub struct RateError {
    text: Box<str>,
    problem: &'static str,
}

/// As `Display`: it is what a `main` prints that returns it.
impl fmt::Debug for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl RateError {
    /// Of a long text the beginning is enough to find it by.
    fn new(text: &str, problem: &'static str) -> Self {
        Self {
            text: text.chars().take(40).collect::<String>().into(),
            problem,
        }
    }
}

/// For functions that take a text or a [`Rate`].
impl From<Infallible> for RateError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str) -> &'static str {
        text.parse::<Rate>().unwrap_err().problem
    }

    #[test]
    fn accepted_forms_mean_what_they_say() {
        let cases = [
            ("2000/day", 2000, 86_400, Form::Sliding),
            ("5/15min", 5, 900, Form::Sliding),
            ("10/s", 10, 1, Form::Sliding),
            ("100/hour burst 20", 100, 3600, Form::Paced { burst: 20 }),
            ("2000/day calendar", 2000, 86_400, Form::Calendar),
            ("1/m", 1, 60, Form::Sliding),
            ("7/2weeks", 7, 1_209_600, Form::Sliding),
            ("1000000000/366d", 1_000_000_000, 31_622_400, Form::Sliding),
        ];
        for (text, count, seconds, form) in cases {
            assert_eq!(
                text.parse(),
                Ok(Rate {
                    count,
                    seconds,
                    form
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_the_error_shows_the_accepted_forms() {
        let texts = [
            "",
            "/",
            "10",
            "10/",
            "/day",
            // A number and its unit are one word.
            " 7 / 2 weeks",
            "10/month",
            "10/months",
            "10/fortnight",
            "0/day",
            "1/0s",
            "-1/day",
            "+1/day",
            "1e3/day",
            "1.5/s",
            "4294967296/day",
            "1000000001/day",
            "1/367days",
            "1/99999999999s",
            "1/4294967295w",
            "10/100ms",
            "10/day burst",
            "10/day burst 0",
            "10/day burst x",
            "10/day burst 5 5",
            "10/day daily",
            "10/day calendar now",
            "10/7h calendar",
            "10/2weeks calendar",
            "10/day/2",
            "１０/day",
        ];
        for text in texts {
            let error = text.parse::<Rate>().unwrap_err().to_string();
            assert!(
                error.contains(r#""5/15min""#) && error.contains("is no rate"),
                "{error}"
            );
        }
        assert_eq!(
            problem("10/month"),
            "a month has no fixed length; write 30days"
        );
        assert!(
            "x".repeat(9_999)
                .parse::<Rate>()
                .unwrap_err()
                .to_string()
                .len()
                < 250
        );
    }

    #[test]
    fn rates_can_be_built_as_well_as_written() {
        let hour = Duration::from_secs(3600);
        let rate = Rate::new(100, hour).unwrap();
        assert_eq!(rate.burst(20).unwrap().to_string(), "100/hour burst 20");
        assert_eq!(rate.calendar().unwrap().to_string(), "100/hour calendar");
        assert!(Rate::new(0, hour).is_err() && Rate::new(1, Duration::ZERO).is_err());
        assert!(
            Rate::new(1, Duration::from_millis(1500)).is_err()
                && Rate::new(1, Duration::MAX).is_err()
        );
        assert!(rate.burst(0).is_err() && Rate::new(1, 7 * hour).unwrap().calendar().is_err());
    }

    #[test]
    fn shares_of_all_nodes_stay_within_the_rate() {
        for (text, nodes, share) in [
            ("2000/day", 3, "666/day"),
            ("2/day", 4, "1/2day"),
            ("1/day", 1, "1/day"),
            ("3/day calendar", 4, "1/2day"),
            ("100/hour burst 20", 4, "25/hour burst 5"),
            ("1/366days", 9, "1/366day"),
        ] {
            assert_eq!(
                text.parse::<Rate>().unwrap().share(nodes).to_string(),
                share,
                "{text} on {nodes}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_displayed_rate_parses_to_itself(count in 1..=MOST, seconds in 1..=LONGEST, burst in 0..=MOST) {
            let form = if burst == 0 { Form::Sliding } else { Form::Paced { burst } };
            let rate = Rate { count, seconds, form };
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Rate>();
        }
    }
}
