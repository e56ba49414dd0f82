use super::engine::{Purpose, Row, args};
use super::sql::Sql;
use crate::principal::Subject;
use crate::store::{AuditRecord, AuditStore, StoreError};
use async_trait::async_trait;
use std::time::SystemTime;

macro_rules! columns {
    () => {
        "at, action, actor_kind, actor_id, credential, scheme, subject_kind, subject_id, target, \
         scope, peer, method, route, request_id, kind, reason"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO tower_auth_audit (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
);
const LIST: &str = concat!(
    "SELECT number, ",
    columns!(),
    " FROM tower_auth_audit WHERE number > $1 ORDER BY number LIMIT $2"
);
const LAST: &str = concat!(
    "SELECT number, ",
    columns!(),
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
        let core = self.core();
        // It waits behind what requests write, never in their way.
        let mut lease = core.lease(Purpose::Housekeeping).await?;
        lease.begin(core.engine.dialect().begin_audit).await?;
        for record in records {
            let peer = record.peer.map(|peer| peer.to_string());
            let args = args![
                record.at,
                &*record.action,
                record.actor.as_ref().map(Subject::kind),
                record.actor.as_ref().map(Subject::id),
                record.credential.as_deref(),
                record.scheme.as_deref(),
                record.subject.as_ref().map(Subject::kind),
                record.subject.as_ref().map(Subject::id),
                record.target.as_deref(),
                record.scope.as_deref(),
                peer.as_deref(),
                record.method.as_deref(),
                record.route.as_deref(),
                record.request_id.as_deref(),
                record.kind.as_deref(),
                record.reason.as_deref(),
            ];
            lease.run(INSERT, args).await?;
        }
        lease.commit().await
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
