use crate::secret::Secret;
use std::time::SystemTime;

/// An access token, which opens routes, and mostly a refresh token, which opens none and gets the
/// next pair. What an issue or a refresh gives.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, Grant, Realm, Secret, Subject, Tokens, random_secret};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let tokens = Realm::new(Memory::new())
///     .tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
/// # let hello = tower::service_fn(async |_: http::Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
/// # });
/// # let service = tower::ServiceBuilder::new().layer(auth).service(hello);
/// # let status = async |token: &Secret<String>| {
/// #     let bearer = format!("Bearer {}", token.expose());
/// #     let request = http::Request::get("/").header("authorization", bearer).body(()).unwrap();
/// #     tower::ServiceExt::oneshot(service.clone(), request).await.unwrap().status()
/// # };
///
/// // `status` is that of a request with this Bearer token.
/// assert_eq!(status(pair.access()).await, 200);
/// let refresh = pair.refresh().expect("rotation is on by default");
/// assert_eq!(status(refresh).await, 401);
///
/// let next = tokens.refresh(refresh.expose()).await?;
/// assert_eq!(status(next.access()).await, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct TokenPair {
    pub(super) access: Secret<String>,
    pub(super) refresh: Option<Secret<String>>,
    pub(super) access_expires: SystemTime,
}

impl TokenPair {
    /// The access token, for `Authorization: Bearer`.
    #[must_use]
    pub fn access(&self) -> &Secret<String> {
        &self.access
    }

    /// The refresh token; `None` after a refresh without rotation, which leaves the former one
    /// good.
    #[must_use]
    pub fn refresh(&self) -> Option<&Secret<String>> {
        self.refresh.as_ref()
    }

    /// When the access token expires.
    #[must_use]
    pub fn access_expires(&self) -> SystemTime {
        self.access_expires
    }
}
