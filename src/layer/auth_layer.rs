use super::AuthService;
use crate::authorize::{Requirement, ScopeGaps};
use crate::config::{ConfigError, ConfigProblem};
use crate::pipeline::{Door, Explanation, Gate, Mode, Pipeline};
use crate::principal::{Scope, Subject};
use crate::realm::Realm;
use crate::reject::Rejection;
use crate::throttle::{Stack, Throttle};
use http::request::Parts;
use std::fmt;
use std::sync::Arc;
use tower_layer::Layer;

/// Lets verified callers through to the services it wraps, and refuses the rest.
///
/// It is a gate, and the others are of the same type: [`optional`](Self::optional),
/// [`require`](Self::require), [`throttle`](Self::throttle),
/// [`throttle_public`](Self::throttle_public) and [`errors`](Self::errors). All of them answer what
/// they, or the handlers behind them, refuse in one format, and each refusal is told once, to
/// `tracing` and to the hook, by the innermost gate that sees it. A layer inside of the same layer
/// verifies and counts nothing again.
///
/// One value serves any number of services on any tower-based server, and is cheap to clone. It
/// needs of a service only what every tower server has: `Service<Request<_>, Response =
/// Response<_>> + Clone`. Request and response bodies pass through untouched; they need not be
/// `Send`.
///
/// ```
/// use http::{Request, Response};
/// use std::convert::Infallible;
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_auth::{AuthLayer, Jwt, Principal, random_secret, test_util::TokenMint};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let secret = random_secret()?; // a real service has it in its environment
/// let auth = AuthLayer::builder()
///     .accept(Jwt::hs256(secret.expose()).issuer("https://login.example.com").audience("reports"))
///     .build()?;
///
/// let handler = |request: Request<String>| async move {
///     let caller = Principal::from_extensions(request.extensions()).unwrap();
///     Ok::<_, Infallible>(Response::new(format!("hello {}", caller.subject())))
/// };
/// let service = ServiceBuilder::new().layer(auth).service(service_fn(handler));
///
/// let claims = serde_json::json!({
///     "iss": "https://login.example.com", "aud": "reports", "sub": "anna",
///     "exp": 4_000_000_000_u64,
/// });
/// let token = TokenMint::hs256(secret.expose()).sign(&claims);
/// let request = Request::get("/").header("authorization", format!("Bearer {token}"));
/// let request = request.body(String::new())?;
/// assert_eq!(service.clone().oneshot(request).await?.status(), 200);
///
/// let refused = service.oneshot(Request::new(String::new())).await?;
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.headers()["www-authenticate"], r#"Bearer realm="api""#);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
#[must_use]
pub struct AuthLayer {
    door: Arc<Door>,
}

impl AuthLayer {
    pub(super) fn new(pipeline: Pipeline, mode: Mode) -> Self {
        let door = Door::new(Arc::new(pipeline), Gate::Authenticate(mode));
        Self {
            door: Arc::new(door),
        }
    }

    /// The same layer with another gate.
    pub(crate) fn with(&self, gate: Gate) -> Self {
        Self {
            door: Arc::new(self.door.with(gate)),
        }
    }

    /// The realm of the layer.
    pub fn realm(&self) -> &Realm {
        &self.door.pipeline().realm
    }

    /// Waits until what requests need is loaded: the keys of issuers that publish theirs. Without
    /// it the first request waits for them.
    ///
    /// At start it says that an issuer cannot be reached; in a readiness probe it costs nothing
    /// while the keys are held.
    ///
    /// ```
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    /// use tower_auth::{AuthLayer, Jwt};
    ///
    /// let auth = AuthLayer::builder()
    ///     .accept(Jwt::oidc("https://login.example.com").audience("reports"))
    ///     .build()?;
    /// auth.ready().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// 503 where something cannot be loaded; requests that need it get the same answer until it
    /// can.
    pub async fn ready(&self) -> Result<(), Rejection> {
        self.door.pipeline().chain.ready().await
    }

