use super::kind::Kind;
use super::known_user::report_known;
use super::report::Report;
use crate::failure::Failure;
use tower_auth::Subject;
use tower_auth::store::{
    AllStores, ManagedKeyStore, ManagedUserStore, Store, StoreErrorKind, TokenStore, UserRecord,
    UserStore, Write,
};

/// How many records are written in one step. What is killed in the middle has written whole steps.
const STEP: usize = 200;

const TAKEN: &str = "its id or its hash is that of another one in the store";

/// The store that is moved into. What is there already stays as it is.
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
        let is_there = match &write {
            Write::InsertUser(user) => return self.write_user(&id, user, report).await,
            Write::InsertKey(key) => self.has_key(&key.owner, &key.id).await?,
            Write::InsertFamily(family) => self.has_family(&family.id).await?,
            _ => false,
        };
        match is_there {
            true => report.there(kind),
            false => report.left(kind, &id, TAKEN),
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

    pub(super) async fn has_key(&self, owner: &Subject, id: &str) -> Result<bool, Failure> {
        Ok(self.store.find_owned_key(owner, id).await?.is_some())
    }

    pub(super) async fn has_family(&self, id: &str) -> Result<bool, Failure> {
        Ok(self.store.find_family(id).await?.is_some())
    }

    pub(super) async fn user(
        &self,
        id: &Subject,
    ) -> Result<Option<std::sync::Arc<UserRecord>>, Failure> {
        Ok(self.store.find_user_by_id(id).await?)
    }
}
