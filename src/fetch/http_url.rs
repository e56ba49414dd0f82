use super::learned_host::LearnedHost;
use super::public_address::is_public;
use bytes::Bytes;
use http::{Request, Uri};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far the operator trusts the network between here and a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Not at all: https, except to this machine, and what a document names is public.
    None,
    /// Said to be safe, by `dangerous()`: http to any host, and addresses of any kind.
    Dangerous,
}

/// A URL that a request may be made to.
///
/// - It is absolute, and `https`; `http` where its host is this machine (`localhost`, 127.0.0.0/8,
///   `::1`), or where the operator says so.
/// - It has no user and no fragment, and its host is a name or an address in its usual form:
///   whatever another reader of URLs could take for another host is refused.
/// - One that a document names, at another host than the document's own, is public.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    uri: Uri,
    is_learned: bool,
}

/// Which rule a text breaks.
type Checked<T> = Result<T, &'static str>;

impl HttpUrl {
    /// A URL that the operator wrote.
    pub(crate) fn configured(text: &str, trust: Trust) -> Checked<Self> {
        let uri = read(text)?;
        let host = Host::of(&uri)?;
        let is_safe = uri.scheme_str() == Some("https") || host.is_this_machine();
        if !is_safe && trust == Trust::None {
            return Err("the URL is https, or http to this machine");
        }
        let is_learned = false;
        Ok(Self { uri, is_learned })
    }

    /// A URL that the document at this URL names.
    pub(crate) fn learned(&self, text: &str, trust: Trust) -> Checked<Self> {
        let url = Self::configured(text, trust)?;
        let host = Host::of(&url.uri)?;
        // The operator has named this host, so it may be private. Any other one is the document's
        // choice, which must not lead into our network.
        if trust == Trust::Dangerous || host == Host::of(&self.uri)? {
            return Ok(url);
        }
        if host.is_private() {
            return Err("a document names the host of the URL, and its address is not public");
        }
        Ok(Self {
            is_learned: true,
            ..url
        })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// A request to it, marked where its host was learned.
    pub(crate) fn request(&self) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri.clone();
        if self.is_learned {
            request.extensions_mut().insert(LearnedHost);
        }
        request
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uri, f)
    }
}

fn read(text: &str) -> Checked<Uri> {
    if !text.bytes().all(is_in_url) {
        return Err("the URL has characters that are no part of one");
    }
    if text.contains('#') {
        return Err("the URL has a fragment");
    }
    let uri: Uri = text.parse().map_err(|_| "the URL cannot be read")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("the URL is not absolute, or neither http nor https");
    }
    let authority = uri.authority().ok_or("the URL has no host")?;
    if authority.as_str().contains('@') {
        return Err("the URL names a user");
    }
    Ok(uri)
}

fn is_in_url(b: u8) -> bool {
    matches!(b, 0x21..=0x7e) && !matches!(b, b'"' | b'\\' | b'<' | b'>')
}

/// The host of a URL, read as every client reads it.
#[derive(PartialEq, Eq)]
enum Host {
    /// In small letters.
    Name(String),
    Address(IpAddr),
}

impl Host {
    fn of(uri: &Uri) -> Checked<Self> {
        let host = uri.host().unwrap_or_default();
        if let Some(inside) = host.strip_prefix('[') {
            let address: Option<Ipv6Addr> = inside
                .strip_suffix(']')
                .and_then(|inside| inside.parse().ok());
            let address = address.ok_or("the host of the URL is no address")?;
            return Ok(Self::Address(address.into()));
        }
        if host.is_empty() || !host.bytes().all(is_in_name) {
            return Err("the host of the URL is no name and no address");
        }
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return Ok(Self::Address(address.into()));
        }
        // Many clients take 127.1, 0x7f000001 and 2130706433 for addresses. What one reader takes
        // for a name and another for an address is refused.
        let last = host.trim_end_matches('.').rsplit('.').next();
        if last.is_none_or(|last| last.starts_with(|c: char| c.is_ascii_digit())) {
            return Err("the host of the URL is an address in an unusual form");
        }
        Ok(Self::Name(host.to_ascii_lowercase()))
    }

    fn is_this_machine(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::Address(address) => address.is_loopback(),
        }
    }

    fn is_private(&self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            Self::Address(address) => !is_public(*address),
        }
    }
}

