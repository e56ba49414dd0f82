use super::core::Core;
use super::effects::{Denied, Effects};
use super::engine::{Arg, Purpose, Row, args, is_storable, micros};
use super::lease::Lease;
use super::noted;
use super::purge::{self, limit};
use super::rows::{check_lengths, family, family_columns, or_absent, token, token_columns};
use super::sql::Sql;
use crate::principal::Subject;
use crate::store::denials::Kind;
use crate::store::{
    FamilyRecord, Known, PrivateTokenStore, Rotated, Rotation, StoreError, StoreErrorKind,
    TokenIds, TokenRecord, TokenStore,
};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const IS_REVOKED: &str = "SELECT 1 FROM tower_auth_revoked \
    WHERE until > $3 AND ((kind = 0 AND id = $1) OR (kind = 1 AND id = $2)) LIMIT 1";
/// A revocation that is known is not shortened.
macro_rules! until_the_later {
    () => {
        " ON CONFLICT (kind, id) DO UPDATE SET until = CASE WHEN excluded.until > tower_auth_revoked.until \
         THEN excluded.until ELSE tower_auth_revoked.until END RETURNING id, until"
    };
}
const DENY: &str = concat!(
    "INSERT INTO tower_auth_revoked (kind, id, until) VALUES ($1, $2, $3)",
    until_the_later!()
);
// In the order of the ids, so that two transactions which deny the same ids never wait for each
// other.
const DENY_FAMILIES_OF: &str = concat!(
    "INSERT INTO tower_auth_revoked (kind, id, until) SELECT 1, id, $4 FROM tower_auth_families \
     WHERE subject_kind = $1 AND subject_id = $2 AND revoked = $3 ORDER BY id",
    until_the_later!()
);
const DENY_TOKENS_OF: &str = concat!(
    "INSERT INTO tower_auth_revoked (kind, id, until) SELECT 0, id, expires FROM tower_auth_private_tokens \
     WHERE owner_kind = $1 AND owner_id = $2 AND revoked = $3 ORDER BY id",
    until_the_later!()
);

pub(super) const FIND_FAMILY: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM tower_auth_families WHERE id = $1"
);
const INSERT_FAMILY: &str = concat!(
    "INSERT INTO tower_auth_families (",
    family_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
);
pub(super) const LIST_FAMILIES: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM tower_auth_families WHERE subject_kind = $2 AND subject_id = $3 \
     ORDER BY created, id LIMIT $1"
);
pub(super) const LIST_FAMILIES_AFTER: &str = concat!(
    "SELECT ",
    family_columns!(),
    " FROM tower_auth_families WHERE subject_kind = $2 AND subject_id = $3 \
     AND (created, id) > ($4, $5) ORDER BY created, id LIMIT $1"
);
const REPLACE_FAMILY: &str = "UPDATE tower_auth_families SET grants = $4, created = $5, \
    ends = $6, current = $7, expires = $8, previous = $9, rotated = $10, revoked = $11 \
    WHERE id = $1 AND subject_kind = $2 AND subject_id = $3";
const ROTATE_FAMILY: &str = "UPDATE tower_auth_families SET current = $2, expires = $3, \
    previous = $4, rotated = $5 WHERE id = $1";
const END_FAMILY: &str =
    "UPDATE tower_auth_families SET revoked = $2 WHERE id = $1 AND revoked IS NULL RETURNING id";

const INSERT_TOKEN: &str = concat!(
    "INSERT INTO tower_auth_private_tokens (",
    token_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
);
pub(super) const FIND_TOKEN: &str = concat!(
    "SELECT ",
    token_columns!(),
    " FROM tower_auth_private_tokens WHERE id = $1"
);
// The later use stays: it may have been noted since the record was read that is now replaced.
const REPLACE_TOKEN: &str = "UPDATE tower_auth_private_tokens SET name = $4, created = $5, \
    expires = $6, revoked = $7, \
    used = CASE WHEN used IS NULL OR used < $8 THEN $8 ELSE used END \
    WHERE id = $1 AND owner_kind = $2 AND owner_id = $3";
