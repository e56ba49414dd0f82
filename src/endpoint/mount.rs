use super::body_form::BodyForm;
use super::call::Call;
use super::input::Input;
use super::path::Path;
use super::route::{Access, Handler, Route};
use crate::authorize::Requirement;
use crate::config::ConfigProblem;
use crate::issue::{KeyIssuer, TokenIssuer, TokenPair};
use crate::principal::Principal;
use crate::rate::Rate;
use crate::realm::Realm;
use crate::reject::Rejection;
use crate::store::UserRecord;
use async_trait::async_trait;
use http::Method;
use std::fmt;
use std::sync::Arc;

/// What can be mounted at a path: see
/// [`EndpointsBuilder::mount`](super::EndpointsBuilder::mount).
#[must_use]
pub struct Endpoint(Mount);

type Mount = Box<dyn FnOnce(&str, &mut Mounting) + Send>;

impl Endpoint {
    pub(super) fn new(mount: impl FnOnce(&str, &mut Mounting) + Send + 'static) -> Self {
        Self(Box::new(mount))
    }

    pub(super) fn mount(self, path: &str, mounting: &mut Mounting) {
        (self.0)(path, mounting);
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

/// What is mounted so far.
#[derive(Default)]
pub(super) struct Mounting {
    pub(super) routes: Vec<Route>,
    pub(super) problems: Vec<ConfigProblem>,
    /// Whose services the endpoints use.
    pub(super) realms: Vec<Realm>,
    pub(super) landmarks: Landmarks,
    /// Pages are laid out last, for they use the endpoints beside them.
    pub(super) pages: Vec<Endpoint>,
}

/// What a page looks for among the other endpoints.
#[derive(Default)]
pub(super) struct Landmarks {
    pub(super) sign_in: Option<SignInLandmark>,
    pub(super) refresh: Option<String>,
    pub(super) sign_out: Option<String>,
    pub(super) keys: Vec<KeysLandmark>,
}

/// An endpoint by which people sign in.
#[derive(Clone)]
pub(super) struct SignInLandmark {
    pub(super) path: String,
    pub(super) name_field: String,
    pub(super) password_field: String,
    pub(super) tokens: TokenIssuer,
    pub(super) by: Arc<dyn SignsIn>,
}

/// Signs somebody in by a body.
#[async_trait]
pub(super) trait SignsIn: Send + Sync {
    async fn sign_in(
        &self,
        call: &Call,
        input: &mut Input,
    ) -> Result<(Arc<UserRecord>, TokenPair), Rejection>;
}

/// An endpoint by which people manage their keys.
#[derive(Clone)]
pub(super) struct KeysLandmark {
    pub(super) path: String,
    /// What the field of a new secret is called.
    pub(super) secret_field: String,
    /// The longest lifetime, in seconds, where keys must expire.
    pub(super) longest: Option<u64>,
    pub(super) scopes: KeyScopes,
    /// Those of which whoever makes a key may choose one.
    pub(super) rates: Vec<Rate>,
    pub(super) remount: Arc<Remount>,
}

/// Who decides which scopes a new key has, and so whether a page can offer some.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyScopes {
    /// Nobody: a private token has all scopes of its user.
    OfUser,
    /// Whoever makes the key, among their own scopes.
    ByCaller,
    /// The application, by a function of its own.
    ByApplication,
}

/// Mounts the endpoint once more, at another path and for callers of another kind.
type Remount = dyn Fn(&str, &dyn Fn(Requirement) -> Access, &mut Mounting) + Send + Sync;

impl Mounting {
    pub(super) fn post(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::POST, access, Some(BodyForm::Json), handler);
    }

    /// A `POST` of a form.
    pub(super) fn post_form(
        &mut self,
        path: &str,
        access: Access,
        handler: impl Handler + 'static,
    ) {
        self.route(
            path,
            Method::POST,
            access,
            Some(BodyForm::Parameters),
            handler,
        );
    }

