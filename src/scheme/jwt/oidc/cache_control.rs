//! How long a response says that it is fresh (RFC 9111 §4.2 and §5.2.2).

use http::header::{AGE, CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// `None` where it does not say.
pub(super) fn fresh_for(fields: &HeaderMap) -> Option<Duration> {
    let mut fresh_for = None;
    for directive in directives(fields) {
        let said = match directive.split_once('=') {
            Some((name, age)) if name.trim().eq_ignore_ascii_case("max-age") => seconds(age),
            _ if is(directive, "no-cache") || is(directive, "no-store") => Duration::ZERO,
            _ => continue,
        };
        // Where directives disagree, the most restrictive one counts (RFC 9111 §4.2.1).
        fresh_for = Some(fresh_for.unwrap_or(said).min(said));
    }
    let age = fields.get(AGE).and_then(|age| age.to_str().ok());
    let age = age.map_or(Duration::ZERO, seconds);
    fresh_for.map(|fresh_for| fresh_for.saturating_sub(age))
}

fn directives(fields: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = fields.get_all(CACHE_CONTROL).into_iter();
    let texts = lines.filter_map(|line: &HeaderValue| line.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// Also where fields are named: `no-cache="set-cookie"` is read as the stricter form.
fn is(directive: &str, name: &str) -> bool {
    let found = directive.split('=').next().unwrap_or_default();
    found.trim().eq_ignore_ascii_case(name)
}

/// What is no number is stale (RFC 9111 §4.2.1), and one that is too large is large.
fn seconds(text: &str) -> Duration {
    let text = text.trim().trim_matches('"');
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Duration::ZERO;
    }
    Duration::from_secs(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Lines = &'static [(&'static str, &'static str)];

    #[test]
    fn the_shortest_time_that_is_said_counts() {
        let cases: [(Lines, Option<u64>); 17] = [
            (&[], None),
            (&[("cache-control", "public")], None),
            (&[("age", "5")], None),
            (&[("cache-control", "max-age=300")], Some(300)),
            (
                &[("cache-control", "public, Max-Age=300, must-revalidate")],
                Some(300),
            ),
            (&[("cache-control", "max-age=\"300\"")], Some(300)),
            (
                &[("cache-control", "max-age=300"), ("age", "100")],
                Some(200),
            ),
            (&[("cache-control", "max-age=300"), ("age", "400")], Some(0)),
            (&[("cache-control", "max-age=300"), ("age", "x")], Some(300)),
            (&[("cache-control", "max-age=300, max-age=60")], Some(60)),
            (
                &[
                    ("cache-control", "max-age=300"),
                    ("cache-control", "no-cache"),
                ],
                Some(0),
            ),
            (&[("cache-control", "no-store")], Some(0)),
            (
                &[("cache-control", "no-cache=\"set-cookie\", max-age=9")],
                Some(0),
            ),
            (&[("cache-control", "max-age=")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (
                &[("cache-control", "max-age=99999999999999999999")],
                Some(u64::MAX),
            ),
            (&[("cache-control", "s-maxage=9, stale-if-error=9")], None),
        ];
        for (lines, expected) in cases {
            let mut fields = HeaderMap::new();
            for (name, value) in lines {
                let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
                fields.append(name, HeaderValue::from_str(value).unwrap());
            }
            let found = fresh_for(&fields).map(|fresh| fresh.as_secs());
            assert_eq!(found, expected, "{lines:?}");
        }
    }
}
