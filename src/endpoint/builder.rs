use super::api_keys::{self, KeysEndpoint};
use super::input::BODY_LIMIT;
use super::jwks::Jwks;
use super::page::{self, Config, File, Keys, Others, Page, Plan};
use super::private_tokens::{self, PrivateTokensEndpoint};
use super::resource_metadata::ResourceMetadata;
use super::route::{Access, Handler, Path, Route, TakesBody};
use super::service::{Endpoints, Shared};
use super::session::{
    ChangePassword, GrantOf, Refresh, SignInEndpoint, SignOut, SignOutEverywhere, Verify,
};
use super::users::{self, UsersEndpoint};
use crate::authorize::Requirement;
use crate::config::{ConfigError, ConfigProblem};
use crate::issue::Grant;
use crate::layer::AuthLayer;
use crate::reject::Rejection;
use crate::store::UserRecord;
use http::Method;
use std::fmt;
use std::sync::Arc;

/// Which endpoints a layer has, and where. Nothing is checked before [`build`](Self::build), which then reports every mistake.
///
/// ```
/// use tower_auth::endpoint::{KeysEndpoint, SignInEndpoint};
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Tokens};
///
/// let store = Memory::new();
/// let auth = AuthLayer::builder()
///     .users(store.clone())
///     .tokens(
///         Tokens::hs256("example only: 0123456789abcdefghij")
///             .store(store.clone())
///             .issuer("https://api.example.com"),
///     )
///     .api_keys(ApiKeys::new(store).prefix("egret"))
///     .build()?;
/// let endpoints = auth
///     .endpoints()
///     .sign_in("/token/", SignInEndpoint::new())
///     .refresh("/refresh/")
///     .sign_out("/logout/")
///     .api_keys("/api-keys/", KeysEndpoint::prefixed("egret"))
///     .build()?;
/// assert!(endpoints.paths().any(|path| path == "/api-keys/{key_id}/"));
///
/// // A prefix that the layer does not have is a mistake, found now.
/// assert!(auth.endpoints().api_keys("/api-keys/", KeysEndpoint::prefixed("other")).build().is_err());
/// # Ok::<(), tower_auth::ConfigError>(())
/// ```
#[must_use]
pub struct EndpointsBuilder {
    auth: AuthLayer,
    parts: Vec<Part>,
    grant: Option<GrantOf>,
    body_limit: usize,
    public_url: Option<String>,
}

/// An endpoint at a path.
struct Part {
    path: String,
    kind: Kind,
}

enum Kind {
    SignIn(SignInEndpoint),
    Refresh,
    Verify,
    SignOut,
    SignOutEverywhere,
    ChangePassword,
    Users(UsersEndpoint),
    ApiKeys(KeysEndpoint),
    PrivateTokens,
    Jwks,
    ResourceMetadata(ResourceMetadata),
    Page(Page),
}

impl EndpointsBuilder {
    pub(crate) fn new(auth: AuthLayer) -> Self {
        Self {
            auth,
            parts: Vec::new(),
            grant: None,
            body_limit: BODY_LIMIT,
            public_url: None,
        }
    }

    fn part(mut self, path: impl Into<String>, kind: Kind) -> Self {
        self.parts.push(Part {
            path: path.into(),
            kind,
        });
        self
    }

    /// `POST {email, password}` → 200 `{access, refresh}`; 401 where there is no such user or the password is another.
    pub fn sign_in(self, path: impl Into<String>, endpoint: SignInEndpoint) -> Self {
        self.part(path, Kind::SignIn(endpoint))
    }

