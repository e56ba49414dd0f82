use super::kind::Kind;
use super::known_user::report_known;
use super::report::Report;
use crate::failure::Failure;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;
use tower_auth::Subject;
use tower_auth::store::{
    AllStores, FamilyRecord, KeyRecord, ManagedKeyStore, ManagedUserStore, Store, StoreErrorKind,
    TokenStore, UserRecord, UserStore, Write,
};

/// How many records are written in one step. What is killed in the middle has written whole steps.
const STEP: usize = 200;

/// How many keys are listed at once.
const PAGE: usize = 500;

const TAKEN: &str = "its id or its hash is that of another one in the store";
const REVOKED_SINCE: &str = "was good when it was moved, was revoked in Django since, and is \
                             revoked here as well";
const GONE_SINCE: &str = "was moved, is no longer in Django, and is revoked here";
const GONE_WITH_ALL: &str = "was moved and is not in this database, nor is any other that was moved \
                             before, so it was left as it is: revoke it here if it must end";
const ENDS_EARLIER: &str =
    "is there, and was left as it is, but expires earlier in Django: revoke it here if it must end";
const REFRESHED_HERE: &str = "was revoked in Django, but was refreshed here before, and its family \
                              was left as it is: revoke it here if it must end";

/// The store that is moved into. What is there already stays as it is, but what has been revoked in
/// Django since it was moved is revoked.
pub(super) struct Target {
    store: Store,
    dry_run: bool,
    waiting: Vec<Waiting>,
}

/// A record that will be written with the next step.
struct Waiting {
    kind: Kind,
    /// What the report calls it.
    id: String,
    write: Write,
}

impl Target {
    pub(super) fn new(store: Store, dry_run: bool) -> Self {
        Self {
            store,
            dry_run,
            waiting: Vec::new(),
        }
    }

    /// Adds a key, or revokes the one that is there where Django has revoked it since.
    pub(super) async fn add_key(
        &mut self,
        kind: Kind,
        id: &str,
        key: KeyRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match self.key(&key).await? {
            Some(known) => self.keep_key(kind, id, &known, &key, report).await,
            None => self.add(kind, id, Write::InsertKey(key), report).await,
        }
    }

    /// Adds a family, or revokes the one that is there where Django has blacklisted its token
    /// since.
    pub(super) async fn add_family(
        &mut self,
        kind: Kind,
        id: &str,
        family: FamilyRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        match self.family(&family).await? {
            Some(known) => self.keep_family(kind, id, &known, &family, report).await,
            None => {
                let write = Write::InsertFamily(Box::new(family));
                self.add(kind, id, write, report).await
            }
        }
    }

    /// Revokes the keys whose ids begin so and that are not among those that Django has.
    ///
    /// Where none that Django has was there before this run, it may be another database, or one
    /// that was emptied. Then nothing is revoked, because that could not be undone.
    pub(super) async fn revoke_others(
        &self,
        kind: Kind,
        prefix: &str,
        had: &HashSet<String>,
        report: &mut Report,
        now: SystemTime,
    ) -> Result<(), Failure> {
        let is_the_same_database = report.has_some_there(kind);
        let mut last = prefix.to_owned();
        loop {
            let page = self.store.list_all_keys(Some(&last), PAGE).await?;
            for key in &page {
                if !key.id.starts_with(prefix) {
                    return Ok(());
                }
                if key.revoked.is_some() || had.contains(&*key.id) {
                    continue;
                }
                if !is_the_same_database {
                    report.note(kind, &key.id, GONE_WITH_ALL);
                    continue;
                }
                self.revoke_key(key, now).await?;
                report.note(kind, &key.id, GONE_SINCE);
            }
            let Some(key) = page.last().filter(|_| page.len() == PAGE) else {
                return Ok(());
            };
            last = key.id.as_ref().to_owned();
        }
    }

    /// Adds a record that is not there.
    pub(super) async fn add(
        &mut self,
        kind: Kind,
        id: &str,
        write: Write,
        report: &mut Report,
    ) -> Result<(), Failure> {
        self.waiting.push(Waiting {
            kind,
            id: id.to_owned(),
            write,
        });
        if self.waiting.len() < STEP {
            return Ok(());
        }
        self.write(report).await
    }

