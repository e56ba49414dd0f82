use super::core::Core;
use super::effects::Effects;
use super::engine::{Arg, args};
use super::lease::Lease;
use super::purge::limit;
use super::rows::{
    ACCOUNT, account, check_lengths, list, list_text, or_absent, scopes_text, taken_roles_text,
    user, user_columns,
};
use super::sql::Sql;
use crate::principal::Subject;
use crate::secret::Secret;
use crate::store::{
    Account, ManagedUserStore, Peek, StoreError, StoreErrorKind, UserChange, UserRecord, UserStore,
};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

pub(super) const FIND: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_user_names n \
     JOIN tower_auth_users u ON u.kind = n.kind AND u.id = n.id WHERE n.name = $1"
);
pub(super) const FIND_BY_ID: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE u.kind = $1 AND u.id = $2"
);
pub(super) const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE u.removed = 0 ORDER BY u.kind, u.id LIMIT $1"
);
pub(super) const LIST_AFTER: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM tower_auth_users u WHERE (u.kind, u.id) > ($2, $3) AND u.removed = 0 \
     ORDER BY u.kind, u.id LIMIT $1"
);
/// The id of a user whose row was deleted stays taken: there may be keys and tokens of that id.
const INSERT: &str = "INSERT INTO tower_auth_users \
    (kind, id, names, password, active, scopes, roles, rate, profile, created, removed, \
    taken_scopes, taken_roles, version) \
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1 \
    WHERE NOT EXISTS (SELECT 1 FROM tower_auth_deleted_users WHERE kind = $1 AND id = $2) \
    RETURNING version";
const REPLACE: &str = "UPDATE tower_auth_users SET names = $3, password = $4, active = $5, \
    scopes = $6, roles = $7, rate = $8, profile = $9, created = $10, removed = $11, \
    taken_scopes = $12, taken_roles = $13, \
    version = version + 1 WHERE kind = $1 AND id = $2 RETURNING version";
const INSERT_NAME: &str = "INSERT INTO tower_auth_user_names (name, kind, id) VALUES ($3, $1, $2)";
const DELETE_NAMES: &str = "DELETE FROM tower_auth_user_names WHERE kind = $1 AND id = $2";
// `=` is true of no NULL, and a user without a password has none to compare.
const REPLACE_PASSWORD: &str = "UPDATE tower_auth_users SET password = $4, version = version + 1 \
    WHERE kind = $1 AND id = $2 AND removed = 0 AND password IS NOT DISTINCT FROM $3 \
    RETURNING names";