pub(super) const LIST_TOKENS: &str = concat!(
    "SELECT ",
    token_columns!(),
    " FROM tower_auth_private_tokens WHERE owner_kind = $2 AND owner_id = $3 \
     ORDER BY created, id LIMIT $1"
);
pub(super) const LIST_TOKENS_AFTER: &str = concat!(
    "SELECT ",
    token_columns!(),
    " FROM tower_auth_private_tokens WHERE owner_kind = $2 AND owner_id = $3 \
     AND (created, id) > ($4, $5) ORDER BY created, id LIMIT $1"
);
const END_TOKEN: &str = "UPDATE tower_auth_private_tokens SET revoked = coalesce(revoked, $4) \
    WHERE id = $3 AND owner_kind = $1 AND owner_id = $2 RETURNING expires";

impl Core {
    pub(super) fn mirror_all(&self, denied: Denied) {
        for (kind, id, until) in denied {
            self.mirror.deny(kind, &id, until);
        }
    }

    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        let row = self
            .read_first(IS_REVOKED, args![token.token, token.family, now])
            .await;
        Ok(or_absent(row)?.is_some())
    }

    async fn revoke_token(&self, id: &str, until: SystemTime) -> Result<(), StoreError> {
        check_lengths([id])?;
        let mut lease = self.begin().await?;
        lock_id(&mut lease, self.engine.dialect().lock_id, id).await?;
        let denied = deny(&mut lease, Kind::Token, id, until).await?;
        lease.commit().await?;
        // Only what is committed is denied in memory. A denial that the database does not have
        // would refuse a good token on this node alone.
        self.mirror_all(denied);
        Ok(())
    }

    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError> {
        let mut lease = self.begin().await?;
        // The row is locked before it is judged. Of two who present the same token at once, the
        // second finds it rotated.
        let locked = lease
            .first(self.engine.dialect().lock_family, args![rotation.family])
            .await;
        let Some(row) = or_absent(locked)? else {
            return Ok(Rotated::Unknown);
        };
        let rotated = rotation.of(&*family(row)?, now);
        match &rotated {
            Rotated::New(after) => {
                check_lengths([&*after.current])?;
                let (previous, rotated) = predecessor(after);
                let args = args![
                    &*after.id,
                    &*after.current,
                    after.expires,
                    previous,
                    rotated
                ];
                lease.run(ROTATE_FAMILY, args).await?;
                lease.commit().await?;
            }
            Rotated::Reuse(ended) => {
                let denied = end_family(&mut lease, &ended.id, rotation.access_until, now).await?;
                lease.commit().await?;
                self.mirror_all(denied);
            }
            // Nothing was written. The transaction is rolled back with the lease.
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
        let mut lease = self.begin().await?;
        let denied = or_absent(end_family(&mut lease, id, access_until, now).await)?;
        lease.commit().await?;
        self.mirror_all(denied);
        Ok(())
    }

    async fn replace_family(
        &self,
        former: &FamilyRecord,
        next: &FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let lock = self.engine.dialect().lock_family;
        let row = lease.first(lock, args![&*former.id]).await?;
        if *family(row.ok_or_else(missing)?)? != *former {
            return Err(missing());
        }
        write_family(&mut lease, REPLACE_FAMILY, next).await?;
        let denied = match denied_until {
            Some(until) => deny(&mut lease, Kind::Family, &next.id, until).await?,
            None => Denied::new(),
        };
        lease.commit().await?;
        self.mirror_all(denied);
        Ok(())
    }

    async fn revoke_families(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let denied = self
            .end_families(&mut lease, subject, access_until, now)
            .await?;
        lease.commit().await?;
        self.mirror_all(denied);
        Ok(())
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        self.lock_sessions(&mut lease, subject).await?;
        let mut effects = Effects::default();
        self.end_subject(&mut lease, subject, access_until, now, &mut effects)
            .await?;
        self.finish(lease, effects).await
    }

    /// Whoever ends all tokens of a subject, and whoever makes one by a credential, come one after
    /// the other: a token that is not written yet has no row that could be waited for.
    pub(super) async fn lock_sessions(
        &self,
        lease: &mut Lease<'_>,
        subject: &Subject,
    ) -> Result<(), StoreError> {
        // The debug form quotes kind and id, so no two subjects read the same, and none reads like
        // the id of a token, which is locked in the same way.
        let id = format!("{subject:?}");
        lock_id(lease, self.engine.dialect().lock_id, &id).await
    }

    /// Ends families and private tokens of a subject.
    pub(super) async fn end_subject(
        &self,
        lease: &mut Lease<'_>,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let families = self.end_families(lease, subject, access_until, now);
        effects.denied.extend(families.await?);
        let of = args![subject.kind(), subject.id(), now];
        lease
            .run(self.engine.dialect().locking.end_tokens, of)
            .await?;
        let tokens = lease.run(DENY_TOKENS_OF, of).await?;
        effects.denied.extend(denied(Kind::Token, tokens)?);
        Ok(())
    }

    /// Ends the families of a subject, and denies their access tokens.
    async fn end_families(
        &self,
        lease: &mut Lease<'_>,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<Denied, StoreError> {
        // The records end first, and those that have ended just now are denied. So what is made in
        // between is neither, and stays good.
        let of = args![subject.kind(), subject.id(), now];
        lease
            .run(self.engine.dialect().locking.end_families, of)
            .await?;
        let ended = args![subject.kind(), subject.id(), now, access_until];
        denied(Kind::Family, lease.run(DENY_FAMILIES_OF, ended).await?)
    }

    async fn replace_private_token(
        &self,
        former: &TokenRecord,
        next: &TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let mut effects = Effects::default();
        self.replace_token_in(&mut lease, former, next, denied_until, &mut effects)
            .await?;
        self.finish(lease, effects).await
    }

    pub(super) async fn replace_token_in(
        &self,
        lease: &mut Lease<'_>,
        former: &TokenRecord,
        next: &TokenRecord,
        denied_until: Option<SystemTime>,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let lock = self.engine.dialect().lock_token;
        let row = lease.first(lock, args![&*former.id]).await?;
        if !token(row.ok_or_else(missing)?)?.is_unchanged_from(former) {
            return Err(missing());
        }
        write_token(lease, REPLACE_TOKEN, next).await?;
        if let Some(until) = denied_until {
            let denied = deny(lease, Kind::Token, &next.id, until).await?;
            effects.denied.extend(denied);
        }
        Ok(())
    }

    /// Whether a token is revoked, in a transaction that nobody who revokes it comes between.
    pub(super) async fn is_revoked_in(
        &self,
        lease: &mut Lease<'_>,
        token: TokenIds<'_>,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let dialect = self.engine.dialect();
        if let Some(family) = token.family {
            // Whoever ends the family or the private token writes its row, and so waits until this
            // transaction has ended.
            lease.first(dialect.lock_family, args![family]).await?;
        } else {
            lease.first(dialect.lock_token, args![token.token]).await?;
        }
        lock_id(lease, dialect.lock_id, token.token).await?;
        let row = lease
            .first(IS_REVOKED, args![token.token, token.family, now])
            .await?;
        Ok(row.is_some())
    }

    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let row = lease
            .first(END_TOKEN, args![owner.kind(), owner.id(), id, now])
            .await?;
        let expires = row.ok_or_else(missing)?.time()?;
        let denied = deny(&mut lease, Kind::Token, id, expires).await?;
        lease.commit().await?;
        self.mirror_all(denied);
        Ok(())
    }
}

