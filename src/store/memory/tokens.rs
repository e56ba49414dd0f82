use crate::principal::Subject;
use crate::store::denials::{Denials, Kind};
use crate::store::{
    FamilyRecord, Room, Rotated, Rotation, StoreError, StoreErrorKind, TokenRecord, Write,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Default)]
pub(super) struct Tokens {
    /// Apart from the records, because every request with a token of ours looks here.
    pub(super) denials: Denials,
    records: Mutex<Records>,
}

#[derive(Default)]
pub(super) struct Records {
    families: HashMap<Box<str>, Arc<FamilyRecord>>,
    private: HashMap<Box<str>, Arc<TokenRecord>>,
}

// Each change holds the lock of the records while it denies: a reader who sees the record revoked
// finds it denied.

impl Tokens {
    pub(super) fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
        insert(&mut self.records().families, family.id.clone(), family)
    }

    pub(super) fn find_family(&self, id: &str) -> Option<Arc<FamilyRecord>> {
        self.records().families.get(id).cloned()
    }

    pub(super) fn replace_family(
        &self,
        former: &FamilyRecord,
        next: FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let mut records = self.records();
        let known = records.families.get_mut(&former.id);
        let Some(known) = known.filter(|known| ***known == *former) else {
            return Err(StoreError::new(StoreErrorKind::Missing));
        };
        *known = Arc::new(next);
        if let Some(until) = denied_until {
            self.deny(Kind::Family, &former.id, until);
        }
        Ok(())
    }

    pub(super) fn list_families(
        &self,
        subject: &Subject,
        after: Option<&FamilyRecord>,
        most: usize,
    ) -> Vec<Arc<FamilyRecord>> {
        let after = after.map(|after| (after.created, &*after.id));
        let records = self.records();
        let mut page: Vec<_> = records
            .families
            .values()
            .filter(|family| family.subject == *subject)
            .filter(|family| Some((family.created, &*family.id)) > after)
            .cloned()
            .collect();
        page.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        page.truncate(most);
        page
    }

    pub(super) fn rotate_family(&self, rotation: &Rotation<'_>, now: SystemTime) -> Rotated {
        let mut records = self.records();
        let Some(family) = records.families.get_mut(rotation.family) else {
            return Rotated::Unknown;
        };
        let rotated = rotation.of(family, now);
        match &rotated {
            Rotated::New(after) => *family = Arc::clone(after),
            Rotated::Reuse(_) => self.end_family(family, rotation.access_until, now),
            Rotated::Again(_) | Rotated::Ended | Rotated::Unknown => {}
        }
        rotated
    }

    pub(super) fn revoke_family(&self, id: &str, access_until: SystemTime, now: SystemTime) {
        if let Some(family) = self.records().families.get_mut(id) {
            self.end_family(family, access_until, now);
        }
    }

    pub(super) fn revoke_families(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        let mut records = self.records();
        self.end_families(&mut records, subject, access_until, now);
    }

    pub(super) fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        self.end_subject(&mut self.records(), subject, access_until, now);
    }

    /// Ends families and private tokens of a subject.
    pub(super) fn end_subject(
        &self,
        records: &mut Records,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        self.end_families(records, subject, access_until, now);
        let private = records.private.values_mut();
        for token in private.filter(|token| token.owner == *subject) {
            self.end_private(token, now);
        }
    }

    pub(super) fn purge(&self, before: SystemTime, most: usize) -> usize {
        let families = &mut self.records().families;
        let ended = families.values().filter(|family| family.ends < before);
        let ended: Vec<_> = ended.map(|family| family.id.clone()).take(most).collect();
        for id in &ended {
            families.remove(id);
        }
        ended.len() + self.denials.sweep(before, most - ended.len())
    }

    pub(super) fn insert_private(&self, token: TokenRecord) -> Result<(), StoreError> {
        let mut records = self.records();
        records.check_free(&[], &token.id)?;
        records.put_private(token);
        Ok(())
    }

    /// Revokes an id. The lock is that of the records: what is made by this very token is made
    /// before or not at all.
    pub(super) fn revoke_id(&self, id: &str, until: SystemTime, now: SystemTime) {
        let _records = self.records();
        self.denials.insert(Kind::Token, id, until, now);
    }

    pub(super) fn find_private(&self, id: &str) -> Option<Arc<TokenRecord>> {
        self.records().private.get(id).cloned()
    }

    pub(super) fn replace_private(
        &self,
        former: &TokenRecord,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let mut records = self.records();
        records.check_unchanged(&[], former)?;
        self.put_replaced(&mut records, next, denied_until);
        Ok(())
    }

    /// Replaces a private token, which was found possible.
    pub(super) fn put_replaced(
        &self,
        records: &mut Records,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) {
        let next = Arc::new(next);
        let known = records.private.insert(next.id.clone(), Arc::clone(&next));
        // Uses are noted without this lock, so one may have come since the record was read.
        if let Some(used) = known.and_then(|known| known.last_used.get()) {
            next.last_used.set(used);
        }
        if let Some(until) = denied_until {
            self.deny(Kind::Token, &next.id, until);
        }
    }

    pub(super) fn list_private(
        &self,
        owner: &Subject,
        after: Option<&TokenRecord>,
        most: usize,
    ) -> Vec<Arc<TokenRecord>> {
        let after = after.map(|after| (after.created, &*after.id));
        let records = self.records();
        let mut page: Vec<_> = records
            .private
            .values()
            .filter(|token| token.owner == *owner)
            .filter(|token| Some((token.created, &*token.id)) > after)
            .cloned()
            .collect();
        page.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        page.truncate(most);
        page
    }

    pub(super) fn revoke_private(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let mut records = self.records();
        let token = records.private.get_mut(id);
        let Some(token) = token.filter(|token| token.owner == *owner) else {
            return Err(StoreError::new(StoreErrorKind::Missing));
        };
        self.end_private(token, at);
        Ok(())
    }

    pub(super) fn purge_private(&self, before: SystemTime, most: usize) -> usize {
        let private = &mut self.records().private;
        let ended = private.values().filter(|token| token.expires < before);
        let ended: Vec<_> = ended.map(|token| token.id.clone()).take(most).collect();
        for id in &ended {
            private.remove(id);
        }
        ended.len()
    }

    fn end_families(
        &self,
        records: &mut Records,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        let families = records.families.values_mut();
        for family in families.filter(|family| family.subject == *subject) {
            self.end_family(family, access_until, now);
        }
    }

    fn end_family(
        &self,
        family: &mut Arc<FamilyRecord>,
        access_until: SystemTime,
        now: SystemTime,
    ) {
        if family.revoked.is_some() {
            return;
        }
        *family = Arc::new(FamilyRecord::clone(family).revoked(now));
        let Self { denials, .. } = self;
        denials.insert(Kind::Family, &family.id, access_until, now);
    }

    fn end_private(&self, token: &mut Arc<TokenRecord>, now: SystemTime) {
        if token.revoked.is_some() {
            return;
        }
        *token = Arc::new(TokenRecord::clone(token).revoked(now));
        let Self { denials, .. } = self;
        denials.insert(Kind::Token, &token.id, token.expires, now);
    }

    /// Denies where the time of now is not known. By the earliest time there is, nothing counts as
    /// over, so nothing is forgotten by the way.
    fn deny(&self, kind: Kind, id: &str, until: SystemTime) {
        self.denials.insert(kind, id, until, UNIX_EPOCH);
    }

    // Held for a look-up or a change in memory, never over an await. A panic cannot leave half a
    // change: each is checked first and then made by calls that do not panic.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    /// Whether an owner has room for one more private token, once the earlier changes are made.
    pub(super) fn check_room(
        &self,
        earlier: &[Write],
        owner: &Subject,
        room: Room,
    ) -> Result<(), StoreError> {
        let added = earlier.iter().filter_map(|write| match write {
            Write::InsertPrivateToken(token) => Some(token),
            _ => None,
        });
        let known = self.private.values().map(|token| &**token);
        let owned: Vec<_> = known
            .chain(added)
            .filter(|token| token.owner == *owner)
            .filter_map(|token| self.after(earlier, &token.id))
            .collect();
        if room.has_place_among_tokens(owned.iter().map(|token| &**token)) {
            Ok(())
        } else {
            Err(StoreError::new(StoreErrorKind::Full))
        }
    }

    /// A private token as it is once the earlier changes are made.
    fn after(&self, earlier: &[Write], id: &str) -> Option<Arc<TokenRecord>> {
        let mut token = self.private.get(id).cloned();
        for write in earlier {
            match write {
                Write::InsertPrivateToken(next) if *next.id == *id => {
                    token = Some(Arc::new(next.clone()));
                }
                Write::ReplacePrivateToken { next, .. } if *next.id == *id => {
                    token = Some(Arc::new(TokenRecord::clone(next)));
                }
                Write::RevokeSubject { subject, now, .. } => {
                    token = token.map(|token| match token.revoked {
                        None if token.owner == *subject => {
                            Arc::new(TokenRecord::clone(&token).revoked(*now))
                        }
                        _ => token,
                    });
                }
                _ => {}
            }
        }
        token
    }

    /// Whether no family has that id, once the earlier changes are made.
    pub(super) fn check_free_family(&self, earlier: &[Write], id: &str) -> Result<(), StoreError> {
        let mut earlier = earlier.iter();
        let is_added = |write: &Write| match write {
            Write::InsertFamily(family) => *family.id == *id,
            _ => false,
        };
        if self.families.contains_key(id) || earlier.any(is_added) {
            Err(StoreError::new(StoreErrorKind::Exists))
        } else {
            Ok(())
        }
    }

    pub(super) fn put_family(&mut self, family: FamilyRecord) {
        self.families.insert(family.id.clone(), Arc::new(family));
    }

    /// Whether no private token has that id, once the earlier changes are made.
    pub(super) fn check_free(&self, earlier: &[Write], id: &str) -> Result<(), StoreError> {
        match self.after(earlier, id) {
            Some(_) => Err(StoreError::new(StoreErrorKind::Exists)),
            None => Ok(()),
        }
    }

    /// Whether a private token is as it was read, once the earlier changes are made.
    pub(super) fn check_unchanged(
        &self,
        earlier: &[Write],
        former: &TokenRecord,
    ) -> Result<(), StoreError> {
        let known = self.after(earlier, &former.id);
        match known.filter(|known| known.is_unchanged_from(former)) {
            Some(_) => Ok(()),
            None => Err(StoreError::new(StoreErrorKind::Missing)),
        }
    }

    pub(super) fn put_private(&mut self, token: TokenRecord) {
        self.private.insert(token.id.clone(), Arc::new(token));
    }
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