    /// A `POST` of JSON that is signed.
    pub(super) fn post_signed(
        &mut self,
        path: &str,
        access: Access,
        handler: impl Handler + 'static,
    ) {
        self.route(path, Method::POST, access, Some(BodyForm::Signed), handler);
    }

    /// A `POST` without a body.
    pub(super) fn act(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::POST, access, None, handler);
    }

    pub(super) fn get(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::GET, access, None, handler);
    }

    pub(super) fn patch(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::PATCH, access, Some(BodyForm::Json), handler);
    }

    pub(super) fn delete(&mut self, path: &str, access: Access, handler: impl Handler + 'static) {
        self.route(path, Method::DELETE, access, None, handler);
    }

    fn route(
        &mut self,
        path: &str,
        method: Method,
        access: Access,
        body: Option<BodyForm>,
        handler: impl Handler + 'static,
    ) {
        let Some(path) = Path::parse(path) else {
            return self.problems.push(ConfigProblem::Path(path.to_owned()));
        };
        let mut others = self.routes.iter();
        // The first of the two would answer all requests, and nobody would see why the other one is
        // never asked. So it is with different methods where their paths call a parameter by
        // different names, for the path is chosen first; axum's router would panic.
        if others.any(|other| {
            other.path.is_like(&path) && (other.method == method || other.path != path)
        }) {
            let path = path.as_str().to_owned();
            return self.problems.push(ConfigProblem::TwoEndpoints(path));
        }
        self.routes.push(Route {
            path,
            method,
            access,
            body,
            handler: Box::new(handler),
        });
    }

    /// Whether an endpoint can have routes below its path; says so where it cannot.
    pub(super) fn has_room_below(&mut self, path: &str) -> bool {
        let has_room = path.ends_with('/');
        if !has_room {
            // Without a slash `/keys` would have its keys at `/keys{key_id}/`.
            self.problems.push(ConfigProblem::PathEnd(path.to_owned()));
        }
        has_room
    }

    /// An endpoint uses these tokens.
    pub(super) fn uses_tokens(&mut self, tokens: &TokenIssuer) {
        self.problems.extend_from_slice(tokens.problems());
        self.realms.push(tokens.realm().clone());
    }

    /// An endpoint uses private tokens of these.
    pub(super) fn uses_private_tokens(&mut self, tokens: &TokenIssuer) {
        self.uses_tokens(tokens);
        let stores = tokens.realm().stores();
        // Where there is no store of tokens at all, that has been told above.
        if stores.token_store().is_some() && stores.private_token_store().is_none() {
            self.problems.push(ConfigProblem::NoStore("private tokens"));
        }
    }

    /// An endpoint manages these keys.
    pub(super) fn uses_keys(&mut self, keys: &KeyIssuer) {
        self.problems.extend(keys.problems());
        let stores = keys.realm().stores();
        // Where there is no store of keys at all, that has been told above.
        if stores.key_store().is_some() && stores.managed_key_store().is_none() {
            self.problems
                .push(ConfigProblem::NoStore("managed API keys"));
        }
        self.realms.push(keys.realm().clone());
    }

    /// An endpoint looks at the users of a realm by their ids, or changes them.
    pub(super) fn uses_users(&mut self, realm: &Realm) {
        let stores = realm.stores();
        if stores.user_store().is_none() {
            self.problems.push(ConfigProblem::NoStore("users"));
        } else if stores.managed_user_store().is_none() {
            self.problems.push(ConfigProblem::NoStore("managed users"));
        }
        self.realms.push(realm.clone());
    }
}

/// Whoever signed in, by whatever scheme: no API key and no private token, which programs have.
pub(super) fn session() -> Requirement {
    Requirement::check("a session, not a key", Principal::is_a_session)
}

/// Who presents an access token of ours: neither a private token nor an API key, nor another
/// issuer's token.
pub(super) fn signed_in() -> Requirement {
    Requirement::check("an access token of ours", |caller| {
        caller.session().is_some()
    })
}
