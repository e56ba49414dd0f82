use crate::digest_hasher::DigestHasher;
use crate::principal::Subject;
use crate::store::shards::Shards;
use crate::store::{KeyDigest, KeyRecord, Room, StoreError, StoreErrorKind, Write};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Bound;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Records of keys, found by digest, by id, and by owner.
///
/// Each is there once, and the tables hold handles: 8 bytes an entry, where a digest would be 32.
#[derive(Default)]
pub(super) struct Keys {
    /// An attacker cannot choose which keys are stored, so collisions cannot be planted.
    by_digest: Shards<HashSet<ByDigest, BuildHasherDefault<DigestHasher>>>,
    /// Who changes something has this, from its first look to its last write. A request with a key
    /// does not wait for it.
    index: Mutex<Index>,
}

#[derive(Default)]
pub(super) struct Index {
    by_id: HashSet<ById>,
    by_owner: BTreeSet<ByOwner>,
    numbers: u64,
}

impl Keys {
    #[inline]
    pub(super) fn find(&self, digest: &KeyDigest) -> Option<Arc<KeyRecord>> {
        let shard = self.by_digest.read(part(digest));
        let ByDigest(record) = shard.get(digest.bytes())?;
        if record.digest.is_like(digest) {
            Some(Arc::clone(record))
        } else {
            None
        }
    }

    pub(super) fn find_owned(&self, owner: &Subject, id: &str) -> Option<Arc<KeyRecord>> {
        let index = self.index();
        let ById(record) = index.by_id.get(id)?;
        if record.owner == *owner {
            Some(Arc::clone(record))
        } else {
            None
        }
    }

    pub(super) fn insert(&self, record: KeyRecord) -> Result<(), StoreError> {
        let mut index = self.index();
        self.check_free(&index, &[], &record)?;
        self.put(&mut index, record);
        Ok(())
    }

    pub(super) fn replace(
        &self,
        former: &KeyRecord,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) -> Result<(), StoreError> {
        let mut index = self.index();
        self.check_replaced(&index, &[], former, &next, successor.as_ref())?;
        self.put_replaced(&mut index, next, successor);
        Ok(())
    }

    /// Whether a record can be replaced, once the earlier changes are made; nothing is changed.
    pub(super) fn check_replaced(
        &self,
        index: &Index,
        earlier: &[Write],
        former: &KeyRecord,
        next: &KeyRecord,
        successor: Option<&KeyRecord>,
    ) -> Result<(), StoreError> {
        let Some(known) = after(index, earlier, &former.id) else {
            return Err(StoreError::new(StoreErrorKind::Missing));
        };
        if !known.is_unchanged_from(former) {
            return Err(StoreError::new(StoreErrorKind::Missing));
        }
        if next.id != known.id || next.owner != known.owner {
            return Err(StoreError::because(
                StoreErrorKind::Invalid,
                "a key that is replaced keeps its id and its owner",
            ));
        }
        let is_moved = next.digest.bytes() != known.digest.bytes();
        if is_moved && self.has_digest(index, earlier, &next.digest) {
            return Err(StoreError::new(StoreErrorKind::Exists));
        }
        if let Some(successor) = successor {
            if successor.digest.bytes() == next.digest.bytes() {
                return Err(StoreError::new(StoreErrorKind::Exists));
            }
            self.check_free(index, earlier, successor)?;
        }
        Ok(())
    }

    /// Replaces a record, which was found possible.
    pub(super) fn put_replaced(
        &self,
        index: &mut Index,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) {
        let known = index
            .by_id
            .get(&*next.id)
            .map(|ById(known)| Arc::clone(known));
        // The successor comes first: nobody has it yet, and who has the former one is never
        // without a key.
        if let Some(successor) = successor {
            self.put(index, successor);
        }
        let Some(known) = known else {
            return self.put(index, next);
        };
        // Uses are noted without this lock, so one may have come since the record was read.
        if let Some(used) = known.last_used.get() {
            next.last_used.set(used);
        }
        let is_moved = next.digest.bytes() != known.digest.bytes();
        index.by_owner.remove(&ByOwner(Arc::clone(&known)));
        self.put(index, next);
        // The former digest goes last, so that the key is found by one of both at any time.
        if is_moved {
            let mut shard = self.by_digest.write(part(&known.digest));
            shard.remove(known.digest.bytes());
        }
    }

