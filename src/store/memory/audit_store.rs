use super::Memory;
use crate::store::{AuditRecord, AuditStore, StoreError};
use async_trait::async_trait;
use std::time::SystemTime;

#[async_trait]
impl AuditStore for Memory {
    async fn insert_audit(&self, records: &[AuditRecord]) -> Result<(), StoreError> {
        self.audit().insert(records);
        Ok(())
    }

    async fn list_audit(
        &self,
        after: Option<u64>,
        most: usize,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        Ok(self.audit().list(after, most))
    }

    async fn purge_audit(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        Ok(self.audit().purge(before, most))
    }
}