fn is_in_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_https_or_of_this_machine_and_say_what_they_mean() {
        let good = [
            "https://login.example.com",
            "https://login.example.com:8443/a/b?c=d",
            "https://LOGIN.example.com/",
            "https://10.0.0.1/jwks",
            "https://[fd00::1]/jwks",
            "https://keycloak/jwks",
            "http://localhost:8080/jwks",
            "http://LocalHost/",
            "http://127.0.0.1/",
            "http://127.8.9.1:9/",
            "http://[::1]:8080/",
        ];
        for text in good {
            assert!(HttpUrl::configured(text, Trust::None).is_ok(), "{text}");
        }
        let only_if_said = [
            "http://login.example.com/",
            "http://10.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost.example.com/",
            "http://keycloak/",
        ];
        for text in only_if_said {
            assert!(HttpUrl::configured(text, Trust::None).is_err(), "{text}");
            assert!(
                HttpUrl::configured(text, Trust::Dangerous).is_ok(),
                "{text}"
            );
        }
        let never = [
            "",
            "login.example.com",
            "/jwks",
            "//login.example.com/",
            "https://",
            "https:///jwks",
            "file:///etc/passwd",
            "ftp://login.example.com/",
            "gopher://127.0.0.1/",
            "data:application/json,{}",
            "https://user@login.example.com/",
            "https://user:word@login.example.com/",
            "https://login.example.com@127.0.0.1/",
            "https://login.example.com/#keys",
            "https://login.example.com/ jwks",
            "https://login.example.com/\njwks",
            "https://login.example.com\\@127.0.0.1/",
            "https://log\u{ef}n.example.com/",
            "https://login%2eexample.com/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://256.0.0.1/",
            "https://[::1/",
            "https://[fe80::1%25eth0]/",
            "https://[v1.a]/",
        ];
        for text in never {
            for trust in [Trust::None, Trust::Dangerous] {
                assert!(HttpUrl::configured(text, trust).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn what_a_document_names_is_its_own_host_or_public() {
        let issuer = |text: &str| HttpUrl::configured(text, Trust::None).unwrap();
        let learned = |from: &str, text: &str| {
            let url = issuer(from).learned(text, Trust::None)?;
            Ok::<_, &str>(url.request().extensions().get::<LearnedHost>().is_some())
        };
        let public = "https://login.example.com";
        assert_eq!(learned(public, "https://keys.example.org/jwks"), Ok(true));
        assert_eq!(learned(public, "https://8.8.8.8/jwks"), Ok(true));
        // The operator named that host.
        for (own, text) in [
            (public, "https://LOGIN.example.com:444/jwks"),
            ("https://10.0.0.1", "https://10.0.0.1:8443/jwks"),
            ("http://127.0.0.1:9", "http://127.0.0.1:8/jwks"),
            ("http://localhost:9", "http://localhost/jwks"),
        ] {
            assert_eq!(learned(own, text), Ok(false), "{text}");
        }
        for text in [
            "http://keys.example.org/jwks",
            "http://127.0.0.1/jwks",
            "https://127.0.0.1/jwks",
            "https://localhost/jwks",
            "https://a.localhost/jwks",
            "https://localhost./jwks",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://2852039166/",
            "file:///dev/zero",
            "",
        ] {
            assert!(learned(public, text).is_err(), "{text}");
        }
        let said = issuer(public)
            .learned("http://10.0.0.1/jwks", Trust::Dangerous)
            .unwrap();
        assert!(said.request().extensions().get::<LearnedHost>().is_none());
    }
}
