//! What an operator asks of a database. Requests ask none of it.

use super::core::Core;
use super::engine::Purpose;
use crate::store::{SchemaVersion, StoreError};
use std::time::SystemTime;

/// The version of the tables. It is asked of a database that may have none, and once: whoever asks
/// wants to know how things are now.
pub(super) async fn schema_version(core: &Core) -> Result<SchemaVersion, StoreError> {
    let dialect = core.engine.dialect();
    let known = u64::try_from(dialect.schema.len()).unwrap_or(u64::MAX);
    let mut lease = core.lease(Purpose::Read).await?;
    if lease.first(dialect.schema_table, &[]).await?.is_none() {
        return Ok(SchemaVersion::new(0, known));
    }
    let versions = "SELECT coalesce(max(version), 0) FROM tower_auth_schema";
    let found = match lease.first(versions, &[]).await? {
        Some(mut row) => row.int()?,
        None => 0,
    };
    Ok(SchemaVersion::new(
        u64::try_from(found).unwrap_or_default(),
        known,
    ))
}

/// What time it is by the clock of the database.
pub(super) async fn time(core: &Core) -> Result<SystemTime, StoreError> {
    let row = core.read_first(core.engine.dialect().now, &[]).await?;
    let mut row = row.ok_or_else(|| StoreError::unavailable("the database told no time"))?;
    row.time()
}

/// How many keys are stored under which algorithm, ended ones left out that nobody presents.
pub(super) async fn key_algorithms(core: &Core) -> Result<Vec<(String, u64)>, StoreError> {
    let counted = "SELECT algorithm, count(*) FROM tower_auth_keys WHERE revoked IS NULL \
                   GROUP BY algorithm ORDER BY algorithm";
    let mut algorithms = Vec::new();
    for mut row in core.read(counted, &[]).await? {
        let algorithm = row.text()?;
        let keys = u64::try_from(row.int()?).unwrap_or_default();
        algorithms.push((algorithm, keys));
    }
    Ok(algorithms)
}
