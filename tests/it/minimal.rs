//! A store with the required methods alone, so that the provided ones are tested.
//!
//! It is as plain as can be, and as unkind as is allowed: each call lets others go first, and a
//! use that was noted counts as a change of the record.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;
use tokio::sync::Mutex;
use tokio::task::yield_now;
use tower_auth::Subject;
use tower_auth::store::{
    FamilyRecord, KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, ManagedUserStore,
    PrivateTokenStore, SigningKeyRecord, SigningKeyStore, StoreError, StoreErrorKind, TokenIds,
    TokenRecord, TokenStore, UserRecord, UserStore,
};

#[derive(Debug, Default)]
pub(crate) struct Minimal {
    keys: Mutex<Vec<KeyRecord>>,
    users: Mutex<BTreeMap<(String, String), UserRecord>>,
    tokens: Mutex<Tokens>,
    signing_keys: Mutex<Vec<SigningKeyRecord>>,
    /// Every replacement is refused, though the record is what it was.
    pub(crate) refuses: AtomicBool,
}

#[derive(Debug, Default)]
struct Tokens {
    families: Vec<FamilyRecord>,
    private: Vec<TokenRecord>,
    revoked_tokens: BTreeMap<String, SystemTime>,
    revoked_families: BTreeMap<String, SystemTime>,
}

fn error(kind: StoreErrorKind) -> StoreError {
    StoreError::new(kind)
}

fn is_taken(keys: &[KeyRecord], record: &KeyRecord) -> bool {
    keys.iter()
        .any(|key| key.id == record.id || key.digest == record.digest)
}

#[async_trait]
impl KeyStore for Minimal {
    async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        yield_now().await;
        let keys = self.keys.lock().await;
        let found = keys.iter().find(|key| key.digest == *digest);
        Ok(found.cloned().map(Arc::new))
    }
}

#[async_trait]
impl ManagedKeyStore for Minimal {
    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        yield_now().await;
        let keys = self.keys.lock().await;
        let found = keys
            .iter()
            .find(|key| *key.id == *id && key.owner == *owner);
        Ok(found.cloned().map(Arc::new))
    }

    async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError> {
        yield_now().await;
        let mut keys = self.keys.lock().await;
        if is_taken(&keys, &record) {
            return Err(error(StoreErrorKind::Exists));
        }
        keys.push(record);
        Ok(())
    }

    async fn replace_key(
        &self,
        former: &KeyRecord,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) -> Result<(), StoreError> {
        yield_now().await;
        let mut keys = self.keys.lock().await;
        let at = keys.iter().position(|key| key == former);
        let Some(at) = at.filter(|_| !self.refuses.load(Ordering::SeqCst)) else {
            return Err(error(StoreErrorKind::Missing));
        };
        let mut after = keys.clone();
        after.remove(at);
        for record in [Some(next), successor].into_iter().flatten() {
            if is_taken(&after, &record) {
                return Err(error(StoreErrorKind::Exists));
            }
            after.push(record);
        }
        *keys = after;
        Ok(())
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        after: Option<&KeyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        yield_now().await;
        let mut keys = self.keys.lock().await.clone();
        let after = after.map(|after| (after.created, after.id.clone()));
        keys.retain(|key| key.owner == *owner && Some((key.created, key.id.clone())) > after);
        keys.sort_by_key(|key| (key.created, key.id.clone()));
        Ok(keys.into_iter().take(most).map(Arc::new).collect())
    }
}

fn key(id: &Subject) -> (String, String) {
    (id.kind().to_owned(), id.id().to_owned())
}

fn has_name(user: &UserRecord, name: &str) -> bool {
    user.names.iter().any(|known| **known == *name)
}

#[async_trait]
impl UserStore for Minimal {
    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        yield_now().await;
        let users = self.users.lock().await;
        let found = users.values().find(|user| has_name(user, name));
        Ok(found.cloned().map(Arc::new))
    }
}

#[async_trait]
impl ManagedUserStore for Minimal {
    async fn find_user_by_id(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, StoreError> {
        yield_now().await;
        let users = self.users.lock().await;
        Ok(users.get(&key(id)).cloned().map(Arc::new))
    }

    async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError> {
        yield_now().await;
        let mut users = self.users.lock().await;
        let mut others = users.values();
        let clashes = others.any(|other| user.names.iter().any(|name| has_name(other, name)));
        if clashes || users.contains_key(&key(&user.id)) {
            return Err(error(StoreErrorKind::Exists));
        }
        users.insert(key(&user.id), user);
        Ok(())
    }

    async fn replace_user(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError> {
        yield_now().await;
        let mut users = self.users.lock().await;
        if users.get(&key(&former.id)) != Some(former) {
            return Err(error(StoreErrorKind::Missing));
        }
        let mut others = users.values().filter(|other| other.id != former.id);
        if others.any(|other| next.names.iter().any(|name| has_name(other, name))) {
            return Err(error(StoreErrorKind::Exists));
        }
        users.insert(key(&next.id), next);
        Ok(())
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        yield_now().await;
        let users = self.users.lock().await;
        let after = after.map(key);
        let later = users
            .iter()
            .filter(|(id, user)| Some(*id) > after.as_ref() && !user.is_removed());
        let page = later.map(|(_, user)| Arc::new(user.clone()));
        Ok(page.take(most).collect())
    }
}

fn deny(revoked: &mut BTreeMap<String, SystemTime>, id: &str, until: SystemTime) {
    let known = revoked.entry(id.to_owned()).or_insert(until);
    *known = until.max(*known);
}

#[async_trait]
impl TokenStore for Minimal {
    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        yield_now().await;
        let tokens = self.tokens.lock().await;
        let family = token.family.and_then(|id| tokens.revoked_families.get(id));
        let until = [tokens.revoked_tokens.get(token.token), family];
        Ok(until.into_iter().flatten().any(|until| now < *until))
    }

    async fn revoke_token(
        &self,
        id: &str,
        until: SystemTime,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        yield_now().await;
        deny(&mut self.tokens.lock().await.revoked_tokens, id, until);
        Ok(())
    }

    async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
        yield_now().await;
        let families = &mut self.tokens.lock().await.families;
        if families.iter().any(|known| known.id == family.id) {
            return Err(error(StoreErrorKind::Exists));
        }
        families.push(family);
        Ok(())
    }

