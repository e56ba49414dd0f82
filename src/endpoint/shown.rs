use super::Call;
use crate::principal::Principal;
use crate::reject::Rejection;
use crate::store::UserRecord;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What an answer shows of a record.
pub(super) type Show<T> = Arc<dyn Fn(&T, &Call) -> Map<String, Value> + Send + Sync>;

/// The caller of a route that has one.
pub(super) fn caller(call: &Call) -> Result<&Principal, Rejection> {
    call.verified()
}

/// The same, whose subject is one of ours: that of another issuer's token may be called like one of our users.
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
    map.insert("id".into(), user.id().id().into());
    map.insert(
        name_field.into(),
        user.names().next().unwrap_or_default().into(),
    );
    if let Some(profile) = user.profile::<Map<String, Value>>() {
        for (name, value) in profile {
            map.entry(name).or_insert(value);
        }
    }
    map
}
