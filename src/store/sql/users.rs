use super::engine::args;
use super::lease::Lease;
use super::purge::limit;
use super::rows::{check_lengths, list_text, or_absent, scopes_text, user, user_columns};
use super::{Core, Sql};
use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{Known, Peek, StoreError, StoreErrorKind, UserChange, UserRecord, UserStore};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) const FIND: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_user_names n JOIN tower_auth_users u ON u.kind = n.kind AND u.id = n.id WHERE n.name = $1"
);
pub(super) const FIND_BY_ID: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2 AND u.removed = 0"
);
pub(super) const IS_DISABLED: &str =
    "SELECT 1 FROM tower_auth_users WHERE kind = $1 AND id = $2 AND active = 0";
pub(super) const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE u.removed = 0 ORDER BY u.kind, u.id LIMIT $1"
);
pub(super) const LIST_AFTER: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE (u.kind, u.id) > ($2, $3) AND u.removed = 0 ORDER BY u.kind, u.id LIMIT $1"
);
const INSERT: &str = "INSERT INTO tower_auth_users \
    (kind, id, names, password, active, scopes, roles, rate, profile, created, removed, version) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 1)";
const INSERT_NAME: &str = "INSERT INTO tower_auth_user_names (name, kind, id) VALUES ($3, $1, $2)";
const DELETE_NAMES: &str = "DELETE FROM tower_auth_user_names WHERE kind = $1 AND id = $2";
const CHANGE: &str = "UPDATE tower_auth_users SET names = $3, active = $4, scopes = $5, roles = $6, profile = $7, \
    version = version + 1 WHERE kind = $1 AND id = $2 RETURNING version";
const REPLACE_PASSWORD: &str = "UPDATE tower_auth_users SET password = $4, version = version + 1 \
    WHERE kind = $1 AND id = $2 AND removed = 0 AND password IS NOT DISTINCT FROM $3 RETURNING names";
const REMOVE: &str = "UPDATE tower_auth_users SET names = '[]', password = NULL, active = 0, scopes = '', \
    roles = '[]', rate = NULL, profile = NULL, removed = 1, version = version + 1 \
    WHERE kind = $1 AND id = $2 RETURNING version";

impl Core {
    async fn read_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        let row = or_absent(self.read_first(FIND, args![name]).await)?;
        row.map(user).transpose()
    }

    async fn find_user(
        &self,
        name: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        // No user has such a name: it takes no room in the cache.
        if check_lengths([name]).is_err() {
            return Ok(None);
        }
        let read = self.read_user(name);
        if self.mirror.age().is_fresh() {
            self.users.get(name, now, read).await
        } else {
            read.await
        }
    }

    async fn insert_user(&self, user: &UserRecord) -> Result<(), StoreError> {
        check(user)?;
        let (names, id) = (list_text(user.names()), user.id());
        let (scopes, roles) = (scopes_text(user.scopes()), list_text(user.roles().iter()));
        let mut lease = self.begin().await?;
        let args = args![
            id.kind(),
            id.id(),
            names.as_str(),
            user.stored_hash().map(|hash| hash.expose().as_str()),
            i64::from(user.is_active()),
            scopes.as_str(),
            roles.as_str(),
            user.own_rate(),
            user.profile_json(),
            user.created(),
        ];
        lease.run(INSERT, args).await?;
        insert_names(&mut lease, user).await?;
        lease.commit().await?;
        if !user.is_active() {
            self.mirror.disabled().set(id.clone(), 1, false);
        }
        self.forget_names(user);
        Ok(())
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
    ) -> Result<Arc<UserRecord>, StoreError> {
        let mut lease = self.begin().await?;
        let before = self.lock_user(&mut lease, id).await?;
        let renames = change.names.is_some();
        let after = UserRecord::clone(&before).changed(change);
        check(&after)?;
        if renames {
            lease.run(DELETE_NAMES, args![id.kind(), id.id()]).await?;
            insert_names(&mut lease, &after).await?;
        }
        let (names, scopes) = (list_text(after.names()), scopes_text(after.scopes()));
        let (roles, active) = (
            list_text(after.roles().iter()),
            i64::from(after.is_active()),
        );
        let args = args![
            id.kind(),
            id.id(),
            names.as_str(),
            active,
            scopes.as_str(),
            roles.as_str(),
            after.profile_json(),
        ];
        let version = version(lease.first(CHANGE, args).await?)?;
        lease.commit().await?;
        self.mirror
            .disabled()
            .set(id.clone(), version, after.is_active());
        self.forget_names(&before);
        self.forget_names(&after);
        Ok(Arc::new(after))
    }

    async fn remove_user(&self, id: &Subject) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let before = self.lock_user(&mut lease, id).await?;
        lease.run(DELETE_NAMES, args![id.kind(), id.id()]).await?;
        let version = version(lease.first(REMOVE, args![id.kind(), id.id()]).await?)?;
        lease.commit().await?;
        self.mirror.disabled().set(id.clone(), version, false);
        self.forget_names(&before);
        Ok(())
    }

    async fn lock_user(
        &self,
        lease: &mut Lease<'_>,
        id: &Subject,
    ) -> Result<Arc<UserRecord>, StoreError> {
        let row = lease
            .first(self.engine.dialect().lock_user, args![id.kind(), id.id()])
            .await?;
        user(row.ok_or_else(missing)?)
    }

    fn forget_names(&self, user: &UserRecord) {
        user.names().for_each(|name| self.users.forget(name));
    }
}

