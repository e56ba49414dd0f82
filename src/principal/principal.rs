#[cfg(feature = "jwt")]
use super::TokenUse;
use super::{Role, Roles, Scope, Scopes, Subject};
#[cfg(feature = "jwt")]
use crate::key_set::Confirmation;
use crate::rate::Rate;
use crate::reject::{Presented, Rejection, RejectionKind};
use crate::store::{KeyRecord, TakenRights, UserRecord, Warrant};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The verified caller of a request: a cheap handle, to be cloned freely.
///
/// In an axum handler it is an extractor (feature `axum`); everywhere else
/// [`Principal::from_extensions`] reads it from the request:
///
/// ```
/// use http::{Request, Response};
/// use std::convert::Infallible;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_auth::test_util::SignedIn;
/// use tower_auth::{Principal, RejectionKind, Subject};
///
/// async fn handler(request: Request<()>) -> Result<Response<String>, Infallible> {
///     Ok(match Principal::from_extensions(request.extensions()) {
///         Ok(caller) => Response::new(format!("hello {}", caller.subject())),
///         Err(refusal) => Response::new(refusal.to_string()),
///     })
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Infallible> {
/// // In a test; in a service an `AuthLayer` puts the caller there.
/// let anna = SignedIn::new(Principal::builder(Subject::user("anna")).build());
/// let greeted = anna.layer(service_fn(handler)).oneshot(Request::new(())).await?;
/// assert_eq!(greeted.body(), "hello anna");
///
/// // No layer at all is a mistake of the program, never an open door.
/// let request = Request::new(());
/// let refusal = Principal::from_extensions(request.extensions()).unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::MissingLayer);
/// assert!(handler(request).await?.body().contains("AuthLayer"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Principal {
    identity: Identity,
    /// The application's own user, as its function loaded it.
    user: Option<Arc<dyn Any + Send + Sync>>,
}

#[derive(Clone)]
enum Identity {
    Key(Arc<KeyRecord>),
    #[cfg_attr(
        not(feature = "jwt"),
        expect(dead_code, reason = "only that feature verifies tokens")
    )]
    Token(Arc<TokenIdentity>),
    User(Arc<UserRecord>),
    Custom(Arc<Custom>),
}

/// How a principal was verified: by which kind of credential. Printed in words.
///
/// ```
/// use std::sync::Arc;
/// use std::time::UNIX_EPOCH;
/// use tower_auth::store::{KeyDigest, KeyRecord};
/// use tower_auth::{Method, Principal, RejectionKind, Requirement, Subject};
///
/// let (owner, digest) = (Subject::user("7"), KeyDigest::new("sha256", [7; 32]));
/// let record = KeyRecord::new("1", owner, "ci", "egret_7Zk…", digest, UNIX_EPOCH);
/// let caller = Principal::from(Arc::new(record));
/// assert_eq!(caller.method(), Method::ApiKey);
///
/// // A route for programs, and one for people.
/// assert!(caller.require(&Requirement::method(Method::ApiKey)).is_ok());
/// let refusal = caller.require(&Requirement::method(Method::ApiKey).negate()).unwrap_err();
/// assert_eq!(refusal.kind(), RejectionKind::PermissionDenied);
///
/// let words = [Method::Jwt, Method::PrivateToken, Method::ApiKey, Method::Basic, Method::Other];
/// let words = words.map(|method| method.to_string());
/// assert_eq!(words, ["JWT", "private token", "API key", "Basic", "other"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// A JWT (RFC 7519) that is no private token.
    Jwt,
    /// A private token: a long-lived JWT that we issued, which its owner named.
    PrivateToken,
    /// An API key, however it was presented.
    ApiKey,
    /// Basic (RFC 7617).
    Basic,
    /// A scheme of the application's own.
    Other,
}

/// In words: `JWT`, `private token`, `API key`, `Basic`, `other`.
impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jwt => "JWT",
            Self::PrivateToken => "private token",
            Self::ApiKey => "API key",
            Self::Basic => "Basic",
            Self::Other => "other",
        })
    }
}

/// What is kept of a verified token.
#[derive(Clone)]
pub(crate) struct TokenIdentity {
    pub(crate) subject: Subject,
    /// Kept as long as the process, so that no request counts a reference that all requests share.
    pub(crate) issuer: &'static str,
    pub(crate) scopes: Scopes,
    pub(crate) roles: Roles,
    /// What a token of ours is for; `None` is another issuer's.
    #[cfg(feature = "jwt")]
    pub(crate) issued: Option<TokenUse>,
    /// The claims as the issuer wrote them: JSON text, signature verified, an object without
    /// repeated names.
    pub(crate) claims: String,
    /// Whom it is bound to.
    #[cfg(feature = "jwt")]
    pub(crate) confirmation: Option<Box<Confirmation>>,
}