    /// The key of that owner and id.
    pub(super) fn owned<'i>(index: &'i Index, owner: &Subject, id: &str) -> Option<&'i KeyRecord> {
        let ById(record) = index.by_id.get(id)?;
        if record.owner == *owner {
            Some(record)
        } else {
            None
        }
    }

    /// At most `most` keys of an owner, those after `after`, by creation and id.
    pub(super) fn list(
        &self,
        owner: &Subject,
        after: Option<&KeyRecord>,
        most: usize,
    ) -> Vec<Arc<KeyRecord>> {
        let start = match after {
            Some(after) => Place {
                owner,
                later: Some((after.created, &after.id)),
            },
            None => Place { owner, later: None },
        };
        let start: Bound<&dyn HasPlace> = Bound::Excluded(&start);
        let index = self.index();
        let from_there = index
            .by_owner
            .range::<dyn HasPlace + '_, _>((start, Bound::Unbounded));
        from_there
            .map(|ByOwner(record)| Arc::clone(record))
            .take_while(|record| record.owner == *owner)
            .take(most)
            .collect()
    }

    pub(super) fn find_by_id(&self, id: &str) -> Option<Arc<KeyRecord>> {
        let index = self.index();
        let ById(record) = index.by_id.get(id)?;
        Some(Arc::clone(record))
    }

    /// At most `most` keys, those after `after`, by their id. It looks at all of them: nobody waits
    /// for it but an operator.
    pub(super) fn list_all(&self, after: Option<&str>, most: usize) -> Vec<Arc<KeyRecord>> {
        let mut records: Vec<Arc<KeyRecord>> = Vec::new();
        for ById(record) in &self.index().by_id {
            if after.is_none_or(|after| *record.id > *after) {
                records.push(Arc::clone(record));
            }
        }
        records.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        records.truncate(most);
        records
    }

    /// Whether an owner has room for one more, once the earlier changes are made.
    pub(super) fn check_room(
        &self,
        index: &Index,
        earlier: &[Write],
        owner: &Subject,
        room: Room,
    ) -> Result<(), StoreError> {
        let start = Place { owner, later: None };
        let start: Bound<&dyn HasPlace> = Bound::Excluded(&start);
        let from_there = index
            .by_owner
            .range::<dyn HasPlace + '_, _>((start, Bound::Unbounded));
        let owned = from_there
            .map(|ByOwner(record)| &**record)
            .take_while(|record| record.owner == *owner)
            .map(|record| after(index, earlier, &record.id).unwrap_or(record));
        let added = earlier.iter().flat_map(put_by).filter(|record| {
            let is_new = record.owner == *owner && !index.by_id.contains(&*record.id);
            // One that is added and then replaced is one key.
            is_new && after(index, earlier, &record.id).is_some_and(|last| ptr::eq(last, *record))
        });
        if room.has_place_among_keys(owned.chain(added)) {
            Ok(())
        } else {
            Err(StoreError::new(StoreErrorKind::Full))
        }
    }

    pub(super) fn next_number(&self) -> u64 {
        let mut index = self.index();
        index.numbers = index.numbers.saturating_add(1);
        index.numbers
    }

    pub(super) fn purge(&self, before: SystemTime, most: usize) -> usize {
        let mut index = self.index();
        let records = index.by_id.iter().map(|ById(record)| record);
        let ended = records.filter(|record| record.ended_before(before));
        let ended: Vec<_> = ended.take(most).cloned().collect();
        for record in &ended {
            let mut shard = self.by_digest.write(part(&record.digest));
            shard.remove(record.digest.bytes());
            index.by_id.remove(&*record.id);
            index.by_owner.remove(&ByOwner(Arc::clone(record)));
        }
        ended.len()
    }

    pub(super) fn len(&self) -> usize {
        self.index().by_id.len()
    }

    /// Whether a key has that digest, once the earlier changes are made.
    fn has_digest(&self, index: &Index, earlier: &[Write], digest: &KeyDigest) -> bool {
        let shard = self.by_digest.read(part(digest));
        let mut records = shard
            .get(digest.bytes())
            .map(|ByDigest(record)| &**record)
            .into_iter()
            .chain(earlier.iter().flat_map(put_by));
        records.any(|record| {
            let record = after(index, earlier, &record.id);
            record.is_some_and(|record| record.digest.bytes() == digest.bytes())
        })
    }

    /// Whether no key has that id or that digest, once the earlier changes are made.
    pub(super) fn check_free(
        &self,
        index: &Index,
        earlier: &[Write],
        record: &KeyRecord,
    ) -> Result<(), StoreError> {
        let is_taken = after(index, earlier, &record.id).is_some();
        if is_taken || self.has_digest(index, earlier, &record.digest) {
            Err(StoreError::new(StoreErrorKind::Exists))
        } else {
            Ok(())
        }
    }

    /// Adds a record, or puts it in the place of the former one of its id and its digest.
    pub(super) fn put(&self, index: &mut Index, record: KeyRecord) {
        let record = Arc::new(record);
        let mut shard = self.by_digest.write(part(&record.digest));
        shard.replace(ByDigest(Arc::clone(&record)));
        drop(shard);
        index.by_id.replace(ById(Arc::clone(&record)));
        index.by_owner.replace(ByOwner(record));
    }

    // Held for a look-up or a change in memory, never over an await. A panic cannot leave half a
    // change: each is checked first and then made by calls that do not panic.
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key as it is once the earlier changes are made.
fn after<'a>(index: &'a Index, earlier: &'a [Write], id: &str) -> Option<&'a KeyRecord> {
    let put = earlier.iter().rev().find_map(|write| {
        let mut records = put_by(write);
        records.find(|record| *record.id == *id)
    });
    match put {
        Some(record) => Some(record),
        None => index.by_id.get(id).map(|ById(record)| &**record),
    }
}

