use super::error::FetchError;
use super::fetch::Fetch;
use super::http_url::{HttpUrl, Trust};
use super::learned_host::LearnedHost;
use super::public_address::is_public;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A [`Fetch`] over HTTP and TLS (rustls with AWS-LC, and the certificates that the system trusts).
///
/// - A connection has 3 seconds, a response with all of its body 5.
/// - `https` alone, except to this machine, or after [`dangerous`](Self::dangerous).
/// - It follows no redirect, uses no proxy that the environment names, asks for no compression and
///   undoes none.
/// - A body is counted as it comes in, so that one that is too long ends the request, whatever its
///   `content-length` said.
/// - The name of a [`LearnedHost`] is resolved to public addresses alone, in the moment in which it
///   is connected to.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use tower_auth::fetch::{Fetch, HttpClient};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let client = HttpClient::new();
/// let request = Request::get("http://login.example.com/jwks").body(Bytes::new()).unwrap();
/// let error = client.fetch(request, 512 * 1024).await.unwrap_err();
/// assert_eq!(error.to_string(), "the URL is https, or http to this machine");
/// # }
/// ```
pub struct HttpClient {
    trust: Trust,
    any: OnceLock<Client>,
    public: OnceLock<Client>,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// A client with these rules. It connects to nobody before it is asked to.
    #[must_use]
    pub fn new() -> Self {
        Self {
            trust: Trust::None,
            any: OnceLock::new(),
            public: OnceLock::new(),
        }
    }

    /// Also `http` to other machines: whoever is on the way to them reads along, and answers in
    /// their place with keys of his own.
    #[must_use]
    pub fn dangerous(mut self) -> Self {
        self.trust = Trust::Dangerous;
        self
    }

    /// Built when it is first needed, because it reads the system's certificates.
    fn client(&self, is_learned: bool) -> Result<&Client, FetchError> {
        let kept = if is_learned { &self.public } else { &self.any };
        if let Some(client) = kept.get() {
            return Ok(client);
        }
        let mut builder = settings();
        if is_learned {
            builder = builder.dns_resolver(PublicAddresses);
        }
        let client = builder.build().map_err(FetchError::new)?;
        Ok(kept.get_or_init(|| client))
    }
}

fn settings() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        // A redirect would lead past the rules for URLs, and hand on what the request carries.
        .redirect(Policy::none())
        .referer(false)
        // A proxy would look names up itself, so the rule that learned hosts are public would not
        // hold.
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .user_agent(concat!("tower-auth/", env!("CARGO_PKG_VERSION")))
}

#[async_trait]
impl Fetch for HttpClient {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        longest: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        HttpUrl::configured(&request.uri().to_string(), self.trust).map_err(FetchError::refused)?;
        let is_learned = request.extensions().get::<LearnedHost>().is_some();
        let request: reqwest::Request = request.try_into().map_err(without_url)?;
        // The resolver below sees names alone: a host that is an address never comes to it.
        if is_learned && is_private_address(request.url()) {
            return Err(FetchError::refused(NOT_PUBLIC));
        }
        let client = self.client(is_learned)?;
        let mut response = client.execute(request).await.map_err(without_url)?;
        let body = read(&mut response, longest).await?;
        let mut answer = Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

async fn read(response: &mut reqwest::Response, longest: usize) -> Result<Bytes, FetchError> {
    let said = response.content_length().unwrap_or(0);
    if usize::try_from(said).is_ok_and(|said| said > longest) {
        return Err(FetchError::too_long());
    }
    let mut body = BytesMut::new();
    // Counted as it comes in: what a server says of the length is no bound.
    while let Some(chunk) = response.chunk().await.map_err(without_url)? {
        if chunk.len() > longest - body.len() {
            return Err(FetchError::too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn without_url(error: reqwest::Error) -> FetchError {
    // The query may have a secret, and this text is written to logs.
    FetchError::new(error.without_url())
}

const NOT_PUBLIC: &str = "a document names the host of the URL, and its address is not public";

/// A host that is an address is not looked up.
fn is_private_address(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>()
        .is_ok_and(|address| !is_public(address))
}

/// Looks names up, and gives public addresses alone: so no name leads into this network, and none
/// that was judged leads elsewhere when it is looked up again.
struct PublicAddresses;

impl Resolve for PublicAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NOT_PUBLIC.into());
            }
            let public: Addrs = Box::new(public.into_iter());
            Ok(public)
        })
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}
