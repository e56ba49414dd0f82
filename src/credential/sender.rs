use super::client_certificate::ClientCertificate;
use super::comparable_url::comparable_url;
use super::origin::{host, is_loopback};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use std::fmt;

/// The field in which a proof stands (RFC 9449 §4).
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// Who sent a request, as far as a token may be bound to that, and which request it was.
#[derive(Clone)]
pub(crate) struct Sender {
    method: Method,
    /// The URLs that the request may have been sent to, to be compared.
    urls: Vec<String>,
    proof: Proof,
    certificate: Option<ClientCertificate>,
    sight: Sight,
}

/// What stands in the field of proofs.
#[derive(Clone)]
pub(crate) enum Proof {
    None,
    One(HeaderValue),
    /// Whichever is taken, a proxy may have looked at the other.
    Several,
}

/// Whether a request is judged for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    First,
    /// Its body came later than its head, by which it was let through.
    #[cfg_attr(
        not(feature = "endpoints"),
        allow(dead_code, reason = "only an endpoint waits for a body")
    )]
    Again,
}

impl Sender {
    /// `None` where the request says nothing of who sent it.
    pub(super) fn of<B>(
        request: &Request<B>,
        public_url: Option<&str>,
        sight: Sight,
    ) -> Option<Self> {
        let proof = Proof::of(request);
        let certificate = request.extensions().get().copied();
        let urls = match (&proof, certificate) {
            (Proof::None, None) => return None,
            (Proof::One(_), _) => urls(request, public_url),
            // Only a proof is held against a URL.
            (Proof::None | Proof::Several, _) => Vec::new(),
        };
        Some(Self {
            method: request.method().clone(),
            urls,
            proof,
            certificate,
            sight,
        })
    }

    pub(crate) fn proof(&self) -> &Proof {
        &self.proof
    }

    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        self.certificate.as_ref()
    }

    pub(crate) fn sight(&self) -> Sight {
        self.sight
    }

    /// Names of methods are case-sensitive (RFC 9110 §9.1).
    pub(crate) fn used_method(&self, method: &str) -> bool {
        self.method.as_str() == method
    }

    /// Whether the request was sent to this URL, its query and its fragment apart.
    pub(crate) fn sent_to(&self, url: &str) -> bool {
        comparable_url(url).is_some_and(|url| self.urls.contains(&url))
    }
}

impl Proof {
    fn of<B>(request: &Request<B>) -> Self {
        let mut fields = request.headers().get_all(DPOP).iter();
        match (fields.next(), fields.next()) {
            (None, _) => Self::None,
            // What a proxy makes of two lines (RFC 9110 §5.3).
            (Some(line), None) if line.as_bytes().contains(&b',') => Self::Several,
            (Some(line), None) => Self::One(line.clone()),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// Below the public URL, or else below the host that the request names: by HTTPS, and on this
/// machine by plain HTTP too.
fn urls<B>(request: &Request<B>, public_url: Option<&str>) -> Vec<String> {
    let path = original_uri(request).path();
    if let Some(base) = public_url {
        let base = base.find('?').map_or(base, |query| &base[..query]);
        let url = format!("{}{path}", base.trim_end_matches('/'));
        return comparable_url(&url).into_iter().collect();
    }
    let Some(host) = host(request.headers(), request.uri()) else {
        return Vec::new();
    };
    let schemes: &[&str] = match is_loopback(host.host()) {
        true => &["https", "http"],
        false => &["https"],
    };
    let urls = schemes.iter();
    urls.filter_map(|scheme| comparable_url(&format!("{scheme}://{host}{path}")))
        .collect()
}

/// The URI as the client sent it: a router that is nested in another one sees but the rest of it.
fn original_uri<B>(request: &Request<B>) -> &Uri {
    #[cfg(all(feature = "axum", feature = "dpop"))]
    if let Some(uri) = crate::framework::axum_uri(request.extensions()) {
        return uri;
    }
    request.uri()
}

/// Shows neither the proof nor the URL.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("method", &self.method)
            .field("sight", &self.sight)
            .finish_non_exhaustive()
    }
}
