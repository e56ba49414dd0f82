#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::{Input, named};
#[cfg(feature = "openapi")]
use super::known_schema::KnownSchema;
use super::member_form::MemberForm;
use super::mount::Endpoint;
use super::query::encoded;
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Show, own, user_map};
#[cfg(feature = "openapi")]
use super::shown_schema::user_object;
use crate::authorize::Requirement;
use crate::login::{LONGEST_NAME, name_form};
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use crate::secret::Secret;
use crate::store::{UserChange, UserRecord};
use crate::users::{NewUser, Users};
use async_trait::async_trait;
use email_address::{EmailAddress, Options};
#[cfg(feature = "openapi")]
use http::header::LINK;
#[cfg(feature = "openapi")]
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

/// How many users a list has at most.
const PAGE: usize = 100;
/// The kind of most subjects.
const USER: &str = "user";

/// The endpoint at which users register, and read and change themselves, each for itself.
///
/// ```text
/// POST  PATH        {email, password, …}   201, registers; anybody may
/// GET   PATH?after=ID&after_kind=KIND      200, the caller, or for an administrator all users,
///                                          100 at a time
/// GET   PATH{id}/                          200, oneself, or for an administrator anybody; else 404
/// PATCH PATH{id}/   {first_name, …}        200, the same
/// ```
///
/// Whoever registers has no scopes and no roles. Where they are to have some, let a route of your
/// own register them. No field here disables somebody: an administrator does so by a route of your
/// own as well. The page [`issuing`](crate::guide::issuing) has both.
///
/// Where more users follow, the answer says so: `Link: <PATH?after=ID>; rel="next"` (RFC 8288 §3).
/// They are in the order of their kinds and ids; `after_kind` is there where the last one is of
/// another kind than `user`.
///
/// Only the fields that are named here are ever written: no caller makes itself an administrator.
/// A name, which is what somebody signs in by, is changed by whoever signed in, not by an API key
/// or a private token: 403. Passwords are in no answer. A token of another issuer is 403: its
/// subject is none of these users, though it may be called like one.
///
/// ```
/// use http::Method;
/// use serde_json::json;
/// use tower_auth::endpoint::UsersEndpoint;
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, Grant, PasswordPolicy, Realm, Subject, Tokens, random_secret};
/// # use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let users = realm.users(PasswordPolicy::new());
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoint = UsersEndpoint::of(&users).profile_field("first_name").administrator("admin");
/// let endpoints = auth.endpoints().mount("/users/", endpoint).build()?;
/// # let send = async |method: Method, path: &str, token: &str, body: serde_json::Value| {
/// #     let request = http::Request::builder()
/// #         .method(method)
/// #         .uri(path)
/// #         .header("authorization", format!("Bearer {token}"))
/// #         .header("content-type", "application/json")
/// #         .body(Full::new(bytes::Bytes::from(body.to_string())))
/// #         .unwrap();
/// #     let answer = tower::ServiceExt::oneshot(endpoints.clone(), request).await.unwrap();
/// #     let status = answer.status().as_u16();
/// #     let body = answer.into_body().collect().await.unwrap().to_bytes();
/// #     (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
/// # };
///
/// // `send` sends this body with this Bearer token.
/// let password = "correct-horse-battery";
/// let anna = json!({"email": "anna@example.com", "password": password, "role": "admin"});
/// let (status, made) = send(Method::POST, "/users/", "", anna).await;
/// assert_eq!(status, 201);
/// let anna = Subject::user(made["id"].as_str().unwrap());
/// assert!(!users.find(&anna).await?.roles.contains("admin")); // no field of this endpoint
///
/// let hers = format!("/users/{}/", anna.id());
/// let token = tokens.issue(Grant::new(anna)).await?;
/// let change = json!({"first_name": "Anna"});
/// assert_eq!(send(Method::PATCH, &hers, token.access().expose(), change.clone()).await.0, 200);
/// let ben = tokens.issue(Grant::new(Subject::user("8"))).await?;
/// assert_eq!(send(Method::PATCH, &hers, ben.access().expose(), change).await.0, 404);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct UsersEndpoint {
    shape: Arc<Shape>,
}

#[derive(Clone)]
struct Shape {
    users: Users,
    name_field: String,
    /// Names are email addresses.
    by_email: bool,
    profile_fields: Vec<String>,
    administrator: Option<String>,
    show: Option<Show<UserRecord>>,
}

impl UsersEndpoint {
    /// Users who sign in by `email`, an address (RFC 5321 §4.1.2) of a domain with a dot; without a
    /// profile and without administrators.
    pub fn of(users: &Users) -> Self {
        let shape = Shape {
            users: users.clone(),
            name_field: "email".into(),
            by_email: true,
            profile_fields: Vec::new(),
            administrator: None,
            show: None,
        };
        Self {
            shape: Arc::new(shape),
        }
    }

    /// Users who sign in by a name of any form, in a field of this name.
    pub fn name_field(mut self, name: impl Into<String>) -> Self {
        let shape = Arc::make_mut(&mut self.shape);
        (shape.name_field, shape.by_email) = (name.into(), false);
        self
    }

