#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
#[cfg(feature = "openapi")]
use super::known_schema::KnownSchema;
use super::member_form::MemberForm;
use super::mount::{Endpoint, KeyScopes, KeysLandmark, Mounting, session};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Part, Show, caller, map_of, own, part, time};
#[cfg(feature = "openapi")]
use super::shown_schema::{anything, object_of, with};
use crate::authorize::Requirement;
use crate::config::ConfigProblem;
use crate::issue::{KeyIssuer, KeyRequest, NewKey};
use crate::principal::Subject;
use crate::rate::{Rate, RateError};
use crate::reject::{Rejection, RejectionKind};
use crate::scheme::api_key::KeyIds;
use crate::store::KeyRecord;
use async_trait::async_trait;
use http::StatusCode;
#[cfg(feature = "openapi")]
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "openapi")]
use utoipa::openapi::schema::ObjectBuilder;

/// The longest overlap of a rotation, in seconds.
const LONGEST_OVERLAP: u64 = 30 * 24 * 60 * 60;

/// The endpoint at which an owner makes, lists, renames, rotates and revokes API keys.
///
/// ```text
/// POST   PATH                   {name, expires_at?, scopes?}   201, the raw key, once
/// GET    PATH                                                  200, those not revoked, no raw key
/// GET    PATH{key_id}/                                         200
/// PATCH  PATH{key_id}/          {name}                         200
/// POST   PATH{key_id}/rotate/   {overlap?}                     201, the successor's raw key, once
/// DELETE PATH{key_id}/                                         204, refused from now on
/// ```
///
/// Where [`rates`](Self::rates) offers some, a new key may have a `rate?` besides. `overlap` is in
/// seconds, 30 days at most; `expires_at` is a time of RFC 3339, such as `2027-01-31T09:00:00Z`.
///
/// The owner is the caller, or whoever [`owner`](Self::owner) says; without that, a token of
/// another issuer is 403, because its subject may be called like one of ours. Another owner's key
/// is 404, like one that is not there.
///
/// Who makes a key is bounded by what they have themselves, as
/// [`KeyIssuer::on_behalf_of`](crate::KeyIssuer::on_behalf_of) says. A key has the scopes that are
/// asked for, and no roles unless [`request`](Self::request) adds some. Unless
/// [`require`](Self::require) says who may, an API key or a private token makes no key, and a key
/// rotates none but itself: 403. A key that rotates itself works on for
/// [`grace`](crate::ApiKeys::grace), in which it may ask again.
///
/// ```
/// use serde_json::json;
/// use tower_auth::endpoint::KeysEndpoint;
/// use tower_auth::store::Memory;
/// use tower_auth::{ApiKeys, AuthLayer, Grant, Realm, Subject, Tokens, random_secret};
/// # use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let keys = realm.api_keys(ApiKeys::prefix("egret"));
/// let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
/// let endpoints = auth.endpoints().mount("/api-keys/", KeysEndpoint::of(&keys)).build()?;
///
/// let anna = tokens.issue(Grant::new(Subject::user("7")).scope("reports:read")).await?;
/// # let post = async |credential: &str, body: serde_json::Value| {
/// #     let request = http::Request::post("/api-keys/")
/// #         .header("authorization", format!("Bearer {credential}"))
/// #         .header("content-type", "application/json")
/// #         .body(Full::new(bytes::Bytes::from(body.to_string())))
/// #         .unwrap();
/// #     let answer = tower::ServiceExt::oneshot(endpoints.clone(), request).await.unwrap();
/// #     let status = answer.status().as_u16();
/// #     let body = answer.into_body().collect().await.unwrap().to_bytes();
/// #     (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap())
/// # };
/// // `post` is a request to `/api-keys/` with this Bearer credential.
/// let signed_in = anna.access().expose();
/// let (status, made) = post(signed_in, json!({"name": "ci", "scopes": ["reports:read"]})).await;
/// assert_eq!(status, 201);
/// let key = made["key"].as_str().unwrap();
/// assert!(key.starts_with("egret_"));
///
/// // No more than one has oneself, and no keys by a key.
/// assert_eq!(post(signed_in, json!({"name": "ci", "scopes": ["reports:write"]})).await.0, 400);
/// assert_eq!(post(key, json!({"name": "another"})).await.0, 403);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct KeysEndpoint {
    shape: Arc<Shape>,
}

