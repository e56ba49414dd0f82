//! URLs that two programs may write in different ways.

use http::uri::Authority;

/// An `http` or `https` URL without query and fragment, written so that equal ones are equal texts:
/// scheme and host in lower case, the port always there, the path never empty, and in it no
/// unreserved character percent-encoded (RFC 3986 §6.2.2, §6.2.3).
///
/// `None` where it is no such URL, and where a segment of the path is `.` or `..`: clients resolve
/// them before they send anything, and a router does not, so what is equal by the letter would be
/// another route.
pub(super) fn comparable_url(url: &str) -> Option<String> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (scheme, rest) = url[..end].split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let usual_port = match &*scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    // Where a user's name stands before the host this fails: no request is sent to such a URL.
    let port = match authority.as_str().strip_prefix(host)? {
        "" | ":" => usual_port,
        port => port.strip_prefix(':')?.parse::<u16>().ok()?,
    };
    let host = host.to_ascii_lowercase();
    let path = comparable_path(path)?;
    Some(format!("{scheme}://{host}:{port}{path}"))
}

fn comparable_path(path: &str) -> Option<String> {
    if path.is_empty() {
        return Some("/".to_owned());
    }
    let mut comparable = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => push_encoded(&mut comparable, bytes.next()?, bytes.next()?)?,
            b'!'..=b'~' => comparable.push(char::from(byte)),
            _ => return None,
        }
    }
    // Some programs resolve dot segments and others do not. Such a path is refused, because it is
    // anybody's guess which one is meant.
    if comparable.split('/').any(is_dotted) {
        return None;
    }
    Some(comparable)
}

fn is_dotted(segment: &str) -> bool {
    segment == "." || segment == ".."
}

fn push_encoded(path: &mut String, high: u8, low: u8) -> Option<()> {
    let byte = u8::try_from(hex_digit(high)? * 16 + hex_digit(low)?).ok()?;
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        path.push(char::from(byte));
    } else {
        path.push('%');
        path.push(char::from(high.to_ascii_uppercase()));
        path.push(char::from(low.to_ascii_uppercase()));
    }
    Some(())
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

#[cfg(test)]
mod tests {
    use super::comparable_url;

    #[test]
    fn urls_that_are_equal_become_equal_texts() {
        let expected = Some("https://api.example.com:443/a~b/%2F".to_owned());
        for url in [
            "https://api.example.com/a~b/%2f",
            "HTTPS://API.Example.com:443/a%7eb/%2F",
            "https://api.example.com:/%61~b/%2F?x=/../#y",
            "https://api.example.com/a~b/%2F#?",
        ] {
            assert_eq!(comparable_url(url), expected, "{url}");
        }
        let root = Some("http://[::1]:80/".to_owned());
        assert_eq!(comparable_url("http://[::1]"), root);
        assert_eq!(comparable_url("http://[::1]:80/?"), root);
    }

    #[test]
    fn urls_that_are_not_equal_stay_different_and_what_is_none_is_refused() {
        let one = comparable_url("https://api.example.com/a/b").unwrap();
        for other in [
            "http://api.example.com/a/b",
            "https://api.example.com:444/a/b",
            "https://api.example.com./a/b",
            "https://api.example.com/a/b/",
            "https://api.example.com/a//b",
            "https://api.example.com/A/b",
            "https://api.example.com/a%2fb",
            "https://api.example.com/a%252fb",
        ] {
            let other = comparable_url(other).unwrap();
            assert_ne!(other, one);
        }
        for none in [
            "",
            "/a/b",
            "api.example.com/a/b",
            "ftp://api.example.com/a/b",
            "https:///a/b",
            "https://anna@api.example.com/a/b",
            "https://api.example.com:99999/a/b",
            "https://api.example.com:x/a/b",
            "https://api.example.com/a/./b",
            "https://api.example.com/x/../a/b",
            "https://api.example.com/x/%2e%2E/a/b",
            "https://api.example.com/a/b%2",
            "https://api.example.com/a/b%zz",
            "https://api.example.com/a b",
            "https://api.example.com/ä",
        ] {
            assert_eq!(comparable_url(none), None, "{none}");
        }
    }
}
