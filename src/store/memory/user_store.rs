use super::Memory;
use crate::principal::Subject;
use crate::store::{Account, ManagedUserStore, Peek, StoreError, UserRecord, UserStore};
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl UserStore for Memory {
    fn peek_user(&self, name: &str) -> Peek<UserRecord> {
        match self.users().find(name) {
            Some(user) => Peek::Found(user),
            None => Peek::Absent,
        }
    }

    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        Ok(self.users().find(name))
    }
}

#[async_trait]
impl ManagedUserStore for Memory {
    #[inline]
    fn peek_account(&self, id: &Subject) -> Account {
        self.users().account(id)
    }

    async fn find_user_by_id(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, StoreError> {
        Ok(self.users().find_by_id(id))
    }

    async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError> {
        self.users().insert(user)
    }

    async fn replace_user(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError> {
        self.users().replace(former, next)
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        Ok(self.users().list(after, most))
    }
}