    /// Writes what waits.
    pub(super) async fn write(&mut self, report: &mut Report) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        if !self.dry_run {
            let writes = waiting.iter().map(|waiting| waiting.write.clone());
            match self.store.commit(None, writes.collect()).await {
                Ok(()) => {}
                // A commit is all or nothing, and does not tell which record is there already. So
                // they are added one by one.
                Err(error) if error.kind() == StoreErrorKind::Exists => {
                    return self.write_each(waiting, report).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        for waiting in waiting {
            report.moved(waiting.kind);
        }
        Ok(())
    }

    async fn write_each(&self, waiting: Vec<Waiting>, report: &mut Report) -> Result<(), Failure> {
        for waiting in waiting {
            self.write_one(waiting, report).await?;
        }
        Ok(())
    }

    async fn write_one(&self, waiting: Waiting, report: &mut Report) -> Result<(), Failure> {
        let Waiting { kind, id, write } = waiting;
        match self.store.commit(None, vec![write.clone()]).await {
            Ok(()) => {
                report.moved(kind);
                return Ok(());
            }
            Err(error) if error.kind() == StoreErrorKind::Exists => {}
            Err(error) => return Err(error.into()),
        }
        // It was not there when it was looked for. Another run has added it since, or the database
        // has ended the last step of a run that was killed.
        match &write {
            Write::InsertUser(user) => return self.write_user(&id, user, report).await,
            Write::InsertKey(key) => {
                if let Some(known) = self.key(key).await? {
                    return self.keep_key(kind, &id, &known, key, report).await;
                }
            }
            Write::InsertFamily(family) => {
                if let Some(known) = self.family(family).await? {
                    return self.keep_family(kind, &id, &known, family, report).await;
                }
            }
            _ => {}
        }
        report.left(kind, &id, TAKEN);
        Ok(())
    }

    /// Says that a key is there, and revokes it where only Django has.
    async fn keep_key(
        &self,
        kind: Kind,
        id: &str,
        known: &KeyRecord,
        key: &KeyRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        report.there(kind);
        if known.revoked.is_some() {
            return Ok(());
        }
        if let Some(at) = key.revoked {
            self.revoke_key(known, at).await?;
            report.note(kind, id, REVOKED_SINCE);
            return Ok(());
        }
        if let Some(expires) = key.expires
            && known.expires.is_none_or(|known| expires < known)
        {
            report.note(kind, id, ENDS_EARLIER);
        }
        Ok(())
    }

    /// Says that a family is there, and revokes it where only Django has blacklisted its token.
    async fn keep_family(
        &self,
        kind: Kind,
        id: &str,
        known: &FamilyRecord,
        family: &FamilyRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        report.there(kind);
        let Some(at) = family.revoked else {
            return Ok(());
        };
        if known.revoked.is_some() {
            return Ok(());
        }
        // Whoever refreshed here goes on with a token of ours, of which Django knows nothing.
        if known.current != family.current {
            report.note(kind, id, REFRESHED_HERE);
            return Ok(());
        }
        if !self.dry_run {
            // No access token of ours can be of a family that was never refreshed here.
            self.store.revoke_family(&known.id, at, at).await?;
        }
        report.note(kind, id, REVOKED_SINCE);
        Ok(())
    }

    async fn revoke_key(&self, key: &KeyRecord, at: SystemTime) -> Result<(), Failure> {
        if !self.dry_run {
            self.store.revoke_key(&key.owner, &key.id, at).await?;
        }
        Ok(())
    }

    /// Adds a user without the names that others have.
    async fn write_user(
        &self,
        id: &str,
        user: &UserRecord,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut rest = user.clone();
        let mut holders = Vec::new();
        // Each round that fails leaves a name less to add, or ends with the user who is there.
        for _ in 0..user.names.len() + 2 {
            if let Some(known) = self.user(&user.id).await? {
                report_known(&known, user, report);
                return Ok(());
            }
            rest.names.clear();
            holders.clear();
            for name in &user.names {
                match self.holder(name).await? {
                    Some(holder) => holders.push(holder),
                    None => rest.names.push(name.clone()),
                }
            }
            let write = Write::InsertUser(Box::new(rest.clone()));
            match self.store.commit(None, vec![write]).await {
                Ok(()) => {
                    report.moved(Kind::Users);
                    for holder in holders {
                        let why = format!("has no name that user {holder} has in the store");
                        report.note(Kind::Users, id, why);
                    }
                    return Ok(());
                }
                // The id or a name was taken in between, which the next round finds.
                Err(error) if error.kind() == StoreErrorKind::Exists => {}
                Err(error) => return Err(error.into()),
            }
        }
        report.left(Kind::Users, id, TAKEN);
        Ok(())
    }

    async fn holder(&self, name: &str) -> Result<Option<Subject>, Failure> {
        let found = self.store.find_user(name).await?;
        Ok(found.map(|user| user.id.clone()))
    }

    /// The key in the store that has the owner and the id of this one.
    async fn key(&self, key: &KeyRecord) -> Result<Option<Arc<KeyRecord>>, Failure> {
        Ok(self.store.find_owned_key(&key.owner, &key.id).await?)
    }

    /// The family in the store that has the id of this one.
    async fn family(&self, family: &FamilyRecord) -> Result<Option<Arc<FamilyRecord>>, Failure> {
        Ok(self.store.find_family(&family.id).await?)
    }

    pub(super) async fn user(&self, id: &Subject) -> Result<Option<Arc<UserRecord>>, Failure> {
        Ok(self.store.find_user_by_id(id).await?)
    }
}
