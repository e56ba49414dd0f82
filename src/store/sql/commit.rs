//! Changes of several roles, in one transaction.

use super::core::Core;
use super::effects::Effects;
use super::engine::{Row, args};
use super::keys::insert_key;
use super::lease::Lease;
use super::rows::{self, ACCOUNT};
use super::sql::Sql;
use super::tokens::{insert_family, insert_token};
use crate::principal::Subject;
use crate::store::{Account, AllStores, Room, StoreError, StoreErrorKind, Warrant, Write};
use async_trait::async_trait;
use std::time::Duration;

const COUNT_KEYS: &str = "SELECT count(*), CAST(coalesce(sum(CASE WHEN revoked IS NULL \
    AND (expires IS NULL OR expires > $3) THEN 1 ELSE 0 END), 0) AS bigint) FROM tower_auth_keys \
    WHERE owner_kind = $1 AND owner_id = $2 AND (revoked IS NULL OR revoked >= $4) \
    AND (expires IS NULL OR expires >= $4)";
const COUNT_TOKENS: &str = "SELECT count(*), CAST(coalesce(sum(CASE WHEN revoked IS NULL \
    THEN 1 ELSE 0 END), 0) AS bigint) FROM tower_auth_private_tokens \
    WHERE owner_kind = $1 AND owner_id = $2 AND expires > $3";

impl Core {
    async fn commit(&self, warrant: Option<&Warrant>, writes: &[Write]) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        // Sessions come first in the order of all locks.
        for subject in writes.iter().filter_map(sessions_of) {
            self.lock_sessions(&mut lease, subject).await?;
        }
        if let Some(warrant) = warrant
            && !self.holds(&mut lease, warrant).await?
        {
            return Err(StoreError::new(StoreErrorKind::Revoked));
        }
        let mut effects = Effects::default();
        for write in writes {
            self.write(&mut lease, write, &mut effects).await?;
        }
        self.finish(lease, effects).await
    }

    /// Whether a warrant is good. What it rests on is locked, in the order in which it is locked
    /// everywhere: users, families, tokens, keys.
    async fn holds(&self, lease: &mut Lease<'_>, warrant: &Warrant) -> Result<bool, StoreError> {
        if warrant.is_expired() {
            return Ok(false);
        }
        if let Some(account) = &warrant.account {
            // The row is locked before it is judged: whoever disables the user waits for it, so
            // what is found is true until the commit.
            self.lock_account(lease, account).await?;
            let args = args![account.kind(), account.id()];
            if let Some(row) = lease.first(ACCOUNT, args).await?
                && rows::account(row)?.2 == Account::Closed
            {
                return Ok(false);
            }
        }
        if let Some(ids) = warrant.token_ids()
            && self.is_revoked_in(lease, ids, warrant.now).await?
        {
            return Ok(false);
        }
        if let Some(key) = &warrant.key {
            let known = self.lock_key(lease, &key.id).await?;
            let known = known.filter(|known| known.owner == key.owner);
            return Ok(warrant.holds_for_key(known.as_deref()));
        }
        Ok(true)
    }

    async fn write(
        &self,
        lease: &mut Lease<'_>,
        write: &Write,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        match write {
            Write::RoomForKey { owner, room } => {
                let args = args![owner.kind(), owner.id(), room.now, room.ended_since()];
                has_room(lease.first(COUNT_KEYS, args).await?, *room)
            }
            Write::RoomForPrivateToken { owner, room } => {
                let args = args![owner.kind(), owner.id(), room.now];
                has_room(lease.first(COUNT_TOKENS, args).await?, *room)
            }
            Write::InsertUser(user) => self.insert_user_in(lease, user, effects).await,
            Write::InsertFamily(family) => insert_family(lease, family).await,
            Write::InsertKey(record) => insert_key(lease, record, effects).await,
            Write::ReplaceKey {
                former,
                next,
                successor,
            } => {
                let successor = successor.as_deref();
                self.replace_key(lease, former, next, successor, effects)
                    .await
            }
            Write::ReplaceUser { former, next } => {
                self.replace_user_in(lease, former, next, effects).await
            }
            Write::InsertPrivateToken(token) => insert_token(lease, token).await,
            Write::ReplacePrivateToken {
                former,
                next,
                denied_until,
            } => {
                self.replace_token_in(lease, former, next, *denied_until, effects)
                    .await
            }
            Write::RevokeSubject {
                subject,
                access_until,
                now,
            } => {
                self.end_subject(lease, subject, *access_until, *now, effects)
                    .await
            }
        }
    }
}

fn has_room(row: Option<Row>, room: Room) -> Result<(), StoreError> {
    let mut row = row.ok_or_else(|| StoreError::unavailable("nothing was counted"))?;
    let all = count(row.int()?);
    let live = count(row.int()?);
    if room.has_place(live, all) {
        Ok(())
    } else {
        Err(StoreError::new(StoreErrorKind::Full))
    }
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// Whose tokens a change adds to, ends or counts.
fn sessions_of(write: &Write) -> Option<&Subject> {
    match write {
        Write::InsertPrivateToken(token) => Some(&token.owner),
        Write::RevokeSubject { subject, .. } => Some(subject),
        Write::RoomForKey { owner, .. } | Write::RoomForPrivateToken { owner, .. } => Some(owner),
        Write::InsertUser(_)
        | Write::InsertFamily(_)
        | Write::InsertKey(_)
        | Write::ReplaceKey { .. }
        | Write::ReplaceUser { .. }
        | Write::ReplacePrivateToken { .. } => None,
    }
}

#[async_trait]
impl AllStores for Sql {
    async fn commit(
        &self,
        warrant: Option<&Warrant>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        self.call(|| self.core().commit(warrant, &writes)).await
    }

    fn lag(&self) -> Option<Duration> {
        self.core().mirror.age().get()
    }
}
