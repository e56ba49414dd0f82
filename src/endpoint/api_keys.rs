#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::{Endpoint, KeysLandmark, Mounting, session};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Show, caller, own, time};
use crate::authorize::Requirement;
use crate::issue::{KeyIssuer, KeyRequest, NewKey};
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use crate::store::KeyRecord;
use async_trait::async_trait;
use http::StatusCode;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest overlap of a rotation, in seconds.
const LONGEST_OVERLAP: u64 = 30 * 24 * 60 * 60;

/// API keys of an owner:
///
/// ```text
/// POST   PATH                       {name, expires_at?, scopes?}   201, the raw key, once
/// GET    PATH                                                      200, those that are not revoked, without the raw keys
/// GET    PATH{key_id}/                                             200
/// PATCH  PATH{key_id}/              {name}                         200
/// POST   PATH{key_id}/rotate/       {overlap?}                     201, the successor's raw key, once; overlap in seconds
/// DELETE PATH{key_id}/                                             204, refused from now on
/// ```
///
/// The owner is the caller, or whoever [`owner`](Self::owner) says; without that, a token of
/// another issuer is 403, because its subject may be called like one of ours. Another owner's key
/// is 404, like one that is not there.
///
/// Who makes a key is bounded by what they have themselves, as
/// [`KeyIssuer::on_behalf_of`](crate::KeyIssuer::on_behalf_of) says. Unless
/// [`require`](Self::require) says who may, an API key or a private token makes no key, and a key
/// rotates none but itself: 403. A key that rotates itself works on for
/// [`grace`](crate::ApiKeys::grace), in which it may ask again.
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
    metadata: Option<MetadataOf>,
    key_field: String,
    show: Option<Show<KeyRecord>>,
    list: Option<ListOf>,
}

impl KeysEndpoint {
    /// The keys of this issuer.
    pub fn of(keys: &KeyIssuer) -> Self {
        let shape = Shape {
            keys: keys.clone(),
            requirement: None,
            owner: None,
            request: None,
            metadata: None,
            key_field: "key".into(),
            show: None,
            list: None,
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

    /// What the field of the raw key is called; `key` by default.
    pub fn key_field(mut self, name: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.shape).key_field = name.into();
        self
    }

    /// What answers show of a key; by default `id`, `name`, `prefix`, `created`, `expires_at`,
    /// `last_used` and `scopes`.
    pub fn show(
        mut self,
        show: impl Fn(&KeyRecord, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.shape).show = Some(Arc::new(show));
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
        let id = match key.id.parse::<u64>() {
            // A serial id, spelled as a store counts.
            Ok(number) if number.to_string() == *key.id => number.into(),
            _ => (*key.id).into(),
        };
        let scopes: Vec<&str> = key.scopes.iter().collect();
        [
            ("id", id),
            ("name", (*key.name).into()),
            ("prefix", (*key.hint).into()),
            ("created", time(Some(key.created))),
            ("expires_at", time(key.expires)),
            ("last_used", time(key.last_used.get())),
            ("scopes", scopes.into()),
        ]
        .map(|(name, value): (&str, Value)| (name.to_owned(), value))
        .into_iter()
        .collect()
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
            return show(key, call);
        }
        let mut shown = KeysEndpoint::default_map(key);
        if self.metadata.is_some() {
            for (name, value) in key.metadata::<Map<String, Value>>().unwrap_or_default() {
                shown.entry(name).or_insert(value);
            }
        }
        shown
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
        let mut request = KeyRequest::new(owner, input.text("name"));
        if let Some(expires) = input.optional_time("expires_at") {
            request = request.expires(expires);
        }
        for scope in input.optional_texts("scopes") {
            request = request.asked_scope(&scope);
        }
        input.check()?;
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
        Some(
            About::new(StatusCode::CREATED, "Create an API key")
                .text("name")
                .optional_time("expires_at")
                .optional_texts("scopes"),
        )
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
        Some(About::new(StatusCode::OK, "List API keys"))
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
        Some(About::new(StatusCode::OK, "Show an API key"))
    }
}

struct Rename(Arc<Shape>);

#[async_trait]
impl Handler for Rename {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let (owner, key) = shape.live(call).await?;
        let name = input.optional_text("name");
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
        Some(About::new(StatusCode::OK, "Rename an API key").optional_text("name"))
    }
}

struct Rotate(Arc<Shape>);

#[async_trait]
impl Handler for Rotate {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let Self(shape) = self;
        let (owner, key) = shape.live(call).await?;
        let overlap = input.optional_number("overlap").unwrap_or(0);
        input.check()?;
        let caller = caller(call)?;
        let is_by_itself = caller.key().is_some_and(|own| own.id == key.id);
        if shape.requirement.is_none() && !caller.is_a_session() && !is_by_itself {
            return Err(Rejection::permission_denied("a key rotates another"));
        }
        let overlap = Duration::from_secs(overlap.min(LONGEST_OVERLAP));
        let keys = shape.keys.on_behalf_of(caller);
        let new = keys.rotate(&owner, &key.id, overlap).await?;
        Ok(Reply::created(shape.with_secret(&new, call)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::CREATED, "Replace an API key").optional_number("overlap"))
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
        Some(About::new(StatusCode::NO_CONTENT, "Revoke an API key"))
    }
}

impl KeysEndpoint {
    fn routes(&self, path: &str, access: &dyn Fn(Requirement) -> Access, mounting: &mut Mounting) {
        let requirement = match &self.shape.requirement {
            Some(requirement) => requirement.clone(),
            None => Requirement::anyone(),
        };
        let making = match &self.shape.requirement {
            Some(requirement) => requirement.clone(),
            None => session(),
        };
        let making = access(making);
        let access = || access(requirement.clone());
        let shape = || Arc::clone(&self.shape);
        let one = format!("{path}{{key_id}}/");
        mounting.post(path, making, Create(shape()));
        mounting.get(path, access(), List(shape()));
        mounting.get(&one, access(), Find(shape()));
        mounting.patch(&one, access(), Rename(shape()));
        mounting.delete(&one, access(), Revoke(shape()));
        mounting.post(&format!("{one}rotate/"), access(), Rotate(shape()));
    }
}

impl From<KeysEndpoint> for Endpoint {
    fn from(endpoint: KeysEndpoint) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_keys(&endpoint.shape.keys);
            if !mounting.has_room_below(path) {
                return;
            }
            endpoint.routes(path, &Access::Caller, mounting);
            mounting.landmarks.keys.push(KeysLandmark {
                path: path.to_owned(),
                secret_field: endpoint.shape.key_field.clone(),
                longest: None,
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
