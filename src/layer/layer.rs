use super::{AuthLayerBuilder, AuthService};
use crate::authorize::{RequireLayer, Requirement};
use crate::config::ConfigError;
#[cfg(feature = "endpoints")]
use crate::endpoint::EndpointsBuilder;
#[cfg(feature = "openapi")]
use crate::integration::SecuritySchemes;
#[cfg(feature = "jwt")]
use crate::issue::TokenIssuer;
use crate::pipeline::{Mode, Pipeline};
#[cfg(feature = "api-key")]
use crate::scheme::ApiKeys;
use crate::throttle::{Stack, Throttle, ThrottleLayer};
#[cfg(feature = "basic")]
use crate::users::Users;
use std::fmt;
use std::sync::Arc;
use tower_layer::Layer;

/// Lets verified callers through to the services it wraps, and refuses the rest.
///
/// One value serves any number of services on any tower-based server, and is cheap to clone. It needs of a service only
/// what every tower server has: `Service<Request<_>, Response = Response<_>> + Clone`. Request and response bodies pass
/// through untouched; they need not be `Send`.
///
/// ```
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_auth::{AuthLayer, Jwt, Principal, test_util::TokenMint};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// const SECRET: &str = "tests only: 0123456789abcdefghij";
/// let auth = AuthLayer::builder()
///     .jwt(Jwt::hs256(SECRET).issuer("https://login.example.com").audience("reports"))
///     .build()?;
///
/// let handler = |request: http::Request<String>| async move {
///     let caller = Principal::from_extensions(request.extensions()).unwrap();
///     Ok::<_, std::convert::Infallible>(http::Response::new(format!("hello {}", caller.subject())))
/// };
/// let service = ServiceBuilder::new().layer(auth).service(service_fn(handler));
///
/// let claims = serde_json::json!({
///     "iss": "https://login.example.com", "aud": "reports", "sub": "anna", "exp": 4_000_000_000_u64,
/// });
/// let token = TokenMint::hs256(SECRET).sign(&claims);
/// let request = http::Request::get("/").header("authorization", format!("Bearer {token}")).body(String::new())?;
/// assert_eq!(service.clone().oneshot(request).await?.status(), 200);
///
/// let refused = service.oneshot(http::Request::new(String::new())).await?;
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.headers()["www-authenticate"], r#"Bearer realm="api""#);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct AuthLayer {
    pipeline: Arc<Pipeline>,
    #[cfg_attr(
        not(any(feature = "jwt", feature = "api-key", feature = "basic")),
        expect(dead_code, reason = "no scheme has a service")
    )]
    services: Arc<Services>,
    mode: Mode,
}

/// What issues and manages the credentials that the layer accepts.
#[derive(Clone, Default)]
pub(crate) struct Services {
    #[cfg(feature = "basic")]
    pub(crate) users: Option<Users>,
    #[cfg(feature = "jwt")]
    pub(crate) tokens: Option<TokenIssuer>,
    #[cfg(feature = "api-key")]
    pub(crate) api_keys: Vec<ApiKeys>,
}

impl AuthLayer {
    /// Starts a configuration.
    pub fn builder() -> AuthLayerBuilder {
        AuthLayerBuilder::new()
    }

    pub(crate) fn new(pipeline: Pipeline, services: Services, mode: Mode) -> Self {
        Self {
            pipeline: Arc::new(pipeline),
            services: Arc::new(services),
            mode,
        }
    }

    /// Issues, refreshes and revokes tokens, where [`tokens`](AuthLayerBuilder::tokens) were configured.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn tokens(&self) -> Option<&TokenIssuer> {
        self.services.tokens.as_ref()
    }

    /// Registers and authenticates users, where [`users`](AuthLayerBuilder::users) were configured.
    #[cfg(feature = "basic")]
    #[must_use]
    pub fn users(&self) -> Option<&Users> {
        self.services.users.as_ref()
    }

    /// Manages the API keys of that prefix, or those without one, where they were configured.
    #[cfg(feature = "api-key")]
    #[must_use]
    pub fn api_keys(&self, prefix: Option<&str>) -> Option<&ApiKeys> {
        self.services
            .api_keys
            .iter()
            .find(|keys| keys.configured_prefix() == prefix)
    }

    /// Ready-made HTTP for what was configured: sign-in, refresh, API keys and more.
    #[cfg(feature = "endpoints")]
    pub fn endpoints(&self) -> EndpointsBuilder {
        EndpointsBuilder::new(self.clone())
    }

    #[cfg(feature = "endpoints")]
    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What it accepts, for an OpenAPI document.
    #[cfg(feature = "openapi")]
    pub fn security_schemes(&self) -> SecuritySchemes {
        SecuritySchemes::of(self.pipeline.source.accepted(), self.mode)
    }

    /// The same layer for routes on which a credential is optional: a request without one passes as anonymous, a bad
    /// credential is refused as ever.
    pub fn optional(&self) -> Self {
        Self {
            mode: Mode::Optional,
            ..self.clone()
        }
    }

    /// A layer for routes inside of this one that need more than a verified caller.
    pub fn require(&self, requirement: impl Into<Requirement>) -> RequireLayer {
        RequireLayer::new(requirement.into(), Arc::clone(&self.pipeline.responder))
    }

    /// A layer for routes inside of this one that are counted on their own. `scope` names them: in the fields that clients see
    /// (`"search:principal"`), and on a limiter that several machines share.
    ///
    /// ```
    /// use tower_auth::{ApiKeys, AuthLayer, store::Memory, throttle::Throttle};
    ///
    /// let auth = AuthLayer::builder().api_keys(ApiKeys::new(Memory::new()).prefix("egret")).build()?;
    /// let search = auth.throttle("search", [Throttle::per_principal("10/s"), Throttle::per_principal("1000/hour")])?;
    /// assert!(auth.throttle("search", [Throttle::per_principal("10/month")]).is_err());
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All mistakes in the rules and in the name at once.
    pub fn throttle(
        &self,
        scope: &str,
        throttles: impl IntoIterator<Item = Throttle>,
    ) -> Result<ThrottleLayer, ConfigError> {
        let mut problems = Vec::new();
        let throttles: Vec<Throttle> = throttles.into_iter().collect();
        if scope.is_empty() || throttles.is_empty() {
            problems.push(crate::config::ConfigProblem::ThrottleName);
        }
        let surroundings = self.pipeline.surroundings.clone();
        let stack = Stack::build(scope, throttles, surroundings, &mut problems);
        ConfigError::check(problems)?;
        Ok(ThrottleLayer::new(stack, Arc::clone(&self.pipeline)))
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(inner, Arc::clone(&self.pipeline), self.mode)
    }
}

impl fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
