use super::engine::{Purpose, args};
use super::lease::Lease;
use super::purge;
use super::rows::{check_lengths, key, key_columns, list_text, or_absent, scopes_text};
use super::{Core, Sql};
use crate::principal::Subject;
use crate::store::{KeyDigest, KeyRecord, KeyStore, Peek, StoreError, StoreErrorKind};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

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
    " FROM tower_auth_keys WHERE owner_kind = $1 AND owner_id = $2 ORDER BY created, id"
);
const INSERT: &str = concat!(
    "INSERT INTO tower_auth_keys (",
    key_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
);
const RENAME: &str = "UPDATE tower_auth_keys SET name = $4 \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 RETURNING digest";
const SUPERSEDE: &str = "UPDATE tower_auth_keys SET successor = $4, \
    expires = CASE WHEN expires < $5 THEN expires ELSE $5 END \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 \
    AND successor IS NULL AND revoked IS NULL AND (expires IS NULL OR expires > $6) RETURNING digest";
const REVOKE: &str = "UPDATE tower_auth_keys SET revoked = coalesce(revoked, $4) \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 RETURNING digest";
const REPLACE_DIGEST: &str = "UPDATE tower_auth_keys SET algorithm = $3, digest = $4 \
    WHERE algorithm = $1 AND digest = $2 RETURNING digest";
const NOTE_USE: &str = "UPDATE tower_auth_keys SET used = $3 \
    WHERE algorithm = $1 AND digest = $2 AND (used IS NULL OR used < $3)";
const NEXT_NUMBER: &str = "INSERT INTO tower_auth_numbers (name, value) VALUES ('key', 1) \
    ON CONFLICT (name) DO UPDATE SET value = tower_auth_numbers.value + 1 RETURNING value";

impl Core {
    async fn read_key(&self, digest: &[u8; 32]) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        self.read_first(FIND, args![digest])
            .await?
            .map(key)
            .transpose()
    }

    async fn find_key(
        &self,
        digest: &[u8; 32],
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let read = self.read_key(digest);
        if self.mirror.age().is_fresh() {
            self.keys.get(digest, now, read).await
        } else {
            read.await
        }
    }
}

async fn insert(lease: &mut Lease<'_>, record: &KeyRecord) -> Result<(), StoreError> {
    check_lengths([
        record.id(),
        record.owner().kind(),
        record.owner().id(),
        record.digest().algorithm(),
    ])?;
    let (scopes, roles) = (
        scopes_text(record.scopes()),
        list_text(record.roles().iter()),
    );
    let args = args![
        record.id(),
        record.owner().kind(),
        record.owner().id(),
        record.name(),
        record.hint(),
        record.digest().algorithm(),
        record.digest().bytes(),
        scopes.as_str(),
        roles.as_str(),
        record.metadata_json(),
        record.own_rate(),
        record.created(),
        record.expires_at(),
        record.revoked_at(),
        record.last_used(),
        record.lineage(),
        record.successor(),
    ];
    lease.run(INSERT, args).await.map(drop)
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

#[async_trait]
impl KeyStore for Sql {
    fn peek_key(&self, digest: &KeyDigest, now: SystemTime) -> Peek<KeyRecord> {
        if !self.core().mirror.age().is_believed() {
            return Peek::Ask;
        }
        match self.core().keys.peek(digest.bytes(), now) {
            Peek::Found(record) if !record.digest().is_like(digest) => Peek::Absent,
            answer => answer,
        }
    }

    async fn find_key(
        &self,
        digest: &KeyDigest,
        now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let found = self.call(self.core().find_key(digest.bytes(), now)).await?;
        Ok(found.filter(|record| record.digest().is_like(digest)))
    }

    async fn find_owned_key(
        &self,
        owner: &Subject,
        id: &str,
        _now: SystemTime,
    ) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let args = args![owner.kind(), owner.id(), id];
        let row = or_absent(self.call(self.core().read_first(FIND_OWNED, args)).await)?;
        row.map(key).transpose()
    }

    async fn insert_key(&self, record: KeyRecord, _now: SystemTime) -> Result<(), StoreError> {
        let inserted = self
            .call(async { insert(&mut self.core().lease(Purpose::Write).await?, &record).await });
        inserted.await?;
        self.core().keys.forget(record.digest().bytes());
        Ok(())
    }

    async fn list_keys(
        &self,
        owner: &Subject,
        _now: SystemTime,
    ) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
        let rows = self
            .call(self.core().read(LIST, args![owner.kind(), owner.id()]))
            .await;
        or_absent(rows)?.into_iter().map(key).collect()
    }

    async fn rename_key(
        &self,
        owner: &Subject,
        id: &str,
        name: &str,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let args = args![owner.kind(), owner.id(), id, name];
        let row = self.call(self.core().write_first(RENAME, args)).await?;
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
        let args = args![owner.kind(), owner.id(), id, successor.id(), until, now];
        let former = self.call(async {
            let mut lease = self.core().begin().await?;
            let former = lease
                .first(SUPERSEDE, args)
                .await?
                .ok_or_else(missing)?
                .digest()?;
            insert(&mut lease, &successor).await?;
            lease.commit().await?;
            Ok(former)
        });
        self.core().keys.forget(&former.await?);
        self.core().keys.forget(successor.digest().bytes());
        Ok(())
    }

    async fn revoke_key(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let args = args![owner.kind(), owner.id(), id, now];
        let row = self.call(self.core().write_first(REVOKE, args)).await?;
        self.core().keys.forget(&row.ok_or_else(missing)?.digest()?);
        Ok(())
    }

    async fn replace_key_digest(
        &self,
        from: &KeyDigest,
        to: KeyDigest,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        check_lengths([to.algorithm()])?;
        let args = args![from.algorithm(), from.bytes(), to.algorithm(), to.bytes()];
        let row = self
            .call(self.core().write_first(REPLACE_DIGEST, args))
            .await?;
        row.ok_or_else(missing)?;
        self.core().keys.forget(from.bytes());
        self.core().keys.forget(to.bytes());
        Ok(())
    }

    async fn note_key_uses(
        &self,
        uses: &[(KeyDigest, SystemTime)],
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut uses: Vec<_> = uses.iter().collect();
        // In one order everywhere, lest two nodes wait for each other's rows.
        uses.sort_unstable_by_key(|(digest, _)| *digest.bytes());
        self.call(async {
            let mut lease = self.core().begin().await?;
            for (digest, at) in &uses {
                lease
                    .run(NOTE_USE, args![digest.algorithm(), digest.bytes(), *at])
                    .await?;
            }
            lease.commit().await
        })
        .await?;
        for (digest, at) in uses {
            let kept = self.core().keys.kept(digest.bytes());
            if let Some(record) = kept.filter(|record| record.digest().is_like(digest)) {
                record.note_use(*at);
            }
        }
        Ok(())
    }

    async fn next_key_number(&self, _now: SystemTime) -> Result<u64, StoreError> {
        let row = self.call(self.core().write_first(NEXT_NUMBER, &[])).await?;
        let number = row
            .ok_or_else(|| StoreError::unavailable("no number was given"))?
            .int()?;
        u64::try_from(number).map_err(StoreError::unavailable)
    }

    async fn purge_keys(
        &self,
        before: SystemTime,
        most: usize,
        _now: SystemTime,
    ) -> Result<usize, StoreError> {
        self.call(purge::keys(self.core(), Purpose::Write, before, most))
            .await
    }
}
