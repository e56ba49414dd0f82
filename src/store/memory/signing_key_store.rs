use super::Memory;
use crate::store::{SigningKeyRecord, SigningKeyStore, StoreError};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

#[async_trait]
impl SigningKeyStore for Memory {
    async fn list_signing_keys(
        &self,
        issuer: &str,
    ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError> {
        Ok(self.signing_keys().list(issuer))
    }

    async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
        self.signing_keys().insert(key)
    }

    async fn replace_signing_key(
        &self,
        former: &SigningKeyRecord,
        next: SigningKeyRecord,
    ) -> Result<(), StoreError> {
        self.signing_keys().replace(former, next)
    }

    async fn forget_signing_keys(&self, issuer: &str, at: SystemTime) -> Result<usize, StoreError> {
        Ok(self.signing_keys().forget(issuer, at))
    }
}
