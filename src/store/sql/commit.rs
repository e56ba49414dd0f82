//! Changes of several roles, in one transaction.

use super::core::Core;
use super::effects::Effects;
use super::engine::args;
use super::keys::insert_key;
use super::lease::Lease;
use super::rows::{self, ACCOUNT};
use super::sql::Sql;
use super::tokens::insert_token;
use crate::principal::Subject;
use crate::store::{Account, AllStores, StoreError, StoreErrorKind, Warrant, Write};
use async_trait::async_trait;

impl Core {
    async fn commit(&self, warrant: Option<&Warrant>, writes: &[Write]) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
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
            // First the row, which whoever disables the user waits for, and then what became of it.
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

/// Whose tokens a change adds to, or ends.
fn sessions_of(write: &Write) -> Option<&Subject> {
    match write {
        Write::InsertPrivateToken(token) => Some(&token.owner),
        Write::RevokeSubject { subject, .. } => Some(subject),
        Write::InsertKey(_)
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
}