type OwnerOf = Arc<dyn Fn(&Call) -> Result<Subject, Rejection> + Send + Sync>;
type RequestOf = Arc<dyn Fn(&Call, KeyRequest) -> Result<KeyRequest, Rejection> + Send + Sync>;
type MetadataOf = Arc<dyn Fn(&Call) -> Result<Value, Rejection> + Send + Sync>;
type ListOf = Arc<dyn Fn(Vec<Value>) -> Value + Send + Sync>;

#[derive(Clone)]
struct Shape {
    keys: KeyIssuer,
    requirement: Option<Requirement>,
    owner: Option<OwnerOf>,
    request: Option<RequestOf>,
    rates: Vec<Result<Rate, RateError>>,
    metadata: Option<MetadataOf>,
    key_field: String,
    url_field: Option<String>,
    show: Option<Show<KeyRecord>>,
    list: Option<ListOf>,
    /// Where it is mounted.
    path: String,
}

impl KeysEndpoint {
    /// The keys of this issuer.
    pub fn of(keys: &KeyIssuer) -> Self {
        let shape = Shape {
            keys: keys.clone(),
            requirement: None,
            owner: None,
            request: None,
            rates: Vec::new(),
            metadata: None,
            key_field: "key".into(),
            url_field: None,
            show: None,
            list: None,
            path: String::new(),
        };
        Self {
            shape: Arc::new(shape),
        }
    }

    /// What a caller must be or have; by default any verified caller may see, rename and revoke
    /// keys, and whoever signed in makes and rotates them.
    pub fn require(mut self, requirement: impl Into<Requirement>) -> Self {
        Arc::make_mut(&mut self.shape).requirement = Some(requirement.into());
        self
    }

    /// Whose keys they are: a tenant, an agent. The refusal of a caller who may not have them is
    /// best a [`NotFound`](RejectionKind::NotFound).
    pub fn owner(
        mut self,
        owner: impl Fn(&Call) -> Result<Subject, Rejection> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).owner = Some(Arc::new(owner));
        self
    }

    /// The metadata of each new key: what it belongs to, say. Answers show the members of such an
    /// object as well, unless [`show`](Self::show) says what they show.
    pub fn metadata(
        mut self,
        metadata: impl Fn(&Call) -> Result<Value, Rejection> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).metadata = Some(Arc::new(metadata));
        self
    }

    /// Adds to each new key what the application decides: a rate, scopes.
    pub fn request(
        mut self,
        request: impl Fn(&Call, KeyRequest) -> Result<KeyRequest, Rejection> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).request = Some(Arc::new(request));
        self
    }

    /// The rates of which whoever makes a key chooses one by the member `rate`, as text: any other
    /// is refused, and a key for which none is chosen has none of its own. Answers show it as
    /// `rate`, unless [`show`](Self::show) says what they show. Without these rates nobody can ask
    /// for one. A [throttle](crate::throttle::Throttle) counts by it where it reads rates from
    /// keys.
    ///
    /// ```
    /// use tower_auth::endpoint::KeysEndpoint;
    /// use tower_auth::store::Memory;
    /// use tower_auth::{ApiKeys, AuthLayer, Realm};
    ///
    /// let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    /// let auth = AuthLayer::builder().accept(&keys).build()?;
    /// let endpoints = |rates| {
    ///     let keys = KeysEndpoint::of(&keys).rates(rates);
    ///     auth.endpoints().mount("/api-keys/", keys).build()
    /// };
    /// assert!(endpoints(["100/day", "2000/day"]).is_ok());
    /// assert!(endpoints(["100/day", "2000/month"]).is_err());
    /// # Ok::<(), tower_auth::ConfigError>(())
    /// ```
    pub fn rates<R>(mut self, rates: impl IntoIterator<Item = R>) -> Self
    where
        R: TryInto<Rate, Error: Into<RateError>>,
    {
        let rates = rates.into_iter();
        Arc::make_mut(&mut self.shape).rates = rates
            .map(|rate| rate.try_into().map_err(Into::into))
            .collect();
        self
    }

    /// What the field of the raw key is called; `key` by default.
    pub fn key_field(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.shape).key_field = name.into();
        self
    }

    /// Answers show the absolute URL of the key in a field of that name, unless
    /// [`show`](Self::show) says what they show. How it begins says
    /// [`EndpointsBuilder::public_url`](super::EndpointsBuilder::public_url).
    pub fn url_field(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.shape).url_field = Some(name.into());
        self
    }

    /// What answers show of a key; by default `id`, `name`, `prefix`, `created`, `expires_at`,
    /// `last_used` and `scopes`.
    pub fn show(
        mut self,
        show: impl Fn(&KeyRecord, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).show = Some(Show::new(show));
        self
    }

    /// The same by a type, whose schema a document shows. Of one that is serialized as no object
    /// nothing is shown.
    #[cfg(feature = "openapi")]
    pub fn show_as<T: Serialize + ToSchema>(
        mut self,
        show: impl Fn(&KeyRecord, &Call) -> T + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).show = Some(Show::typed(show));
        self
    }

    /// What a list looks like; by default an array.
    pub fn list(mut self, list: impl Fn(Vec<Value>) -> Value + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.shape).list = Some(Arc::new(list));
        self
    }

    /// What answers show of a key by default: to add to in [`show`](Self::show).
    #[must_use]
    pub fn default_map(key: &KeyRecord) -> Map<String, Value> {
        map_of(&parts(KeyIds::default()), key)
    }
}

