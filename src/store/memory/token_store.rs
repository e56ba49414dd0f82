use super::Memory;
use crate::principal::Subject;
use crate::store::{
    FamilyRecord, Known, PrivateTokenStore, Rotated, Rotation, StoreError, TokenIds, TokenRecord,
    TokenStore,
};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

#[async_trait]
impl TokenStore for Memory {
    #[inline]
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        self.tokens().denials.peek(token, now)
    }

    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        Ok(self.tokens().denials.peek(token, now) == Known::Yes)
    }

    async fn revoke_token(
        &self,
        id: &str,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.tokens().revoke_id(id, until, now);
        Ok(())
    }

    async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
        self.tokens().insert_family(family)
    }

    async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        Ok(self.tokens().find_family(id))
    }

    async fn replace_family(
        &self,
        former: &FamilyRecord,
        next: FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        self.tokens().replace_family(former, next, denied_until)
    }

    async fn list_families(
        &self,
        subject: &Subject,
        after: Option<&FamilyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
        Ok(self.tokens().list_families(subject, after, most))
    }

    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError> {
        Ok(self.tokens().rotate_family(&rotation, now))
    }

    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.tokens().revoke_family(id, access_until, now);
        Ok(())
    }

    async fn revoke_families(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.tokens().revoke_families(subject, access_until, now);
        Ok(())
    }

    async fn purge_tokens(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        Ok(self.tokens().purge(before, most))
    }
}

#[async_trait]
impl PrivateTokenStore for Memory {
    async fn find_private_token(&self, id: &str) -> Result<Option<Arc<TokenRecord>>, StoreError> {
        Ok(self.tokens().find_private(id))
    }

    async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError> {
        self.tokens().insert_private(token)
    }

    async fn replace_private_token(
        &self,
        former: &TokenRecord,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        self.tokens().replace_private(former, next, denied_until)
    }

    async fn list_private_tokens(
        &self,
        owner: &Subject,
        after: Option<&TokenRecord>,
        most: usize,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
        Ok(self.tokens().list_private(owner, after, most))
    }

    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        self.tokens().revoke_private(owner, id, at)
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.tokens().revoke_subject(subject, access_until, now);
        Ok(())
    }

    async fn note_token_uses(&self, uses: &[(String, SystemTime)]) -> Result<(), StoreError> {
        for (id, at) in uses {
            if let Some(token) = self.tokens().find_private(id) {
                token.last_used.set(*at);
            }
        }
        Ok(())
    }

    async fn purge_private_tokens(
        &self,
        before: SystemTime,
        most: usize,
    ) -> Result<usize, StoreError> {
        Ok(self.tokens().purge_private(before, most))
    }
}
