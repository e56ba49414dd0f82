use super::core::Core;
use super::engine::{Purpose, args};
use super::lease::Lease;
use super::start;
use crate::store::StoreError;

/// Brings the schema up to date, in one transaction, while other nodes wait.
pub(super) async fn migrate(core: &Core) -> Result<(), StoreError> {
    let dialect = core.engine.dialect();
    // Only the beginning has a deadline. A step may take long where a table is large, and to give
    // up half-way would be to begin again.
    let mut lease = start::patiently(core, || begin(core)).await?;
    lease
        .script("CREATE TABLE IF NOT EXISTS tower_auth_schema (version bigint PRIMARY KEY)")
        .await?;
    let versions = lease
        .first(
            "SELECT coalesce(max(version), 0) FROM tower_auth_schema",
            &[],
        )
        .await?;
    let mut have = match versions {
        Some(mut row) => row.int()?,
        None => 0,
    };
    // A schema of a later release is left as it is: its steps are such that this release goes on
    // working.
    for step in dialect
        .schema
        .iter()
        .skip(usize::try_from(have).unwrap_or_default())
    {
        have = have.saturating_add(1);
        lease.script(step).await?;
        lease
            .run(
                "INSERT INTO tower_auth_schema (version) VALUES ($1)",
                args![have],
            )
            .await?;
    }
    lease.commit().await
}

/// Begins when no other node migrates.
async fn begin(core: &Core) -> Result<Lease<'_>, StoreError> {
    let mut lease = core.lease(Purpose::Start).await?;
    lease.begin(core.engine.dialect().begin_migration).await?;
    Ok(lease)
}