/// Whoever revokes a token by its id, and whoever changes something by that token, come one after
/// the other: there is no row that both would lock.
async fn lock_id(
    lease: &mut Lease<'_>,
    lock: Option<&'static str>,
    id: &str,
) -> Result<(), StoreError> {
    match lock {
        Some(lock) => lease.run(lock, args![id]).await.map(drop),
        None => Ok(()),
    }
}

pub(super) async fn insert_family(
    lease: &mut Lease<'_>,
    family: &FamilyRecord,
) -> Result<(), StoreError> {
    write_family(lease, INSERT_FAMILY, family).await
}

pub(super) async fn insert_token(
    lease: &mut Lease<'_>,
    token: &TokenRecord,
) -> Result<(), StoreError> {
    write_token(lease, INSERT_TOKEN, token).await
}

/// Ends a family that has not ended yet, and denies its access tokens.
async fn end_family(
    lease: &mut Lease<'_>,
    id: &str,
    access_until: SystemTime,
    now: SystemTime,
) -> Result<Denied, StoreError> {
    match lease.first(END_FAMILY, args![id, now]).await? {
        Some(_) => deny(lease, Kind::Family, id, access_until).await,
        None => Ok(Denied::new()),
    }
}

/// Runs a statement that takes all columns.
async fn write_family(
    lease: &mut Lease<'_>,
    sql: &'static str,
    family: &FamilyRecord,
) -> Result<(), StoreError> {
    let subject = &family.subject;
    check_lengths([&family.id, subject.kind(), subject.id(), &family.current])?;
    let (previous, rotated) = predecessor(family);
    let args = args![
        &*family.id,
        subject.kind(),
        subject.id(),
        &*family.grants,
        family.created,
        family.ends,
        &*family.current,
        family.expires,
        previous,
        rotated,
        family.revoked,
    ];
    lease.run(sql, args).await.map(drop)
}

