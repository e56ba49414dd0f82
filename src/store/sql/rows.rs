//! Rows become records. Each list of columns stands above the function that reads it, in the same
//! order.

use super::engine::Row;
use crate::principal::{Roles, Scopes, Subject};
use crate::rate::{Rate, RateError};
use crate::secret::Secret;
use crate::store::{
    Account, FamilyRecord, KeyDigest, KeyRecord, SigningKeyRecord, StoreError, StoreErrorKind,
    TakenRights, TokenRecord, UserRecord, UserState,
};
use std::sync::Arc;

/// The longest text that a record is found by, in bytes: three of them fit into one entry of a
/// PostgreSQL index.
const LONGEST: usize = 512;

macro_rules! key_columns {
    () => {
        "id, owner_kind, owner_id, name, hint, algorithm, digest, scopes, roles, metadata, rate, \
         created, expires, revoked, used, lineage, successor"
    };
}
pub(in crate::store) use key_columns;

pub(super) fn key(mut row: Row) -> Result<Arc<KeyRecord>, StoreError> {
    let id = row.text()?;
    let owner = subject(&mut row)?;
    let name = row.text()?;
    let hint = row.text()?;
    let algorithm = row.text()?;
    let digest = KeyDigest::new(&algorithm, row.digest()?);
    let scopes = Scopes::parse(&row.text()?);
    let roles = roles(&row.text()?)?;
    let metadata = row.text_or_null()?;
    let rate = rate(row.text_or_null()?, "key", &id)?;
    let created = row.time()?;

    let mut record = KeyRecord::new(id, owner, name, hint, digest, created);
    record.scopes = scopes;
    record.roles = roles;
    record.metadata = metadata.map(String::into_boxed_str);
    record.rate = rate;
    record.expires = row.time_or_null()?;
    record.revoked = row.time_or_null()?;
    record.last_used = row.time_or_null()?.into();
    let first = row.text()?;
    // Most keys were never rotated. For those the id is not kept twice in memory.
    if *first != *record.id {
        record.first = Some(first.into_boxed_str());
    }
    record.successor = row.text_or_null()?.map(String::into_boxed_str);
    Ok(Arc::new(record))
}

macro_rules! user_columns {
    () => {
        "u.kind, u.id, u.names, u.password, u.active, u.scopes, u.roles, u.rate, u.profile, \
         u.created, u.removed, u.taken_scopes, u.taken_roles"
    };
}
pub(in crate::store) use user_columns;

pub(super) fn user(mut row: Row) -> Result<Arc<UserRecord>, StoreError> {
    let id = subject(&mut row)?;
    let names = list(&row.text()?)?;
    let password = row.text_or_null()?;
    let is_active = row.int()? != 0;
    let scopes = Scopes::parse(&row.text()?);
    let roles = roles(&row.text()?)?;
    let rate = rate(row.text_or_null()?, "user", &id)?;
    let profile = row.text_or_null()?;
    let created = row.time()?;
    let is_removed = row.int()? != 0;
    let taken = taken(&mut row)?;

    let mut record = UserRecord::new(id, "").created(created);
    record.names = names.into_iter().map(String::into_boxed_str).collect();
    record.password_hash = password.map(Secret::new);
    record.state = match (is_active, is_removed) {
        (_, true) => UserState::Removed,
        (true, false) => UserState::Active,
        (false, false) => UserState::Disabled,
    };
    record.scopes = scopes;
    record.roles = roles;
    record.taken = taken;
    record.rate = rate;
    record.profile = profile.map(String::into_boxed_str);
    Ok(Arc::new(record))
}

macro_rules! account_columns {
    () => {
        "u.kind, u.id, u.version, u.active, u.scopes, u.roles, u.taken_scopes, u.taken_roles"
    };
}
pub(super) use account_columns;

/// The same of users whose rows were deleted by hand: what credentials there are of them is dead.
macro_rules! deleted_account {
    () => {
        "kind, id, version, 0, '', '[]', '', '' FROM tower_auth_deleted_users"
    };
}
pub(super) use deleted_account;

pub(super) const ACCOUNT: &str = concat!(
    "SELECT ",
    account_columns!(),
    " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2 UNION ALL SELECT ",
    deleted_account!(),
    " WHERE kind = $1 AND id = $2"
);

/// Who it is, in which version, and what became of the account.
pub(super) fn account(mut row: Row) -> Result<(Subject, i64, Account), StoreError> {
    let id = subject(&mut row)?;
    let version = row.int()?;
    // A row that cannot be read, because somebody changed it by hand, closes its account. An error
    // would keep the news of all other users from being heard.
    let account = what_became(&mut row).unwrap_or(Account::Closed);
    Ok((id, version, account))
}

fn what_became(row: &mut Row) -> Result<Account, StoreError> {
    if row.int()? == 0 {
        return Ok(Account::Closed);
    }
    let mut record = UserRecord::new(Subject::user(""), "");
    record.scopes = Scopes::parse(&row.text()?);
    record.roles = roles(&row.text()?)?;
    record.taken = taken(row)?;
    Ok(record.account())
}

