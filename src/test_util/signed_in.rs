use crate::principal::{Assumed, Caller, Mark, Principal};
use http::Request;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a [`Principal`] into requests that have no credential, as every
/// [`AuthLayer`](crate::AuthLayer) of the application would have done. So a test reaches handlers,
/// extractors and the requirements of routes without tokens and stores.
///
/// It stands outside of the service under test: around a handler alone, or around a whole
/// application with its layers. Those let its requests through as that principal, count them and
/// hold them against their requirements. A request that does have a credential is judged by them as
/// ever.
///
/// ```
/// use tower::{ServiceExt, service_fn};
/// use tower_auth::store::Memory;
/// use tower_auth::test_util::SignedIn;
/// use tower_auth::{ApiKeys, AuthLayer, Principal, Realm, Scope, Subject};
/// use tower_layer::Layer;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let handler = |request: http::Request<String>| async move {
/// #     let caller = Principal::from_extensions(request.extensions()).unwrap();
/// #     Ok::<_, std::convert::Infallible>(http::Response::new(caller.subject().to_string()))
/// # };
/// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&keys).build()?;
/// let route = auth.require(Scope::new("reports:write")).layer(service_fn(handler));
/// let app = auth.layer(route);
///
/// let anna = Principal::builder(Subject::user("anna"));
/// let reader = SignedIn::new(anna.scope("reports:read").build()).layer(app.clone());
/// assert_eq!(reader.oneshot(http::Request::new(String::new())).await?.status(), 403);
///
/// let anna = Principal::builder(Subject::user("anna"));
/// let writer = SignedIn::new(anna.scope("reports:write").build()).layer(app.clone());
/// assert_eq!(writer.oneshot(http::Request::new(String::new())).await?.status(), 200);
///
/// assert_eq!(app.oneshot(http::Request::new(String::new())).await?.status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SignedIn(Principal);

impl SignedIn {
    /// Whoever calls is that principal.
    pub fn new(principal: Principal) -> Self {
        Self(principal)
    }
}

impl<S> Layer<S> for SignedIn {
    type Service = SignedInService<S>;

    fn layer(&self, inner: S) -> SignedInService<S> {
        SignedInService {
            inner,
            principal: self.0.clone(),
        }
    }
}

/// The service of [`SignedIn`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SignedInService<S> {
    inner: S,
    principal: Principal,
}

impl<S, B> Service<Request<B>> for SignedInService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let extensions = request.extensions_mut();
        extensions.insert(Caller {
            principal: Some(self.principal.clone()),
            scheme: None,
            // Of no layer, so that each still counts the request.
            mark: Mark::new(),
        });
        extensions.insert(Assumed(self.principal.clone()));
        self.inner.call(request)
    }
}