fn check(user: &UserRecord) -> Result<(), StoreError> {
    check_lengths([user.id().kind(), user.id().id()])?;
    check_lengths(user.names())
}

async fn insert_names(lease: &mut Lease<'_>, user: &UserRecord) -> Result<(), StoreError> {
    // In one order everywhere, lest two who want the same names wait for each other; and each once.
    for name in user.names().collect::<BTreeSet<_>>() {
        lease
            .run(INSERT_NAME, args![user.id().kind(), user.id().id(), name])
            .await?;
    }
    Ok(())
}

fn version(row: Option<super::engine::Row>) -> Result<i64, StoreError> {
    row.ok_or_else(missing)?.int()
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

#[async_trait]
impl UserStore for Sql {
    fn peek_user(&self, name: &str, now: SystemTime) -> Peek<UserRecord> {
        if self.core().mirror.age().is_believed() {
            self.core().users.peek(name, now)
        } else {
            Peek::Ask
        }
    }

    async fn find_user(
        &self,
        name: &str,
        now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        self.call(self.core().find_user(name, now)).await
    }

    async fn find_user_by_id(
        &self,
        id: &Subject,
        _now: SystemTime,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        let row = self
            .call(
                self.core()
                    .read_first(FIND_BY_ID, args![id.kind(), id.id()]),
            )
            .await;
        or_absent(row)?.map(user).transpose()
    }

    fn peek_disabled(&self, id: &Subject, _now: SystemTime) -> Known {
        self.core().mirror.peek_disabled(id)
    }

    async fn is_disabled(&self, id: &Subject, _now: SystemTime) -> Result<bool, StoreError> {
        let row = self
            .call(
                self.core()
                    .read_first(IS_DISABLED, args![id.kind(), id.id()]),
            )
            .await;
        Ok(or_absent(row)?.is_some())
    }

    async fn insert_user(&self, user: UserRecord, _now: SystemTime) -> Result<(), StoreError> {
        self.call(self.core().insert_user(&user)).await
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
        _now: SystemTime,
    ) -> Result<Arc<UserRecord>, StoreError> {
        self.call(self.core().change_user(id, change)).await
    }

    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
        _now: SystemTime,
    ) -> Result<(), StoreError> {
        let from = from.map(|hash| hash.expose().as_str());
        let args = args![id.kind(), id.id(), from, to.expose().as_str()];
        let row = self
            .call(self.core().write_first(REPLACE_PASSWORD, args))
            .await?;
        let names = super::rows::list(&row.ok_or_else(missing)?.text()?)?;
        names
            .iter()
            .for_each(|name| self.core().users.forget(name.as_str()));
        Ok(())
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
        _now: SystemTime,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        let rows = match after {
            None => self.call(self.core().read(LIST, args![limit(most)])).await,
            Some(id) => {
                self.call(
                    self.core()
                        .read(LIST_AFTER, args![limit(most), id.kind(), id.id()]),
                )
                .await
            }
        };
        rows?.into_iter().map(user).collect()
    }

    async fn remove_user(&self, id: &Subject, _now: SystemTime) -> Result<(), StoreError> {
        self.call(self.core().remove_user(id)).await
    }
}