fn taken(row: &mut Row) -> Result<TakenRights, StoreError> {
    let scopes = Scopes::parse(&row.text()?);
    let mut taken = TakenRights::new(scopes, Roles::default());
    // Each line is an array: rights that are taken by hand are noted by a trigger, which can only
    // append.
    let text = row.text()?;
    for line in text.lines().filter(|line| !line.is_empty()) {
        for role in list(line)? {
            taken.roles.insert(role.as_str().into());
        }
    }
    Ok(taken)
}

/// The column form of roles that were taken: nothing where there are none.
pub(super) fn taken_roles_text(roles: &Roles) -> String {
    if roles.iter().next().is_none() {
        String::new()
    } else {
        list_text(roles.iter())
    }
}

macro_rules! family_columns {
    () => {
        "id, subject_kind, subject_id, grants, created, ends, current, expires, previous, rotated, revoked"
    };
}
pub(in crate::store) use family_columns;

pub(super) fn family(mut row: Row) -> Result<Arc<FamilyRecord>, StoreError> {
    let id = row.text()?;
    let subject = subject(&mut row)?;
    let grants = row.text()?;
    let created = row.time()?;
    let ends = row.time()?;
    let current = row.text()?;
    let expires = row.time()?;
    let previous = row.text_or_null()?;
    let rotated = row.time_or_null()?;

    let mut record = FamilyRecord::new(id, subject, grants, created, ends, current, expires);
    record.previous = previous.map(String::into_boxed_str).zip(rotated);
    record.revoked = row.time_or_null()?;
    Ok(Arc::new(record))
}

macro_rules! audit_columns {
    () => {
        "at, action, actor_kind, actor_id, credential, scheme, subject_kind, subject_id, target, \
         scope, peer, method, route, request_id, kind, reason"
    };
}
pub(in crate::store) use audit_columns;

macro_rules! token_columns {
    () => {
        "id, owner_kind, owner_id, name, created, expires, revoked, used"
    };
}
pub(in crate::store) use token_columns;

pub(super) fn token(mut row: Row) -> Result<Arc<TokenRecord>, StoreError> {
    let id = row.text()?;
    let owner = subject(&mut row)?;
    let name = row.text()?;
    let created = row.time()?;
    let expires = row.time()?;

    let mut record = TokenRecord::new(id, owner, name, created, expires);
    record.revoked = row.time_or_null()?;
    record.last_used = row.time_or_null()?.into();
    Ok(Arc::new(record))
}

macro_rules! signing_key_columns {
    () => {
        "issuer, serial, id, algorithm, sealed, created, signs_from, signs_until, forgotten_at"
    };
}
pub(super) use signing_key_columns;

pub(super) fn signing_key(mut row: Row) -> Result<Arc<SigningKeyRecord>, StoreError> {
    let issuer = row.text()?;
    let serial = row.number()?;
    let id = row.text()?;
    let algorithm = row.text()?;
    let sealed = row.bytes()?;
    let created = row.time()?;
    let signs_from = row.time()?;
    let signs_until = row.time()?;

    let mut record = SigningKeyRecord::new(issuer, serial, id, algorithm, sealed, created);
    record.signs_from = signs_from;
    record.signs_until = signs_until;
    record.forgotten_at = row.time()?;
    Ok(Arc::new(record))
}

/// A text that is no rate is not taken for none: then its owner would have the rate of everybody.
fn rate(
    text: Option<String>,
    kind: &'static str,
    id: &impl ToString,
) -> Result<Option<Rate>, StoreError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match text.parse() {
        Ok(rate) => Ok(Some(rate)),
        Err(source) => Err(StoreError::unavailable(UnreadableRate {
            kind,
            id: id.to_string(),
            source,
        })),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the rate of {kind} {id:?} cannot be read")]
struct UnreadableRate {
    kind: &'static str,
    id: String,
    source: RateError,
}

pub(super) fn subject(row: &mut Row) -> Result<Subject, StoreError> {
    Ok(Subject::new(row.text()?, row.text()?))
}

fn roles(text: &str) -> Result<Roles, StoreError> {
    Ok(list(text)?.iter().map(String::as_str).collect())
}

pub(super) fn list(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(StoreError::unavailable)
}

/// The column form of texts that may be of any kind: a JSON array.
pub(super) fn list_text<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<serde_json::Value> = texts.map(Into::into).collect();
    serde_json::Value::Array(texts).to_string()
}

pub(super) fn scopes_text(scopes: &Scopes) -> String {
    scopes.iter().collect::<Vec<_>>().join(" ")
}

/// Refuses texts that are too long to be found by.
pub(super) fn check_lengths<'a>(
    texts: impl IntoIterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let fit = texts.into_iter().all(|text| text.len() <= LONGEST);
    if fit {
        Ok(())
    } else {
        Err(StoreError::new(StoreErrorKind::Invalid))
    }
}

/// What cannot be kept is not there.
pub(super) fn or_absent<T: Default>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    match result {
        Err(error) if error.kind() == StoreErrorKind::Invalid => Ok(T::default()),
        result => result,
    }
}
