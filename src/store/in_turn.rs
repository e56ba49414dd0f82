//! Changes of several roles where no store makes them in one step.

use super::{Account, KeyRecord, StoreError, StoreErrorKind, Stores, TokenRecord, Warrant, Write};
use crate::principal::Subject;
use std::sync::Arc;

impl Stores {
    /// Judges the warrant, makes the changes one after the other, and judges once more. What a
    /// credential made that was dead by then is taken back: nobody has got to know it yet.
    pub(super) async fn commit_in_turn(
        &self,
        warrant: Option<&Warrant>,
        writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        commit(self, warrant, writes).await
    }
}

async fn commit(
    stores: &Stores,
    warrant: Option<&Warrant>,
    writes: Vec<Write>,
) -> Result<(), StoreError> {
    judge(stores, warrant).await?;
    // Should a later change fail, sessions have ended for nothing, which is better than a new
    // password beside the sessions of a thief.
    for write in &writes {
        if matches!(write, Write::RevokeSubject { .. }) {
            make(stores, write).await?;
        }
    }
    // All in their order, the ends of sessions included: what a session has made since then ends as
    // well.
    let mut made = Vec::new();
    for write in writes {
        if let Err(error) = make(stores, &write).await {
            take_back(stores, made).await;
            return Err(error);
        }
        made.push(write);
    }
    let ends_itself = made
        .iter()
        .any(|write| matches!(write, Write::RevokeSubject { .. }));
    // The end of all sessions ends the one that asked for it, which is therefore not judged again.
    if ends_itself {
        return Ok(());
    }
    let judged = judge(stores, warrant).await;
    if judged.is_err() {
        take_back(stores, made).await;
    }
    judged
}

async fn judge(stores: &Stores, warrant: Option<&Warrant>) -> Result<(), StoreError> {
    let Some(warrant) = warrant else {
        return Ok(());
    };
    if warrant.is_expired() {
        return Err(revoked());
    }
    if let (Some(account), Some(users)) = (&warrant.account, stores.managed_user_store())
        && users.account(account).await? == Account::Closed
    {
        return Err(revoked());
    }
    if let (Some(ids), Some(tokens)) = (warrant.token_ids(), stores.token_store())
        && tokens.is_revoked(ids, warrant.now).await?
    {
        return Err(revoked());
    }
    if let Some(key) = &warrant.key {
        let found = match (stores.managed_key_store(), stores.key_store()) {
            (Some(keys), _) => keys.find_owned_key(&key.owner, &key.id).await?,
            (None, Some(keys)) => keys.find_key(&key.digest).await?,
            (None, None) => None,
        };
        if !warrant.holds_for_key(found.as_deref()) {
            return Err(revoked());
        }
    }
    Ok(())
}

async fn make(stores: &Stores, write: &Write) -> Result<(), StoreError> {
    match write.clone() {
        Write::RoomForKey { owner, room } => {
            let keys = all_keys(stores, &owner).await?;
            room_or_full(room.has_place_among_keys(keys.iter().map(|key| &**key)))
        }
        Write::RoomForPrivateToken { owner, room } => {
            let tokens = all_tokens(stores, &owner).await?;
            room_or_full(room.has_place_among_tokens(tokens.iter().map(|token| &**token)))
        }
        Write::InsertUser(user) => {
            let users = stores.managed_user_store().ok_or_else(no_store)?;
            users.insert_user(*user).await
        }
        Write::InsertFamily(family) => {
            let tokens = stores.token_store().ok_or_else(no_store)?;
            tokens.insert_family(*family).await
        }
        Write::InsertKey(record) => {
            let keys = stores.managed_key_store().ok_or_else(no_store)?;
            keys.insert_key(record).await
        }
        Write::ReplaceKey {
            former,
            next,
            successor,
        } => {
            let keys = stores.managed_key_store().ok_or_else(no_store)?;
            let successor = successor.map(|successor| *successor);
            keys.replace_key(&former, *next, successor).await
        }
        Write::ReplaceUser { former, next } => {
            let users = stores.managed_user_store().ok_or_else(no_store)?;
            users.replace_user(&former, *next).await
        }
        Write::InsertPrivateToken(record) => {
            let tokens = stores.private_token_store().ok_or_else(no_store)?;
            tokens.insert_private_token(record).await
        }
        Write::ReplacePrivateToken {
            former,
            next,
            denied_until,
        } => {
            let tokens = stores.private_token_store().ok_or_else(no_store)?;
            let replaced = tokens.replace_private_token(&former, *next, denied_until);
            replaced.await
        }
        Write::RevokeSubject {
            subject,
            access_until,
            now,
        } => match (stores.private_token_store(), stores.token_store()) {
            (Some(tokens), _) => tokens.revoke_subject(&subject, access_until, now).await,
            (None, Some(tokens)) => tokens.revoke_families(&subject, access_until, now).await,
            // Where no tokens are issued there are no sessions.
            (None, None) => Ok(()),
        },
    }
}

