use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use std::time::SystemTime;

/// A time as a database writes it. Where it names no offset it is UTC, as Django keeps times
/// (`USE_TZ`).
///
/// ```text
/// 2025-05-14 13:00:40.153027       SQLite, MySQL
/// 2025-05-14 13:00:40.153027+00    PostgreSQL
/// ```
pub(super) fn time(text: &str) -> Option<SystemTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    let civil: DateTime = text.parse().ok()?;
    let time = Offset::UTC.to_timestamp(civil).ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn times_are_read_as_each_database_writes_them() {
        let second = UNIX_EPOCH + Duration::from_secs(1_747_227_640);
        let fraction = second + Duration::from_micros(153_027);
        for (text, expected) in [
            ("2025-05-14 13:00:40.153027", fraction),
            ("2025-05-14 13:00:40", second),
            ("2025-05-14 13:00:40.153027+00", fraction),
            ("2025-05-14 15:00:40+02", second),
            ("2025-05-14 18:30:40+05:30", second),
            ("2025-05-14T13:00:40Z", second),
        ] {
            assert_eq!(time(text), Some(expected), "{text}");
        }
        for none in [
            "",
            "0000-00-00 00:00:00",
            "yesterday",
            "2025-13-01 00:00:00",
        ] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
