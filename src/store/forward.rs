//! Stores that hand every call to another one.

/// The three traits, for a type with a method `stores` that gives something that has them.
macro_rules! forward_stores {
    ($store:ty) => {
        const _: () = {
            use crate::principal::Subject;
            use crate::secret::Secret;
            use crate::store::*;
            use std::sync::Arc;
            use std::time::SystemTime;

            #[async_trait::async_trait]
            impl KeyStore for $store {
                fn peek_key(&self, digest: &KeyDigest, now: SystemTime) -> Peek<KeyRecord> {
                    self.stores().peek_key(digest, now)
                }

                async fn find_key(
                    &self,
                    digest: &KeyDigest,
                    now: SystemTime,
                ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
                    self.stores().find_key(digest, now).await
                }

                async fn find_owned_key(
                    &self,
                    owner: &Subject,
                    id: &str,
                    now: SystemTime,
                ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
                    self.stores().find_owned_key(owner, id, now).await
                }

                async fn insert_key(&self, record: KeyRecord, now: SystemTime) -> Result<(), StoreError> {
                    self.stores().insert_key(record, now).await
                }

                async fn list_keys(
                    &self,
                    owner: &Subject,
                    now: SystemTime,
                ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
                    self.stores().list_keys(owner, now).await
                }

                async fn rename_key(
                    &self,
                    owner: &Subject,
                    id: &str,
                    name: &str,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().rename_key(owner, id, name, now).await
                }

                async fn rotate_key(
                    &self,
                    owner: &Subject,
                    id: &str,
                    successor: KeyRecord,
                    until: SystemTime,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().rotate_key(owner, id, successor, until, now).await
                }

                async fn revoke_key(
                    &self,
                    owner: &Subject,
                    id: &str,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().revoke_key(owner, id, now).await
                }

                async fn replace_key_digest(
                    &self,
                    from: &KeyDigest,
                    to: KeyDigest,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().replace_key_digest(from, to, now).await
                }

                async fn note_key_uses(
                    &self,
                    uses: &[(KeyDigest, SystemTime)],
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().note_key_uses(uses, now).await
                }

                async fn next_key_number(&self, now: SystemTime) -> Result<u64, StoreError> {
                    self.stores().next_key_number(now).await
                }

                async fn purge_keys(
                    &self,
                    before: SystemTime,
                    most: usize,
                    now: SystemTime,
                ) -> Result<usize, StoreError> {
                    self.stores().purge_keys(before, most, now).await
                }
            }

            #[async_trait::async_trait]
            impl UserStore for $store {
                fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
                    self.stores().peek_user(name, now)
                }

                async fn find_user(
                    &self,
                    name: &str,
                    now: SystemTime,
                ) -> Result<Option<Arc<UserRecord>>, StoreError> {
                    self.stores().find_user(name, now).await
                }

                async fn find_user_by_id(
                    &self,
                    id: &Subject,
                    now: SystemTime,
                ) -> Result<Option<Arc<UserRecord>>, StoreError> {
                    self.stores().find_user_by_id(id, now).await
                }

                fn peek_disabled(&self, id: &Subject, now: SystemTime) -> Known {
                    self.stores().peek_disabled(id, now)
                }

                async fn is_disabled(&self, id: &Subject, now: SystemTime) -> Result<bool, StoreError> {
                    self.stores().is_disabled(id, now).await
                }

                async fn insert_user(&self, user: UserRecord, now: SystemTime) -> Result<(), StoreError> {
                    self.stores().insert_user(user, now).await
                }

                async fn change_user(
                    &self,
                    id: &Subject,
                    change: UserChange,
                    now: SystemTime,
                ) -> Result<Arc<UserRecord>, StoreError> {
                    self.stores().change_user(id, change, now).await
                }

                async fn replace_password(
                    &self,
                    id: &Subject,
                    from: Option<&Secret<String>>,
                    to: Secret<String>,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().replace_password(id, from, to, now).await
                }

                async fn list_users(
                    &self,
                    after: Option<&Subject>,
                    most: usize,
                    now: SystemTime,
                ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
                    self.stores().list_users(after, most, now).await
                }

                async fn remove_user(&self, id: &Subject, now: SystemTime) -> Result<(), StoreError> {
                    self.stores().remove_user(id, now).await
                }
            }

            #[async_trait::async_trait]
            impl TokenStore for $store {
                fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
                    self.stores().peek_revoked(token, now)
                }

                async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
                    self.stores().is_revoked(token, now).await
                }

                async fn revoke_token(
                    &self,
                    id: &str,
                    until: SystemTime,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().revoke_token(id, until, now).await
                }

                async fn insert_family(
                    &self,
                    family: FamilyRecord,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().insert_family(family, now).await
                }

                async fn find_family(
                    &self,
                    id: &str,
                    now: SystemTime,
                ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
                    self.stores().find_family(id, now).await
                }

                async fn rotate_family(
                    &self,
                    rotation: Rotation<'_>,
                    now: SystemTime,
                ) -> Result<Rotated, StoreError> {
                    self.stores().rotate_family(rotation, now).await
                }

                async fn revoke_family(
                    &self,
                    id: &str,
                    access_until: SystemTime,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().revoke_family(id, access_until, now).await
                }

                async fn revoke_subject(
                    &self,
                    subject: &Subject,
                    access_until: SystemTime,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().revoke_subject(subject, access_until, now).await
                }

                async fn insert_private_token(
                    &self,
                    token: TokenRecord,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().insert_private_token(token, now).await
                }

                async fn list_private_tokens(
                    &self,
                    owner: &Subject,
                    now: SystemTime,
                ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
                    self.stores().list_private_tokens(owner, now).await
                }

                async fn revoke_private_token(
                    &self,
                    owner: &Subject,
                    id: &str,
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().revoke_private_token(owner, id, now).await
                }

                async fn note_token_uses(
                    &self,
                    uses: &[(String, SystemTime)],
                    now: SystemTime,
                ) -> Result<(), StoreError> {
                    self.stores().note_token_uses(uses, now).await
                }

                async fn purge_tokens(
                    &self,
                    before: SystemTime,
                    most: usize,
                    now: SystemTime,
                ) -> Result<usize, StoreError> {
                    self.stores().purge_tokens(before, most, now).await
                }
            }
        };
    };
}
pub(super) use forward_stores;