    /// What this layer would make of a request with this head, step by step and why: for a page of
    /// administrators, or a test. No limit and no attempt is counted, nothing is written, and
    /// nobody is told.
    ///
    /// Where a request would ask a store, an issuer or a function of the application, so does this;
    /// metrics show such calls. It shows what a client must not learn: mount it behind a
    /// requirement of your own, or not at all.
    ///
    /// Asked of another gate, it tells of the layer that it was made from, but whether a credential
    /// is needed is the gate's own: [`require`](Self::require) needs one, the others do not.
    ///
    /// ```
    /// use tower_auth::{ApiKeys, AuthLayer, KeyRequest, Realm, Scope, Subject, store::Memory};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).build()?;
    /// let key = keys.issue(KeyRequest::new(Subject::user("7"), "ci").scope("reports:read")).await?;
    ///
    /// let request = http::Request::get("/").header("x-api-key", key.key.expose()).body(())?;
    /// let told = auth.explain(&request.into_parts().0).await;
    /// assert!(told.to_string().contains(r#"caller      "7", scopes "reports:read""#));
    /// assert!(!told.to_string().contains(key.key.expose().as_str()));
    /// let refused = told.require(&Scope::new("reports:write").into()).unwrap_err();
    /// assert_eq!(refused.missing_scopes(), [Scope::new("reports:write")]);
    ///
    /// let nobody = http::Request::get("/").body(())?.into_parts().0;
    /// assert_eq!(auth.explain(&nobody).await.rejection().unwrap().status(), 401);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub async fn explain(&self, head: &Parts) -> Explanation {
        let mode = self.door.gate().mode();
        self.door.pipeline().explain(mode, head).await
    }

    /// Forgets what [`load_user`](crate::layer::AuthLayerBuilder::load_user) gave for a subject,
    /// after the application has changed that user: the next request loads it anew. On other nodes
    /// the user stays remembered for as long as
    /// [`remember_user`](crate::layer::AuthLayerBuilder::remember_user) says.
    pub fn forget_user(&self, subject: &Subject) {
        self.door.pipeline().accounts.forget(subject);
    }

    #[cfg(feature = "openapi")]
    pub(crate) fn gate(&self) -> &Gate {
        self.door.gate()
    }

    #[cfg(any(feature = "endpoints", feature = "openapi"))]
    pub(crate) fn pipeline(&self) -> &Pipeline {
        self.door.pipeline()
    }

    /// The same layer for routes on which a credential is optional: a request without one passes as
    /// anonymous, a bad credential is refused as ever.
    pub fn optional(&self) -> Self {
        self.with(Gate::Authenticate(Mode::Optional))
    }

    /// A gate for routes inside of this layer that need more than a verified caller: a request that
    /// came past no layer is a 500, and an anonymous one a 401.
    pub fn require(&self, requirement: impl Into<Requirement>) -> Self {
        let requirement = self.requirement(requirement);
        self.with(Gate::Require(Arc::new(requirement)))
    }

    /// A requirement that a handler holds its callers against ([`Principal::require`]), so that
    /// [`check_scopes`](Self::check_scopes) knows of it.
    ///
    /// [`Principal::require`]: crate::Principal::require
    pub fn requirement(&self, requirement: impl Into<Requirement>) -> Requirement {
        let requirement = requirement.into();
        self.door.pipeline().demanded.note(&requirement);
        requirement
    }

    /// Holds the scopes that an API declares (to its identity provider, or in its OpenAPI
    /// document) against those that its routes demand. Call it when all routes are made: at
    /// start, or in a test.
    ///
    /// Known are the requirements of [`require`](Self::require), of this layer's endpoints, and
    /// those that were made with [`requirement`](Self::requirement).
    ///
    /// ```
    /// use tower_auth::{ApiKeys, AuthLayer, Realm, Scope, store::Memory};
    ///
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).build()?;
    /// let may_write = auth.require(Scope::new("reports:write"));
    /// let may_read = auth.require(Scope::new("reports:read").or(Scope::new("reports:write")));
    /// # let _ = (may_write, may_read);
    ///
    /// assert!(auth.check_scopes(["reports:read", "reports:write"]).is_ok());
    /// let gaps = auth.check_scopes(["reports:read", "reports:delete"]).unwrap_err();
    /// assert_eq!(gaps.undemanded(), [Scope::new("reports:delete")]);
    /// assert!(gaps.undeclared().eq(&[Scope::new("reports:write")]));
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ScopeGaps`]: the scopes that no route demands, and those that routes demand and nobody
    /// declares.
    pub fn check_scopes<S: Into<Scope>>(
        &self,
        declared: impl IntoIterator<Item = S>,
    ) -> Result<(), ScopeGaps> {
        let declared = declared.into_iter().map(Into::into).collect();
        self.door.pipeline().demanded.check(&declared)
    }

    /// A gate that refuses nothing, for public routes: what a handler behind it refuses is answered
    /// in this layer's format, and told to `tracing` and to the hook, as everywhere else.
    /// Nobody is verified or counted, so no handler finds a caller.
    ///
    /// ```
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// use tower_auth::{ApiKeys, AuthLayer, Realm, Rejection, format::Coded, store::Memory};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).format(Coded).build()?;
    ///
    /// let handler = |_: http::Request<String>| async {
    ///     let mut response = http::Response::new(String::new());
    ///     response.extensions_mut().insert(Rejection::permission_denied("closed today"));
    ///     Ok::<_, std::convert::Infallible>(response)
    /// };
    /// let public = ServiceBuilder::new().layer(auth.errors()).service(service_fn(handler));
    /// let refused = public.oneshot(http::Request::new(String::new())).await?;
    /// assert_eq!(refused.status(), 403);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    pub fn errors(&self) -> Self {
        self.with(Gate::Errors)
    }

    /// A gate for routes inside of this layer that are counted on their own, by all its clones
    /// together; a request that came past no layer is a 500. `scope` names them, in the form of a
    /// [`Throttle::name`]: in the fields that clients see (`"search:principal"`), and on a limiter
    /// that several machines share.
    ///
    /// ```
    /// use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory, throttle::Throttle};
    ///
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).build()?;
    /// let few = [Throttle::per_principal("10/s"), Throttle::per_principal("1000/hour")];
    /// let search = auth.throttle("search", few)?;
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
    ) -> Result<Self, ConfigError> {
        let throttles = throttles.into_iter().collect();
        let stack = self.stack(scope, throttles, Vec::new())?;
        Ok(self.with(Gate::Throttle(Arc::new(stack))))
    }

    /// A gate for public routes, or for all routes before any layer verifies somebody: it counts
    /// whoever calls, by [address](Throttle::per_address) or by [a function](Throttle::per), and
    /// needs no layer around it. `scope` names the routes as in [`throttle`](Self::throttle).
    ///
    /// Nobody is verified by it, so handlers find the caller of a layer around it, or none. A
    /// request is counted by every such gate that it passes.
    ///
    /// ```
    /// use tower_auth::{ApiKeys, AuthLayer, Realm, store::Memory, throttle::Throttle};
    ///
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).build()?;
    /// let sign_up = auth.throttle_public("sign-up", [Throttle::per_address("5/hour")])?;
    /// // Nobody has a key there.
    /// assert!(auth.throttle_public("sign-up", [Throttle::per_key("5/hour")]).is_err());
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`throttle`](Self::throttle), and where a rule is about a verified caller.
    pub fn throttle_public(
        &self,
        scope: &str,
        throttles: impl IntoIterator<Item = Throttle>,
    ) -> Result<Self, ConfigError> {
        let throttles: Vec<Throttle> = throttles.into_iter().collect();
        let of_callers = throttles.iter().filter(|rule| rule.is_about_callers());
        let problems = of_callers.map(|rule| ConfigProblem::PublicThrottle(rule.shown_name()));
        let problems = problems.collect();
        let stack = self.stack(scope, throttles, problems)?;
        Ok(self.with(Gate::ThrottlePublic(Arc::new(stack))))
    }

    /// The rules of some routes; `problems` are those that were found before.
    fn stack(
        &self,
        scope: &str,
        throttles: Vec<Throttle>,
        mut problems: Vec<ConfigProblem>,
    ) -> Result<Stack, ConfigError> {
        if scope.is_empty() || throttles.is_empty() {
            problems.push(ConfigProblem::ThrottleName);
        }
        let surroundings = self.door.pipeline().surroundings.clone();
        let stack = Stack::build(scope, throttles, surroundings, &mut problems);
        ConfigError::check(problems)?;
        Ok(stack)
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService::new(inner, Arc::clone(&self.door))
    }
}

impl fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "api-key"))]
mod tests {
    use super::*;
    use crate::{ApiKeys, store::Memory};

    #[tokio::test]
    async fn each_gate_is_explained_with_the_need_for_a_credential_that_it_has() {
        let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
        let auth = AuthLayer::builder().accept(&keys).build().unwrap();
        let rules = || [Throttle::per_address("10/s")];
        let rows = [
            ("required", auth.clone(), true),
            ("optional", auth.optional(), false),
            ("require", auth.optional().require(Scope::new("a")), true),
            (
                "throttle",
                auth.optional().throttle("a", rules()).unwrap(),
                false,
            ),
            (
                "throttle, public",
                auth.throttle_public("b", rules()).unwrap(),
                false,
            ),
            ("errors", auth.errors(), false),
        ];
        for (name, gate, needs) in rows {
            let (head, ()) = http::Request::new(()).into_parts();
            let told = gate.explain(&head).await;
            assert_eq!(told.rejection().is_some(), needs, "{name}: {told}");
        }
    }
}
