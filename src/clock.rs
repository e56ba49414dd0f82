//! The source of now: the only place in this crate that reads the time, so that a test can move it
//! by hand.

use humantime::format_rfc3339_seconds;
use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a layer reads the time from, once a request.
///
/// It answers at once and calls nothing of this crate: counters are locked while it is read.
///
/// The default is [`SystemClock`]. Tests pass a manual one (`tower_auth::test_util::ManualClock`,
/// feature `test-util`) to [`Realm::clock`](crate::Realm::clock).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tower_auth::clock::{Clock, SystemClock};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, RejectionKind, Subject};
///
/// /// The time in so many hours, to see today what will have expired by then.
/// #[derive(Debug)]
/// struct Ahead {
///     hours: u64,
/// }
///
/// impl Clock for Ahead {
///     fn now(&self) -> SystemTime {
///         SystemClock.now() + Duration::from_secs(self.hours * 60 * 60)
///     }
///
///     /// What counts time need not run ahead: it has no date.
///     fn steady(&self) -> Duration {
///         SystemClock.steady()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = Memory::new();
/// let keys = Realm::new(store.clone()).api_keys(ApiKeys::prefix("egret"));
/// let tomorrow = SystemClock.now() + Duration::from_secs(24 * 60 * 60);
/// let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci").expires(tomorrow)).await?.key;
///
/// let refusal_in = async |hours: u64| {
///     let realm = Realm::new(store.clone()).clock(Ahead { hours });
///     let auth = AuthLayer::builder().accept(&realm.api_keys(ApiKeys::prefix("egret"))).build();
///     let request = http::Request::get("/").header("x-api-key", key.expose()).body(()).unwrap();
///     let told = auth.unwrap().explain(&request.into_parts().0).await;
///     told.rejection().map(|rejection| rejection.kind())
/// };
/// assert_eq!(refusal_in(23).await, None);
/// assert_eq!(refusal_in(25).await, Some(RejectionKind::InvalidApiKey));
/// # Ok(())
/// # }
/// ```
pub trait Clock: Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;

    /// Time since some moment of the clock's own, which nobody steps: throttles count by it. By
    /// default it is that of [`now`](Self::now).
    fn steady(&self) -> Duration {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        SystemTime::now()
    }

    fn steady(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        START.get_or_init(Instant::now).elapsed()
    }
}

/// Since 1970-01-01T00:00:00Z; a time before that is 0.
#[cfg(feature = "jwt")]
pub(crate) fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Whole seconds of the same.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// 2^64 nanoseconds are 584 years.
#[inline]
pub(crate) fn nanos(time: Duration) -> u64 {
    time.as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(time.subsec_nanos().into())
}

/// 9999-12-30T22:00:00Z, in seconds since 1970. The form has no year 10000, into which a reader's
/// offset would take a later time.
const LAST_WRITTEN: u64 = 253_402_207_200;

/// UTC to the second (RFC 3339 §5.6), a time before 1970 as the first one; `None` past 9999-12-30,
/// where the form ends but for offsets.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    let seconds = unix_seconds(time);
    // Before it is written: whoever writes it panics at a time that the form does not have.
    if seconds > LAST_WRITTEN {
        return None;
    }
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    Some(format_rfc3339_seconds(time).to_string())
}

/// What stands between the numbers of a date and time, and at which place.
#[cfg(feature = "endpoints")]
const SEPARATORS: [(usize, &[u8]); 5] =
    [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];

/// A date and time with its offset from UTC (RFC 3339 §5.6).
#[cfg(feature = "endpoints")]
pub(crate) fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    // The separators are checked here, because jiff reads many more forms than RFC 3339 has.
    for (at, separators) in SEPARATORS {
        if !separators.contains(text.as_bytes().get(at)?) {
            return None;
        }
    }
    if !text.is_ascii() || text.contains('[') {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(SystemTime::from(time))
}

#[cfg_attr(
    not(any(feature = "jwt", feature = "api-key")),
    allow(dead_code, reason = "tokens have lifetimes, and API keys overlaps")
)]
/// A lifetime that ends after time itself does not end.
pub(crate) fn later(now: SystemTime, lifetime: Duration) -> SystemTime {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now.checked_add(lifetime.min(CENTURY)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_705_314_600, "2024-01-15T10:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_207_200, "9999-12-30T22:00:00Z"),
        ];
        let before = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(rfc3339(before).as_deref(), Some("1970-01-01T00:00:00Z"));
        for (seconds, text) in cases {
            assert_eq!(
                rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)).as_deref(),
                Some(text)
            );
        }
        // The second after, and the first ones of the years 10000 and 30000.
        for seconds in [253_402_207_201, 253_402_300_800, 884_541_254_400] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(rfc3339(time), None, "{seconds}");
        }
    }

    #[cfg(feature = "endpoints")]
    #[test]
    fn times_are_read_in_the_form_of_rfc_3339_alone() {
        let at = |text: &str| parse_rfc3339(text).and_then(rfc3339);
        let noon = Some(String::from("2024-01-15T10:30:00Z"));
        for text in [
            "2024-01-15T10:30:00Z",
            "2024-01-15T12:30:00+02:00",
            "2024-01-15 10:30:00.5Z",
            "2024-01-15t10:30:00z",
        ] {
            assert_eq!(at(text), noon, "{text}");
        }
        for text in [
            "",
            "tomorrow",
            "2024-01-15",
            "2024-01-15T10:30:00",
            "20240115T103000Z",
            "2024-01-15T10:30Z",
            "1705314600",
            "2024-13-15T10:30:00Z",
            "2024-01-15T25:30:00Z",
            "2024-01-15T10:30:00Z[UTC]",
            "2024-01-15T10:30:00Z ",
            "é024-01-15T10:30:00Z",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
