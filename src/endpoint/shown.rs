use super::call::Call;
#[cfg(feature = "openapi")]
use super::known_schema::KnownSchema;
use super::member_form::MemberForm;
use crate::clock::rfc3339;
use crate::issue::TokenPair;
use crate::principal::Principal;
use crate::reject::Rejection;
use crate::store::UserRecord;
#[cfg(feature = "openapi")]
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::SystemTime;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "openapi")]
use utoipa::openapi::schema::ObjectBuilder;
#[cfg(feature = "openapi")]
use utoipa::openapi::{RefOr, Schema};

/// What answers show of a record where the application says it, and what is known of that.
pub(super) struct Show<T> {
    map: Arc<ShowMap<T>>,
    #[cfg(feature = "openapi")]
    pub(super) known: KnownSchema,
}

type ShowMap<T> = dyn Fn(&T, &Call) -> Map<String, Value> + Send + Sync;

impl<T> Show<T> {
    /// Members of which nothing is known.
    pub(super) fn new(
        map: impl Fn(&T, &Call) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        Self {
            map: Arc::new(map),
            #[cfg(feature = "openapi")]
            known: KnownSchema::new(ObjectBuilder::new()),
        }
    }

    /// Members of this form.
    #[cfg(feature = "openapi")]
    pub(super) fn known(self, schema: impl Into<RefOr<Schema>>) -> Self {
        Self {
            known: KnownSchema::new(schema),
            ..self
        }
    }

    /// The members of a type of the application's own.
    #[cfg(feature = "openapi")]
    pub(super) fn typed<A: Serialize + ToSchema>(
        show: impl Fn(&T, &Call) -> A + Send + Sync + 'static,
    ) -> Self {
        Self {
            known: KnownSchema::of::<A>(),
            ..Self::new(move |record, call| members_of(&show(record, call)))
        }
    }

    pub(super) fn map(&self, record: &T, call: &Call) -> Map<String, Value> {
        (self.map)(record, call)
    }
}

/// Whatever is no object has none.
#[cfg(feature = "openapi")]
fn members_of(shown: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(shown) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

impl<T> Clone for Show<T> {
    fn clone(&self) -> Self {
        Self {
            map: Arc::clone(&self.map),
            #[cfg(feature = "openapi")]
            known: self.known.clone(),
        }
    }
}

/// A member of an answer: what it is called, what it is, and how it is made of a record.
pub(super) struct Part<T> {
    pub(super) name: &'static str,
    #[cfg(feature = "openapi")]
    pub(super) form: MemberForm,
    value: fn(&T) -> Value,
}

#[cfg_attr(
    not(feature = "openapi"),
    expect(unused_variables, reason = "only a document asks what it is")
)]
pub(super) fn part<T>(name: &'static str, form: MemberForm, value: fn(&T) -> Value) -> Part<T> {
    Part {
        name,
        #[cfg(feature = "openapi")]
        form,
        value,
    }
}

/// What an answer shows of a record.
pub(super) fn map_of<T>(parts: &[Part<T>], record: &T) -> Map<String, Value> {
    let members = parts
        .iter()
        .map(|part| (part.name.to_owned(), (part.value)(record)));
    members.collect()
}

/// The caller of a route that has one.
pub(super) fn caller(call: &Call) -> Result<&Principal, Rejection> {
    call.verified()
}

/// The same, whose subject is one of ours: that of another issuer's token may be called like one of
/// our users.
pub(super) fn own(call: &Call) -> Result<&Principal, Rejection> {
    let caller = caller(call)?;
    if caller.is_foreign() {
        Err(Rejection::permission_denied("another issuer"))
    } else {
        Ok(caller)
    }
}

/// `id`, `names` are for the owner alone; so is the profile, whose members stand beside them.
pub(super) fn user_map(user: &UserRecord, name_field: &str) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("id".into(), user.id.id().into());
    map.insert(name_field.into(), user.first_name().into());
    if let Some(profile) = user.profile::<Map<String, Value>>() {
        for (name, value) in profile {
            // Users write their profile themselves. A member of it must not take the place of the
            // id.
            map.entry(name).or_insert(value);
        }
    }
    map
}

/// `access`, and `refresh` where there is one.
pub(super) fn pair_map(pair: &TokenPair) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("access".into(), pair.access().expose().as_str().into());
    if let Some(refresh) = pair.refresh() {
        members.insert("refresh".into(), refresh.expose().as_str().into());
    }
    members
}

/// RFC 3339, or null.
pub(super) fn time(at: Option<SystemTime>) -> Value {
    match at.and_then(rfc3339) {
        Some(text) => text.into(),
        None => Value::Null,
    }
}
