use super::{Memory, read, write};
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, KeyStore, Peek, StoreError, StoreErrorKind};
use async_trait::async_trait;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Default)]
pub(super) struct Keys {
    by_digest: HashMap<[u8; 32], Arc<KeyRecord>, BuildHasherDefault<DigestHasher>>,
    digests: HashMap<Box<str>, [u8; 32]>,
    numbers: u64,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.by_digest.len()
    }

    fn find(&self, digest: &KeyDigest) -> Option<&Arc<KeyRecord>> {
        self.by_digest
            .get(digest.bytes())
            .filter(|record| record.digest().is_like(digest))
    }

    fn owned(&mut self, owner: &Subject, id: &str) -> Result<&mut Arc<KeyRecord>, StoreError> {
        let digest = self.digests.get(id).copied();
        let record = digest.and_then(|digest| self.by_digest.get_mut(&digest));
        record
            .filter(|record| record.owner() == owner)
            .ok_or_else(missing)
    }

    fn insert(&mut self, record: KeyRecord) -> Result<(), StoreError> {
        let digest = *record.digest().bytes();
        if self.digests.contains_key(record.id()) || self.by_digest.contains_key(&digest) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        self.digests.insert(record.id().into(), digest);
        self.by_digest.insert(digest, Arc::new(record));
        Ok(())
    }
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

/// Changes a record that others may hold, who keep the former one.
fn change(record: &mut Arc<KeyRecord>, change: impl FnOnce(KeyRecord) -> KeyRecord) {
    *record = Arc::new(change(KeyRecord::clone(record)));
}

#[async_trait]
impl KeyStore for Memory {
    fn peek_key(&self, digest: &KeyDigest, _now: SystemTime) -> Peek<KeyRecord> {
        read(&self.0.keys)
            .find(digest)
            .map_or(Peek::Absent, |record| Peek::Found(Arc::clone(record)))
    }

    async fn find_key(
        &self,
        digest: &KeyDigest,
        _now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        Ok(read(&self.0.keys).find(digest).cloned())
    }

    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
        _now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let keys = read(&self.0.keys);
        let record = keys
            .digests
            .get(id)
            .and_then(|digest| keys.by_digest.get(digest));
        Ok(record.filter(|record| record.owner() == owner).cloned())
    }

    async fn insert_key(&self, record: KeyRecord, _now: SystemTime) -> Result<(), StoreError> {
        write(&self.0.keys).insert(record)
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        _now: SystemTime,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let keys = read(&self.0.keys);
        let mut owned: Vec<_> = keys
            .by_digest
            .values()
            .filter(|record| record.owner() == owner)
            .cloned()
            .collect();
        owned.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(owned)
    }

    async fn rename_key(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        change(write(&self.0.keys).owned(owner, id)?, |record| {
            record.renamed(name)
        });
        Ok(())
    }

    async fn rotate_key(
        &self,
        owner: &Subject,
        id: &str,
        successor: KeyRecord,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut keys = write(&self.0.keys);
        let record = keys.owned(owner, id)?;
        if !record.is_active(now) || record.successor().is_some() {
            return Err(missing());
        }
        let next = successor.id().to_owned();
        keys.insert(successor)?;
        change(keys.owned(owner, id)?, |record| {
            record.superseded(next, until)
        });
        Ok(())
    }

    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        change(write(&self.0.keys).owned(owner, id)?, |record| {
            record.revoked(now)
        });
        Ok(())
    }

    async fn replace_key_digest(
        &self,
        from: &KeyDigest,
        to: KeyDigest,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut keys = write(&self.0.keys);
        let record = keys.find(from).cloned().ok_or_else(missing)?;
        if keys.by_digest.contains_key(to.bytes()) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        keys.by_digest.remove(from.bytes());
        keys.digests.insert(record.id().into(), *to.bytes());
        keys.by_digest.insert(
            *to.bytes(),
            Arc::new(KeyRecord::clone(&record).found_by(to)),
        );
        Ok(())
    }

    async fn note_key_uses(
        &self,
        uses: &[(KeyDigest, SystemTime)],
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let keys = read(&self.0.keys);
        for (digest, at) in uses {
            if let Some(record) = keys.find(digest) {
                record.note_use(*at);
            }
        }
        Ok(())
    }

    async fn next_key_number(&self, _now: SystemTime) -> Result<u64, StoreError> {
        let mut keys = write(&self.0.keys);
        keys.numbers = keys.numbers.saturating_add(1);
        Ok(keys.numbers)
    }

    async fn purge_keys(
        &self,
        before: SystemTime,
        most: usize,
        _now: SystemTime,
    ) -> Result<usize, StoreError> {
        let mut keys = write(&self.0.keys);
        let is_over = |record: &&Arc<KeyRecord>| {
            [record.revoked_at(), record.expires_at()]
                .into_iter()
                .flatten()
                .any(|end| end < before)
        };
        let over: Vec<_> = keys
            .by_digest
            .values()
            .filter(is_over)
            .take(most)
            .cloned()
            .collect();
        for record in &over {
            keys.by_digest.remove(record.digest().bytes());
            keys.digests.remove(record.id());
        }
        Ok(over.len())
    }
}

/// A digest is its own hash. An attacker cannot choose which keys are stored, so collisions cannot be planted.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
