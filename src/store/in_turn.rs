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
            return Err(take_back(stores, made, error).await);
        }
        made.push(write);
    }
    // What ends the credential that asked for it is not judged again: it would be taken back.
    if let Some(warrant) = warrant
        && made.iter().any(|write| ends(write, warrant))
    {
        return Ok(());
    }
    match judge(stores, warrant).await {
        Ok(()) => Ok(()),
        Err(error) => Err(take_back(stores, made, error).await),
    }
}

/// Whether a change ends the credential by which it is made, as when people end all their sessions,
/// or disable or remove themselves.
fn ends(write: &Write, warrant: &Warrant) -> bool {
    match (write, &warrant.account) {
        (Write::RevokeSubject { subject, .. }, Some(account)) => subject == account,
        // Whose credential it is, no store can tell.
        (Write::RevokeSubject { .. }, None) => true,
        (Write::ReplaceUser { next, .. }, Some(account)) => {
            !next.is_active() && next.id == *account
        }
        _ => false,
    }
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

/// Undoes changes, the last one first, and returns the error to answer.
///
/// That is why they are undone, as long as all of them could be. Otherwise it is one of an
/// unavailable store, because every other kind promises that nothing was written. What is left is a
/// record whose secret nobody has, which can be revoked from its list, or a user who is changed,
/// was removed or was added.
async fn take_back(stores: &Stores, made: Vec<Write>, why: StoreError) -> StoreError {
    let mut left = None;
    for write in made.into_iter().rev() {
        if let Err(error) = undo(stores, write).await {
            left = Some(error);
        }
    }
    match left {
        None => why,
        Some(left) => StoreError::unavailable(format!(
            "{why:?}, and what was written before could not be taken back: {left:?}"
        )),
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
            let known = keys.find_owned_key(&next.owner, &next.id).await?;
            match known.filter(|known| is_as_made(known, &next)) {
                Some(known) => keys.replace_key(&known, *former, None).await,
                // Somebody has changed the key since, and that change must not be undone.
                None => Ok(()),
            }
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

/// Whether a key is as it was made by a replacement. A store may keep times less exactly than it was
/// given them, so these are not compared.
fn is_as_made(known: &KeyRecord, next: &KeyRecord) -> bool {
    let at_its_times = KeyRecord {
        created: next.created,
        expires: next.expires,
        revoked: next.revoked,
        ..known.clone()
    };
    at_its_times.is_unchanged_from(next) && known.revoked.is_some() == next.revoked.is_some()
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
    use crate::store::{
        FamilyRecord, KeyDigest, ManagedKeyStore, ManagedUserStore, Memory, PrivateTokenStore,
        UserRecord,
    };
    use crate::test_util::{Intercept, Intercepted};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, UNIX_EPOCH};

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

    #[tokio::test]
    async fn a_change_of_several_stores_that_cannot_be_taken_back_is_not_told_as_not_written() {
        let anna = Subject::user("7");
        let user = UserRecord::new(anna.clone(), "anna");
        let known = UserRecord::new(Subject::user("8"), "ben");
        let key = |id: &str, digest| {
            let digest = KeyDigest::new("sha256", [digest; 32]);
            KeyRecord::new(id, anna.clone(), "ci", "egret_", digest, UNIX_EPOCH)
        };
        let token = |id: &str| TokenRecord::new(id, anna.clone(), "ci", UNIX_EPOCH, UNIX_EPOCH);
        let family = |id: &str| {
            let until = UNIX_EPOCH + Duration::from_secs(100);
            FamilyRecord::new(id, anna.clone(), "{}", UNIX_EPOCH, until, "1", until)
        };
        // There is such a token already.
        let fails = Write::InsertPrivateToken(token("there"));
        let rows = [
            ("a user", "remove_user", Write::InsertUser(Box::new(user))),
            ("a key", "revoke_key", Write::InsertKey(key("new", 2))),
            (
                "a family",
                "revoke_family",
                Write::InsertFamily(Box::new(family("new"))),
            ),
            (
                "a private token",
                "revoke_private_token",
                Write::InsertPrivateToken(token("new")),
            ),
            (
                "a key that is replaced",
                "replace_key",
                Write::ReplaceKey {
                    former: Box::new(key("there", 1)),
                    next: Box::new(key("there", 3)),
                    successor: None,
                },
            ),
            (
                "a key and its successor",
                "revoke_key",
                Write::ReplaceKey {
                    former: Box::new(key("there", 1)),
                    next: Box::new(key("there", 1).revoked(UNIX_EPOCH)),
                    successor: Some(Box::new(key("new", 2))),
                },
            ),
            (
                "a user who is changed",
                "replace_user",
                Write::ReplaceUser {
                    former: Box::new(known.clone()),
                    next: Box::new(known.clone().scope("reports:read")),
                },
            ),
        ];
        for (name, undoing, write) in rows {
            for is_failing in [false, true] {
                let memory = Memory::new();
                memory.insert_user(known.clone()).await.unwrap();
                memory.insert_key(key("there", 1)).await.unwrap();
                memory.insert_private_token(token("there")).await.unwrap();
                // The change itself is the first call of that name, where it has the same one.
                let is_change = AtomicBool::new(undoing.starts_with("replace_"));
                let store = Intercepted::new(memory.clone(), move |call| {
                    let passes =
                        !is_failing || call != undoing || is_change.swap(false, Ordering::Relaxed);
                    match passes {
                        true => Intercept::Pass,
                        false => Intercept::Fail,
                    }
                });
                let stores = Stores::new()
                    .managed_users(store.clone())
                    .managed_keys(store.clone())
                    .private_tokens(store);
                let done = stores
                    .commit(None, vec![write.clone(), fails.clone()])
                    .await;
                let error = done.unwrap_err();
                let kind = match is_failing {
                    false => StoreErrorKind::Exists,
                    true => StoreErrorKind::Unavailable,
                };
                assert_eq!(error.kind(), kind, "{name}: {error:?}");
                let told = format!("{error:?}");
                assert_eq!(told.contains("taken back"), is_failing, "{name}: {told}");
                if is_failing {
                    continue;
                }
                let there = memory.find_owned_key(&anna, "there").await.unwrap();
                assert_eq!(there.as_deref(), Some(&key("there", 1)), "{name}");
                let new = memory.find_owned_key(&anna, "new").await.unwrap();
                assert!(new.is_none_or(|key| key.revoked.is_some()), "{name}");
                let ben = memory.find_user_by_id(&known.id).await.unwrap().unwrap();
                assert!(
                    ben.names == known.names && ben.state == known.state,
                    "{name}"
                );
                assert_eq!(ben.scopes, known.scopes, "{name}");
            }
        }
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_rotation_is_taken_back_where_a_store_keeps_times_less_exactly_than_it_is_given_them()
    {
        let dir = format!("tower-auth-in-turn-{}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        std::fs::create_dir_all(&dir).unwrap();
        let keys = crate::store::Sqlite::open(dir.join("auth.db"))
            .await
            .unwrap();
        keys.migrate().await.unwrap();
        let anna = Subject::user("7");
        let at = UNIX_EPOCH + Duration::from_nanos(10_000_000_123);
        let key = |id: &str, digest| {
            let digest = KeyDigest::new("sha256", [digest; 32]);
            KeyRecord::new(id, anna.clone(), "ci", "egret_", digest, at)
        };
        keys.insert_key(key("there", 1)).await.unwrap();
        let former = keys.find_owned_key(&anna, "there").await.unwrap().unwrap();
        let former = KeyRecord::clone(&former);
        let tokens = Memory::new();
        let token = TokenRecord::new("t", anna.clone(), "laptop", at, at);
        tokens.insert_private_token(token.clone()).await.unwrap();
        let stores = Stores::new()
            .managed_keys(keys.clone())
            .private_tokens(tokens);
        let rotated = Write::ReplaceKey {
            former: Box::new(former.clone()),
            next: Box::new(former.clone().superseded("new", at)),
            successor: Some(Box::new(key("new", 2))),
        };
        // There is such a token already.
        let fails = Write::InsertPrivateToken(token);
        let failed = stores.commit(None, vec![rotated, fails]).await.unwrap_err();
        assert_eq!(failed.kind(), StoreErrorKind::Exists, "{failed:?}");
        let there = keys.find_owned_key(&anna, "there").await.unwrap();
        assert_eq!(there.as_deref(), Some(&former));
        let successor = keys.find_owned_key(&anna, "new").await.unwrap();
        let is_revoked = successor.unwrap().revoked.is_some();
        assert!(is_revoked, "nobody has got to know the successor");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
