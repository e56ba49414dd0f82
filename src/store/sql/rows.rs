//! Rows become records. Each list of columns stands above the function that reads it, in the same order.

use super::engine::Row;
use crate::principal::{Roles, Scopes, Subject};
use crate::store::{
    FamilyRecord, KeyDigest, KeyRecord, StoreError, StoreErrorKind, TokenRecord, UserRecord,
};
use std::sync::Arc;

/// The longest text that a record is found by, in bytes: three of them fit into one entry of a PostgreSQL index.
const LONGEST: usize = 512;

macro_rules! key_columns {
    () => {
        "id, owner_kind, owner_id, name, hint, algorithm, digest, scopes, roles, metadata, rate, created, expires, \
         revoked, used, lineage, successor"
    };
}
pub(super) use key_columns;

pub(super) fn key(mut row: Row) -> Result<Arc<KeyRecord>, StoreError> {
    let (id, owner) = (row.text()?, subject(&mut row)?);
    let (name, hint, algorithm, digest) = (row.text()?, row.text()?, row.text()?, row.digest()?);
    let (scopes, roles) = (Scopes::parse(&row.text()?), roles(&row.text()?)?);
    let (metadata, rate) = (row.text_or_null()?, row.text_or_null()?);
    let (created, expires, revoked) = (row.time()?, row.time_or_null()?, row.time_or_null()?);
    let (used, lineage, successor) = (row.time_or_null()?, row.text()?, row.text_or_null()?);

    let mut record = KeyRecord::new(
        id,
        owner,
        name,
        hint,
        KeyDigest::new(&algorithm, digest),
        created,
    )
    .with_scopes(scopes)
    .with_roles(roles)
    .in_lineage(lineage);
    record = apply(record, metadata, KeyRecord::with_metadata_json);
    record = apply(record, rate, KeyRecord::rate);
    record = apply(record, expires, KeyRecord::expires);
    record = apply(record, revoked, KeyRecord::revoked);
    record = apply(record, used, KeyRecord::used);
    // A key that has a successor expires, in this column.
    record = apply(
        record,
        successor.zip(expires),
        |record, (successor, until)| record.superseded(successor, until),
    );
    Ok(Arc::new(record))
}

macro_rules! user_columns {
    () => {
        "u.kind, u.id, u.names, u.password, u.active, u.scopes, u.roles, u.rate, u.profile, u.created"
    };
}
pub(in crate::store) use user_columns;

pub(super) fn user(mut row: Row) -> Result<Arc<UserRecord>, StoreError> {
    let id = subject(&mut row)?;
    let names = list(&row.text()?)?;
    let (password, active) = (row.text_or_null()?, row.int()? != 0);
    let (scopes, roles) = (Scopes::parse(&row.text()?), roles(&row.text()?)?);
    let (rate, profile, created) = (row.text_or_null()?, row.text_or_null()?, row.time()?);

    let change = crate::store::UserChange {
        names: Some(names),
        ..Default::default()
    };
    let mut record = UserRecord::new(id, "")
        .changed(change)
        .with_scopes(scopes)
        .with_roles(roles)
        .created_at(created);
    if !active {
        record = record.disabled();
    }
    record = apply(record, password, UserRecord::password_hash);
    record = apply(record, rate, UserRecord::rate);
    record = apply(record, profile, UserRecord::with_profile_json);
    Ok(Arc::new(record))
}

macro_rules! family_columns {
    () => {
        "id, subject_kind, subject_id, grants, created, ends, current, expires, previous, rotated, revoked"
    };
}
pub(in crate::store) use family_columns;

pub(super) fn family(mut row: Row) -> Result<Arc<FamilyRecord>, StoreError> {
    let (id, subject, grants) = (row.text()?, subject(&mut row)?, row.text()?);
    let (created, ends, current, expires) = (row.time()?, row.time()?, row.text()?, row.time()?);
    let previous = (row.text_or_null()?, row.time_or_null()?);
    let revoked = row.time_or_null()?;

    let record = FamilyRecord::new(id, subject, grants, created, ends, current, expires);
    let record = apply(record, previous.0.zip(previous.1), |record, (id, at)| {
        record.previous(id, at)
    });
    Ok(Arc::new(apply(record, revoked, FamilyRecord::revoked)))
}

macro_rules! token_columns {
    () => {
        "id, owner_kind, owner_id, name, created, expires, revoked, used"
    };
}
pub(super) use token_columns;

pub(super) fn token(mut row: Row) -> Result<Arc<TokenRecord>, StoreError> {
    let (id, owner, name) = (row.text()?, subject(&mut row)?, row.text()?);
    let (created, expires) = (row.time()?, row.time()?);
    let (revoked, used) = (row.time_or_null()?, row.time_or_null()?);

    let record = TokenRecord::new(id, owner, name, created, expires);
    let record = apply(record, revoked, TokenRecord::revoked);
    Ok(Arc::new(apply(record, used, TokenRecord::used)))
}

fn apply<R, V>(record: R, value: Option<V>, change: impl FnOnce(R, V) -> R) -> R {
    match value {
        Some(value) => change(record, value),
        None => record,
    }
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
