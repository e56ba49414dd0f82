use crate::config::ConfigProblem;
use http::header::{FORWARDED, HeaderMap, HeaderName};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network address at the other end of the connection, in a request's extensions: for servers
/// whose own form is not known here (those of axum and tonic are, with the features of these
/// names).
///
/// ```
/// use std::net::Ipv4Addr;
/// use tower_auth::throttle::Peer;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// How the address that a request came from is found, and how much of it counts.
///
/// - By default it is the peer's, and no header field is looked at: anybody can write
///   `X-Forwarded-For`.
/// - Behind proxies it is the entry of that field, from the right, before the first one that no
///   trusted proxy wrote. Proxies are trusted by network, by number ([`hops`](Self::hops)), or by
///   both.
/// - An entry that cannot be read, or fewer entries than hops, is no information: then it is the
///   peer's address after all.
/// - IPv4 addresses that are written as IPv6 are IPv4. Of IPv6 the first 64 bits count, which is
///   what one customer has at least.
///
/// ```
/// use tower_auth::throttle::Addresses;
///
/// let behind_our_balancer = Addresses::new().trust("10.0.0.0/8").trust("fd00::/8");
/// let behind_two_of_unknown_address = Addresses::new().hops(2);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Addresses {
    networks: Vec<Network>,
    hops: Option<usize>,
    field: Field,
    ipv6_prefix: u8,
    problems: Vec<ConfigProblem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    XForwardedFor,
    Forwarded,
}

#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Default for Addresses {
    fn default() -> Self {
        Self::new()
    }
}

impl Addresses {
    /// Trusts nobody.
    pub fn new() -> Self {
        let (networks, problems) = (Vec::new(), Vec::new());
        Self {
            networks,
            hops: None,
            field: Field::XForwardedFor,
            ipv6_prefix: 64,
            problems,
        }
    }

    /// Trusts proxies in a network (`10.0.0.0/8`), or a single one (`192.0.2.1`). A network of IPv4
    /// may be written as one of IPv6 (`::ffff:10.0.0.0/104`).
    pub fn trust(mut self, network: &str) -> Self {
        match Network::parse(network) {
            Some(network) => self.networks.push(network),
            None => self
                .problems
                .push(ConfigProblem::Network(network.chars().take(60).collect())),
        }
        self
    }

    /// Trusts so many proxies and no more, the peer being the first.
    pub fn hops(mut self, hops: usize) -> Self {
        if hops == 0 {
            self.problems.push(ConfigProblem::Zero("hops"));
        }
        self.hops = Some(hops);
        self
    }

    /// Reads `Forwarded` (RFC 7239) instead of `X-Forwarded-For`. Never both: a proxy that writes
    /// one passes the other on as the client sent it.
    pub fn forwarded(mut self) -> Self {
        self.field = Field::Forwarded;
        self
    }

    /// How many bits of an IPv6 address count, 32 to 128: 56 or 48 where customers have so much.
    pub fn ipv6_prefix(mut self, bits: u8) -> Self {
        if !(32..=128).contains(&bits) {
            self.problems.push(ConfigProblem::Ipv6Prefix);
        }
        self.ipv6_prefix = bits.min(128);
        self
    }

    pub(crate) fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    /// The address that a request came from, whole.
    #[inline]
    pub(crate) fn client(
        &self,
        headers: &HeaderMap,
        extensions: &http::Extensions,
    ) -> Option<IpAddr> {
        // A request without extensions tells no peer. This check is inlined, and spares it the
        // look-ups below.
        if extensions.is_empty() {
            return None;
        }
        self.told(headers, extensions)
    }

    fn told(&self, headers: &HeaderMap, extensions: &http::Extensions) -> Option<IpAddr> {
        let peer = peer(extensions)?.to_canonical();
        if self.networks.is_empty() && self.hops.is_none() {
            return Some(peer);
        }
        // An entry that nobody can read says nothing of the client. The peer is taken after all: to
        // be counted together with others is safer than to be counted not at all.
        Some(self.walk(peer, headers).unwrap_or(peer))
    }

    /// From the peer backwards, as long as whoever wrote the next entry is trusted. `None` is no
    /// information.
    fn walk(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let name = if self.field == Field::Forwarded {
            FORWARDED
        } else {
            X_FORWARDED_FOR
        };
        let lines = headers.get_all(name);
        let mut entries = lines
            .iter()
            // Proxies append, so only what stands at the right is theirs. What stands left of it
            // came from the client, and may be made up.
            .rev()
            .flat_map(|line| FromTheRight(Some(line.as_bytes())));
        let mut address = peer;
        // Each entry was written by whoever stands to the right of it. It is believed as long as
        // that one is trusted.
        for _ in 0..self.hops.unwrap_or(usize::MAX) {
            if !self.networks.is_empty()
                && !self
                    .networks
                    .iter()
                    .any(|network| network.contains(address))
            {
                break;
            }
            match entries.next() {
                Some(entry) => address = self.node(entry)?.to_canonical(),
                // Fewer entries than hops: some proxy did not write, and what the last entry is
                // cannot be told.
                None if self.networks.is_empty() => return None,
                None => break,
            }
        }
        Some(address)
    }

