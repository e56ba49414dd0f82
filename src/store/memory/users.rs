use super::{Memory, read, write};
use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{Known, Peek, StoreError, StoreErrorKind, UserChange, UserRecord, UserStore};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;
use subtle::ConstantTimeEq;

#[derive(Default)]
pub(super) struct Users {
    by_name: HashMap<Box<str>, Arc<UserRecord>>,
    /// `None` is a user who was removed, whose id stays taken.
    by_id: BTreeMap<Key, Option<Arc<UserRecord>>>,
}

/// Kind and id, in the order in which users are listed.
type Key = (Box<str>, Box<str>);

fn key(id: &Subject) -> Key {
    (id.kind().into(), id.id().into())
}

impl Users {
    pub(super) fn len(&self) -> usize {
        self.by_id.values().flatten().count()
    }

    fn get(&self, id: &Subject) -> Option<&Arc<UserRecord>> {
        self.by_id.get(&key(id)).and_then(Option::as_ref)
    }

    fn known(&self, id: &Subject) -> Result<Arc<UserRecord>, StoreError> {
        self.get(id)
            .cloned()
            .ok_or_else(|| StoreError::new(StoreErrorKind::Missing))
    }

    /// Puts a record in the place of the former one of that id, if any, under its names.
    fn put(&mut self, user: &Arc<UserRecord>) {
        self.forget_names(user.id());
        for name in user.names() {
            self.by_name.insert(name.into(), Arc::clone(user));
        }
        self.by_id.insert(key(user.id()), Some(Arc::clone(user)));
    }

    fn forget_names(&mut self, id: &Subject) {
        if let Some(former) = self.get(id).cloned() {
            former
                .names()
                .for_each(|name| drop(self.by_name.remove(name)));
        }
    }

    /// Whether a name is another user's.
    fn clashes(&self, user: &UserRecord) -> bool {
        let taken = |name: &str| {
            self.by_name
                .get(name)
                .is_some_and(|other| other.id() != user.id())
        };
        user.names().any(taken)
    }
}

#[async_trait]
impl UserStore for Memory {
    fn peek_user(&self, name: &str, _now: SystemTime) -> Peek<UserRecord> {
        match read(&self.0.users).by_name.get(name) {
            Some(user) => Peek::Found(Arc::clone(user)),
            None => Peek::Absent,
        }
    }

    async fn find_user(
        &self,
        name: &str,
        _now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        Ok(read(&self.0.users).by_name.get(name).cloned())
    }

    async fn find_user_by_id(
        &self,
        id: &Subject,
        _now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        Ok(read(&self.0.users).get(id).cloned())
    }

    fn peek_disabled(&self, id: &Subject, _now: SystemTime) -> Known {
        let users = read(&self.0.users);
        let disabled = users
            .by_id
            .get(&key(id))
            .map(|user| !user.as_ref().is_some_and(|user| user.is_active()));
        disabled.unwrap_or(false).into()
    }

    async fn is_disabled(&self, id: &Subject, now: SystemTime) -> Result<bool, StoreError> {
        Ok(self.peek_disabled(id, now) == Known::Yes)
    }

    async fn insert_user(&self, user: UserRecord, _now: SystemTime) -> Result<(), StoreError> {
        let mut users = write(&self.0.users);
        if users.by_id.contains_key(&key(user.id())) || users.clashes(&user) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        users.put(&Arc::new(user));
        Ok(())
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
        _now: SystemTime,
    ) -> Result<Arc<UserRecord>, StoreError> {
        let mut users = write(&self.0.users);
        let user = UserRecord::clone(&*users.known(id)?).changed(change);
        if users.clashes(&user) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        let user = Arc::new(user);
        users.put(&user);
        Ok(user)
    }

    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut users = write(&self.0.users);
        let user = users.known(id)?;
        let bytes =
            |hash: Option<&Secret<String>>| hash.map(|hash| hash.expose().clone().into_bytes());
        let same = match (bytes(user.stored_hash()), bytes(from)) {
            (Some(stored), Some(from)) => bool::from(stored.ct_eq(&from)),
            (None, None) => true,
            _ => false,
        };
        if !same {
            return Err(StoreError::new(StoreErrorKind::Missing));
        }
        users.put(&Arc::new(
            UserRecord::clone(&user).password_hash(to.expose()),
        ));
        Ok(())
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
        _now: SystemTime,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        let users = read(&self.0.users);
        let start = after.map_or(Bound::Unbounded, |after| Bound::Excluded(key(after)));
        Ok(users
            .by_id
            .range((start, Bound::Unbounded))
            .filter_map(|(_, user)| user.clone())
            .take(most)
            .collect())
    }

    async fn remove_user(&self, id: &Subject, _now: SystemTime) -> Result<(), StoreError> {
        let mut users = write(&self.0.users);
        users.known(id)?;
        users.forget_names(id);
        users.by_id.insert(key(id), None);
        Ok(())
    }
}