/// What answers show of a key, whose ids are of this kind.
fn parts(ids: KeyIds) -> [Part<KeyRecord>; 7] {
    use MemberForm as F;
    [
        part("id", F::KeyId(ids), shown_id),
        part("name", F::Answer, |key| (*key.name).into()),
        part("prefix", F::Answer, |key| (*key.hint).into()),
        part("created", F::Moment, |key| time(Some(key.created))),
        part("expires_at", F::Moment, |key| time(key.expires)),
        part("last_used", F::Moment, |key| time(key.last_used.get())),
        part("scopes", F::Answers, |key| {
            key.scopes.iter().collect::<Vec<_>>().into()
        }),
    ]
}

fn shown_id(key: &KeyRecord) -> Value {
    match key.id.parse::<u64>() {
        // A serial id is a number. A text of digits that a store would not write, such as 007,
        // stays a text.
        Ok(number) if number.to_string() == *key.id => number.into(),
        _ => (*key.id).into(),
    }
}

impl Shape {
    fn owner_of(&self, call: &Call) -> Result<Subject, Rejection> {
        match &self.owner {
            Some(owner) => owner(call),
            None => Ok(own(call)?.subject().clone()),
        }
    }

    fn shown(&self, key: &KeyRecord, call: &Call) -> Map<String, Value> {
        if let Some(show) = &self.show {
            return show.map(key, call);
        }
        let mut shown = KeysEndpoint::default_map(key);
        if let Some(field) = &self.url_field {
            shown.insert(field.clone(), self.url_of(key, call).into());
        }
        if !self.rates.is_empty() {
            let rate = key.rate.map(|rate| rate.to_string());
            shown.insert("rate".into(), rate.into());
        }
        if self.metadata.is_some() {
            for (name, value) in key.metadata::<Map<String, Value>>().unwrap_or_default() {
                // Metadata never take the place of a member of ours, which clients rely on.
                shown.entry(name).or_insert(value);
            }
        }
        shown
    }

    fn rates(&self) -> impl Iterator<Item = Rate> {
        self.rates.iter().flatten().copied()
    }

    /// One of those that may be chosen.
    fn read_rate(&self, input: &mut Input) -> Option<Rate> {
        if self.rates.is_empty() {
            return None;
        }
        let text = input.optional_text_as(MemberForm::Rate, "rate")?;
        // A caller who could name any rate would set the limit that is to hold for themselves.
        let chosen = text.parse::<Rate>().ok();
        match chosen.filter(|chosen| self.rates().any(|rate| rate == *chosen)) {
            Some(rate) => Some(rate),
            None => input.problem(
                "rate",
                "invalid_choice",
                "Not one of the rates to choose from.",
            ),
        }
    }

