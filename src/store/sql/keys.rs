use super::core::Core;
use super::effects::Effects;
use super::engine::{Arg, Purpose, args, is_storable, micros};
use super::lease::Lease;
use super::noted;
use super::purge::{self, limit};
use super::rows::{check_lengths, key, key_columns, list_text, or_absent, scopes_text};
use super::sql::Sql;
use crate::principal::Subject;
use crate::store::{
    KeyDigest, KeyRecord, KeyStore, ManagedKeyStore, Peek, StoreError, StoreErrorKind,
};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::Instant;

pub(super) const FIND: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE digest = $1"
);
pub(super) const FIND_OWNED: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE id = $3 AND owner_kind = $1 AND owner_id = $2"
);
pub(super) const LIST: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE owner_kind = $2 AND owner_id = $3 ORDER BY created, id LIMIT $1"
);
pub(super) const LIST_AFTER: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE owner_kind = $2 AND owner_id = $3 AND (created, id) > ($4, $5) \
     ORDER BY created, id LIMIT $1"
);
pub(super) const FIND_BY_ID: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE id = $1"
);
const LIST_ALL: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys ORDER BY id LIMIT $1"
);
pub(super) const LIST_ALL_AFTER: &str = concat!(
    "SELECT ",
    key_columns!(),
    " FROM tower_auth_keys WHERE id > $2 ORDER BY id LIMIT $1"
);
const INSERT: &str = concat!(
    "INSERT INTO tower_auth_keys (",
    key_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
);
// The later use stays: it may have been noted since the record was read that is now replaced.
const REPLACE: &str = "UPDATE tower_auth_keys SET name = $4, hint = $5, algorithm = $6, \
    digest = $7, scopes = $8, roles = $9, metadata = $10, rate = $11, created = $12, \
    expires = $13, revoked = $14, \
    used = CASE WHEN used IS NULL OR used < $15 THEN $15 ELSE used END, \
    lineage = $16, successor = $17 WHERE id = $1 AND owner_kind = $2 AND owner_id = $3";
const RENAME: &str = "UPDATE tower_auth_keys SET name = $4 \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 RETURNING digest";
// Of a key that never expires `expires < $5` is not true but NULL, so it gets the end of the
// overlap.
const SUPERSEDE: &str = "UPDATE tower_auth_keys SET successor = $4, \
    expires = CASE WHEN expires < $5 THEN expires ELSE $5 END \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 \
    AND successor IS NULL AND revoked IS NULL AND (expires IS NULL OR expires > $6) \
    RETURNING digest";
const REVOKE: &str = "UPDATE tower_auth_keys SET revoked = coalesce(revoked, $4) \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 RETURNING digest";
const REPLACE_DIGEST: &str = "UPDATE tower_auth_keys SET algorithm = $3, digest = $4 \
    WHERE algorithm = $1 AND digest = $2 RETURNING digest";
// Counted by one statement: of two that read the number and then wrote the next one, both would
// have the same.
const NEXT_NUMBER: &str = "INSERT INTO tower_auth_numbers (name, value) VALUES ('key', 1) \
    ON CONFLICT (name) DO UPDATE SET value = tower_auth_numbers.value + 1 RETURNING value";

impl Core {
    async fn read_key(&self, digest: &[u8; 32]) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let row = self.read_first(FIND, args![digest]).await?;
        row.map(key).transpose()
    }

    async fn find_key(&self, digest: &[u8; 32]) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let now = Instant::now();
        let read = self.read_key(digest);
        // Where the news of other nodes are late, a record in the cache may have been changed by
        // one of them. So the database is asked each time until they are heard again.
        if self.mirror.age().is_fresh(now) {
            self.keys.get(digest, now, read).await
        } else {
            read.await
        }
    }

    /// The key of that id, which is nobody else's until the transaction ends.
    pub(super) async fn lock_key(
        &self,
        lease: &mut Lease<'_>,
        id: &str,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let lock = self.engine.dialect().lock_key;
        let row = lease.first(lock, args![id]).await?;
        row.map(key).transpose()
    }

    pub(super) async fn replace_key(
        &self,
        lease: &mut Lease<'_>,
        former: &KeyRecord,
        next: &KeyRecord,
        successor: Option<&KeyRecord>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let known = self.lock_key(lease, &former.id).await?;
        let known = known.ok_or_else(missing)?;
        if !known.is_unchanged_from(former) {
            return Err(missing());
        }
        write(lease, REPLACE, next).await?;
        effects.keys.push(*former.digest.bytes());
        // The new digest too: somebody may have presented it before, and then it is remembered as
        // absent.
        effects.keys.push(*next.digest.bytes());
        match successor {
            Some(successor) => insert_key(lease, successor, effects).await,
            None => Ok(()),
        }
    }
}