impl TokenIdentity {
    /// How many bytes it points to, with what an allocator adds to each piece.
    #[cfg(feature = "jwt")]
    pub(crate) fn bytes(&self) -> usize {
        let roles = self.roles.iter();
        let roles: usize = roles.map(|name| size_of::<Role>() + name.len() + 16).sum();
        let texts = [
            self.subject.id().len(),
            self.subject.kind().len(),
            self.scopes.as_str().len(),
            self.claims.capacity(),
        ];
        let texts = texts.iter().map(|bytes| bytes + 16).sum::<usize>();
        let confirmation = match &self.confirmation {
            Some(confirmation) => confirmation.bytes(),
            None => 0,
        };
        texts + roles + confirmation
    }

    #[cfg(feature = "jwt")]
    fn is_private(&self) -> bool {
        self.issued == Some(TokenUse::Private)
    }

    #[cfg(not(feature = "jwt"))]
    fn is_private(&self) -> bool {
        false
    }
}

/// What every token says of itself in the same form (RFC 7519 §4.1).
#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key")),
    allow(dead_code, reason = "what asks for changes comes with its feature")
)]
#[derive(Default, Deserialize)]
struct Stamp {
    jti: Option<String>,
    exp: Option<f64>,
}

/// What a token of ours says besides. Read by itself: another issuer may have anything under this
/// name, and its expiry must not be lost by that.
#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key")),
    allow(dead_code, reason = "what asks for changes comes with its feature")
)]
#[derive(Default, Deserialize)]
struct Family {
    sid: Option<String>,
}

#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key")),
    allow(dead_code, reason = "what asks for changes comes with its feature")
)]
impl Stamp {
    fn expires(&self) -> Option<SystemTime> {
        let since = Duration::try_from_secs_f64(self.exp?).ok()?;
        UNIX_EPOCH.checked_add(since)
    }
}

struct Custom {
    subject: Subject,
    scopes: Scopes,
    roles: Roles,
    user: Option<Arc<dyn Any + Send + Sync>>,
}

impl Principal {
    /// A principal for a [`Scheme`](crate::scheme::Scheme) of the application's own, or for a test
    /// of a handler.
    pub fn builder(subject: Subject) -> PrincipalBuilder {
        PrincipalBuilder(Custom {
            subject,
            scopes: Scopes::default(),
            roles: Roles::default(),
            user: None,
        })
    }

    fn of(identity: Identity) -> Self {
        Self {
            identity,
            user: None,
        }
    }

    /// Puts the application's own user in.
    pub(super) fn set_user(&mut self, user: Arc<dyn Any + Send + Sync>) {
        self.user = Some(user);
    }

    /// Takes out the rights that its user has lost since the credential was made. A user's own
    /// record says itself what is left.
    #[cold]
    pub(crate) fn lose(&mut self, taken: &TakenRights) {
        let scopes = taken.without_scopes(self.scopes());
        let roles = taken.without_roles(self.roles());
        if scopes.is_none() && roles.is_none() {
            return;
        }
        match &mut self.identity {
            Identity::Key(record) => {
                // A copy for this request. What others share goes on saying what was granted, so
                // that a right that is given back is there again.
                let record = Arc::make_mut(record);
                record.scopes = scopes.unwrap_or_else(|| record.scopes.clone());
                record.roles = roles.unwrap_or_else(|| record.roles.clone());
            }
            Identity::Token(token) => {
                let token = Arc::make_mut(token);
                token.scopes = scopes.unwrap_or_else(|| token.scopes.clone());
                token.roles = roles.unwrap_or_else(|| token.roles.clone());
            }
            Identity::User(_) | Identity::Custom(_) => {}
        }
    }

    #[cfg(feature = "jwt")]
    pub(crate) fn from_token(token: Arc<TokenIdentity>) -> Self {
        Self::of(Identity::Token(token))
    }

