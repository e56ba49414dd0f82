//! Cookies of a request (RFC 6265 §4.2.1).

use crate::reject::RejectionKind;
use http::HeaderMap;
use http::header::COOKIE;

/// The value of a cookie. One that came twice is refused, as every credential is.
pub(crate) fn cookie<'h>(
    headers: &'h HeaderMap,
    name: &str,
) -> Result<Option<&'h [u8]>, RejectionKind> {
    let mut found = None;
    // HTTP/2 may spread them over several fields (RFC 9113 §8.2.3).
    for line in headers.get_all(COOKIE) {
        for pair in line.as_bytes().split(|b| *b == b';') {
            let Some(value) = value_in(pair.trim_ascii(), name) else {
                continue;
            };
            if found.replace(value).is_some() {
                return Err(RejectionKind::RepeatedField);
            }
        }
    }
    Ok(found)
}

/// The value in `name=value`.
fn value_in<'h>(pair: &'h [u8], name: &str) -> Option<&'h [u8]> {
    pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
}

/// Marks all cookies of a request sensitive.
pub(crate) fn hide_cookies(headers: &mut HeaderMap) {
    for (name, line) in headers.iter_mut() {
        if *name == COOKIE {
            line.set_sensitive(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_in_any_line_and_once() {
        let found = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, line.parse().unwrap());
            }
            cookie(&headers, "a")
                .map(|value| value.map(|value| String::from_utf8_lossy(value).into_owned()))
        };
        let some = |value: &str| Ok(Some(value.to_owned()));
        assert_eq!(found(&[]), Ok(None));
        assert_eq!(found(&["b=1; aa=2; A=3; a"]), Ok(None));
        assert_eq!(found(&["b=1; a=2"]), some("2"));
        assert_eq!(found(&["b=1", "c=3;a=x=y"]), some("x=y"));
        assert_eq!(found(&["\u{e4}=1; a="]), some(""));
        assert_eq!(found(&["a=1; a=1"]), Err(RejectionKind::RepeatedField));
        assert_eq!(found(&["a=1", "a=2"]), Err(RejectionKind::RepeatedField));
    }
}
