use super::error::FetchError;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;

/// Makes HTTP requests to those who issue tokens. [`HttpClient`](super::HttpClient) (feature `jwks`)
/// does; an application that has a client with settings of its own (a proxy, client certificates)
/// brings that.
///
/// What an implementation promises:
///
/// - **No redirect is followed**: the response is that of the URL in the request. A redirect would
///   lead past the rules for URLs, and would hand on what the request carries.
/// - **The body is whole and bounded**: one of more than `longest` bytes is an error, never a part
///   of it, and no more than that is kept in memory. It is as it came: not decompressed, unless
///   what is counted is what comes out.
/// - **A host with the mark [`LearnedHost`](super::LearnedHost)** is connected to at public
///   addresses alone.
/// - A response of any status is a response. Whoever asked judges it.
/// - It comes to an end. Whoever asks waits for at most 5 seconds, and drops the future then.
///
/// The request has an absolute URL, its method and its fields (`authorization` among them), and
/// none of the fields that belong to a connection.
///
/// ```
/// use async_trait::async_trait;
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode};
/// use std::sync::Arc;
/// use tower_auth::fetch::{Fetch, FetchError};
///
/// /// Answers from memory, as a test may want it.
/// struct Canned(&'static [u8]);
///
/// #[async_trait]
/// impl Fetch for Canned {
///     async fn fetch(
///         &self,
///         request: Request<Bytes>,
///         longest: usize,
///     ) -> Result<Response<Bytes>, FetchError> {
///         if self.0.len() > longest {
///             return Err(FetchError::too_long());
///         }
///         let (status, body) = match request.uri().path() {
///             "/jwks" => (StatusCode::OK, Bytes::from_static(self.0)),
///             _ => (StatusCode::NOT_FOUND, Bytes::new()),
///         };
///         let mut response = Response::new(body);
///         *response.status_mut() = status;
///         Ok(response)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let fetch: Arc<dyn Fetch> = Arc::new(Canned(br#"{"keys":[]}"#));
/// let get = |url: &str| Request::get(url).body(Bytes::new()).unwrap();
/// let response = fetch.fetch(get("https://login.example.com/jwks"), 512).await.unwrap();
/// assert_eq!(response.body(), br#"{"keys":[]}"#.as_slice());
///
/// let response = fetch.fetch(get("https://login.example.com/other"), 512).await.unwrap();
/// assert_eq!(response.status(), 404);
/// let error = fetch.fetch(get("https://login.example.com/jwks"), 5).await.unwrap_err();
/// assert_eq!(error.to_string(), "the body is too long");
/// # }
/// ```
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// Makes this request, and reads at most `longest` bytes of its response's body.
    ///
    /// # Errors
    ///
    /// [`FetchError`] where there is no whole response: no connection, no trust in the server, a
    /// body that is too long or ends early.
    async fn fetch(
        &self,
        request: Request<Bytes>,
        longest: usize,
    ) -> Result<Response<Bytes>, FetchError>;
}

#[async_trait]
impl<T: Fetch + ?Sized> Fetch for Arc<T> {
    async fn fetch(
        &self,
        request: Request<Bytes>,
        longest: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        (**self).fetch(request, longest).await
    }
}