fn predecessor(family: &FamilyRecord) -> (Option<&str>, Option<SystemTime>) {
    match &family.previous {
        Some((id, rotated)) => (Some(id), Some(*rotated)),
        None => (None, None),
    }
}

/// Runs a statement that takes all columns.
async fn write_token(
    lease: &mut Lease<'_>,
    sql: &'static str,
    token: &TokenRecord,
) -> Result<(), StoreError> {
    check_lengths([&token.id, token.owner.kind(), token.owner.id()])?;
    let args = args![
        &*token.id,
        token.owner.kind(),
        token.owner.id(),
        &*token.name,
        token.created,
        token.expires,
        token.revoked,
        token.last_used.get(),
    ];
    lease.run(sql, args).await.map(drop)
}

async fn deny(
    lease: &mut Lease<'_>,
    kind: Kind,
    id: &str,
    until: SystemTime,
) -> Result<Denied, StoreError> {
    denied(kind, lease.run(DENY, args![number(kind), id, until]).await?)
}

fn denied(kind: Kind, rows: Vec<Row>) -> Result<Denied, StoreError> {
    rows.into_iter()
        .map(|mut row| Ok((kind, row.text()?, row.time()?)))
        .collect()
}

fn number(kind: Kind) -> i64 {
    match kind {
        Kind::Token => 0,
        Kind::Family => 1,
    }
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

#[async_trait]
impl TokenStore for Sql {
    fn peek_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Known {
        self.core().mirror.peek_revoked(token, now)
    }

    async fn is_revoked(&self, token: TokenIds<'_>, now: SystemTime) -> Result<bool, StoreError> {
        self.call(|| self.core().is_revoked(token, now)).await
    }

    async fn revoke_token(
        &self,
        id: &str,
        until: SystemTime,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        self.call(|| self.core().revoke_token(id, until)).await
    }

    async fn insert_family(&self, family: FamilyRecord) -> Result<(), StoreError> {
        self.call(|| async {
            let mut lease = self.core().lease(Purpose::Write).await?;
            insert_family(&mut lease, &family).await
        })
        .await
    }

    async fn find_family(&self, id: &str) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        let args = args![id];
        let row = or_absent(
            self.call(|| self.core().read_first(FIND_FAMILY, args))
                .await,
        )?;
        row.map(family).transpose()
    }

    async fn replace_family(
        &self,
        former: &FamilyRecord,
        next: FamilyRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let core = self.core();
        self.call(|| core.replace_family(former, &next, denied_until))
            .await
    }

    async fn list_families(
        &self,
        subject: &Subject,
        after: Option<&FamilyRecord>,
        most: usize,
    ) -> Result<Vec<Arc<FamilyRecord>>, StoreError> {
        let mut args = vec![
            limit(most).into(),
            subject.kind().into(),
            subject.id().into(),
        ];
        let sql = match after {
            Some(after) => {
                args.extend([Arg::from(after.created), Arg::from(&*after.id)]);
                LIST_FAMILIES_AFTER
            }
            None => LIST_FAMILIES,
        };
        let rows = self.call(|| self.core().read(sql, &args)).await;
        or_absent(rows)?.into_iter().map(family).collect()
    }

    async fn rotate_family(
        &self,
        rotation: Rotation<'_>,
        now: SystemTime,
    ) -> Result<Rotated, StoreError> {
        self.call(|| self.core().rotate_family(rotation, now)).await
    }

    async fn revoke_family(
        &self,
        id: &str,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let core = self.core();
        self.call(|| core.revoke_family(id, access_until, now))
            .await
    }

    async fn revoke_families(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let core = self.core();
        let ended = self.call(|| core.revoke_families(subject, access_until, now));
        or_absent(ended.await)
    }

    async fn purge_tokens(&self, before: SystemTime, most: usize) -> Result<usize, StoreError> {
        let core = self.core();
        self.call(|| purge::tokens(core, Purpose::Write, before, most))
            .await
    }
}