pub(super) async fn insert_key(
    lease: &mut Lease<'_>,
    record: &KeyRecord,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    write(lease, INSERT, record).await?;
    effects.keys.push(*record.digest.bytes());
    Ok(())
}

/// Runs a statement that takes all columns.
async fn write(
    lease: &mut Lease<'_>,
    sql: &'static str,
    record: &KeyRecord,
) -> Result<(), StoreError> {
    let owner = &record.owner;
    let algorithm = record.digest.algorithm();
    check_lengths([&record.id, owner.kind(), owner.id(), algorithm])?;
    let scopes = scopes_text(&record.scopes);
    let roles = list_text(record.roles.iter());
    let rate = record.rate.map(|rate| rate.to_string());
    let args = args![
        &*record.id,
        owner.kind(),
        owner.id(),
        &*record.name,
        &*record.hint,
        algorithm,
        record.digest.bytes(),
        scopes.as_str(),
        roles.as_str(),
        record.metadata.as_deref(),
        rate.as_deref(),
        record.created,
        record.expires,
        record.revoked,
        record.last_used.get(),
        record.lineage(),
        record.successor.as_deref(),
    ];
    lease.run(sql, args).await.map(drop)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

#[async_trait]
impl KeyStore for Sql {
    fn peek_key(&self, digest: &KeyDigest) -> Peek<KeyRecord> {
        let now = Instant::now();
        if !self.core().mirror.age().is_believed(now) {
            return Peek::Ask;
        }
        match self.core().keys.peek(digest.bytes(), now) {
            // Records are cached by the bytes of the digest alone. The same bytes under another
            // algorithm are another key.
            Peek::Found(record) if !record.digest.is_like(digest) => Peek::Absent,
            answer => answer,
        }
    }

    fn forget_key(&self, digest: &KeyDigest) {
        self.core().keys.let_go(digest.bytes());
    }

    async fn find_key(&self, digest: &KeyDigest) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let found = self.call(|| self.core().find_key(digest.bytes())).await?;
        Ok(found.filter(|record| record.digest.is_like(digest)))
    }
}