    fn node(&self, entry: &[u8]) -> Option<IpAddr> {
        let entry = std::str::from_utf8(entry).ok()?.trim_matches([' ', '\t']);
        match self.field {
            Field::XForwardedFor => node(entry),
            Field::Forwarded => node(for_parameter(entry)?),
        }
    }

    /// As much of an address as counts.
    pub(crate) fn source(&self, address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX
                    // A shift by all 128 bits would overflow, and with a prefix of 0 nothing of the
                    // address counts.
                    .checked_shl(128 - u32::from(self.ipv6_prefix))
                    .unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
            address => address,
        }
    }
}

/// The other end of the connection, as the server tells.
fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    if let Some(Peer(address)) = extensions.get() {
        return Some(*address);
    }
    let socket: Option<SocketAddr> = None;
    #[cfg(feature = "axum")]
    let socket = socket.or_else(|| crate::framework::axum_peer(extensions));
    #[cfg(feature = "tonic")]
    let socket = socket.or_else(|| crate::framework::tonic_peer(extensions));
    socket.map(|socket| socket.ip())
}

/// The elements of a line, the last first, cut at commas outside of quotes. A backslash would make
/// quotes ambiguous from this side: with one in it, the whole rest is one element, which nothing
/// can read.
struct FromTheRight<'h>(Option<&'h [u8]>);

impl<'h> Iterator for FromTheRight<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let line = self.0.take()?;
        let mut quoted = false;
        for (at, byte) in line.iter().enumerate().rev() {
            match byte {
                b'"' => quoted = !quoted,
                // Whether a quote is escaped depends on what stands before it, so a client could
                // shift the borders of the elements that proxies have added. A proxy writes no
                // backslash.
                b'\\' => return Some(line),
                b',' if !quoted => {
                    self.0 = Some(&line[..at]);
                    return Some(&line[at + 1..]);
                }
                _ => {}
            }
        }
        Some(line)
    }
}

/// `for=node` of a forwarded-element (RFC 7239 §4), once, without its quotes.
fn for_parameter(element: &str) -> Option<&str> {
    let mut found = None;
    for pair in element.split(';') {
        let pair = pair.trim_matches([' ', '\t']);
        if let Some((name, value)) = pair.split_at_checked(4)
            && name.eq_ignore_ascii_case("for=")
        {
            // Were one of two taken, two readers of the same header could see two clients.
            if found.is_some() {
                return None;
            }
            found = Some(value);
        }
    }
    unquoted(found?.trim_matches([' ', '\t']))
}

/// `None` where a quote is opened and not closed.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"'),
        None => Some(value),
    }
}

/// An address, perhaps with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    let bare = text.strip_prefix('[')?.strip_suffix(']')?;
    bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(whole), |prefix| {
            let digits = prefix.bytes().all(|b| b.is_ascii_digit());
            // `parse` alone would take `+8` as well.
            prefix.parse().ok().filter(|bits| digits && *bits <= whole)
        })?;
        let Some(mapped) = mapped(address) else {
            return Some(Self { address, prefix });
        };
        // Peers are compared as IPv4, however the server writes them. One that is wider than all of
        // IPv4 would say something of both kinds.
        let prefix = prefix.checked_sub(96)?;
        Some(Self {
            address: mapped.into(),
            prefix,
        })
    }

    fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