    /// `POST {refresh}` → 200 `{access}`, and with rotation a new `refresh`; 401 where it is no good.
    pub fn refresh(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::Refresh)
    }

    /// `POST {token}` → 200 `{}` where it is a token of ours that is good now; else 401.
    pub fn verify(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::Verify)
    }

    /// `POST` with an access token → 204: that token and its refresh token are refused from now on.
    pub fn sign_out(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::SignOut)
    }

    /// `POST` with an access token → 204: all tokens of the user, private ones too, are refused from now on.
    pub fn sign_out_everywhere(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::SignOutEverywhere)
    }

    /// `POST {current_password, new_password}` with an access token → 204: all tokens of the user are refused from now on.
    pub fn change_password(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::ChangePassword)
    }

    /// Registration, the current user, changes. The path ends with a `/`.
    pub fn users(self, path: impl Into<String>, endpoint: UsersEndpoint) -> Self {
        self.part(path, Kind::Users(endpoint))
    }

    /// API keys. The path ends with a `/`, and may have parameters for [`KeysEndpoint::owner`].
    pub fn api_keys(self, path: impl Into<String>, endpoint: KeysEndpoint) -> Self {
        self.part(path, Kind::ApiKeys(endpoint))
    }

    /// Private tokens. The path ends with a `/`.
    pub fn private_tokens(self, path: impl Into<String>, _endpoint: PrivateTokensEndpoint) -> Self {
        self.part(path, Kind::PrivateTokens)
    }

    /// `GET` → the public keys that our tokens are verified with (RFC 7517 §5).
    pub fn jwks(self, path: impl Into<String>) -> Self {
        self.part(path, Kind::Jwks)
    }

    /// A page on which users sign in and manage their keys, by the other endpoints. The path ends with a `/`.
    pub fn page(self, path: impl Into<String>, page: Page) -> Self {
        self.part(path, Kind::Page(page))
    }

    /// `GET` → the metadata of the protected resource (RFC 9728 §3), mostly below `/.well-known/oauth-protected-resource`.
    pub fn resource_metadata(self, path: impl Into<String>, metadata: ResourceMetadata) -> Self {
        self.part(path, Kind::ResourceMetadata(metadata))
    }

    /// What the tokens of a user are to say, given all that the user has: to add claims, or to grant less.
    pub fn grant(
        mut self,
        grant: impl Fn(&UserRecord, Grant) -> Result<Grant, Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.grant = Some(Arc::new(grant));
        self
    }

    /// The longest body that is read, in bytes; 65,536 by default.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// What absolute URLs begin with: scheme and host, no `/` at the end. By default `http://` and the request's `Host`.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// All mistakes at once: a path that is none or is there twice, and whatever an endpoint needs that the layer does not have.
    pub fn build(self) -> Result<Endpoints, ConfigError> {
        let mut routes = Routes {
            routes: Vec::new(),
            problems: Vec::new(),
        };
        for Part { path, kind } in &self.parts {
            if let Kind::Page(page) = kind {
                match page.plan(path, &others(&self.auth, &self.parts)) {
                    Ok(plan) => routes.add_page(path, plan, self.grant.as_ref()),
                    Err(problems) => routes.problems.extend(problems),
                }
            }
        }
        for Part { path, kind } in self.parts {
            routes.need(&self.auth, &kind);
            routes.add(&path, kind, self.grant.as_ref());
        }
        if self.body_limit == 0 {
            routes.problems.push(ConfigProblem::Zero("body_limit"));
        }
        ConfigError::check(routes.problems)?;
        Ok(Endpoints::new(Shared {
            auth: self.auth,
            routes: routes.routes,
            body_limit: self.body_limit,
            public_url: self.public_url,
        }))
    }
}

struct Routes {
    routes: Vec<Route>,
    problems: Vec<ConfigProblem>,
}

