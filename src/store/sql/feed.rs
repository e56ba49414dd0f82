//! What other nodes changed: read from the table of changes at short intervals, and at once where
//! the database gives notice.

use super::core::Core;
use super::engine::{Purpose, Row, args};
use super::lease::Lease;
use super::purge::limit;
use super::rows::subject;
use crate::principal::Subject;
use crate::store::StoreError;
use crate::store::denials::Kind;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// A reading of everything takes longer than one of the changes.
const READ_ALL_WITHIN: Duration = Duration::from_secs(30);
/// Changes are kept for an hour, by the database's clock: who heard nothing for half of it reads
/// everything.
const CURSOR_LASTS: Duration = Duration::from_secs(1_800);

/// How many changes are read one by one. Where there are more, everything is read: that takes no
/// longer, and no more memory than there is to keep.
const MOST_CHANGES: usize = 10_000;

/// How long a connection that brings no notice is kept.
const LISTENS_FOR: Duration = Duration::from_secs(60);

/// What a change is about, in the column `what`.
const TOKEN_REVOKED: i64 = 0;
const FAMILY_REVOKED: i64 = 1;
const USER_STATE: i64 = 2;
const USER_NAME: i64 = 3;
const KEY: i64 = 4;

/// Up to where the changes were read.
struct Cursor {
    /// Another one is another server or file, or the same one from its backup: its cursors mean
    /// something else.
    incarnation: String,
    /// That of the engine.
    opened: u64,
    position: String,
    read: Instant,
}

/// Follows the changes until it is dropped.
pub(super) async fn follow(core: &Core) {
    let noticed = Notify::new();
    tokio::join!(poll(core, &noticed), listen(core, &noticed));
}

async fn poll(core: &Core, noticed: &Notify) {
    let interval = core.options.lag / 4;
    let mut cursor = None;
    loop {
        let began = Instant::now();
        match hear(core, &mut cursor).await {
            Ok(()) => core.mirror.age().hear(began),
            Err(_) => core.mirror.age().miss(),
        }
        // Out of its time or at once: in either case the next reading is what counts.
        let _ = timeout(interval, noticed.notified()).await;
    }
}

async fn listen(core: &Core, noticed: &Notify) {
    loop {
        // The polls go on meanwhile, so that nothing depends on this connection.
        if let Ok(listener) = core.engine.listen().await {
            let Some(mut listener) = listener else { return };
            noticed.notify_one();
            // A connection that died without a word is replaced after a while as well.
            while let Ok(Ok(())) = timeout(LISTENS_FOR, listener.changed()).await {
                noticed.notify_one();
            }
        }
        tokio::time::sleep(core.options.lag / 4).await;
    }
}

async fn hear(core: &Core, cursor: &mut Option<Cursor>) -> Result<(), StoreError> {
    core.mirror.users().begin_hearing();
    let within = (core.options.lag / 2).max(Duration::from_millis(50));
    match cursor
        .take()
        .filter(|cursor| cursor.read.elapsed() < CURSOR_LASTS)
    {
        None => *cursor = Some(timed(READ_ALL_WITHIN, read_all(core)).await?),
        Some(known) => {
            // What is not heard this time is heard next time: the cursor stays where it is.
            let next = timed(within, read_changes(core, &known)).await;
            *cursor = match next {
                Ok(next) => next,
                Err(error) => {
                    *cursor = Some(known);
                    return Err(error);
                }
            };
            if cursor.is_none() {
                *cursor = Some(timed(READ_ALL_WITHIN, read_all(core)).await?);
            }
        }
    }
    core.mirror.users().end_hearing();
    Ok(())
}

async fn timed<T>(
    within: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    timeout(within, call)
        .await
        .map_err(StoreError::unavailable)?
}

/// Reads all that is denied, and forgets what may have changed unheard.
async fn read_all(core: &Core) -> Result<Cursor, StoreError> {
    let mut lease = core.lease(Purpose::Upkeep).await?;
    // First the cursor: what changes between it and the readings is read twice, and nothing is
    // missed.
    let cursor = cursor(core, &mut lease).await?;
    for mut row in lease
        .run("SELECT kind, id, until FROM tower_auth_revoked", &[])
        .await?
    {
        let kind = if row.int()? == TOKEN_REVOKED {
            Kind::Token
        } else {
            Kind::Family
        };
        core.mirror.deny(kind, &row.text()?, row.time()?);
    }
    let mut disabled = Vec::new();
    for mut row in lease
        .run(
            "SELECT kind, id, version FROM tower_auth_users WHERE active = 0 \
             UNION ALL SELECT kind, id, version FROM tower_auth_deleted_users",
            &[],
        )
        .await?
    {
        disabled.push((subject(&mut row)?, row.int()?));
    }
    core.mirror.users().replace(disabled);
    core.keys.forget_all();
    core.users.forget_all();
    Ok(cursor)
}

async fn cursor(core: &Core, lease: &mut Lease<'_>) -> Result<Cursor, StoreError> {
    let read = Instant::now();
    let opened = core.engine.times_opened();
    let row = lease.first(core.engine.dialect().cursor, &[]).await?;
    let mut row = row.ok_or_else(|| StoreError::unavailable("the database has no cursor"))?;
    Ok(Cursor {
        incarnation: row.text()?,
        position: row.text()?,
        opened,
        read,
    })
}

/// Reads and applies the changes after a cursor; `None` where they do not follow on it.
async fn read_changes(core: &Core, after: &Cursor) -> Result<Option<Cursor>, StoreError> {
    let read = Instant::now();
    let mut lease = core.lease(Purpose::Upkeep).await?;
    let opened = core.engine.times_opened();
    if opened != after.opened {
        return Ok(None);
    }
    let most = limit(MOST_CHANGES + 1);
    let args = args![after.position.as_str(), most];
    let rows = lease.run(core.engine.dialect().changes, args).await?;
    drop(lease);
    if rows.len() > MOST_CHANGES {
        return Ok(None);
    }
    let mut next = None;
    for mut row in rows {
        let (incarnation, position) = (row.text()?, row.text()?);
        if incarnation != after.incarnation {
            return Ok(None);
        }
        next = Some(Cursor {
            incarnation,
            position,
            opened,
            read,
        });
        apply(core, row)?;
    }
    Ok(next)
}

/// Applies a change, which may have been applied already.
fn apply(core: &Core, mut row: Row) -> Result<(), StoreError> {
    let Some(what) = row.int_or_null()? else {
        return Ok(());
    }; // no change, only the cursor
    let (kind, id, digest) = (
        row.text_or_null()?,
        row.text_or_null()?,
        row.digest_or_null()?,
    );
    match (what, kind, id, digest) {
        (TOKEN_REVOKED, _, Some(id), _) => core.mirror.deny(Kind::Token, &id, row.time()?),
        (FAMILY_REVOKED, _, Some(id), _) => core.mirror.deny(Kind::Family, &id, row.time()?),
        (USER_STATE, Some(kind), Some(id), _) => {
            let (is_active, version) = user_state(&mut row)?;
            core.mirror
                .users()
                .set(&Subject::new(kind, id), version, is_active);
        }
        (USER_NAME, _, Some(name), _) => core.users.forget(name.as_str()),
        (KEY, _, _, Some(digest)) => core.keys.forget(&digest),
        // Of a later release.
        _ => {}
    }
    Ok(())
}

fn user_state(row: &mut Row) -> Result<(bool, i64), StoreError> {
    Ok((row.int()? != 0, row.int()?))
}