#[async_trait]
impl PrivateTokenStore for Sql {
    async fn find_private_token(&self, id: &str) -> Result<Option<Arc<TokenRecord>>, StoreError> {
        let args = args![id];
        let row = or_absent(self.call(|| self.core().read_first(FIND_TOKEN, args)).await)?;
        row.map(token).transpose()
    }

    async fn insert_private_token(&self, token: TokenRecord) -> Result<(), StoreError> {
        self.call(|| async {
            let mut lease = self.core().lease(Purpose::Write).await?;
            insert_token(&mut lease, &token).await
        })
        .await
    }

    async fn replace_private_token(
        &self,
        former: &TokenRecord,
        next: TokenRecord,
        denied_until: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let core = self.core();
        self.call(|| core.replace_private_token(former, &next, denied_until))
            .await
    }

    async fn list_private_tokens(
        &self,
        owner: &Subject,
        after: Option<&TokenRecord>,
        most: usize,
    ) -> Result<Vec<Arc<TokenRecord>>, StoreError> {
        let mut args = vec![limit(most).into(), owner.kind().into(), owner.id().into()];
        let sql = match after {
            Some(after) => {
                args.extend([Arg::from(after.created), Arg::from(&*after.id)]);
                LIST_TOKENS_AFTER
            }
            None => LIST_TOKENS,
        };
        let rows = self.call(|| self.core().read(sql, &args)).await;
        or_absent(rows)?.into_iter().map(token).collect()
    }

    async fn revoke_private_token(
        &self,
        owner: &Subject,
        id: &str,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let core = self.core();
        self.call(|| core.revoke_private_token(owner, id, at)).await
    }

    async fn revoke_subject(
        &self,
        subject: &Subject,
        access_until: SystemTime,
        now: SystemTime,
    ) -> Result<(), StoreError> {
        let core = self.core();
        let ended = self.call(|| core.revoke_subject(subject, access_until, now));
        or_absent(ended.await)
    }

    async fn note_token_uses(&self, uses: &[(String, SystemTime)]) -> Result<(), StoreError> {
        let sql = self.core().engine.dialect().note_token_uses;
        let uses = noted::latest(uses).into_iter();
        let uses = uses.filter(|(id, _)| is_storable(id));
        let uses = uses.map(|(id, at)| json!({ "id": id, "used": micros(at) }));
        noted::write(self, sql, uses.collect()).await
    }

    async fn purge_private_tokens(
        &self,
        before: SystemTime,
        most: usize,
    ) -> Result<usize, StoreError> {
        let core = self.core();
        self.call(|| purge::private_tokens(core, Purpose::Write, before, most))
            .await
    }
}