impl Routes {
    /// What an endpoint needs of the layer.
    fn need(&mut self, auth: &AuthLayer, kind: &Kind) {
        let (mut users, mut tokens) = (false, false);
        match kind {
            Kind::SignIn(_) | Kind::ChangePassword | Kind::PrivateTokens => {
                (users, tokens) = (true, true)
            }
            Kind::Refresh | Kind::Verify | Kind::SignOut | Kind::SignOutEverywhere | Kind::Jwks => {
                tokens = true
            }
            Kind::Users(_) => users = true,
            Kind::ApiKeys(endpoint)
                if auth.api_keys(endpoint.shape.prefix.as_deref()).is_none() =>
            {
                self.problems
                    .push(ConfigProblem::EndpointNeeds("api_keys of that prefix"));
            }
            // What it needs are the other endpoints, and they the layer's.
            Kind::ApiKeys(_) | Kind::Page(_) => {}
            Kind::ResourceMetadata(metadata) => self.problems.extend(metadata.problem()),
        }
        if users && auth.users().is_none() {
            self.problems.push(ConfigProblem::EndpointNeeds("users"));
        }
        if tokens && auth.tokens().is_none() {
            self.problems.push(ConfigProblem::EndpointNeeds("tokens"));
        }
    }

    fn add(&mut self, path: &str, kind: Kind, grant: Option<&GrantOf>) {
        let signed_in = || Access::Caller(signed_in());
        match kind {
            Kind::SignIn(endpoint) => {
                self.post(path, Access::Anybody, endpoint.granting(grant));
            }
            Kind::Refresh => self.post(path, Access::Anybody, Refresh),
            Kind::Verify => self.post(path, Access::Anybody, Verify),
            Kind::SignOut => self.route(path, Method::POST, signed_in(), TakesBody::No, SignOut),
            Kind::SignOutEverywhere => {
                self.route(
                    path,
                    Method::POST,
                    signed_in(),
                    TakesBody::No,
                    SignOutEverywhere,
                );
            }
            Kind::ChangePassword => self.post(path, signed_in(), ChangePassword),
            Kind::Jwks => self.get(path, Access::Anybody, Jwks),
            Kind::ResourceMetadata(metadata) => self.get(path, Access::Anybody, metadata),
            Kind::Users(endpoint) => self.add_users(path, &endpoint),
            Kind::ApiKeys(endpoint) => self.add_api_keys(path, &endpoint, &Access::Caller),
            Kind::PrivateTokens => self.add_private_tokens(path, grant, &Access::Caller),
            Kind::Page(_) => {}
        }
    }

    fn add_users(&mut self, path: &str, endpoint: &UsersEndpoint) {
        let shape = || Arc::clone(&endpoint.shape);
        let (anyone, one) = (
            || Access::Caller(Requirement::anyone()),
            format!("{path}{{user_id}}/"),
        );
        self.post(path, Access::Anybody, users::Register(shape()));
        self.get(path, anyone(), users::Current(shape()));
        self.get(&one, anyone(), users::Find(shape()));
        self.patch(&one, anyone(), users::Update(shape()));
    }

    fn add_page(&mut self, path: &str, plan: Plan, grant: Option<&GrantOf>) {
        for (name, file) in File::ALL {
            self.get(&format!("{path}{name}"), Access::File, file);
        }
        let at = |name: &str| format!("{path}{name}");
        self.get(&at("config.json"), Access::File, Config(plan.config));
        let Some(cookies) = plan.cookies else {
            return self.get(&at("owner/"), Access::Caller(signed_in()), plan.owner);
        };
        let shared = || Arc::clone(&cookies);
        let access = |requirement| Access::Cookies(shared(), requirement);
        self.get(&at("owner/"), access(signed_in()), plan.owner);
        self.post(
            &at("session/"),
            Access::Page,
            page::SignIn(plan.sign_in.granting(grant), shared()),
        );
        let (refresh, end) = (at("session/refresh/"), at("session/end/"));
        self.route(
            &refresh,
            Method::POST,
            Access::Page,
            TakesBody::No,
            page::Refresh(shared()),
        );
        self.route(
            &end,
            Method::POST,
            access(signed_in()),
            TakesBody::No,
            page::SignOut(shared()),
        );
        match plan.keys {
            Keys::ApiKeys(endpoint) => self.add_api_keys(&at("keys/"), &endpoint, &access),
            Keys::PrivateTokens { .. } => self.add_private_tokens(&at("keys/"), grant, &access),
        }
    }