    /// The stable id of who calls: a token's `sub`, an API key's owner, a user's id.
    ///
    /// A `sub` is unique within its issuer only (RFC 7519 §4.1.2): with several issuers, look at
    /// [`issuer`](Self::issuer) as well.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        match &self.identity {
            Identity::Key(record) => &record.owner,
            Identity::Token(token) => &token.subject,
            Identity::User(user) => &user.id,
            Identity::Custom(custom) => &custom.subject,
        }
    }

    /// How the caller was verified.
    #[must_use]
    pub fn method(&self) -> Method {
        match &self.identity {
            Identity::Key(_) => Method::ApiKey,
            Identity::Token(token) if token.is_private() => Method::PrivateToken,
            Identity::Token(_) => Method::Jwt,
            Identity::User(_) => Method::Basic,
            Identity::Custom(_) => Method::Other,
        }
    }

    /// The issuer of a token; `None` for every other method.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.identity {
            Identity::Token(token) => Some(token.issuer),
            _ => None,
        }
    }

    /// The scopes granted to the credential.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        match &self.identity {
            Identity::Key(record) => &record.scopes,
            Identity::Token(token) => &token.scopes,
            Identity::User(user) => &user.scopes,
            Identity::Custom(custom) => &custom.scopes,
        }
    }

    /// Whether a scope was granted; compared exactly.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().contains(scope)
    }

    /// The roles of the caller.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        match &self.identity {
            Identity::Key(record) => &record.roles,
            Identity::Token(token) => &token.roles,
            Identity::User(user) => &user.roles,
            Identity::Custom(custom) => &custom.roles,
        }
    }

    /// Whether the caller has a role; compared exactly.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().contains(role)
    }

    /// The record of the API key that was presented; `None` for every other method.
    #[must_use]
    pub fn key(&self) -> Option<&KeyRecord> {
        match &self.identity {
            Identity::Key(record) => Some(record),
            _ => None,
        }
    }

    /// The token's claims, read into a type of the application's own. They are parsed at each call.
    ///
    /// A handler that answers a [`Rejection`] hands the error on by `?`: 401 where the claims have
    /// another form, as [`Jwt::read_claims`](crate::Jwt::read_claims) answers it for all routes at
    /// once, 403 where the caller presented no token.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use tower_auth::{Principal, Rejection, Subject};
    ///
    /// #[derive(Deserialize)]
    /// struct Member {
    ///     company_id: u64,
    /// }
    ///
    /// async fn company(caller: Principal) -> Result<String, Rejection> {
    ///     let member: Member = caller.claims()?;
    ///     Ok(member.company_id.to_string())
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// // Neither an API key nor Basic has claims, nor has this caller.
    /// let no_token = Principal::builder(Subject::user("7")).build();
    /// assert_eq!(company(no_token).await.unwrap_err().status(), 403);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The caller did not present a token, or its claims do not have the form of `T`, or `T`
    /// panicked.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, ClaimsError> {
        let Identity::Token(token) = &self.identity else {
            return Err(ClaimsError::NotAToken);
        };
        // The claims are the issuer's choice, and the application's type may panic at them. That
        // must not take down the other requests of the connection.
        match catch_unwind(|| serde_json::from_str(&token.claims)) {
            Ok(claims) => claims.map_err(|_| ClaimsError::Form),
            Err(_) => Err(ClaimsError::Panicked),
        }
    }

    /// When what was presented expires, for a page that tells it, or a connection that ends with it
    /// (a WebSocket, a stream). `None` where it does not, with Basic, and with a scheme of the
    /// application's own. A token's is read from its claims at each call, without leeway.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use tower_auth::store::{KeyDigest, KeyRecord};
    /// use tower_auth::{Principal, Subject};
    ///
    /// let (owner, digest) = (Subject::user("7"), KeyDigest::new("sha256", [7; 32]));
    /// let record = KeyRecord::new("1", owner, "ci", "egret_7Zk…", digest, UNIX_EPOCH);
    /// let end = UNIX_EPOCH + Duration::from_secs(60);
    ///
    /// let lasting = Principal::from(Arc::new(record.clone()));
    /// assert_eq!(lasting.expires(), None);
    /// let ending = Principal::from(Arc::new(record.expires(end)));
    /// assert_eq!(ending.expires(), Some(end));
    /// ```
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        match &self.identity {
            Identity::Key(record) => record.expires,
            Identity::Token(_) => self.stamp().expires(),
            Identity::User(_) | Identity::Custom(_) => None,
        }
    }

    /// The id of the family (`sid`) of an access token that we issued: what a sign-out ends.
    #[cfg(feature = "jwt")]
    #[must_use]
    pub fn session(&self) -> Option<String> {
        match &self.identity {
            Identity::Token(token) if token.issued.is_some() => self.family(),
            _ => None,
        }
    }

    /// Whether a person signed in: neither an API key nor a private token, which programs have.
    #[cfg(feature = "endpoints")]
    pub(crate) fn is_a_session(&self) -> bool {
        !matches!(self.method(), Method::ApiKey | Method::PrivateToken)
    }

    /// Whether it presented a token that somebody else issued: its subject is none of ours,
    /// whatever it is called (RFC 7519 §4.1.2).
    #[cfg(feature = "endpoints")]
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(&self.identity, Identity::Token(token) if token.issued.is_none())
    }

    /// Whether it is a user of ours whose account may have been disabled since: whoever holds a
    /// key, or a token that we issued.
    pub(crate) fn account(&self) -> Option<&Subject> {
        let ours = match &self.identity {
            Identity::Key(_) => true,
            #[cfg(feature = "jwt")]
            Identity::Token(token) => token.issued.is_some(),
            _ => false,
        };
        // Things of other kinds, a tenant for example, have no account that could be disabled.
        Some(self.subject()).filter(|subject| ours && subject.kind() == "user")
    }

    /// The issuer of a token that others issued. Subjects of our own tokens are those of our keys
    /// and users.
    pub(crate) fn other_issuer(&self) -> Option<&str> {
        match &self.identity {
            #[cfg(feature = "jwt")]
            Identity::Token(token) if token.issued.is_some() => None,
            _ => self.issuer(),
        }
    }

    /// The rate in the record of the key or the user.
    pub(crate) fn own_rate(&self) -> Option<Rate> {
        match &self.identity {
            Identity::Key(record) => record.rate,
            Identity::User(user) => user.rate,
            _ => None,
        }
    }

    /// The application's own user, where one of that type was loaded
    /// ([`AuthLayerBuilder::load_user`](crate::layer::AuthLayerBuilder::load_user)), or came with
    /// the credential's record or scheme.
    #[must_use]
    pub fn user<T: Any + Send + Sync>(&self) -> Option<&T> {
        // What `load_user` gave comes first: it is asked for every method, and would else be hidden
        // by what a record has in memory.
        if let Some(user) = &self.user {
            return user.downcast_ref();
        }
        match &self.identity {
            Identity::User(user) => user.app(),
            Identity::Custom(custom) => custom.user.as_ref()?.downcast_ref(),
            Identity::Key(_) | Identity::Token(_) => None,
        }
    }
}