/// Undoes changes, the last one first. What cannot be undone is a record whose secret nobody has:
/// it can be revoked from its list.
async fn take_back(stores: &Stores, made: Vec<Write>) {
    for write in made.into_iter().rev() {
        let _ = undo(stores, write).await;
    }
}

async fn undo(stores: &Stores, write: Write) -> Result<(), StoreError> {
    match write {
        Write::InsertUser(user) => {
            let users = stores.managed_user_store().ok_or_else(no_store)?;
            users.remove_user(&user.id).await
        }
        Write::InsertFamily(family) => {
            let tokens = stores.token_store().ok_or_else(no_store)?;
            let (id, created) = (&family.id, family.created);
            tokens.revoke_family(id, created, created).await
        }
        Write::InsertKey(record) => {
            let keys = stores.managed_key_store().ok_or_else(no_store)?;
            keys.revoke_key(&record.owner, &record.id, record.created)
                .await
        }
        Write::ReplaceKey {
            former,
            next,
            successor,
        } => {
            let keys = stores.managed_key_store().ok_or_else(no_store)?;
            if let Some(successor) = successor {
                let (owner, id) = (&successor.owner, &successor.id);
                keys.revoke_key(owner, id, successor.created).await?;
            }
            keys.replace_key(&next, *former, None).await
        }
        Write::ReplaceUser { former, next } => {
            let users = stores.managed_user_store().ok_or_else(no_store)?;
            // A store may have noted which rights were taken, and then has another record than the
            // one that it was given.
            let noted = next.clone().replacing(&former);
            let known = users.find_user_by_id(&next.id).await?;
            match known.filter(|known| **known == *next || **known == noted) {
                Some(known) => users.replace_user(&known, *former).await,
                // Somebody has changed the user since, and that change must not be undone.
                None => Ok(()),
            }
        }
        Write::InsertPrivateToken(record) => {
            let tokens = stores.private_token_store().ok_or_else(no_store)?;
            let (owner, id) = (&record.owner, &record.id);
            tokens.revoke_private_token(owner, id, record.created).await
        }
        // What was revoked stays revoked.
        Write::ReplacePrivateToken { .. }
        | Write::RevokeSubject { .. }
        | Write::RoomForKey { .. }
        | Write::RoomForPrivateToken { .. } => Ok(()),
    }
}

/// How many records are asked of a store at once.
const PAGE: usize = 100;

async fn all_keys(stores: &Stores, owner: &Subject) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
    let keys = stores.managed_key_store().ok_or_else(no_store)?;
    let mut all: Vec<Arc<KeyRecord>> = Vec::new();
    loop {
        let page = keys.list_keys(owner, all.last().map(|last| &**last), PAGE);
        let page = page.await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

async fn all_tokens(stores: &Stores, owner: &Subject) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
    let tokens = stores.private_token_store().ok_or_else(no_store)?;
    let mut all: Vec<Arc<TokenRecord>> = Vec::new();
    loop {
        let page = tokens.list_private_tokens(owner, all.last().map(|last| &**last), PAGE);
        let page = page.await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn room_or_full(has_room: bool) -> Result<(), StoreError> {
    if has_room {
        Ok(())
    } else {
        Err(StoreError::new(StoreErrorKind::Full))
    }
}

fn revoked() -> StoreError {
    StoreError::new(StoreErrorKind::Revoked)
}

fn no_store() -> StoreError {
    StoreError::unavailable("the realm has no store for this")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ManagedUserStore, Memory, PrivateTokenStore, UserRecord};
    use std::time::UNIX_EPOCH;

    #[tokio::test]
    async fn a_change_that_takes_a_right_is_taken_back_where_a_later_one_fails() {
        let users = Memory::new();
        let former = UserRecord::new(Subject::user("7"), "anna").scope("reports:read");
        users.insert_user(former.clone()).await.unwrap();
        let tokens = Memory::new();
        let token = TokenRecord::new("t", former.id.clone(), "ci", UNIX_EPOCH, UNIX_EPOCH);
        tokens.insert_private_token(token.clone()).await.unwrap();
        let stores = Stores::new()
            .managed_users(users.clone())
            .private_tokens(tokens);
        let mut reduced = former.clone();
        reduced.scopes = ["reports:list"].into_iter().collect();
        let nexts = [
            ("without a right", reduced),
            ("disabled", former.clone().disabled()),
            ("removed", former.clone().removed()),
        ];
        for (name, next) in nexts {
            let replaced = Write::ReplaceUser {
                former: Box::new(former.clone()),
                next: Box::new(next),
            };
            // There is such a token already.
            let fails = Write::InsertPrivateToken(token.clone());
            let done = stores.commit(None, vec![replaced, fails]).await;
            assert_eq!(done.unwrap_err().kind(), StoreErrorKind::Exists, "{name}");
            let user = users.find_user_by_id(&former.id).await.unwrap().unwrap();
            assert_eq!(user.state, former.state, "{name}");
            assert_eq!(user.names, former.names, "{name}");
            assert_eq!(user.scopes, former.scopes, "{name}");
            // What was granted for that moment is known as taken, so that no credential keeps it.
            users.replace_user(&user, former.clone()).await.unwrap();
        }
    }
}
