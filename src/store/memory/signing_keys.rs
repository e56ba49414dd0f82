use crate::store::{SigningKeyRecord, StoreError, StoreErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// They are few, and read some times an hour: they are looked through.
#[derive(Default)]
pub(super) struct SigningKeys(Mutex<Vec<Arc<SigningKeyRecord>>>);

impl SigningKeys {
    pub(super) fn list(&self, issuer: &str) -> Vec<Arc<SigningKeyRecord>> {
        let mut keys = self.all().clone();
        keys.retain(|key| *key.issuer == *issuer);
        keys.sort_by_key(|key| key.serial);
        keys
    }

    pub(super) fn insert(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
        let mut all = self.all();
        let mut of_issuer = all.iter().filter(|known| known.issuer == key.issuer);
        if of_issuer.any(|known| known.serial == key.serial || known.id == key.id) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        all.push(Arc::new(key));
        Ok(())
    }

    pub(super) fn replace(
        &self,
        former: &SigningKeyRecord,
        next: SigningKeyRecord,
    ) -> Result<(), StoreError> {
        let mut all = self.all();
        match all.iter_mut().find(|known| ***known == *former) {
            Some(known) => {
                *known = Arc::new(next);
                Ok(())
            }
            None => Err(StoreError::new(StoreErrorKind::Missing)),
        }
    }

    pub(super) fn forget(&self, issuer: &str, at: SystemTime) -> usize {
        let mut all = self.all();
        let before = all.len();
        all.retain(|key| *key.issuer != *issuer || key.forgotten_at > at);
        before - all.len()
    }

    // Held for a look-up or a change in memory, never over an await. A panic cannot leave half a
    // change: each is one call of a vector.
    fn all(&self) -> MutexGuard<'_, Vec<Arc<SigningKeyRecord>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