#[cfg_attr(
    not(all(feature = "jwt", feature = "api-key")),
    allow(dead_code, reason = "what asks for changes comes with its feature")
)]
impl Principal {
    /// What the token says of itself; nothing where none was presented.
    fn stamp(&self) -> Stamp {
        self.claims().unwrap_or_default()
    }

    /// The id of the family that a token of ours names.
    fn family(&self) -> Option<String> {
        let Family { sid } = self.claims().unwrap_or_default();
        sid
    }

    /// The id of the credential, where it has one: that of an API key, or `jti` of a token.
    pub(crate) fn credential_id(&self) -> Option<Cow<'_, str>> {
        match &self.identity {
            Identity::Key(record) => Some(Cow::Borrowed(&record.id)),
            Identity::Token(_) => self.stamp().jti.map(Cow::Owned),
            Identity::User(_) | Identity::Custom(_) => None,
        }
    }

    /// By what a store judges whether the credential is still good.
    pub(crate) fn warrant(&self, now: SystemTime) -> Warrant {
        let mut warrant = Warrant::new(now);
        warrant.account = self.account().cloned();
        match &self.identity {
            Identity::Key(record) => warrant.key = Some(Arc::clone(record)),
            Identity::Token(_) => {
                let stamp = self.stamp();
                warrant.expires = stamp.expires();
                // The ids of another issuer say nothing here: a token or a family of ours that has
                // the same one must not decide.
                if self.other_issuer().is_none() {
                    warrant.token = stamp.jti.map(String::into_boxed_str);
                    warrant.family = self.family().map(String::into_boxed_str);
                }
            }
            // Basic has no credential of its own that could be revoked: its account is what can be.
            Identity::User(user) => warrant.account = Some(user.id.clone()),
            Identity::Custom(_) => {}
        }
        warrant
    }

    /// Until when that may live which this caller makes, where it may not live for ever: a key or
    /// a private token makes none that outlives it. Whoever signed in is a person, whose keys
    /// outlive the session.
    pub(crate) fn end_of_what_it_makes(&self) -> Option<SystemTime> {
        match self.method() {
            Method::ApiKey | Method::PrivateToken => self.expires(),
            Method::Jwt | Method::Basic | Method::Other => None,
        }
    }
}

