/// Marks a request whose host was named by a document of another server, and not by the operator.
///
/// It stands in the extensions of the request. Such a host must not lead into the network of this
/// machine: a [`Fetch`](super::Fetch) connects to it at public addresses alone, and judges each
/// address that its name has when it connects. A host that is written as an address has been judged
/// before.
///
/// ```
/// use bytes::Bytes;
/// use http::Request;
/// use tower_auth::fetch::LearnedHost;
///
/// fn may_be_private(request: &Request<Bytes>) -> bool {
///     request.extensions().get::<LearnedHost>().is_none()
/// }
///
/// let mut request = Request::get("https://keys.example.com/jwks").body(Bytes::new())?;
/// assert!(may_be_private(&request));
/// request.extensions_mut().insert(LearnedHost);
/// assert!(!may_be_private(&request));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnedHost;