/// The IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`).
fn mapped(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V6(address) => address.to_ipv4_mapped(),
        IpAddr::V4(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(addresses: &Addresses, peer: &str, lines: &[&str]) -> String {
        let name = if addresses.field == Field::Forwarded {
            FORWARDED
        } else {
            X_FORWARDED_FOR
        };
        let headers = lines
            .iter()
            .map(|line| (name.clone(), line.parse().unwrap()))
            .collect();
        let mut extensions = http::Extensions::new();
        extensions.insert(Peer(peer.parse().unwrap()));
        addresses.client(&headers, &extensions).unwrap().to_string()
    }

    #[test]
    fn x_forwarded_for_counts_only_from_a_trusted_proxy() {
        let (nobody, ours) = (
            Addresses::new(),
            Addresses::new().trust("10.0.0.0/8").trust("fd00::/8"),
        );
        let both = [&nobody, &ours];
        for addresses in both {
            assert_eq!(
                client(addresses, "198.51.100.9", &["192.0.2.1"]),
                "198.51.100.9",
                "spoofed"
            );
        }
        let cases: [(&str, &[&str], &str); 14] = [
            ("10.0.0.1", &["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.66, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.66", "192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &["192.0.2.1, 10.9.9.9"], "192.0.2.1"),
            (
                "10.0.0.1",
                &["192.0.2.1", "10.9.9.9, 10.8.8.8"],
                "192.0.2.1",
            ),
            ("10.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("fd00::1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("::ffff:10.0.0.1", &["::ffff:192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.9.9.9"], "10.9.9.9"),
            // What cannot be read is no information.
            ("10.0.0.1", &["192.0.2.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.1,"], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.1, 192.0.2.256"], "10.0.0.1"),
            ("10.0.0.1", &["192.0.2.1, \"\\\",10.0.0.2"], "10.0.0.1"),
        ];
        for (peer, lines, expected) in cases {
            assert_eq!(client(&ours, peer, lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_network_of_ipv4_is_trusted_however_it_and_its_proxies_are_written() {
        let rows = [
            ("::ffff:10.0.0.1", "10.0.0.1", "192.0.2.1"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1", "192.0.2.1"),
            ("::ffff:10.0.0.1", "10.0.0.2", "10.0.0.2"),
            ("::ffff:10.0.0.0/104", "10.255.0.1", "192.0.2.1"),
            ("::ffff:10.0.0.0/104", "::ffff:a01:203", "192.0.2.1"),
            ("::ffff:10.0.0.0/104", "11.0.0.1", "11.0.0.1"),
            ("::FFFF:A00:1/128", "10.0.0.1", "192.0.2.1"),
            ("::ffff:0:0/96", "203.0.113.1", "192.0.2.1"),
            ("::ffff:0:0/96", "2001:db8::1", "2001:db8::1"),
        ];
        for (network, peer, expected) in rows {
            let addresses = Addresses::new().trust(network);
            let found = client(&addresses, peer, &["192.0.2.1"]);
            assert_eq!(found, expected, "{network}, {peer}");
        }
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        let (one, two) = (Addresses::new().hops(1), Addresses::new().hops(2));
        let line = ["203.0.113.66, 192.0.2.1, 198.51.100.7"];
        assert_eq!(client(&one, "172.16.0.1", &line), "198.51.100.7");
        assert_eq!(client(&two, "172.16.0.1", &line), "192.0.2.1");
        assert_eq!(
            client(&two, "172.16.0.1", &["198.51.100.7"]),
            "172.16.0.1",
            "it came past a proxy fewer"
        );
        let both = Addresses::new().trust("172.16.0.0/12").hops(1);
        assert_eq!(
            client(&both, "172.16.0.1", &["192.0.2.1, 172.16.0.2"]),
            "172.16.0.2"
        );
        assert_eq!(client(&both, "192.0.2.9", &["192.0.2.1"]), "192.0.2.9");
    }

    #[test]
    fn forwarded_is_read_in_its_own_syntax_and_only_by_choice() {
        let forwarded = Addresses::new().trust("10.0.0.0/8").forwarded();
        let cases = [
            ("for=192.0.2.1", "192.0.2.1"),
            ("FOR=192.0.2.1;proto=https; by=10.0.0.1", "192.0.2.1"),
            (
                "for=203.0.113.66, proto=https;for=\"[2001:db8::1]:4711\"",
                "2001:db8::1",
            ),
            ("for=192.0.2.1;by=\"a,b\"", "192.0.2.1"),
            ("for=_hidden", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
            ("by=192.0.2.1", "10.0.0.1"),
            ("for=192.0.2.1;for=192.0.2.2", "10.0.0.1"),
            ("for=\"192.0.2.1", "10.0.0.1"),
        ];
        for (line, expected) in cases {
            assert_eq!(client(&forwarded, "10.0.0.1", &[line]), expected, "{line}");
        }
    }

    #[test]
    fn addresses_count_by_their_bits() {
        let source = |text: &str, bits| {
            Addresses::new()
                .ipv6_prefix(bits)
                .source(text.parse().unwrap())
                .to_string()
        };
        assert_eq!(
            source("2001:db8:1:2:3:4:5:6", 64),
            source("2001:DB8:1:2::9", 64)
        );
        assert_ne!(source("2001:db8:1:2::", 64), source("2001:db8:1:3::", 64));
        assert_eq!(source("2001:db8:1:2::", 56), source("2001:db8:1:ff::", 56));
        assert_ne!(source("2001:db8::1", 128), source("2001:db8::2", 128));
        assert_eq!(source("::ffff:192.0.2.1", 64), "192.0.2.1");
    }

    #[test]
    fn what_is_no_network_is_a_problem() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "fd00::/129",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "example.com",
            "10.0.0.0/",
            "::ffff:10.0.0.0/95",
            "::ffff:0:0/64",
        ] {
            assert_eq!(
                Addresses::new().trust(text).problems,
                [ConfigProblem::Network(text.into())],
                "{text}"
            );
        }
        assert_eq!(
            Addresses::new().hops(0).problems,
            [ConfigProblem::Zero("hops")]
        );
        assert_eq!(
            Addresses::new().ipv6_prefix(8).problems,
            [ConfigProblem::Ipv6Prefix]
        );
    }

    proptest! {
        #[test]
        fn no_line_panics_and_a_stranger_is_never_believed(line in "[ -~]{0,80}", forwarded in any::<bool>()) {
            let mut addresses = Addresses::new().trust("10.0.0.0/8");
            if forwarded {
                addresses = addresses.forwarded();
            }
            prop_assert_eq!(client(&addresses, "198.51.100.9", &[&line]), "198.51.100.9");
            client(&addresses, "10.0.0.1", &[&line]);
        }
    }
}
