use super::engine::{Purpose, Row, args, is_storable, micros};
use super::rows::audit_columns;
use super::sql::Sql;
use crate::principal::Subject;
use crate::store::{AuditRecord, AuditStore, StoreError, StoreErrorKind};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::time::SystemTime;

const LIST: &str = concat!(
    "SELECT number, ",
    audit_columns!(),
    " FROM tower_auth_audit WHERE number > $1 ORDER BY number LIMIT $2"
);
const LAST: &str = concat!(
    "SELECT number, ",
    audit_columns!(),
    " FROM tower_auth_audit ORDER BY number DESC LIMIT $1"
);
const PURGE: &str = "DELETE FROM tower_auth_audit WHERE number IN \
    (SELECT number FROM tower_auth_audit WHERE at < $1 ORDER BY at LIMIT $2) RETURNING number";

#[async_trait]
impl AuditStore for Sql {
    async fn insert_audit(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
        self.call(|| self.insert_records(records)).await
    }

    async fn list_audit(
        &self,
        after: Option<u64>,
        most: usize,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let most = whole(most);
        let rows = match after {
            Some(after) => {
                let after = i64::try_from(after).unwrap_or(i64::MAX);
                let args = args![after, most];
                self.call(|| self.core().read(LIST, args)).await?
            }
            None => {
                let args = args![most];
                let mut rows = self.call(|| self.core().read(LAST, args)).await?;
                rows.reverse();
                rows
            }
        };
        rows.into_iter().map(record).collect()
    }

    async fn purge_audit(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        let args = args![before, whole(most)];
        let purged = self.call(|| async {
            let mut lease = self.core().lease(Purpose::Housekeeping).await?;
            lease.run(PURGE, args).await
        });
        Ok(purged.await?.len())
    }
}

impl Sql {
    async fn insert_records(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
        let rows: Result<Vec<Value>, StoreError> = records.iter().map(row).collect();
        let rows = Value::from(rows?).to_string();
        let core = self.core();
        // It waits behind what requests write, never in their way.
        let mut lease = core.lease(Purpose::Housekeeping).await?;
        lease.begin(core.engine.dialect().begin_audit).await?;
        // All of them by one statement: with one for each, a backlog could not be written within
        // the deadline where the server is some milliseconds away, and would never get shorter.
        let args = args![rows.as_str()];
        lease.run(core.engine.dialect().insert_audit, args).await?;
        lease.commit().await
    }
}

/// A record as the statement reads it.
fn row(record: &AuditRecord) -> Result<Value, StoreError> {
    let row = json!({
        "at": micros(record.at),
        "action": record.action,
        "actor_kind": record.actor.as_ref().map(Subject::kind),
        "actor_id": record.actor.as_ref().map(Subject::id),
        "credential": record.credential,
        "scheme": record.scheme,
        "subject_kind": record.subject.as_ref().map(Subject::kind),
        "subject_id": record.subject.as_ref().map(Subject::id),
        "target": record.target,
        "scope": record.scope,
        "peer": record.peer.map(|peer| peer.to_string()),
        "method": record.method,
        "route": record.route,
        "request_id": record.request_id,
        "kind": record.kind,
        "reason": record.reason,
    });
    // In JSON a NUL is written as other characters, so the statement is not refused for it.
    let mut texts = row.as_object().into_iter().flat_map(|row| row.values());
    match texts.all(|text| text.as_str().is_none_or(is_storable)) {
        true => Ok(row),
        false => Err(StoreError::new(StoreErrorKind::Invalid)),
    }
}

fn whole(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn record(mut row: Row) -> Result<AuditRecord, StoreError> {
    let number = row.int()?;
    let at = row.time()?;
    let mut record = AuditRecord::new(row.text()?, at);
    record.number = u64::try_from(number).unwrap_or_default();
    record.actor = subject(&mut row)?;
    record.credential = text(&mut row)?;
    record.scheme = text(&mut row)?;
    record.subject = subject(&mut row)?;
    record.target = text(&mut row)?;
    record.scope = text(&mut row)?;
    // What another release writes there is left out, rather than the whole record.
    record.peer = row.text_or_null()?.and_then(|peer| peer.parse().ok());
    record.method = text(&mut row)?;
    record.route = text(&mut row)?;
    record.request_id = text(&mut row)?;
    record.kind = text(&mut row)?;
    record.reason = text(&mut row)?;
    Ok(record)
}

fn text(row: &mut Row) -> Result<Option<Box<str>>, StoreError> {
    Ok(row.text_or_null()?.map(String::into_boxed_str))
}

fn subject(row: &mut Row) -> Result<Option<Subject>, StoreError> {
    let kind = row.text_or_null()?;
    let id = row.text_or_null()?;
    Ok(kind.zip(id).map(|(kind, id)| Subject::new(kind, id)))
}
