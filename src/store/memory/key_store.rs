use super::Memory;
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Peek, StoreError};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

#[async_trait]
impl KeyStore for Memory {
    fn peek_key(&self, digest: &KeyDigest) -> Peek<KeyRecord> {
        match self.keys().find(digest) {
            Some(record) => Peek::Found(record),
            None => Peek::Absent,
        }
    }

    async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().find(digest))
    }
}

#[async_trait]
impl ManagedKeyStore for Memory {
    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().find_owned(owner, id))
    }

    async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError> {
        self.keys().insert(record)
    }

    async fn replace_key(
        &self,
        former: &KeyRecord,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) -> Result<(), StoreError> {
        self.keys().replace(former, next, successor)
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        after: Option<&KeyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().list(owner, after, most))
    }

    async fn note_key_uses(&self, uses: &[(KeyDigest, SystemTime)]) -> Result<(), StoreError> {
        for (digest, at) in uses {
            if let Some(record) = self.keys().find(digest) {
                record.last_used.set(*at);
            }
        }
        Ok(())
    }

    async fn next_key_number(&self) -> Result<u64, StoreError> {
        Ok(self.keys().next_number())
    }

    async fn find_key_by_id(&self, id: &str) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().find_by_id(id))
    }

    async fn list_all_keys(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        Ok(self.keys().list_all(after, most))
    }

    async fn purge_keys(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        Ok(self.keys().purge(before, most))
    }
}
