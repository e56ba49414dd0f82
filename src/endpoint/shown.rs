use super::call::Call;
use crate::clock::rfc3339;
use crate::issue::TokenPair;
use crate::principal::Principal;
use crate::reject::Rejection;
use crate::store::UserRecord;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::SystemTime;

/// What an answer shows of a record.
pub(super) type Show<T> = Arc<dyn Fn(&T, &Call) -> Map<String, Value> + Send + Sync>;

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
    map.insert(
        name_field.into(),
        user.names.first().map_or("", |name| name).into(),
    );
    if let Some(profile) = user.profile::<Map<String, Value>>() {
        for (name, value) in profile {
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
