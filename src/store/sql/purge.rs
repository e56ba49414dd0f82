use super::core::{Core, timed};
use super::engine::{Arg, Purpose, UPKEEP_WITHIN, args, micros};
use super::lease::Lease;
use crate::store::StoreError;
use std::time::{Duration, SystemTime};

/// How many records one statement removes: few enough for a short lock.
const BATCH: usize = 500;
/// How long changes are kept, twice as long as a cursor lasts.
const CHANGES_KEPT: Duration = Duration::from_secs(3_600);

/// Removes what ended long ago, now and then, until it is dropped.
pub(super) async fn keep_house(core: &Core) {
    loop {
        tokio::time::sleep(core.options.purge_every).await;
        // A failure is not told: what was left is removed the next time.
        let _ = clean(core).await;
    }
}

async fn clean(core: &Core) -> Result<(), StoreError> {
    let now = core.options.clock.now();
    core.mirror.sweep(now);
    let Some(before) = now.checked_sub(core.options.keep_ended) else {
        return Ok(());
    };
    // Each batch has a deadline: an answer that never comes would be the end of all housekeeping.
    let within = UPKEEP_WITHIN;
    let purpose = Purpose::Housekeeping;
    while timed(within, keys(core, purpose, before, BATCH)).await? == BATCH {}
    while timed(within, tokens(core, purpose, before, BATCH)).await? == BATCH {}
    while timed(within, private_tokens(core, purpose, before, BATCH)).await? == BATCH {}
    let kept = i64::try_from(CHANGES_KEPT.as_micros()).unwrap_or(i64::MAX);
    while timed(within, changes(core, kept)).await? == BATCH {}
    Ok(())
}

pub(super) async fn keys(
    core: &Core,
    purpose: Purpose,
    before: SystemTime,
    most: usize,
) -> Result<usize, StoreError> {
    let mut lease = core.lease(purpose).await?;
    let mut purged = 0;
    for sql in core.engine.dialect().locking.ended_keys {
        for mut row in lease
            .run(sql, args![before, limit(most.saturating_sub(purged))])
            .await?
        {
            core.keys.forget(&row.digest()?);
            purged += 1;
        }
    }
    Ok(purged)
}

pub(super) async fn tokens(
    core: &Core,
    purpose: Purpose,
    before: SystemTime,
    most: usize,
) -> Result<usize, StoreError> {
    let mut lease = core.lease(purpose).await?;
    let mut purged = 0;
    for sql in core.engine.dialect().locking.ended_tokens {
        purged += delete(&mut lease, sql, micros(before), most.saturating_sub(purged)).await?;
    }
    Ok(purged)
}

pub(super) async fn private_tokens(
    core: &Core,
    purpose: Purpose,
    before: SystemTime,
    most: usize,
) -> Result<usize, StoreError> {
    let mut lease = core.lease(purpose).await?;
    let ended = core.engine.dialect().locking.ended_private_tokens;
    delete(&mut lease, ended, micros(before), most).await
}

async fn changes(core: &Core, kept: i64) -> Result<usize, StoreError> {
    let mut lease = core.lease(Purpose::Housekeeping).await?;
    delete(&mut lease, core.engine.dialect().purge_changes, kept, BATCH).await
}

async fn delete(
    lease: &mut Lease<'_>,
    sql: &'static str,
    before: i64,
    most: usize,
) -> Result<usize, StoreError> {
    Ok(lease
        .run(sql, &[Arg::from(before), Arg::from(limit(most))])
        .await?
        .len())
}

pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