    /// A text of the profile that users write themselves. None is called `id`, `password` or like
    /// the name.
    pub fn profile_field(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.shape)
            .profile_fields
            .push(name.into());
        self
    }

    /// The role of those who see and change all users.
    pub fn administrator(mut self, role: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.shape).administrator = Some(role.into());
        self
    }

    /// What an answer shows of a user; by default the id, the name and the profile.
    pub fn show(
        mut self,
        show: impl Fn(&UserRecord, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).show = Some(Show::new(show));
        self
    }

    /// The same by a type, whose schema a document shows. Of one that is serialized as no object
    /// nothing is shown.
    #[cfg(feature = "openapi")]
    pub fn show_as<T: Serialize + ToSchema>(
        mut self,
        show: impl Fn(&UserRecord, &Call) -> T + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).show = Some(Show::typed(show));
        self
    }
}

impl Shape {
    fn shown(&self, user: &UserRecord, call: &Call) -> Map<String, Value> {
        match &self.show {
            Some(show) => show.map(user, call),
            None => user_map(user, &self.name_field),
        }
    }

    fn check_name(&self, name: &str, input: &mut Input) {
        let options = Options::default()
            .with_required_tld()
            .without_display_text()
            .without_domain_literal();
        // An empty name has been refused already, and a long one will be.
        if !self.by_email || name.is_empty() || name.len() > LONGEST_NAME {
            return;
        }
        // It is the form that is kept, and that mail is sent to: a letter of another width may be
        // an `@` there.
        let form = name_form(name);
        if EmailAddress::parse_with_options(&form, options).is_err() {
            input.problem::<()>(&self.name_field, "invalid", "Not an email address.");
        }
    }

    fn named(&self, rejection: Rejection) -> Rejection {
        named(rejection, &[("name", &self.name_field)])
    }

    fn is_administrator(&self, call: &Call) -> bool {
        match (&self.administrator, call.caller()) {
            (Some(role), Some(caller)) => caller.has_role(role),
            _ => false,
        }
    }

    /// Of the profile what the body names.
    fn profile(&self, input: &mut Input) -> Map<String, Value> {
        let mut profile = Map::new();
        for field in &self.profile_fields {
            if let Some(text) = input.optional_text(field) {
                profile.insert(field.clone(), text.into());
            }
        }
        profile
    }

    /// What whoever registers says of themselves.
    fn read_new(&self, input: &mut Input) -> (String, Secret<String>, Map<String, Value>) {
        let name = input.text_as(self.name_form(), &self.name_field);
        self.check_name(&name, input);
        let least = self.users.least_password();
        let password = input.password_as(MemberForm::NewPassword { least }, "password");
        (name, password, self.profile(input))
    }

    /// What of a user is to be another.
    fn read_change(&self, input: &mut Input) -> Wanted {
        let name = input.optional_text_as(self.name_form(), &self.name_field);
        if let Some(name) = &name {
            self.check_name(name, input);
        }
        let profile = self.profile(input);
        Wanted { name, profile }
    }

    fn name_form(&self) -> MemberForm {
        if self.by_email {
            MemberForm::Email
        } else {
            MemberForm::LoginName
        }
    }

    /// What answers show, and what is known of it: of the application's own making nothing.
    #[cfg(feature = "openapi")]
    fn object(&self) -> KnownSchema {
        match &self.show {
            Some(show) => show.known.clone(),
            None => KnownSchema::new(user_object(&self.name_field, &self.profile_fields)),
        }
    }

    /// All users, a page of them at a time: those after the one that `after` and `after_kind` name.
    /// Where more follow, the field `Link` says where (RFC 8288 §3, `rel="next"`).
    async fn page(&self, call: &Call) -> Result<Reply, Rejection> {
        let kind = call.query("after_kind").unwrap_or_else(|| USER.to_owned());
        let after = call.query("after").map(|id| Subject::new(kind, id));
        // One more than is shown tells whether there is a next page.
        let users = self.users.list(after.as_ref(), PAGE + 1).await?;
        let page = &users[..users.len().min(PAGE)];
        let shown = page
            .iter()
            .map(|user| Value::Object(self.shown(user, call)));
        let reply = Reply::json(http::StatusCode::OK, &Value::Array(shown.collect()));
        match page.last() {
            Some(last) if users.len() > PAGE => {
                let path = call.head.uri.path();
                let mut next = format!("{path}?after={}", encoded(last.id.id()));
                // The id alone would name a user, who stands somewhere else in the list.
                if last.id.kind() != USER {
                    next = format!("{next}&after_kind={}", encoded(last.id.kind()));
                }
                reply.next_page(&next)
            }
            _ => Ok(reply),
        }
    }

    /// Whom the path means, if it is for this caller.
    fn target(&self, call: &Call) -> Result<Subject, Rejection> {
        let id = Subject::user(call.parameter("user_id").unwrap_or_default());
        let caller = own(call)?;
        if *caller.subject() == id || self.is_administrator(call) {
            return Ok(id);
        }
        // As for an id that nobody has, so that nobody learns which users there are.
        Err(Rejection::new(RejectionKind::NotFound, "another user"))
    }
}