impl Core {
    async fn read_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        let row = or_absent(self.read_first(FIND, args![name]).await)?;
        row.map(user).transpose()
    }

    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        // No user can have such a name, so the database is not asked, and the text takes no room in
        // the cache.
        if check_lengths([name]).is_err() {
            return Ok(None);
        }
        let now = Instant::now();
        let read = self.read_user(name);
        if self.mirror.age().is_fresh(now) {
            self.users.get(name, now, read).await
        } else {
            read.await
        }
    }

    async fn insert_user(&self, user: &UserRecord) -> Result<(), StoreError> {
        check(user)?;
        let mut lease = self.begin().await?;
        let mut effects = Effects::default();
        self.insert_user_in(&mut lease, user, &mut effects).await?;
        self.finish(lease, effects).await
    }

    pub(super) async fn insert_user_in(
        &self,
        lease: &mut Lease<'_>,
        user: &UserRecord,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        check(user)?;
        let version = write(lease, INSERT, user).await?;
        let version = version.ok_or_else(|| StoreError::new(StoreErrorKind::Exists))?;
        insert_names(lease, user).await?;
        let account = user.account();
        // Whoever is not remembered counts as whole, so there is nothing to remember of most.
        if account != Account::Whole {
            effects.users.push((user.id.clone(), version, account));
        }
        // Somebody may have tried the name before, and then it is remembered as absent.
        effects.names.extend(user.names.iter().cloned());
        Ok(())
    }

    async fn replace_user(&self, former: &UserRecord, next: &UserRecord) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let mut effects = Effects::default();
        self.replace_user_in(&mut lease, former, next, &mut effects)
            .await?;
        self.finish(lease, effects).await
    }

    pub(super) async fn replace_user_in(
        &self,
        lease: &mut Lease<'_>,
        former: &UserRecord,
        next: &UserRecord,
        effects: &mut Effects,
    ) -> Result<(), StoreError> {
        let known = self.lock_user(lease, &former.id).await?;
        if *known != *former {
            return Err(missing());
        }
        put_user(lease, &known, next, effects).await
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: &UserChange,
    ) -> Result<Arc<UserRecord>, StoreError> {
        let mut lease = self.begin().await?;
        let before = self.lock_user(&mut lease, id).await?;
        let after = UserRecord::clone(&before).changed(change.clone());
        let mut effects = Effects::default();
        put_user(&mut lease, &before, &after, &mut effects).await?;
        self.finish(lease, effects).await?;
        Ok(Arc::new(after))
    }

    async fn remove_user(&self, id: &Subject) -> Result<(), StoreError> {
        let mut lease = self.begin().await?;
        let before = self.lock_user(&mut lease, id).await?;
        let after = UserRecord::clone(&before).removed();
        let mut effects = Effects::default();
        put_user(&mut lease, &before, &after, &mut effects).await?;
        self.finish(lease, effects).await
    }

    /// A user in whatever state, or nobody, until the transaction ends.
    pub(super) async fn lock_account(
        &self,
        lease: &mut Lease<'_>,
        id: &Subject,
    ) -> Result<Option<Arc<UserRecord>>, StoreError> {
        let lock = self.engine.dialect().lock_account;
        let row = lease.first(lock, args![id.kind(), id.id()]).await?;
        row.map(user).transpose()
    }

    /// A user who was not removed, and who is nobody else's until the transaction ends.
    pub(super) async fn lock_user(
        &self,
        lease: &mut Lease<'_>,
        id: &Subject,
    ) -> Result<Arc<UserRecord>, StoreError> {
        let lock = self.engine.dialect().lock_user;
        let row = lease.first(lock, args![id.kind(), id.id()]).await?;
        user(row.ok_or_else(missing)?)
    }
}

/// Puts a record in the place of one that is locked.
async fn put_user(
    lease: &mut Lease<'_>,
    before: &UserRecord,
    after: &UserRecord,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    check(after)?;
    // Rights that the user had and has no more are noted, or tokens that were granted them would
    // keep them.
    let after = &after.clone().replacing(before);
    let id = &before.id;
    if after.names != before.names {
        lease.run(DELETE_NAMES, args![id.kind(), id.id()]).await?;
        insert_names(lease, after).await?;
    }
    let version = write(lease, REPLACE, after).await?.ok_or_else(missing)?;
    effects.users.push((id.clone(), version, after.account()));
    // By the former names the old record would still be found, and the new ones may be remembered
    // as absent.
    effects.names.extend(before.names.iter().cloned());
    effects.names.extend(after.names.iter().cloned());
    Ok(())
}

/// Runs a statement that takes all columns, and gives the user's version where it was written.
async fn write(
    lease: &mut Lease<'_>,
    sql: &'static str,
    user: &UserRecord,
) -> Result<Option<i64>, StoreError> {
    let names = list_text(user.names.iter().map(|name| &**name));
    let password = user.password_hash.as_ref();
    let scopes = scopes_text(&user.scopes);
    let roles = list_text(user.roles.iter());
    let rate = user.rate.map(|rate| rate.to_string());
    let taken_scopes = scopes_text(&user.taken.scopes);
    let taken_roles = taken_roles_text(&user.taken.roles);
    let args = args![
        user.id.kind(),
        user.id.id(),
        names.as_str(),
        password.map(|hash| hash.expose().as_str()),
        i64::from(user.is_active()),
        scopes.as_str(),
        roles.as_str(),
        rate.as_deref(),
        user.profile.as_deref(),
        user.created,
        i64::from(user.is_removed()),
        taken_scopes.as_str(),
        taken_roles.as_str(),
    ];
    let row = lease.first(sql, args).await?;
    row.map(|mut row| row.int()).transpose()
}