#[async_trait]
impl ManagedKeyStore for Sql {
    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let args = args![owner.kind(), owner.id(), id];
        let row = or_absent(self.call(|| self.core().read_first(FIND_OWNED, args)).await)?;
        row.map(key).transpose()
    }

    async fn insert_key(&self, record: KeyRecord) -> Result<(), StoreError> {
        self.call(|| async {
            // One statement is a transaction by itself. To begin and to commit one would be two
            // more questions to the database.
            let mut lease = self.core().lease(Purpose::Write).await?;
            let mut effects = Effects::default();
            insert_key(&mut lease, &record, &mut effects).await?;
            self.core().show(effects);
            Ok(())
        })
        .await
    }

    async fn replace_key(
        &self,
        former: &KeyRecord,
        next: KeyRecord,
        successor: Option<KeyRecord>,
    ) -> Result<(), StoreError> {
        let core = self.core();
        self.call(|| async {
            let mut lease = core.begin().await?;
            let mut effects = Effects::default();
            core.replace_key(&mut lease, former, &next, successor.as_ref(), &mut effects)
                .await?;
            core.finish(lease, effects).await
        })
        .await
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        after: Option<&KeyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let mut args = vec![limit(most).into(), owner.kind().into(), owner.id().into()];
        let sql = match after {
            Some(after) => {
                args.extend([Arg::from(after.created), Arg::from(&*after.id)]);
                LIST_AFTER
            }
            None => LIST,
        };
        let rows = self.call(|| self.core().read(sql, &args)).await;
        or_absent(rows)?.into_iter().map(key).collect()
    }

    async fn find_key_by_id(&self, id: &str) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let args = args![id];
        let row = self.call(|| self.core().read_first(FIND_BY_ID, args)).await;
        or_absent(row)?.map(key).transpose()
    }

    async fn list_all_keys(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let mut args = vec![limit(most).into()];
        let sql = match after {
            Some(after) => {
                args.push(Arg::from(after));
                LIST_ALL_AFTER
            }
            None => LIST_ALL,
        };
        let rows = self.call(|| self.core().read(sql, &args)).await;
        or_absent(rows)?.into_iter().map(key).collect()
    }

    async fn rename_key(&self, owner: &Subject, id: &str, name: &str) -> Result<(), StoreError> {
        let args = args![owner.kind(), owner.id(), id, name];
        let row = self.call(|| self.core().write_first(RENAME, args)).await?;
        self.core().keys.forget(&row.ok_or_else(missing)?.digest()?);
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
        let args = args![owner.kind(), owner.id(), id, &*successor.id, until, now];
        let former = self.call(|| async {
            let mut lease = self.core().begin().await?;
            let row = lease.first(SUPERSEDE, args).await?;
            let former = row.ok_or_else(missing)?.digest()?;
            write(&mut lease, INSERT, &successor).await?;
            lease.commit().await?;
            Ok(former)
        });
        self.core().keys.forget(&former.await?);
        self.core().keys.forget(successor.digest.bytes());
        Ok(())
    }

    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let args = args![owner.kind(), owner.id(), id, at];
        let row = self.call(|| self.core().write_first(REVOKE, args)).await?;
        self.core().keys.forget(&row.ok_or_else(missing)?.digest()?);
        Ok(())
    }

    async fn replace_key_digest(&self, from: &KeyDigest, to: KeyDigest) -> Result<(), StoreError> {
        check_lengths([to.algorithm()])?;
        let args = args![from.algorithm(), from.bytes(), to.algorithm(), to.bytes()];
        let row = self
            .call(|| self.core().write_first(REPLACE_DIGEST, args))
            .await?;
        row.ok_or_else(missing)?;
        self.core().keys.forget(from.bytes());
        self.core().keys.forget(to.bytes());
        Ok(())
    }

    async fn note_key_uses(&self, uses: &[(KeyDigest, SystemTime)]) -> Result<(), StoreError> {
        let sql = self.core().engine.dialect().note_key_uses;
        let latest = noted::latest(uses);
        let uses = latest
            .iter()
            // A use of what no key can have is left out, lest the statement fail for all the
            // others.
            .filter(|(digest, _)| is_storable(digest.algorithm()));
        let uses = uses.map(|(digest, at)| {
            json!({
                "algorithm": digest.algorithm(),
                "digest": hex(digest.bytes()),
                "used": micros(*at),
            })
        });
        noted::write(self, sql, uses.collect()).await?;
        for (digest, at) in latest {
            // A use does not make the record be read anew, so the cached one is told of it.
            if let Some(record) = self.core().keys.kept(digest.bytes())
                && record.digest.is_like(digest)
            {
                record.last_used.set(at);
            }
        }
        Ok(())
    }

    async fn next_key_number(&self) -> Result<u64, StoreError> {
        let row = self
            .call(|| self.core().write_first(NEXT_NUMBER, &[]))
            .await?;
        let mut row = row.ok_or_else(|| StoreError::unavailable("no number was given"))?;
        u64::try_from(row.int()?).map_err(StoreError::unavailable)
    }

    async fn purge_keys(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        let core = self.core();
        self.call(|| purge::keys(core, Purpose::Write, before, most))
            .await
    }
}