    fn add_private_tokens(
        &mut self,
        path: &str,
        grant: Option<&GrantOf>,
        access: &dyn Fn(Requirement) -> Access,
    ) {
        let (access, one) = (|| access(signed_in()), format!("{path}{{token_id}}/"));
        self.post(path, access(), private_tokens::Create(grant.cloned()));
        self.get(path, access(), private_tokens::List);
        self.post(
            &format!("{one}rotate/"),
            access(),
            private_tokens::Rotate(grant.cloned()),
        );
        self.delete(&one, access(), private_tokens::Revoke);
    }

    fn add_api_keys(
        &mut self,
        path: &str,
        endpoint: &KeysEndpoint,
        access: &dyn Fn(Requirement) -> Access,
    ) {
        let shape = || Arc::clone(&endpoint.shape);
        let access = || {
            access(
                endpoint
                    .shape
                    .requirement
                    .clone()
                    .unwrap_or_else(Requirement::anyone),
            )
        };
        let one = format!("{path}{{key_id}}/");
        self.post(path, access(), api_keys::Create(shape()));
        self.get(path, access(), api_keys::List(shape()));
        self.get(&one, access(), api_keys::Find(shape()));
        self.patch(&one, access(), api_keys::Rename(shape()));
        self.delete(&one, access(), api_keys::Revoke(shape()));
        self.post(
            &format!("{one}rotate/"),
            access(),
            api_keys::Rotate(shape()),
        );
    }

    fn post(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::POST, access, TakesBody::Yes, handler);
    }

    fn get(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::GET, access, TakesBody::No, handler);
    }

    fn patch(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::PATCH, access, TakesBody::Yes, handler);
    }

    fn delete(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::DELETE, access, TakesBody::No, handler);
    }

    fn route(
        &mut self,
        path: &str,
        method: Method,
        access: Access,
        body: TakesBody,
        handler: impl Handler + 'static,
    ) {
        let Some(path) = Path::parse(path) else {
            return self.problems.push(ConfigProblem::Path(path.to_owned()));
        };
        if self
            .routes
            .iter()
            .any(|other| other.method == method && other.path.is_like(&path))
        {
            return self
                .problems
                .push(ConfigProblem::TwoEndpoints(path.as_str().to_owned()));
        }
        self.routes.push(Route {
            path,
            method,
            access,
            body,
            handler: Box::new(handler),
        });
    }
}

/// Who presents an access token of ours: neither a private token nor an API key, nor another issuer's token.
fn signed_in() -> Requirement {
    Requirement::check("an access token of ours", |caller| {
        caller.session().is_some()
    })
}

/// What a page finds beside it.
fn others<'a>(auth: &AuthLayer, parts: &'a [Part]) -> Others<'a> {
    let mut others = Others {
        sign_in: None,
        refresh: None,
        sign_out: None,
        keys: Vec::new(),
    };
    let longest = auth
        .tokens()
        .map_or(0, |tokens| tokens.longest_private().as_secs());
    for Part { path, kind } in parts {
        match kind {
            Kind::SignIn(endpoint) => others.sign_in = Some((path, endpoint)),
            Kind::Refresh => others.refresh = Some(path),
            Kind::SignOut => others.sign_out = Some(path),
            Kind::ApiKeys(endpoint) => others.keys.push((path, Keys::ApiKeys(endpoint.clone()))),
            Kind::PrivateTokens => others.keys.push((path, Keys::PrivateTokens { longest })),
            _ => {}
        }
    }
    others
}

impl fmt::Debug for EndpointsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<&str> = self.parts.iter().map(|part| part.path.as_str()).collect();
        f.debug_struct("EndpointsBuilder")
            .field("paths", &paths)
            .finish_non_exhaustive()
    }
}
