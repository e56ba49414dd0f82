use super::engine::{Purpose, args};
use super::rows::{check_lengths, or_absent, signing_key, signing_key_columns};
use super::sql::Sql;
use crate::store::{SigningKeyRecord, SigningKeyStore, StoreError, StoreErrorKind};
use async_trait::async_trait;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const LIST: &str = concat!(
    "SELECT ",
    signing_key_columns!(),
    " FROM tower_auth_signing_keys WHERE issuer = $1 ORDER BY serial"
);
const INSERT: &str = concat!(
    "INSERT INTO tower_auth_signing_keys (",
    signing_key_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
);
/// Looks whether the row is as it was read and writes it, in one statement.
const REPLACE: &str = "UPDATE tower_auth_signing_keys SET algorithm = $10, sealed = $11, \
    created = $12, signs_from = $13, signs_until = $14, forgotten_at = $15 \
    WHERE issuer = $1 AND serial = $2 AND id = $3 AND algorithm = $4 AND sealed = $5 \
    AND created = $6 AND signs_from = $7 AND signs_until = $8 AND forgotten_at = $9 \
    RETURNING serial";
const FORGET: &str = "DELETE FROM tower_auth_signing_keys WHERE issuer = $1 \
    AND forgotten_at <= $2 RETURNING serial";

#[async_trait]
impl SigningKeyStore for Sql {
    async fn list_signing_keys(
        &self,
        issuer: &str,
    ) -> Result<Vec<Arc<SigningKeyRecord>>, StoreError> {
        let args = args![issuer];
        let rows = self.call(|| self.core().read(LIST, args)).await;
        or_absent(rows)?.into_iter().map(signing_key).collect()
    }

    async fn insert_signing_key(&self, key: SigningKeyRecord) -> Result<(), StoreError> {
        check_lengths([&*key.issuer, &*key.id])?;
        let args = args![
            &*key.issuer,
            i64::from(key.serial),
            &*key.id,
            &*key.algorithm,
            &*key.sealed,
            key.created,
            key.signs_from,
            key.signs_until,
            key.forgotten_at,
        ];
        let inserted = self.call(|| self.core().write_first(INSERT, args));
        inserted.await.map(drop)
    }

    async fn replace_signing_key(
        &self,
        former: &SigningKeyRecord,
        next: SigningKeyRecord,
    ) -> Result<(), StoreError> {
        let args = args![
            &*former.issuer,
            i64::from(former.serial),
            &*former.id,
            &*former.algorithm,
            &*former.sealed,
            former.created,
            former.signs_from,
            former.signs_until,
            former.forgotten_at,
            &*next.algorithm,
            &*next.sealed,
            next.created,
            next.signs_from,
            next.signs_until,
            next.forgotten_at,
        ];
        let replaced = self.call(|| self.core().write_first(REPLACE, args)).await;
        match or_absent(replaced)? {
            Some(_) => Ok(()),
            None => Err(StoreError::new(StoreErrorKind::Missing)),
        }
    }

    async fn forget_signing_keys(&self, issuer: &str, at: SystemTime) -> Result<usize, StoreError> {
        let args = args![issuer, at];
        let forgotten = self.call(|| async {
            let mut lease = self.core().lease(Purpose::Write).await?;
            lease.run(FORGET, args).await
        });
        Ok(or_absent(forgotten.await)?.len())
    }
}
