use super::Users;
use crate::config::ConfigProblem;
use crate::realm::Realm;
use crate::scheme::BasicVerifier;
use std::fmt;
use std::sync::Arc;

/// Basic (RFC 7617) for the users of a realm. Made by [`Users::basic`].
///
/// A password that was verified is remembered for 60 seconds, as a digest under a random key of
/// this process that is bound to the user's name and stored hash: a client that sends Basic with
/// every request costs argon2 once a minute, and a changed password or a disabled account ends that
/// at once.
#[derive(Clone)]
#[must_use]
pub struct Basic {
    users: Users,
}

impl Users {
    /// Basic with the names and passwords of these users, for a layer to accept.
    pub fn basic(&self) -> Basic {
        Basic {
            users: self.clone(),
        }
    }
}

impl Basic {
    pub(crate) fn realm(&self) -> &Realm {
        self.users.realm()
    }

    pub(crate) fn verifier(&self) -> Result<BasicVerifier, ConfigProblem> {
        match self.users.judge() {
            Ok(judge) => Ok(BasicVerifier::new(
                judge,
                Arc::clone(self.realm().remembered()),
            )),
            Err(_) => Err(ConfigProblem::NoStore("users")),
        }
    }
}

impl fmt::Debug for Basic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").finish_non_exhaustive()
    }
}