    /// Where a key is, below the path at which the endpoint is mounted.
    fn url_of(&self, key: &KeyRecord, call: &Call) -> String {
        let mut path = format!("{}{}/", self.path, key.id);
        for (name, value) in &call.parameters {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        call.url(&path)
    }

    /// What answers show, and what is known of it: of the application's own making nothing.
    #[cfg(feature = "openapi")]
    fn object(&self) -> KnownSchema {
        match &self.show {
            Some(show) => show.known.clone(),
            None => KnownSchema::new(self.usual_object()),
        }
    }

    /// The same with the raw key.
    #[cfg(feature = "openapi")]
    fn new_object(&self) -> KnownSchema {
        let (field, form) = (&self.key_field, MemberForm::Credential);
        match &self.show {
            Some(show) => show.known.with(with(ObjectBuilder::new(), field, form)),
            None => KnownSchema::new(with(self.usual_object(), field, form)),
        }
    }

    #[cfg(feature = "openapi")]
    fn usual_object(&self) -> ObjectBuilder {
        let object = object_of(&parts(self.keys.keys().id_form()));
        let object = match self.rates.is_empty() {
            true => object,
            false => with(object, "rate", MemberForm::ShownRate),
        };
        match &self.url_field {
            Some(field) => with(object, field, MemberForm::Url),
            None => object,
        }
    }

    /// How whoever asks for keys of an owner is refused.
    #[cfg(feature = "openapi")]
    fn refusals(&self) -> Vec<RejectionKind> {
        let mut kinds = vec![RejectionKind::PermissionDenied, RejectionKind::Unavailable];
        if self.owner.is_some() {
            kinds.push(RejectionKind::NotFound);
        }
        kinds
    }

    /// The same of those of one key.
    #[cfg(feature = "openapi")]
    fn refusals_of_one(&self) -> Vec<RejectionKind> {
        [self.refusals(), vec![RejectionKind::NotFound]].concat()
    }

    fn with_secret(&self, new: &NewKey, call: &Call) -> Map<String, Value> {
        let mut members = self.shown(&new.record, call);
        members.insert(self.key_field.clone(), new.key.expose().as_str().into());
        members
    }

    /// A key that is still there.
    async fn live(&self, call: &Call) -> Result<(Subject, Arc<KeyRecord>), Rejection> {
        let owner = self.owner_of(call)?;
        let id = call.parameter("key_id").unwrap_or_default();
        let key = self.keys.find(&owner, id).await?;
        // Its record stays for a while, but lists do not show it, and nobody can make it good
        // again.
        if key.revoked.is_some() {
            return Err(Rejection::new(RejectionKind::NotFound, "revoked"));
        }
        Ok((owner, key))
    }
}

struct Create(Arc<Shape>);

#[async_trait]
impl Handler for Create {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let caller = caller(call)?;
        let owner = shape.owner_of(call)?;
        let wanted = Wanted::read(shape, &mut input);
        input.check()?;
        let mut request = KeyRequest::new(owner, wanted.name);
        if let Some(expires) = wanted.expires {
            request = request.expires(expires);
        }
        for scope in wanted.scopes {
            // What is no scope is refused. Left out in silence, the caller would get a key that
            // does less than was asked for.
            request = request.asked_scope(&scope);
        }
        if let Some(rate) = wanted.rate {
            request = request.rate(rate);
        }
        if let Some(metadata) = &shape.metadata {
            request = request.metadata_json(metadata(call)?.to_string());
        }
        if let Some(hook) = &shape.request {
            request = hook(call, request)?;
        }
        let new = shape.keys.on_behalf_of(caller).issue(request).await?;
        Ok(Reply::created(shape.with_secret(&new, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("create_api_key", "Create an API key");
        let about = about.created(self.0.new_object()).reading(|input| {
            Wanted::read(&self.0, input);
        });
        Some(about.refusing(self.0.refusals()))
    }
}

/// A key that somebody asks for.
struct Wanted {
    name: String,
    expires: Option<SystemTime>,
    scopes: Vec<String>,
    rate: Option<Rate>,
}

impl Wanted {
    fn read(shape: &Shape, input: &mut Input) -> Self {
        Self {
            name: input.text_as(MemberForm::KeyName, "name"),
            expires: input.optional_time("expires_at"),
            scopes: input.optional_texts("scopes"),
            rate: shape.read_rate(input),
        }
    }
}

struct List(Arc<Shape>);

#[async_trait]
impl Handler for List {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let keys = shape.keys.list(&shape.owner_of(call)?).await?;
        let live = keys.iter().filter(|key| key.revoked.is_none());
        let shown: Vec<Value> = live
            .map(|key| Value::Object(shape.shown(key, call)))
            .collect();
        let list = match &shape.list {
            Some(list) => list(shown),
            None => Value::Array(shown),
        };
        Ok(Reply::json(StatusCode::OK, &list))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("list_api_keys", "List API keys");
        let about = match self.0.list {
            Some(_) => about.ok(anything()),
            None => about.list(&self.0.object()),
        };
        Some(about.refusing(self.0.refusals()))
    }
}

struct Find(Arc<Shape>);

#[async_trait]
impl Handler for Find {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let (_, key) = self.0.live(call).await?;
        Ok(Reply::ok(self.0.shown(&key, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("show_api_key", "Show an API key").showing(self.0.object());
        Some(about.refusing(self.0.refusals_of_one()))
    }
}

struct Rename(Arc<Shape>);

#[async_trait]
impl Handler for Rename {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let (owner, key) = shape.live(call).await?;
        let name = Self::read(&mut input);
        input.check()?;
        let keys = &shape.keys;
        if let Some(name) = name {
            keys.rename(&owner, &key.id, &name).await?;
        }
        Ok(Reply::ok(
            shape.shown(&*keys.find(&owner, &key.id).await?, call),
        ))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("rename_api_key", "Rename an API key").showing(self.0.object());
        let about = about.reading(|input| {
            Self::read(input);
        });
        Some(about.refusing(self.0.refusals_of_one()))
    }
}

impl Rename {
    fn read(input: &mut Input) -> Option<String> {
        input.optional_text_as(MemberForm::KeyName, "name")
    }
}

struct Rotate(Arc<Shape>);

#[async_trait]
impl Handler for Rotate {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let (owner, key) = shape.live(call).await?;
        let overlap = Self::read(&mut input);
        input.check()?;
        let caller = caller(call)?;
        let is_by_itself = caller.key().is_some_and(|own| own.id == key.id);
        // A key may replace itself. For other keys it needs what making one needs: a key that was
        // stolen must not take over the rest.
        if shape.requirement.is_none() && !caller.is_a_session() && !is_by_itself {
            return Err(Rejection::permission_denied("a key rotates another"));
        }
        let keys = shape.keys.on_behalf_of(caller);
        let new = keys.rotate(&owner, &key.id, overlap).await?;
        Ok(Reply::created(shape.with_secret(&new, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("rotate_api_key", "Replace an API key");
        let about = about.created(self.0.new_object()).reading(|input| {
            Self::read(input);
        });
        Some(about.refusing(self.0.refusals_of_one()))
    }
}

impl Rotate {
    /// For how long the key works on.
    fn read(input: &mut Input) -> Duration {
        let seconds = input.optional_number_up_to(LONGEST_OVERLAP, "overlap");
        Duration::from_secs(seconds.unwrap_or(0))
    }
}

struct Revoke(Arc<Shape>);

#[async_trait]
impl Handler for Revoke {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let (owner, key) = self.0.live(call).await?;
        self.0.keys.revoke(&owner, &key.id).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("revoke_api_key", "Revoke an API key");
        Some(about.refusing(self.0.refusals_of_one()))
    }
}

impl KeysEndpoint {
    fn routes(&self, path: &str, access: &dyn Fn(Requirement) -> Access, mounting: &mut Mounting) {
        let using = match &self.shape.requirement {
            Some(requirement) => requirement.clone(),
            None => Requirement::anyone(),
        };
        let making = match &self.shape.requirement {
            Some(requirement) => requirement.clone(),
            // A key makes no keys by default: whoever steals one could make others, and keep them
            // when it is revoked.
            None => session(),
        };
        let shape = &self.shape;
        let one = format!("{path}{{key_id}}/");
        let rotate = format!("{one}rotate/");
        mounting.post(path, access(making), Create(Arc::clone(shape)));
        mounting.get(path, access(using.clone()), List(Arc::clone(shape)));
        mounting.get(&one, access(using.clone()), Find(Arc::clone(shape)));
        mounting.patch(&one, access(using.clone()), Rename(Arc::clone(shape)));
        mounting.delete(&one, access(using.clone()), Revoke(Arc::clone(shape)));
        mounting.post(&rotate, access(using), Rotate(Arc::clone(shape)));
    }
}

impl From<KeysEndpoint> for Endpoint {
    fn from(mut endpoint: KeysEndpoint) -> Self {
        Self::new(move |path, mounting| {
            Arc::make_mut(&mut endpoint.shape).path = path.to_owned();
            mounting.uses_keys(&endpoint.shape.keys);
            for error in endpoint
                .shape
                .rates
                .iter()
                .filter_map(|rate| rate.as_ref().err())
            {
                // `rates` cannot fail, so what is wrong with one is told here, with all other
                // mistakes.
                mounting.problems.push(ConfigProblem::Rate(error.clone()));
            }
            if !mounting.has_room_below(path) {
                return;
            }
            endpoint.routes(path, &Access::Caller, mounting);
            mounting.landmarks.keys.push(KeysLandmark {
                path: path.to_owned(),
                secret_field: endpoint.shape.key_field.clone(),
                longest: None,
                scopes: match endpoint.shape.request {
                    Some(_) => KeyScopes::ByApplication,
                    None => KeyScopes::ByCaller,
                },
                rates: endpoint.shape.rates().collect(),
                remount: Arc::new(move |path, access, mounting| {
                    endpoint.routes(path, access, mounting);
                }),
            });
        })
    }
}

impl fmt::Debug for KeysEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeysEndpoint")
            .field("keys", &self.shape.keys)
            .finish_non_exhaustive()
    }
}