    async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        yield_now().await;
        let tokens = self.tokens.lock().await;
        let found = tokens.families.iter().find(|family| *family.id == *id);
        Ok(found.cloned().map(Arc::new))
    }

    async fn replace_family(
        &self,
        former: &FamilyRecord,
        next: FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        yield_now().await;
        let mut tokens = self.tokens.lock().await;
        let at = tokens.families.iter().position(|known| known == former);
        let at = at.ok_or_else(|| error(StoreErrorKind::Missing))?;
        tokens.families[at] = next;
        if let Some(until) = denied_until {
            deny(&mut tokens.revoked_families, &former.id, until);
        }
        Ok(())
    }

    async fn list_families(
        &self,
        subject: &Subject,
        after: Option<&FamilyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
        yield_now().await;
        let mut page = self.tokens.lock().await.families.clone();
        let after = after.map(|after| (after.created, after.id.clone()));
        page.retain(|one| one.subject == *subject && Some((one.created, one.id.clone())) > after);
        page.sort_by_key(|one| (one.created, one.id.clone()));
        Ok(page.into_iter().take(most).map(Arc::new).collect())
    }
}

#[async_trait]
impl PrivateTokenStore for Minimal {
    async fn find_private_token(&self, id: &str) -> Result<Option<Arc<TokenRecord>>, StoreError> {
        yield_now().await;
        let tokens = self.tokens.lock().await;
        let found = tokens.private.iter().find(|token| *token.id == *id);
        Ok(found.cloned().map(Arc::new))
    }

    async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError> {
        yield_now().await;
        let private = &mut self.tokens.lock().await.private;
        if private.iter().any(|known| known.id == token.id) {
            return Err(error(StoreErrorKind::Exists));
        }
        private.push(token);
        Ok(())
    }

    async fn replace_private_token(
        &self,
        former: &TokenRecord,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        yield_now().await;
        let mut tokens = self.tokens.lock().await;
        let at = tokens.private.iter().position(|known| known == former);
        let at = at.ok_or_else(|| error(StoreErrorKind::Missing))?;
        tokens.private[at] = next;
        if let Some(until) = denied_until {
            deny(&mut tokens.revoked_tokens, &former.id, until);
        }
        Ok(())
    }

    async fn list_private_tokens(
        &self,
        owner: &Subject,
        after: Option<&TokenRecord>,
        most: usize,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
        yield_now().await;
        let mut page = self.tokens.lock().await.private.clone();
        let after = after.map(|after| (after.created, after.id.clone()));
        page.retain(|one| one.owner == *owner && Some((one.created, one.id.clone())) > after);
        page.sort_by_key(|one| (one.created, one.id.clone()));
        Ok(page.into_iter().take(most).map(Arc::new).collect())
    }
}

#[async_trait]
impl SigningKeyStore for Minimal {
    async fn list_signing_keys(
        &self,
        issuer: &str,
    ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError> {
        yield_now().await;
        let mut keys = self.signing_keys.lock().await.clone();
        keys.retain(|key| *key.issuer == *issuer);
        keys.sort_by_key(|key| key.serial);
        Ok(keys.into_iter().map(Arc::new).collect())
    }

    async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
        yield_now().await;
        let mut keys = self.signing_keys.lock().await;
        let mut of_issuer = keys.iter().filter(|known| known.issuer == key.issuer);
        if of_issuer.any(|known| known.serial == key.serial || known.id == key.id) {
            return Err(error(StoreErrorKind::Exists));
        }
        keys.push(key);
        Ok(())
    }

    async fn replace_signing_key(
        &self,
        former: &SigningKeyRecord,
        next: SigningKeyRecord,
    ) -> Result<(), StoreError> {
        yield_now().await;
        let mut keys = self.signing_keys.lock().await;
        let at = keys.iter().position(|known| known == former);
        keys[at.ok_or_else(|| error(StoreErrorKind::Missing))?] = next;
        Ok(())
    }

    async fn forget_signing_keys(&self, issuer: &str, at: SystemTime) -> Result<usize, StoreError> {
        yield_now().await;
        let mut keys = self.signing_keys.lock().await;
        let before = keys.len();
        keys.retain(|key| *key.issuer != *issuer || key.forgotten_at > at);
        Ok(before - keys.len())
    }
}
