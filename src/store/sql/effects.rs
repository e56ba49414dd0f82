use super::core::Core;
use super::lease::Lease;
use crate::principal::Subject;
use crate::store::denials::Kind;
use crate::store::{Account, StoreError};
use std::time::SystemTime;

/// What a transaction denied, for the mirror once it is committed.
pub(super) type Denied = Vec<(Kind, String, SystemTime)>;

/// What memory has to hear of a transaction once it is committed.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) denied: Denied,
    /// Digests of keys that were changed.
    pub(super) keys: Vec<[u8; 32]>,
    /// Names of users who were changed.
    pub(super) names: Vec<Box<str>>,
    /// Users who were changed, and their versions.
    pub(super) users: Vec<(Subject, i64, Account)>,
}

impl Core {
    /// Commits, and then lets memory know.
    pub(super) async fn finish(
        &self,
        lease: Lease<'_>,
        effects: Effects,
    ) -> Result<(), StoreError> {
        // The commit comes first. A record that is forgotten before it can be read once more as it
        // was, and would then be remembered; and what is not written after all must deny nobody.
        lease.commit().await?;
        self.show(effects);
        Ok(())
    }

    /// Lets memory know of what is written.
    pub(super) fn show(&self, effects: Effects) {
        self.mirror_all(effects.denied);
        for (id, version, account) in effects.users {
            self.mirror.users().set(&id, version, account);
        }
        for digest in &effects.keys {
            self.keys.forget(digest);
        }
        for name in &effects.names {
            self.users.forget(&**name);
        }
    }
}
