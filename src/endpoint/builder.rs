use super::input::{BODY_LIMIT, BODY_WITHIN};
use super::mount::{Endpoint, Mounting};
use super::service::{Endpoints, Shared};
use crate::config::{ConfigError, ConfigProblem, is_http_url};
use crate::layer::auth_layer::AuthLayer;
use std::fmt;
use std::time::Duration;

/// Which endpoints stand beside a layer, and where. Nothing is checked before
/// [`build`](Self::build), which then reports every mistake.
///
/// ```
/// use tower_auth::endpoint::{KeysEndpoint, Refresh, SignIn, SignOut};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Realm, Tokens, random_secret};
///
/// let secret = random_secret()?; // a real service has it in its environment
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
/// let endpoints = auth
///     .endpoints()
///     .mount("/token/", SignIn::of(&tokens))
///     .mount("/refresh/", Refresh::of(&tokens))
///     .mount("/logout/", SignOut::of(&tokens))
///     .mount("/api-keys/", KeysEndpoint::of(&keys))
///     .build()?;
/// assert!(endpoints.paths().any(|path| path == "/api-keys/{key_id}/"));
///
/// // A path that is there twice is a mistake, found now.
/// let once = auth.endpoints().mount("/t/", SignIn::of(&tokens));
/// let twice = once.mount("/t/", Refresh::of(&tokens));
/// assert!(twice.build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct EndpointsBuilder {
    auth: AuthLayer,
    mounting: Mounting,
    body_limit: usize,
    body_within: Duration,
    public_url: Option<String>,
}

impl AuthLayer {
    /// Ready-made HTTP beside the layer: sign-in, refresh, API keys and more.
    pub fn endpoints(&self) -> EndpointsBuilder {
        EndpointsBuilder::new(self.clone())
    }
}

impl EndpointsBuilder {
    fn new(auth: AuthLayer) -> Self {
        let public_url = auth.pipeline().reader.accepted().public_url.clone();
        Self {
            auth,
            mounting: Mounting::default(),
            body_limit: BODY_LIMIT,
            body_within: BODY_WITHIN,
            public_url,
        }
    }

    /// Mounts an endpoint at a path. Where the endpoint has more than one route the path ends with
    /// a `/`; that of [`KeysEndpoint`](super::KeysEndpoint) may have parameters, for
    /// [`KeysEndpoint::owner`](super::KeysEndpoint::owner).
    ///
    /// A path that is written out comes before one with a parameter: beside an endpoint at
    /// `/users/`, which has `/users/{user_id}/`, another one may be at `/users/keys/`.
    pub fn mount(mut self, path: impl AsRef<str>, endpoint: impl Into<Endpoint>) -> Self {
        endpoint.into().mount(path.as_ref(), &mut self.mounting);
        self
    }

    /// The longest body that is read, in bytes; 65,536 by default.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How long a body may take to come; 30 seconds by default. After that the answer is 408.
    pub fn body_within(mut self, time: Duration) -> Self {
        self.body_within = time;
        self
    }

    /// What absolute URLs begin with: scheme and host, no `/` at the end. By default the layer's
    /// [`public_url`](crate::layer::AuthLayerBuilder::public_url), or else `http://` and the
    /// request's `Host`.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Checks the configuration, that of the services it uses included.
    ///
    /// # Errors
    ///
    /// All mistakes at once: a path that is none or is there twice, services that are misconfigured
    /// or of another realm than the layer, and a page that lacks what it needs.
    pub fn build(mut self) -> Result<Endpoints, ConfigError> {
        // Last, because a page uses the endpoints that stand beside it, in whatever order they were
        // mounted.
        for page in std::mem::take(&mut self.mounting.pages) {
            page.mount("", &mut self.mounting);
        }
        let mut problems = self.mounting.problems;
        let mut realms = self.mounting.realms.iter();
        // Tokens and keys of another realm would be handed out here, and accepted by none of these
        // routes.
        if realms.any(|realm| !realm.is(self.auth.realm())) {
            problems.push(ConfigProblem::TwoRealms);
        }
        if let Some(url) = &self.public_url
            && (!is_http_url(url) || url.ends_with('/'))
        {
            problems.push(ConfigProblem::PublicUrl);
        }
        if self.body_limit == 0 {
            problems.push(ConfigProblem::Zero("body_limit"));
        }
        if self.body_within.is_zero() {
            problems.push(ConfigProblem::Zero("body_within"));
        }
        // Several endpoints may use one service, and what is wrong with it is told once.
        let mut told = Vec::new();
        for problem in problems {
            if !told.contains(&problem) {
                told.push(problem);
            }
        }
        ConfigError::check(told)?;
        Ok(Endpoints::new(Shared {
            auth: self.auth,
            routes: self.mounting.routes,
            body_limit: self.body_limit,
            body_within: self.body_within,
            public_url: self.public_url,
        }))
    }
}

impl fmt::Debug for EndpointsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.mounting.routes.iter();
        let paths: Vec<&str> = routes.map(|route| route.path.as_str()).collect();
        f.debug_struct("EndpointsBuilder")
            .field("paths", &paths)
            .finish_non_exhaustive()
    }
}