/// The records that a change writes: they have two ids where there are two.
fn put_by(write: &Write) -> impl Iterator<Item = &KeyRecord> {
    let (record, successor) = match write {
        Write::InsertKey(record) => (Some(record), None),
        Write::ReplaceKey {
            next, successor, ..
        } => (Some(&**next), successor.as_deref()),
        _ => (None, None),
    };
    record.into_iter().chain(successor)
}

/// Bytes by which a record's shard is chosen: others than those by which its place in it is.
fn part(digest: &KeyDigest) -> &[u8] {
    &digest.bytes()[24..]
}

struct ByDigest(Arc<KeyRecord>);

impl Borrow<[u8; 32]> for ByDigest {
    fn borrow(&self) -> &[u8; 32] {
        self.0.digest.bytes()
    }
}

impl Hash for ByDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.digest.bytes().hash(state);
    }
}

impl PartialEq for ByDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.digest.bytes() == other.0.digest.bytes()
    }
}

impl Eq for ByDigest {}

struct ById(Arc<KeyRecord>);

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

/// In the order in which keys are listed, those of one owner beside each other.
struct ByOwner(Arc<KeyRecord>);

/// Where a record stands in that order; without a time and an id, before all of the owner's.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    owner: &'a Subject,
    later: Option<(SystemTime, &'a str)>,
}

/// For looking up a place without making a record.
trait HasPlace {
    fn place(&self) -> Place<'_>;
}

impl HasPlace for ByOwner {
    fn place(&self) -> Place<'_> {
        Place {
            owner: &self.0.owner,
            later: Some((self.0.created, &self.0.id)),
        }
    }
}

impl HasPlace for Place<'_> {
    fn place(&self) -> Place<'_> {
        Place {
            owner: self.owner,
            later: self.later,
        }
    }
}

impl<'a> Borrow<dyn HasPlace + 'a> for ByOwner {
    fn borrow(&self) -> &(dyn HasPlace + 'a) {
        self
    }
}

impl Ord for dyn HasPlace + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for dyn HasPlace + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn HasPlace + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for dyn HasPlace + '_ {}

impl Ord for ByOwner {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for ByOwner {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByOwner {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for ByOwner {}
