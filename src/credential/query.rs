//! Parameters of a query (`application/x-www-form-urlencoded`, but that a `+` is a `+`).

use crate::reject::RejectionKind;
use http::Uri;
use http::uri::PathAndQuery;
use zeroize::Zeroizing;

/// Whether the query has a parameter of that name.
pub(super) fn has_parameter(uri: &Uri, name: &str) -> bool {
    pairs(uri).any(|pair| value_in(pair, name).is_some())
}

/// Takes a parameter out of the URI, so that no inner service writes it down, and decodes its
/// value.
pub(super) fn take_parameter(
    uri: &mut Uri,
    name: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, RejectionKind> {
    let mut found = None;
    let mut times = 0;
    let mut others = Vec::new();
    for pair in pairs(uri) {
        match value_in(pair, name) {
            Some(value) => {
                times += 1;
                found = Some(decoded(value.as_bytes()));
            }
            None => others.push(pair),
        }
    }
    if times == 0 {
        return Ok(None);
    }
    // Taken out even where it is refused below: whoever logs the request further in must not see
    // it.
    if let Some(without) = with_query(uri, &others.join("&")) {
        *uri = without;
    }
    match found {
        _ if times > 1 => Err(RejectionKind::RepeatedField),
        Some(None) => Err(RejectionKind::MalformedCredential),
        Some(value) => Ok(value),
        None => Ok(None),
    }
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&')
}

/// The value of a pair of that name, still encoded. A name may be encoded too: `%61pi_key` is
/// `api_key` for others who read it.
fn value_in<'u>(pair: &'u str, name: &str) -> Option<&'u str> {
    let (encoded, value) = pair.split_once('=').unwrap_or((pair, ""));
    match decoded(encoded.as_bytes()) {
        Some(decoded) if *decoded == name.as_bytes() => Some(value),
        _ => None,
    }
}

/// Percent-decoded (RFC 3986 §2.1); `None` where a `%` is not followed by two hexadecimal digits.
pub(crate) fn decoded(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // The whole length at once: a vector that grows leaves copies of the secret behind.
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            decoded.push(*first);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        let high = char::from(digits[0]).to_digit(16)?;
        let low = char::from(digits[1]).to_digit(16)?;
        decoded.push(u8::try_from(high * 16 + low).ok()?);
        rest = tail;
    }
    Some(decoded)
}

fn with_query(uri: &Uri, query: &str) -> Option<Uri> {
    let path = uri.path();
    let text = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(uri: &str) -> (Result<Option<String>, RejectionKind>, String) {
        let mut uri: Uri = uri.parse().unwrap();
        let found = take_parameter(&mut uri, "key");
        let found =
            found.map(|value| value.map(|value| String::from_utf8(value.to_vec()).unwrap()));
        (found, uri.to_string())
    }

    #[test]
    fn a_parameter_is_taken_out_and_the_rest_stays_as_it_was() {
        let some = |value: &str| Ok(Some(value.to_owned()));
        for (uri, value, rest) in [
            ("/a?key=x", "x", "/a"),
            ("/a?key=x&b=1", "x", "/a?b=1"),
            ("/a?b=1&&key=x&c=%20", "x", "/a?b=1&&c=%20"),
            ("/a?key=a%2Bb+c%3D%3d=", "a+b+c===", "/a"),
            ("/a?%6bey=x", "x", "/a"),
            ("/a?key", "", "/a"),
            ("http://h:1/a?key=x&b", "x", "http://h:1/a?b"),
        ] {
            assert_eq!(taken(uri), (some(value), rest.to_owned()), "{uri}");
        }
        for uri in ["/a", "/a?b=1", "/a?Key=1&keys=2&key%20=3&b=key=4", "*"] {
            assert_eq!(taken(uri), (Ok(None), uri.to_owned()));
        }
    }

    #[test]
    fn two_of_them_and_wrong_escapes_are_refused_and_taken_out_too() {
        for uri in [
            "/a?key=x&key=x",
            "/a?key=&key=x",
            "/a?key=%&key",
            "/a?key=x&k%65y=x",
        ] {
            assert_eq!(taken(uri), (Err(RejectionKind::RepeatedField), "/a".into()));
        }
        for uri in ["/a?key=%", "/a?key=%4", "/a?key=x%4g", "/a?key=%-1"] {
            let malformed = Err(RejectionKind::MalformedCredential);
            assert_eq!(taken(uri), (malformed, "/a".into()), "{uri}");
        }
    }
}
