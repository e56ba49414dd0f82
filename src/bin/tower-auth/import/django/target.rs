use super::kind::Kind;
use super::report::Report;
use crate::failure::Failure;
use tower_auth::Subject;
use tower_auth::store::{
    AllStores, ManagedKeyStore, ManagedUserStore, Store, StoreErrorKind, TokenStore, UserRecord,
    UserStore, Write,
};

/// How many records are written in one step. What is killed in the middle has written whole steps.
const STEP: usize = 200;

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
        for Waiting { kind, id, write } in waiting {
            match self.store.commit(None, vec![write.clone()]).await {
                Ok(()) => report.moved(kind),
                Err(error) if error.kind() == StoreErrorKind::Exists => {
                    self.write_rest(kind, &id, write, report).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// A record of which something is taken: a user is added without the names that others have.
    async fn write_rest(
        &self,
        kind: Kind,
        id: &str,
        write: Write,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let Write::InsertUser(user) = write else {
            report.left(
                kind,
                id,
                "its id or its hash is that of another one in the store",
            );
            return Ok(());
        };
        let mut rest = UserRecord::clone(&user);
        rest.names.clear();
        let mut taken = Vec::new();
        for name in &user.names {
            match self.holder(name).await? {
                Some(holder) => taken.push(holder),
                None => rest.names.push(name.clone()),
            }
        }
        // No name is taken, so it must be the id itself: that of a removed user stays taken.
        if taken.is_empty() {
            report.left(kind, id, "a user of that id was removed from the store");
            return Ok(());
        }
        let write = Write::InsertUser(Box::new(rest));
        self.store.commit(None, vec![write]).await?;
        report.moved(kind);
        for holder in taken {
            report.note(
                kind,
                id,
                format!("has no name that user {holder} has in the store"),
            );
        }
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
