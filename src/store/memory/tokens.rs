use super::{Memory, read, write};
use crate::principal::Subject;
use crate::store::denials::Kind;
use crate::store::{
    FamilyRecord, Known, Rotated, Rotation, StoreError, StoreErrorKind, TokenIds, TokenRecord,
    TokenStore,
};
use async_trait::async_trait;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::SystemTime;

#[derive(Default)]
pub(super) struct Tokens {
    families: HashMap<Box<str>, Arc<FamilyRecord>>,
    private: HashMap<Box<str>, Arc<TokenRecord>>,
}

fn insert<T>(
    map: &mut HashMap<Box<str>, Arc<T>>,
    id: Box<str>,
    record: T,
) -> Result<(), StoreError> {
    match map.entry(id) {
        Entry::Occupied(_) => Err(StoreError::new(StoreErrorKind::Exists)),
        Entry::Vacant(entry) => {
            entry.insert(Arc::new(record));
            Ok(())
        }
    }
}

impl Memory {
    // Each of these holds the lock of the records while it denies: a reader who sees the record revoked finds it denied.

    fn end_family(
        &self,
        family: &mut Arc<FamilyRecord>,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        if family.revoked_at().is_some() {
            return;
        }
        *family = Arc::new(FamilyRecord::clone(family).revoked(now));
        self.0
            .denials
            .insert(Kind::Family, family.id(), access_until, now);
    }

    fn end_private(&self, token: &mut Arc<TokenRecord>, now: SystemTime) {
        if token.revoked_at().is_some() {
            return;
        }
        *token = Arc::new(TokenRecord::clone(token).revoked(now));
        self.0
            .denials
            .insert(Kind::Token, token.id(), token.expires(), now);
    }
}

#[async_trait]
impl TokenStore for Memory {
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        self.0.denials.peek(token, now)
    }

    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        Ok(self.0.denials.peek(token, now) == Known::Yes)
    }

    async fn revoke_token(
        &self,
        id: &str,
        until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        self.0.denials.insert(Kind::Token, id, until, now);
        Ok(())
    }

    async fn insert_family(
        &self,
        family: FamilyRecord,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        insert(
            &mut write(&self.0.tokens).families,
            family.id().into(),
            family,
        )
    }

    async fn find_family(
        &self,
        id: &str,
        _now: SystemTime,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        Ok(read(&self.0.tokens).families.get(id).cloned())
    }

    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError> {
        let mut tokens = write(&self.0.tokens);
        let Some(family) = tokens.families.get_mut(rotation.family) else {
            return Ok(Rotated::Unknown);
        };
        let rotated = family.rotate(&rotation, now);
        match &rotated {
            Rotated::New(after) => *family = Arc::clone(after),
            Rotated::Reuse(_) => self.end_family(family, rotation.access_until, now),
            Rotated::Again(_) | Rotated::Ended | Rotated::Unknown => {}
        }
        Ok(rotated)
    }

    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        if let Some(family) = write(&self.0.tokens).families.get_mut(id) {
            self.end_family(family, access_until, now);
        }
        Ok(())
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut tokens = write(&self.0.tokens);
        for family in tokens
            .families
            .values_mut()
            .filter(|family| family.subject() == subject)
        {
            self.end_family(family, access_until, now);
        }
        for token in tokens
            .private
            .values_mut()
            .filter(|token| token.owner() == subject)
        {
            self.end_private(token, now);
        }
        Ok(())
    }

    async fn insert_private_token(
        &self,
        token: TokenRecord,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        insert(&mut write(&self.0.tokens).private, token.id().into(), token)
    }

    async fn list_private_tokens(
        &self,
        owner: &Subject,
        _now: SystemTime,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
        let tokens = read(&self.0.tokens);
        let mut owned: Vec<_> = tokens
            .private
            .values()
            .filter(|token| token.owner() == owner)
            .cloned()
            .collect();
        owned.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(owned)
    }

    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut tokens = write(&self.0.tokens);
        let token = tokens
            .private
            .get_mut(id)
            .filter(|token| token.owner() == owner);
        self.end_private(
            token.ok_or_else(|| StoreError::new(StoreErrorKind::Missing))?,
            now,
        );
        Ok(())
    }

    async fn note_token_uses(
        &self,
        uses: &[(String, SystemTime)],
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let tokens = read(&self.0.tokens);
        for (id, at) in uses {
            if let Some(token) = tokens.private.get(id.as_str()) {
                token.note_use(*at);
            }
        }
        Ok(())
    }

    async fn purge_tokens(
        &self,
        before: SystemTime,
        most: usize,
        _now: SystemTime,
    ) -> Result<usize, StoreError> {
        let mut tokens = write(&self.0.tokens);
        let families = tokens
            .families
            .values()
            .filter(|family| family.ends() < before);
        let families: Vec<Box<str>> = families
            .map(|family| family.id().into())
            .take(most)
            .collect();
        families
            .iter()
            .for_each(|id| drop(tokens.families.remove(id)));
        let private = tokens
            .private
            .values()
            .filter(|token| token.expires() < before);
        let private: Vec<Box<str>> = private
            .map(|token| token.id().into())
            .take(most - families.len())
            .collect();
        private
            .iter()
            .for_each(|id| drop(tokens.private.remove(id)));
        let records = families.len() + private.len();
        Ok(records + self.0.denials.sweep(before, most - records))
    }
}