/// What a body wants of a user to be another.
struct Wanted {
    name: Option<String>,
    profile: Map<String, Value>,
}

impl Wanted {
    /// The change of this record. What is not named stays as it is there.
    fn of(&self, before: &UserRecord) -> UserChange {
        let mut change = UserChange::default();
        // Only the first name is shown here, so only that one is replaced.
        if let Some(name) = &self.name {
            let others = before.names.iter().skip(1).map(|name| name.to_string());
            change.names = Some(std::iter::once(name.clone()).chain(others).collect());
        }
        if !self.profile.is_empty() {
            let mut profile: Map<String, Value> = before.profile().unwrap_or_default();
            profile.extend(self.profile.clone());
            change.profile = Some(Value::Object(profile).to_string());
        }
        change
    }
}

struct Register(Arc<Shape>);

#[async_trait]
impl Handler for Register {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let (name, password, profile) = shape.read_new(&mut input);
        input.check()?;
        let mut new = NewUser::new(name, password);
        if !profile.is_empty() {
            new = new.profile_json(Value::Object(profile).to_string());
        }
        let user = shape
            .users
            // The address of the caller counts: to hash a password costs much, and anybody may
            // register.
            .register_from(call.peer, new)
            .await
            .map_err(|rejection| shape.named(rejection))?;
        Ok(Reply::created(shape.shown(&user, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("register", "Register").created(self.0.object());
        let about = about.reading(|input| {
            self.0.read_new(input);
        });
        Some(about.refusing([RejectionKind::Throttled, RejectionKind::Unavailable]))
    }
}

struct Current(Arc<Shape>);

#[async_trait]
impl Handler for Current {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let caller = own(call)?;
        if shape.is_administrator(call) {
            return shape.page(call).await;
        }
        let user = shape.users.find(caller.subject()).await?;
        Ok(Reply::ok(shape.shown(&user, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("current_user", "The current user, or all");
        let about = match self.0.administrator {
            None => about.showing(self.0.object()),
            Some(_) => {
                let after = "Of all users, those after the one with this id.";
                let either = self.0.object().one_or_list(PAGE);
                let kind = "Of which kind that one is, where it is another than user.";
                about
                    .showing(either)
                    .query("after", after)
                    .query("after_kind", kind)
                    .field(LINK)
            }
        };
        Some(about.refusing(REFUSALS))
    }
}

struct Find(Arc<Shape>);

#[async_trait]
impl Handler for Find {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let user = shape.users.find(&shape.target(call)?).await?;
        Ok(Reply::ok(shape.shown(&user, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("show_user", "Show a user").showing(self.0.object());
        Some(about.refusing(REFUSALS))
    }
}

struct Update(Arc<Shape>);

#[async_trait]
impl Handler for Update {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let users = &shape.users;
        let user = users.find(&shape.target(call)?).await?;
        let wanted = shape.read_change(&mut input);
        let caller = own(call)?;
        // The name is what one signs in by. Whoever has stolen a key must not be able to take over
        // the account.
        if wanted.name.is_some() && !caller.is_a_session() {
            return Err(Rejection::permission_denied("a key changes a name"));
        }
        input.check()?;
        // Of the record as it is when it is written: of two who change different fields at the same
        // moment neither undoes what the other one wrote.
        let changed = users
            .on_behalf_of(caller)
            .change_as(&user.id, |before| wanted.of(before))
            .await;
        Ok(Reply::ok(shape.shown(
            &*changed.map_err(|rejection| shape.named(rejection))?,
            call,
        )))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("change_user", "Change a user").showing(self.0.object());
        let about = about.reading(|input| {
            self.0.read_change(input);
        });
        Some(about.refusing(REFUSALS))
    }
}

/// How whoever asks for a user is refused.
#[cfg(feature = "openapi")]
const REFUSALS: [RejectionKind; 3] = [
    RejectionKind::PermissionDenied,
    RejectionKind::NotFound,
    RejectionKind::Unavailable,
];

impl From<UsersEndpoint> for Endpoint {
    fn from(endpoint: UsersEndpoint) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_users(endpoint.shape.users.realm());
            if !mounting.has_room_below(path) {
                return;
            }
            let shape = &endpoint.shape;
            let one = format!("{path}{{user_id}}/");
            mounting.post(path, Access::Anybody, Register(Arc::clone(shape)));
            mounting.get(path, anyone(), Current(Arc::clone(shape)));
            mounting.get(&one, anyone(), Find(Arc::clone(shape)));
            mounting.patch(&one, anyone(), Update(Arc::clone(shape)));
        })
    }
}

fn anyone() -> Access {
    Access::Caller(Requirement::anyone())
}

impl fmt::Debug for UsersEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsersEndpoint")
            .field("name_field", &self.shape.name_field)
            .field("profile_fields", &self.shape.profile_fields)
            .finish_non_exhaustive()
    }
}
