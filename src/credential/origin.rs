//! From which page a request comes, as far as the browser says.

use crate::reject::Rejection;
use http::header::{HOST, HeaderMap, HeaderValue, ORIGIN, UPGRADE};
use http::uri::{Authority, Uri};
use http::{HeaderName, Request};
use std::net::IpAddr;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what no page of the same origin sent: cookies come with whatever request a browser
/// sends, whoever made it do so.
///
/// `Sec-Fetch-Site` says it, and no script can set that field; browsers that do not know it say
/// `Origin` with every request that is not safe. What says neither is refused unless it is safe:
/// what it answers no other origin can read.
pub(crate) fn check_same_origin<B>(
    request: &Request<B>,
    public_url: Option<&str>,
) -> Result<(), Rejection> {
    let headers = request.headers();
    let same = match (said(headers, SEC_FETCH_SITE), said(headers, ORIGIN)) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => is_ours(origin, request, public_url),
        (None, None) => changes_nothing(request),
    };
    if same {
        Ok(())
    } else {
        Err(Rejection::permission_denied("not from the page"))
    }
}

#[inline]
fn said(headers: &HeaderMap, name: HeaderName) -> Option<&[u8]> {
    headers.get(name).map(HeaderValue::as_bytes)
}

/// The same where safe requests of other sites are served, as those that follow a link are.
pub(super) fn check_unsafe<B>(
    request: &Request<B>,
    public_url: Option<&str>,
) -> Result<(), Rejection> {
    if changes_nothing(request) {
        return Ok(());
    }
    check_same_origin(request, public_url)
}

/// A WebSocket is opened by `GET`, which says nothing of what is done on it, and pages of any
/// origin can open one.
fn changes_nothing<B>(request: &Request<B>) -> bool {
    request.method().is_safe() && !request.headers().contains_key(UPGRADE)
}

fn is_ours<B>(origin: &[u8], request: &Request<B>, public_url: Option<&str>) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    if let Some(url) = public_url {
        return match origin_of(url) {
            Some(ours) => origin.eq_ignore_ascii_case(&ours),
            None => false,
        };
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let Some(host) = host(request.headers(), request.uri()) else {
        return false;
    };
    // By which scheme the server is reached is not known here. A page of `http` may be anybody's
    // who is on the way, so it counts on this machine alone.
    let is_secure = scheme.eq_ignore_ascii_case("https")
        || (scheme.eq_ignore_ascii_case("http") && is_loopback(host.host()));
    is_secure && host.as_str().eq_ignore_ascii_case(authority)
}

/// Where pages are as good as those of HTTPS, for browsers too (Secure Contexts §3.1): anywhere
/// else a page of `http` is anybody's who is on the way.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback())
        || host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
}

/// The origin of a URL as browsers write it (RFC 6454 §6.2): without a path, and without the port
/// that its scheme has anyway.
fn origin_of(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str()?;
    let host = url.host()?;
    let usual = if scheme == "https" { 443 } else { 80 };
    match url.port_u16() {
        Some(port) if port != usual => Some(format!("{scheme}://{host}:{port}")),
        _ => Some(format!("{scheme}://{host}")),
    }
}

/// The host that a request names, where that is a host.
pub(crate) fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str))?;
    host.parse::<Authority>()
        .ok()
        // `Host` has no user's name in it (RFC 9110, section 7.2). With one it could be read as
        // another host.
        .filter(|host| !host.as_str().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn request(method: Method, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri("/");
        request = request.header("host", "api.example.com");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn an_origin_is_compared_with_its_scheme_where_a_public_url_is_known() {
        let post = |origin| request(Method::POST, &[("origin", origin)]);
        let passes = |origin, url: Option<&str>| check_same_origin(&post(origin), url).is_ok();
        for (url, origin) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com", "HTTPS://API.example.com"),
            (
                "https://api.example.com:443/app/",
                "https://api.example.com",
            ),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert!(passes(origin, Some(url)), "{url} {origin}");
        }
        for origin in [
            "http://api.example.com",
            "https://api.example.com:8443",
            "https://api.example.com.evil.example",
            "https://evil.example",
            "api.example.com",
            "null",
            "",
        ] {
            assert!(!passes(origin, Some("https://api.example.com")), "{origin}");
        }
    }

    #[test]
    fn where_no_public_url_is_known_an_origin_is_of_https_or_of_this_machine() {
        let passes = |host: &str, origin: &str| {
            let request = Request::post("/")
                .header("host", host)
                .header("origin", origin);
            check_same_origin(&request.body(()).unwrap(), None).is_ok()
        };
        assert!(passes("api.example.com", "https://api.example.com"));
        assert!(!passes("api.example.com", "http://api.example.com"));
        assert!(!passes("api.example.com", "https://evil.example"));
        assert!(!passes("api.example.com", "ftp://api.example.com"));
        for host in [
            "localhost:3000",
            "app.localhost",
            "127.0.0.1:3000",
            "127.8.0.1",
            "[::1]:3000",
        ] {
            assert!(passes(host, &format!("http://{host}")), "{host}");
        }
        for host in ["localhost.example.com", "10.0.0.1", "[::2]:3000"] {
            assert!(!passes(host, &format!("http://{host}")), "{host}");
        }
    }

    #[test]
    fn only_the_handshake_of_a_websocket_is_a_get_that_must_come_from_the_page() {
        let elsewhere = [("sec-fetch-site", "cross-site")];
        assert!(check_unsafe(&request(Method::GET, &elsewhere), None).is_ok());
        assert!(check_unsafe(&request(Method::DELETE, &elsewhere), None).is_err());
        assert!(check_unsafe(&request(Method::CONNECT, &elsewhere), None).is_err());
        let upgrade = [("upgrade", "websocket"), ("origin", "https://evil.example")];
        assert!(check_unsafe(&request(Method::GET, &upgrade), None).is_err());
        let ours = [
            ("upgrade", "websocket"),
            ("origin", "https://api.example.com"),
        ];
        assert!(check_unsafe(&request(Method::GET, &ours), None).is_ok());
        assert!(check_unsafe(&request(Method::GET, &upgrade[..1]), None).is_err());
        assert!(check_unsafe(&request(Method::POST, &[]), None).is_err());
    }
}