fn check(user: &UserRecord) -> Result<(), StoreError> {
    check_lengths([user.id.kind(), user.id.id()])?;
    check_lengths(user.names.iter().map(|name| &**name))
}

async fn insert_names(lease: &mut Lease<'_>, user: &UserRecord) -> Result<(), StoreError> {
    // In one order everywhere, lest two who want the same names wait for each other; and each once.
    for name in user.names.iter().collect::<BTreeSet<_>>() {
        let args = args![user.id.kind(), user.id.id(), &**name];
        lease.run(INSERT_NAME, args).await?;
    }
    Ok(())
}

fn missing() -> StoreError {
    StoreError::new(StoreErrorKind::Missing)
}

#[async_trait]
impl UserStore for Sql {
    fn peek_user(&self, name: &str) -> Peek<UserRecord> {
        let now = Instant::now();
        if self.core().mirror.age().is_believed(now) {
            self.core().users.peek(name, now)
        } else {
            Peek::Ask
        }
    }

    async fn find_user(&self, name: &str) -> Result<Option<Arc<UserRecord>>, StoreError> {
        self.call(|| self.core().find_user(name)).await
    }
}

#[async_trait]
impl ManagedUserStore for Sql {
    fn peek_account(&self, id: &Subject) -> Account {
        self.core().mirror.peek_account(id)
    }

    async fn find_user_by_id(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, StoreError> {
        let args = args![id.kind(), id.id()];
        let row = or_absent(self.call(|| self.core().read_first(FIND_BY_ID, args)).await)?;
        row.map(user).transpose()
    }

    async fn insert_user(&self, user: UserRecord) -> Result<(), StoreError> {
        self.call(|| self.core().insert_user(&user)).await
    }

    async fn replace_user(&self, former: &UserRecord, next: UserRecord) -> Result<(), StoreError> {
        self.call(|| self.core().replace_user(former, &next)).await
    }

    async fn list_users(
        &self,
        after: Option<&Subject>,
        most: usize,
    ) -> Result<Vec<Arc<UserRecord>>, StoreError> {
        let mut args = vec![Arg::from(limit(most))];
        let sql = match after {
            Some(id) => {
                args.extend([Arg::from(id.kind()), Arg::from(id.id())]);
                LIST_AFTER
            }
            None => LIST,
        };
        let rows = self.call(|| self.core().read(sql, &args)).await;
        rows?.into_iter().map(user).collect()
    }

    async fn account(&self, id: &Subject) -> Result<Account, StoreError> {
        let args = args![id.kind(), id.id()];
        let row = self.call(|| self.core().read_first(ACCOUNT, args)).await;
        match or_absent(row)? {
            Some(row) => Ok(account(row)?.2),
            None => Ok(Account::Whole),
        }
    }

    async fn change_user(
        &self,
        id: &Subject,
        change: UserChange,
    ) -> Result<Arc<UserRecord>, StoreError> {
        self.call(|| self.core().change_user(id, &change)).await
    }

    async fn replace_password(
        &self,
        id: &Subject,
        from: Option<&Secret<String>>,
        to: Secret<String>,
    ) -> Result<(), StoreError> {
        let from = from.map(|hash| hash.expose().as_str());
        let args = args![id.kind(), id.id(), from, to.expose().as_str()];
        let row = self
            .call(|| self.core().write_first(REPLACE_PASSWORD, args))
            .await?;
        for name in list(&row.ok_or_else(missing)?.text()?)? {
            self.core().users.forget(name.as_str());
        }
        Ok(())
    }

    async fn remove_user(&self, id: &Subject) -> Result<(), StoreError> {
        self.call(|| self.core().remove_user(id)).await
    }
}
