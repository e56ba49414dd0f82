use crate::principal::Subject;
use crate::store::accounts::Accounts;
use crate::store::shards::Shards;
use crate::store::{Account, StoreError, StoreErrorKind, UserRecord, Write};
use quick_cache::DefaultHashBuilder;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(super) struct Users {
    /// By a keyed hash: nobody sees one, so nobody can choose names that meet. It costs half of
    /// what the standard library's does.
    by_name: Shards<HashMap<Box<str>, Arc<UserRecord>, DefaultHashBuilder>>,
    accounts: Accounts,
    /// Removed users too, whose ids stay taken. Who changes something has this, from its first
    /// look to its last write. A request does not wait for it.
    by_id: Mutex<ById>,
}

/// In the order in which users are listed.
pub(super) type ById = BTreeMap<Key, Arc<UserRecord>>;

/// Kind and id.
pub(super) type Key = (Box<str>, Box<str>);

pub(super) fn key(id: &Subject) -> Key {
    (id.kind().into(), id.id().into())
}

impl Users {
    #[inline]
    pub(super) fn find(&self, name: &str) -> Option<Arc<UserRecord>> {
        self.by_name.read(name.as_bytes()).get(name).cloned()
    }

    pub(super) fn find_by_id(&self, id: &Subject) -> Option<Arc<UserRecord>> {
        self.by_id().get(&key(id)).cloned()
    }

    #[inline]
    pub(super) fn account(&self, id: &Subject) -> Account {
        self.accounts.get(id)
    }

    pub(super) fn insert(&self, user: UserRecord) -> Result<(), StoreError> {
        let mut by_id = self.by_id();
        self.check_free(&by_id, &[], &user)?;
        self.put(&mut by_id, user);
        Ok(())
    }

    /// Whether nobody has that id or one of the names, once the earlier changes are made.
    pub(super) fn check_free(
        &self,
        by_id: &ById,
        earlier: &[Write],
        user: &UserRecord,
    ) -> Result<(), StoreError> {
        let is_taken = after(by_id, earlier, &user.id).is_some();
        if is_taken || self.clashes(by_id, earlier, user) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        Ok(())
    }

    pub(super) fn replace(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError> {
        let mut by_id = self.by_id();
        self.check_replaced(&by_id, &[], former, &next)?;
        self.put_replaced(&mut by_id, next);
        Ok(())
    }

    /// Whether a record can be replaced, once the earlier changes are made; nothing is changed.
    pub(super) fn check_replaced(
        &self,
        by_id: &ById,
        earlier: &[Write],
        former: &UserRecord,
        next: &UserRecord,
    ) -> Result<(), StoreError> {
        let known = after(by_id, earlier, &former.id);
        let Some(known) = known.filter(|known| **known == *former) else {
            return Err(StoreError::new(StoreErrorKind::Missing));
        };
        if next.id != known.id {
            let another = "a user who is replaced keeps the id";
            return Err(StoreError::because(StoreErrorKind::Invalid, another));
        }
        if self.clashes(by_id, earlier, next) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        Ok(())
    }

    /// Replaces a record, which was found possible.
    pub(super) fn put_replaced(&self, by_id: &mut ById, next: UserRecord) {
        let known = by_id.get(&key(&next.id)).cloned();
        // The new names come before the former ones go, so that whoever signs in by a name that
        // stays is never unknown.
        let next = match &known {
            Some(known) => next.replacing(known),
            None => next,
        };
        let next = self.put(by_id, next);
        for name in known.iter().flat_map(|known| &known.names) {
            if !next.names.contains(name) {
                self.by_name.write(name.as_bytes()).remove(name);
            }
        }
    }

    pub(super) fn list(&self, after: Option<&Subject>, most: usize) -> Vec<Arc<UserRecord>> {
        let start = match after {
            Some(after) => Bound::Excluded(key(after)),
            None => Bound::Unbounded,
        };
        let by_id = self.by_id();
        let users = by_id.range((start, Bound::Unbounded)).map(|(_, user)| user);
        let there = users.filter(|user| !user.is_removed());
        there.take(most).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        let by_id = self.by_id();
        by_id.values().filter(|user| !user.is_removed()).count()
    }

    /// Whether a name is another user's, once the earlier changes are made.
    fn clashes(&self, by_id: &ById, earlier: &[Write], user: &UserRecord) -> bool {
        user.names.iter().any(|name| {
            let holder = self.find(name);
            let mut ids = holder
                .iter()
                .map(|holder| &holder.id)
                .chain(earlier.iter().filter_map(changed));
            ids.any(|id| *id != user.id && has_name(by_id, earlier, id, name))
        })
    }

    pub(super) fn put(&self, by_id: &mut ById, user: UserRecord) -> Arc<UserRecord> {
        let user = Arc::new(user);
        // Before the names: whoever is disabled by this change is refused as soon as the new record
        // can be found.
        self.accounts.set(&user.id, user.account());
        for name in &user.names {
            let mut shard = self.by_name.write(name.as_bytes());
            shard.insert(name.clone(), Arc::clone(&user));
        }
        by_id.insert(key(&user.id), Arc::clone(&user));
        user
    }

    // Held for a look-up or a change in memory, never over an await. A panic cannot leave half a
    // change: each is checked first and then made by calls that do not panic.
    pub(super) fn by_id(&self) -> MutexGuard<'_, ById> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A user as it is once the earlier changes are made.
fn after(by_id: &ById, earlier: &[Write], id: &Subject) -> Option<Arc<UserRecord>> {
    let mut user = by_id.get(&key(id)).cloned();
    for write in earlier.iter().filter(|write| changed(write) == Some(id)) {
        match write {
            Write::InsertUser(added) => user = Some(Arc::new(UserRecord::clone(added))),
            Write::ReplaceUser { former, next } => {
                let next = UserRecord::clone(next);
                user = Some(Arc::new(next.replacing(former)));
            }
            _ => {}
        }
    }
    user
}

fn has_name(by_id: &ById, earlier: &[Write], id: &Subject, name: &str) -> bool {
    match after(by_id, earlier, id) {
        Some(user) => user.names.iter().any(|own| **own == *name),
        None => false,
    }
}

/// Which user a change adds or replaces.
fn changed(write: &Write) -> Option<&Subject> {
    match write {
        Write::InsertUser(user) => Some(&user.id),
        Write::ReplaceUser { next, .. } => Some(&next.id),
        _ => None,
    }
}