/// Whoever presented this API key: for schemes that verify one in a way of their own.
impl From<Arc<KeyRecord>> for Principal {
    fn from(record: Arc<KeyRecord>) -> Self {
        Self::of(Identity::Key(record))
    }
}

/// This user: for schemes that verify one in a way of their own.
impl From<Arc<UserRecord>> for Principal {
    fn from(user: Arc<UserRecord>) -> Self {
        Self::of(Identity::User(user))
    }
}

/// Shows who and how, never claims, names of keys or the application's user.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("subject", self.subject())
            .field("method", &self.method())
            .field("scopes", self.scopes())
            .field("roles", self.roles())
            .finish_non_exhaustive()
    }
}

/// Why the claims of a caller could not be read by [`Principal::claims`]. The text never quotes
/// them.
///
/// ```
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, ClaimsError, Grant, Principal, Realm, Subject, Tokens, random_secret};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Member {
///     company_id: u64,
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// # let tokens = Realm::new(Memory::new())
/// #     .tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// # let auth = AuthLayer::builder().accept(&tokens).build()?;
/// # let caller = async |grant: Grant| {
/// #     let pair = tokens.issue(grant).await.unwrap();
/// #     let bearer = format!("Bearer {}", pair.access().expose());
/// #     let request = http::Request::get("/").header("authorization", bearer).body(()).unwrap();
/// #     auth.explain(&request.into_parts().0).await.caller().cloned().unwrap()
/// # };
/// // `caller` is the caller of a request with a token that says this.
/// let grant = Grant::new(Subject::user("7"));
/// let member = caller(grant.clone().claim("company_id", &42)?).await;
/// assert_eq!(member.claims::<Member>()?.company_id, 42);
///
/// let stranger = caller(grant).await;
/// assert_eq!(stranger.claims::<Member>().unwrap_err(), ClaimsError::Form);
/// let no_token = Principal::builder(Subject::user("7")).build();
/// assert_eq!(no_token.claims::<Member>().unwrap_err(), ClaimsError::NotAToken);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsError {
    /// The caller presented something other than a token.
    #[error("the caller was not verified by a token, so there are no claims")]
    NotAToken,
    /// The claims do not have the form of the type that was asked for.
    #[error("the token's claims do not have the expected form")]
    Form,
    /// The type that was asked for panicked when it was read.
    #[error("the type of the claims panicked")]
    Panicked,
}

/// What a handler answers that hands the error on: the caller is known, and what it presented does
/// not do here.
///
/// | error | kind | status | `reason` in the log |
/// |---|---|---|---|
/// | [`ClaimsError::Form`] | [`RejectionKind::InvalidToken`] | 401 | `claims` |
/// | [`ClaimsError::NotAToken`] | [`RejectionKind::PermissionDenied`] | 403 | `no token` |
/// | [`ClaimsError::Panicked`] | [`RejectionKind::Failed`] | 500 | `claims panicked` |
impl From<ClaimsError> for Rejection {
    fn from(error: ClaimsError) -> Self {
        match error {
            // As where a token is verified: another token of the same issuer may have them. That
            // it came as a Bearer token is not known here, but is how most of them come.
            ClaimsError::Form => {
                Self::new(RejectionKind::InvalidToken, "claims").presented(Presented::Bearer)
            }
            // Neither a new key nor another password would have claims.
            ClaimsError::NotAToken => Self::permission_denied("no token"),
            ClaimsError::Panicked => Self::new(RejectionKind::Failed, "claims panicked"),
        }
    }
}

/// Builds a [`Principal`] of method [`Method::Other`].
#[must_use]
pub struct PrincipalBuilder(Custom);

impl PrincipalBuilder {
    /// Grants a scope.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.0.scopes.insert(&scope.into());
        self
    }

    /// Gives a role.
    pub fn role(mut self, role: impl Into<Role>) -> Self {
        self.0.roles.insert(role.into());
        self
    }

    /// Attaches the application's own user, for [`Principal::user`].
    pub fn user<T: Any + Send + Sync>(mut self, user: T) -> Self {
        self.0.user = Some(Arc::new(user));
        self
    }

    /// The principal.
    #[must_use]
    pub fn build(self) -> Principal {
        Principal::of(Identity::Custom(Arc::new(self.0)))
    }
}

impl fmt::Debug for PrincipalBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalBuilder")
            .field("subject", &self.0.subject)
            .finish_non_exhaustive()
    }
}
